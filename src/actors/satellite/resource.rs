//! One resource on this node: the shell of `model::conduct::passes`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::reports::birth;
use super::resources::ResourcesMessage;
use crate::actors::system::{ActorRef, Behaviour, Context, Message, Reply};
use crate::model::conduct::outbox::OutboxEvent;
use crate::model::conduct::passes::{PassEffect, PassEvent, Passes};
use crate::model::conduct::registry::{RegistryEvent, Told};
use crate::model::names::RscName;
use crate::model::report::Report;
use crate::storage::node::{NodeStorage, ResourceMemory};

/// How long a pass may count as one of those at once: one that hangs holds nobody else back for longer.
const COUNTS_FOR: Duration = Duration::from_secs(60);

impl Message for PassEvent {
    type Answer = ();
}

/// The resource.
pub(super) struct Resource {
    rsc: RscName,
    storage: NodeStorage,
    permits: Arc<Semaphore>,
    parent: ActorRef<ResourcesMessage>,
    reports: ActorRef<OutboxEvent>,
    memory: ResourceMemory,
    passes: Passes,
}

impl Resource {
    pub(super) fn new(
        rsc: RscName,
        storage: NodeStorage,
        permits: Arc<Semaphore>,
        (parent, reports): (ActorRef<ResourcesMessage>, ActorRef<OutboxEvent>),
    ) -> Self {
        let (memory, passes) = (ResourceMemory::default(), Passes::default());
        Self { rsc, storage, permits, parent, reports, memory, passes }
    }

    fn carry_out(&mut self, event: PassEvent, ctx: &mut Context<PassEvent>) {
        for effect in self.passes.handle(event) {
            match effect {
                PassEffect::Pass(told) => self.pass(told, ctx),
                // Whoever is not there to hear it is told everything at the next connection.
                PassEffect::Report(report) => {
                    let _ = self.reports.tell(OutboxEvent::Report(Report::Resource(*report)));
                }
                PassEffect::Touched => drop(self.parent.tell(ResourcesMessage::Touched)),
                PassEffect::Finished(number) => {
                    let _ = self.parent.tell(RegistryEvent::Finished(self.rsc.clone(), number).into());
                }
                PassEffect::Resend => drop(self.parent.tell(RegistryEvent::Resend(self.rsc.clone()).into())),
                PassEffect::After(pause, event) => drop(ctx.notify_after(pause, event)),
            }
        }
    }

    fn pass(&self, told: Told, ctx: &mut Context<PassEvent>) {
        let (storage, memory, permits) = (self.storage.clone(), self.memory.clone(), self.permits.clone());
        let parent = self.parent.clone();
        let Told { desired, number } = told;
        let work = async move {
            // The semaphore is never closed; without a permit the pass runs all the same.
            let permit = permits.acquire_owned().await.ok();
            let mut pass = std::pin::pin!(storage.reconcile(&memory, desired));
            let report = match timeout(COUNTS_FOR, &mut pass).await {
                Ok(report) => report,
                Err(_) => {
                    drop(permit);
                    pass.await
                }
            };
            let lost = storage.take_lost();
            if !lost.is_empty() {
                let _ = parent.tell(RegistryEvent::Changed(lost).into());
            }
            report
        };
        ctx.run(work, move |report| PassEvent::Done(number, Box::new(report)));
    }
}

impl Behaviour for Resource {
    type Message = PassEvent;

    fn started(&mut self, ctx: &mut Context<PassEvent>) {
        self.carry_out(PassEvent::Begun(birth(ctx)), ctx);
    }

    fn handle(&mut self, event: PassEvent, _: Reply<()>, ctx: &mut Context<PassEvent>) {
        self.carry_out(event, ctx);
    }
}
