//! The controller's root: starts the role's actors in order, rest-for-one, and hands out their addresses.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::api::{ClusterMessage, View};
use super::cluster::{self, ClusterActor};
use super::committer::{Committer, Line};
use super::reports::{Faults, Reports};
use super::rest::ErrorReports;
use super::satellites::{self, LocalSatellites, Satellites, SatellitesMessage};
use super::store_health::StoreHealth;
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
    /// Where faults are recorded.
    pub incidents: ErrorReports,
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
    /// Whether the store can be written.
    pub health: StoreHealth,
    /// What went wrong inside, here and on nodes.
    pub incidents: ErrorReports,
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
    health: StoreHealth,
    faults: Faults,
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
            health: self.health.clone(),
            incidents: self.setup.incidents.clone(),
            limits: self.setup.limits,
        };
        // Those that wait for the disk, and as many as wait for nodes: the queue's own limit is the one that is felt.
        let asks = ASKS_IN_FLIGHT + self.setup.limits.queue;
        let cluster = Spec::new("cluster", move || ClusterActor::new(around.clone())).asks_in_flight(asks);
        let cluster = ctx.spawn_child(cluster);
        let to = cluster.clone();
        let contact = Arc::clone(&satellites);
        let faults = self.faults.clone();
        let make = move || Reports::new(to.clone(), Arc::clone(&contact), faults.clone());
        let reports = ctx.spawn_child(Spec::new("reports", make));
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
        let _ = self.made.set(Controller {
            cluster,
            reports,
            satellites: contact,
            view: self.view.clone(),
            health: self.health.clone(),
            incidents: self.setup.incidents.clone(),
        });
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
    let (health, faults) = (StoreHealth::default(), Faults::new(setup.incidents.clone()));
    let spec = Spec::new("controller", move || Root {
        setup: setup.clone(),
        view: view.clone(),
        health: health.clone(),
        faults: faults.clone(),
        line: Arc::clone(&line),
        made: Arc::clone(&slot),
    });
    system.spawn(spec.strategy(Strategy::RestForOne))?;
    while made.get().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(made.get().expect("seen above").clone())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::actors::controller::api::{Answer, ClusterAnswer};
    use crate::actors::controller::rest::error_reports::Wanted;
    use crate::actors::system::Options;
    use crate::model::command::{Command, ControllerCommand};
    use crate::model::names::KvsName;
    use crate::model::props::PropsModify;
    use crate::store::{Batch, CommitInfo, Loaded, Memory, RecordKey, Schema, StoreError};

    /// Longer than any machine needs.
    const GENEROUS: Duration = Duration::from_secs(60);

    /// A store whose disk may be full.
    #[derive(Default)]
    struct Disk {
        memory: Memory,
        full: AtomicBool,
    }

    impl Store for Disk {
        fn load(&self) -> Result<Loaded, StoreError> {
            self.memory.load()
        }
        fn peek(&self) -> Result<Loaded, StoreError> {
            self.memory.peek()
        }
        fn commit(&self, batches: &[Batch]) -> Result<CommitInfo, StoreError> {
            if self.full.load(Ordering::SeqCst) {
                // Long enough for others to queue up behind.
                std::thread::sleep(Duration::from_millis(50));
                let source = std::io::Error::from_raw_os_error(28);
                return Err(StoreError::Io { doing: "write", path: "/data/zea.redb".into(), source });
            }
            self.memory.commit(batches)
        }
        fn quarantine(&self, key: &RecordKey, reason: &str) -> Result<(), StoreError> {
            self.memory.quarantine(key, reason)
        }
        fn schema(&self) -> Schema {
            self.memory.schema()
        }
    }

    fn set(store: &str) -> ClusterMessage {
        let props = PropsModify { override_props: [("a".to_owned(), "b".to_owned())].into(), ..PropsModify::default() };
        let name = KvsName::parse(store).unwrap();
        ClusterMessage::Execute(
            Box::new(Command::Controller(ControllerCommand::KvsModify { name, props })),
            Answer::WhenDurable,
        )
    }

    #[test]
    fn a_full_disk_answers_everybody_and_is_used_again_when_it_has_room() {
        let system = System::start(Options::default()).unwrap();
        let disk = Arc::new(Disk::default());
        let store: Arc<dyn Store> = disk.clone();
        let setup = Setup {
            store,
            local: LocalSatellites::default(),
            endpoint: None,
            deadline: GENEROUS,
            incidents: ErrorReports::default(),
            limits: Limits::default(),
        };
        let controller = start(&system, setup).unwrap();
        let (cluster, health) = (controller.cluster.clone(), controller.health.clone());
        let view = controller.view.clone();
        system.workers().block_on(async {
            let first = cluster.ask(set("before"), GENEROUS).await.unwrap();
            assert!(matches!(first, ClusterAnswer::Done(_)), "{first:?}");
            disk.full.store(true, Ordering::SeqCst);
            let asked = ["one", "two", "three"].map(|name| cluster.ask(set(name), GENEROUS));
            for answer in futures_util::future::join_all(asked).await {
                let Ok(ClusterAnswer::Unstored(note)) = answer else { panic!("{answer:?}") };
                assert!(note.cause.unwrap().contains("No space left on device"));
                assert!(note.correction.unwrap().contains("Free room"));
            }
            assert!(health.trouble().unwrap().cause.contains("/data/zea.redb"));
            assert_eq!(view.load().key_value_stores.len(), 1, "what was committed can be read");
            disk.full.store(false, Ordering::SeqCst);
            while health.trouble().is_some() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let last = cluster.ask(set("after"), GENEROUS).await.unwrap();
            assert!(matches!(last, ClusterAnswer::Done(_)), "{last:?}");
            assert_eq!(view.load().key_value_stores.len(), 2);
        });
        let told = controller.incidents.list(&Wanted::default(), true);
        assert_eq!(told.len(), 1, "once, not at each retry: {told:?}");
        assert!(told[0].text.contains("/data/zea.redb") && told[0].text.contains("Correction: Free room"), "{told:?}");
        let restarts = system.registry().info("controller/cluster").map(|info| info.restarts);
        assert_eq!(restarts, Some(1), "the state is loaded anew, once");
        system.stop();
        assert_eq!(system.wait(), 0);
    }
}
