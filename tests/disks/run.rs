//! Runs a scenario, on a thread and a network of its own, and cuts it off where that is asked for. What failed leaves its logs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::folder::Folder;
use super::script::{Qualifier, Step, qualifiers};
use super::stage::Stage;
use super::verbs;

/// Between these two steps of a template anything may be cut off.
const CUTS_BEGIN: &str = "from here on anything may be cut off";
const CUTS_END: &str = "until here";
/// By when the controller has missed a node whose satellite was killed: a heartbeat of the rig is 2 s, and three may stay out.
const MISSED: Duration = Duration::from_secs(7);

/// A scenario with its parameters put in.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    pub steps: Vec<Step>,
    pub cuts: Option<Cuts>,
}

/// What ends in the middle of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// kill -9 of the satellite.
    Satellite,
    /// SIGKILL of the node's kernel.
    Power,
}

/// Where and when something is cut off, drawn from a seed.
#[derive(Debug, Clone)]
pub struct Cuts {
    pub seed: u64,
    pub node: String,
    /// Always this; either of the two without.
    pub what: Option<Cut>,
    /// One of so many steps is cut off.
    pub one_in: u32,
    /// The latest moment in a step.
    pub latest: Duration,
}

#[derive(Debug)]
pub struct Failed {
    pub step: String,
    pub why: String,
    pub logs: Option<PathBuf>,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Figures {
    pub satellites: u32,
    pub powers: u32,
    pub took: Duration,
}

/// Runs it on a thread of its own, which ends with everything that it started.
pub fn run(scenario: &Scenario) -> Result<Figures, Failed> {
    let scenario = scenario.clone();
    let thread = std::thread::Builder::new().name(scenario.name.clone());
    let run = thread.spawn(move || run_here(&scenario)).expect("a thread");
    run.join().unwrap_or_else(|_| {
        Err(Failed { step: String::new(), why: "a panic in the rig; see above".to_owned(), logs: None })
    })
}

fn run_here(scenario: &Scenario) -> Result<Figures, Failed> {
    let began = Instant::now();
    let before = |why| Failed { step: "the stage".to_owned(), why, logs: None };
    check_all(scenario).map_err(before)?;
    let stage = Arc::new(Stage::new(&scenario.name).map_err(before)?);
    let mut player = Player { stage: Arc::clone(&stage), background: Vec::new(), figures: Figures::default() };
    let played = player.play(scenario);
    player.figures.took = began.elapsed();
    let folder = Arc::clone(&stage.folder);
    if let Err(failed) = &played {
        folder.tell(&format!("FAILED: {}: {}", failed.step, failed.why));
        stage.dump();
    }
    // Threads of the background hold the stage: they end in bounded time.
    let Player { stage: last, background, figures } = player;
    background.into_iter().for_each(|(_, thread)| drop(thread.join()));
    drop((stage, last));
    played.map(|()| figures).map_err(|failed| Failed { logs: Arc::into_inner(folder).map(Folder::keep_logs), ..failed })
}

/// Whether every step reads.
pub fn check_all(scenario: &Scenario) -> Result<(), String> {
    scenario.steps.iter().try_for_each(check)
}

fn check(step: &Step) -> Result<(), String> {
    let (_, verb) = qualifiers(&step.text)?;
    if [CUTS_BEGIN, CUTS_END, "join"].contains(&verb) {
        return Ok(());
    }
    verbs::check(verb).map_err(|why| format!("line {}: {why}", step.line))
}

struct Player {
    stage: Arc<Stage>,
    background: Vec<(Step, JoinHandle<Result<(), String>>)>,
    figures: Figures,
}

impl Player {
    fn play(&mut self, scenario: &Scenario) -> Result<(), Failed> {
        let mut random = fastrand::Rng::with_seed(scenario.cuts.as_ref().map_or(0, |cuts| cuts.seed));
        let mut open = false;
        for step in &scenario.steps {
            open = (open || step.text == CUTS_BEGIN) && step.text != CUTS_END;
            self.stage.folder.tell(&step.text);
            if [CUTS_BEGIN, CUTS_END].contains(&&*step.text) {
                continue;
            }
            let cut = scenario.cuts.as_ref().filter(|cuts| open && random.u32(..cuts.one_in) == 0);
            let done = match cut {
                Some(cuts) => self.cut_off(step, cuts, &mut random),
                None => self.step(step),
            };
            done.map_err(|(step, why)| Failed { step: format!("line {}: {}", step.line, step.text), why, logs: None })?;
        }
        self.join()
    }

