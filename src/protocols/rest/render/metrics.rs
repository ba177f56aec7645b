//! What the cluster shows to Prometheus, family by family: the text format wants each metric's lines together.
//! Never measures: durations and process figures are the actors' business.

use crate::model::cluster::Cluster;
use crate::model::definition::{ResourceDefinition, Volume};
use crate::model::kinds::ProviderKind;
use crate::model::names::{NodeName, VolumeNumber};
use crate::model::node::{Node, StoragePool};
use crate::protocols::rest::metrics_names::{self as names, volume_state, write_head, write_value};

use super::node::{connection_status, display};
use super::resource::disk_state;

/// What is written is added to `text`.
pub fn nodes(text: &mut String, cluster: &Cluster) {
    let status = |node: &Node| cluster.status_of(&node.name);
    write_head(text, &names::NODE_STATE);
    for node in cluster.nodes.values() {
        let number = connection_status(node, status(node).status).number();
        write_value(text, &names::NODE_STATE, &node_labels(node).each_ref().map(String::as_str), number.into());
    }
    write_head(text, &names::NODE_RECONNECT_ATTEMPT_COUNT);
    for node in cluster.nodes.values() {
        let labels = node_labels(node);
        let attempts = status(node).attempts as f64;
        write_value(text, &names::NODE_RECONNECT_ATTEMPT_COUNT, &labels.each_ref().map(String::as_str), attempts);
    }
}

fn node_labels(node: &Node) -> [String; 5] {
    let interface = node.active_interface.as_ref().and_then(|name| node.net_interfaces.get(name));
    let satellite = interface.and_then(|interface| interface.satellite.as_ref());
    [
        interface.map(|interface| interface.address.to_string()).unwrap_or_default(),
        satellite.map(|satellite| satellite.encryption.to_string()).unwrap_or_default(),
        satellite.map(|satellite| satellite.port.to_string()).unwrap_or_default(),
        node.name.to_string(),
        node.kind.to_string(),
    ]
}

/// Definitions, their volumes, and how many there are.
pub fn definitions(text: &mut String, cluster: &Cluster) {
    write_head(text, &names::RESOURCE_DEFINITION_COUNT);
    write_value(text, &names::RESOURCE_DEFINITION_COUNT, &[], cluster.definitions.len() as f64);
    write_head(text, &names::RESOURCE_DEFINITION_RESOURCE_COUNT);
    for definition in cluster.definitions.values() {
        let labels = [definition.name.as_str(), definition.group.as_str()];
        write_value(text, &names::RESOURCE_DEFINITION_RESOURCE_COUNT, &labels, definition.resources.len() as f64);
    }
    write_head(text, &names::VOLUME_DEFINITION_SIZE_BYTES);
    for definition in cluster.definitions.values() {
        for volume in definition.volumes.values() {
            let number = volume.number.to_string();
            let labels = [definition.name.as_str(), number.as_str(), definition.group.as_str()];
            write_value(text, &names::VOLUME_DEFINITION_SIZE_BYTES, &labels, volume.size.bytes() as f64);
        }
    }
}

/// Replicas and their volumes.
pub fn resources(text: &mut String, cluster: &Cluster) {
    write_head(text, &names::RESOURCE_STATE);
    for definition in cluster.definitions.values() {
        for node in definition.resources.keys() {
            let in_use = present(cluster, definition, node).and_then(|status| status.in_use);
            let value = in_use.map_or(-1.0, |yes| if yes { 1.0 } else { 0.0 });
            write_value(text, &names::RESOURCE_STATE, &[definition.name.as_str(), display(cluster, node)], value);
        }
    }
    write_head(text, &names::VOLUME_STATE);
    each_volume(cluster, |spot| {
        let state = spot.report.map_or(-1, |report| volume_state(disk_state(report.state)));
        spot.write(text, &names::VOLUME_STATE, state.into());
    });
    write_head(text, &names::VOLUME_ALLOCATED_SIZE_BYTES);
    each_volume(cluster, |spot| {
        let bytes = spot.report.and_then(|report| report.allocated).map_or(f64::NAN, |kib| kib.bytes() as f64);
        spot.write(text, &names::VOLUME_ALLOCATED_SIZE_BYTES, bytes);
    });
}

fn present<'a>(
    cluster: &'a Cluster,
    definition: &ResourceDefinition,
    node: &NodeName,
) -> Option<&'a crate::model::observed::ResourceStatus> {
    cluster.resource_status_of(&definition.name, node).filter(|_| cluster.is_online(node))
}

struct Spot<'a> {
    definition: &'a ResourceDefinition,
    node: &'a str,
    number: VolumeNumber,
    volume: &'a Volume,
    report: Option<&'a crate::model::report::VolumeReport>,
}

impl Spot<'_> {
    fn write(&self, text: &mut String, metric: &names::Metric, value: f64) {
        let number = self.number.to_string();
        let device = self.report.and_then(|report| report.device_path.as_deref()).unwrap_or_default();
        let labels = [self.definition.name.as_str(), self.node, number.as_str(), device, self.volume.pool.as_str()];
        write_value(text, metric, &labels, value);
    }
}

fn each_volume(cluster: &Cluster, mut visit: impl FnMut(&Spot)) {
    for definition in cluster.definitions.values() {
        for (node, resource) in &definition.resources {
            let status = present(cluster, definition, node);
            for (number, volume) in &resource.volumes {
                let report = status.and_then(|status| status.volume(*number));
                let node = display(cluster, node);
                visit(&Spot { definition, node, number: *number, volume, report });
            }
        }
    }
}

/// Pools: their room and their errors.
pub fn storage_pools(text: &mut String, cluster: &Cluster) {
    type Figure = fn(&Cluster, &Node, &StoragePool) -> f64;
    let families: [(&names::Metric, Figure); 3] = [
        (&names::STORAGE_POOL_CAPACITY_FREE_BYTES, |cluster, node, pool| room(cluster, node, pool).0),
        (&names::STORAGE_POOL_CAPACITY_TOTAL_BYTES, |cluster, node, pool| room(cluster, node, pool).1),
        (&names::STORAGE_POOL_ERROR_COUNT, errors),
    ];
    for (metric, figure) in families {
        write_head(text, metric);
        for node in cluster.nodes.values() {
            for pool in node.pools.values() {
                let labels = [pool.name.as_str(), node.name.as_str(), pool.provider.as_str(), pool.backing()];
                write_value(text, metric, &labels, figure(cluster, node, pool));
            }
        }
    }
}

fn room(cluster: &Cluster, node: &Node, pool: &StoragePool) -> (f64, f64) {
    if pool.provider == ProviderKind::Diskless {
        return (0.0, 0.0);
    }
    let status = cluster.pool_status.get(&(node.name.clone(), pool.name.clone()));
    let room = status.filter(|_| cluster.is_online(&node.name)).and_then(|status| status.capacity.as_ref().ok());
    room.map_or((f64::NAN, f64::NAN), |room| (room.free.bytes() as f64, room.total.bytes() as f64))
}

fn errors(cluster: &Cluster, node: &Node, pool: &StoragePool) -> f64 {
    let status = cluster.pool_status.get(&(node.name.clone(), pool.name.clone()));
    if status.is_some_and(|status| status.capacity.is_err()) { 1.0 } else { 0.0 }
}
