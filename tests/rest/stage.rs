//! What the tests play on: a cluster of two nodes that is made by hand, and a server for it on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use zea::actors::controller::api::{ClusterAnswer, ClusterMessage, View};
use zea::actors::controller::rest::{Api, Listen, server};
use zea::actors::system::{Behaviour, Context, Reply, Spec, System};
use zea::model::change::Change;
use zea::model::cluster::Cluster;
use zea::model::decide::first_records;
use zea::model::definition::ResourceDefinition;
use zea::model::group::ResourceGroup;
use zea::model::kinds::{ConnectionStatus, LayerKind, ProviderKind};
use zea::model::kvs::KeyValueStore;
use zea::model::moment::{EpochMs, Moment};
use zea::model::names::{GroupName, KvsName, NodeName, PoolName, RscName};
use zea::model::node::Node;
use zea::model::observed::{NodeStatus, PoolStatus, ResourceStatus, Sighting};
use zea::model::report::{Capacity, SatelliteFacts, VolumeReport, VolumeState};
use zea::model::size::Kib;
use zea::model::snapshot::{Snapshot, SnapshotKey};

use crate::runtime::system;

const UUID: &str = "a2a4d4f7-4c0e-4d7e-8f0b-6f5f6f0c9a01";
const RESOURCE_UUID: &str = "5e4d1a9c-2c0c-4c5c-9f57-0a6d3c1b7e11";
pub const MAX_BODY: usize = 64 * 1024;

fn record<T: serde::de::DeserializeOwned>(json: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(json).unwrap())
}

pub fn node_record(name: &str, address: &str) -> Arc<Node> {
    record(json!({"name":name,"uuid":UUID,"kind":"SATELLITE","flags":0,"props":{"Aux/site":"a=1","Aux/rack":"1"},
        "net_interfaces":{"default":{"name":"default","uuid":UUID,"address":address,
            "satellite":{"port":3367,"encryption":"SSL"}}},
        "active_interface":"default","pools":{
            "pool_ssd":{"name":"pool_ssd","uuid":UUID,"provider":"LVM","shared_space":null,"external_locking":false,
                "props":{"StorDriver/StorPoolName":"vg0"}},
            "DfltDisklessStorPool":{"name":"DfltDisklessStorPool","uuid":UUID,"provider":"DISKLESS",
                "shared_space":null,"external_locking":false}}}))
}

pub fn definition_record(name: &str, minor: Option<u32>) -> Arc<ResourceDefinition> {
    let layers = if minor.is_some() { json!(["DRBD", "STORAGE"]) } else { json!(["STORAGE"]) };
    let drbd = minor.map(|_| json!({"peer_slots":7,"secret":"s3cr3t"}));
    let ports = minor.map(|_| json!([7000])).unwrap_or(json!([]));
    let volume = json!({"0":{"uuid":UUID,"pool":"pool_ssd","provider":"LVM","made":true}});
    let replica = json!({"uuid":RESOURCE_UUID,"created":1767225600123_i64,"node_id":minor.map(|_| 0),"ports":ports,
        "props":{"StorPoolName":"pool_ssd"},"volumes":volume});
    let client = json!({"uuid":UUID,"flags":0x104,"created":1767225600124_i64,"node_id":minor.map(|_| 1),
        "ports":ports,"props":{"StorPoolName":"DfltDisklessStorPool"},
        "volumes":{"0":{"uuid":UUID,"pool":"DfltDisklessStorPool","provider":"DISKLESS"}}});
    record(json!({"name":name,"uuid":UUID,"group":"DfltRscGrp","flags":0,"layers":layers,"drbd":drbd,
        "props":{"Aux/owner":"me"},"generation":1,"is_clone":false,
        "volumes":{"0":{"number":0,"uuid":UUID,"size":1048576,"minor":minor}},
        "resources":{"alpha":replica,"beta":client}}))
}

fn name<T>(parse: impl Fn(&str) -> Result<T, zea::model::names::NameError>, text: &str) -> T {
    parse(text).unwrap()
}