    fn step(&mut self, step: &Step) -> Result<(), (Step, String)> {
        if step.text == "join" {
            return self.join().map_err(|failed| (step.clone(), format!("{}: {}", failed.step, failed.why)));
        }
        let at_once = step.text.strip_prefix("in the background: ");
        if let Some(text) = at_once {
            let (stage, text) = (Arc::clone(&self.stage), text.to_owned());
            self.background.push((step.clone(), std::thread::spawn(move || carry_out(&stage, &text))));
            return Ok(());
        }
        carry_out(&self.stage, &step.text).map_err(|why| (step.clone(), why))
    }

    fn join(&mut self) -> Result<(), Failed> {
        for (step, thread) in self.background.drain(..) {
            let done = thread.join().unwrap_or_else(|_| Err("a panic in the rig".to_owned()));
            done.map_err(|why| Failed { step: format!("line {}: {}", step.line, step.text), why, logs: None })?;
        }
        Ok(())
    }

    /// Carries a step out on another thread, cuts it off in its middle, mends what was cut, and asks for the same again if it
    /// was not done. Everything is started by this thread, with which it ends.
    fn cut_off(&mut self, step: &Step, cuts: &Cuts, random: &mut fastrand::Rng) -> Result<(), (Step, String)> {
        // A power loss takes five times as long to come back from.
        let drawn = if random.u8(..3) == 0 { Cut::Power } else { Cut::Satellite };
        let what = cuts.what.unwrap_or(drawn);
        // As often in the first millisecond, or between 100 and 200, as between 500 and 1000: steps are of all lengths.
        let after = cuts.latest.mul_f64(0.001_f64.powf(random.f64()));
        let stage = Arc::clone(&self.stage);
        let (first, mended) = std::thread::scope(|scope| {
            let first = scope.spawn(|| carry_out(&stage, &step.text));
            std::thread::sleep(after);
            stage.folder.tell(&format!("    {what:?} is cut off after {after:?}"));
            let mended = mend(&stage, &cuts.node, what);
            (first.join().unwrap_or_else(|_| Err("a panic in the rig".to_owned())), mended)
        });
        mended.map_err(|why| (step.clone(), why))?;
        match what {
            Cut::Satellite => self.figures.satellites += 1,
            Cut::Power => self.figures.powers += 1,
        }
        let Err(why) = first else { return Ok(()) };
        stage.folder.tell(&format!("    again, for it ended so: {why}"));
        // What was online a moment ago may only be about to be missed.
        std::thread::sleep(MISSED);
        stage.wait_online(&cuts.node, true).map_err(|why| (step.clone(), why))?;
        stage.again.store(true, Ordering::SeqCst);
        let again = carry_out(&stage, &step.text);
        stage.again.store(false, Ordering::SeqCst);
        again.map_err(|why| (step.clone(), why))
    }
}

fn mend(stage: &Stage, node: &str, cut: Cut) -> Result<(), String> {
    match cut {
        Cut::Satellite => stage.kill_satellite(node)?,
        Cut::Power => {
            stage.power_loss(node)?;
            stage.switch_on(node)?;
            stage.come_up(node)?;
        }
    }
    stage.start_satellite(node)?;
    stage.wait_online(node, true)
}

/// Carries out a step with its qualifiers.
fn carry_out(stage: &Stage, text: &str) -> Result<(), String> {
    let (qualifiers, verb) = qualifiers(text)?;
    let began = Instant::now();
    let mut done = verbs::carry_out(stage, verb);
    let took = began.elapsed();
    stage.folder.tell(&format!("    {} ms", took.as_millis()));
    for qualifier in qualifiers {
        done = match (qualifier, done) {
            (Qualifier::Within(limit), Ok(())) if took > limit => Err(format!("it took {took:?}, not {limit:?}")),
            (Qualifier::Refused(_), Ok(())) => Err("it was not refused".to_owned()),
            (Qualifier::Refused(words), Err(why)) => {
                stage.folder.tell(&format!("    refused: {why}"));
                let missing: Vec<&String> = words.iter().filter(|word| !why.contains(*word)).collect();
                if missing.is_empty() { Ok(()) } else { Err(format!("the refusal does not say {missing:?}: {why}")) }
            }
            (_, done) => done,
        };
    }
    done
}
