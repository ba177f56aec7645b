//! The satellite as actors: told by a controller that the test plays, on real and on simulated disks.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use zea::actors::satellite::{self, Parts};
use zea::actors::system::{ActorRef, Behaviour, Context, Options, Reply, Spec, System};
use zea::model::conduct::pool_gate::LOOK_EVERY;
use zea::model::desired::{DesiredPool, DesiredResource, Order};
use zea::model::kinds::ProviderKind;
use zea::model::moment::Uuid;
use zea::model::names::NodeName;
use zea::model::report::{PoolReport, Report, ResourceReport};
use zea::protocols::wire::{FromSatellite, ReportsTaken, SatelliteAnswer, ToSatellite};
use zea::storage::node::{NodeStorage, Setup};
use zea::storage::simulated::Simulation;

use super::rig::{pool_name, resource};

/// Long enough for the slowest machine; reached only when something is broken.
const GENEROUS: Duration = Duration::from_secs(30);

/// A controller that only listens.
struct Ear(Sender<FromSatellite>);

impl Behaviour for Ear {
    type Message = FromSatellite;

    fn handle(&mut self, message: FromSatellite, reply: Reply<ReportsTaken>, _: &mut Context<FromSatellite>) {
        self.0.send(message).expect("the test listens");
        reply.send(ReportsTaken);
    }
}

struct Stage {
    system: System,
    satellite: ActorRef<ToSatellite>,
    heard: Receiver<FromSatellite>,
}

impl Stage {
    fn new(storage: NodeStorage) -> Self {
        let system = System::start(Options::default()).expect("started");
        let (tell, heard) = channel();
        let controller = system.spawn(Spec::new("ear", move || Ear(tell.clone()))).expect("spawned");
        let parts = Parts { storage, controller, version: "1.0".to_owned(), look_every: LOOK_EVERY };
        let satellite = system.spawn(satellite::spec("satellite", parts)).expect("spawned");
        Self { system, satellite, heard }
    }

    fn say(&self, message: ToSatellite) -> SatelliteAnswer {
        self.system.workers().block_on(self.satellite.ask(message, GENEROUS)).expect("answered")
    }

    fn hello(&self, cluster: u128) -> SatelliteAnswer {
        let node = NodeName::parse("alpha").expect("legal");
        self.say(ToSatellite::Hello { cluster: Uuid(cluster), node })
    }

    fn sync(&self, pool: DesiredPool, resources: Vec<DesiredResource>) {
        let answer = self.say(ToSatellite::FullSync { pools: vec![pool], resources });
        assert!(matches!(answer, SatelliteAnswer::Accepted), "{answer:?}");
    }

    /// Listens until a report fits.
    fn hear<T>(&self, mut wanted: impl FnMut(&Report) -> Option<T>) -> T {
        loop {
            let message = self.heard.recv_timeout(GENEROUS).expect("a report in time");
            assert_eq!(message.node.as_str(), "alpha");
            if let Some(found) = message.reports.iter().find_map(&mut wanted) {
                return found;
            }
        }
    }

    fn hear_resource(&self, name: &str, generation: u64) -> ResourceReport {
        self.hear(|report| match report {
            Report::Resource(r) if r.rsc.as_str() == name && r.generation == generation => Some(r.clone()),
            _ => None,
        })
    }

    fn hear_pool(&self) -> PoolReport {
        self.hear(|report| match report {
            Report::Pool(pool) => Some(pool.clone()),
            Report::Resource(_) => None,
        })
    }

    fn wait_until_gone(&self, path: &str) {
        let until = std::time::Instant::now() + GENEROUS;
        while self.system.registry().info(path).is_some() {
            assert!(std::time::Instant::now() < until, "{path} stays");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.system.stop();
    }
}

fn simulated() -> (Stage, DesiredPool) {
    let pool = DesiredPool {
        name: pool_name(),
        provider: ProviderKind::FileThin,
        backing: "/simulated".to_owned(),
        shared: false,
        props: BTreeMap::new(),
    };
    (Stage::new(NodeStorage::simulated(Simulation::default())), pool)
}

#[test]
fn nothing_before_hello_and_nothing_for_another_cluster() {
    let (stage, _) = simulated();
    assert!(matches!(stage.say(ToSatellite::Apply(Vec::new())), SatelliteAnswer::Refused(_)));
    let SatelliteAnswer::Facts(facts) = stage.hello(1) else { panic!("no facts") };
    assert_eq!((facts.version.as_str(), facts.unsupported_layers.len()), ("1.0", 0));
    assert!(matches!(stage.hello(1), SatelliteAnswer::Facts(_)));
    assert!(matches!(stage.hello(2), SatelliteAnswer::Refused(_)));
}

#[test]
fn a_simulated_node_answers_and_needs_no_actor_per_resource() {
    let (stage, pool) = simulated();
    stage.hello(1);
    stage.sync(pool, (0..100).map(|n| resource(&format!("web{n}"), 1)).collect());
    let full = stage.hear_pool().capacity.expect("healthy").free;
    let report = stage.hear_resource("web99", 1);
    assert_eq!(report.problem, None);
    assert!(stage.hear_pool().capacity.expect("healthy").free < full, "the room is reported after changes");
    assert!(stage.system.registry().snapshot().iter().all(|actor| !actor.path.contains("web")));
}

#[test]
fn an_older_generation_changes_nothing() {
    let (stage, pool) = simulated();
    stage.hello(1);
    let mut web = resource("web", 1);
    web.generation = 5;
    stage.sync(pool, vec![web.clone()]);
    stage.hear_resource("web", 5);
    let mut old = web.clone();
    (old.generation, old.order) = (4, Order::Remove);
    stage.say(ToSatellite::Apply(vec![old]));
    web.generation = 6;
    stage.say(ToSatellite::Apply(vec![web]));
    assert_eq!(stage.hear_resource("web", 6).volumes.len(), 1);
}

#[test]
fn a_real_volume_by_messages() {
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let Some(rig) = runtime.block_on(super::rig::Rig::new(super::rig::Ground::Plain)) else { return };
    let stage = Stage::new(NodeStorage::real(&Setup::default()));
    stage.hello(1);
    let mut web = resource("web", 1);
    stage.sync(rig.desired_pool(ProviderKind::FileThin), vec![web.clone()]);
    let made = stage.hear_resource("web", 1);
    assert_eq!(made.problem, None);
    assert_eq!(rig.loops(), [made.volumes[0].device_path.clone().expect("attached")]);
    assert!(stage.system.registry().info("satellite/resource/web").is_some());
    assert!(stage.system.registry().inject_panic("satellite/resource/web"));
    stage.hear_resource("web", 1);
    (web.generation, web.order) = (2, Order::Remove);
    stage.say(ToSatellite::Apply(vec![web]));
    assert!(stage.hear_resource("web", 2).gone);
    stage.wait_until_gone("satellite/resource/web");
    assert!(rig.files().is_empty() && rig.loops().is_empty());
}
