//! Decisions about the network interfaces of nodes. A node with a satellite has exactly one active interface: the one
//! over which the controller reaches it. Never judges whether an address answers.

use std::net::IpAddr;

use super::draft::Draft;
use super::notes::{already_gone, modified};
use crate::model::code::*;
use crate::model::command::{InterfaceModify, NewInterface};
use crate::model::kinds::EncryptionKind;
use crate::model::names::{NetIfName, NodeName};
use crate::model::node::{NetInterface, Node, SatellitePort};
use crate::model::refusal::{Note, Refusal};

/// Where a satellite listens when nobody says otherwise.
const DEFAULT_SATELLITE: SatellitePort = SatellitePort { port: 3366, encryption: EncryptionKind::Plain };

/// Gives a new node its interfaces. The active one is the first that is marked, else the first with a port, else the
/// first.
///
/// # Errors
/// A bad address or port, a name twice, or no interface on a node with a satellite.
pub(super) fn add_all(draft: &mut Draft, node: &mut Node, interfaces: &[NewInterface]) -> Result<(), Refusal> {
    for new in interfaces {
        if node.net_interfaces.contains_key(&new.name) {
            return Err(exists(&node.name, &new.name));
        }
        let interface = build(draft, new)?;
        node.net_interfaces.insert(new.name.clone(), interface);
    }
    let marked = interfaces.iter().find(|new| new.active);
    let with_port = || interfaces.iter().find(|new| new.satellite.is_some());
    match marked.or_else(with_port).or_else(|| interfaces.first()) {
        Some(chosen) if node.has_satellite() => activate(node, &chosen.name),
        Some(_) => {}
        None if node.has_satellite() => return Err(no_interface(&node.name)),
        None => {}
    }
    Ok(())
}

/// Makes sure that the node has an active interface.
///
/// # Errors
/// It has no interface at all.
pub(super) fn ensure_active(node: &mut Node) -> Result<(), Refusal> {
    if node.active_interface.is_some() {
        return Ok(());
    }
    let mut all = node.net_interfaces.values();
    let chosen = all.clone().find(|interface| interface.satellite.is_some()).or_else(|| all.next());
    let name = chosen.map(|interface| interface.name.clone()).ok_or_else(|| no_interface(&node.name))?;
    activate(node, &name);
    Ok(())
}

fn activate(node: &mut Node, name: &NetIfName) {
    if let Some(interface) = node.net_interfaces.get_mut(name) {
        interface.satellite.get_or_insert(DEFAULT_SATELLITE);
        node.active_interface = Some(interface.name.clone());
    }
}

fn build(draft: &mut Draft, new: &NewInterface) -> Result<NetInterface, Refusal> {
    check_address(&new.name, new.address)?;
    check_port(&new.name, new.satellite.as_ref())?;
    Ok(NetInterface {
        name: new.name.clone(),
        uuid: draft.uuid(),
        address: new.address,
        satellite: new.satellite.clone(),
    })
}

fn check_address(name: &NetIfName, address: IpAddr) -> Result<(), Refusal> {
    if !address.is_unspecified() && !address.is_multicast() {
        return Ok(());
    }
    Err(Refusal::new(
        FAIL_INVLD_NET_ADDR,
        format!("Address {address} of network interface '{name}' reaches no single host"),
    )
    .because("Unspecified and multicast addresses cannot be connected to")
    .cure("Give an address that the node has")
    .about("NetIf", name))
}

fn check_port(name: &NetIfName, satellite: Option<&SatellitePort>) -> Result<(), Refusal> {
    if satellite.is_none_or(|satellite| satellite.port != 0) {
        return Ok(());
    }
    Err(Refusal::new(
        FAIL_INVLD_NET_PORT,
        format!("Satellite port 0 of network interface '{name}' cannot be connected to"),
    )
    .because("TCP ports go from 1 to 65535")
    .cure(format!("Give the port on which the satellite listens, {} by default", DEFAULT_SATELLITE.port))
    .about("NetIf", name))
}

pub(super) fn create(draft: &mut Draft, node: &NodeName, new: &NewInterface) -> Result<(), Refusal> {
    let mut node = draft.node(node)?;
    if node.net_interfaces.contains_key(&new.name) {
        return Err(exists(&node.name, &new.name));
    }
    let interface = build(draft, new)?;
    let note = Note::success(CREATED, format!("Network interface '{}' of node '{}' created", new.name, node.name));
    draft.note(refer(note, &node, &interface));
    node.net_interfaces.insert(new.name.clone(), interface);
    let first = node.active_interface.is_none() && new.satellite.is_some();
    if node.has_satellite() && (new.active || first) {
        activate(&mut node, &new.name);
    }
    draft.put_node(node);
    Ok(())
}

