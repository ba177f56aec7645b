//! Nodes as machines: what a scenario can do to one from outside. User-mode Linux kernels for now; a machine of another kind
//! is another implementation of [`Machine`], with the same agent (`agent.rs`) inside.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a killed machine may take to be gone.
const GONE: Duration = Duration::from_secs(20);

/// A machine that runs.
pub trait Machine: Send {
    /// Power loss: whatever was not on its disks is lost.
    fn power_loss(&mut self) -> Result<(), String>;
    /// It stands still, its connections stay open.
    fn freeze(&self) -> Result<(), String>;
    fn thaw(&self) -> Result<(), String>;
    /// Why it runs no more.
    fn ended(&mut self) -> Option<String>;
}

/// What a machine is made of.
pub struct Hardware<'a> {
    pub node: &'a str,
    /// What it sees as `/run/rig`.
    pub work: &'a Path,
    pub logs: &'a Path,
    pub tap: String,
    /// Sparse files, its disks in this order.
    pub disks: Vec<PathBuf>,
}

/// A user-mode Linux kernel.
pub struct Uml {
    /// The starter of its process space; ends with it.
    starter: Child,
    kernel: Option<Pid>,
}

impl Uml {
    /// Starts a kernel; it ends with this thread at the latest.
    pub fn boot(hardware: &Hardware) -> Result<Self, String> {
        let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rigs/uml/boot.sh");
        let starter = Command::new(rig)
            .arg(hardware.node)
            .args([hardware.work, hardware.logs])
            .arg(&hardware.tap)
            .args(&hardware.disks)
            .spawn()
            .map_err(|error| format!("boot.sh: {error}"))?;
        Ok(Self { starter, kernel: None })
    }

    /// The kernel itself: the starter's only child.
    fn kernel(&self) -> Option<Pid> {
        let starter = self.starter.id();
        let children = std::fs::read_to_string(format!("/proc/{starter}/task/{starter}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok().map(Pid::from_raw)
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let kernel = self.kernel().ok_or("the kernel is not there")?;
        kill(kernel, signal).map_err(|error| format!("{signal}: {error}"))
    }
}

impl Machine for Uml {
    fn power_loss(&mut self) -> Result<(), String> {
        self.kernel = self.kernel();
        match self.kernel {
            Some(kernel) => kill(kernel, Signal::SIGKILL).map_err(|error| format!("SIGKILL: {error}"))?,
            None => self.starter.kill().map_err(|error| format!("SIGKILL: {error}"))?,
        }
        // The starter ends when the first process of its space has, and that one is gone after all others of it.
        let until = Instant::now() + GONE;
        while self.starter.try_wait().map_err(|error| error.to_string())?.is_none() {
            if Instant::now() > until {
                return Err("a killed kernel is still there".to_owned());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn freeze(&self) -> Result<(), String> {
        self.signal(Signal::SIGSTOP)
    }

    fn thaw(&self) -> Result<(), String> {
        self.signal(Signal::SIGCONT)
    }

    fn ended(&mut self) -> Option<String> {
        let status = self.starter.try_wait().ok()??;
        Some(format!("the kernel ended ({status}); its console says why"))
    }
}

impl Drop for Uml {
    fn drop(&mut self) {
        let _ = self.power_loss();
    }
}
