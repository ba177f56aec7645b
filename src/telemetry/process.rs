//! The usual `process_*` metrics, read from `/proc` at each scrape. What cannot be read is left out, never reported as 0.

use std::fs;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Gauge, Opts};

/// Linux counts a process's CPU time for user space in hundredths of a second on every architecture (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What `/proc` tells of this process; `None` where it could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Figures {
    cpu_seconds: Option<f64>,
    /// Seconds since 1970.
    start_seconds: Option<f64>,
    resident_bytes: Option<f64>,
    virtual_bytes: Option<f64>,
    threads: Option<f64>,
    open_fds: Option<f64>,
    max_fds: Option<f64>,
}

/// Measures at each scrape and keeps nothing in between.
pub(super) struct ProcessCollector {
    rows: Vec<Row>,
}

/// One metric: its description, and where its value stands among the figures.
struct Row {
    opts: Opts,
    desc: Desc,
    kind: Kind,
    value: fn(&Figures) -> Option<f64>,
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

impl ProcessCollector {
    pub(super) fn new() -> Self {
        use Kind::{Counter, Gauge};
        let rows = vec![
            row("process_cpu_seconds_total", "CPU time spent in user and system mode, in seconds.", Counter, |f| {
                f.cpu_seconds
            }),
            row("process_start_time_seconds", "Start of the process, in seconds since 1970.", Gauge, |f| {
                f.start_seconds
            }),
            row("process_resident_memory_bytes", "Memory in RAM, in bytes.", Gauge, |f| f.resident_bytes),
            row("process_virtual_memory_bytes", "Address space, in bytes.", Gauge, |f| f.virtual_bytes),
            row("process_threads", "Threads.", Gauge, |f| f.threads),
            row("process_open_fds", "Open file descriptors.", Gauge, |f| f.open_fds),
            row("process_max_fds", "File descriptors that may be open at most.", Gauge, |f| f.max_fds),
        ];
        Self { rows }
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.rows.iter().map(|row| &row.desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let figures = measure();
        self.rows.iter().filter_map(|row| family(row, (row.value)(&figures)?)).collect()
    }
}

fn row(name: &str, help: &str, kind: Kind, value: fn(&Figures) -> Option<f64>) -> Row {
    let opts = Opts::new(name, help);
    let desc = Desc::new(name.to_owned(), help.to_owned(), Vec::new(), std::collections::HashMap::new());
    Row { opts, desc: desc.expect("the names above are well-formed"), kind, value }
}

/// The row as a metric with this value.
fn family(row: &Row, value: f64) -> Option<MetricFamily> {
    match row.kind {
        Kind::Counter => {
            let counter = Counter::with_opts(row.opts.clone()).ok()?;
            counter.inc_by(value);
            counter.collect().pop()
        }
        Kind::Gauge => {
            let gauge = Gauge::with_opts(row.opts.clone()).ok()?;
            gauge.set(value);
            gauge.collect().pop()
        }
    }
}

fn measure() -> Figures {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    let stat = read("/proc/self/stat");
    // The listing itself holds one descriptor open, which is not counted.
    let open_fds = fs::read_dir("/proc/self/fd").ok().map(|folder| folder.count().saturating_sub(1) as f64);
    Figures {
        cpu_seconds: cpu_seconds(&stat),
        start_seconds: boot_seconds(&read("/proc/stat"))
            .zip(started_after_boot(&stat))
            .map(|(boot, after)| boot + after),
        resident_bytes: kibibytes(&status, "VmRSS:"),
        virtual_bytes: kibibytes(&status, "VmSize:"),
        threads: field(&status, "Threads:").and_then(|text| text.parse().ok()),
        open_fds,
        max_fds: field(&read("/proc/self/limits"), "Max open files").and_then(|text| text.parse().ok()),
    }
}

/// The first word after `name` on the line that begins with it.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()
}

fn kibibytes(status: &str, name: &str) -> Option<f64> {
    Some(field(status, name)?.parse::<f64>().ok()? * 1024.0)
}

/// Field `number` of proc(5)'s stat, counted from 1; the second is the program's name, which may hold spaces and parentheses.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    let (user, system) = (stat_field(stat, 14)?, stat_field(stat, 15)?);
    Some((user + system) / TICKS_PER_SECOND)
}

fn started_after_boot(stat: &str) -> Option<f64> {
    Some(stat_field(stat, 22)? / TICKS_PER_SECOND)
}

fn boot_seconds(proc_stat: &str) -> Option<f64> {
    field(proc_stat, "btime ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written after proc(5): a program called "a) b" with 250 and 50 ticks, started 12 345 ticks after the boot.
    const STAT: &str = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 5 0 12345 1000000 200 1844674407 1 1";

    #[test]
    fn stat_is_read_past_an_odd_program_name() {
        assert_eq!(cpu_seconds(STAT), Some(3.0));
        assert_eq!(started_after_boot(STAT), Some(123.45));
    }

    #[test]
    fn status_limits_and_boot_are_read_by_name() {
        let status = "Name:\tzead\nVmSize:\t  2048 kB\nVmRSS:\t   512 kB\nThreads:\t5\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(524_288.0));
        assert_eq!(kibibytes(status, "VmSize:"), Some(2_097_152.0));
        assert_eq!(
            field("Max open files            1024                 4096                 files", "Max open files"),
            Some("1024")
        );
        assert_eq!(boot_seconds("cpu 1 2 3\nbtime 1700000000\n"), Some(1_700_000_000.0));
    }

    #[test]
    fn what_is_not_there_is_none() {
        assert_eq!(cpu_seconds(""), None);
        assert_eq!(cpu_seconds("7 (a) S 1"), None);
        assert_eq!(kibibytes("VmRSS:\tmany kB\n", "VmRSS:"), None);
        assert_eq!(boot_seconds("cpu 1\n"), None);
    }

    #[test]
    fn a_figure_that_is_missing_is_left_out() {
        let collector = ProcessCollector::new();
        let threads = collector.rows.iter().find(|row| row.desc.fq_name == "process_threads").unwrap();
        assert_eq!((threads.value)(&Figures::default()), None);
        let family = family(threads, 5.0).unwrap();
        assert_eq!(family.get_metric()[0].get_gauge().get_value(), 5.0);
    }

    #[test]
    fn cpu_time_grows_and_the_start_lies_in_the_past() {
        let before = measure();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!(before.start_seconds.unwrap() <= now + 1.0);
        assert!(measure().cpu_seconds >= before.cpu_seconds);
        assert!(before.open_fds.unwrap() <= before.max_fds.unwrap());
    }
}
