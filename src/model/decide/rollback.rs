//! Decisions that put a definition's replicas back to a snapshot, in place.

use super::draft::Draft;
use super::taken_back::{cut, end_rollback};
use crate::model::code::*;
use crate::model::definition::{Resource, ResourceDefinition, Volume, VolumeDefinition};
use crate::model::desired::Rollback;
use crate::model::kinds::{DefinitionFlags, LayerKind, VolumeDefinitionFlags};
use crate::model::names::{NodeName, RscName, SnapName};
use crate::model::refusal::{Note, Refusal};
use crate::model::snapshot::{Snapshot, SnapshotKey, SnapshotNode};

pub(super) fn rollback(draft: &mut Draft, rsc: &RscName, name: &SnapName) -> Result<(), Refusal> {
    let snapshot = super::snapshot::usable(draft, rsc, name)?;
    let mut definition = draft.definition(rsc)?;
    super::definition::refuse_while_in_use(draft, &definition)?;
    refuse_layers(&definition)?;
    refuse_other_volumes(&snapshot, &definition)?;
    let nodes: Vec<NodeName> = definition.diskful().map(|(node, _)| node.clone()).collect();
    for node in &nodes {
        refuse_node(draft, &snapshot, node)?;
        refuse_other_pool(&snapshot, node, &definition.resources[node])?;
    }
    let token = draft.uuid();
    for (node, resource) in definition.resources.iter_mut().filter(|(node, _)| nodes.contains(node)) {
        super::volume_key::roll_back(node, resource, &snapshot)?;
        resource.rollback = Some(Rollback { snapshot: name.clone(), token });
    }
    let generation = definition.generation + 1;
    for (number, volume) in &mut definition.volumes {
        cut(volume, snapshot.volumes[number].size, generation);
        volume.flags = volume.flags.without(VolumeDefinitionFlags::RESIZE_SHRINK);
    }
    draft.put_definition(definition);
    draft.note(
        Note::success(MODIFIED, format!("Resource '{rsc}' rolled back to snapshot '{name}'"))
            .about("RscDfn", rsc)
            .about("Snapshot", name),
    );
    Ok(())
}

/// Refuses while a rollback is not over.
pub(super) fn refuse_while_rolling(definition: &ResourceDefinition) -> Result<(), Refusal> {
    let rsc = &definition.name;
    let mut rolling =
        definition.resources.iter().filter_map(|(node, resource)| Some((node, resource.rollback.as_ref()?)));
    let Some((node, order)) = rolling.next() else {
        return Ok(());
    };
    let cure = format!(
        "Wait until that is over; if the node does not come back, delete snapshot '{}': that takes the rollback back",
        order.snapshot
    );
    Err(Refusal::new(FAIL_SNAPSHOT_ROLLBACK_IN_PROGRESS, format!("'{rsc}' is being rolled back"))
        .because(format!("Node '{node}' has not said that it is done"))
        .cure(cure)
        .about("RscDfn", rsc)
        .about("Node", node))
}

/// Takes a rollback to a snapshot that shall go back where it is stuck: its node is away, or cannot carry it out.
///
/// # Errors
/// It is under way.
pub(super) fn cancel(draft: &mut Draft, key: &SnapshotKey) -> Result<(), Refusal> {
    cancel_where(draft, &key.rsc, |order| order.snapshot == key.name)
}

/// As [`cancel`], whatever snapshot it goes to: a volume that it puts back shall go.
///
/// # Errors
/// It is under way.
pub(super) fn cancel_any(draft: &mut Draft, rsc: &RscName) -> Result<(), Refusal> {
    cancel_where(draft, rsc, |_| true)
}

fn cancel_where(draft: &mut Draft, rsc: &RscName, concerned: impl Fn(&Rollback) -> bool) -> Result<(), Refusal> {
    let Ok(mut definition) = draft.definition(rsc) else {
        return Ok(());
    };
    let order_of = |resource: &Resource| resource.rollback.clone().filter(|order| concerned(order));
    let orders = definition.resources.iter().filter_map(|(node, resource)| Some((node.clone(), order_of(resource)?)));
    let orders: Vec<(NodeName, Rollback)> = orders.collect();
    let Some((_, order)) = orders.first().cloned() else {
        return Ok(());
    };
    if orders.iter().any(|(node, _)| !is_stuck(draft, &definition, node)) {
        return refuse_while_rolling(&definition);
    }
    end_rollback(&mut definition, order.token);
    draft.put_definition(definition);
    let names: Vec<&str> = orders.iter().map(|(node, _)| node.as_str()).collect();
    let text = format!("The rollback of '{rsc}' to snapshot '{}' is taken back", order.snapshot);
    draft.note(
        Note::success(MODIFIED, text)
            .details(format!("Not said to be done by: {}", names.join(", ")))
            .about("Snapshot", &order.snapshot),
    );
    Ok(())
}

