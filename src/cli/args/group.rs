//! Words of `zea group`. Never carries one out.

use clap::Subcommand;

use super::filter::Filter;
use super::values::{self, Properties, PropertyChange, given};

/// `zea group`.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List resource groups.
    #[command(visible_alias = "l")]
    List {
        /// Only these.
        groups: Vec<String>,
    },
    /// Create a resource group.
    #[command(visible_alias = "c")]
    Create {
        /// Its name.
        #[arg(value_parser = values::new_group)]
        name: String,
        /// What it is for.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// How many volumes its resources have.
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        volumes: u8,
        /// Where replicas may go.
        #[command(flatten)]
        filter: Filter,
        /// Properties.
        #[command(flatten)]
        properties: Properties,
    },
    /// Change a resource group; what is not said stays.
    #[command(visible_alias = "m")]
    Modify {
        /// The group.
        #[arg(value_parser = given)]
        name: String,
        /// What it is for.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Where replicas may go.
        #[command(flatten)]
        filter: Filter,
    },
    /// Remove a resource group that nothing belongs to.
    #[command(visible_alias = "d")]
    Delete {
        /// The group.
        #[arg(value_parser = given)]
        name: String,
    },
    /// Make a resource with its volumes out of a group, and place its replicas.
    #[command(visible_alias = "s")]
    Spawn {
        /// The group.
        #[arg(value_parser = given)]
        group: String,
        /// Name of the resource.
        #[arg(value_parser = values::new_resource)]
        name: String,
        /// Size of each volume, such as 10G.
        #[arg(required = true, value_parser = values::size)]
        sizes: Vec<i64>,
        /// Fewer or more sizes than the group has volumes are fine.
        #[arg(long)]
        partial: bool,
        /// Make definitions only, place nothing.
        #[arg(long)]
        definitions_only: bool,
        /// Differently from the group.
        #[command(flatten)]
        filter: Filter,
        /// Properties.
        #[command(flatten)]
        properties: Properties,
    },
    /// Place again what a group has made, after the group was changed.
    Adjust {
        /// The group; none means every group.
        group: Option<String>,
        /// Differently from the group.
        #[command(flatten)]
        filter: Filter,
    },
    /// The volumes that a group gives to its resources.
    #[command(subcommand, visible_alias = "vg")]
    Volumes(GroupVolumesCommand),
    /// Tell how large a volume of a group can be, and where it would go.
    Size {
        /// The group.
        #[arg(value_parser = given)]
        group: String,
        /// Differently from the group.
        #[command(flatten)]
        filter: Filter,
    },
    /// Set a group's property, or remove it.
    #[command(visible_alias = "sp")]
    SetProperty {
        /// The group.
        #[arg(value_parser = given)]
        name: String,
        /// The property.
        #[command(flatten)]
        property: PropertyChange,
    },
}

/// `zea group volumes`.
#[derive(Debug, Subcommand)]
pub enum GroupVolumesCommand {
    /// List a group's volumes.
    #[command(visible_alias = "l")]
    List {
        /// The group.
        #[arg(value_parser = given)]
        group: String,
    },
    /// Add a volume to a group.
    #[command(visible_alias = "c")]
    Create {
        /// The group.
        #[arg(value_parser = given)]
        group: String,
        /// The volume's number; by default the next free one.
        #[arg(long, value_parser = clap::value_parser!(u16).range(..=65534))]
        number: Option<u16>,
        /// Properties.
        #[command(flatten)]
        properties: Properties,
    },
    /// Take a volume away from a group.
    #[command(visible_alias = "d")]
    Delete {
        /// The group.
        #[arg(value_parser = given)]
        group: String,
        /// The volume's number.
        #[arg(value_parser = values::number)]
        number: u16,
    },
}
