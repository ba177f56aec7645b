//! Resource definitions, their volumes and pairs, and how far their copies are.

use super::json::Json;
use super::layers::drbd_definition;
use super::node::display;
use crate::model::cluster::Cluster;
use crate::model::definition::{ResourceDefinition, VolumeDefinition};
use crate::model::kinds::{DefinitionFlags, LayerKind};
use crate::model::names::NodeName;
use crate::model::report::VolumeState;

/// Whether the volume definitions stand in the definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volumes {
    /// They do.
    With,
    /// They do not.
    Without,
}

/// A definition.
pub fn definition(json: &mut Json, definition: &ResourceDefinition, volumes: Volumes) {
    json.object(|json| {
        json.must("name", definition.name.as_str());
        json.text("external_name", definition.external_name.as_deref().unwrap_or_default());
        json.props("props", &definition.props);
        json.texts("flags", definition.flags.names());
        json.filled_list("layer_data", |json| {
            for layer in &definition.layers {
                json.object(|json| {
                    json.must("type", layer.as_str());
                    if *layer == LayerKind::Drbd {
                        json.key("data");
                        drbd_definition(json, definition);
                    }
                });
            }
        });
        json.uuid(definition.uuid);
        json.must("resource_group_name", definition.group.as_str());
        if volumes == Volumes::With {
            json.filled_list("volume_definitions", |json| {
                definition.volumes.values().for_each(|volume| volume_definition(json, definition, volume));
            });
        }
    });
}

/// A volume definition.
pub fn volume_definition(json: &mut Json, definition: &ResourceDefinition, volume: &VolumeDefinition) {
    json.object(|json| {
        json.int("volume_number", volume.number.get().into());
        json.size("size_kib", volume.size.0);
        json.props("props", &volume.props);
        json.texts("flags", volume.flags.names());
        json.filled_list("layer_data", |json| {
            for layer in &definition.layers {
                json.object(|json| {
                    json.must("type", layer.as_str());
                    if let (LayerKind::Drbd, Some(minor)) = (layer, volume.minor) {
                        json.key("data");
                        drbd_volume_definition(json, volume, minor);
                    }
                });
            }
        });
        json.uuid(volume.uuid);
    });
}

/// What DRBD knows of a volume definition.
pub fn drbd_volume_definition(json: &mut Json, volume: &VolumeDefinition, minor: u32) {
    json.object(|json| {
        json.int("volume_number", volume.number.get().into());
        json.int("minor_number", minor.into());
    });
}

/// Every pair of replicas, those without any setting too.
pub fn pairs(definition: &ResourceDefinition) -> impl Iterator<Item = (&NodeName, &NodeName)> {
    let names = || definition.resources.keys();
    names().enumerate().flat_map(move |(at, a)| names().skip(at + 1).map(move |b| (a, b)))
}

/// A pair of replicas, in the order of their names.
pub fn resource_connection(json: &mut Json, cluster: &Cluster, definition: &ResourceDefinition, pair: [&NodeName; 2]) {
    let [a, b] = if pair[0] <= pair[1] { pair } else { [pair[1], pair[0]] };
    let known = definition.connections.iter().find(|known| known.a == *a && known.b == *b);
    json.object(|json| {
        json.must("node_a", display(cluster, a));
        json.must("node_b", display(cluster, b));
        if let Some(known) = known {
            json.props("props", &known.props);
        }
    });
}

/// Whether every replica with a disk is current, as the nodes told.
#[must_use]
pub fn is_synced_on_all(cluster: &Cluster, definition: &ResourceDefinition) -> bool {
    definition.diskful().all(|(node, resource)| {
        let status = cluster.resource_status_of(&definition.name, node);
        let current = |state| matches!(state, VolumeState::UpToDate | VolumeState::Created);
        resource
            .volumes
            .keys()
            .all(|number| status.and_then(|status| status.volume(*number)).is_some_and(|volume| current(volume.state)))
    })
}

/// How far a clone is: `CLONING`, `COMPLETE` or `FAILED`; `None` when it is no clone.
#[must_use]
pub fn clone_status(definition: &ResourceDefinition) -> Option<&'static str> {
    let flags = definition.flags;
    match () {
        () if !definition.is_clone => None,
        () if flags.has(DefinitionFlags::FAILED) => Some("FAILED"),
        () if flags.has(DefinitionFlags::CLONING) => Some("CLONING"),
        () => Some("COMPLETE"),
    }
}
