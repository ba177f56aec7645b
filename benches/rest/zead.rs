//! The process that is measured: started on a folder of its own, ended with it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Answer, Client};

/// What the kernel counts CPU time in.
const TICKS_PER_SECOND: f64 = 100.0;
/// How long a process may take to end after SIGTERM.
const END_LIMIT: Duration = Duration::from_secs(20);

/// A folder that goes with its owner.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new one, on the disk that holds the system's temporary files.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zea-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running `zead`.
pub struct Zead {
    child: Child,
    started: Instant,
    /// Where it serves.
    pub address: SocketAddr,
}

/// CPU time of a process so far, in seconds: its own, and that of children that ended.
#[derive(Clone, Copy)]
pub struct Cpu {
    pub own: f64,
    pub children: f64,
}

impl Zead {
    /// Starts `zead` with arguments and environment; returns when it has printed where it serves.
    pub fn start(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_zead"))
            .args(arguments)
            .env("ZEA_NODE__DATA", data)
            .env("ZEA_REST__LISTEN", "127.0.0.1:0")
            .env("ZEA_LINK__LISTEN", "127.0.0.1:0")
            .env("ZEA_LOG__LEVEL", "error")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("zead was built");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let address = lines.find_map(|line| address_in(&line.expect("its output is text")));
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.expect("zead serves; its reason why not stands above");
        Self { child, started, address }
    }

    /// A connection to it.
    pub fn client(&self) -> Client {
        Client::connect(self.address).expect("zead listens")
    }

    /// One call on a connection of its own, that must succeed.
    pub fn must(&self, method: &str, path: &str, body: &str) -> Answer {
        let answer = self.client().call(method, path, body).expect("zead answers");
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text);
        answer
    }

    /// Time since the process was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// CPU time so far.
    pub fn cpu(&self) -> Cpu {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        Cpu { own: (ticks(11) + ticks(12)) / TICKS_PER_SECOND, children: (ticks(13) + ticks(14)) / TICKS_PER_SECOND }
    }

    /// CPU time of the threads that live, in seconds, to the nanosecond.
    pub fn fine_cpu(&self) -> f64 {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{}/task", self.child.id())) else { return self.cpu().own };
        let of = |path: PathBuf| std::fs::read_to_string(path.join("schedstat")).ok();
        let nanoseconds = |text: String| text.split(' ').next().and_then(|number| number.parse::<f64>().ok());
        tasks.flatten().filter_map(|task| nanoseconds(of(task.path())?)).sum::<f64>() / 1e9
    }

    /// Resident memory in MiB.
    pub fn resident(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default()
    }
}

impl Drop for Zead {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let until = Instant::now() + END_LIMIT;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address at which a line says that something is served.
fn address_in(line: &str) -> Option<SocketAddr> {
    let marks = ["REST API on http://", "awaits its controller on "];
    let rest = marks.iter().find_map(|mark| line.split_once(mark))?.1;
    rest.split([' ', '/']).next()?.parse().ok()
}
