//! One run of a script, from a blank cluster to rest, and the shortest script that still fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use zea::model::encryption::Lock;

use super::judge::{PASSPHRASE, Verdict};
use super::reached::Reached;
use super::script::{Script, Who};
use super::world::World;

/// How long the cluster has to come to rest: the longest pause between two passes that fail is an hour.
const CALM: Duration = Duration::from_secs(75 * 60);

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub verdict: Option<Verdict>,
    pub simulated: Duration,
    pub events: u64,
    pub reached: Reached,
    pub story: String,
    pub digest: u64,
}

/// Runs a script; its story is kept if it is told.
pub fn run(script: &Script, told: bool) -> Ran {
    let mut world = World::new(script, told);
    let done = catch_unwind(AssertUnwindSafe(|| through(&mut world, script)));
    if let Err(panic) = done {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        world.judge.fail("nothing panics", text.unwrap_or_default());
    }
    if let Some(verdict) = world.judge.verdict().cloned() {
        world.tell(|| format!("WRONG: {}: {}", verdict.oracle, verdict.text));
    }
    Ran {
        verdict: world.judge.verdict().cloned(),
        simulated: world.queue.now(),
        events: world.events,
        reached: std::mem::take(&mut world.reached),
        story: world.story.text().to_owned(),
        digest: world.story.digest(),
    }
}

fn through(world: &mut World, script: &Script) {
    world.set_weather(script.weather);
    world.start_controller();
    for index in 0..world.nodes.len() {
        world.start_node(index);
    }
    world.schedule(script);
    let end = script.lines.iter().map(|line| line.at).max().unwrap_or_default();
    world.run_until(end + Duration::from_secs(5));
    world.calm_down();
    world.unlock();
    let rest = world.queue.now() + CALM;
    world.run_until(rest);
    if !world.judge.has_failed() {
        world.judge_rest();
    }
    if !world.judge.has_failed() {
        world.ask_for_a_sample();
    }
}

impl World {
    /// In the calm somebody enters the master passphrase: volumes that wait for it would never come to be.
    fn unlock(&mut self) {
        if self.controller.view.lock() == Lock::Locked {
            self.ask_in_calm(&format!("encryption enter {PASSPHRASE}"));
        }
    }

    /// In the calm a volume is made, snapshotted and deleted at once.
    fn ask_for_a_sample(&mut self) {
        let count = self.nodes.len().min(1);
        let lines = [
            format!("spawn DfltRscGrp sample sizes=4096 count={count} layers=STORAGE"),
            "volume modify sample 0 size=8192".to_owned(),
            "snapshot create s1 sample".to_owned(),
            "snapshot delete sample s1".to_owned(),
            "definition delete sample".to_owned(),
        ];
        for line in lines {
            self.ask_in_calm(&line);
            if !self.clients_are_idle() {
                self.judge.fail("a calm cluster answers at once", line);
                return;
            }
        }
        let left = self.controller.view.definitions.keys().any(|name| name.as_str() == "sample");
        if left {
            self.judge.fail("a calm cluster answers at once", "the sample was deleted, and is still there".to_owned());
        }
    }
}

/// The same failure with less: a prefix of the script, then without single lines, as long as `tries` last.
pub fn shrink(script: &Script, oracle: &str, mut tries: u32) -> Script {
    let mut fails = |script: &Script| {
        tries = tries.saturating_sub(1);
        tries > 0 && run(script, false).verdict.is_some_and(|verdict| verdict.oracle == oracle)
    };
    let mut best = script.clone();
    let mut low = 0;
    while low < best.lines.len() {
        let middle = (low + best.lines.len()) / 2;
        let shorter = Script { lines: best.lines[..middle].to_vec(), ..best.clone() };
        if fails(&shorter) {
            best = shorter;
        } else {
            low = middle + 1;
        }
    }
    let mut chunk = best.lines.len() / 2;
    while chunk > 0 {
        let mut at = 0;
        while at < best.lines.len() {
            let mut shorter = best.clone();
            shorter.lines.drain(at..(at + chunk).min(best.lines.len()));
            if fails(&shorter) {
                best = shorter;
            } else {
                at += chunk;
            }
        }
        chunk /= 2;
    }
    best
}

/// A failure for people: what, where, and the script that shows it.
pub fn tell(script: &Script, verdict: &Verdict) -> String {
    let short = shrink(script, verdict.oracle, 400);
    let ran = run(&short, true);
    let said = ran.verdict.unwrap_or_else(|| verdict.clone());
    let requests = short.lines.iter().filter(|line| line.who != Who::World).count();
    let story: Vec<&str> = ran.story.lines().collect();
    let tail = story[story.len().saturating_sub(60)..].join("\n");
    format!(
        "seed {}: {}\n  {}\nthe shortest script that was found ({requests} requests):\n{short}\nthe end of its story:\n{tail}\n",
        script.seed, said.oracle, said.text
    )
}
