//! Disks for real: satellites on kernels of their own (user-mode Linux nodes on a bridge in a network of the test's own), a
//! controller outside, scenarios as text. `scenarios/*.txt` are run as they are; `templates/*.txt` once for each row of
//! `stacks.txt`. Nothing here listens outside the scenario's network, and all of it goes with its test.
//!
//! `ZEA_DISKS=word` runs those with that word in their name; `ZEA_DISKS_TELL=1` tells each step as it is done.

mod agent;
mod folder;
mod machine;
mod network;
mod rest;
mod run;
mod script;
mod stage;
mod verbs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, OnceLock};
use std::time::Duration;

use run::{Cut, Cuts, Scenario};

/// So many scenarios at a time, of all tests: each has one or two kernels, and they are as fast as one processor.
const AT_ONCE: usize = 2;
/// So many stacks are cut off in `make test`, drawn from its seed; each takes a minute or two. `make soak` takes all of them.
const CUT_STACKS: usize = 2;
/// Lives of each stack in `make soak`, every step of them cut off: in half of them the satellite, in half the node.
const CUT_ROUNDS: u64 = 20;
/// Of the steps of a life, one in so many is cut off in `make test`.
const CUT_ONE_IN: u32 = 2;
/// The latest moment in a step at which something is cut off: most steps take less.
const CUT_LATEST: Duration = Duration::from_millis(1500);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disks")
}

/// Texts in a folder, by name.
fn texts(name: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder().join(name)).unwrap().flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    paths.sort();
    let stem = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (stem(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn stacks() -> Vec<BTreeMap<String, String>> {
    script::stacks(&std::fs::read_to_string(folder().join("stacks.txt")).unwrap()).unwrap()
}

fn scenario(name: String, text: &str, parameters: &BTreeMap<String, String>) -> Scenario {
    let steps = script::steps(text, parameters).unwrap_or_else(|why| panic!("{name}: {why}"));
    Scenario { name, steps, cuts: None }
}

/// Every template on every stack.
fn on_stacks() -> Vec<Scenario> {
    let (templates, stacks) = (texts("templates"), stacks());
    let pairs = templates.iter().flat_map(|template| stacks.iter().map(move |stack| (template, stack)));
    pairs.map(|((name, text), stack)| scenario(format!("{name} on {}", stack["name"]), text, stack)).collect()
}

/// Why no node can be booted here; `None` where it can.
fn no_uml() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("needs root, for networks and kernels of its own".to_owned());
    }
    if !cfg!(target_arch = "x86_64") {
        return Some("user-mode Linux is there for x86-64 alone".to_owned());
    }
    let tun = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun");
    if let Err(error) = tun {
        return Some(format!("needs taps: /dev/net/tun: {error}"));
    }
    let network = std::thread::spawn(network::enter).join().expect("no panic");
    network.err().map(|why| format!("needs a network of its own: {why}")).or_else(machine::no_kernel)
}

fn chosen(scenarios: Vec<Scenario>) -> Vec<Scenario> {
    let Ok(word) = std::env::var("ZEA_DISKS") else { return scenarios };
    scenarios.into_iter().filter(|scenario| scenario.name.contains(&word)).collect()
}

/// Whether one of its nodes needs a guest.
fn has_zfs(scenario: &Scenario) -> bool {
    scenario.steps.iter().any(|step| step.text.starts_with("node ") && step.text.ends_with(" with ZFS"))
}

/// Those of `make test`: a guest with ZFS is emulated, and a life in it takes minutes, which `make soak` has.
fn of_this_run(scenarios: Vec<Scenario>) -> Vec<Scenario> {
    if is_soak() || std::env::var_os("ZEA_DISKS").is_some() {
        return scenarios;
    }
    let (guests, others): (Vec<Scenario>, Vec<Scenario>) = scenarios.into_iter().partition(has_zfs);
    if !guests.is_empty() {
        let names: Vec<String> = guests.into_iter().map(|scenario| scenario.name).collect();
        let told =
            format!("{}: emulated guests take minutes each; `make soak` or ZEA_DISKS=ZFS runs them", names.join(", "));
        crate::rigs::not_run("disks of nodes with ZFS", told);
    }
    others
}

fn is_soak() -> bool {
    std::env::var_os("ZEA_SOAK").is_some_and(|value| value == "1")
}

/// Those that can run here: where there are no guests with ZFS it is said, and the others run.
fn without_missing_guests(scenarios: Vec<Scenario>) -> Vec<Scenario> {
    let (with_zfs, mut others): (Vec<Scenario>, Vec<Scenario>) = scenarios.into_iter().partition(has_zfs);
    if with_zfs.is_empty() {
        return others;
    }
    match machine::no_zfs() {
        Some(reason) => crate::rigs::not_run("disks of nodes with ZFS", reason),
        None => others.extend(with_zfs),
    }
    others
}

