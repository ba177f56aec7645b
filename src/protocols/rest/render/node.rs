//! Nodes, their network interfaces and their pairs.

use super::json::Json;
use crate::model::cluster::Cluster;
use crate::model::kinds::{ConnectionStatus, EncryptionKind, LayerKind, ProviderKind};
use crate::model::names::NodeName;
use crate::model::node::{NetInterface, Node, NodeConnection};
use crate::model::report::SatelliteFacts;

/// A node with what its satellite said while it is connected.
pub fn node(json: &mut Json, cluster: &Cluster, node: &Node) {
    let status = cluster.status_of(&node.name);
    json.object(|json| {
        json.must("name", node.name.as_str());
        json.must("type", node.kind.as_str());
        json.texts("flags", node.flags.names());
        json.props("props", &node.props);
        json.filled_list("net_interfaces", |json| {
            for interface in node.net_interfaces.values() {
                net_interface(json, node, interface);
            }
        });
        json.must("connection_status", connection_status(node, status.status).as_str());
        json.uuid(node.uuid);
        let facts = status.facts.as_deref().filter(|_| status.is_online());
        if let Some(facts) = facts {
            satellite_facts(json, facts);
        }
        if let Some(moment) = node.evicted_at {
            json.int("eviction_timestamp", moment.0);
        }
    });
}

/// The state of the link as clients know it: a node without a satellite has none to be offline.
#[must_use]
pub fn connection_status(node: &Node, status: ConnectionStatus) -> ConnectionStatus {
    if node.has_satellite() { status } else { ConnectionStatus::NoSatelliteConnection }
}

fn satellite_facts(json: &mut Json, facts: &SatelliteFacts) {
    json.texts("storage_providers", facts.providers.iter().map(|kind| kind.as_str()));
    json.texts("resource_layers", facts.layers.iter().map(|kind| kind.as_str()));
    json.filled_object("unsupported_providers", |json| {
        reasons(json, facts.unsupported_providers.iter().map(|(kind, why)| (ProviderKind::as_str(*kind), why)));
    });
    json.filled_object("unsupported_layers", |json| {
        reasons(json, facts.unsupported_layers.iter().map(|(kind, why)| (LayerKind::as_str(*kind), why)));
    });
    json.must("platform", "LINUX");
}

fn reasons<'a>(json: &mut Json, all: impl Iterator<Item = (&'static str, &'a Vec<String>)>) {
    for (kind, why) in all {
        json.key(kind);
        json.list(|json| why.iter().for_each(|reason| json.string(reason)));
    }
}

/// An interface of a node.
pub fn net_interface(json: &mut Json, node: &Node, interface: &NetInterface) {
    json.object(|json| {
        json.must("name", interface.name.as_str());
        json.shown("address", interface.address);
        if let Some(satellite) = &interface.satellite {
            json.int("satellite_port", satellite.port.into());
            json.must("satellite_encryption_type", EncryptionKind::as_str(satellite.encryption));
        }
        json.flag("is_active", node.active_interface.as_ref() == Some(&interface.name));
        json.uuid(interface.uuid);
    });
}

/// A pair of nodes.
pub fn node_connection(json: &mut Json, pair: &NodeConnection) {
    json.object(|json| {
        json.must("node_a", pair.a.as_str());
        json.must("node_b", pair.b.as_str());
        json.props("props", &pair.props);
    });
}

/// Where a node's DRBD reactor tells its metrics: the address of its active interface with `port`.
#[must_use]
pub fn scrape_target(node: &Node, port: u16) -> Option<String> {
    let interface = node.active_interface.as_ref().filter(|_| node.has_satellite())?;
    let address = node.net_interfaces.get(interface)?.address;
    Some(std::net::SocketAddr::new(address, port).to_string())
}

/// The nodes with an address to ask, in one target.
pub fn scrape_targets(json: &mut Json, cluster: &Cluster, port: u16) {
    json.list(|json| {
        json.object(|json| {
            json.key("targets");
            json.list(|json| {
                let targets = cluster.nodes.values().filter_map(|node| scrape_target(node, port));
                targets.for_each(|target| json.string(&target));
            });
        });
    });
}

/// The names of nodes as the nodes themselves spell them.
pub fn display<'a>(cluster: &'a Cluster, name: &'a NodeName) -> &'a str {
    cluster.nodes.get(name).map_or(name.as_str(), |node| node.name.as_str())
}
