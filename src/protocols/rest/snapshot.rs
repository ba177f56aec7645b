//! Snapshots on the wire: what there is, taking, restoring and rolling back. Never says which snapshot is usable.

use super::resource::VolumeState;
use super::shape::Props;

shapes! {
    /// A snapshot over all its nodes.
    Snapshot {
        must {
            /// Name.
            name: String,
            /// The resource definition that it is of.
            resource_name: String,
        }
        may {
            /// The nodes that have it.
            nodes: Vec<String>,
            /// The two kinds of properties below in one map.
            props: Props,
            /// Its own properties.
            snapshot_definition_props: Props,
            /// The resource definition's properties when it was taken.
            resource_definition_props: Props,
            /// `SUCCESSFUL` when it can be used; others tell why not.
            flags: Vec<String>,
            /// Its volumes.
            volume_definitions: Vec<SnapshotVolumeDefinition>,
            /// Unique id.
            uuid: String,
            /// The snapshot on each node. Clients take the time of the first, so it must not be empty.
            snapshots: Vec<SnapshotNode>,
        }
    }

    /// A volume of a snapshot.
    SnapshotVolumeDefinition {
        must {
            /// Its number.
            volume_number: i32,
            /// KiB.
            size_kib: i64,
        }
        may {
            /// Its own properties.
            snapshot_volume_definition_props: Props,
            /// The volume definition's properties when it was taken.
            volume_definition_props: Props,
        }
    }

    /// A snapshot on one node.
    SnapshotNode {
        must {
            /// When it was taken, in milliseconds since the epoch.
            create_timestamp: i64,
        }
        may {
            /// Name.
            snapshot_name: String,
            /// The node.
            node_name: String,
            /// `DELETE`, and how shipping it goes.
            flags: Vec<String>,
            /// Unique id.
            uuid: String,
            /// Its own properties.
            snapshot_props: Props,
            /// The resource's properties when it was taken.
            resource_props: Props,
            /// Its volumes.
            snapshot_volumes: Vec<SnapshotVolumeNode>,
        }
    }

    /// A volume of a snapshot on one node.
    SnapshotVolumeNode {
        must {
            /// Its number.
            vlm_nr: i32,
        }
        may {
            /// Unique id.
            uuid: String,
            /// The two kinds of properties below in one map.
            props: Props,
            /// Its own properties.
            snapshot_volume_props: Props,
            /// The volume's properties when it was taken.
            volume_props: Props,
            /// What its node told of it.
            state: Option<VolumeState>,
        }
    }

    /// Takes a snapshot.
    SnapshotCreate {
        must {
            /// Name.
            name: String,
        }
        may {
            /// Nodes to take it on; by default all that have a disk.
            nodes: Option<Vec<String>>,
            /// Its properties.
            snapshot_definition_props: Props,
        }
    }

    /// Takes several snapshots at one moment, all or none.
    CreateMultiSnapshotRequest {
        must {
            /// Which.
            snapshots: Vec<MultiSnapshotItem>,
        }
    }

    /// One of several snapshots.
    MultiSnapshotItem {
        must {
            /// Name.
            name: String,
            /// The resource definition that it is of.
            resource_name: String,
        }
        may {
            /// Nodes to take it on; by default all that have a disk.
            nodes: Option<Vec<String>>,
            /// Its properties.
            snapshot_definition_props: Props,
        }
    }

    /// Makes a resource, or its volume definitions, out of a snapshot.
    SnapshotRestore {
        must {
            /// The resource definition to fill.
            to_resource: String,
        }
        may {
            /// Nodes to do it on; by default all that have the snapshot.
            nodes: Option<Vec<String>>,
            /// Pools of the snapshot and what to use instead.
            stor_pool_rename: Props,
        }
    }

    /// Takes a resource back to a snapshot.
    SnapshotRollback {
        may {
            /// `rollback`, `clone` or `dynamic`.
            zfs_rollback_strategy: Option<String>,
        }
    }
}
