//! LVM and LVM_THIN for real: each test boots a user-mode Linux kernel with device mapper and disks, and runs itself in it.
//! Needs root and the packages that the install script brings.

mod faults;
mod life;
mod rig;
mod snapshots;

use std::fmt::Display;
use std::path::PathBuf;
use std::process::Command;

/// Disks of the node; set inside it only.
const DISKS: &str = "ZEA_LVM_DISKS";
/// What a line begins with that tells of a series.
const SERIES: &str = "series ";
/// How long a test may take in its node, on a machine that does other things, too: each LVM command takes it half a second.
const NODE_LIMIT: &str = "1500";

/// Disks, where this is the inside of a node.
fn disks() -> Option<Vec<String>> {
    Some(std::env::var(DISKS).ok()?.split(' ').map(str::to_owned).collect())
}

/// Runs the test of this name in a node; false where this is the node.
fn sent_to_a_node(test: &str) -> bool {
    if disks().is_some() {
        return false;
    }
    if !nix::unistd::geteuid().is_root() {
        crate::rigs::not_run("LVM on a kernel of its own", "needs root");
        return true;
    }
    let work = tempfile::Builder::new().prefix("zea-lvm-").tempdir_in("/var/tmp").expect("a folder");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/storage/lvm/node.sh");
    let binary = std::env::current_exe().expect("this test");
    let name = format!("storage::lvm::{test}");
    let seed = seed().unwrap_or_else(|| fastrand::u64(..));
    let mut node = Command::new("timeout");
    node.args(["-k", "5", NODE_LIMIT]).arg(script).arg(work.path()).arg(binary).arg(&name);
    node.env("ZEA_SEED", seed.to_string());
    let ended = node.status().expect("timeout is there");
    let read = |name: &str| std::fs::read_to_string(work.path().join(name)).unwrap_or_default();
    let output = read("output");
    let good = output.contains("node: ended with 0") && output.contains("1 passed");
    assert!(good, "{name} in its node ({ended}, ZEA_SEED={seed}):\n{output}\nconsole:\n{}", read("console"));
    for (what, figures) in output.lines().filter_map(|line| line.strip_prefix(SERIES)?.split_once(": ")) {
        crate::rigs::series(what, figures);
    }
    true
}

/// Tells the machine outside what a series in the node did.
fn series(what: &str, figures: impl Display) {
    println!("{SERIES}{what}: {figures}");
}

/// What is drawn in a node is drawn from this, where the machine outside says so.
fn seed() -> Option<u64> {
    std::env::var("ZEA_SEED").ok()?.parse().ok()
}

/// Whether the whole of a long series is wanted.
fn is_soak() -> bool {
    std::env::var_os("ZEA_SOAK").is_some_and(|value| value == "1")
}
