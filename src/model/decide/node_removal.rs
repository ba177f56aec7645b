//! Decisions by which nodes leave the cluster: deleted when nothing is left on them but empty pools, or given up as lost
//! with all that they had. Never lets go of a node that still answers together with its data.

use super::draft::Draft;
use super::node::diskless_pool_name;
use super::notes::{already_gone, join};
use super::toggle::MIGRATE_FROM;
use crate::model::change::Change;
use crate::model::code::*;
use crate::model::definition::ResourceDefinition;
use crate::model::kinds::{ConnectionStatus, DefinitionFlags};
use crate::model::names::{NodeName, PoolName, RscName};
use crate::model::node::Node;
use crate::model::props::Props;
use crate::model::refusal::{Note, Refusal};
use crate::model::snapshot::{Snapshot, SnapshotKey};

/// Deletes a node on which nothing is left. Its pools go with it: they are as empty as the node is.
pub(super) fn delete(draft: &mut Draft, name: &NodeName) -> Result<(), Refusal> {
    let Some(node) = draft.cluster.nodes.get(name).cloned() else {
        draft.note(already_gone(format!("Node '{name}'")));
        return Ok(());
    };
    let resources = resources_on(draft, name);
    if !resources.is_empty() {
        return Err(occupied(name, "resources", join(resources)));
    }
    let snapshots = snapshots_on(draft, name);
    if !snapshots.is_empty() {
        let names = snapshots.iter().map(|key| format!("{} of {}", key.name, key.rsc));
        return Err(occupied(name, "snapshots", join(names)));
    }
    forget(draft, name);
    for pool in own_pools(&node) {
        let text = format!("Storage pool '{pool}' on node '{name}' deleted with its node");
        let note = Note::success(DELETED, text).of(Operation::Delete, ObjectKind::StoragePool);
        draft.note(note.about("Node", name).about("StorPoolDfn", pool).about("StorPool", pool));
    }
    draft.note(farewell(&node, "deleted"));
    Ok(())
}

/// Forgets a node that does not answer, with its resources, snapshots and connections. Nothing is asked of it.
pub(super) fn lose(draft: &mut Draft, name: &NodeName) -> Result<(), Refusal> {
    let Some(node) = draft.cluster.nodes.get(name).cloned() else {
        draft.note(already_gone(format!("Node '{name}'")));
        return Ok(());
    };
    let status = draft.cluster.status_of(name).status;
    if matches!(status, ConnectionStatus::Online | ConnectionStatus::Connected) {
        return Err(Refusal::new(FAIL_EXISTS_NODE_CONN, format!("Node '{name}' is connected and therefore not lost"))
            .because("A node that answers would keep its resources, and nobody would know of them")
            .cure("Delete or evacuate its resources and then delete the node; or end its satellite first")
            .about("Node", name));
    }
    forget(draft, name);
    draft.note(farewell(&node, "is lost and was deleted"));
    Ok(())
}

/// Whether the node has resources, or pools beside the one without storage.
pub(super) fn has_storage(draft: &Draft, node: &Node) -> bool {
    draft.cluster.on_node.contains_key(&node.name) || own_pools(node).next().is_some()
}

/// Definitions with a resource on the node.
pub(super) fn resources_on(draft: &Draft, node: &NodeName) -> Vec<RscName> {
    draft.cluster.on_node.get(node).into_iter().flatten().cloned().collect()
}

/// Snapshots with a part on the node.
pub(super) fn snapshots_on(draft: &Draft, node: &NodeName) -> Vec<SnapshotKey> {
    draft.cluster.snapshots_on_node.get(node).into_iter().flatten().cloned().collect()
}

/// The definition's replicas no longer stand in for one on `node`. Whether that changed anything.
pub(super) fn end_migration(definition: &mut ResourceDefinition, node: &NodeName) -> bool {
    let waits = |props: &Props| props.get(MIGRATE_FROM).is_some_and(|from| from.eq_ignore_ascii_case(node.as_str()));
    let waiting = definition.resources.values_mut().filter(|resource| waits(&resource.props));
    waiting.filter_map(|resource| resource.props.remove(MIGRATE_FROM)).count() > 0
}

fn own_pools(node: &Node) -> impl Iterator<Item = &PoolName> {
    let diskless = diskless_pool_name();
    node.pools.keys().filter(move |pool| **pool != diskless)
}

fn forget(draft: &mut Draft, node: &NodeName) {
    for key in snapshots_on(draft, node) {
        forget_snapshot_part(draft, &key, node);
    }
    for rsc in resources_on(draft, node) {
        forget_resource(draft, &rsc, node);
    }
    let pairs = draft.cluster.node_connections.keys();
    let pairs: Vec<_> = pairs.filter(|(a, b)| a == node || b == node).cloned().collect();
    for (a, b) in pairs {
        draft.put(Change::NodeConnection(a, b, None));
    }
    draft.put(Change::Node(node.clone(), None));
}

/// A snapshot that has no part left is none.
fn forget_snapshot_part(draft: &mut Draft, key: &SnapshotKey, node: &NodeName) {
    let Some(snapshot) = draft.cluster.snapshots.get(key) else {
        return;
    };
    let old = snapshot.clone();
    let mut snapshot = Snapshot::clone(&old);
    snapshot.nodes.remove(node);
    let gone = snapshot.nodes.is_empty();
    super::observe::put_snapshot(draft, &old, snapshot);
    if !gone {
        return;
    }
    let text = format!("Snapshot '{}' of resource '{}' was on no other node and is gone", key.name, key.rsc);
    draft.note(Note::warning(WARN_STORAGE_ERROR, text).about("RscDfn", &key.rsc).about("Snapshot", &key.name));
}

fn forget_resource(draft: &mut Draft, rsc: &RscName, node: &NodeName) {
    let Some(definition) = draft.cluster.definitions.get(rsc) else {
        return;
    };
    let mut definition = ResourceDefinition::clone(definition);
    let had_disk = definition.resources.remove(node).is_some_and(|resource| resource.is_diskful());
    definition.connections.retain(|connection| connection.a != *node && connection.b != *node);
    end_migration(&mut definition, node);
    let is_going = definition.flags.has(DefinitionFlags::DELETE);
    if is_going && definition.resources.is_empty() && draft.cluster.snapshots_of(rsc).next().is_none() {
        return draft.drop_definition(rsc);
    }
    if had_disk && !is_going && definition.diskful().next().is_none() {
        draft.note(last_copy_lost(rsc));
    }
    draft.put_definition(definition);
    super::observe::settle_without_report(draft, rsc);
}

fn last_copy_lost(rsc: &RscName) -> Note {
    Note::warning(WARN_ALL_DISKLESS, format!("Resource '{rsc}' has no replica with a disk any more"))
        .because("The only one was on the lost node")
        .cure("Restore it from a backup, or delete it")
        .about("RscDfn", rsc)
}

fn farewell(node: &Node, fate: &str) -> Note {
    Note::success(DELETED, format!("Node '{}' {fate}", node.name)).about("Node", &node.name).about("UUID", node.uuid)
}

fn occupied(node: &NodeName, what: &str, names: String) -> Refusal {
    Refusal::new(FAIL_IN_USE, format!("Node '{node}' still has {what}"))
        .because("Only a node on which nothing is left can be deleted")
        .cure(format!("Delete these {what} first; 'node lost' gives up a node that will not come back"))
        .details(names)
        .about("Node", node)
}
