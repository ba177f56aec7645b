//! A small cluster to decide about, and everything that is printed of a cluster: each answer has to be JSON of its shape.

use std::sync::{Arc, LazyLock};

use zea::actors::controller::records::{batch_of, change_of};
use zea::model::change::Change;
use zea::model::cluster::Cluster;
use zea::model::decide::{decide, first_records, observe};
use zea::model::derive::desired_node;
use zea::model::desired::{DesiredResource, DesiredSnapshot, DesiredVolume, Order};
use zea::model::kinds::{ConnectionStatus, LayerKind, ProviderKind};
use zea::model::moment::{EpochMs, Moment};
use zea::model::names::{NodeName, PoolName};
use zea::model::observed::{NodeStatus, PoolStatus, Sighting};
use zea::model::report::{
    Capacity, LuksState, Report, ResourceReport, SatelliteFacts, SnapshotReport, VolumeReport, VolumeState,
};
use zea::model::size::Kib;
use zea::protocols::rest::body;
use zea::protocols::rest::command::{self, Request, Untranslated, translate};
use zea::protocols::rest::query::Query;
use zea::protocols::rest::render::json::Json;
use zea::protocols::rest::render::{definition, group, metrics, node, pool, props, resource, size_query, snapshot};
use zea::protocols::rest::routes::{self, Match, Route};
use zea::protocols::rest::{self as shapes};
use zea::store::{Memory, Store, Write};

/// What the cluster is made of: three nodes with a pool each, a group, a definition with two replicas and a snapshot.
const REQUESTS: &str = include_str!("cluster.txt");

/// The date that stands in answers.
pub const DATE: &str = "2026-01-01T00:00:00+00:00";

/// The moment of the decision with that number.
pub fn moment(number: u64) -> Moment {
    Moment::repeatable(EpochMs(1_767_225_600_000 + number as i64), number)
}

/// A cluster with something in it; made once, and a copy costs nothing.
pub fn small() -> Cluster {
    static SMALL: LazyLock<Cluster> = LazyLock::new(make);
    SMALL.clone()
}

fn make() -> Cluster {
    let mut cluster = Cluster::default();
    first_records(moment(0)).iter().for_each(|change| cluster.apply(change));
    for (number, block) in (1..).zip(REQUESTS.split("\n\n")) {
        let (_, order) = order(&cluster, block).expect("a route");
        let Ok(command::Order::Command(command, _)) = order else { panic!("{block}: {order:?}") };
        let decision = decide(&cluster, &command, moment(number)).unwrap_or_else(|why| panic!("{block}: {why:?}"));
        decision.changes.iter().for_each(|change| cluster.apply(change));
        see_all(&mut cluster);
        obey(&mut cluster, None, moment(number));
    }
    cluster
}

/// Every node is online and every pool has room.
fn see_all(cluster: &mut Cluster) {
    let facts = Arc::new(SatelliteFacts {
        uname: "host".to_owned(),
        version: "1".to_owned(),
        providers: ProviderKind::ALL.to_vec(),
        layers: LayerKind::ALL.to_vec(),
        unsupported_providers: Vec::new(),
        unsupported_layers: Vec::new(),
        tools: Vec::new(),
    });
    let nodes: Vec<(NodeName, Vec<PoolName>)> =
        cluster.nodes.iter().map(|(name, node)| (name.clone(), node.pools.keys().cloned().collect())).collect();
    for (name, pools) in nodes {
        let status =
            NodeStatus { status: ConnectionStatus::Online, facts: Some(facts.clone()), ..NodeStatus::unknown() };
        cluster.sight(Sighting::Node(name.clone(), status));
        for pool in pools {
            let capacity = Ok(Capacity { free: Kib(40 << 20), total: Kib(50 << 20) });
            let status = PoolStatus { capacity, supports_snapshots: true, granularity: Kib(4), warning: None };
            cluster.sight(Sighting::Pool(name.clone(), pool, status));
        }
    }
}

/// Most rounds of orders and reports: a snapshot takes four.
const MAX_ROUNDS: usize = 6;

/// Every node carries out what it is told, and reports it, until nothing follows from it.
pub fn obey(cluster: &mut Cluster, store: Option<&Memory>, moment: Moment) {
    for _ in 0..MAX_ROUNDS {
        let mut changed = false;
        for node in cluster.nodes.values().cloned().collect::<Vec<_>>() {
            for desired in desired_node(cluster, &node).1 {
                let seen = observe(cluster, &node.name, &Report::Resource(done(&desired)), moment);
                seen.sightings.into_iter().for_each(|sighting| cluster.sight(sighting));
                changed |= !seen.changes.is_empty();
                match store {
                    Some(store) => commit(cluster, store, &seen.changes),
                    None => seen.changes.iter().for_each(|change| cluster.apply(change)),
                }
            }
        }
        if !changed {
            return;
        }
    }
}

