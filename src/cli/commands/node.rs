//! `zea node`.

use super::{change, show};
use crate::cli::args::{InterfaceCommand, NodeCommand};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::session::{Session, Step};
use crate::cli::views;
use crate::protocols::rest::node::{NetInterface, NetInterfaceModify, Node, NodeCreate, NodeEvacuate, NodeRestore};

const NODES: &str = "/v1/nodes";
const NODE: &str = "/v1/nodes/{}";
const INTERFACES: &str = "/v1/nodes/{}/net-interfaces";
const INTERFACE: &str = "/v1/nodes/{}/net-interfaces/{}";

/// Carries a command out.
pub fn run(command: &NodeCommand, session: &mut Session) -> Result<(), CliError> {
    match command {
        NodeCommand::List { nodes } if !session.is_json() => list(nodes, session),
        other => session.take(steps(other)),
    }
}

/// The table says how nodes are really reached where the controller is Zea's: the API's own word is that of the request.
fn list(names: &[String], session: &mut Session) -> Result<(), CliError> {
    let nodes: Vec<Node> = session.fetch(&Call::get(NODES, &[]).query("nodes", names))?;
    let has_port = |node: &Node| node.net_interfaces.iter().any(|interface| interface.satellite_port.is_some());
    let actors: Option<Vec<views::ActorPath>> = match nodes.iter().any(has_port) {
        true => session.fetch_if_there(&Call::get("/v1/zea/actors", &[])),
        false => None,
    };
    session.print_page(&views::nodes(&nodes, actors.as_deref()))
}

/// The steps of a command.
pub fn steps(command: &NodeCommand) -> Vec<Step> {
    match command {
        NodeCommand::List { nodes } => show(Call::get(NODES, &[]).query("nodes", nodes), views::nodes_alone),
        NodeCommand::Info { nodes } => show(Call::get(NODES, &[]).query("nodes", nodes), views::node_info),
        NodeCommand::Create { name, address, kind, interface, port, encryption, properties } => {
            let interface = NetInterface {
                name: interface.clone(),
                address: address.to_string(),
                satellite_port: port.map(i32::from),
                satellite_encryption_type: encryption.clone().unwrap_or_default(),
                is_active: true,
                uuid: String::new(),
            };
            let (name, kind, props) = (name.clone(), kind.clone(), properties.props());
            change(Call::post(NODES, &[]).with(&NodeCreate { name, kind, net_interfaces: vec![interface], props }))
        }
        NodeCommand::Delete { name } => change(Call::delete(NODE, &[name])),
        NodeCommand::Lost { name } => change(Call::delete("/v1/nodes/{}/lost", &[name])),
        NodeCommand::Evacuate { name, target, do_not_target } => {
            let body = NodeEvacuate { target: target.clone(), do_not_target: do_not_target.clone() };
            change(Call::put("/v1/nodes/{}/evacuate", &[name]).with(&body))
        }
        NodeCommand::Restore { name, delete_resources, delete_snapshots } => {
            let body = NodeRestore {
                delete_resources: delete_resources.then_some(true),
                delete_snapshots: delete_snapshots.then_some(true),
            };
            change(Call::put("/v1/nodes/{}/restore", &[name]).with(&body))
        }
        NodeCommand::Evict { name } => change(Call::put("/v1/nodes/{}/evict", &[name])),
        NodeCommand::Reconnect { names } => {
            names.iter().map(|name| Step::Change(Call::put("/v1/nodes/{}/reconnect", &[name]))).collect()
        }
        NodeCommand::Interface(command) => interface_steps(command),
        NodeCommand::SetProperty { name, property } => {
            change(Call::put(NODE, &[name]).with_property(&property.key, property.value.as_deref()))
        }
    }
}

fn interface_steps(command: &InterfaceCommand) -> Vec<Step> {
    match command {
        InterfaceCommand::List { node } => show(Call::get(INTERFACES, &[node]), views::interfaces),
        InterfaceCommand::Create { node, name, address, port, encryption, active } => {
            let body = NetInterface {
                name: name.clone(),
                address: address.to_string(),
                satellite_port: port.map(i32::from),
                satellite_encryption_type: encryption.clone().unwrap_or_default(),
                is_active: *active,
                uuid: String::new(),
            };
            change(Call::post(INTERFACES, &[node]).with(&body))
        }
        InterfaceCommand::Modify { node, name, address, port, encryption, active } => {
            let body = NetInterfaceModify {
                name: None,
                address: address.map(|address| address.to_string()),
                satellite_port: port.map(i32::from),
                satellite_encryption_type: encryption.clone(),
                is_active: active.then_some(true),
            };
            change(Call::put(INTERFACE, &[node, name]).with(&body))
        }
        InterfaceCommand::Delete { node, name } => change(Call::delete(INTERFACE, &[node, name])),
    }
}
