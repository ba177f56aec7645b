//! Takes satellites' reports in and passes them to the cluster actor, with the sender's proven name; has faults recorded.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::runtime::Handle;

use super::api::ClusterMessage;
use super::problems::Problems;
use super::rest::ErrorReports;
use super::satellites::SatellitesMessage;
use crate::actors::system::{ActorRef, Behaviour, Context, Reply};
use crate::model::names::NodeName;
use crate::model::report::Report;
use crate::protocols::wire::{FromSatellite, ReportsTaken};

/// See the module.
pub struct Reports {
    cluster: ActorRef<ClusterMessage>,
    satellites: Arc<OnceLock<ActorRef<SatellitesMessage>>>,
    faults: Faults,
}

/// What went wrong on nodes: its incarnations share what is known already.
#[derive(Debug, Clone)]
pub struct Faults {
    known: Arc<Mutex<Problems>>,
    reports: ErrorReports,
}

impl Faults {
    /// Nothing is known yet; what comes is written to `reports`.
    #[must_use]
    pub fn new(reports: ErrorReports) -> Self {
        Self { known: Arc::default(), reports }
    }

    fn heard(&self, node: &NodeName, reports: &[Report], workers: &Handle) {
        let new = self.known.lock().unwrap_or_else(PoisonError::into_inner).heard(node, reports);
        if !new.is_empty() {
            let reports = self.reports.clone();
            workers.spawn_blocking(move || new.iter().for_each(|incident| drop(reports.report(incident))));
        }
    }
}

impl Reports {
    /// Passes on to `cluster`, and to `satellites` which of them wants to be told everything again; records faults.
    #[must_use]
    pub fn new(
        cluster: ActorRef<ClusterMessage>,
        satellites: Arc<OnceLock<ActorRef<SatellitesMessage>>>,
        faults: Faults,
    ) -> Self {
        Self { cluster, satellites, faults }
    }
}

impl Behaviour for Reports {
    type Message = FromSatellite;

    fn handle(&mut self, message: FromSatellite, reply: Reply<ReportsTaken>, ctx: &mut Context<FromSatellite>) {
        let FromSatellite { node, reports, resync } = message;
        self.faults.heard(&node, &reports, ctx.workers());
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
