//! The stage of a scenario: nodes with their disks, a controller outside, all in a network of their own; and what the scenario
//! remembers. Whatever was started ends with it. Nodes and controller are started by the thread that made the stage alone:
//! they end with it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::json;

use super::agent::{Agents, Output};
use super::folder::Folder;
use super::machine::{Hardware, Kind, Machine};
use super::network;
use super::rest::{ADDRESS, Rest};

/// Longer than anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Size of the disk that each node has for itself: the satellite's data folder.
const OWN_DISK: u64 = 64 << 20;
const ZEAD: &str = env!("CARGO_BIN_EXE_zead");

#[derive(Debug, Clone)]
pub struct Disk {
    pub name: String,
    file: PathBuf,
    /// Whether it is under a mapping, so that it can be made sick.
    pub faulty: bool,
    /// The kernel's name.
    pub raw: String,
}

impl Disk {
    /// What a scenario uses as the disk.
    pub fn path(&self) -> String {
        if self.faulty { format!("/dev/mapper/{}", self.name) } else { self.raw.clone() }
    }
}

#[derive(Default)]
pub struct Node {
    pub number: usize,
    kind: Kind,
    pub disks: Vec<Disk>,
    pub at_boot: Vec<String>,
    machine: Option<Box<dyn Machine>>,
    boots: u32,
}

/// A content that was written: its file, and its checksum.
#[derive(Debug, Clone)]
pub struct Content {
    pub bytes: u64,
    pub sum: String,
}

pub struct Stage {
    pub folder: Arc<Folder>,
    pub rest: Rest,
    agents: Agents,
    agent: String,
    nodes: Mutex<BTreeMap<String, Node>>,
    controller: Mutex<Option<Child>>,
    pub contents: Mutex<BTreeMap<String, Content>>,
    /// Whether a verb is carried out another time, after it was cut off.
    pub again: AtomicBool,
    /// What each node held when it was noted.
    pub ground: Mutex<BTreeMap<String, String>>,
}

impl Stage {
    /// A stage for this thread, which enters the stage's network for good.
    pub fn new(name: &str) -> Result<Self, String> {
        let folder = Arc::new(Folder::new(name)?);
        network::enter()?;
        let agents = Agents::default();
        let agent = agents.listen()?;
        let rest = Rest::new(Arc::clone(&folder));
        let stage = Self {
            folder,
            rest,
            agents,
            agent,
            nodes: Mutex::default(),
            controller: Mutex::default(),
            contents: Mutex::default(),
            again: AtomicBool::new(false),
            ground: Mutex::default(),
        };
        stage.write_fstab()?;
        Ok(stage)
    }

    fn write_fstab(&self) -> Result<(), String> {
        let (work, bin) = (self.folder.work().display(), Path::new(ZEAD).parent().expect("a folder").display());
        // The folders of the machine come before /tmp is covered, where they may lie. LVM's own notes belong to the node.
        let table = format!(
            "proc /proc proc defaults 0 0\nsys /sys sysfs defaults 0 0\nrun /run tmpfs mode=755 0 0\n\
            rig /run/rig hostfs {work},ro,X-mount.mkdir 0 0\n{bin} /run/bin none bind,X-mount.mkdir 0 0\n\
            /usr/lib/uml/modules /lib/modules none bind 0 0\ntmp /tmp tmpfs defaults 0 0\nmnt /mnt tmpfs defaults 0 0\n\
            /dev/ubda /mnt/own ext4 X-mount.mkdir 0 0\nlock /run/lock tmpfs X-mount.mkdir 0 0\n\
            lvm /run/lvm tmpfs X-mount.mkdir 0 0\nbackup /etc/lvm/backup tmpfs nofail 0 0\n\
            archive /etc/lvm/archive tmpfs nofail 0 0\n"
        );
        self.write("fstab", &table)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.folder.work().join(name), text).map_err(|error| format!("{name}: {error}"))
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<String, Node>> {
        self.nodes.lock().unwrap()
    }

    pub fn node_names(&self) -> Vec<String> {
        self.nodes().keys().cloned().collect()
    }

    /// Looks at or changes what is known of a node.
    pub fn with_node<T>(&self, name: &str, act: impl FnOnce(&mut Node) -> T) -> Result<T, String> {
        let mut nodes = self.nodes();
        nodes.get_mut(name).map(act).ok_or_else(|| format!("there is no node {name}"))
    }

