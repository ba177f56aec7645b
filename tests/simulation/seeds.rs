//! Runs over many seeds, over the scenarios that are kept, and over planted defects.
//!
//! `ZEA_SIM_SEEDS` and `ZEA_SIM_FROM` say how many and from where; 200 from 0 where nothing is said.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::excused::EXCUSED;
use super::plants::PLANTS;
use super::reached::Reached;
use super::run::{Ran, run, tell};
use super::script::Script;
use super::workload::draw;

/// Seeds of a usual run.
const SEEDS: u64 = 200;
/// Seeds in which a planted defect has to be found.
const PLANT_SEEDS: u64 = 1000;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[derive(Default)]
struct Sum {
    reached: Reached,
    simulated: Duration,
    events: u64,
    failed: Vec<Script>,
}

/// Runs scripts on two threads, each in one.
fn all(seeds: std::ops::Range<u64>, script_of: impl Fn(u64) -> Script + Sync) -> Sum {
    let next = AtomicU64::new(seeds.start);
    let stop = AtomicBool::new(false);
    let sum = Mutex::new(Sum::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let script = script_of(seed);
                    take(&sum, &stop, script);
                }
            });
        }
    });
    sum.into_inner().expect("no thread panics with it")
}

fn take(sum: &Mutex<Sum>, stop: &AtomicBool, script: Script) {
    let ran: Ran = run(&script, false);
    let mut sum = sum.lock().expect("no thread panics with it");
    sum.reached.add(&ran.reached);
    sum.simulated += ran.simulated;
    sum.events += ran.events;
    if ran.verdict.is_some() {
        sum.failed.push(script);
        stop.store(sum.failed.len() >= number("ZEA_SIM_FAILURES", 1) as usize, Ordering::Relaxed);
    }
}

#[test]
fn seeds_keep_all_oracles() {
    let (count, from) = (number("ZEA_SIM_SEEDS", SEEDS), number("ZEA_SIM_FROM", 0));
    let began = Instant::now();
    let sum = all(from..from + count, draw);
    let took = began.elapsed().as_secs_f64();
    let hours = sum.simulated.as_secs_f64() / 3600.0;
    println!(
        "{count} seeds from {from}: {:.1} s, {:.2} seeds/s, {:.1} simulated hours/s, {} events",
        took,
        count as f64 / took,
        hours / took,
        sum.events
    );
    if std::env::var("ZEA_SIM_TABLE").is_ok() {
        println!("{}", sum.reached.table());
    }
    if std::env::var("ZEA_SIM_BRIEF").is_ok() {
        brief(&sum.failed);
        return;
    }
    let told: Vec<String> = sum
        .failed
        .iter()
        .map(|script| tell(script, &run(script, false).verdict.expect("it failed a moment ago")))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    if count >= SEEDS {
        // Scenarios reach what seeds reach seldom.
        let mut reached = sum.reached.clone();
        scenarios().iter().for_each(|(_, script)| reached.add(&run(script, false).reached));
        let missing = reached.missing(EXCUSED);
        assert!(missing.is_empty(), "never reached:\n  {}", missing.join("\n  "));
        let idle = sum.reached.idle_excuses(EXCUSED);
        assert!(idle.is_empty(), "excused, and reached all the same:\n  {}", idle.join("\n  "));
    }
}

/// One line for each seed that failed: to see what there is before looking at one.
fn brief(failed: &[Script]) {
    for script in failed {
        let verdict = run(script, false).verdict.expect("it failed a moment ago");
        println!("seed {}: {}: {}", script.seed, verdict.oracle, verdict.text);
    }
}

#[test]
fn the_same_seed_gives_the_same_story() {
    for seed in [3, 4, 5] {
        let script = draw(seed);
        let (one, two) = (run(&script, true), run(&script, true));
        assert!(one.story.len() > 1000, "there is something to tell");
        assert_eq!(one.story, two.story);
        assert_eq!(one.digest, two.digest);
    }
}

#[test]
fn a_script_reads_back_as_it_is_printed() {
    for seed in 0..20 {
        let script = draw(seed);
        assert_eq!(Script::parse(&script.to_string()), Ok(script));
    }
}

/// The scripts that are kept, by path.
fn scenarios() -> Vec<(PathBuf, Script)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = std::fs::read_dir(folder).expect("it is part of the source");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("listed").path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let script = Script::parse(&std::fs::read_to_string(&path).expect("text")).expect("a script");
        (path, script)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn scenarios_hold() {
    for (path, script) in scenarios() {
        let ran = run(&script, true);
        if let Some(verdict) = ran.verdict {
            panic!("{}: {}: {}\n{}", path.display(), verdict.oracle, verdict.text, ran.story);
        }
    }
}

/// A story to read: `ZEA_SIM_FROM=17 ... tells_the_story -- --ignored --nocapture`.
#[test]
#[ignore = "prints the story of one seed"]
fn tells_the_story() {
    let path = std::env::var("ZEA_SIM_SCRIPT").ok();
    let script = match path {
        Some(path) => Script::parse(&std::fs::read_to_string(path).expect("a file")).expect("a script"),
        None => draw(number("ZEA_SIM_FROM", 0)),
    };
    let ran = run(&script, true);
    println!("{script}\n{}", ran.story);
    if let Some(verdict) = ran.verdict.filter(|_| std::env::var("ZEA_SIM_SHRINK").is_ok()) {
        println!("{}", tell(&script, &verdict));
    }
}

/// Where each planted defect is found first: the proof starts there.
const FOUND_AT: [(&str, u64); 10] = [
    ("early-answer", 0),
    ("wipe-adopted", 11),
    ("forgotten-resume", 2),
    ("lost-wake-up", 0),
    ("off-by-one", 0),
    ("stale-report", 581),
    ("second-deletion", 0),
    ("evacuation-twice", 77),
    ("forbidden-node", 0),
    ("half-record", 103),
];

#[test]
fn planted_defects_are_found() {
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || FOUND_AT.iter().skip(half).step_by(2).for_each(|(name, from)| find(name, *from)));
        }
    });
}

fn find(name: &str, from: u64) {
    assert!(PLANTS.iter().any(|(known, _)| *known == name), "{name}");
    let found = (from..PLANT_SEEDS).find_map(|seed| {
        let script = Script { plant: Some(name.to_owned()), ..draw(seed) };
        let verdict = run(&script, false).verdict?;
        // It is the defect that was found, if the same seed is sound without it.
        run(&draw(seed), false).verdict.is_none().then_some((seed, verdict))
    });
    let (seed, verdict) = found.unwrap_or_else(|| panic!("{name} was not found"));
    println!("{name}: seed {seed}, {}: {}", verdict.oracle, verdict.text);
}
