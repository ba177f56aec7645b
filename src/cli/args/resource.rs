//! Words of `zea resource`. Never carries one out.

use clap::Subcommand;

use super::filter::Filter;
use super::values::{self, Properties, PropertyChange, given};

/// `zea resource`.
#[derive(Debug, Subcommand)]
pub enum ResourceCommand {
    /// List replicas. Those of resources without volumes are not shown.
    #[command(visible_alias = "l")]
    List {
        /// Only of these resources.
        resources: Vec<String>,
        /// Only on these nodes.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        nodes: Vec<String>,
        /// Only in these pools.
        #[arg(long, value_name = "POOLS", value_delimiter = ',')]
        pools: Vec<String>,
    },
    /// List the volumes of replicas with their devices.
    #[command(visible_alias = "lv")]
    Volumes {
        /// Only of these resources.
        resources: Vec<String>,
        /// Only on these nodes.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        nodes: Vec<String>,
    },
    /// Create replicas on the nodes that are named.
    #[command(visible_alias = "c")]
    Create {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The nodes.
        #[arg(required = true, value_parser = given)]
        nodes: Vec<String>,
        /// The pool.
        #[arg(long, short = 's', visible_alias = "storage-pool", value_name = "POOL")]
        pool: Option<String>,
        /// Without a disk.
        #[arg(long, short = 'd', conflicts_with = "pool")]
        diskless: bool,
        /// Layers from the top, such as drbd,storage.
        #[arg(long, short = 'l', value_name = "LAYERS", value_delimiter = ',', value_parser = values::LAYER)]
        layers: Option<Vec<String>>,
        /// Properties.
        #[command(flatten)]
        properties: Properties,
    },
    /// Place replicas where they fit best.
    #[command(visible_alias = "ap")]
    Autoplace {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// So many replicas beside those that exist.
        #[arg(long, value_name = "NUMBER", conflicts_with = "place_count", value_parser = clap::value_parser!(i32).range(1..))]
        additional: Option<i32>,
        /// Differently from the resource's group.
        #[command(flatten)]
        filter: Filter,
    },
    /// Remove replicas from nodes.
    #[command(visible_alias = "d")]
    Delete {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The nodes.
        #[arg(required = true, value_parser = given)]
        nodes: Vec<String>,
        /// Where it would break the tie, keep it without a disk.
        #[arg(long)]
        keep_tiebreaker: bool,
    },
    /// See to it that a node can use a resource, with a new replica if need be.
    #[command(visible_alias = "ma")]
    MakeAvailable {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The node.
        #[arg(value_parser = given)]
        node: String,
        /// With a disk there.
        #[arg(long)]
        diskful: bool,
    },
    /// Build a replica's layers up again.
    Activate {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The node.
        #[arg(value_parser = given)]
        node: String,
    },
    /// Take a replica's layers down and keep its data.
    Deactivate {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The node.
        #[arg(value_parser = given)]
        node: String,
    },
    /// Set a replica's property, or remove it.
    #[command(visible_alias = "sp")]
    SetProperty {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The node.
        #[arg(value_parser = given)]
        node: String,
        /// The property.
        #[command(flatten)]
        property: PropertyChange,
    },
}
