//! Small clusters out of text, for tests of the model. One object a line, words apart by blanks, `#` begins a remark:
//!
//! ```text
//! ctrl Key=value ...                                     the controller's properties
//! spd  data Key=value ...                                a pool definition's
//! grp  name Key=value ...                                a resource group
//! node alpha [offline|connected|unheard] [deleting|evicted|evacuate] [kind=AUXILIARY] [layers=DRBD,STORAGE]
//!            [providers=LVM] [drbd=9.2.8] [Key=value ...]
//! pool alpha data LVM_THIN 50/100 [shared=space] [Key=value ...]   free/total in KiB, `sick`, or `unseen`
//! rsc  web 10 alpha/data beta/data:made gamma/-:skip [grp=name] [Key=value ...]   `-` = without disk; marks after
//!            colons: made, deleting, evacuate, evicted, tiebreaker
//! snap web snap1 alpha/data ...                          in the size of the definition's volume
//! ```
//! A node is online with every layer and kind, and has `DfltDisklessStorPool`, unless its line says otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::Change;
use super::cluster::Cluster;
use super::definition::{Resource, ResourceDefinition, Volume, VolumeDefinition};
use super::desired::Origin;
use super::group::{DEFAULT_GROUP, ResourceGroup, SelectFilter};
use super::kinds::{
    ConnectionStatus, DefinitionFlags, LayerKind, NodeFlags, NodeKind, ProviderKind, ResourceFlags, SnapshotFlags,
    SnapshotNodeFlags, VolumeDefinitionFlags, VolumeFlags,
};
use super::kvs::ControllerRecord;
use super::moment::{EpochMs, Uuid};
use super::names::{GroupName, NodeName, PoolName, RscName, SharedSpaceName, SnapName, VolumeNumber};
use super::node::{DISKLESS_POOL, Node, PoolDefinition, StoragePool};
use super::observed::{NodeStatus, PoolStatus, Sighting};
use super::props::Props;
use super::report::{Capacity, Problem, SatelliteFacts, ToolReport};
use super::size::Kib;
use super::small_map::SmallMap;
use super::snapshot::{Snapshot, SnapshotKey, SnapshotNode, SnapshotVolume, SnapshotVolumeDefinition};

/// A node's name.
pub(crate) fn node(text: &str) -> NodeName {
    NodeName::parse(text).expect("legal node name")
}

/// A pool's name.
pub(crate) fn pool(text: &str) -> PoolName {
    PoolName::parse(text).expect("legal pool name")
}

/// A definition's name.
pub(crate) fn rsc(text: &str) -> RscName {
    RscName::parse(text).expect("legal resource name")
}

/// A number of a volume.
pub(crate) fn volume(number: u32) -> VolumeNumber {
    VolumeNumber::new(number).expect("legal volume number")
}

/// The cluster of a text.
pub(crate) fn cluster(text: &str) -> Cluster {
    let mut cluster = Cluster::default();
    extend(&mut cluster, text);
    cluster
}

/// Adds what the text describes.
pub(crate) fn extend(cluster: &mut Cluster, text: &str) {
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [] => {}
            ["ctrl", ref rest @ ..] => controller(cluster, rest),
            ["spd", name, ref rest @ ..] => pool_definition(cluster, name, rest),
            ["grp", name, ref rest @ ..] => group(cluster, name, rest),
            ["node", name, ref rest @ ..] => add_node(cluster, name, rest),
            ["pool", node, name, kind, room, ref rest @ ..] => add_pool(cluster, [node, name, kind, room], rest),
            ["rsc", name, size, ref rest @ ..] => definition(cluster, name, size, rest),
            ["snap", of, name, ref places @ ..] => snapshot(cluster, of, name, places),
            _ => panic!("not understood: {line}"),
        }
    }
}

