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