/// Places for scenarios, taken and given back.
static PLACES: (Mutex<usize>, Condvar) = (Mutex::new(AT_ONCE), Condvar::new());

/// Runs one as soon as there is a place for it.
fn run_in_turn(scenario: &Scenario) -> Result<run::Figures, run::Failed> {
    let mut free = PLACES.0.lock().unwrap();
    while *free == 0 {
        free = PLACES.1.wait(free).unwrap();
    }
    *free -= 1;
    drop(free);
    let outcome = run::run(scenario);
    *PLACES.0.lock().unwrap() += 1;
    PLACES.1.notify_one();
    outcome
}

/// Whether nodes can be booted here; else says what could not run.
fn can_run(what: &str) -> bool {
    static REASON: OnceLock<Option<String>> = OnceLock::new();
    match REASON.get_or_init(no_uml) {
        None => true,
        Some(reason) => {
            crate::rigs::not_run(what, reason);
            false
        }
    }
}

/// Runs them, some at a time; tells of each, and fails if one did. Gives the sum of what was cut off.
fn run_all(scenarios: Vec<Scenario>) -> (u32, u32) {
    let scenarios = without_missing_guests(scenarios);
    let (queue, told) = (Mutex::new(scenarios.into_iter()), Mutex::new((Vec::new(), (0, 0))));
    let next = || queue.lock().unwrap().next();
    let work = || {
        while let Some(scenario) = next() {
            let outcome = run_in_turn(&scenario);
            let mut told = told.lock().unwrap();
            match outcome {
                Ok(figures) => {
                    told.1.0 += figures.satellites;
                    told.1.1 += figures.powers;
                    println!("ok      {} ({:.1} s)", scenario.name, figures.took.as_secs_f64());
                }
                Err(failed) => told.0.push(tell(&scenario, &failed)),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let (failures, figures) = told.into_inner().unwrap();
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    figures
}

fn tell(scenario: &Scenario, failed: &run::Failed) -> String {
    let logs = failed.logs.as_ref().map(|logs| format!("\n  logs: {}", logs.display())).unwrap_or_default();
    let seed = scenario.cuts.as_ref().map(|cuts| format!(" (ZEA_SEED={})", cuts.seed)).unwrap_or_default();
    let text = format!("FAILED  {}{seed}: {}\n  {}{logs}", scenario.name, failed.step, failed.why);
    println!("{text}");
    text
}

#[test]
fn scenarios_on_kernels_of_their_own() {
    if can_run("scenarios of disks") {
        let none = BTreeMap::new();
        let all = texts("scenarios").into_iter().map(|(name, text)| scenario(name, &text, &none));
        run_all(of_this_run(chosen(all.collect())));
    }
}

#[test]
fn every_stack_of_layers_lives_its_life() {
    if can_run("every stack of pool kinds and layers") {
        run_all(of_this_run(chosen(on_stacks())));
    }
}

#[test]
fn what_is_cut_off_in_the_middle_of_anything_is_done_in_the_end() {
    if !can_run("stacks of disks, cut off") {
        return;
    }
    let soak = is_soak();
    let seed = std::env::var("ZEA_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    let (rounds, one_in, run) = if soak { (CUT_ROUNDS, 1, "soak") } else { (1, CUT_ONE_IN, "short") };
    let cuts = |round: u64| {
        let what = soak.then_some(if round.is_multiple_of(2) { Cut::Satellite } else { Cut::Power });
        Cuts { seed: seed.wrapping_add(round), node: "n1".to_owned(), what, one_in, latest: CUT_LATEST }
    };
    let mut scenarios = Vec::new();
    for round in 0..rounds {
        scenarios
            .extend(chosen(on_stacks()).into_iter().map(|scenario| Scenario { cuts: Some(cuts(round)), ..scenario }));
    }
    scenarios = of_this_run(scenarios);
    if !soak {
        fastrand::Rng::with_seed(seed).shuffle(&mut scenarios);
        scenarios.truncate(CUT_STACKS);
    }
    let lives = scenarios.len();
    let (satellites, powers) = run_all(scenarios);
    let figures = format!(
        "{lives} lives, {satellites} satellites killed, {powers} power losses ({run} run; `make soak`: {CUT_ROUNDS} lives of \
        each stack, every step cut off); seed {seed} (ZEA_SEED={seed} repeats it)"
    );
    crate::rigs::series("disks cut off in the middle of a step", figures);
}

#[test]
fn every_text_reads() {
    let none = BTreeMap::new();
    let plain = texts("scenarios").into_iter().map(|(name, text)| scenario(name, &text, &none));
    let all: Vec<Scenario> = plain.chain(on_stacks()).collect();
    assert!(all.len() > 3, "the texts were not found");
    for scenario in all {
        run::check_all(&scenario).unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
    }
}