fn is_stuck(draft: &Draft, definition: &ResourceDefinition, node: &NodeName) -> bool {
    let deleting = definition.flags.has(DefinitionFlags::DELETE);
    let status = draft.cluster.resource_status_of(&definition.name, node);
    deleting || !draft.cluster.is_online(node) || status.is_some_and(|status| status.problem.is_some())
}

fn refuse_layers(definition: &ResourceDefinition) -> Result<(), Refusal> {
    let rsc = &definition.name;
    if definition.has_layer(LayerKind::Drbd) {
        return Err(Refusal::new(FAIL_SNAPSHOTS_NOT_SUPPORTED, format!("'{rsc}' cannot be rolled back in place"))
            .because("Rollback under DRBD is not built yet")
            .cure("Restore the snapshot into another definition"));
    }
    refuse_while_rolling(definition)?;
    let busy = |resource: &Resource| resource.is_deleting() || resource.volumes.values().any(|volume| !volume.made);
    if definition.resources.values().any(busy) {
        return Err(Refusal::new(FAIL_RSC_BUSY, format!("A resource of '{rsc}' is being made or deleted"))
            .cure("Ask again when that is done"));
    }
    Ok(())
}

fn refuse_other_volumes(snapshot: &Snapshot, definition: &ResourceDefinition) -> Result<(), Refusal> {
    let goes = |volume: &VolumeDefinition| volume.flags.has(VolumeDefinitionFlags::DELETE);
    if let Some(volume) = definition.volumes.values().find(|volume| goes(volume)) {
        let text = format!("Volume {} of '{}' is being deleted", volume.number, definition.name);
        return Err(Refusal::new(FAIL_RSC_BUSY, text)
            .because("All volumes go back together")
            .cure("Restore the snapshot into another definition"));
    }
    let numbers = definition.volumes.keys().eq(snapshot.volumes.keys());
    if numbers {
        return Ok(());
    }
    Err(Refusal::new(FAIL_INVLD_VLM_COUNT, format!("Snapshot '{}' has other volumes", snapshot.key.name))
        .because("Volumes were added or removed after it was taken")
        .cure("Restore it into another definition"))
}

/// A replica that was made anew in another pool does not find the snapshot beside its volumes.
fn refuse_other_pool(snapshot: &Snapshot, node: &NodeName, resource: &Resource) -> Result<(), Refusal> {
    let parts = &snapshot.nodes[node].volumes;
    let elsewhere = |(number, volume): &(&_, &Volume)| parts.get(*number).is_none_or(|part| part.pool != volume.pool);
    let Some((number, volume)) = resource.volumes.iter().find(elsewhere) else {
        return Ok(());
    };
    let text =
        format!("Snapshot '{}' is not in the storage pool of volume {number} on node '{node}'", snapshot.key.name);
    let cause = parts.get(number).map_or_else(
        || format!("It has no such volume there, and the volume is in '{}'", volume.pool),
        |part| format!("It is in '{}', and the volume is in '{}'", part.pool, volume.pool),
    );
    Err(Refusal::new(FAIL_NOT_FOUND_SNAPSHOT, text)
        .because(cause)
        .cure("Restore the snapshot into another definition, or make the replica anew in the snapshot's pool")
        .about("Node", node)
        .about("StorPool", &volume.pool))
}

fn refuse_node(draft: &Draft, snapshot: &Snapshot, node: &NodeName) -> Result<(), Refusal> {
    if !snapshot.nodes.get(node).is_some_and(SnapshotNode::stays) {
        return Err(Refusal::new(
            FAIL_NOT_FOUND_SNAPSHOT,
            format!("Snapshot '{}' is not on node '{node}'", snapshot.key.name),
        )
        .because("Every replica with a disk has to go back")
        .cure("Delete that replica first, or restore into another definition")
        .about("Node", node));
    }
    if !draft.cluster.is_online(node) {
        return Err(Refusal::new(FAIL_NOT_CONNECTED, format!("Node '{node}' is not connected"))
            .because("Every replica with a disk has to go back")
            .cure("Bring it back first")
            .about("Node", node));
    }
    Ok(())
}
