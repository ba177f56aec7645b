//! The whole cluster as one value: durable records, what nodes told, and the indexes that keep work small.
//!
//! Persistent maps: a clone costs a few pointers and shares everything, so that every reader has a snapshot of its
//! own. All work of [`Cluster::apply`] depends on the record that changes, never on how many there are.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use super::change::Change;
use super::definition::ResourceDefinition;
use super::encryption::{Lock, MasterKey, WrappedKey};
use super::group::ResourceGroup;
use super::kvs::{ControllerRecord, KeyValueStore};
use super::names::{GroupName, KvsName, NodeName, PoolName, RscName, SnapName};
use super::node::{Node, NodeConnection, PoolDefinition};
use super::numbers::NumberPool;
use super::observed::{NodeStatus, PoolStatus, ResourceStatus, Sighting};
use super::small_map::SmallMap;
use super::snapshot::{Snapshot, SnapshotKey};
use super::usage::{PoolUsage, definition_usage, snapshot_usage};

/// Lowest DRBD minor that is handed out (facts: `MinorNrAutoRange`).
pub const FIRST_MINOR: u32 = 1000;
/// Highest DRBD minor that is handed out.
pub const LAST_MINOR: u32 = 49_999;

/// A pool of a node.
pub type PoolKey = (NodeName, PoolName);

/// The cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The controller's own record.
    pub controller: Arc<ControllerRecord>,
    /// Nodes.
    pub nodes: OrdMap<NodeName, Arc<Node>>,
    /// Connections of nodes, first name before second.
    pub node_connections: OrdMap<(NodeName, NodeName), Arc<NodeConnection>>,
    /// Pool definitions.
    pub pool_definitions: OrdMap<PoolName, Arc<PoolDefinition>>,
    /// Resource groups.
    pub groups: OrdMap<GroupName, Arc<ResourceGroup>>,
    /// Resource definitions.
    pub definitions: OrdMap<RscName, Arc<ResourceDefinition>>,
    /// Snapshots.
    pub snapshots: OrdMap<SnapshotKey, Arc<Snapshot>>,
    /// Key-value stores.
    pub key_value_stores: OrdMap<KvsName, Arc<KeyValueStore>>,

    /// What nodes told of themselves.
    pub node_status: OrdMap<NodeName, Arc<NodeStatus>>,
    /// What nodes told of pools.
    pub pool_status: OrdMap<PoolKey, Arc<PoolStatus>>,
    /// What nodes told of resources.
    pub resource_status: OrdMap<RscName, Arc<SmallMap<NodeName, ResourceStatus>>>,

    /// The master key, as long as it is known: in memory alone, never in a record.
    pub master_key: Option<MasterKey>,

    /// Index: definitions with a resource that has a LUKS layer.
    pub encrypted: OrdSet<RscName>,
    /// Index: definitions with a resource on the node.
    pub on_node: OrdMap<NodeName, OrdSet<RscName>>,
    /// Index: snapshots with a part on the node.
    pub snapshots_on_node: OrdMap<NodeName, OrdSet<SnapshotKey>>,
    /// Index: definitions of the group.
    pub in_group: OrdMap<GroupName, OrdSet<RscName>>,
    /// Index: what is in a pool.
    pub pool_usage: OrdMap<PoolKey, PoolUsage>,
    /// Index: definitions by external name.
    pub external_names: OrdMap<String, RscName>,
    /// Index: DRBD minors that are taken.
    pub minors: NumberPool,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            controller: Arc::default(),
            nodes: OrdMap::new(),
            node_connections: OrdMap::new(),
            pool_definitions: OrdMap::new(),
            groups: OrdMap::new(),
            definitions: OrdMap::new(),
            snapshots: OrdMap::new(),
            key_value_stores: OrdMap::new(),
            node_status: OrdMap::new(),
            pool_status: OrdMap::new(),
            resource_status: OrdMap::new(),
            master_key: None,
            encrypted: OrdSet::new(),
            on_node: OrdMap::new(),
            snapshots_on_node: OrdMap::new(),
            in_group: OrdMap::new(),
            pool_usage: OrdMap::new(),
            external_names: OrdMap::new(),
            minors: NumberPool::new(FIRST_MINOR, LAST_MINOR),
        }
    }
}