/// A filter of a text: `count=2 nodes=a,b pools=p diskless_pools=p not_with=web regex=^w same=Aux/z different=Aux/r
/// x=Aux/z:2 providers=LVM layers=DRBD,STORAGE`.
pub(crate) fn filter(text: &str) -> SelectFilter {
    let mut filter = SelectFilter::default();
    for word in text.split_whitespace() {
        let (key, value) = word.split_once('=').expect("key=value");
        let texts = || value.split(',').map(str::to_owned).collect::<Vec<_>>();
        match key {
            "count" => filter.place_count = Some(value.parse().expect("a count")),
            "nodes" => filter.nodes = Some(value.split(',').map(node).collect()),
            "pools" => filter.pools = Some(value.split(',').map(pool).collect()),
            "diskless_pools" => filter.diskless_pools = Some(value.split(',').map(pool).collect()),
            "not_with" => filter.not_with = Some(texts()),
            "regex" => filter.not_with_regex = Some(value.to_owned()),
            "same" => filter.same = Some(texts()),
            "different" => filter.different = Some(texts()),
            "x" => filter.x_different = Some(value.split(',').map(x_rule).collect()),
            "providers" => filter.providers = Some(value.split(',').map(provider).collect()),
            "layers" => filter.layers = Some(value.split(',').map(layer).collect()),
            _ => panic!("no such part of a filter: {word}"),
        }
    }
    filter
}

fn x_rule(text: &str) -> (String, u32) {
    let (key, count) = text.split_once(':').expect("key:count");
    (key.to_owned(), count.parse().expect("a count"))
}

fn provider(text: &str) -> ProviderKind {
    ProviderKind::parse(text).expect("a provider kind")
}

fn layer(text: &str) -> LayerKind {
    LayerKind::parse(text).expect("a layer kind")
}

/// Properties of the words that are no option: `Key=value` with a capital letter.
fn props(words: &[&str]) -> Props {
    let mut props = Props::default();
    for word in words {
        if let Some((key, value)) = word.split_once('=')
            && key.starts_with(|c: char| c.is_ascii_uppercase())
        {
            let _ = props.set(key, value);
        }
    }
    props
}

fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let mut pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn controller(cluster: &mut Cluster, words: &[&str]) {
    let record = ControllerRecord { props: props(words), ..ControllerRecord::default() };
    cluster.apply(&Change::Controller(Arc::new(record)));
}

fn pool_definition(cluster: &mut Cluster, name: &str, words: &[&str]) {
    let name = pool(name);
    let record = PoolDefinition { name: name.clone(), uuid: Uuid::default(), props: props(words) };
    cluster.apply(&Change::PoolDefinition(name, Some(Arc::new(record))));
}

fn group(cluster: &mut Cluster, name: &str, words: &[&str]) {
    let name = GroupName::parse(name).expect("legal group name");
    let record = ResourceGroup {
        name: name.clone(),
        uuid: Uuid::default(),
        description: None,
        props: props(words),
        filter: SelectFilter::default(),
        peer_slots: None,
        volumes: BTreeMap::new(),
    };
    cluster.apply(&Change::Group(name, Some(Arc::new(record))));
}

fn add_node(cluster: &mut Cluster, name: &str, words: &[&str]) {
    let name = node(name);
    let flags = words.iter().filter_map(|word| match *word {
        "deleting" => Some(NodeFlags::DELETE),
        "evicted" => Some(NodeFlags::EVICTED),
        "evacuate" => Some(NodeFlags::EVACUATE),
        _ => None,
    });
    let diskless = storage_pool(DISKLESS_POOL, ProviderKind::Diskless, &[]);
    let kind = option(words, "kind").unwrap_or("SATELLITE");
    let record = Node {
        name: name.clone(),
        uuid: Uuid::default(),
        kind: NodeKind::parse(kind).expect("a node kind"),
        flags: flags.fold(NodeFlags::NONE, NodeFlags::with),
        props: props(words),
        net_interfaces: BTreeMap::new(),
        active_interface: None,
        pools: BTreeMap::from([(diskless.name.clone(), diskless)]),
        evicted_at: None,
    };
    cluster.apply(&Change::Node(name.clone(), Some(Arc::new(record))));
    if !words.contains(&"unheard") {
        cluster.sight(Sighting::Node(name, node_status(words)));
    }
}

