//! Brings reports to the controller: the shell of `model::conduct::outbox`.

use crate::actors::system::{ActorRef, Behaviour, Context, Message, Reply};
use crate::model::conduct::Birth;
use crate::model::conduct::outbox::{ANSWER_WITHIN, Batch, Delivery, Outbox, OutboxEffect, OutboxEvent};
use crate::model::names::NodeName;
use crate::protocols::wire::FromSatellite;

impl Message for OutboxEvent {
    type Answer = ();
}

/// What waits to be reported.
pub(super) struct Reports {
    controller: ActorRef<FromSatellite>,
    outbox: Outbox,
}

impl Reports {
    pub(super) fn new(controller: ActorRef<FromSatellite>, node: Option<NodeName>) -> Self {
        Self { controller, outbox: Outbox::new(node) }
    }

    fn carry_out(&mut self, event: OutboxEvent, ctx: &mut Context<OutboxEvent>) {
        for effect in self.outbox.handle(event) {
            match effect {
                OutboxEffect::Send(batch) => self.send(batch, ctx),
                OutboxEffect::After(pause, event) => drop(ctx.notify_after(pause, event)),
            }
        }
    }

    fn send(&self, batch: Batch, ctx: &mut Context<OutboxEvent>) {
        let (round, count, controller) = (batch.round, batch.reports.len(), self.controller.clone());
        let message = FromSatellite { node: batch.node, reports: batch.reports, resync: batch.resync };
        let ask = async move { controller.ask(message, ANSWER_WITHIN).await };
        ctx.run(ask, move |answer| {
            let delivery = match answer {
                Ok(_) => Delivery::Taken,
                Err(error) => {
                    tracing::debug!(%error, reports = count, "reports did not reach the controller");
                    Delivery::Lost
                }
            };
            OutboxEvent::Sent(round, delivery)
        });
    }
}

impl Behaviour for Reports {
    type Message = OutboxEvent;

    fn started(&mut self, ctx: &mut Context<OutboxEvent>) {
        self.carry_out(OutboxEvent::Begun(birth(ctx)), ctx);
    }

    fn handle(&mut self, event: OutboxEvent, _: Reply<()>, ctx: &mut Context<OutboxEvent>) {
        self.carry_out(event, ctx);
    }
}

/// Whether an actor begins, or begins again.
pub(super) fn birth<M: Message>(ctx: &Context<M>) -> Birth {
    if ctx.incarnation() > 1 { Birth::Again } else { Birth::First }
}
