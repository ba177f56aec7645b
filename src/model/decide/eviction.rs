//! Eviction of a node that does not answer, and the way back from it and from evacuation. Never lets go of the last
//! replica that is up to date.

use super::draft::Draft;
use super::node_evacuation::replace;
use super::node_removal::{end_migration, resources_on, snapshots_on};
use super::replacement::Evacuee;
use super::replica_state::{about, can_be_spared, set_flags, staying, wanted};
use crate::model::cluster::Cluster;
use crate::model::code::*;
use crate::model::definition::ResourceDefinition;
use crate::model::kinds::{ConnectionStatus, DefinitionFlags, LayerKind, NodeFlags, ResourceFlags, SnapshotNodeFlags};
use crate::model::names::{NodeName, RscName};
use crate::model::node::Node;
use crate::model::refusal::{Note, Refusal};
use crate::model::snapshot::{Snapshot, SnapshotKey};

/// Replicas that shall be there after an eviction, where it is not the place count.
const MIN_REPLICAS: &str = "DrbdOptions/AutoEvictMinReplicaCount";

/// What a node that comes back shall not keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Restore {
    /// Delete its replicas, where others are complete.
    pub resources: bool,
    /// Delete its parts of snapshots.
    pub snapshots: bool,
}

/// Gives up on a node that is away: its DRBD replicas are replaced as far as the place count asks for it.
pub(super) fn evict(draft: &mut Draft, name: &NodeName) -> Result<(), Refusal> {
    let mut node = draft.node(name)?;
    check_eviction(draft, &node)?;
    if node.flags.has(NodeFlags::EVICTED) {
        draft.note(about(Note::success(MODIFIED, format!("Node '{name}' is evicted already")), &node));
        return Ok(());
    }
    node.flags = node.flags.with(NodeFlags::EVICTED);
    node.evicted_at = Some(draft.now);
    draft.note(about(Note::success(MODIFIED, format!("Node '{name}' evicted")), &node));
    draft.put_node(node);
    for rsc in resources_on(draft, name) {
        evict_resource(draft, &rsc, name);
    }
    Ok(())
}

fn check_eviction(draft: &Draft, node: &Node) -> Result<(), Refusal> {
    let name = &node.name;
    if !node.has_satellite() {
        return Err(Refusal::new(
            FAIL_INVLD_NODE_TYPE,
            format!("Node '{name}' cannot be evicted: it has no satellite"),
        )
        .because(format!("Nodes of type {} hold no resources", node.kind))
        .cure("Name a node with a satellite")
        .about("Node", name));
    }
    let status = draft.cluster.status_of(name).status;
    if matches!(status, ConnectionStatus::Online | ConnectionStatus::Connected) {
        return Err(Refusal::new(FAIL_EXISTS_NODE_CONN, format!("Node '{name}' is connected and cannot be evicted"))
            .because("Eviction gives up the replicas of a node that is away")
            .cure("Evacuate the node, which moves its replicas in good order")
            .about("Node", name));
    }
    Ok(())
}

fn evict_resource(draft: &mut Draft, rsc: &RscName, node: &NodeName) {
    let Some(definition) = draft.cluster.definitions.get(rsc).cloned() else {
        return;
    };
    let Some(resource) = definition.resources.get(node) else {
        return;
    };
    if !definition.has_layer(LayerKind::Drbd) || resource.is_deleting() {
        return;
    }
    let was_inactive = resource.flags.has(ResourceFlags::INACTIVE);
    let before = if was_inactive { ResourceFlags::INACTIVE_BEFORE_EVICTION } else { ResourceFlags::NONE };
    let flags = resource.flags.with(ResourceFlags::EVICTED).with(before);
    set_flags(draft, &definition, node, flags);
    replace_evicted(draft, rsc, node);
}

/// New replicas need one from which they can be filled.
fn replace_evicted(draft: &mut Draft, rsc: &RscName, node: &NodeName) {
    let Some(definition) = draft.cluster.definitions.get(rsc).cloned() else {
        return;
    };
    let live: Vec<&NodeName> = staying(&definition).map(|(node, _)| node).collect();
    let has_source = live.iter().any(|node| draft.cluster.is_online(node));
    let missing = least_after_eviction(&draft.cluster, &definition).saturating_sub(live.len());
    if !has_source || definition.flags.has(DefinitionFlags::DELETE) {
        return;
    }
    let evacuee = Evacuee { rsc, from: node, targets: &[], not_targets: &[] };
    // Ends at the first that finds no place, at the latest when every node has one.
    let _placed = (0..missing).map_while(|_| replace(draft, &evacuee)).count();
}

fn least_after_eviction(cluster: &Cluster, definition: &ResourceDefinition) -> usize {
    let wanted = wanted(cluster, definition);
    let group = cluster.groups.get(&definition.group);
    let of_group = group.and_then(|group| group.props.get(MIN_REPLICAS));
    let least = definition.props.get(MIN_REPLICAS).or(of_group).or_else(|| cluster.controller.props.get(MIN_REPLICAS));
    least.and_then(|text| text.parse().ok()).map_or(wanted, |least: usize| least.min(wanted))
}

