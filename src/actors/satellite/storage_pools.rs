//! The node's storage pools: prepared before any resource is worked on, their room reported after changes and at intervals.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::reports::ReportsMessage;
use super::resources::ResourcesMessage;
use crate::actors::system::{ActorRef, Behaviour, Context, Message, Reply};
use crate::model::desired::{DesiredPool, DesiredResource};
use crate::model::names::PoolName;
use crate::model::report::{PoolReport, Report};
use crate::storage::node::NodeStorage;

/// How long changes are gathered before the room is asked: one look for a burst of them.
const GATHER: Duration = Duration::from_millis(200);
/// Between two looks without a change; LINSTOR's `UpdateCacheInterval`.
const LOOK_EVERY: Duration = Duration::from_secs(180);
/// How long resources wait for pools; a pool that hangs holds the others' resources back no longer.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) enum PoolsMessage {
    /// All pools of the node.
    Pools(Vec<DesiredPool>),
    /// Changed resources, after the pools that were told before.
    Resources(Vec<DesiredResource>),
    /// Pools are prepared.
    Prepared(Vec<PoolReport>),
    /// Preparing takes too long, with the number of the attempt.
    TooLong(u64),
    /// Something in a pool may have changed.
    Touched,
    /// It is time to ask for the room after changes, or since long.
    Look,
    /// Another look is due, though nothing changed.
    LookAnyway,
    /// The room of all pools.
    Room(Vec<PoolReport>),
}

impl Message for PoolsMessage {
    type Answer = ();
}

/// The pools of the node.
pub(super) struct StoragePools {
    storage: NodeStorage,
    reports: ActorRef<ReportsMessage>,
    resources: ActorRef<ResourcesMessage>,
    /// The attempt that runs, if one does.
    preparing: Option<u64>,
    attempts: u64,
    /// Newest pools that were told while others were being prepared.
    next: Option<Vec<DesiredPool>>,
    held: VecDeque<Vec<DesiredResource>>,
    look_due: bool,
    last: BTreeMap<PoolName, PoolReport>,
}

impl StoragePools {
    pub(super) fn new(
        storage: NodeStorage,
        reports: ActorRef<ReportsMessage>,
        resources: ActorRef<ResourcesMessage>,
    ) -> Self {
        Self {
            storage,
            reports,
            resources,
            preparing: None,
            attempts: 0,
            next: None,
            held: VecDeque::new(),
            look_due: false,
            last: BTreeMap::new(),
        }
    }

    fn prepare(&mut self, pools: Vec<DesiredPool>, ctx: &mut Context<PoolsMessage>) {
        if self.preparing.is_some() {
            self.next = Some(pools);
            return;
        }
        self.attempts += 1;
        self.preparing = Some(self.attempts);
        let storage = self.storage.clone();
        ctx.run(async move { storage.apply_pools(pools).await }, PoolsMessage::Prepared);
        ctx.notify_after(PATIENCE, PoolsMessage::TooLong(self.attempts));
    }

    fn release(&mut self) {
        for resources in self.held.drain(..) {
            // A sibling that has ended for good ends the parent, too; all is told again then.
            let _ = self.resources.tell(ResourcesMessage::Apply(resources));
        }
    }

    /// Reports what differs from the last report.
    fn report(&mut self, reports: Vec<PoolReport>) {
        for report in reports {
            if self.last.get(&report.pool) != Some(&report) {
                self.last.insert(report.pool.clone(), report.clone());
                let _ = self.reports.tell(ReportsMessage::Report(Report::Pool(report)));
            }
        }
    }

    fn look(&mut self, ctx: &mut Context<PoolsMessage>) {
        self.look_due = false;
        let storage = self.storage.clone();
        ctx.run(async move { storage.capacities(Vec::new()).await }, PoolsMessage::Room);
    }
}

impl Behaviour for StoragePools {
    type Message = PoolsMessage;

    fn started(&mut self, ctx: &mut Context<PoolsMessage>) {
        let _ = self.resources.tell(ResourcesMessage::Pools(ctx.address()));
        if ctx.incarnation() > 1 {
            // Resources that were held back are lost.
            let _ = self.reports.tell(ReportsMessage::Resync);
        }
        ctx.notify_after(LOOK_EVERY, PoolsMessage::LookAnyway);
    }

    fn handle(&mut self, message: PoolsMessage, _: Reply<()>, ctx: &mut Context<PoolsMessage>) {
        match message {
            PoolsMessage::Pools(pools) => {
                // Whoever tells all pools wants to hear of all of them.
                self.last.clear();
                self.prepare(pools, ctx);
            }
            PoolsMessage::Resources(resources) => {
                self.held.push_back(resources);
                if self.preparing.is_none() {
                    self.release();
                }
            }
            PoolsMessage::Prepared(reports) => {
                self.preparing = None;
                self.report(reports);
                match self.next.take() {
                    Some(pools) => self.prepare(pools, ctx),
                    None => self.release(),
                }
            }
            PoolsMessage::TooLong(attempt) if self.preparing == Some(attempt) => self.release(),
            PoolsMessage::TooLong(_) => {}
            PoolsMessage::Touched if self.look_due => {}
            PoolsMessage::Touched => {
                self.look_due = true;
                ctx.notify_after(GATHER, PoolsMessage::Look);
            }
            PoolsMessage::Look => self.look(ctx),
            PoolsMessage::LookAnyway => {
                self.look(ctx);
                ctx.notify_after(LOOK_EVERY, PoolsMessage::LookAnyway);
            }
            PoolsMessage::Room(reports) => self.report(reports),
        }
    }
}