/// The report of a node that did as it was told.
fn done(desired: &DesiredResource) -> ResourceReport {
    let volume = |volume: &DesiredVolume| VolumeReport {
        number: volume.number,
        state: if desired.diskless { VolumeState::Diskless } else { VolumeState::Created },
        device_path: Some("/dev/loop0".to_owned()),
        backing_path: Some("/var/lib/x".to_owned()),
        allocated: Some(volume.size),
        usable: Some(volume.size),
        luks: volume.luks.as_ref().map(|_| LuksState::InForce),
    };
    let snapshot = |snapshot: &DesiredSnapshot| SnapshotReport {
        name: snapshot.name.clone(),
        present: snapshot.order != Order::Remove,
        taken: Some(EpochMs(1_767_225_600_000)),
        allocated: Some(Kib(4)),
        problem: None,
        remark: None,
    };
    ResourceReport {
        rsc: desired.rsc.clone(),
        generation: desired.generation,
        gone: desired.order == Order::Remove,
        volumes: desired.volumes.iter().filter(|volume| volume.order != Order::Remove).map(volume).collect(),
        snapshots: desired.snapshots.iter().map(snapshot).collect(),
        rolled_back: desired.rollback.as_ref().map(|rollback| rollback.token),
        in_use: Some(false),
        problem: None,
        refused: Vec::new(),
        seen: true,
    }
}

/// Translates a request line such as `PUT /v1/nodes/alpha?x=y`, with its body below. `None`: there is no such call.
pub fn order(cluster: &Cluster, text: &str) -> Option<(&'static Route, Result<command::Order, Untranslated>)> {
    let (line, body) = crate::first_line(text);
    let (method, target) = line.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Match::Found { route, params } = routes::find(method, path) else { return None };
    let params: Vec<(&str, String)> = params.iter().map(|(key, value)| (key, value.to_owned())).collect();
    let query = Query::parse(query);
    let request = Request { params: &params, query: &query, body: body.as_bytes(), cluster };
    Some((route, translate(route.operation, &request)))
}

/// Commits changes to the store as records, and takes them in. Each record has to give its change back, so that every
/// name in it is legal and nothing of it is lost.
pub fn commit(cluster: &mut Cluster, store: &Memory, changes: &[Change]) {
    let batch = batch_of(changes).expect("every change can be written");
    for (write, change) in batch.iter().zip(changes) {
        if let Write::Put(record) = write {
            let back = change_of(record).expect("what was written can be read");
            assert_eq!(back.as_ref(), Some(change), "read back from its record");
        }
    }
    store.commit(&[batch]).expect("a decision's records are taken");
    changes.iter().for_each(|change| cluster.apply(change));
}

/// Prints everything that there is to print of a cluster and reads it as what clients expect, and derives what its nodes
/// are told.
pub fn look_at(cluster: &Cluster) {
    for record in cluster.nodes.values() {
        prints::<shapes::node::Node>(|json| node::node(json, cluster, record));
        for record_of_pool in record.pools.values() {
            prints::<shapes::pool::StoragePool>(|json| {
                pool::storage_pool(json, cluster, (record, record_of_pool), DATE)
            });
        }
        let (pools, resources) = desired_node(cluster, record);
        pools.iter().for_each(crate::prints_the_same);
        resources.iter().for_each(crate::prints_the_same);
    }
    for record in cluster.groups.values() {
        prints::<shapes::group::ResourceGroup>(|json| group::group(json, record));
        prints::<shapes::size_query::QuerySizeInfoResponse>(|json| {
            size_query::size_info(json, cluster, &record.filter, DATE);
        });
        prints::<shapes::size_query::MaxVolumeSizes>(|json| {
            size_query::max_volume_sizes(json, cluster, &record.filter)
        });
    }
    look_at_definitions(cluster);
    for record in cluster.snapshots.values() {
        prints::<shapes::snapshot::Snapshot>(|json| snapshot::snapshot(json, cluster, record));
    }
    for record in cluster.key_value_stores.values() {
        prints::<shapes::kvs::KeyValueStore>(|json| props::key_value_store(json, record));
    }
    let mut text = String::new();
    metrics::nodes(&mut text, cluster);
    metrics::definitions(&mut text, cluster);
    metrics::resources(&mut text, cluster);
    metrics::storage_pools(&mut text, cluster);
}

fn look_at_definitions(cluster: &Cluster) {
    for record in cluster.definitions.values() {
        prints::<shapes::definition::ResourceDefinition>(|json| {
            definition::definition(json, record, definition::Volumes::With);
        });
        for (name, replica) in &record.resources {
            let place = resource::Place { cluster, definition: record, node: name, resource: replica };
            prints::<shapes::resource::Resource>(|json| resource::resource(json, place, resource::Volumes::With(DATE)));
        }
        for pair in definition::pairs(record) {
            let pair = [pair.0, pair.1];
            prints::<shapes::connection::ResourceConnection>(|json| {
                definition::resource_connection(json, cluster, record, pair);
            });
        }
    }
}

fn prints<T: serde::de::DeserializeOwned>(print: impl FnOnce(&mut Json)) {
    let mut json = Json::default();
    print(&mut json);
    let bytes = json.into_bytes();
    if let Err(error) = body::read::<T>(&bytes) {
        panic!("{error}: {}", String::from_utf8_lossy(&bytes));
    }
}
