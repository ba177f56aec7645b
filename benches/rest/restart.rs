//! A large cluster started anew, with a third of its nodes silent: the first answer, reads, memory, idleness.

use std::time::{Duration, Instant};

use crate::Scale;
use crate::load::{self, Outcome};
use crate::report::{Report, Target};
use crate::writes;
use crate::zead::{Folder, Zead};

/// Nodes that do not answer.
const SILENT: &str = "33";
/// Idleness begins when the work of the start is over: CPU time stands still.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);

const LIST: &str = "/v1/resource-definitions?with_volume_definitions=true";

/// Seconds from the start of the process to the end of its first answered list.
fn first_list(zead: &Zead) -> f64 {
    zead.must("GET", LIST, "");
    zead.age().as_secs_f64()
}

/// Waits until the work that follows a start is done.
pub fn settle(zead: &Zead) {
    let until = Instant::now() + SETTLE_LIMIT;
    let mut before = zead.fine_cpu();
    while Instant::now() < until {
        std::thread::sleep(Duration::from_secs(1));
        let now = zead.fine_cpu();
        if now - before < 0.01 {
            return;
        }
        before = now;
    }
}

/// Share of a core that idleness takes, in percent. The larger of two ways to count: ticks are coarse, and the time of
/// threads that ended meanwhile is in nothing else.
pub fn idle(zead: &Zead, seconds: u64) -> f64 {
    let (fine, ticks, began) = (zead.fine_cpu(), zead.cpu().own, Instant::now());
    std::thread::sleep(Duration::from_secs(seconds));
    let used = (zead.fine_cpu() - fine).max(zead.cpu().own - ticks);
    used / began.elapsed().as_secs_f64() * 100.0
}

fn get(zead: &Zead, at_once: usize, count: usize, path: impl Fn(usize) -> String + Sync) -> Outcome {
    load::run(zead.address, at_once, count, |number| ("GET", path(number), String::new()))
}

pub fn run(scale: &Scale, report: &mut Report) {
    report.part("Start, and then reads while a third of the nodes is silent");
    let empty = Folder::new("empty");
    drop(Zead::start(&empty.0, &["controller"], &[]));
    let starts = (0..scale.runs).map(|_| first_list(&Zead::start(&empty.0, &["controller"], &[])));
    let start = starts.fold(f64::INFINITY, f64::min);
    report.figure("empty: start of the process to the first list", (start, "s"), Target::AtMost(0.1), "4.0 s");
    let data = Folder::new("restart");
    {
        let zead = writes::cluster(&data, "0");
        writes::fill(&zead, scale.present);
    }
    let starts = (0..scale.runs).map(|_| first_list(&writes::cluster(&data, SILENT)));
    let start = starts.fold(f64::INFINITY, f64::min);
    report.figure("many volumes: the same", (start, "s"), Target::AtMost(0.5), "6.0 s");
    let zead = writes::cluster(&data, SILENT);
    first_list(&zead);
    settle(&zead);
    reads(&zead, scale, report);
    memory(&zead, scale, report);
}

fn reads(zead: &Zead, scale: &Scale, report: &mut Report) {
    let lists = get(zead, 1, scale.lists / 10, |_| LIST.to_owned());
    report.figure("whole list with volumes, p50", (lists.percentile(50), "ms"), Target::AtMost(15.0), "89 ms");
    report.figure("    p99", (lists.percentile(99), "ms"), Target::AtMost(40.0), "282 ms");
    let lists = get(zead, 16, scale.lists / 10, |_| LIST.to_owned());
    report.figure("    16 in flight, p50", (lists.percentile(50), "ms"), Target::None, "600 ms");
    let some = |number: usize| number * 7919 % scale.present;
    let one = get(zead, 1, scale.calls, |number| format!("/v1/resource-definitions/pvc-{:05}", some(number)));
    report.figure("one definition, p99", (one.percentile(99), "ms"), Target::AtMost(5.0), "10 ms");
    report.figure("    p50", (one.percentile(50), "ms"), Target::None, "0.9 ms");
    let page = |number: usize| format!("{LIST}&limit=100&offset={}", some(number));
    let pages = get(zead, 1, scale.calls, page);
    report.figure("a page of 100, p99", (pages.percentile(99), "ms"), Target::AtMost(5.0), "81 ms");
    report.figure("    p50", (pages.percentile(50), "ms"), Target::None, "42 ms");
    let view = get(zead, 1, scale.lists / 10, |_| "/v1/view/resources".to_owned());
    report.figure("every resource, p50", (view.percentile(50), "ms"), Target::None, "");
}

fn memory(zead: &Zead, scale: &Scale, report: &mut Report) {
    report.figure("resident", (zead.resident(), "MiB"), Target::AtMost(128.0), "483 MiB");
    get(zead, 4, scale.lists, |_| LIST.to_owned());
    report.figure("    right after a thousand whole lists", (zead.resident(), "MiB"), Target::AtMost(128.0), "1.7 GiB");
    settle(zead);
    report.figure("    when idle again", (zead.resident(), "MiB"), Target::AtMost(128.0), "");
    let share = idle(zead, scale.idle);
    report.figure("idle CPU", (share, "% of a core"), Target::AtMost(0.2), "0.6 %");
}