fn node_status(words: &[&str]) -> NodeStatus {
    let status = match words {
        _ if words.contains(&"offline") => ConnectionStatus::Offline,
        _ if words.contains(&"connected") => ConnectionStatus::Connected,
        _ => ConnectionStatus::Online,
    };
    let lists = |name: &str| option(words, name).map(|list| list.split(','));
    let drbd = option(words, "drbd").map(|version| ToolReport {
        name: "DRBD9_KERNEL".to_owned(),
        version: Some(version.to_owned()),
        reasons: Vec::new(),
    });
    let facts = SatelliteFacts {
        uname: "host".to_owned(),
        version: "1".to_owned(),
        providers: lists("providers").map_or(ProviderKind::ALL.to_vec(), |list| list.map(provider).collect()),
        layers: lists("layers").map_or(LayerKind::ALL.to_vec(), |list| list.map(layer).collect()),
        unsupported_providers: vec![(ProviderKind::Zfs, vec!["zpool is not installed".to_owned()])],
        unsupported_layers: vec![(LayerKind::Drbd, vec!["module drbd is not loaded".to_owned()])],
        tools: drbd.into_iter().collect(),
    };
    NodeStatus {
        status,
        since: EpochMs(1_767_225_600_000),
        attempts: 0,
        facts: Some(Arc::new(facts)),
        reason: (status != ConnectionStatus::Online).then(|| "connection refused".to_owned()),
    }
}

fn storage_pool(name: &str, provider: ProviderKind, words: &[&str]) -> StoragePool {
    StoragePool {
        name: pool(name),
        uuid: Uuid::default(),
        provider,
        shared_space: option(words, "shared").map(|space| SharedSpaceName::parse(space).expect("legal space name")),
        external_locking: false,
        props: props(words),
    }
}

fn add_pool(cluster: &mut Cluster, [on, name, kind, room]: [&str; 4], words: &[&str]) {
    let on = node(on);
    let mut record = (**cluster.nodes.get(&on).expect("the pool's node comes first")).clone();
    let made = storage_pool(name, provider(kind), words);
    record.pools.insert(made.name.clone(), made);
    cluster.apply(&Change::Node(on.clone(), Some(Arc::new(record))));
    if room != "unseen" {
        let status =
            PoolStatus { capacity: capacity(room), supports_snapshots: true, granularity: Kib(4), warning: None };
        cluster.sight(Sighting::Pool(on, pool(name), status));
    }
}

fn capacity(text: &str) -> Result<Capacity, Problem> {
    let Some((free, total)) = text.split_once('/') else {
        return Err(Problem {
            message: "The pool was not found".to_owned(),
            cause: "no such volume group".to_owned(),
            correction: "create it".to_owned(),
            details: String::new(),
        });
    };
    let kib = |text: &str| Kib(text.parse().expect("KiB"));
    Ok(Capacity { free: kib(free), total: kib(total) })
}

fn definition(cluster: &mut Cluster, name: &str, size: &str, words: &[&str]) {
    let size = Kib(size.parse().expect("KiB"));
    let places = words.iter().filter(|word| word.contains('/') && !word.contains('='));
    let group = option(words, "grp").unwrap_or(DEFAULT_GROUP);
    let volume_definition = VolumeDefinition {
        number: volume(0),
        uuid: Uuid::default(),
        size,
        flags: VolumeDefinitionFlags::NONE,
        minor: None,
        cut: None,
        props: Props::default(),
    };
    let record = ResourceDefinition {
        name: rsc(name),
        external_name: None,
        uuid: Uuid::default(),
        group: GroupName::parse(group).expect("legal group name"),
        flags: DefinitionFlags::NONE,
        layers: vec![LayerKind::Drbd, LayerKind::Storage],
        drbd: None,
        props: props(words),
        volumes: SmallMap::from([(volume(0), volume_definition)]),
        resources: places.map(|place| resource(cluster, place)).collect(),
        connections: Vec::new(),
        clone_source: None,
        is_clone: false,
        generation: 1,
    };
    cluster.apply(&Change::Definition(rsc(name), Some(Arc::new(record))));
}

