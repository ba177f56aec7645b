//! LVM and LVM_THIN for real: each test boots a user-mode Linux kernel with device mapper and disks, and runs itself in it.
//! Needs root and the packages that the install script brings.

mod faults;
mod life;
mod rig;
mod snapshots;

use std::path::PathBuf;
use std::process::Command;

/// Disks of the node; set inside it only.
const DISKS: &str = "ZEA_LVM_DISKS";
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
    let mut node = Command::new("timeout");
    node.args(["-k", "5", NODE_LIMIT]).arg(script).arg(work.path()).arg(binary).arg(&name);
    let ended = node.status().expect("timeout is there");
    let read = |name: &str| std::fs::read_to_string(work.path().join(name)).unwrap_or_default();
    let output = read("output");
    let good = output.contains("node: ended with 0") && output.contains("1 passed");
    assert!(good, "{name} in its node ({ended}):\n{output}\nconsole:\n{}", read("console"));
    true
}
