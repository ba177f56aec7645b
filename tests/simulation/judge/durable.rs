//! Acknowledged is durable: after any crash the store gives back every commit that ended, and of the one that was cut off
//! a part in whole decisions. And nothing leaves before its commit: what readers, clients and nodes get is in it.

use zea::model::change::Change;
use zea::model::cluster::Cluster;
use zea::model::definition::ResourceDefinition;
use zea::model::desired::DesiredResource;

/// See the module.
#[derive(Default)]
pub struct Durable {
    cluster: Cluster,
    begun: u64,
    ended: u64,
    in_flight: Option<Vec<Vec<Change>>>,
    /// Something was decided that is in no commit yet.
    dirty: bool,
}

impl Durable {
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Commits that have ended.
    pub fn commits(&self) -> u64 {
        self.ended
    }

    pub fn changed(&mut self, changed: bool) {
        self.dirty |= changed;
    }

    /// How many commits must have ended before anybody hears of what was just decided.
    pub fn needed(&mut self, changed: bool) -> u64 {
        self.dirty |= changed;
        self.begun + u64::from(self.dirty)
    }

    pub fn begins(&mut self, decisions: &[Vec<Change>]) {
        self.begun += 1;
        self.dirty = false;
        self.in_flight = Some(decisions.to_vec());
    }

    pub fn ends(&mut self) {
        for change in self.in_flight.take().into_iter().flatten().flatten() {
            self.cluster.apply(&change);
        }
        self.ended = self.begun;
    }

    /// A store was read.
    pub fn loaded(&mut self, changes: &[Change], aside: &[String]) -> Result<(), String> {
        let mut found = Cluster::default();
        changes.iter().for_each(|change| found.apply(change));
        let decisions = self.in_flight.take().unwrap_or_default();
        let mut expected = self.cluster.clone();
        forget(&mut expected, aside);
        let first = difference(&expected, &found);
        // A record may have been put aside before the last decision made it anew, or after that.
        let mut fits = fits(&expected, &found, aside);
        for decision in decisions {
            if fits {
                break;
            }
            decision.iter().for_each(|change| expected.apply(change));
            fits = self::fits(&expected, &found, aside);
        }
        self.cluster = found;
        self.ended = self.begun;
        self.dirty = false;
        if fits { Ok(()) } else { Err(format!("after the load: {}", first.unwrap_or_default())) }
    }

    /// Whether a state that readers see is exactly the durable one.
    pub fn holds(&self, shown: &Cluster) -> Result<(), String> {
        match difference(&self.cluster, shown) {
            None => Ok(()),
            Some(what) => Err(what),
        }
    }

    /// Whether what a node gets to know is durable.
    pub fn has_reached(&self, desired: &DesiredResource) -> Result<(), String> {
        let Some(definition) = self.cluster.definitions.get(&desired.rsc) else {
            return Ok(());
        };
        let same = definition.generation >> 32 == desired.generation >> 32;
        if same && definition.generation < desired.generation {
            return Err(format!(
                "generation {} of {}, and {} is the durable one",
                desired.generation & 0xFFFF_FFFF,
                desired.rsc,
                definition.generation & 0xFFFF_FFFF
            ));
        }
        Ok(())
    }
}

/// Whether a store holds what is expected, but for what was put aside.
fn fits(expected: &Cluster, found: &Cluster, aside: &[String]) -> bool {
    let mut without = expected.clone();
    forget(&mut without, aside);
    difference(expected, found).is_none() || difference(&without, found).is_none()
}

/// Whether anything durable differs.
pub fn differ(a: &Cluster, b: &Cluster) -> bool {
    let same = std::sync::Arc::ptr_eq(&a.controller, &b.controller)
        && a.nodes.ptr_eq(&b.nodes)
        && a.node_connections.ptr_eq(&b.node_connections)
        && a.pool_definitions.ptr_eq(&b.pool_definitions)
        && a.groups.ptr_eq(&b.groups)
        && a.definitions.ptr_eq(&b.definitions)
        && a.snapshots.ptr_eq(&b.snapshots)
        && a.key_value_stores.ptr_eq(&b.key_value_stores);
    !same && difference(a, b).is_some()
}

