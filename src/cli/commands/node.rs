//! `zea node`.

use super::{change, show};
use crate::cli::args::{InterfaceCommand, NodeCommand};
use crate::cli::call::Call;
use crate::cli::session::Step;
use crate::cli::views;
use crate::protocols::rest::node::{NetInterface, NetInterfaceModify, NodeCreate, NodeEvacuate, NodeRestore};

const NODES: &str = "/v1/nodes";
const NODE: &str = "/v1/nodes/{}";
const INTERFACES: &str = "/v1/nodes/{}/net-interfaces";
const INTERFACE: &str = "/v1/nodes/{}/net-interfaces/{}";

/// The steps of a command.
pub fn steps(command: &NodeCommand) -> Vec<Step> {
    match command {
        NodeCommand::List { nodes } => show(Call::get(NODES, &[]).query("nodes", nodes), views::nodes),
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
