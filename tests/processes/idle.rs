//! What an idle process costs.

use std::time::{Duration, Instant};

use super::harness::{Place, Zead, can_run, free_port};
use super::linked::Pair;

/// What is allowed is 0.2 % of a core; a busy machine makes the same work dearer, so thrice that fails.
const SHARE_AT_MOST: f64 = 0.006;
const WATCHED: Duration = Duration::from_secs(20);

/// Seconds of CPU, and KiB of resident memory.
fn used(pid: u32) -> (f64, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    let kib = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    // USER_HZ is 100 on every Linux that we run on.
    (ticks / 100.0, kib)
}

/// Where nothing is asserted a look is enough.
fn watched() -> Duration {
    if super::soak() { WATCHED } else { Duration::from_secs(2) }
}

fn watch(what: &str, pid: u32) {
    std::thread::sleep(Duration::from_secs(2));
    let (began, before) = (Instant::now(), used(pid));
    std::thread::sleep(watched());
    let after = used(pid);
    let share = (after.0 - before.0) / began.elapsed().as_secs_f64();
    println!("idle {what}: {:.3} % of a core, {} KiB resident", share * 100.0, after.1);
    assert!(!super::soak() || share < SHARE_AT_MOST, "{what}: {share}");
}

#[test]
fn an_idle_standalone_and_an_idle_satellite_cost_next_to_nothing() {
    if !can_run("idle processes") {
        return;
    }
    let place = Place::new();
    let zead = Zead::standalone(&place, free_port());
    zead.client().spawn("web", 4096).ok("a volume");
    watch("standalone", zead.pid());
    zead.client().delete("web").ok("its end");
    drop(zead);
    let pair = Pair::start();
    watch("controller", pair.controller.pid());
    watch("satellite", pair.satellite.as_ref().unwrap().pid());
}
