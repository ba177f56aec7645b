//! What a scenario leaves on this machine while it runs: a folder of logs, kept and named when the scenario fails, and a folder
//! of disks and other working files, which always goes.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// Where the disks lie if the machine has it: in memory, where writing through costs nothing.
const MEMORY: &str = "/dev/shm";

pub struct Folder {
    logs: tempfile::TempDir,
    work: tempfile::TempDir,
    story: Mutex<File>,
    began: Instant,
}

impl Folder {
    pub fn new(name: &str) -> Result<Self, String> {
        let word: String = name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
        let fail = |error: std::io::Error| format!("no folder: {error}");
        let logs = tempfile::Builder::new().prefix(&format!("zea-disks-{word}-")).tempdir().map_err(fail)?;
        let mut work = tempfile::Builder::new();
        let work = work.prefix("zea-disks-");
        let memory = Path::new(MEMORY);
        let work = if memory.is_dir() { work.tempdir_in(memory) } else { work.tempdir() }.map_err(fail)?;
        let story = Mutex::new(File::create(logs.path().join("story.txt")).map_err(fail)?);
        Ok(Self { logs, work, story, began: Instant::now() })
    }

    /// What the nodes see as `/run/rig`; disks, identities, data to be written.
    pub fn work(&self) -> &Path {
        self.work.path()
    }

    pub fn logs(&self) -> &Path {
        self.logs.path()
    }

    /// Adds a line to the story.
    pub fn tell(&self, line: &str) {
        let line = format!("{:8.3} {line}\n", self.began.elapsed().as_secs_f64());
        let _ = self.story.lock().unwrap().write_all(line.as_bytes());
        if std::env::var_os("ZEA_DISKS_TELL").is_some() {
            eprint!("{line}");
        }
    }

    /// Adds to another file of the logs.
    pub fn note(&self, file: &str, text: &str) {
        let opened = File::options().create(true).append(true).open(self.logs.path().join(file));
        let line = format!("{:8.3} {text}\n", self.began.elapsed().as_secs_f64());
        let _ = opened.and_then(|mut file| file.write_all(line.as_bytes()));
    }

    /// The logs stay; says where.
    pub fn keep_logs(self) -> PathBuf {
        self.logs.keep()
    }
}
