//! Words of `zea pool`. Never carries one out.

use clap::Subcommand;

use super::values::{self, Properties, PropertyChange, given};

/// `zea pool`.
#[derive(Debug, Subcommand)]
pub enum PoolCommand {
    /// List storage pools with their free space.
    #[command(visible_alias = "l")]
    List {
        /// Only pools of these names.
        pools: Vec<String>,
        /// Only on these nodes.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        nodes: Vec<String>,
    },
    /// Create a storage pool on a node.
    #[command(visible_alias = "c")]
    Create {
        /// Kind of pool.
        #[arg(value_parser = values::PROVIDER)]
        kind: String,
        /// The node.
        #[arg(value_parser = given)]
        node: String,
        /// Its name.
        #[arg(value_parser = values::new_pool)]
        name: String,
        /// What backs it: a volume group, volume group/thin pool, zpool or folder; nothing for diskless.
        backing: Option<String>,
        /// Name of the space that it shares with pools of other nodes.
        #[arg(long, value_name = "NAME")]
        shared_space: Option<String>,
        /// Something else keeps nodes from using the same storage at once.
        #[arg(long)]
        external_locking: bool,
        /// Properties.
        #[command(flatten)]
        properties: Properties,
    },
    /// Remove a storage pool that holds nothing.
    #[command(visible_alias = "d")]
    Delete {
        /// The node.
        #[arg(value_parser = given)]
        node: String,
        /// The pool.
        #[arg(value_parser = given)]
        name: String,
    },
    /// Set a pool's property, or remove it.
    #[command(visible_alias = "sp")]
    SetProperty {
        /// The node.
        #[arg(value_parser = given)]
        node: String,
        /// The pool.
        #[arg(value_parser = given)]
        name: String,
        /// The property.
        #[command(flatten)]
        property: PropertyChange,
    },
}
