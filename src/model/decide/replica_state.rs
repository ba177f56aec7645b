//! What is known of replicas when others shall go: which stay, which are complete, which are in use. Doubt counts as
//! "no": a replica that nobody told of is not complete.

use super::draft::Draft;
use crate::model::cluster::Cluster;
use crate::model::definition::{Resource, ResourceDefinition};
use crate::model::group::DEFAULT_PLACE_COUNT;
use crate::model::kinds::ResourceFlags;
use crate::model::names::{NodeName, RscName};
use crate::model::node::Node;
use crate::model::refusal::Note;
use crate::model::report::{VolumeReport, VolumeState};

/// Whether the node's replica may go: it holds nothing that is not complete elsewhere, and nobody uses it.
pub(super) fn can_be_spared(cluster: &Cluster, definition: &ResourceDefinition, node: &NodeName) -> bool {
    let without_data = definition.resources.get(node).is_some_and(|resource| !resource.is_diskful());
    let complete = complete_elsewhere(cluster, definition, node) > 0;
    (without_data || complete) && !is_in_use(cluster, &definition.name, node)
}

/// Replicas on other nodes that stay and are up to date.
pub(super) fn complete_elsewhere(cluster: &Cluster, definition: &ResourceDefinition, node: &NodeName) -> usize {
    let others = staying(definition).filter(|(other, _)| *other != node);
    others.filter(|(other, _)| is_complete(cluster, definition, other)).count()
}

/// Replicas with a disk that neither leave nor stand still.
pub(super) fn staying(definition: &ResourceDefinition) -> impl Iterator<Item = (&NodeName, &Resource)> {
    let leaves = |flags: ResourceFlags| flags.has(ResourceFlags::EVACUATE) || flags.has(ResourceFlags::EVICTED);
    let stays = move |resource: &Resource| resource.keeps_disk() && resource.is_active() && !leaves(resource.flags);
    definition.diskful().filter(move |(_, resource)| stays(resource))
}

/// Whether the node is there and said that all volumes are up to date.
pub(super) fn is_complete(cluster: &Cluster, definition: &ResourceDefinition, node: &NodeName) -> bool {
    let Some(status) = cluster.resource_status_of(&definition.name, node) else {
        return false;
    };
    let current = |volume: &VolumeReport| volume.state == VolumeState::UpToDate;
    cluster.is_online(node) && definition.volumes.keys().all(|number| status.volume(*number).is_some_and(current))
}

/// Whether the node said that somebody has the replica open.
pub(super) fn is_in_use(cluster: &Cluster, rsc: &RscName, node: &NodeName) -> bool {
    cluster.resource_status_of(rsc, node).is_some_and(|status| status.in_use == Some(true))
}

/// Replicas that the definition's group wants.
pub(super) fn wanted(cluster: &Cluster, definition: &ResourceDefinition) -> usize {
    let group = cluster.groups.get(&definition.group);
    let count = group.and_then(|group| group.filter.place_count).unwrap_or(DEFAULT_PLACE_COUNT);
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Puts the definition with these flags of one replica, where they differ.
pub(super) fn set_flags(draft: &mut Draft, definition: &ResourceDefinition, node: &NodeName, flags: ResourceFlags) {
    let mut definition = definition.clone();
    match definition.resources.get_mut(node) {
        Some(resource) if resource.flags != flags => resource.flags = flags,
        _ => return,
    }
    draft.put_definition(definition);
}

/// The note, with the node that it is about.
pub(super) fn about(note: Note, node: &Node) -> Note {
    note.about("Node", &node.name).about("UUID", node.uuid)
}
