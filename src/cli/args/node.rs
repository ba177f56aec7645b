//! Words of `zea node`. Never carries one out.

use std::net::IpAddr;

use clap::Subcommand;

use super::values::{self, Properties, PropertyChange, given};

/// `zea node`.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// List nodes.
    #[command(visible_alias = "l")]
    List {
        /// Only these.
        nodes: Vec<String>,
    },
    /// Register a node.
    #[command(visible_alias = "c")]
    Create {
        /// Its name: the machine's host name.
        #[arg(value_parser = values::new_node)]
        name: String,
        /// Its IP address.
        address: IpAddr,
        /// What it is for.
        #[arg(long = "type", value_name = "KIND", default_value = "satellite", value_parser = values::NODE_KIND)]
        kind: String,
        /// Name of the network interface.
        #[arg(long, value_name = "NAME", default_value = "default", value_parser = values::new_interface)]
        interface: String,
        /// TCP port of its satellite; by default the controller's choice.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        port: Option<u16>,
        /// How the link to its satellite is protected where the controller is not Zea's; Zea's is always mutual TLS.
        #[arg(long, value_name = "KIND", value_parser = values::ENCRYPTION)]
        encryption: Option<String>,
        /// Properties.
        #[command(flatten)]
        properties: Properties,
    },
    /// Remove a node, once its satellite has cleaned up.
    #[command(visible_alias = "d")]
    Delete {
        /// The node.
        #[arg(value_parser = given)]
        name: String,
    },
    /// Forget a node that is gone for good, with all that it had.
    Lost {
        /// The node.
        #[arg(value_parser = given)]
        name: String,
    },
    /// Move everything away from a node.
    Evacuate {
        /// The node.
        #[arg(value_parser = given)]
        name: String,
        /// Only to these nodes.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        target: Vec<String>,
        /// Never to these nodes.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        do_not_target: Vec<String>,
    },
    /// Take back a node that was evicted or evacuated.
    Restore {
        /// The node.
        #[arg(value_parser = given)]
        name: String,
        /// Delete the resources that it still has.
        #[arg(long)]
        delete_resources: bool,
        /// Delete the snapshots that it still has.
        #[arg(long)]
        delete_snapshots: bool,
    },
    /// Give up a node that is offline: its replicas are made elsewhere.
    Evict {
        /// The node.
        #[arg(value_parser = given)]
        name: String,
    },
    /// Close the link to a node's satellite and open it anew.
    #[command(visible_alias = "rc")]
    Reconnect {
        /// The nodes.
        #[arg(required = true, value_parser = given)]
        names: Vec<String>,
    },
    /// A node's network interfaces.
    #[command(subcommand, visible_alias = "i")]
    Interface(InterfaceCommand),
    /// Set a node's property, or remove it.
    #[command(visible_alias = "sp")]
    SetProperty {
        /// The node.
        #[arg(value_parser = given)]
        name: String,
        /// The property.
        #[command(flatten)]
        property: PropertyChange,
    },
    /// Tell which kinds of storage pool and which layers nodes can have, and why not the others.
    Info {
        /// Only these.
        nodes: Vec<String>,
    },
}

/// `zea node interface`.
#[derive(Debug, Subcommand)]
pub enum InterfaceCommand {
    /// List a node's network interfaces.
    #[command(visible_alias = "l")]
    List {
        /// The node.
        #[arg(value_parser = given)]
        node: String,
    },
    /// Add a network interface.
    #[command(visible_alias = "c")]
    Create {
        /// The node.
        #[arg(value_parser = given)]
        node: String,
        /// Its name.
        #[arg(value_parser = values::new_interface)]
        name: String,
        /// Its IP address.
        address: IpAddr,
        /// TCP port of the satellite, if it is reached here.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        port: Option<u16>,
        /// How the link to the satellite is protected where the controller is not Zea's; Zea's is always mutual TLS.
        #[arg(long, value_name = "KIND", value_parser = values::ENCRYPTION)]
        encryption: Option<String>,
        /// Reach the satellite here.
        #[arg(long)]
        active: bool,
    },
    /// Change a network interface.
    #[command(visible_alias = "m")]
    Modify {
        /// The node.
        #[arg(value_parser = given)]
        node: String,
        /// Its name.
        #[arg(value_parser = given)]
        name: String,
        /// Its new IP address.
        #[arg(long)]
        address: Option<IpAddr>,
        /// New TCP port of the satellite.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        port: Option<u16>,
        /// How the link to the satellite is protected from now on where the controller is not Zea's.
        #[arg(long, value_name = "KIND", value_parser = values::ENCRYPTION)]
        encryption: Option<String>,
        /// Reach the satellite here.
        #[arg(long)]
        active: bool,
    },
    /// Remove a network interface.
    #[command(visible_alias = "d")]
    Delete {
        /// The node.
        #[arg(value_parser = given)]
        node: String,
        /// Its name.
        #[arg(value_parser = given)]
        name: String,
    },
}
