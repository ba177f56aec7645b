//! The node's storage pools: the shell of `model::conduct::pool_gate`.

use std::time::Duration;

use super::reports::birth;
use super::resources::ResourcesMessage;
use crate::actors::system::{ActorRef, Behaviour, Context, Message, Reply};
use crate::model::conduct::outbox::OutboxEvent;
use crate::model::conduct::pool_gate::{GateEffect, GateEvent, PoolGate};
use crate::model::conduct::registry::RegistryEvent;
use crate::model::report::Report;
use crate::storage::node::NodeStorage;

impl Message for GateEvent {
    type Answer = ();
}

/// The pools of the node.
pub(super) struct StoragePools {
    storage: NodeStorage,
    reports: ActorRef<OutboxEvent>,
    resources: ActorRef<ResourcesMessage>,
    gate: PoolGate,
}

impl StoragePools {
    pub(super) fn new(
        storage: NodeStorage,
        reports: ActorRef<OutboxEvent>,
        resources: ActorRef<ResourcesMessage>,
        look_every: Duration,
    ) -> Self {
        Self { storage, reports, resources, gate: PoolGate::new(look_every) }
    }

    fn carry_out(&mut self, event: GateEvent, ctx: &mut Context<GateEvent>) {
        for effect in self.gate.handle(event) {
            let storage = self.storage.clone();
            match effect {
                GateEffect::Prepare(number, pools) => {
                    let prepared = move |reports| GateEvent::Prepared(number, reports);
                    ctx.run(async move { storage.apply_pools(pools).await }, prepared);
                }
                // A sibling that has ended for good ends the parent, too; all is told again then.
                GateEffect::Release(extent, resources) => {
                    let _ = self.resources.tell(RegistryEvent::Apply(extent, resources).into());
                }
                GateEffect::AskRoom => {
                    ctx.run(async move { storage.capacities(Vec::new()).await }, GateEvent::Room);
                }
                GateEffect::LookAround => {
                    let resources = self.resources.clone();
                    ctx.workers().spawn(async move {
                        let changed = storage.look_around().await;
                        if !changed.is_empty() {
                            let _ = resources.tell(RegistryEvent::Changed(changed).into());
                        }
                    });
                }
                GateEffect::Report(report) => drop(self.reports.tell(OutboxEvent::Report(Report::Pool(report)))),
                GateEffect::Resync => drop(self.reports.tell(OutboxEvent::Resync)),
                GateEffect::After(pause, event) => drop(ctx.notify_after(pause, event)),
            }
        }
    }
}

impl Behaviour for StoragePools {
    type Message = GateEvent;

    fn started(&mut self, ctx: &mut Context<GateEvent>) {
        let _ = self.resources.tell(ResourcesMessage::Pools(ctx.address()));
        self.carry_out(GateEvent::Begun(birth(ctx)), ctx);
    }

    fn handle(&mut self, event: GateEvent, _: Reply<()>, ctx: &mut Context<GateEvent>) {
        self.carry_out(event, ctx);
    }
}
