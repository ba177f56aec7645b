//! Brings reports to the controller: one batch in flight, the newest of each object wins, nothing is given up.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::actors::system::{ActorRef, AskError, Behaviour, Context, Message, Reply};
use crate::model::names::{NodeName, PoolName, RscName};
use crate::model::report::Report;
use crate::protocols::wire::{FromSatellite, ReportsTaken};

/// How long a batch may take; a controller that commits takes milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Pause after a batch that did not arrive.
const PAUSE: Duration = Duration::from_secs(1);
/// Reports in one batch, so that a frame of the link holds it.
const BATCH: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    Resource(RscName),
    Pool(PoolName),
}

pub(super) enum ReportsMessage {
    /// The node's name, from the controller.
    Node(NodeName),
    /// A part of the satellite was started anew: everything shall be told again.
    Resync,
    /// Something to report.
    Report(Report),
    /// What came of a batch.
    Sent(Batch, Result<ReportsTaken, AskError>),
    /// The pause is over.
    Again,
}

/// What went out in one message.
pub(super) struct Batch {
    reports: Vec<(Object, Report)>,
    resync: bool,
}

impl Message for ReportsMessage {
    type Answer = ();
}

/// What waits to be reported.
pub(super) struct Reports {
    controller: ActorRef<FromSatellite>,
    node: Option<NodeName>,
    in_flight: bool,
    resync: bool,
    next: u64,
    /// Reports by age.
    waiting: BTreeMap<u64, (Object, Report)>,
    /// Where an object's report waits.
    place: BTreeMap<Object, u64>,
}

impl Reports {
    pub(super) fn new(controller: ActorRef<FromSatellite>, node: Option<NodeName>) -> Self {
        Self {
            controller,
            node,
            in_flight: false,
            resync: false,
            next: 0,
            waiting: BTreeMap::new(),
            place: BTreeMap::new(),
        }
    }

    fn put(&mut self, object: Object, report: Report) {
        if let Some(older) = self.place.insert(object.clone(), self.next) {
            self.waiting.remove(&older);
        }
        self.waiting.insert(self.next, (object, report));
        self.next += 1;
    }

    fn send(&mut self, ctx: &mut Context<ReportsMessage>) {
        let due = !self.in_flight && (self.resync || !self.waiting.is_empty());
        let Some(node) = self.node.clone().filter(|_| due) else {
            return;
        };
        let mut batch = Vec::new();
        while let Some((_, entry)) = (batch.len() < BATCH).then(|| self.waiting.pop_first()).flatten() {
            self.place.remove(&entry.0);
            batch.push(entry);
        }
        self.in_flight = true;
        let reports = batch.iter().map(|(_, report)| report.clone()).collect();
        let resync = std::mem::take(&mut self.resync);
        let controller = self.controller.clone();
        let ask = async move { controller.ask(FromSatellite { node, reports, resync }, ANSWER_WITHIN).await };
        ctx.run(ask, move |answer| ReportsMessage::Sent(Batch { reports: batch, resync }, answer));
    }
}

impl Behaviour for Reports {
    type Message = ReportsMessage;

    fn started(&mut self, ctx: &mut Context<ReportsMessage>) {
        // Reports that waited are lost: who is told everything tells everything.
        self.resync = ctx.incarnation() > 1;
        self.send(ctx);
    }

    fn handle(&mut self, message: ReportsMessage, _: Reply<()>, ctx: &mut Context<ReportsMessage>) {
        match message {
            ReportsMessage::Node(node) => self.node = Some(node),
            ReportsMessage::Resync => self.resync = true,
            ReportsMessage::Report(report) => {
                let object = match &report {
                    Report::Resource(report) => Object::Resource(report.rsc.clone()),
                    Report::Pool(report) => Object::Pool(report.pool.clone()),
                };
                self.put(object, report);
            }
            ReportsMessage::Sent(_, Ok(ReportsTaken)) => self.in_flight = false,
            ReportsMessage::Sent(batch, Err(error)) => {
                tracing::debug!(%error, reports = batch.reports.len(), "reports did not reach the controller");
                self.resync |= batch.resync;
                for (object, report) in batch.reports {
                    if !self.place.contains_key(&object) {
                        self.put(object, report);
                    }
                }
                // Still "in flight", so that nothing is sent during the pause.
                ctx.notify_after(PAUSE, ReportsMessage::Again);
                return;
            }
            ReportsMessage::Again => self.in_flight = false,
        }
        self.send(ctx);
    }
}
