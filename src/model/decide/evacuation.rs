//! How replicas leave a node: one elsewhere first, and only when that is current the old one goes.

use super::draft::Draft;
use super::toggle::MIGRATE_FROM;
use crate::model::definition::ResourceDefinition;
use crate::model::kinds::ResourceFlags;
use crate::model::names::{NodeName, RscName};
use crate::model::report::VolumeState;

/// Deletes replicas whose successors are current and which nobody uses. Called after every fact that may decide it.
pub(super) fn evacuation_progress(draft: &mut Draft, rsc: &RscName) {
    let Some(definition) = draft.cluster.definitions.get(rsc).cloned() else {
        return;
    };
    let done: Vec<(NodeName, NodeName)> = definition
        .resources
        .iter()
        .filter_map(|(node, resource)| {
            let from = NodeName::parse(resource.props.get(MIGRATE_FROM)?).ok()?;
            (from != *node && is_current(draft, &definition, node)).then(|| (node.clone(), from))
        })
        .collect();
    for (node, from) in done {
        finish(draft, rsc, &node, &from);
    }
}

fn is_current(draft: &Draft, definition: &ResourceDefinition, node: &NodeName) -> bool {
    let resource = &definition.resources[node];
    let Some(status) = draft.cluster.resource_status_of(&definition.name, node) else {
        return false;
    };
    let current = |number| {
        let found = status.volume(number).map(|volume| volume.state);
        matches!(found, Some(VolumeState::UpToDate))
    };
    let all = resource.volumes.iter().all(|(number, volume)| volume.made && current(*number));
    all && resource.keeps_disk() && !resource.volumes.is_empty()
}

fn finish(draft: &mut Draft, rsc: &RscName, node: &NodeName, from: &NodeName) {
    let in_use = draft.cluster.resource_status_of(rsc, from).and_then(|status| status.in_use);
    let Ok(mut definition) = draft.definition(rsc) else {
        return;
    };
    let Some(source) = definition.resources.get_mut(from) else {
        clear_mark(draft, definition, node);
        return;
    };
    if in_use != Some(true) && !source.is_deleting() {
        source.flags = source.flags.with(ResourceFlags::DELETE);
        draft.put_definition(definition);
    }
}

fn clear_mark(draft: &mut Draft, mut definition: ResourceDefinition, node: &NodeName) {
    if let Some(resource) = definition.resources.get_mut(node) {
        resource.props.remove(MIGRATE_FROM);
        draft.put_definition(definition);
    }
}