/// The first durable thing in which two states differ.
fn difference(a: &Cluster, b: &Cluster) -> Option<String> {
    macro_rules! compare {
        ($($map:ident),+) => {$(
            if !a.$map.ptr_eq(&b.$map) {
                let gone = a.$map.iter().find(|(key, value)| b.$map.get(*key) != Some(*value));
                let new = b.$map.iter().find(|(key, _)| !a.$map.contains_key(*key));
                if let Some(key) = gone.map(|(key, _)| key).or(new.map(|(key, _)| key)) {
                    return Some(format!("another {} {key:?}", stringify!($map)));
                }
            }
        )+};
    }
    if a.controller != b.controller {
        return Some("another controller record".to_owned());
    }
    compare!(nodes, node_connections, pool_definitions, groups, definitions, snapshots, key_value_stores);
    None
}

/// Records that were put aside are expected to be missing.
fn forget(cluster: &mut Cluster, aside: &[String]) {
    for key in aside {
        let (kind, name) = key.split_once('/').unwrap_or((key, ""));
        let change = match kind {
            "resource-definition" => {
                find(cluster.definitions.keys(), name, |key| key.key()).map(|key| Change::Definition(key, None))
            }
            "snapshot" => find(cluster.snapshots.keys(), name, |key| format!("{}/{}", key.rsc.key(), key.name.key()))
                .map(|key| Change::Snapshot(key, None)),
            "resource-group" => find(cluster.groups.keys(), name, |key| key.key()).map(|key| Change::Group(key, None)),
            "pool-definition" => find(cluster.pool_definitions.keys(), name, |key| key.key())
                .map(|key| Change::PoolDefinition(key, None)),
            "key-value-store" => {
                find(cluster.key_value_stores.keys(), name, |key| key.key()).map(|key| Change::KeyValueStore(key, None))
            }
            "node-connection" => {
                find(cluster.node_connections.keys(), name, |(a, b)| format!("{}/{}", a.key(), b.key()))
                    .map(|(a, b)| Change::NodeConnection(a, b, None))
            }
            _ => None,
        };
        if let Some(change) = change {
            cluster.apply(&change);
        }
    }
}

fn find<'a, K: Clone + 'a>(keys: impl Iterator<Item = &'a K>, name: &str, text: impl Fn(&K) -> String) -> Option<K> {
    keys.into_iter().find(|key| text(key) == name).cloned()
}

/// Whether the indexes of a state are those of its records.
pub fn indexes(cluster: &Cluster) -> Result<(), String> {
    let mut fresh = Cluster::default();
    for definition in cluster.definitions.values() {
        let record = std::sync::Arc::clone(definition);
        fresh.apply(&Change::Definition(record.name.clone(), Some(record)));
    }
    for snapshot in cluster.snapshots.values() {
        let record = std::sync::Arc::clone(snapshot);
        fresh.apply(&Change::Snapshot(record.key.clone(), Some(record)));
    }
    let same = fresh.pool_usage == cluster.pool_usage
        && fresh.on_node == cluster.on_node
        && fresh.snapshots_on_node == cluster.snapshots_on_node
        && fresh.in_group == cluster.in_group
        && fresh.external_names == cluster.external_names
        && fresh.encrypted == cluster.encrypted;
    let minors =
        |definition: &ResourceDefinition| definition.volumes.values().filter_map(|v| v.minor).collect::<Vec<_>>();
    let mut taken: Vec<u32> = cluster.definitions.values().flat_map(|definition| minors(definition)).collect();
    let count = taken.len();
    taken.sort_unstable();
    taken.dedup();
    if !same || taken.len() != count {
        return Err("an index differs from one that is made anew, or a minor number is twice in use".to_owned());
    }
    Ok(())
}