    /// A new node, switched off, with a disk of its own.
    pub fn add_node(&self, name: &str, kind: Kind) -> Result<(), String> {
        let mut nodes = self.nodes();
        let number = nodes.len() + 1;
        network::add_tap(number)?;
        let own = self.sparse(&format!("{name}.own"), OWN_DISK)?;
        must(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&own))?;
        let own = Disk { name: "own".to_owned(), file: own, faulty: false, raw: kind.disk(0) };
        nodes.insert(name.to_owned(), Node { number, kind, disks: vec![own], ..Node::default() });
        Ok(())
    }

    fn sparse(&self, name: &str, bytes: u64) -> Result<PathBuf, String> {
        let path = self.folder.work().join(name);
        let made = File::create_new(&path).and_then(|file| file.set_len(bytes));
        made.map(|()| path).map_err(|error| format!("disk {name}: {error}"))
    }

    /// A new disk of a node that is switched off.
    pub fn add_disk(&self, node: &str, name: &str, (bytes, faulty): (u64, bool)) -> Result<(), String> {
        let file = self.sparse(&format!("{node}.{name}"), bytes)?;
        self.with_node(node, |node| {
            let raw = node.kind.disk(node.disks.len());
            node.disks.push(Disk { name: name.to_owned(), file, faulty, raw });
        })
    }

    pub fn disk(&self, node: &str, name: &str) -> Result<Disk, String> {
        let found = self.with_node(node, |node| node.disks.iter().find(|disk| disk.name == name).cloned())?;
        found.ok_or_else(|| format!("{node} has no disk {name}"))
    }

    /// Switches a node on, without waiting for it.
    pub fn switch_on(&self, name: &str) -> Result<(), String> {
        let mut nodes = self.nodes();
        let node = nodes.get_mut(name).ok_or_else(|| format!("there is no node {name}"))?;
        if node.machine.is_some() {
            return Err(format!("{name} runs already"));
        }
        node.boots += 1;
        let (boot, agent) = (node.boots, &self.agent);
        let address = network::address(node.number);
        self.write(
            &format!("node.{name}"),
            &format!(
                "boot={boot} address={address}/24 agent={agent}\nmodules='{}'\nexport ADDRESS={address}\n",
                node.kind.modules()
            ),
        )?;
        self.agents.expect(name, boot);
        let hardware = Hardware {
            node: name,
            work: self.folder.work(),
            logs: self.folder.logs(),
            tap: network::tap(node.number),
            disks: node.disks.iter().map(|disk| disk.file.clone()).collect(),
        };
        node.machine = Some(node.kind.start(&hardware)?);
        Ok(())
    }

    /// Waits until a node that was switched on takes commands, and lets it do what it does at every boot.
    pub fn come_up(&self, name: &str) -> Result<(), String> {
        let ended = || {
            let mut nodes = self.nodes();
            nodes.get_mut(name)?.machine.as_mut()?.ended()
        };
        self.agents.ready(name, self.with_node(name, |node| node.kind.boot())?, ended)?;
        let commands = self.with_node(name, |node| {
            let faulty = node.disks.iter().filter(|disk| disk.faulty);
            let map = |disk: &Disk| {
                let (name, raw) = (&disk.name, &disk.raw);
                format!(
                    "DM_DISABLE_UDEV=1 dmsetup create {name} --table \"0 $(blockdev --getsz {raw}) linear {raw} 0\""
                )
            };
            faulty.map(map).chain(node.at_boot.iter().cloned()).collect::<Vec<_>>()
        })?;
        if commands.is_empty() {
            return Ok(());
        }
        self.on(name, &commands.join(" && ")).map(drop)
    }

    /// SIGKILL of the node's whole kernel.
    pub fn power_loss(&self, name: &str) -> Result<(), String> {
        let machine = self.with_node(name, |node| node.machine.take())?;
        let mut machine = machine.ok_or_else(|| format!("{name} does not run"))?;
        machine.power_loss()?;
        self.agents.expect(name, 0);
        Ok(())
    }

    /// Lets a node stand still, or go on.
    pub fn freeze(&self, name: &str, still: bool) -> Result<(), String> {
        let act = |machine: &dyn Machine| if still { machine.freeze() } else { machine.thaw() };
        self.with_node(name, |node| node.machine.as_deref().map(act))?.ok_or_else(|| format!("{name} does not run"))?
    }

    pub fn run(&self, node: &str, command: &str, within: Duration) -> Result<Output, String> {
        let began = Instant::now();
        let output = self.agents.run(node, command, within);
        let took = began.elapsed().as_millis();
        let said = match &output {
            Ok(output) => format!("{took} ms: {} {}", output.code, output.text),
            Err(why) => format!("{took} ms: {why}"),
        };
        self.folder.note(&format!("commands.{node}.txt"), &format!("{command}\n         {said}"));
        output
    }

    /// Runs what must succeed; gives what it said.
    pub fn on(&self, node: &str, command: &str) -> Result<String, String> {
        self.run(node, command, PATIENCE)?.ok(command).map_err(|why| format!("on {node}: {why}"))
    }

    /// Starts the controller.
    pub fn start_controller(&self) -> Result<(), String> {
        let (logs, data) = (self.folder.logs(), self.folder.logs().join("controller"));
        let identity = self.folder.work().join("identity");
        if !identity.exists() {
            let mut names = vec!["controller".to_owned()];
            names.extend(self.node_names());
            must(Command::new(ZEAD).arg("identity").args(names).arg("--folder").arg(&identity))?;
        }
        let log = File::options().create(true).append(true).open(logs.join("controller.log"));
        let log = log.map_err(|error| format!("controller.log: {error}"))?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", ZEAD, "controller"])
            .env("ZEA_NODE__DATA", data)
            .env("ZEA_NODE__NAME", "controller")
            .env("ZEA_LINK__CERTIFICATE", identity.join("controller.crt"))
            .env("ZEA_LINK__KEY", identity.join("controller.key"))
            .env("ZEA_LINK__CA", identity.join("ca.crt"))
            .env("ZEA_LINK__HEARTBEAT", HEARTBEAT)
            .env("ZEA_REST__LISTEN", ADDRESS)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(|error| error.to_string())?)
            .stderr(log)
            .spawn()
            .map_err(|error| format!("zead controller: {error}"))?;
        *self.controller.lock().unwrap() = Some(child);
        wait_for("the controller's API", || self.rest.get("/v1/controller/version").map(|_| true))
    }

    /// kill -9 of the controller.
    pub fn kill_controller(&self) -> Result<(), String> {
        let child = self.controller.lock().unwrap().take();
        let mut child = child.ok_or("the controller does not run")?;
        child.kill().and_then(|()| child.wait()).map(drop).map_err(|error| error.to_string())
    }

    /// Starts a node's satellite, as a process of that node.
    pub fn start_satellite(&self, node: &str) -> Result<(), String> {
        let identity = "/run/rig/identity";
        self.on(
            node,
            &format!(
                "ZEA_NODE__DATA=/mnt/own/zea ZEA_NODE__NAME={node} ZEA_LINK__LISTEN=$ADDRESS:3367 \
                ZEA_LINK__CERTIFICATE={identity}/{node}.crt ZEA_LINK__KEY={identity}/{node}.key ZEA_LINK__CA={identity}/ca.crt \
                ZEA_LINK__HEARTBEAT={HEARTBEAT} ZEA_SATELLITE__POOL_SCAN={POOL_SCAN} setsid /run/bin/zead satellite </dev/null >/dev/tty1 2>&1 & \
                echo $! >/run/satellite.pid"
            ),
        )
        .map(drop)
    }

    /// kill -9 of a node's satellite.
    pub fn kill_satellite(&self, node: &str) -> Result<(), String> {
        self.on(node, "!read -r pid </run/satellite.pid && kill -9 $pid")?;
        self.on(node, "read -r pid </run/satellite.pid; while [ -e /proc/$pid ]; do sleep 0.02; done").map(drop)
    }

    /// Makes a node known to the controller.
    pub fn register(&self, node: &str) -> Result<(), String> {
        let address = network::address(self.with_node(node, |node| node.number)?);
        let body = json!({"name": node, "type": "satellite", "net_interfaces": [{"name": "default",
            "address": address, "satellite_port": 3367, "satellite_encryption_type": "SSL"}]});
        self.rest.post("/v1/nodes", &body).map(drop)
    }

    pub fn wait_online(&self, node: &str, online: bool) -> Result<(), String> {
        wait_for(&format!("{node} {}", if online { "online" } else { "offline" }), || {
            let nodes = self.rest.get("/v1/nodes")?;
            let found = nodes.as_array().into_iter().flatten().find(|found| found["name"] == *node);
            let status = found.map(|found| found["connection_status"].clone()).unwrap_or_default();
            Ok((status == "ONLINE") == online)
        })
    }

    /// Gives the logs what can be asked of nodes that still answer.
    pub fn dump(&self) {
        const LOOK: &str = "dmesg | tail -n 100; cat /proc/mounts; lsblk; dmsetup table; dmsetup status; dmsetup info -c; \
            losetup -l; lvs -a; zpool status; zfs list -t all; ps -ef; df";
        self.rest.dump();
        for node in self.node_names() {
            let state = self.agents.run(&node, LOOK, Duration::from_secs(10));
            let text = state.map_or_else(|why| why, |output| output.text);
            self.folder.note(&format!("state.{node}.txt"), &text);
        }
    }
}

const HEARTBEAT: &str = "2s";
/// How often pools are measured, so that what a scenario takes of them behind the satellite's back is soon known.
const POOL_SCAN: &str = "1s";

impl Drop for Stage {
    fn drop(&mut self) {
        // The machines end themselves as they go.
        let _ = self.kill_controller();
    }
}

/// Asks again until it is so; what it says instead, an error too, is told when patience ends.
pub fn wait_for(what: &str, mut check: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = check();
        if found == Ok(true) {
            return Ok(());
        }
        if Instant::now() > until {
            let why = found.err().map(|why| format!(": {why}")).unwrap_or_default();
            return Err(format!("waited in vain for {what}{why}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs a program of this machine that has to succeed.
pub fn must(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