/// Two nodes, of which `alpha` is online and has told everything; `Res1` with DRBD on both; a snapshot, a store.
pub fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    first_records(Moment::repeatable(EpochMs(0), 1)).iter().for_each(|change| cluster.apply(change));
    for (text, address) in [("Alpha", "10.0.0.1"), ("beta", "fd00::2")] {
        cluster.apply(&Change::Node(name(NodeName::parse, text), Some(node_record(text, address))));
    }
    let group: Arc<ResourceGroup> = record(json!({"name":"Fast","uuid":UUID,"description":"d\"quoted\"",
        "filter":{"place_count":2,"pools":["pool_ssd"],"same":["Aux/site"],"x_different":{"Aux/rack":1},
            "layers":["DRBD","STORAGE"],"providers":[],"diskless_on_remaining":false},
        "volumes":{"0":{"number":0,"uuid":UUID,"flags":1}}}));
    cluster.apply(&Change::Group(name(GroupName::parse, "Fast"), Some(group)));
    cluster.apply(&Change::Definition(name(RscName::parse, "Res1"), Some(definition_record("Res1", Some(1000)))));
    let key =
        SnapshotKey { rsc: name(RscName::parse, "Res1"), name: zea::model::names::SnapName::parse("snap1").unwrap() };
    let snapshot: Arc<Snapshot> =
        record(json!({"key":key,"uuid":UUID,"flags":1,"sequence":1,"props":{"Aux/owner":"you"},
        "definition_props":{"Aux/owner":"me","Aux/x":"1"},"layers":["DRBD","STORAGE"],"volumes":{"0":{"size":1048576}},
        "nodes":{"alpha":{"uuid":UUID,"created":1767225600500_i64,"taken":true,
            "volumes":{"0":{"uuid":UUID,"pool":"pool_ssd","provider":"LVM"}}}}}));
    cluster.apply(&Change::Snapshot(key, Some(snapshot)));
    let store: Arc<KeyValueStore> = record(json!({"name":"csi-backup-mapping","uuid":UUID,"props":{"a/b":"c"}}));
    cluster.apply(&Change::KeyValueStore(name(KvsName::parse, "csi-backup-mapping"), Some(store)));
    sight_alpha(&mut cluster);
    cluster
}

fn sight_alpha(cluster: &mut Cluster) {
    let alpha = name(NodeName::parse, "alpha");
    let facts = SatelliteFacts {
        uname: "alpha".into(),
        version: "0.1.0".into(),
        providers: vec![ProviderKind::Diskless, ProviderKind::Lvm],
        layers: vec![LayerKind::Storage],
        unsupported_providers: vec![(ProviderKind::Zfs, vec!["no zfs".into()])],
        unsupported_layers: vec![],
        tools: vec![],
    };
    let status = NodeStatus { status: ConnectionStatus::Online, facts: Some(Arc::new(facts)), ..NodeStatus::unknown() };
    cluster.sight(Sighting::Node(alpha.clone(), status));
    let capacity = Ok(Capacity { free: Kib::new(4_000_000), total: Kib::new(8_000_000) });
    let pool = PoolStatus { capacity, supports_snapshots: false, granularity: Kib::new(4), warning: None };
    cluster.sight(Sighting::Pool(alpha.clone(), name(PoolName::parse, "pool_ssd"), pool));
    let volume = VolumeReport {
        number: zea::model::names::VolumeNumber::new(0).unwrap(),
        state: VolumeState::UpToDate,
        device_path: Some("/dev/drbd1000".into()),
        backing_path: Some("/dev/vg0/res1_00000".into()),
        allocated: Some(Kib::new(1_052_672)),
        usable: Some(Kib::new(1_048_576)),
        luks: None,
    };
    let told =
        ResourceStatus { generation: 1, volumes: vec![volume], in_use: Some(false), problem: None, taken_back: false };
    cluster.sight(Sighting::Resource(name(RscName::parse, "Res1"), alpha, Some(told)));
}

/// Stands in for the cluster actor: takes everything.
struct Taker;

impl Behaviour for Taker {
    type Message = ClusterMessage;
    fn handle(&mut self, _: ClusterMessage, reply: Reply<ClusterAnswer>, _: &mut Context<ClusterMessage>) {
        reply.send(ClusterAnswer::Taken);
    }
}

/// A served cluster; it ends with the value.
pub struct Stage {
    pub address: SocketAddr,
    pub api: Api,
    pub system: System,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.system.stop();
        let _ = self.system.wait();
    }
}

pub fn serve(cluster: Cluster) -> Stage {
    let (system, _) = system();
    let actor = system.spawn(Spec::new("cluster", || Taker)).unwrap();
    let mut api = Api::new(actor, View::of(cluster), system.registry().clone());
    api.inject_panic = true;
    let listen = Listen { name: "rest", address: ([127, 0, 0, 1], 0).into(), max_body: MAX_BODY, workers: 1 };
    let (spec, mut bound) = server(api.clone(), listen);
    system.spawn(spec).unwrap();
    let address = system.workers().block_on(async {
        let bound = tokio::time::timeout(crate::runtime::GENEROUS, bound.wait_for(Option::is_some)).await;
        bound.expect("in time").expect("the server lives").expect("an address")
    });
    Stage { address, api, system }
}
