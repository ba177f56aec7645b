//! Words of `zea snapshot`. Never carries one out.

use clap::{Subcommand, ValueEnum};

use super::values::{self, Properties, given};

/// How ZFS goes back to a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ZfsRollback {
    /// By a rollback, which loses younger snapshots
    Rollback,
    /// By a copy
    Clone,
    /// By a rollback where nothing younger is lost, else by a copy
    Dynamic,
}

impl ZfsRollback {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ZfsRollback::Rollback => "rollback",
            ZfsRollback::Clone => "clone",
            ZfsRollback::Dynamic => "dynamic",
        }
    }
}

/// `zea snapshot`.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// List snapshots.
    #[command(visible_alias = "l")]
    List {
        /// Only of these resources.
        resources: Vec<String>,
        /// Only on these nodes.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        nodes: Vec<String>,
    },
    /// Take a snapshot.
    #[command(visible_alias = "c")]
    Create {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// Its name.
        #[arg(value_parser = values::new_snapshot)]
        name: String,
        /// On these nodes; by default on all that have a disk.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        nodes: Option<Vec<String>>,
        /// Properties.
        #[command(flatten)]
        properties: Properties,
    },
    /// Remove a snapshot.
    #[command(visible_alias = "d")]
    Delete {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The snapshot.
        #[arg(value_parser = given)]
        name: String,
        /// From these nodes only.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        nodes: Vec<String>,
    },
    /// Make a new resource out of a snapshot.
    Restore {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The snapshot.
        #[arg(value_parser = given)]
        name: String,
        /// Name of the new resource.
        #[arg(value_parser = values::new_resource)]
        to: String,
        /// The group that it belongs to; by default the old resource's.
        #[arg(long, short = 'g')]
        group: Option<String>,
        /// The resource definition is there already and has no volumes.
        #[arg(long, conflicts_with = "group")]
        existing: bool,
        /// On these nodes; by default on all that have the snapshot.
        #[arg(long, value_name = "NODES", value_delimiter = ',')]
        nodes: Option<Vec<String>>,
        /// Another pool instead of the snapshot's.
        #[arg(long, value_name = "OLD=NEW", value_delimiter = ',', value_parser = values::pair)]
        rename_pool: Vec<(String, String)>,
    },
    /// Take a resource back to a snapshot: what was written since is lost.
    Rollback {
        /// The resource.
        #[arg(value_parser = given)]
        resource: String,
        /// The snapshot.
        #[arg(value_parser = given)]
        name: String,
        /// How ZFS does it.
        #[arg(long, value_name = "HOW")]
        zfs: Option<ZfsRollback>,
    },
}
