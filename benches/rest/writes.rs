//! Writes into a small cluster and into a large one: volumes by spawn, and definitions alone.

use crate::Scale;
use crate::load::{self, Call, Outcome};
use crate::report::{Report, Target};
use crate::zead::{Folder, Zead};

/// Nodes of the simulated cluster.
pub const NODES: &str = "100";
/// Size of a volume in KiB: 1 GiB.
const SIZE_KIB: u32 = 1 << 20;

/// A simulated cluster on `data`.
pub fn cluster(data: &Folder, silent: &str) -> Zead {
    let variables = [("ZEA_STANDALONE__SILENT_NODES", silent)];
    Zead::start(&data.0, &["standalone", "--simulated-nodes", NODES], &variables)
}

/// The call that spawns a volume out of a group.
pub fn spawn(group: &str, name: &str) -> Call {
    let body = format!(r#"{{"resource_definition_name":"{name}","volume_sizes":[{SIZE_KIB}]}}"#);
    ("POST", format!("/v1/resource-groups/{group}/spawn"), body)
}

fn definition(name: &str) -> Call {
    let body = format!(r#"{{"resource_definition":{{"name":"{name}"}}}}"#);
    ("POST", "/v1/resource-definitions".to_owned(), body)
}

/// A group of three replicas, and `count` volumes in it.
pub fn fill(zead: &Zead, count: usize) -> Outcome {
    let group = r#"{"name":"three","select_filter":{"place_count":3,"layer_stack":["DRBD","STORAGE"]}}"#;
    zead.must("POST", "/v1/resource-groups", group);
    zead.must("POST", "/v1/resource-groups/three/volume-groups", "{}");
    load::run(zead.address, 16, count, |number| spawn("three", &format!("pvc-{number:05}")))
}

/// The best of some runs, with CPU time of the server for each call in milliseconds.
fn best(
    zead: &Zead,
    at_once: usize,
    (calls, runs): (usize, usize),
    call: impl Fn(String) -> Call + Sync,
) -> (Outcome, f64) {
    let one = |run: usize| {
        let before = zead.cpu().own;
        let outcome = load::run(zead.address, at_once, calls, |number| call(format!("x{at_once}-{run}-{number}")));
        #[allow(clippy::cast_precision_loss)]
        let cpu = (zead.cpu().own - before) * 1e3 / calls as f64;
        (outcome, cpu)
    };
    let better = |best: (Outcome, f64), next: (Outcome, f64)| if next.0.rate > best.0.rate { next } else { best };
    (0..runs).map(one).reduce(better).expect("there is at least one run")
}

/// Prints rate, latencies and CPU time of a load.
fn tell(report: &mut Report, what: &str, (outcome, cpu): &(Outcome, f64), target: Target, peer: (&str, &str)) {
    report.figure(what, (outcome.rate, "/s"), target, peer.0);
    report.figure("    p50", (outcome.percentile(50), "ms"), Target::None, peer.1);
    report.figure("    p99", (outcome.percentile(99), "ms"), Target::None, "");
    report.figure("    CPU an operation", (*cpu, "ms"), Target::None, "");
}

pub fn run(scale: &Scale, report: &mut Report) {
    report.part("Writes, 100 simulated nodes, durable before the answer (best of several runs)");
    let data = Folder::new("writes");
    let zead = cluster(&data, "0");
    let spawns = |name: String| spawn("local", &name);
    let one = best(&zead, 1, (scale.calls / 5, scale.runs), spawns);
    tell(report, "spawn, 2 replicas, few present, 1 in flight", &one, Target::None, ("1.7", "582 ms"));
    let few = best(&zead, 16, (scale.calls, scale.runs), spawns);
    tell(report, "spawn, 2 replicas, few present, 16 in flight", &few, Target::AtLeast(1000.0), ("", ""));
    let alone = |name: String| definition(&format!("d{name}"));
    let one = best(&zead, 1, (scale.calls, scale.runs), alone);
    tell(report, "definition, few present, 1 in flight", &one, Target::None, ("200", "3.7 ms"));
    let many = best(&zead, 16, (scale.calls * 3, scale.runs), alone);
    tell(report, "definition, few present, 16 in flight", &many, Target::AtLeast(3000.0), ("229", "66 ms"));
    report.figure("    p99 of these", (many.0.percentile(99), "ms"), Target::AtMost(20.0), "146 ms");
    drop(zead);
    let data = Folder::new("writes-large");
    let zead = cluster(&data, "0");
    let filled = fill(&zead, scale.present);
    report.figure("spawn, 3 replicas, while it fills, 16 in flight", (filled.rate, "/s"), Target::None, "");
    let full = best(&zead, 16, (scale.calls, scale.runs), spawns);
    tell(report, "spawn, 2 replicas, many present, 16 in flight", &full, Target::AtLeast(900.0), ("", ""));
    let share = full.0.rate / few.0.rate;
    report.figure("    of the rate with few present", (share, ""), Target::AtLeast(0.9), "");
    let many = best(&zead, 16, (scale.calls * 3, scale.runs), alone);
    tell(report, "definition, many present, 16 in flight", &many, Target::AtLeast(3000.0), ("66", "233 ms"));
    report.figure("    p99 of these", (many.0.percentile(99), "ms"), Target::AtMost(20.0), "638 ms");
}