/// Takes eviction or evacuation back.
pub(super) fn restore(draft: &mut Draft, name: &NodeName, wish: Restore) -> Result<(), Refusal> {
    let mut node = draft.node(name)?;
    if !node.flags.has(NodeFlags::EVICTED) && !node.flags.has(NodeFlags::EVACUATE) {
        return Err(not_restorable(name));
    }
    node.flags = node.flags.without(NodeFlags::EVICTED).without(NodeFlags::EVACUATE);
    node.evicted_at = None;
    draft.note(about(Note::success(MODIFIED, format!("Node '{name}' restored")), &node));
    draft.put_node(node);
    for rsc in resources_on(draft, name) {
        restore_resource(draft, &rsc, name, wish);
    }
    if wish.snapshots {
        for key in snapshots_on(draft, name) {
            delete_snapshot_part(draft, &key, name);
        }
    }
    Ok(())
}

/// Clients know the bare error, without a code of its own.
fn not_restorable(name: &NodeName) -> Refusal {
    Refusal::new(0, format!("Node '{name}' is neither evicted nor being evacuated"))
        .because("Only such a node can be restored")
        .cure("Leave it as it is: it is in service")
        .about("Node", name)
}

fn restore_resource(draft: &mut Draft, rsc: &RscName, node: &NodeName, wish: Restore) {
    let Some(definition) = draft.cluster.definitions.get(rsc) else {
        return;
    };
    let mut definition = ResourceDefinition::clone(definition);
    let mut changed = end_migration(&mut definition, node);
    let may_go = wish.resources && can_be_spared(&draft.cluster, &definition, node);
    let Some(resource) = definition.resources.get_mut(node) else {
        return;
    };
    let flags = if may_go { resource.flags.with(ResourceFlags::DELETE) } else { in_service(resource.flags) };
    if wish.resources && !may_go {
        draft.note(kept(rsc, node));
    }
    changed |= resource.flags != flags;
    resource.flags = flags;
    if changed {
        draft.put_definition(definition);
    }
}

/// The flags of a replica that takes part again.
fn in_service(flags: ResourceFlags) -> ResourceFlags {
    let mut next = flags.without(ResourceFlags::EVACUATE);
    if flags.has(ResourceFlags::EVICTED) {
        next = next.without(ResourceFlags::EVICTED);
    }
    if flags.has(ResourceFlags::INACTIVE_BEFORE_EVICTION) {
        next = next.without(ResourceFlags::INACTIVE_BEFORE_EVICTION).with(ResourceFlags::INACTIVE);
    }
    next
}

fn kept(rsc: &RscName, node: &NodeName) -> Note {
    Note::warning(WARN_NO_EFFECT, format!("Resource '{rsc}' on node '{node}' is kept"))
        .because("It is in use, or no other replica is known to be complete")
        .cure("Delete it when another replica is up to date")
        .about("Node", node)
        .about("RscDfn", rsc)
}

fn delete_snapshot_part(draft: &mut Draft, key: &SnapshotKey, node: &NodeName) {
    let Some(snapshot) = draft.cluster.snapshots.get(key) else {
        return;
    };
    let mut snapshot = Snapshot::clone(snapshot);
    if let Some(rsc) = needed_by(draft, key, node) {
        draft.note(kept_part(key, (&rsc, node)));
        return;
    }
    let part = snapshot.nodes.get_mut(node).filter(|part| part.stays());
    if let Some(part) = part {
        part.flags = part.flags.with(SnapshotNodeFlags::DELETE);
        super::snapshot::end_without_parts(&mut snapshot);
        draft.put_snapshot(snapshot);
    }
}

/// The resource on the node that is still to be made from the snapshot, or put back to it.
fn needed_by(draft: &Draft, key: &SnapshotKey, node: &NodeName) -> Option<RscName> {
    let source = draft.cluster.definitions.get(&key.rsc).and_then(|definition| definition.resources.get(node));
    let order = source.and_then(|resource| resource.rollback.as_ref());
    if order.is_some_and(|order| order.snapshot == key.name) {
        return Some(key.rsc.clone());
    }
    super::snapshot::reader_on(draft, key, node).cloned()
}

fn kept_part(key: &SnapshotKey, (rsc, node): (&RscName, &NodeName)) -> Note {
    Note::warning(WARN_NO_EFFECT, format!("Snapshot '{}' of '{}' on node '{node}' is kept", key.name, key.rsc))
        .because(format!("Resource '{rsc}' is to get its content on that node"))
        .cure("Delete the snapshot when that is done")
        .about("Node", node)
        .about("RscDfn", &key.rsc)
        .about("Snapshot", &key.name)
}
