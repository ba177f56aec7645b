//! A network of its own for a scenario: a namespace without a name that ends with the threads and processes in it, a bridge,
//! and a tap for each node. Nothing in it is reached from outside, and it reaches nothing.

use std::io::Write;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, unshare};

/// The machine's own end of the bridge: where the nodes find the rig.
pub const OUTSIDE: &str = "10.99.0.254";

/// Puts this thread, and what it starts from now on, into a new network with a bridge.
pub fn enter() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("no network namespace: {error}"))?;
    ip(&["link set lo up", "link add br0 type bridge", &format!("addr add {OUTSIDE}/24 dev br0"), "link set br0 up"])
}

/// The address of the node with this number, counted from 1.
pub fn address(number: usize) -> String {
    format!("10.99.0.{number}")
}

pub fn tap(number: usize) -> String {
    format!("tap{number}")
}

/// A new tap on the bridge, for the node with this number.
pub fn add_tap(number: usize) -> Result<(), String> {
    let tap = tap(number);
    ip(&[&format!("tuntap add dev {tap} mode tap"), &format!("link set {tap} master br0 up")])
}

/// Plugs a node's cable out and in. The tap stays up: a node whose tap was down does not find it again.
pub fn plug(number: usize, plugged: bool) -> Result<(), String> {
    ip(&[&format!("link set {} {}", tap(number), if plugged { "master br0" } else { "nomaster" })])
}

fn ip(lines: &[&str]) -> Result<(), String> {
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("ip: {error}"))?;
    let text = lines.join("\n") + "\n";
    child.stdin.take().expect("it is piped").write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip: {lines:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
