//! Nodes, their interfaces and their pairs.

use super::super::answer::answer_with;
use super::super::dispatch::Call;
use super::super::{Listing, Reply};
use super::{Read, json, missing, name, node as find_node, page};
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::names::{NetIfName, NodeName};
use crate::model::node::Node;
use crate::model::props::PropertyOwner;
use crate::model::refusal::Note;
use crate::protocols::rest::node::{SatelliteConfig, SatelliteNet};
use crate::protocols::rest::render::node::{net_interface, node, node_connection};
use crate::protocols::rest::render::props::catalogue;

pub fn read(cluster: &Cluster, call: &Call) -> Option<Read> {
    Some(match call.route.operation {
        "nodeList" => list(cluster, call),
        "nodeGet" => one(cluster, call),
        "nodePropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::Node))),
        "netinterfaceList" => interfaces(cluster, call),
        "netinterfaceGet" => interface(cluster, call),
        "nodeConnectionsList" => connections(cluster, call),
        "satelliteConfig" => satellite_config(cluster, call),
        _ => return None,
    })
}

fn list(cluster: &Cluster, call: &Call) -> Read {
    let (names, props) = (call.query.names("nodes"), call.query.props());
    let (view, page) = (cluster.clone(), page(call)?);
    Ok(Reply::list(Listing::of(cluster.nodes.clone(), page, move |json, name, record, window| {
        if names.admits(name.as_str()) && props.admits(|key| record.props.get(key)) && window.admit() {
            node(json, &view, record);
        }
    })))
}

fn one(cluster: &Cluster, call: &Call) -> Read {
    let record = find_node(cluster, call.param("node"))?;
    Ok(json(|json| node(json, cluster, record)))
}

fn interfaces(cluster: &Cluster, call: &Call) -> Read {
    let record = find_node(cluster, call.param("node"))?;
    let part = page(call)?.cut(record.net_interfaces.values());
    Ok(json(|json| json.list(|json| part.for_each(|one| net_interface(json, record, one)))))
}

fn interface(cluster: &Cluster, call: &Call) -> Read {
    let record = find_node(cluster, call.param("node"))?;
    let wanted = name(NetIfName::parse(call.param("netif")), code::FAIL_NOT_FOUND_NET_IF)?;
    let Some(found) = record.net_interfaces.get(&wanted) else {
        let message = format!("Node {} has no network interface {wanted}", record.name);
        return Err(missing(code::FAIL_NOT_FOUND_NET_IF, message));
    };
    Ok(json(|json| net_interface(json, record, found)))
}

fn connections(cluster: &Cluster, call: &Call) -> Read {
    let ends: Vec<&str> = [call.query.first("node_a"), call.query.first("node_b")].into_iter().flatten().collect();
    let is_end = |node: &NodeName, end: &str| node.as_str().eq_ignore_ascii_case(end);
    let fits = |end: &&str, pair: (&NodeName, &NodeName)| is_end(pair.0, end) || is_end(pair.1, end);
    let pairs = cluster.node_connections.values().filter(|pair| ends.iter().all(|end| fits(end, (&pair.a, &pair.b))));
    let found: Vec<_> = pairs.collect();
    if let ([a, b], true) = (&ends[..], found.is_empty()) {
        let message = format!("There is no connection of nodes {a} and {b} with settings");
        return Err(missing(code::FAIL_NOT_FOUND_NODE_CONN, message));
    }
    Ok(json(|json| json.list(|json| found.iter().for_each(|pair| node_connection(json, pair)))))
}

fn satellite_config(cluster: &Cluster, call: &Call) -> Read {
    let record = find_node(cluster, call.param("node"))?;
    if !cluster.is_online(&record.name) {
        let note = Note::warning(code::WARN_NOT_CONNECTED, format!("No connection to node {}", record.name))
            .of_node(record)
            .cure("Start the satellite there and see to it that the controller can reach it");
        return Ok(Reply { status: 503, ..answer_with(None, 503, &[note]) });
    }
    Ok(json(|json| json.value(&config_of(record))))
}

trait OfNode {
    fn of_node(self, node: &Node) -> Self;
}

impl OfNode for Note {
    fn of_node(mut self, node: &Node) -> Self {
        self.object = Some(code::ObjectKind::Node);
        self.about("Node", &node.name)
    }
}

/// What the controller itself knows of a satellite's configuration; the rest is left out.
fn config_of(node: &Node) -> SatelliteConfig {
    let active = node.active_interface.as_ref().and_then(|name| node.net_interfaces.get(name));
    let net = active.and_then(|active| {
        let satellite = active.satellite.as_ref()?;
        let (port, com_type) = (Some(satellite.port.into()), satellite.encryption.to_string());
        Some(SatelliteNet { bind_address: active.address.to_string(), port, com_type })
    });
    let stlt_override_node_name = node.name.to_string();
    SatelliteConfig { stlt_override_node_name, net, ..SatelliteConfig::default() }
}
