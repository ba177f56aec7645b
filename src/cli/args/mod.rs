//! The command line's words: every command with its arguments, checked as far as no controller is needed for it. Never
//! carries a command out.

mod definition;
mod encryption;
mod filter;
mod group;
mod node;
mod pool;
mod property;
mod resource;
mod small;
mod snapshot;
mod values;
mod volume;

pub use definition::{DefinitionCommand, DefinitionCreate};
pub use encryption::EncryptionCommand;
pub use filter::Filter;
pub use group::{GroupCommand, GroupVolumesCommand};
pub use node::{InterfaceCommand, NodeCommand};
pub use pool::PoolCommand;
pub use property::{OBJECTS, ObjectPath, ObjectRow, PropertyCommand};
pub use resource::ResourceCommand;
pub use small::{ControllerCommand, ErrorsCommand, KvsCommand, Make, StoreCommand};
pub use snapshot::SnapshotCommand;
pub use values::{Properties, PropertyChange};
pub use volume::VolumeCommand;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Tables and sentences for people
    Table,
    /// The controller's JSON as it came, one answer a line
    Json,
}

/// Zea's command line: looks at a cluster, makes volumes and looks after them.
#[derive(Debug, Parser)]
#[command(name = "zea", version, disable_help_subcommand = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub options: Options,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 2 wrong arguments, 10 the controller refused, 20 no controller answered.

To begin: zea make my-volume 1GiB, then zea resource list, then zea rm my-volume.";

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for every command")]
pub struct Options {
    /// Controllers, tried in this order: host[:port],… also with http://, https:// or linstor:// before it.
    ///
    /// Else the variables ZEA_CONTROLLERS and LS_CONTROLLERS hold, then the configuration file, then 127.0.0.1:3370.
    #[arg(long, global = true, value_name = "LIST")]
    pub controllers: Option<String>,
    /// Configuration file (TOML: controllers, timeout, output, ascii, ca, certificate, key).
    ///
    /// By default ~/.config/zea/zea.toml, or where that is missing /etc/zea/zea.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Seconds that one request may take; 300 by default.
    #[arg(long, global = true, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// How answers are printed.
    #[arg(long, short = 'o', global = true, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// The same as --output json.
    #[arg(long = "machine-readable", short = 'm', global = true)]
    pub machine: bool,
    /// Draw tables in ASCII only.
    #[arg(long, global = true)]
    pub ascii: bool,
    /// PEM file of the authorities that an https controller's certificate may come from.
    #[arg(long, global = true, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a volume out of a resource group and print its device: the short way.
    Make(Make),
    /// Remove a resource with all its replicas: the short way.
    Rm {
        /// The resource.
        #[arg(value_parser = values::given)]
        name: String,
        /// Also when it has snapshots, which are removed first.
        #[arg(long, short)]
        yes: bool,
    },
    /// Print the devices of a resource, one a line.
    Device {
        /// The resource.
        #[arg(value_parser = values::given)]
        name: String,
    },
    /// Nodes: the machines of the cluster.
    #[command(subcommand, visible_alias = "n")]
    Node(NodeCommand),
    /// Storage pools: where nodes keep volumes.
    #[command(subcommand, visible_alias = "sp", alias = "storage-pool")]
    Pool(PoolCommand),
    /// Resource groups: how resources are placed and what they have in common.
    #[command(subcommand, visible_alias = "rg", alias = "resource-group")]
    Group(GroupCommand),
    /// Resource definitions: what is the same on all nodes.
    #[command(subcommand, visible_alias = "rd", alias = "resource-definition")]
    Definition(DefinitionCommand),
    /// Volumes of resource definitions, and their sizes.
    #[command(subcommand, visible_alias = "vd", alias = "volume-definition")]
    Volume(VolumeCommand),
    /// Resources: replicas on nodes.
    #[command(subcommand, visible_alias = "r")]
    Resource(ResourceCommand),
    /// Snapshots.
    #[command(subcommand, visible_alias = "s")]
    Snapshot(SnapshotCommand),
    /// Properties of every kind of object.
    #[command(subcommand, visible_alias = "p")]
    Property(PropertyCommand),
    /// Key-value stores, in which other programs keep what they need.
    #[command(subcommand, visible_alias = "key-value-store")]
    Kvs(KvsCommand),
    /// The controller itself.
    #[command(subcommand, visible_alias = "c")]
    Controller(ControllerCommand),
    /// The master passphrase, which guards the keys of LUKS volumes.
    #[command(subcommand, visible_alias = "e")]
    Encryption(EncryptionCommand),
    /// Show the tree of actors: restarts, waiting messages, last failures.
    Actors,
    /// Tell why a resource's replicas are where they are: each node with its reason.
    Explain {
        /// The resource.
        #[arg(value_parser = values::given)]
        resource: String,
    },
    /// Error reports.
    #[command(subcommand, visible_alias = "err", alias = "error-reports")]
    Errors(ErrorsCommand),
    /// A data folder's store, while its daemon is stopped.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Print a shell's completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the address of the first controller that answers.
    Url,
}
