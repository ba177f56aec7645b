//! Words of `zea volume`. Never carries one out.

use clap::Subcommand;

use super::values::{self, Properties, PropertyChange, given};

/// `zea volume`.
#[derive(Debug, Subcommand)]
pub enum VolumeCommand {
    /// Add a volume to a resource definition.
    #[command(visible_alias = "c")]
    Create {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// Its size, such as 10G.
        #[arg(value_parser = values::size)]
        size: i64,
        /// Its number; by default the next free one.
        #[arg(long, value_parser = clap::value_parser!(u16).range(..=65534))]
        number: Option<u16>,
        /// The size is that of the storage below, not what its user sees.
        #[arg(long)]
        gross: bool,
        /// Properties.
        #[command(flatten)]
        properties: Properties,
    },
    /// List volumes with their sizes.
    #[command(visible_alias = "l")]
    List {
        /// Only of these resources.
        resources: Vec<String>,
    },
    /// Give a volume another size.
    #[command(visible_alias = "s", alias = "set-size")]
    Resize {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The volume's number.
        #[arg(value_parser = values::number)]
        number: u16,
        /// The new size, such as 20G.
        #[arg(value_parser = values::size)]
        size: i64,
    },
    /// Give the LUKS layers of a volume another passphrase, which is asked for; all replicas get the same one.
    Passphrase {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The volume's number.
        number: u16,
    },
    /// Remove a volume on all nodes.
    #[command(visible_alias = "d")]
    Delete {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The volume's number.
        #[arg(value_parser = values::number)]
        number: u16,
    },
    /// Set a volume's property, or remove it.
    #[command(visible_alias = "sp")]
    SetProperty {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The volume's number.
        #[arg(value_parser = values::number)]
        number: u16,
        /// The property.
        #[command(flatten)]
        property: PropertyChange,
    },
}
