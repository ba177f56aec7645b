//! Snapshots, whole and by node.

use super::json::Json;
use super::node::display;
use crate::model::cluster::Cluster;
use crate::model::names::NodeName;
use crate::model::snapshot::{Snapshot, SnapshotNode};

/// A snapshot. Its moment stands with each node: clients read the first one's.
pub fn snapshot(json: &mut Json, cluster: &Cluster, snapshot: &Snapshot) {
    json.object(|json| {
        json.must("name", snapshot.key.name.as_str());
        json.must("resource_name", display_definition(cluster, snapshot));
        json.texts("nodes", snapshot.nodes.keys().map(|node| display(cluster, node)));
        json.filled_object("props", |json| {
            let overlaid = |key| snapshot.props.get(key).is_some();
            let older = snapshot.definition_props.iter().filter(|(key, _)| !overlaid(key));
            older.chain(snapshot.props.iter()).for_each(|(key, value)| json.member(key, value));
        });
        json.props("snapshot_definition_props", &snapshot.props);
        json.props("resource_definition_props", &snapshot.definition_props);
        json.texts("flags", snapshot.flags.names());
        json.filled_list("volume_definitions", |json| {
            for (number, volume) in &snapshot.volumes {
                json.object(|json| {
                    json.int("volume_number", number.get().into());
                    json.size("size_kib", volume.size.0);
                    json.props("volume_definition_props", &volume.props);
                });
            }
        });
        json.uuid(snapshot.uuid);
        json.filled_list("snapshots", |json| {
            snapshot.nodes.iter().for_each(|(node, part)| on_node(json, cluster, snapshot, (node, part)));
        });
    });
}

fn display_definition<'a>(cluster: &'a Cluster, snapshot: &'a Snapshot) -> &'a str {
    let definition = cluster.definitions.get(&snapshot.key.rsc);
    definition.map_or(snapshot.key.rsc.as_str(), |definition| definition.name.as_str())
}

fn on_node(json: &mut Json, cluster: &Cluster, snapshot: &Snapshot, (node, part): (&NodeName, &SnapshotNode)) {
    json.object(|json| {
        json.must("snapshot_name", snapshot.key.name.as_str());
        json.must("node_name", display(cluster, node));
        json.int("create_timestamp", part.created.0);
        json.texts("flags", part.flags.names());
        json.uuid(part.uuid);
        json.filled_list("snapshot_volumes", |json| {
            for (number, volume) in &part.volumes {
                json.object(|json| {
                    json.uuid(volume.uuid);
                    json.int("vlm_nr", number.get().into());
                });
            }
        });
    });
}
