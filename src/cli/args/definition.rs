//! Words of `zea definition`. Never carries one out.

use clap::{Args, Subcommand};

use super::values::{self, Properties, PropertyChange, given};

/// `zea definition`.
#[derive(Debug, Subcommand)]
pub enum DefinitionCommand {
    /// List resource definitions.
    #[command(visible_alias = "l")]
    List {
        /// Only these.
        resources: Vec<String>,
    },
    /// Create a resource definition, as yet without volumes and replicas.
    #[command(visible_alias = "c")]
    Create(DefinitionCreate),
    /// Remove a resource definition and all its replicas.
    #[command(visible_alias = "d")]
    Delete {
        /// The resources.
        #[arg(required = true, value_parser = given)]
        names: Vec<String>,
    },
    /// Set a resource definition's property, or remove it.
    #[command(visible_alias = "sp")]
    SetProperty {
        /// The resource.
        #[arg(value_parser = given)]
        name: String,
        /// The property.
        #[command(flatten)]
        property: PropertyChange,
    },
    /// Copy a resource with its data, and wait until that is done.
    Clone {
        /// The original.
        #[arg(value_parser = given)]
        source: String,
        /// Name of the copy.
        #[arg(value_parser = values::new_resource)]
        name: String,
        /// The group that the copy belongs to; by default the original's.
        #[arg(long)]
        group: Option<String>,
        /// Let the copy depend on the original where ZFS can.
        #[arg(long)]
        use_zfs_clone: bool,
        /// Do not wait.
        #[arg(long, visible_alias = "async")]
        no_wait: bool,
    },
}

/// `zea definition create`.
#[derive(Debug, Args)]
pub struct DefinitionCreate {
    /// Its name.
    #[arg(value_parser = values::new_resource, required_unless_present = "external_name")]
    pub name: Option<String>,
    /// The group that it belongs to.
    #[arg(long, short = 'g', visible_alias = "resource-group")]
    pub group: Option<String>,
    /// Name that the outside uses, of any form.
    #[arg(long, value_name = "NAME")]
    pub external_name: Option<String>,
    /// Layers from the top, such as drbd,storage.
    #[arg(long, short = 'l', value_name = "LAYERS", value_delimiter = ',', value_parser = values::LAYER)]
    pub layers: Vec<String>,
    /// Most replicas beside a node's own.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..=31))]
    pub peer_slots: Option<i32>,
    /// Properties.
    #[command(flatten)]
    pub properties: Properties,
}