fn resource(cluster: &Cluster, place: &str) -> (NodeName, Resource) {
    let (place, marks) = place.split_once(':').unwrap_or((place, ""));
    let marks: Vec<&str> = marks.split(':').collect();
    let (on, name) = place.split_once('/').expect("node/pool");
    let on = node(on);
    let name = pool(if name == "-" { DISKLESS_POOL } else { name });
    let provider = cluster.nodes[&on].pools[&name].provider;
    let mut flags = ResourceFlags::NONE;
    if provider == ProviderKind::Diskless {
        flags = flags.with(ResourceFlags::DRBD_DISKLESS);
    }
    for (mark, flag) in [
        ("deleting", ResourceFlags::DELETE),
        ("evacuate", ResourceFlags::EVACUATE),
        ("evicted", ResourceFlags::EVICTED),
        ("tiebreaker", ResourceFlags::TIE_BREAKER),
    ] {
        flags = if marks.contains(&mark) { flags.with(flag) } else { flags };
    }
    let made = Volume {
        uuid: Uuid::default(),
        pool: name,
        provider,
        flags: VolumeFlags::NONE,
        made: marks.contains(&"made"),
        origin: Origin::Blank,
        key: None,
        props: Props::default(),
    };
    let record = Resource {
        uuid: Uuid::default(),
        flags,
        created: EpochMs(0),
        ordered: 1,
        node_id: None,
        ports: Vec::new(),
        layers: None,
        rollback: None,
        props: Props::default(),
        volumes: SmallMap::from([(volume(0), made)]),
    };
    (on, record)
}

fn snapshot(cluster: &mut Cluster, of: &str, name: &str, places: &[&str]) {
    let name = SnapName::parse(name).expect("legal snapshot name");
    let key = SnapshotKey { rsc: rsc(of), name };
    let size = cluster.definitions[&key.rsc].total_size();
    let part = |place: &&str| {
        let (on, held) = place.split_once('/').expect("node/pool");
        let provider = cluster.nodes[&node(on)].pools[&pool(held)].provider;
        let held = SnapshotVolume { uuid: Uuid::default(), pool: pool(held), provider, override_id: None, key: None };
        let part = SnapshotNode {
            uuid: Uuid::default(),
            flags: SnapshotNodeFlags::NONE,
            created: EpochMs(0),
            taken: true,
            remark: None,
            volumes: BTreeMap::from([(volume(0), held)]),
        };
        (node(on), part)
    };
    let record = Snapshot {
        key: key.clone(),
        uuid: Uuid::default(),
        flags: SnapshotFlags::SUCCESSFUL,
        ordered: 1,
        sequence: 1,
        props: Props::default(),
        definition_props: Props::default(),
        layers: vec![LayerKind::Drbd, LayerKind::Storage],
        volumes: BTreeMap::from([(volume(0), SnapshotVolumeDefinition { size, props: Props::default() })]),
        nodes: places.iter().map(part).collect(),
    };
    cluster.apply(&Change::Snapshot(key, Some(Arc::new(record))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_cluster() {
        let cluster = cluster(
            "node alpha Aux/zone=a # the first
             pool alpha data LVM_THIN 50/100
             node beta offline evicted
             rsc web 10 alpha/data:made beta/-
             snap web one alpha/data",
        );
        assert!(cluster.is_online(&node("alpha")) && !cluster.is_online(&node("beta")));
        assert_eq!(cluster.nodes[&node("alpha")].props.get("Aux/zone"), Some("a"));
        assert!(cluster.nodes[&node("beta")].flags.has(NodeFlags::EVICTED));
        let web = &cluster.definitions[&rsc("web")];
        assert_eq!(web.diskful().count(), 1);
        let usage = cluster.pool_usage[&(node("alpha"), pool("data"))];
        assert_eq!((usage.volumes_kib, usage.pending_kib, usage.snapshots_kib), (10, 0, 10));
    }
}
