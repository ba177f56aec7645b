//! The satellite's front: takes the controller's words in order and answers at once. It touches no disk.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::reports::Reports;
use super::resources::{Resources, ResourcesMessage};
use super::storage_pools::StoragePools;
use super::{Belonging, Parts};
use crate::actors::system::{ActorRef, Behaviour, Context, Reply, Spec, Strategy};
use crate::model::conduct::outbox::OutboxEvent;
use crate::model::conduct::pool_gate::GateEvent;
use crate::model::conduct::registry::Extent;
use crate::model::moment::Uuid;
use crate::protocols::wire::{SatelliteAnswer, ToSatellite};

/// The behaviour of the satellite's front.
pub struct Root {
    parts: Parts,
    passes: Arc<Semaphore>,
    belonging: Belonging,
    children: Option<Children>,
}

struct Children {
    reports: ActorRef<OutboxEvent>,
    pools: ActorRef<GateEvent>,
}

impl Root {
    pub(super) fn new(parts: Parts, passes: Arc<Semaphore>, belonging: Belonging) -> Self {
        Self { parts, passes, belonging, children: None }
    }

    fn hello(
        &mut self,
        (cluster, node): (Uuid, crate::model::names::NodeName),
        reply: Reply<SatelliteAnswer>,
        ctx: &mut Context<ToSatellite>,
    ) {
        if let Err(unclaimed) = self.belonging.claim(cluster, node.clone()) {
            return reply.send(SatelliteAnswer::Refused(unclaimed.to_string()));
        }
        if let Some(children) = &self.children {
            // An actor that has ended for good is restarted with this one.
            let _ = children.reports.tell(OutboxEvent::Node(node));
        }
        let (storage, version) = (self.parts.storage.clone(), self.parts.version.clone());
        ctx.workers().spawn(async move {
            reply.send(SatelliteAnswer::Facts(storage.facts(&version).await));
        });
    }

    /// Hands work on; the answer says whether it was taken over.
    fn pass_on(&self, events: Vec<GateEvent>, reply: Reply<SatelliteAnswer>) {
        if let Err(unclaimed) = self.belonging.check() {
            return reply.send(SatelliteAnswer::Refused(unclaimed.to_string()));
        }
        let Some(children) = &self.children else {
            return reply.send(SatelliteAnswer::Refused("the satellite is being started".to_owned()));
        };
        let told: Result<(), _> = events.into_iter().try_for_each(|event| children.pools.tell(event));
        reply.send(match told {
            Ok(()) => SatelliteAnswer::Accepted,
            Err(error) => SatelliteAnswer::Refused(error.to_string()),
        });
    }
}

impl Behaviour for Root {
    type Message = ToSatellite;

    fn started(&mut self, ctx: &mut Context<ToSatellite>) {
        let (controller, belonging) = (self.parts.controller.clone(), self.belonging.clone());
        let make = move || Reports::new(controller.clone(), belonging.node());
        let reports = ctx.spawn_child(Spec::new("reports", make));
        let (storage, to, passes) = (self.parts.storage.clone(), reports.clone(), self.passes.clone());
        let spec = Spec::new("resource", move || Resources::new(storage.clone(), to.clone(), passes.clone()));
        let resources: ActorRef<ResourcesMessage> = ctx.spawn_child(spec.strategy(Strategy::OneForOne));
        let (storage, to, look_every) = (self.parts.storage.clone(), reports.clone(), self.parts.look_every);
        let make = move || StoragePools::new(storage.clone(), to.clone(), resources.clone(), look_every);
        let pools = ctx.spawn_child(Spec::new("storage_pools", make));
        self.children = Some(Children { reports, pools });
    }

    fn handle(&mut self, message: ToSatellite, reply: Reply<SatelliteAnswer>, ctx: &mut Context<ToSatellite>) {
        match message {
            ToSatellite::Hello { cluster, node } => self.hello((cluster, node), reply, ctx),
            ToSatellite::FullSync { pools, resources } => {
                self.pass_on(vec![GateEvent::Pools(pools), GateEvent::Resources(Extent::Whole, resources)], reply);
            }
            ToSatellite::Pools(pools) => self.pass_on(vec![GateEvent::Pools(pools)], reply),
            ToSatellite::Apply(resources) => {
                self.pass_on(vec![GateEvent::Resources(Extent::Changed, resources)], reply)
            }
            ToSatellite::Capacity(names) => {
                let storage = self.parts.storage.clone();
                ctx.workers().spawn(async move {
                    reply.send(SatelliteAnswer::Capacities(storage.capacities(names).await));
                });
            }
        }
    }
}
