//! Real clients against a real `zead standalone` with volumes on loop devices: each script here runs with python-linstor as it
//! is published, against a server and a pool of its own; afterwards nothing may be left of what it made.

mod server;

use std::path::Path;
use std::process::Command;

use server::Server;

use crate::rigs;

/// Runs a script, then looks for what it left.
fn script(name: &str) {
    if let Some(reason) = cannot() {
        return rigs::not_run(&format!("python-linstor, {name}"), reason);
    }
    let server = Server::start();
    let ran = run(&server, name);
    let left = run(&server, "nothing_left.py");
    assert!(ran && left, "{name} failed, or left something; the server said:\n{}", server.log());
}

/// Why the scripts cannot run here; `None` where they can.
fn cannot() -> Option<String> {
    let python = rigs::python_linstor();
    let none = || "no python-linstor in .venv: tests/rigs/install.sh test installs it".to_owned();
    rigs::no_loop_devices().or_else(|| (!python.exists()).then(none))
}

fn run(server: &Server, name: &str) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let mut python = Command::new(rigs::python_linstor());
    // No byte code beside the sources.
    python.arg("-B").arg(folder.join(name)).envs(server.environment());
    python.status().expect("python of the rig starts").success()
}

#[test]
fn nodes() {
    script("nodes.py");
}

#[test]
fn pools() {
    script("pools.py");
}

#[test]
fn groups() {
    script("groups.py");
}

#[test]
fn volumes() {
    script("volumes.py");
}

#[test]
fn snapshots() {
    script("snapshots.py");
}

#[test]
fn properties() {
    script("properties.py");
}

#[test]
fn bad_input() {
    script("bad_input.py");
}

#[test]
fn encryption() {
    script("encryption.py");
}
