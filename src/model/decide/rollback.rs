//! Decisions that put a definition's replicas back to a snapshot, in place.

use super::draft::Draft;
use crate::model::code::*;
use crate::model::definition::{Resource, ResourceDefinition};
use crate::model::desired::Rollback;
use crate::model::kinds::LayerKind;
use crate::model::names::{NodeName, RscName, SnapName};
use crate::model::refusal::{Note, Refusal};
use crate::model::snapshot::Snapshot;

pub(super) fn rollback(draft: &mut Draft, rsc: &RscName, name: &SnapName) -> Result<(), Refusal> {
    let snapshot = super::snapshot::usable(draft, rsc, name)?;
    let mut definition = draft.definition(rsc)?;
    super::definition::refuse_while_in_use(draft, &definition)?;
    refuse_layers(&definition)?;
    refuse_other_volumes(&snapshot, &definition)?;
    let nodes: Vec<NodeName> = definition.diskful().map(|(node, _)| node.clone()).collect();
    for node in &nodes {
        refuse_node(draft, &snapshot, node)?;
    }
    let token = draft.uuid();
    for (_, resource) in definition.resources.iter_mut().filter(|(node, _)| nodes.contains(node)) {
        resource.rollback = Some(Rollback { snapshot: name.clone(), token });
    }
    for (number, volume) in &mut definition.volumes {
        volume.size = snapshot.volumes[number].size;
    }
    draft.put_definition(definition);
    draft.note(
        Note::success(MODIFIED, format!("Resource '{rsc}' rolled back to snapshot '{name}'"))
            .about("RscDfn", rsc)
            .about("Snapshot", name),
    );
    Ok(())
}

fn refuse_layers(definition: &ResourceDefinition) -> Result<(), Refusal> {
    let rsc = &definition.name;
    if definition.has_layer(LayerKind::Drbd) {
        return Err(Refusal::new(FAIL_SNAPSHOTS_NOT_SUPPORTED, format!("'{rsc}' cannot be rolled back in place"))
            .because("Rollback under DRBD is not built yet")
            .cure("Restore the snapshot into another definition"));
    }
    if definition.resources.values().any(|resource| resource.rollback.is_some()) {
        return Err(Refusal::new(FAIL_SNAPSHOT_ROLLBACK_IN_PROGRESS, format!("'{rsc}' is being rolled back"))
            .cure("Wait until that is over"));
    }
    let busy = |resource: &Resource| resource.is_deleting() || resource.volumes.values().any(|volume| !volume.made);
    if definition.resources.values().any(busy) {
        return Err(Refusal::new(FAIL_RSC_BUSY, format!("A resource of '{rsc}' is being made or deleted"))
            .cure("Ask again when that is done"));
    }
    Ok(())
}

fn refuse_other_volumes(snapshot: &Snapshot, definition: &ResourceDefinition) -> Result<(), Refusal> {
    let numbers = definition.volumes.keys().eq(snapshot.volumes.keys());
    if numbers {
        return Ok(());
    }
    Err(Refusal::new(FAIL_INVLD_VLM_COUNT, format!("Snapshot '{}' has other volumes", snapshot.key.name))
        .because("Volumes were added or removed after it was taken")
        .cure("Restore it into another definition"))
}

fn refuse_node(draft: &Draft, snapshot: &Snapshot, node: &NodeName) -> Result<(), Refusal> {
    if !snapshot.nodes.contains_key(node) {
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
