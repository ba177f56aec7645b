//! Nodes as machines: what a scenario can do to one from outside. User-mode Linux kernels, and guests of QEMU with ZFS; the same
//! agent (`agent.rs`) is in both.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
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

/// What a user-mode Linux kernel says when it has found what it needs of this machine.
const KERNEL_BEGINS: &str = "Linux version";
/// Longer than a kernel takes to look at this machine.
const PROBE: &str = "20";

/// Why a user-mode Linux kernel cannot run here, in its own words; `None` where it can. That the program is there is the install
/// script's matter.
pub fn no_kernel() -> Option<String> {
    let mut child = Command::new("timeout")
        .args(["--signal=KILL", PROBE, "unshare", "--pid", "--fork", "--kill-child=KILL"])
        .args(["linux.uml", "mem=32M", "con=null", "con0=null,fd:1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("timeout is a part of the system");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let mut last = "it said nothing".to_owned();
    let mut begun = false;
    for line in lines {
        begun = line.starts_with(KERNEL_BEGINS);
        if begun {
            break;
        }
        last = line;
    }
    // The end of its starter ends the kernel.
    let starter = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap_or_default();
    if let Some(starter) = starter.split_whitespace().next().and_then(|text| text.parse().ok()) {
        let _ = kill(Pid::from_raw(starter), Signal::SIGKILL);
    }
    let _ = child.wait();
    (!begun).then(|| format!("a user-mode Linux kernel does not start: {last}"))
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

/// What a node runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// User-mode Linux: up in some seconds, as fast as the machine.
    #[default]
    Uml,
    /// Debian's kernel in a guest under plain emulation, with ZFS and udev.
    Zfs,
}

impl Kind {
    /// The kernel's name of the disk of this number, from 0.
    pub fn disk(self, number: usize) -> String {
        let letter = char::from(b'a' + u8::try_from(number).expect("a few disks"));
        match self {
            Self::Uml => format!("/dev/ubd{letter}"),
            Self::Zfs => format!("/dev/vd{letter}"),
        }
    }

    /// Modules that a node has from its start on: what a command would load has to be there before it.
    pub fn modules(self) -> &'static str {
        match self {
            Self::Uml => {
                "loop dm-mod dm-thin-pool dm-snapshot dm-flakey dm-delay encrypted-keys dm-crypt dm-writecache dm-cache \
                dm-cache-smq bcache xts ecb essiv algif_skcipher algif_hash"
            }
            Self::Zfs => {
                "zfs loop dm-mod dm-flakey dm-delay dm-crypt dm-writecache xts ecb essiv algif_skcipher algif_hash"
            }
        }
    }

    /// How long a node may take from its start to its first command, on a machine that does much else; a guest under
    /// emulation shares its processors with all of it.
    pub fn boot(self) -> Duration {
        match self {
            Self::Uml => Duration::from_secs(60),
            Self::Zfs => Duration::from_secs(240),
        }
    }

    /// Starts a node; it ends with this thread at the latest.
    pub fn start(self, hardware: &Hardware) -> Result<Box<dyn Machine>, String> {
        match self {
            Self::Uml => Ok(Box::new(Uml::boot(hardware)?)),
            Self::Zfs => Ok(Box::new(Guest::boot(hardware)?)),
        }
    }
}

/// Makes what guests with ZFS boot from, once for all; why not, where that cannot be.
pub fn no_zfs() -> Option<String> {
    static MADE: OnceLock<Option<String>> = OnceLock::new();
    MADE.get_or_init(|| {
        let made = Command::new(rig("zfs/build.sh")).stdin(Stdio::null()).output();
        match made {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no word").to_owned()),
            Err(error) => Some(format!("build.sh: {error}")),
        }
    })
    .clone()
}

fn rig(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rigs").join(path)
}

/// Starts one of the rigs' scripts that boot.
fn boot(script: &str, hardware: &Hardware) -> Result<Child, String> {
    Command::new(rig(script))
        .arg(hardware.node)
        .args([hardware.work, hardware.logs])
        .arg(&hardware.tap)
        .args(&hardware.disks)
        .spawn()
        .map_err(|error| format!("{script}: {error}"))
}

/// A guest of QEMU, which is one process.
pub struct Guest(Child);

impl Guest {
    fn boot(hardware: &Hardware) -> Result<Self, String> {
        match no_zfs() {
            None => Ok(Self(boot("zfs/boot.sh", hardware)?)),
            Some(why) => Err(format!("no guest with ZFS: {why}")),
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).expect("a process number"));
        kill(pid, signal).map_err(|error| format!("{signal}: {error}"))
    }
}

impl Machine for Guest {
    fn power_loss(&mut self) -> Result<(), String> {
        self.0.kill().and_then(|()| self.0.wait()).map(drop).map_err(|error| format!("SIGKILL: {error}"))
    }

    fn freeze(&self) -> Result<(), String> {
        self.signal(Signal::SIGSTOP)
    }

    fn thaw(&self) -> Result<(), String> {
        self.signal(Signal::SIGCONT)
    }

    fn ended(&mut self) -> Option<String> {
        let status = self.0.try_wait().ok()??;
        Some(format!("the guest ended ({status}); its console says why"))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.power_loss();
    }
}

/// A user-mode Linux kernel.
pub struct Uml {
    /// The starter of its process space; ends with it.
    starter: Child,
}

impl Uml {
    fn boot(hardware: &Hardware) -> Result<Self, String> {
        let starter = boot("uml/boot.sh", hardware)?;
        Ok(Self { starter })
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
        match self.kernel() {
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
