//! Brings reports to the controller: one batch in flight, the newest of each object wins, nothing is given up.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Birth;
use crate::model::names::{NodeName, PoolName, RscName};
use crate::model::report::Report;

/// How long a batch may take; a controller that commits takes milliseconds.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Pause after a batch that did not arrive.
const PAUSE: Duration = Duration::from_secs(1);
/// Reports in one batch, so that a frame of the link holds it.
const BATCH: usize = 500;

/// What happens to an outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "an event is taken apart where it was made, and never kept")]
pub enum OutboxEvent {
    /// First event of all.
    Begun(Birth),
    /// The node's name, from the controller. Nothing is sent before it is known.
    Node(NodeName),
    /// A part of the satellite was started anew: everything shall be told again.
    Resync,
    /// Something to report.
    Report(Report),
    /// What came of the batch of this round.
    Sent(u64, Delivery),
    /// The pause after this round is over.
    Again(u64),
}

/// Whether a batch arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The controller said so.
    Taken,
    /// It did not, or too late: the batch may have arrived all the same.
    Lost,
}

/// What an outbox wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxEffect {
    /// Send a batch, and tell what came of it, within [`ANSWER_WITHIN`].
    Send(Batch),
    /// Hand the event back after this time.
    After(Duration, OutboxEvent),
}

/// What goes out in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Number of the batch.
    pub round: u64,
    /// The node that reports.
    pub node: NodeName,
    /// Oldest first.
    pub reports: Vec<Report>,
    /// Ask for everything.
    pub resync: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Object {
    Resource(RscName),
    Pool(PoolName),
}

/// Where the one batch stands.
#[derive(Debug)]
enum Line {
    Free,
    /// On its way, with what it holds, should it be lost.
    Busy {
        round: u64,
        reports: Vec<Report>,
        resync: bool,
    },
    /// Lost not long ago.
    Pausing(u64),
}

/// What waits to be reported.
#[derive(Debug)]
pub struct Outbox {
    node: Option<NodeName>,
    line: Line,
    rounds: u64,
    resync: bool,
    next: u64,
    /// Reports by age.
    waiting: BTreeMap<u64, Report>,
    /// Where an object's report waits.
    place: BTreeMap<Object, u64>,
}

impl Outbox {
    /// Empty, of a node that may be known from an earlier incarnation.
    #[must_use]
    pub fn new(node: Option<NodeName>) -> Self {
        Self {
            node,
            line: Line::Free,
            rounds: 0,
            resync: false,
            next: 0,
            waiting: BTreeMap::new(),
            place: BTreeMap::new(),
        }
    }

    /// Takes one event.
    #[must_use]
    pub fn handle(&mut self, event: OutboxEvent) -> Vec<OutboxEffect> {
        match event {
            OutboxEvent::Begun(Birth::First) => {}
            // Reports that waited are lost: who is told everything tells everything.
            OutboxEvent::Begun(Birth::Again) | OutboxEvent::Resync => self.resync = true,
            OutboxEvent::Node(node) => self.node = Some(node),
            OutboxEvent::Report(report) => self.put(report),
            OutboxEvent::Sent(round, delivery) => return self.sent(round, delivery),
            OutboxEvent::Again(round) => {
                if matches!(self.line, Line::Pausing(paused) if paused == round) {
                    self.line = Line::Free;
                }
            }
        }
        self.send()
    }

    /// Whether everything was reported.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.line, Line::Free) && self.waiting.is_empty() && !self.resync
    }

    fn put(&mut self, report: Report) {
        if let Some(older) = self.place.insert(object(&report), self.next) {
            self.waiting.remove(&older);
        }
        self.waiting.insert(self.next, report);
        self.next += 1;
    }

    fn sent(&mut self, number: u64, delivery: Delivery) -> Vec<OutboxEffect> {
        match std::mem::replace(&mut self.line, Line::Free) {
            Line::Busy { round, .. } if round == number && delivery == Delivery::Taken => self.send(),
            Line::Busy { round, reports, resync } if round == number => {
                self.resync |= resync;
                for report in reports {
                    if !self.place.contains_key(&object(&report)) {
                        self.put(report);
                    }
                }
                self.line = Line::Pausing(round);
                vec![OutboxEffect::After(PAUSE, OutboxEvent::Again(round))]
            }
            other => {
                self.line = other;
                Vec::new()
            }
        }
    }

    fn send(&mut self) -> Vec<OutboxEffect> {
        let due = matches!(self.line, Line::Free) && (self.resync || !self.waiting.is_empty());
        let Some(node) = self.node.clone().filter(|_| due) else {
            return Vec::new();
        };
        let mut reports = Vec::new();
        while let Some((_, report)) = (reports.len() < BATCH).then(|| self.waiting.pop_first()).flatten() {
            self.place.remove(&object(&report));
            reports.push(report);
        }
        self.rounds += 1;
        let (round, resync) = (self.rounds, std::mem::take(&mut self.resync));
        self.line = Line::Busy { round, reports: reports.clone(), resync };
        vec![OutboxEffect::Send(Batch { round, node, reports, resync })]
    }
}

