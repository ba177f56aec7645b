//! Knows the newest desired state of every resource, and one actor for each. An older generation never replaces a newer one.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::reports::ReportsMessage;
use super::resource::{Resource, ResourceMessage};
use super::storage_pools::PoolsMessage;
use crate::actors::system::{ActorRef, Behaviour, Context, Message, Reply, Restart, Spec};
use crate::model::desired::DesiredResource;
use crate::model::names::RscName;
use crate::model::report::Report;
use crate::storage::node::NodeStorage;

pub(super) enum ResourcesMessage {
    /// Whom to tell that a pool's room has changed.
    Pools(ActorRef<PoolsMessage>),
    /// Changed resources.
    Apply(Vec<DesiredResource>),
    /// A resource's actor was restarted and knows nothing.
    Resend(RscName),
    /// Nothing of the resource is left, as this desired state wants.
    Finished(Arc<DesiredResource>),
    /// A resource was worked on.
    Touched,
}

impl Message for ResourcesMessage {
    type Answer = ();
}

struct Entry {
    desired: Arc<DesiredResource>,
    /// `None` on a simulated node.
    actor: Option<ActorRef<ResourceMessage>>,
}

/// The resources of the node.
pub(super) struct Resources {
    storage: NodeStorage,
    reports: ActorRef<ReportsMessage>,
    passes: Arc<Semaphore>,
    pools: Option<ActorRef<PoolsMessage>>,
    known: BTreeMap<RscName, Entry>,
}

impl Resources {
    pub(super) fn new(storage: NodeStorage, reports: ActorRef<ReportsMessage>, passes: Arc<Semaphore>) -> Self {
        Self { storage, reports, passes, pools: None, known: BTreeMap::new() }
    }

    fn apply(&mut self, desired: DesiredResource, ctx: &mut Context<ResourcesMessage>) {
        let newer = |known: &Entry| known.desired.generation > desired.generation;
        if self.known.get(&desired.rsc).is_some_and(newer) {
            return;
        }
        if let Some(report) = self.storage.reconcile_simulated(&desired) {
            // Nothing is remembered: the pools in memory know all.
            let _ = self.reports.tell(ReportsMessage::Report(Report::Resource(report)));
            return self.touched();
        }
        let desired = Arc::new(desired);
        let known = self.known.remove(&desired.rsc).and_then(|entry| entry.actor);
        let actor = known.filter(|actor| !actor.is_closed()).unwrap_or_else(|| self.spawn(&desired.rsc, ctx));
        if actor.tell(ResourceMessage::Desired(desired.clone())).is_err() {
            tracing::warn!(rsc = %desired.rsc, "the resource's actor takes nothing; the next full sync tells it again");
        }
        self.known.insert(desired.rsc.clone(), Entry { desired, actor: Some(actor) });
    }

    fn spawn(&self, rsc: &RscName, ctx: &mut Context<ResourcesMessage>) -> ActorRef<ResourceMessage> {
        let (storage, reports, passes) = (self.storage.clone(), self.reports.clone(), self.passes.clone());
        let (rsc, parent) = (rsc.clone(), ctx.address());
        let name = child_name(&rsc);
        let make =
            move || Resource::new(rsc.clone(), storage.clone(), passes.clone(), (parent.clone(), reports.clone()));
        ctx.spawn_child(Spec::new(name, make).restart(Restart::Transient))
    }

    fn touched(&self) {
        if let Some(pools) = &self.pools {
            // It asks for the room of all pools from time to time anyway.
            let _ = pools.tell(PoolsMessage::Touched);
        }
    }
}

/// Names compare without case, paths do not.
fn child_name(rsc: &RscName) -> String {
    rsc.as_str().to_ascii_lowercase()
}

impl Behaviour for Resources {
    type Message = ResourcesMessage;

    fn started(&mut self, ctx: &mut Context<ResourcesMessage>) {
        if ctx.incarnation() > 1 {
            // What is wanted is forgotten.
            let _ = self.reports.tell(ReportsMessage::Resync);
        }
    }

    fn handle(&mut self, message: ResourcesMessage, _: Reply<()>, ctx: &mut Context<ResourcesMessage>) {
        match message {
            ResourcesMessage::Pools(pools) => self.pools = Some(pools),
            ResourcesMessage::Apply(resources) => {
                for desired in resources {
                    self.apply(desired, ctx);
                }
            }
            ResourcesMessage::Resend(rsc) => {
                if let Some(Entry { desired, actor: Some(actor) }) = self.known.get(&rsc) {
                    // If its mailbox is full it has been told enough.
                    let _ = actor.tell(ResourceMessage::Desired(desired.clone()));
                }
            }
            ResourcesMessage::Finished(desired) => {
                let current = self.known.get(&desired.rsc).is_some_and(|entry| Arc::ptr_eq(&entry.desired, &desired));
                if current {
                    self.known.remove(&desired.rsc);
                    ctx.stop_child(&child_name(&desired.rsc));
                }
            }
            ResourcesMessage::Touched => self.touched(),
        }
    }
}
