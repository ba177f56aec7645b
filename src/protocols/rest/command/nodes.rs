//! Requests about nodes, their interfaces and pairs of nodes. Never looks whether they exist.

use super::numbers::satellite_port;
use super::parse::{address, each, encryption, given, net_if, new_props, node, node_kind, props};
use super::{Call, Request, Untranslated, calls};
use crate::model::command::{Command, InterfaceModify, NewInterface, NodeCommand};
use crate::model::names::{NetIfName, NodeName};
use crate::model::node::SatellitePort;
use crate::model::refusal::Refusal;
use crate::protocols::rest::node::{
    NetInterface, NetInterfaceModify, NodeCreate, NodeEvacuate, NodeModify, NodeRestore,
};

pub(super) const CALLS: &[Call] = calls! {
    nodeAdd Commit => create;
    nodeModify Nodes => modify;
    nodeDelete Nodes => |request| Ok(Command::Node(NodeCommand::Delete { name: of(request)? }));
    nodeLost Nodes => |request| Ok(Command::Node(NodeCommand::Lost { name: of(request)? }));
    nodeEvict Nodes => |request| Ok(Command::Node(NodeCommand::Evict { name: of(request)? }));
    nodeRestore Nodes => restore;
    nodeEvacuate Nodes => evacuate;
    netinterfaceCreate Commit => interface_create;
    netinterfaceModified Commit => interface_modify;
    netinterfaceDelete Commit => interface_delete;
    nodeConnectionModify Nodes => connection_modify;
};

/// The node of the path.
pub(super) fn of(request: &Request) -> Result<NodeName, Refusal> {
    node(request.param("node"))
}

/// The two nodes of the path.
pub(super) fn pair_of(request: &Request) -> Result<(NodeName, NodeName), Refusal> {
    Ok((node(request.param("node_a"))?, node(request.param("node_b"))?))
}

fn create(request: &Request) -> Result<Command, Untranslated> {
    let wire: NodeCreate = request.read()?;
    Ok(Command::Node(NodeCommand::Create {
        name: node(&wire.name)?,
        kind: node_kind(&wire.kind)?,
        interfaces: wire.net_interfaces.iter().map(new_interface).collect::<Result<_, _>>()?,
        props: new_props(wire.props),
    }))
}

fn new_interface(wire: &NetInterface) -> Result<NewInterface, Refusal> {
    let encryption = given(Some(&wire.satellite_encryption_type), encryption)?;
    Ok(NewInterface {
        name: net_if(&wire.name)?,
        address: address(&wire.address)?,
        satellite: satellite_port(wire.satellite_port, encryption, None)?,
        active: wire.is_active,
    })
}

fn modify(request: &Request) -> Result<Command, Untranslated> {
    let mut wire: NodeModify = request.read()?;
    let props = props(wire.take_props());
    Ok(Command::Node(NodeCommand::Modify {
        name: of(request)?,
        kind: given(wire.node_type.as_ref(), node_kind)?,
        props,
    }))
}

fn restore(request: &Request) -> Result<Command, Untranslated> {
    let wire: NodeRestore = request.read_optional()?;
    Ok(Command::Node(NodeCommand::Restore {
        name: of(request)?,
        delete_resources: wire.delete_resources == Some(true),
        delete_snapshots: wire.delete_snapshots == Some(true),
    }))
}

fn evacuate(request: &Request) -> Result<Command, Untranslated> {
    let wire: NodeEvacuate = request.read_optional()?;
    Ok(Command::Node(NodeCommand::Evacuate {
        name: of(request)?,
        targets: each(&wire.target, node)?,
        not_targets: each(&wire.do_not_target, node)?,
    }))
}

fn interface_create(request: &Request) -> Result<Command, Untranslated> {
    let wire: NetInterface = request.read()?;
    Ok(Command::Node(NodeCommand::InterfaceCreate { node: of(request)?, interface: new_interface(&wire)? }))
}

fn interface_modify(request: &Request) -> Result<Command, Untranslated> {
    let wire: NetInterfaceModify = request.read()?;
    let (node, name) = (of(request)?, net_if(request.param("netif"))?);
    let encryption = given(wire.satellite_encryption_type.as_ref(), encryption)?;
    let known = known_port(request, &node, &name);
    let modify = InterfaceModify {
        address: given(wire.address.as_ref(), address)?,
        satellite: satellite_port(wire.satellite_port, encryption, known)?,
        active: wire.is_active == Some(true),
    };
    Ok(Command::Node(NodeCommand::InterfaceModify { node, name, modify }))
}

fn known_port<'a>(request: &'a Request, node: &NodeName, name: &NetIfName) -> Option<&'a SatellitePort> {
    request.cluster.nodes.get(node)?.net_interfaces.get(name)?.satellite.as_ref()
}

fn interface_delete(request: &Request) -> Result<Command, Untranslated> {
    let name = net_if(request.param("netif"))?;
    Ok(Command::Node(NodeCommand::InterfaceDelete { node: of(request)?, name }))
}

fn connection_modify(request: &Request) -> Result<Command, Untranslated> {
    let (a, b) = pair_of(request)?;
    Ok(Command::Node(NodeCommand::ConnectionModify { a, b, props: props(request.read()?) }))
}
