//! A `zead standalone` in a temporary folder. However the test ends: the process, its mounts, its loop devices and its files
//! are gone, and those of nobody else.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The node's name.
const NODE: &str = "alone";
/// Room of the pool's image, which is sparse.
const POOL_SIZE: &str = "2GiB";
/// How long mkfs and the first start may take on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long it may take to end by itself.
const END: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// The running server.
pub struct Server {
    process: Child,
    base: TempDir,
    address: String,
}

impl Server {
    pub fn start() -> Self {
        let base = tempfile::tempdir().expect("temporary folder");
        std::fs::create_dir(base.path().join("work")).expect("work folder");
        let file = |name| File::create(base.path().join(name)).expect("log file");
        let process = Command::new(env!("CARGO_BIN_EXE_zead"))
            .arg("standalone")
            .env("ZEA_NODE__NAME", NODE)
            .env("ZEA_NODE__DATA", base.path().join("data"))
            .env("ZEA_REST__LISTEN", "127.0.0.1:0")
            .env("ZEA_STANDALONE__POOL_SIZE", POOL_SIZE)
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .expect("zead starts");
        // From here on the guard cleans up.
        let mut server = Self { process, base, address: String::new() };
        server.address = server.wait_for_address();
        server
    }

    fn wait_for_address(&mut self) -> String {
        let end = Instant::now() + START;
        loop {
            let said = std::fs::read_to_string(self.base.path().join("out")).expect("its output");
            // The last line is there only when the one with the address is whole.
            let found = said.lines().find_map(|line| line.strip_prefix("REST API on http://"));
            if let (Some(address), true) = (found, said.ends_with('\n')) {
                return address.to_owned();
            }
            let over = self.process.try_wait().expect("its state");
            assert!(over.is_none() && Instant::now() < end, "zead does not serve: {over:?}\n{}", self.log());
            std::thread::sleep(POLL);
        }
    }

    /// What scripts are told.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("ZEA_ADDRESS", PathBuf::from(&self.address)),
            ("ZEA_NODE", PathBuf::from(NODE)),
            ("ZEA_POOL", self.base.path().join("data/pool")),
            ("ZEA_WORK", self.base.path().join("work")),
        ]
    }

    /// What it wrote to standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.base.path().join("err")).unwrap_or_default()
    }

    fn end_process(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.process.id().try_into().expect("a process id"));
        // It may have ended by itself.
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let end = Instant::now() + END;
        while Instant::now() < end && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(POLL);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end_process();
        let base = self.base.path();
        // Scripts' mounts first, then the devices that they stood on, then the pool's image.
        for point in mounts_below(&base.join("work")) {
            quiet("umount", &[], &point);
        }
        for device in loops_below(base, &base.join("data/pool.xfs")) {
            quiet("losetup", &["-d"], &device);
        }
        for point in mounts_below(base) {
            quiet("umount", &[], &point);
        }
    }
}

/// Mount points below a folder, the innermost first.
fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = table.lines().filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    let mut points: Vec<PathBuf> = points.filter(|point| point.starts_with(folder)).collect();
    points.reverse();
    points
}

/// Loop devices with a backing file below a folder, but for one.
fn loops_below(folder: &Path, but: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let device = |entry: std::fs::DirEntry| {
        let backing = std::fs::read_to_string(entry.path().join("loop/backing_file")).ok()?;
        let backing = Path::new(backing.trim_end());
        (backing.starts_with(folder) && backing != but).then(|| Path::new("/dev").join(entry.file_name()))
    };
    entries.filter_map(device).collect()
}

/// What cannot be cleaned up shows as the temporary folder that stays.
fn quiet(program: &str, options: &[&str], object: &Path) {
    let _ = Command::new(program).args(options).arg(object).stdin(Stdio::null()).status();
}
