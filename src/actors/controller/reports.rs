//! Takes satellites' reports in and passes them to the cluster actor, with the sender's proven name.

use super::api::ClusterMessage;
use crate::actors::system::{ActorRef, Behaviour, Context, Reply};
use crate::protocols::wire::{FromSatellite, ReportsTaken};

/// See the module.
pub struct Reports {
    cluster: ActorRef<ClusterMessage>,
}

impl Reports {
    /// Passes on to `cluster`.
    #[must_use]
    pub fn new(cluster: ActorRef<ClusterMessage>) -> Self {
        Self { cluster }
    }
}

impl Behaviour for Reports {
    type Message = FromSatellite;

    fn handle(&mut self, message: FromSatellite, reply: Reply<ReportsTaken>, _ctx: &mut Context<FromSatellite>) {
        let FromSatellite { node, reports } = message;
        match self.cluster.tell(ClusterMessage::Reports(node, reports)) {
            Ok(()) => reply.send(ReportsTaken),
            Err(error) => tracing::warn!(%error, "reports were dropped; the satellite sends them again"),
        }
    }
}
