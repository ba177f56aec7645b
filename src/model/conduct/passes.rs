//! One resource on its node: passes one after another, always with the newest desired state, again while they fail.

use std::time::Duration;

use super::Birth;
use super::registry::Told;
use crate::model::report::ResourceReport;

/// Pauses before further passes while passes fail, in seconds; the last one stays. As LINSTOR's.
const RETRY_AFTER_S: [u64; 8] = [15, 30, 60, 120, 300, 600, 1800, 3600];
/// Pause while a device is in use: looking again costs one open, and who unmounts it does not expect to wait.
const BUSY_RETRY_S: u64 = 15;

/// What happens to the passes of a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum PassEvent {
    /// First event of all.
    Begun(Birth),
    /// The newest desired state; the same one again, where something else has changed.
    Desired(Told),
    /// The pass of the desired state of this number has ended.
    Done(u64, Box<ResourceReport>),
    /// The pause of this number is over.
    Retry(u64),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum PassEffect {
    /// Carry a pass out, and tell when it is done.
    Pass(Told),
    /// Report what came of a pass.
    Report(Box<ResourceReport>),
    /// Something in a pool may have changed.
    Touched,
    /// Tell the registry that nothing is left, as the desired state of this number wants.
    Finished(u64),
    /// Ask the registry for the desired state.
    Resend,
    /// Hand the event back after this time.
    After(Duration, PassEvent),
}

/// The passes of one resource.
#[derive(Debug, Default)]
pub struct Passes {
    newest: Option<Told>,
    /// Number of the desired state whose pass runs.
    running: Option<u64>,
    failures: usize,
    /// The last pass refused an order: there is no other one before the node is told anew.
    refused: bool,
    /// Another one is due after the one that runs.
    again: bool,
    /// Pauses so far: the number of the one that holds.
    pauses: u64,
}

impl Passes {
    /// Takes one event.
    #[must_use]
    pub fn handle(&mut self, event: PassEvent) -> Vec<PassEffect> {
        match event {
            PassEvent::Begun(Birth::First) => Vec::new(),
            // The registry outlives the passes.
            PassEvent::Begun(Birth::Again) => vec![PassEffect::Resend],
            PassEvent::Desired(told) if self.newest.as_ref().is_some_and(|newest| newest.number == told.number) => {
                self.once_more()
            }
            PassEvent::Desired(told) => {
                self.newest = Some(told);
                self.failures = 0;
                self.refused = false;
                // A pause that runs holds no more.
                self.pauses += 1;
                self.pass()
            }
            PassEvent::Done(number, report) if self.running == Some(number) => self.done(number, report),
            // Of passes that were here before.
            PassEvent::Done(..) => Vec::new(),
            PassEvent::Retry(number) if number == self.pauses => self.pass(),
            PassEvent::Retry(_) => Vec::new(),
        }
    }

