//! One actor for each resource of the node: the shell of `model::conduct::registry`.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::reports::birth;
use super::resource::Resource;
use crate::actors::system::{ActorRef, Behaviour, Context, Message, Reply, Restart, Spec};
use crate::model::conduct::outbox::OutboxEvent;
use crate::model::conduct::passes::PassEvent;
use crate::model::conduct::pool_gate::GateEvent;
use crate::model::conduct::registry::{Registry, RegistryEffect, RegistryEvent, Told};
use crate::model::desired::DesiredResource;
use crate::model::names::RscName;
use crate::model::report::Report;
use crate::storage::node::{NodeStorage, ResourceMemory};

pub(super) enum ResourcesMessage {
    /// Whom to tell that a pool's room has changed.
    Pools(ActorRef<GateEvent>),
    /// For the registry.
    Registry(RegistryEvent),
    /// A resource was worked on.
    Touched,
}

impl Message for ResourcesMessage {
    type Answer = ();
}

impl From<RegistryEvent> for ResourcesMessage {
    fn from(event: RegistryEvent) -> Self {
        Self::Registry(event)
    }
}

/// The resources of the node.
pub(super) struct Resources {
    storage: NodeStorage,
    reports: ActorRef<OutboxEvent>,
    permits: Arc<Semaphore>,
    pools: Option<ActorRef<GateEvent>>,
    registry: Registry,
    /// None on a simulated node.
    actors: BTreeMap<RscName, ActorRef<PassEvent>>,
}

impl Resources {
    pub(super) fn new(storage: NodeStorage, reports: ActorRef<OutboxEvent>, permits: Arc<Semaphore>) -> Self {
        let (registry, actors) = (Registry::default(), BTreeMap::new());
        Self { storage, reports, permits, pools: None, registry, actors }
    }

    fn carry_out(&mut self, event: RegistryEvent, ctx: &mut Context<ResourcesMessage>) {
        for effect in self.registry.handle(event) {
            match effect {
                RegistryEffect::Tell(told) => self.tell(told, ctx),
                RegistryEffect::End(rsc) => {
                    self.actors.remove(&rsc);
                    ctx.stop_child(&child_name(&rsc));
                }
                RegistryEffect::Resync => drop(self.reports.tell(OutboxEvent::Resync)),
            }
        }
    }

    fn tell(&mut self, told: Told, ctx: &mut Context<ResourcesMessage>) {
        let rsc = told.desired.rsc.clone();
        let known = self.actors.remove(&rsc).filter(|actor| !actor.is_closed());
        let actor = known.unwrap_or_else(|| self.spawn(&rsc, ctx));
        if actor.tell(PassEvent::Desired(told)).is_err() {
            tracing::warn!(%rsc, "the resource's actor takes nothing; the next full sync tells it again");
        }
        self.actors.insert(rsc, actor);
    }

    fn spawn(&self, rsc: &RscName, ctx: &mut Context<ResourcesMessage>) -> ActorRef<PassEvent> {
        let (storage, reports, permits) = (self.storage.clone(), self.reports.clone(), self.permits.clone());
        let (rsc, parent) = (rsc.clone(), ctx.address());
        let name = child_name(&rsc);
        let make =
            move || Resource::new(rsc.clone(), storage.clone(), permits.clone(), (parent.clone(), reports.clone()));
        ctx.spawn_child(Spec::new(name, make).restart(Restart::Transient))
    }

    /// A simulated node's passes wait for nothing, and nothing is remembered: the pools in memory know all.
    fn pass_at_once(&self, resources: &[DesiredResource]) {
        for desired in resources {
            let report = self.storage.pass(&ResourceMemory::default(), desired, usize::MAX);
            let _ = self.reports.tell(OutboxEvent::Report(Report::Resource(report)));
            self.touched();
        }
    }

    fn touched(&self) {
        if let Some(pools) = &self.pools {
            // It asks for the room of all pools from time to time anyway.
            let _ = pools.tell(GateEvent::Touched);
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
        self.carry_out(RegistryEvent::Begun(birth(ctx)), ctx);
    }

    fn handle(&mut self, message: ResourcesMessage, _: Reply<()>, ctx: &mut Context<ResourcesMessage>) {
        match message {
            ResourcesMessage::Pools(pools) => self.pools = Some(pools),
            ResourcesMessage::Registry(RegistryEvent::Apply(_, resources)) if self.storage.is_simulated() => {
                self.pass_at_once(&resources);
            }
            ResourcesMessage::Registry(event) => self.carry_out(event, ctx),
            ResourcesMessage::Touched => self.touched(),
        }
    }
}
