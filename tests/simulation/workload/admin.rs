//! What admins do: a cluster is founded, nodes and pools come and go, groups and properties change.

use std::time::Duration;

use super::Draft;
use super::guess::Guess;
use crate::simulation::judge::PASSPHRASE;
use crate::simulation::random::Random;
use crate::simulation::script::Who;

/// The line that makes node number `number` as it is.
pub fn node_line(number: usize) -> String {
    let zone = ["a", "b", "c"][number % 3];
    format!("node create n{number} ip=10.0.0.{number} port=3366 Aux/zone={zone}")
}

pub fn pool_line(node: &str, pool: &str) -> String {
    let kind = if pool == "fat" { "FILE" } else { "FILE_THIN" };
    format!("pool create {node} {pool} {kind} StorDriver/StorPoolName=/pool/{pool}")
}

/// Every node with its pools, one after another, and sometimes groups.
pub fn found(draft: &mut Draft, random: &mut Random) {
    let step = Duration::from_millis(random.between(20, 400));
    let mut at = Duration::from_millis(100);
    let nodes = draft.guess.nodes.clone();
    for (index, node) in nodes.iter().enumerate() {
        draft.add(at, Who::Client(1), node_line(index + 1));
        at += step;
        for pool in ["data", "fat"].iter().take(if random.permille(400) { 2 } else { 1 }) {
            draft.add(at, Who::Client(1), pool_line(node, pool));
            at += step;
        }
    }
    for _ in 0..random.between(0, 4) {
        let line = super::volumes::simple_spawn(&mut draft.guess, random);
        at += step;
        draft.add(at, Who::Client(1), line);
    }
    if random.permille(300) {
        let name = draft.guess.any_group(random);
        draft.add(at, Who::Client(1), format!("group create {name} count={} layers=STORAGE", random.between(1, 3)));
        draft.add(at + step, Who::Client(1), format!("groupvol create {name}"));
    }
    at += Duration::from_secs(1);
    draft.add(at, Who::Client(1), "controller modify Aux/founded=yes".to_owned());
}

/// A line with a command.
pub fn request(guess: &mut Guess, random: &mut Random) -> String {
    match random.weighted(&[20, 12, 8, 16, 12, 8, 8, 6]) {
        0 => leaving(guess, random),
        1 => group(guess, random),
        2 => group_volume(guess, random),
        3 => node(guess, random),
        4 => pool(guess, random),
        5 => pool_definition(random),
        6 => interface(guess, random),
        _ => controller(random),
    }
}

/// Nodes that go, for good or for a while.
fn leaving(guess: &mut Guess, random: &mut Random) -> String {
    let node = guess.node(random);
    match random.below(12) {
        0..3 => {
            if random.permille(400) {
                guess.later.push_back(format!("node evacuate {node}"));
            }
            format!("node evacuate {node}")
        }
        3 => format!("node evacuate {node} to={}", guess.node(random)),
        4 => format!("node evacuate {node} not={}", guess.node(random)),
        5..8 => format!("node restore {node}"),
        8 => format!("node restore {node} resources snapshots"),
        9 => format!("node evict {node}"),
        10 => format!("node lost {node}"),
        _ => format!("node delete {node}"),
    }
}

fn node(guess: &mut Guess, random: &mut Random) -> String {
    let node = guess.node(random);
    match random.below(8) {
        0..3 => node_line(node[1..].parse().unwrap_or(1)),
        3 => format!("node modify {node} Aux/zone={}", random.pick(&["a", "b", "c"])),
        4 => format!("node modify {node} -Aux/zone"),
        5 => {
            let other = guess.node(random);
            guess.later.push_back(format!("connect {node} {other} -Aux/path"));
            format!("connect {node} {other} Aux/path={}", random.below(2))
        }
        6 => format!("connect {node} {} -Aux/path", guess.node(random)),
        _ => match random.below(5) {
            0 => "node create bare".to_owned(),
            1 => "node create aux kind=AUXILIARY ip=10.0.9.9".to_owned(),
            2 => "node delete aux".to_owned(),
            3 => "node create spdk kind=REMOTE_SPDK ip=10.0.9.8".to_owned(),
            _ => format!("node modify {node} kind={}", random.pick(&["COMBINED", "SATELLITE", "AUXILIARY"])),
        },
    }
}