fn object(report: &Report) -> Object {
    match report {
        Report::Resource(report) => Object::Resource(report.rsc.clone()),
        Report::Pool(report) => Object::Pool(report.pool.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::conduct::tests::{pool_report, report};

    fn node() -> OutboxEvent {
        OutboxEvent::Node(NodeName::parse("alpha").expect("legal"))
    }

    fn rsc(name: &str, generation: u64) -> OutboxEvent {
        OutboxEvent::Report(Report::Resource(report(name, generation)))
    }

    fn words(effects: &[OutboxEffect]) -> String {
        let report = |report: &Report| match report {
            Report::Resource(report) => format!("{}.{}", report.rsc, report.generation),
            Report::Pool(report) => report.pool.to_string(),
        };
        let word = |effect: &OutboxEffect| match effect {
            OutboxEffect::Send(batch) => {
                let reports: Vec<String> = batch.reports.iter().map(report).collect();
                format!("{}: {}{}", batch.round, reports.join("+"), if batch.resync { "!" } else { "" })
            }
            OutboxEffect::After(pause, OutboxEvent::Again(round)) => format!("pause {round} for {pause:?}"),
            OutboxEffect::After(..) => "another timer".to_owned(),
        };
        effects.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    fn play(script: Vec<(OutboxEvent, &str)>) -> Outbox {
        let mut outbox = Outbox::new(None);
        for (at, (event, expected)) in script.into_iter().enumerate() {
            let shown = format!("{at}: {event:?}");
            assert_eq!(words(&outbox.handle(event)), expected, "{shown}");
        }
        outbox
    }

    #[test]
    fn one_batch_at_a_time_and_the_newest_of_each() {
        let outbox = play(vec![
            (OutboxEvent::Begun(Birth::First), ""),
            (rsc("ra", 1), ""),
            (node(), "1: ra.1"),
            (rsc("rb", 1), ""),
            (rsc("rc", 1), ""),
            (OutboxEvent::Report(Report::Pool(pool_report("bbb", 9))), ""),
            (rsc("rb", 2), ""),
            (OutboxEvent::Sent(1, Delivery::Taken), "2: rc.1+bbb+rb.2"),
            (OutboxEvent::Sent(2, Delivery::Taken), ""),
        ]);
        assert!(outbox.is_idle());
    }

    #[test]
    fn a_lost_batch_comes_again_after_a_pause_without_what_is_outdated() {
        play(vec![
            (node(), ""),
            (rsc("ra", 1), "1: ra.1"),
            (rsc("rb", 1), ""),
            (OutboxEvent::Sent(1, Delivery::Lost), "pause 1 for 1s"),
            (rsc("rc", 1), ""),
            (OutboxEvent::Again(1), "2: rb.1+ra.1+rc.1"),
            (rsc("ra", 2), ""),
            (OutboxEvent::Sent(1, Delivery::Taken), ""),
            (OutboxEvent::Again(1), ""),
            (OutboxEvent::Sent(2, Delivery::Lost), "pause 2 for 1s"),
            (OutboxEvent::Again(1), ""),
            (OutboxEvent::Again(2), "3: ra.2+rb.1+rc.1"),
        ]);
    }

    #[test]
    fn the_wish_for_everything_is_sent_once_it_can_be_and_not_lost() {
        let outbox = play(vec![
            (OutboxEvent::Begun(Birth::Again), ""),
            (node(), "1: !"),
            (rsc("ra", 1), ""),
            (OutboxEvent::Sent(1, Delivery::Lost), "pause 1 for 1s"),
            (OutboxEvent::Again(1), "2: ra.1!"),
            (OutboxEvent::Resync, ""),
            (OutboxEvent::Sent(2, Delivery::Taken), "3: !"),
            (OutboxEvent::Sent(3, Delivery::Taken), ""),
        ]);
        assert!(outbox.is_idle());
    }

    #[test]
    fn a_batch_fits_a_frame() {
        let mut outbox = Outbox::new(Some(NodeName::parse("alpha").expect("legal")));
        let _ = outbox.handle(rsc("first", 1));
        for n in 0..=BATCH {
            assert_eq!(outbox.handle(rsc(&format!("r{n}"), 1)), []);
        }
        let mut sizes = Vec::new();
        for round in 1..=2 {
            for effect in outbox.handle(OutboxEvent::Sent(round, Delivery::Taken)) {
                let OutboxEffect::Send(batch) = effect else { panic!("a batch") };
                sizes.push(batch.reports.len());
            }
        }
        assert_eq!(sizes, [BATCH, 1]);
    }
}
