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
    /// The newest desired state.
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
    running: bool,
    failures: usize,
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
            PassEvent::Desired(told) => {
                self.newest = Some(told);
                self.failures = 0;
                // A pause that runs holds no more.
                self.pauses += 1;
                self.pass()
            }
            PassEvent::Done(number, report) => self.done(number, report),
            PassEvent::Retry(number) if number == self.pauses => self.pass(),
            PassEvent::Retry(_) => Vec::new(),
        }
    }

    /// Whether a pass runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running
    }

    fn pass(&mut self) -> Vec<PassEffect> {
        let Some(told) = self.newest.clone().filter(|_| !self.running) else {
            return Vec::new();
        };
        self.running = true;
        vec![PassEffect::Pass(told)]
    }

    fn done(&mut self, number: u64, report: Box<ResourceReport>) -> Vec<PassEffect> {
        self.running = false;
        let newest = self.newest.as_ref().is_some_and(|told| told.number == number);
        let failed = report.problem.is_some() || report.snapshots.iter().any(|snapshot| snapshot.problem.is_some());
        let busy = report.in_use == Some(true);
        let over = report.gone && !failed && report.snapshots.iter().all(|snapshot| !snapshot.present);
        let mut effects = vec![PassEffect::Report(report), PassEffect::Touched];
        if !newest {
            effects.extend(self.pass());
        } else if over {
            effects.push(PassEffect::Finished(number));
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
