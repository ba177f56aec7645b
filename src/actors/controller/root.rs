//! The controller's root: starts the role's actors in order, rest-for-one, and hands out their addresses.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::api::{ClusterMessage, View};
use super::cluster::{self, ClusterActor};
use super::committer::{Committer, Line};
use super::reports::Reports;
use super::satellites::{self, LocalSatellites, Satellites, SatellitesMessage};
use crate::actors::system::link::{Endpoint, PeerIdentity};
use crate::actors::system::{
    ASKS_IN_FLIGHT, ActorRef, Behaviour, Context, Message, Reply, Spec, Strategy, System, SystemError,
};
use crate::model::conduct::writer::Limits;
use crate::model::names::NodeName;
use crate::protocols::wire::FromSatellite;
use crate::store::Store;

/// Name under which the controller takes reports over a link.
pub const REPORTS_EXPORT: &str = "reports";

/// What the role needs.
#[derive(Clone)]
pub struct Setup {
    /// Where records are kept.
    pub store: Arc<dyn Store>,
    /// Satellites in this process.
    pub local: LocalSatellites,
    /// For satellites in other processes.
    pub endpoint: Option<Endpoint>,
    /// How long a request waits for nodes.
    pub deadline: Duration,
    /// How much the model's writer takes on.
    pub limits: Limits,
}

/// The role's addresses, for those outside of it.
#[derive(Debug, Clone)]
pub struct Controller {
    /// Who decides.
    pub cluster: ActorRef<ClusterMessage>,
    /// Where satellites report.
    pub reports: ActorRef<FromSatellite>,
    /// Contact with nodes.
    pub satellites: ActorRef<SatellitesMessage>,
    /// The committed cluster.
    pub view: View,
}

/// To the root; nobody sends it anything.
#[derive(Debug)]
pub enum RootMessage {}

impl Message for RootMessage {
    type Answer = ();
}

/// A satellite reports as the node that its certificate names, whatever its message says.
fn by_proven_name(peer: &PeerIdentity, message: FromSatellite) -> FromSatellite {
    match NodeName::parse(&peer.node) {
        Ok(node) => FromSatellite { node, ..message },
        Err(_) => message,
    }
}

struct Root {
    setup: Setup,
    view: View,
    line: Arc<Line>,
    made: Arc<OnceLock<Controller>>,
}

impl Behaviour for Root {
    type Message = RootMessage;

    fn started(&mut self, ctx: &mut Context<RootMessage>) {
        let store = Arc::clone(&self.setup.store);
        let line = Arc::clone(&self.line);
        let make = move || Committer::new(Arc::clone(&store), Arc::clone(&line));
        let committer = ctx.spawn_child(Spec::new("committer", make));
        let satellites = Arc::new(OnceLock::new());
        let around = cluster::Surroundings {
            view: self.view.clone(),
            committer,
            satellites: Arc::clone(&satellites),
            deadline: self.setup.deadline,
            limits: self.setup.limits,
        };
        // Those that wait for the disk, and as many as wait for nodes: the queue's own limit is the one that is felt.
        let asks = ASKS_IN_FLIGHT + self.setup.limits.queue;
        let cluster = Spec::new("cluster", move || ClusterActor::new(around.clone())).asks_in_flight(asks);
        let cluster = ctx.spawn_child(cluster);
        let to = cluster.clone();
        let contact = Arc::clone(&satellites);
        let reports = ctx.spawn_child(Spec::new("reports", move || Reports::new(to.clone(), Arc::clone(&contact))));
        if let Some(endpoint) = &self.setup.endpoint {
            endpoint.export_from(REPORTS_EXPORT, reports.clone(), by_proven_name);
        }
        let around = satellites::Surroundings {
            view: self.view.clone(),
            cluster: cluster.clone(),
            local: self.setup.local.clone(),
            endpoint: self.setup.endpoint.clone(),
        };
        let contact = ctx.spawn_child(Spec::new("satellites", move || Satellites::new(around.clone())));
        // Set once for each incarnation of the root: the cell is new each time.
        let _ = satellites.set(contact.clone());
        let _ = self.made.set(Controller { cluster, reports, satellites: contact, view: self.view.clone() });
    }

    fn handle(&mut self, message: RootMessage, _reply: Reply<()>, _ctx: &mut Context<RootMessage>) {
        match message {}
    }
}

/// Starts the role. Its state is loaded in the background; requests wait for it.
///
/// # Errors
/// The system has stopped, or has such a role already.
pub fn start(system: &System, setup: Setup) -> Result<Controller, SystemError> {
    let made = Arc::new(OnceLock::new());
    let (slot, view, line) = (Arc::clone(&made), View::default(), Arc::<Line>::default());
    let spec = Spec::new("controller", move || Root {
        setup: setup.clone(),
        view: view.clone(),
        line: Arc::clone(&line),
        made: Arc::clone(&slot),
    });
    system.spawn(spec.strategy(Strategy::RestForOne))?;
    while made.get().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(made.get().expect("seen above").clone())
}