pub(super) fn modify(
    draft: &mut Draft,
    node: &NodeName,
    name: &NetIfName,
    request: &InterfaceModify,
) -> Result<(), Refusal> {
    let mut node = draft.node(node)?;
    let old = node.clone();
    let Some(interface) = node.net_interfaces.get_mut(name) else {
        return Err(missing(&node.name, name));
    };
    if let Some(address) = request.address {
        check_address(name, address)?;
        interface.address = address;
    }
    if let Some(satellite) = &request.satellite {
        check_port(name, Some(satellite))?;
        interface.satellite = Some(satellite.clone());
    }
    let interface = interface.clone();
    if request.active {
        check_can_be_active(&node, &interface)?;
        activate(&mut node, name);
    }
    let what = format!("Network interface '{}' of node '{}'", interface.name, node.name);
    draft.note(refer(modified(what, node != old), &node, &interface));
    if node != old {
        draft.put_node(node);
    }
    Ok(())
}

fn check_can_be_active(node: &Node, interface: &NetInterface) -> Result<(), Refusal> {
    let name = &interface.name;
    if !node.has_satellite() {
        let text = format!("Network interface '{name}' cannot be active: node '{}' has no satellite", node.name);
        return Err(Refusal::new(FAIL_INVLD_NODE_TYPE, text)
            .because(format!("Nodes of type {} are not connected to", node.kind))
            .cure("Change the node's type first, or leave the interface as it is")
            .about("NetIf", name));
    }
    if interface.satellite.is_none() {
        return Err(Refusal::new(
            FAIL_MISSING_STLT_CONN,
            format!("Network interface '{name}' cannot be active: it has no satellite port"),
        )
        .because("The controller reaches the satellite at the active interface's port")
        .cure(format!("Give the satellite's port too, {} by default", DEFAULT_SATELLITE.port))
        .about("NetIf", name));
    }
    Ok(())
}

/// The active interface may go when another one can take its place.
pub(super) fn delete(draft: &mut Draft, node: &NodeName, name: &NetIfName) -> Result<(), Refusal> {
    let what = format!("Network interface '{name}' of node '{node}'");
    let known = draft.cluster.nodes.get(node).filter(|node| node.net_interfaces.contains_key(name));
    let Some(mut node) = known.map(|node| Node::clone(node)) else {
        draft.note(already_gone(what));
        return Ok(());
    };
    let Some(interface) = node.net_interfaces.remove(name) else {
        return Ok(());
    };
    if node.active_interface.as_ref() == Some(name) {
        replace_active(draft, &mut node, name)?;
    }
    draft.note(refer(Note::success(DELETED, format!("{what} deleted")), &node, &interface));
    draft.put_node(node);
    Ok(())
}

fn replace_active(draft: &mut Draft, node: &mut Node, name: &NetIfName) -> Result<(), Refusal> {
    let next = node.net_interfaces.values().find(|interface| interface.satellite.is_some());
    let Some(next) = next.map(|interface| interface.name.clone()) else {
        let text = format!("Network interface '{name}' of node '{}' is the only one to its satellite", node.name);
        return Err(Refusal::new(FAIL_IN_USE, text)
            .because("Without it the controller could not reach the node")
            .cure("Create another interface with a satellite port first, or delete the node")
            .about("Node", &node.name)
            .about("NetIf", name));
    };
    activate(node, &next);
    draft.note(Note::info(INFO_NOOP, format!("The satellite is reached over network interface '{next}' from now on")));
    Ok(())
}

fn refer(note: Note, node: &Node, interface: &NetInterface) -> Note {
    note.about("Node", &node.name).about("NetIf", &interface.name).about("UUID", interface.uuid)
}

fn exists(node: &NodeName, name: &NetIfName) -> Refusal {
    Refusal::new(FAIL_EXISTS_NET_IF, format!("Node '{node}' has a network interface '{name}' already"))
        .because("Interface names are unique on a node, whatever their case")
        .cure("Choose another name, or modify the interface that is there")
        .about("Node", node)
        .about("NetIf", name)
}

fn missing(node: &NodeName, name: &NetIfName) -> Refusal {
    Refusal::new(FAIL_NOT_FOUND_NET_IF, format!("Network interface '{name}' of node '{node}' not found"))
        .because("It was deleted before, or never created")
        .cure("List the node's interfaces, or create it first")
        .about("Node", node)
        .about("NetIf", name)
}

fn no_interface(node: &NodeName) -> Refusal {
    Refusal::new(FAIL_MISSING_NETCOM, format!("Node '{node}' has no network interface"))
        .because("The controller needs an address at which the satellite can be reached")
        .cure("Give at least one interface with an IP address")
        .about("Node", node)
}
