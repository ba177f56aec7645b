//! Words of the commands that have few. Never carries one out.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::{self, PropertyChange, given};

/// `zea make`.
#[derive(Debug, Args)]
pub struct Make {
    /// Name of the volume's resource.
    #[arg(value_parser = values::new_resource)]
    pub name: String,
    /// Size of its volume, such as 10G; several sizes make several volumes, however many the group has.
    #[arg(required = true, value_parser = values::size)]
    pub sizes: Vec<i64>,
    /// The resource group that says how.
    #[arg(long, short = 'g', default_value = "local", value_parser = given)]
    pub group: String,
}

/// `zea kvs`.
#[derive(Debug, Subcommand)]
pub enum KvsCommand {
    /// List key-value stores.
    #[command(visible_alias = "l")]
    List,
    /// Show what a store holds.
    Show {
        /// The store.
        #[arg(value_parser = given)]
        name: String,
    },
    /// Set a key; a store that is not there is made.
    Set {
        /// The store.
        #[arg(value_parser = values::new_kvs)]
        name: String,
        /// The key.
        #[arg(value_parser = given)]
        key: String,
        /// Its value.
        value: String,
    },
    /// Remove keys; a store without keys is gone.
    Unset {
        /// The store.
        #[arg(value_parser = given)]
        name: String,
        /// The keys.
        #[arg(required = true, value_parser = given)]
        keys: Vec<String>,
    },
    /// Remove a store with all its keys.
    #[command(visible_alias = "d")]
    Delete {
        /// The store.
        #[arg(value_parser = given)]
        name: String,
    },
}

/// `zea controller`.
#[derive(Debug, Subcommand)]
pub enum ControllerCommand {
    /// Tell the versions of the controller and of its API.
    #[command(visible_alias = "v")]
    Version,
    /// List the controller's properties, which hold for the whole cluster.
    #[command(visible_alias = "lp", alias = "list-properties")]
    Properties,
    /// Set a property of the controller, or remove it.
    #[command(visible_alias = "sp")]
    SetProperty {
        /// The property.
        #[command(flatten)]
        property: PropertyChange,
    },
}

/// `zea errors`.
#[derive(Debug, Subcommand)]
pub enum ErrorsCommand {
    /// List error reports.
    #[command(visible_alias = "l")]
    List {
        /// Only of these nodes.
        #[arg(long, value_name = "NODE")]
        node: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Show error reports.
    #[command(visible_alias = "s")]
    Show {
        /// Their ids.
        #[arg(required = true, value_parser = given)]
        ids: Vec<String>,
    },
}

/// `zea store`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// List what is wrong with a store; changes nothing.
    Check {
        /// The data folder.
        folder: PathBuf,
    },
    /// Write all records of a store as text; changes nothing in it.
    Export {
        /// The data folder.
        folder: PathBuf,
        /// Where to; by default to standard output. A file that is there is left alone.
        file: Option<PathBuf>,
    },
    /// Read an export into a store: all of it or nothing.
    Import {
        /// The data folder; one that is not there is made.
        folder: PathBuf,
        /// Where from; by default from standard input.
        file: Option<PathBuf>,
        /// Replace what the store holds.
        #[arg(long)]
        replace: bool,
    },
}
