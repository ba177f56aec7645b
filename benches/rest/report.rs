//! What the bench prints: the rig, then a line for each figure with its target and the peer's.

use std::process::Command;

/// Whether a figure is good when it is large or small, and the limit.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Told only.
    None,
}

/// Collects figures and prints them as they come.
#[derive(Default)]
pub struct Report {
    missed: Vec<String>,
}

impl Report {
    /// One figure with its unit, its target, and what the peer takes.
    pub fn figure(&mut self, what: &str, (value, unit): (f64, &str), target: Target, peer: &str) {
        let (limit, good) = match target {
            Target::AtLeast(limit) => (format!("at least {limit}"), value >= limit),
            Target::AtMost(limit) => (format!("at most {limit}"), value <= limit),
            Target::None => (String::new(), true),
        };
        let mark = if good { "  " } else { "! " };
        let shown = match value.abs() {
            large if large >= 100.0 => format!("{value:.0}"),
            middle if middle >= 10.0 => format!("{value:.1}"),
            _ => format!("{value:.2}"),
        };
        println!("{mark}{what:<66} {shown:>7} {unit:<9} {limit:<14} {peer}");
        if !good {
            self.missed.push(format!("{what}: {shown} {unit}, wanted {limit}"));
        }
    }

    /// A heading.
    pub fn part(&self, title: &str) {
        println!("\n{title}");
    }

    /// What was missed, once more.
    pub fn end(&self) {
        match self.missed.as_slice() {
            [] => println!("\nevery target is met"),
            missed => println!("\nmissed:\n  {}", missed.join("\n  ")),
        }
    }
}

/// Says on what everything is measured.
pub fn rig() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let memory = read("/proc/meminfo");
    let memory = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    let folder = std::env::temp_dir();
    let disk = Command::new("findmnt").args(["-no", "SOURCE,FSTYPE", "-T"]).arg(&folder).output();
    let disk = disk.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    println!("rig: {cores} cores ({}), {} GiB", model.trim_start_matches([' ', '\t', ':']), memory.unwrap_or(0) >> 20);
    println!("     Linux {}, load {}", read("/proc/sys/kernel/osrelease").trim(), read("/proc/loadavg").trim());
    println!("     data in {} on {}", folder.display(), disk.split_whitespace().collect::<Vec<_>>().join(" "));
    println!("     figures are the best of several runs where a rate or a start is told; ! marks a missed target");
    println!("     the load comes from the same cores; peer: LINSTOR 1.33.3 on a like machine");
}