impl Cluster {
    /// Takes a durable fact in, indexes with it.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Controller(record) => self.controller = Arc::clone(record),
            Change::Node(name, record) => self.apply_node(name, record.as_ref()),
            Change::NodeConnection(a, b, record) => {
                put(&mut self.node_connections, (a.clone(), b.clone()), record.as_ref());
            }
            Change::PoolDefinition(name, record) => {
                put(&mut self.pool_definitions, name.clone(), record.as_ref());
            }
            Change::Group(name, record) => put(&mut self.groups, name.clone(), record.as_ref()),
            Change::Definition(name, record) => self.apply_definition(name, record.as_ref()),
            Change::Snapshot(key, record) => self.apply_snapshot(key, record.as_ref()),
            Change::KeyValueStore(name, record) => {
                put(&mut self.key_value_stores, name.clone(), record.as_ref());
            }
        }
    }

    /// Takes a volatile fact in.
    pub fn sight(&mut self, sighting: Sighting) {
        match sighting {
            Sighting::Node(name, status) => {
                if self.nodes.contains_key(&name) {
                    self.node_status.insert(name, Arc::new(status));
                }
            }
            Sighting::Pool(node, pool, status) => {
                if self.nodes.get(&node).is_some_and(|node| node.pools.contains_key(&pool)) {
                    self.pool_status.insert((node, pool), Arc::new(status));
                }
            }
            Sighting::Resource(rsc, node, status) => self.sight_resource(&rsc, node, status),
        }
    }

    /// Takes over what another view of the same cluster saw, as far as what it saw is known here, too.
    pub fn recall(&mut self, other: &Cluster) {
        for (name, status) in &other.node_status {
            self.sight(Sighting::Node(name.clone(), NodeStatus::clone(status)));
        }
        for ((node, pool), status) in &other.pool_status {
            self.sight(Sighting::Pool(node.clone(), pool.clone(), PoolStatus::clone(status)));
        }
        for (rsc, nodes) in &other.resource_status {
            for (node, status) in nodes.iter() {
                self.sight(Sighting::Resource(rsc.clone(), node.clone(), Some(status.clone())));
            }
        }
        let kept = |key: &&MasterKey| key.is_kept_in(&self.controller.props);
        self.master_key = other.master_key.as_ref().filter(kept).cloned();
    }

    /// Whether there is a master passphrase, and whether it was entered.
    #[must_use]
    pub fn lock(&self) -> Lock {
        match (&self.master_key, WrappedKey::kept_in(&self.controller.props)) {
            (Some(_), _) => Lock::Unlocked,
            (None, Some(_)) => Lock::Locked,
            (None, None) => Lock::Unset,
        }
    }

    fn sight_resource(&mut self, rsc: &RscName, node: NodeName, status: Option<ResourceStatus>) {
        let known = self.definitions.contains_key(rsc);
        let mut all = self.resource_status.get(rsc).map(|all| (**all).clone()).unwrap_or_default();
        match status {
            Some(status) if known => all.insert(node, status),
            _ => all.remove(&node),
        };
        if all.is_empty() {
            self.resource_status.remove(rsc);
        } else {
            self.resource_status.insert(rsc.clone(), Arc::new(all));
        }
    }

    fn apply_node(&mut self, name: &NodeName, record: Option<&Arc<Node>>) {
        let old = self.nodes.get(name).cloned();
        put(&mut self.nodes, name.clone(), record);
        let keeps = |pool: &PoolName| record.is_some_and(|node| node.pools.contains_key(pool));
        for pool in old.iter().flat_map(|node| node.pools.keys()).filter(|pool| !keeps(pool)) {
            self.pool_status.remove(&(name.clone(), pool.clone()));
        }
        if record.is_none() {
            self.node_status.remove(name);
        }
    }

    fn apply_definition(&mut self, name: &RscName, record: Option<&Arc<ResourceDefinition>>) {
        let old = self.definitions.get(name).cloned();
        if let Some(old) = &old {
            self.unindex_definition(old);
        }
        if let Some(new) = record {
            self.index_definition(new);
        }
        self.forget_status(name, record);
        put(&mut self.definitions, name.clone(), record);
    }

    fn unindex_definition(&mut self, old: &ResourceDefinition) {
        for (key, usage) in definition_usage(old) {
            let left = self.pool_usage.get(&key).copied().unwrap_or_default().minus(usage);
            put_if(&mut self.pool_usage, key, left, PoolUsage::is_empty);
        }
        for node in old.resources.keys() {
            remove_member(&mut self.on_node, node, &old.name);
        }
        remove_member(&mut self.in_group, &old.group, &old.name);
        self.encrypted.remove(&old.name);
        if let Some(external) = &old.external_name {
            self.external_names.remove(external);
        }
        for minor in old.volumes.values().filter_map(|volume| volume.minor) {
            self.minors.release(minor);
        }
    }

    fn index_definition(&mut self, new: &ResourceDefinition) {
        for (key, usage) in definition_usage(new) {
            let sum = self.pool_usage.get(&key).copied().unwrap_or_default().plus(usage);
            self.pool_usage.insert(key, sum);
        }
        for node in new.resources.keys() {
            self.on_node.entry(node.clone()).or_default().insert(new.name.clone());
        }
        self.in_group.entry(new.group.clone()).or_default().insert(new.name.clone());
        if new.resources.values().any(|resource| resource.is_encrypted(new)) {
            self.encrypted.insert(new.name.clone());
        }
        if let Some(external) = &new.external_name {
            self.external_names.insert(external.clone(), new.name.clone());
        }
        for minor in new.volumes.values().filter_map(|volume| volume.minor) {
            self.minors.take(minor);
        }
    }

    fn forget_status(&mut self, name: &RscName, record: Option<&Arc<ResourceDefinition>>) {
        let Some(status) = self.resource_status.get(name) else {
            return;
        };
        let gone = |node: &NodeName| record.is_none_or(|d| !d.resources.contains_key(node));
        let gone: Vec<NodeName> = status.keys().filter(|node| gone(node)).cloned().collect();
        for node in gone {
            self.sight_resource(name, node, None);
        }
    }

    fn apply_snapshot(&mut self, key: &SnapshotKey, record: Option<&Arc<Snapshot>>) {
        let old = self.snapshots.get(key).cloned();
        if let Some(old) = &old {
            for (pool, usage) in snapshot_usage(old) {
                let left = self.pool_usage.get(&pool).copied().unwrap_or_default().minus(usage);
                put_if(&mut self.pool_usage, pool, left, PoolUsage::is_empty);
            }
            for node in old.nodes.keys() {
                remove_member(&mut self.snapshots_on_node, node, key);
            }
        }
        if let Some(new) = record {
            for (pool, usage) in snapshot_usage(new) {
                let sum = self.pool_usage.get(&pool).copied().unwrap_or_default().plus(usage);
                self.pool_usage.insert(pool, sum);
            }
            for node in new.nodes.keys() {
                self.snapshots_on_node.entry(node.clone()).or_default().insert(key.clone());
            }
        }
        put(&mut self.snapshots, key.clone(), record);
    }

    /// Snapshots of a definition, by name.
    pub fn snapshots_of<'a>(&'a self, rsc: &'a RscName) -> impl Iterator<Item = &'a Arc<Snapshot>> {
        let first = SnapshotKey { rsc: rsc.clone(), name: lowest_snapshot_name() };
        self.snapshots.range(first..).map(|(_, s)| s).take_while(move |s| s.key.rsc == *rsc)
    }

    /// State of a node; one that was never heard of is offline.
    #[must_use]
    pub fn status_of(&self, node: &NodeName) -> Arc<NodeStatus> {
        let unknown = || Arc::new(NodeStatus::unknown());
        self.node_status.get(node).cloned().unwrap_or_else(unknown)
    }

    /// Whether the node's satellite is connected and in sync.
    #[must_use]
    pub fn is_online(&self, node: &NodeName) -> bool {
        self.node_status.get(node).is_some_and(|status| status.is_online())
    }

    /// State of a resource on a node, if the node told.
    #[must_use]
    pub fn resource_status_of(&self, rsc: &RscName, node: &NodeName) -> Option<&ResourceStatus> {
        self.resource_status.get(rsc)?.get(node)
    }
}

/// A name that sorts before (or equal to) every other legal snapshot name: `_` and digits sort before letters in
/// upper case only from the second character on, so the shortest name with the lowest letters.
fn lowest_snapshot_name() -> SnapName {
    SnapName::parse("A-").expect("two characters with a letter are a legal name")
}

fn put<K: Ord + Clone, V>(map: &mut OrdMap<K, Arc<V>>, key: K, record: Option<&Arc<V>>) {
    match record {
        Some(record) => map.insert(key, Arc::clone(record)),
        None => map.remove(&key),
    };
}

fn put_if<K: Ord + Clone, V: Clone>(map: &mut OrdMap<K, V>, key: K, value: V, is_empty: impl Fn(&V) -> bool) {
    if is_empty(&value) {
        map.remove(&key);
    } else {
        map.insert(key, value);
    }
}

fn remove_member<K: Ord + Clone, M: Ord + Clone>(map: &mut OrdMap<K, OrdSet<M>>, key: &K, member: &M) {
    let Some(members) = map.get_mut(key) else {
        return;
    };
    members.remove(member);
    if members.is_empty() {
        map.remove(key);
    }
}
