//! Takes satellites' reports in and passes them to the cluster actor, with the sender's proven name.

use std::sync::{Arc, OnceLock};

use super::api::ClusterMessage;
use super::satellites::SatellitesMessage;
use crate::actors::system::{ActorRef, Behaviour, Context, Reply};
use crate::protocols::wire::{FromSatellite, ReportsTaken};

/// See the module.
pub struct Reports {
    cluster: ActorRef<ClusterMessage>,
    satellites: Arc<OnceLock<ActorRef<SatellitesMessage>>>,
}

impl Reports {
    /// Passes on to `cluster`, and to `satellites` which of them wants to be told everything again.
    #[must_use]
    pub fn new(cluster: ActorRef<ClusterMessage>, satellites: Arc<OnceLock<ActorRef<SatellitesMessage>>>) -> Self {
        Self { cluster, satellites }
    }
}

impl Behaviour for Reports {
    type Message = FromSatellite;

    fn handle(&mut self, message: FromSatellite, reply: Reply<ReportsTaken>, _ctx: &mut Context<FromSatellite>) {
        let FromSatellite { node, reports, resync } = message;
        if resync
            && let Some(satellites) = self.satellites.get()
            && let Err(error) = satellites.tell(SatellitesMessage::Resync(node.clone()))
        {
            tracing::warn!(%error, %node, "a satellite is not told everything; it asks again");
            return;
        }
        match self.cluster.tell(ClusterMessage::Reports(node, reports)) {
            Ok(()) => reply.send(ReportsTaken),
            Err(error) => tracing::warn!(%error, "reports were dropped; the satellite sends them again"),
        }
    }
}