    /// Whether a pass runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    fn once_more(&mut self) -> Vec<PassEffect> {
        if self.refused {
            return Vec::new();
        }
        self.again = self.running.is_some();
        // A pause that runs holds no more.
        self.pauses += 1;
        self.pass()
    }

    fn pass(&mut self) -> Vec<PassEffect> {
        let Some(told) = self.newest.clone().filter(|_| self.running.is_none()) else {
            return Vec::new();
        };
        self.running = Some(told.number);
        vec![PassEffect::Pass(told)]
    }

    fn done(&mut self, number: u64, report: Box<ResourceReport>) -> Vec<PassEffect> {
        self.running = None;
        // Told anew, it is another order.
        self.refused = !report.refused.is_empty();
        let newest = self.newest.as_ref().is_some_and(|told| told.number == number);
        let failed = report.problem.is_some() || report.snapshots.iter().any(|snapshot| snapshot.problem.is_some());
        let busy = report.in_use == Some(true);
        let over = report.gone && !failed && report.snapshots.iter().all(|snapshot| !snapshot.present);
        let mut effects = vec![PassEffect::Report(report), PassEffect::Touched];
        let again = std::mem::take(&mut self.again) && !self.refused;
        if !newest || again {
            effects.extend(self.pass());
        } else if over {
            effects.push(PassEffect::Finished(number));
        } else if self.refused {
            // The controller takes it back and says so. Until then it is not done, whatever happens.
        } else if failed {
            effects.push(self.pause(busy));
        } else {
            self.failures = 0;
        }
        effects
    }

    fn pause(&mut self, busy: bool) -> PassEffect {
        let seconds = if busy { BUSY_RETRY_S } else { RETRY_AFTER_S[self.failures.min(RETRY_AFTER_S.len() - 1)] };
        self.failures += 1;
        self.pauses += 1;
        PassEffect::After(Duration::from_secs(seconds), PassEvent::Retry(self.pauses))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::conduct::tests::{desired, report};

    fn told(number: u64) -> Told {
        Told { desired: Arc::new(desired("web", number)), number }
    }

    /// What happened to a pass: `ok`, `failed`, `busy` or `gone`.
    fn done(number: u64, how: &str) -> PassEvent {
        let mut report = report("web", number);
        if how == "failed" || how == "busy" {
            report.problem = Some(crate::model::conduct::tests::problem());
        }
        report.in_use = (how == "busy").then_some(true);
        report.gone = how == "gone";
        PassEvent::Done(number, Box::new(report))
    }

    fn words(effects: Vec<PassEffect>) -> String {
        let word = |effect| match effect {
            PassEffect::Pass(told) => format!("pass {}", told.number),
            PassEffect::Report(report) => format!("report {}", report.generation),
            PassEffect::Touched => "touched".to_owned(),
            PassEffect::Finished(number) => format!("finished {number}"),
            PassEffect::Resend => "resend".to_owned(),
            PassEffect::After(pause, PassEvent::Retry(number)) => format!("retry {number} after {pause:?}"),
            PassEffect::After(..) => "another timer".to_owned(),
        };
        effects.into_iter().map(word).collect::<Vec<_>>().join(", ")
    }

    fn play(script: Vec<(PassEvent, &str)>) {
        let mut passes = Passes::default();
        for (at, (event, expected)) in script.into_iter().enumerate() {
            let shown = format!("{at}: {event:?}");
            assert_eq!(words(passes.handle(event)), expected, "{shown}");
        }
    }

    #[test]
    fn one_pass_at_a_time_and_the_newest_next() {
        play(vec![
            (PassEvent::Begun(Birth::First), ""),
            (PassEvent::Desired(told(1)), "pass 1"),
            (PassEvent::Desired(told(2)), ""),
            (PassEvent::Desired(told(3)), ""),
            (done(1, "failed"), "report 1, touched, pass 3"),
            (done(3, "ok"), "report 3, touched"),
            (PassEvent::Desired(told(4)), "pass 4"),
            (done(4, "gone"), "report 4, touched, finished 4"),
        ]);
    }

    #[test]
    fn failures_are_tried_again_ever_more_rarely() {
        let mut passes = Passes::default();
        assert_eq!(words(passes.handle(PassEvent::Desired(told(1)))), "pass 1");
        for seconds in RETRY_AFTER_S.iter().chain([&3600]) {
            let mut effects = passes.handle(done(1, "failed"));
            let Some(PassEffect::After(pause, retry)) = effects.pop() else { panic!("no pause: {effects:?}") };
            assert_eq!(pause, Duration::from_secs(*seconds));
            assert_eq!(words(passes.handle(retry)), "pass 1");
        }
    }

    #[test]
    fn success_or_news_make_retries_frequent_again_and_end_a_pause() {
        play(vec![
            (PassEvent::Desired(told(1)), "pass 1"),
            (done(1, "failed"), "report 1, touched, retry 2 after 15s"),
            (PassEvent::Retry(2), "pass 1"),
            (done(1, "failed"), "report 1, touched, retry 3 after 30s"),
            (PassEvent::Desired(told(2)), "pass 2"),
            (PassEvent::Retry(3), ""),
            (done(2, "failed"), "report 2, touched, retry 5 after 15s"),
            (PassEvent::Retry(3), ""),
            (PassEvent::Retry(5), "pass 2"),
            (done(2, "ok"), "report 2, touched"),
            (PassEvent::Retry(5), "pass 2"),
            (done(2, "busy"), "report 2, touched, retry 6 after 15s"),
            (PassEvent::Retry(6), "pass 2"),
            (done(2, "busy"), "report 2, touched, retry 7 after 15s"),
        ]);
    }

    #[test]
    fn what_was_refused_is_not_tried_again_before_it_is_told_anew() {
        let mut passes = Passes::default();
        let mut refusing = report("web", 1);
        (refusing.problem, refusing.in_use) = (Some(crate::model::conduct::tests::problem()), Some(true));
        refusing.refused = vec![crate::model::report::Refused::Rollback(crate::model::moment::Uuid(7))];
        let refused = || PassEvent::Done(1, Box::new(refusing.clone()));
        let _ = passes.handle(PassEvent::Desired(told(1)));
        assert_eq!(words(passes.handle(refused())), "report 1, touched");
        assert_eq!(words(passes.handle(PassEvent::Desired(told(1)))), "", "a device that is lost is no reason");
        assert_eq!(words(passes.handle(PassEvent::Desired(told(2)))), "pass 2");
        let _ = passes.handle(PassEvent::Desired(told(3)));
        assert_eq!(words(passes.handle(done(2, "failed"))), "report 2, touched, pass 3");
        assert_eq!(words(passes.handle(done(3, "failed"))), "report 3, touched, retry 4 after 15s");
    }

    #[test]
    fn what_is_not_over_is_not_finished() {
        let mut passes = Passes::default();
        let _ = passes.handle(PassEvent::Desired(told(1)));
        let mut kept = report("web", 1);
        kept.gone = true;
        kept.snapshots = vec![crate::model::conduct::tests::snapshot(true, None)];
        assert_eq!(words(passes.handle(PassEvent::Done(1, Box::new(kept.clone())))), "report 1, touched");
        kept.snapshots = vec![crate::model::conduct::tests::snapshot(false, Some("no"))];
        let _ = passes.handle(PassEvent::Desired(told(2)));
        let words = words(passes.handle(PassEvent::Done(2, Box::new(kept))));
        assert!(words.ends_with("after 15s"), "a snapshot's problem counts: {words}");
    }

    #[test]
    fn who_begins_again_asks_and_believes_no_earlier_pass() {
        play(vec![
            (PassEvent::Begun(Birth::Again), "resend"),
            (done(1, "ok"), ""),
            (PassEvent::Desired(told(2)), "pass 2"),
            (done(1, "ok"), ""),
            (PassEvent::Desired(told(2)), ""),
            (done(2, "ok"), "report 2, touched, pass 2"),
            (done(2, "ok"), "report 2, touched"),
        ]);
    }

    #[test]
    fn the_same_once_more_is_one_more_pass() {
        play(vec![
            (PassEvent::Desired(told(1)), "pass 1"),
            (done(1, "failed"), "report 1, touched, retry 2 after 15s"),
            (PassEvent::Desired(told(1)), "pass 1"),
            (PassEvent::Retry(2), ""),
            (done(1, "failed"), "report 1, touched, retry 4 after 30s"),
            (PassEvent::Retry(4), "pass 1"),
            (PassEvent::Desired(told(1)), ""),
            (done(1, "ok"), "report 1, touched, pass 1"),
            (done(1, "ok"), "report 1, touched"),
        ]);
    }
}