fn pool(guess: &mut Guess, random: &mut Random) -> String {
    let node = guess.node(random);
    match random.below(14) {
        0..4 => pool_line(&node, "data"),
        4..6 => pool_line(&node, "fat"),
        6 => format!("pool delete {node} fat"),
        7 => format!("pool delete {node} {}", random.pick(&["data", "DfltDisklessStorPool", "none"])),
        8 => format!("pool modify {node} data Aux/rack={}", random.below(3)),
        9 => format!("pool modify {node} none Aux/rack=1"),
        10 => format!("pool create {node} vgs LVM StorDriver/StorPoolName=vg shared=space"),
        11 => format!(
            "pool create {node} odd FILE {}",
            random.pick(&["", "StorDriver/StorPoolName=odd", "StorDriver/StorPoolName=/pool/data"])
        ),
        12 => format!("pool create {node} odd FILE_THIN StorDriver/StorPoolName=/pool/odd shared=space"),
        _ => format!("pool delete {node} odd"),
    }
}

fn pool_definition(random: &mut Random) -> String {
    let name = *random.pick(&["data", "spare", "spare", "DfltStorPool"]);
    match random.below(4) {
        0 => format!("pooldef create {name}"),
        1 => format!("pooldef modify {name} Aux/kind={}", random.below(3)),
        _ => format!("pooldef delete {name}"),
    }
}

fn interface(guess: &mut Guess, random: &mut Random) -> String {
    let node = guess.node(random);
    let number = node[1..].to_owned();
    match random.below(8) {
        0 => format!("interface create {node} second ip=10.0.1.{number} port=3366"),
        1 => format!("interface create {node} third ip=10.0.1.{number}"),
        2 => format!("interface delete {node} {}", random.pick(&["second", "default", "third"])),
        3 => format!("interface modify {node} second ip=10.0.0.{number} active"),
        4 => format!("interface modify {node} {} active", random.pick(&["default", "third", "none"])),
        5 => format!("interface modify {node} default ip=10.0.0.{number} port=3366 active"),
        6 => format!("interface create {node} bad ip=0.0.0.0"),
        _ => format!("interface create {node} bad ip=10.0.2.{number} port=0"),
    }
}

fn group(guess: &mut Guess, random: &mut Random) -> String {
    let name = guess.any_group(random);
    let count = random.below(4);
    match random.below(12) {
        0..3 => format!("group create {name} count={} layers=STORAGE", count.max(1)),
        3 => format!("group create {name} count={count} different=Aux/zone"),
        4 => format!("group create {name} slots={}", random.below(60)),
        5..7 => format!("group modify {name} count={count}"),
        7 => format!("group modify {name} not-with-regex={}", random.pick(&["(", "^pvc"])),
        8 => format!(
            "group modify {name} {}",
            random.pick(&[
                "different==",
                "x-different=Aux/zone:0",
                "layers=STORAGE,DRBD",
                "pools=gone",
                "Aux/what=1",
                "No/Such=1"
            ])
        ),
        _ => {
            guess.groups.retain(|known| *known != name);
            format!("group delete {name}")
        }
    }
}

fn group_volume(guess: &mut Guess, random: &mut Random) -> String {
    let name = guess.group(random);
    match random.below(5) {
        0..2 => format!("groupvol create {name}"),
        2 => format!("groupvol create {name} number={}", random.below(3)),
        3 => format!("groupvol modify {name} {} {} Aux/x=1", random.below(3), random.pick(&["gross", "net"])),
        _ => format!("groupvol delete {name} {}", random.below(3)),
    }
}

fn controller(random: &mut Random) -> String {
    match random.below(11) {
        5 => format!("encryption create {PASSPHRASE}"),
        6..8 => format!("encryption provide {PASSPHRASE}"),
        8 => format!("encryption enter {}", random.pick(&[PASSPHRASE, PASSPHRASE, "wrong"])),
        9 => format!("encryption modify {} {PASSPHRASE}", random.pick(&[PASSPHRASE, "wrong"])),
        10 => "controller modify encrypted/masterkey=x".to_owned(),
        0 => format!("controller modify Aux/a={}", random.below(5)),
        1 => "controller modify -Aux/a".to_owned(),
        2 => format!("kvs modify csi Aux/v={}", random.below(5)),
        3 => "kvs modify csi -Aux/v".to_owned(),
        _ => "kvs delete csi".to_owned(),
    }
}
