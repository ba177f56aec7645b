//! `make bench`: starts the daemon as a process of its own and measures it from outside, through its REST API. It
//! knows nothing of the inside. `QUICK=1` in the environment: a short run; `PARTS=writes,restart,satellite,volumes`:
//! only those.

mod client;
mod load;
mod report;
mod restart;
mod satellite;
mod volumes;
mod writes;
mod zead;

use report::Report;

/// How much is done.
pub struct Scale {
    /// Volumes that are present in the large cluster.
    pub present: usize,
    /// Calls of a measured load.
    pub calls: usize,
    /// Whole lists.
    pub lists: usize,
    /// Seconds of idleness.
    pub idle: u64,
    /// Volumes with real devices.
    pub volumes: usize,
    /// Runs of a load, of which the best counts.
    pub runs: usize,
}

const FULL: Scale = Scale { present: 10_000, calls: 1000, lists: 1000, idle: 30, volumes: 1000, runs: 3 };
const QUICK: Scale = Scale { present: 1000, calls: 300, lists: 100, idle: 5, volumes: 60, runs: 2 };

fn main() {
    let quick = std::env::var("QUICK").is_ok_and(|value| !value.is_empty() && value != "0");
    let scale = if quick { QUICK } else { FULL };
    let parts = std::env::var("PARTS").unwrap_or_default();
    let wanted = |part: &str| parts.is_empty() || parts.split(',').any(|one| one == part);
    report::rig();
    let mut report = Report::default();
    if wanted("writes") {
        writes::run(&scale, &mut report);
    }
    if wanted("restart") {
        restart::run(&scale, &mut report);
    }
    if wanted("satellite") {
        satellite::run(&scale, &mut report);
    }
    if wanted("volumes") {
        volumes::run(&scale, &mut report);
    }
    report.end();
}
