//! Resources, which are replicas on nodes, and their volumes on the wire. Sizes are in KiB. Never places anything.

use std::collections::BTreeMap;

use super::group::AutoSelectFilter;
use super::layer::{ResourceLayer, VolumeLayer};
use super::rc::ApiCallRc;
use super::shape::Props;

shapes! {
    /// A replica on a node.
    Resource {
        must {
            /// Name of the resource definition.
            name: String,
            /// The node.
            node_name: String,
            /// Its layers from the top.
            layer_object: ResourceLayer,
            /// When it was made, in milliseconds since the epoch.
            create_timestamp: i64,
        }
        may {
            /// Properties.
            props: Props,
            /// DRBD options in force, and those that they outrank.
            effective_props: BTreeMap<String, EffectiveProp>,
            /// Flags; a flag that implies others comes with them, as `DRBD_DISKLESS` with `DISKLESS`.
            flags: Vec<String>,
            /// What its node told of it; absent when it told nothing.
            state: Option<ResourceState>,
            /// Unique id.
            uuid: String,
            /// Its volumes; only in the view over all resources.
            volumes: Vec<Volume>,
            /// Name of the space that its pool shares; only in the view over all resources.
            shared_name: String,
        }
    }

    /// A property in force and where it comes from.
    EffectiveProp {
        must {
            /// Where it is set.
            #[serde(rename = "type")]
            kind: String,
            /// Its value.
            value: String,
            /// Which object there.
            descr: String,
        }
        may {
            /// What it outranks.
            other: Vec<EffectiveProp>,
        }
    }

    /// What a node tells of a replica.
    ResourceState {
        may {
            /// Whether somebody has it open.
            in_use: Option<bool>,
        }
    }

    /// A volume of a replica.
    Volume {
        must {
            /// Its number.
            volume_number: i32,
            /// Kind of its pool; `DISKLESS` for a replica without a disk.
            provider_kind: String,
        }
        may {
            /// Its pool.
            storage_pool_name: String,
            /// The device that its user opens.
            device_path: String,
            /// KiB that it takes; absent while unknown.
            allocated_size_kib: Option<i64>,
            /// Properties.
            props: Props,
            /// `DELETE`, `RESIZE`, `DRBD_RESIZE`, `CLONING_START`, `CLONING`, `CLONING_FINISHED`, `DRBD_DELETE`.
            flags: Vec<String>,
            /// What its node told of it; absent when it told nothing.
            state: Option<VolumeState>,
            /// Its layers from the top; the storage is the last one.
            layer_data_list: Vec<VolumeLayer>,
            /// Unique id.
            uuid: String,
            /// What is wrong with it.
            reports: Vec<ApiCallRc>,
        }
    }

    /// What a node tells of a volume.
    VolumeState {
        may {
            /// DRBD's name for its state, or the storage's.
            disk_state: String,
            /// Replication to each peer.
            replication_states: BTreeMap<String, ReplicationState>,
        }
    }

    /// Replication to a peer.
    ReplicationState {
        must {
            /// DRBD's name for it.
            replication_state: String,
        }
        may {
            /// How far it got, in percent.
            done_percentage: Option<f64>,
        }
    }

    /// Creates a replica.
    ResourceCreate {
        may {
            /// What to create.
            resource: Option<ResourceSpec>,
            /// Layers from the top.
            layer_list: Option<Vec<String>>,
            /// DRBD's number of the node.
            drbd_node_id: Option<i32>,
            /// How many TCP ports it takes.
            drbd_tcp_port_count: Option<i32>,
            /// Which TCP ports it takes.
            drbd_tcp_ports: Option<Vec<i32>>,
            /// Whether it is a mere client.
            drbd_client: Option<bool>,
            /// Snapshots that it gets too.
            snap_names: Option<Vec<String>>,
            /// Whether it gets every snapshot.
            copy_all_snaps: Option<bool>,
        }
    }

    /// The replica to create.
    ResourceSpec {
        may {
            /// Name of the resource definition; the one in the path wins.
            name: Option<String>,
            /// The node; the one in the path wins.
            node_name: Option<String>,
            /// `DISKLESS`, `DRBD_DISKLESS`, `NVME_INITIATOR`, `EBS_INITIATOR`, `INACTIVE`.
            flags: Vec<String>,
            /// Properties; the pool stands under `StorPoolName`.
            props: Props,
        }
    }

    /// Changes a replica.
    ResourceModify modifies Props {
        may {
            /// Make it a tie-breaker, or no longer.
            drbd_tiebreaker: Option<bool>,
            /// Make it a mere client, or no longer.
            drbd_client: Option<bool>,
        }
    }

    /// Places replicas.
    AutoPlaceRequest {
        may {
            /// What to do differently from the group's filter.
            select_filter: Option<AutoSelectFilter>,
            /// Outranks the filter's.
            diskless_on_remaining: Option<bool>,
            /// Outranks the filter's.
            layer_list: Option<Vec<String>>,
            /// Snapshots that new replicas get too.
            snap_names: Option<Vec<String>>,
            /// Whether new replicas get every snapshot.
            copy_all_snaps: Option<bool>,
        }
    }

    /// Sees to it that a node can use a resource.
    ResourceMakeAvailable {
        may {
            /// Whether it has to have a disk there.
            diskful: bool,
            /// Layers from the top.
            layer_list: Option<Vec<String>>,
            /// Which TCP ports it takes.
            drbd_tcp_ports: Option<Vec<i32>>,
            /// Snapshots that a new replica gets too.
            snap_names: Option<Vec<String>>,
            /// Whether a new replica gets every snapshot.
            copy_all_snaps: Option<bool>,
            /// Let two nodes write while a machine moves.
            auto_manage_dual_primary: Option<bool>,
        }
    }

    /// Gives a replica a disk or takes it away.
    ToggleDiskRequest {
        may {
            /// `INTO_DRBD_DISKFUL`, `INTO_DRBD_DISKLESS` or `INTO_DRBD_CLIENT`, in any case of letters.
            operation: Option<String>,
            /// The pool.
            storage_pool: Option<String>,
            /// The node whose disk goes once this one is up to date.
            migrate_from: Option<String>,
            /// Layers from the top.
            layer_list: Option<Vec<String>>,
        }
    }

    /// Gives a replica a disk.
    ToggleDiskDiskful {
        may {
            /// Layers from the top.
            layer_list: Option<Vec<String>>,
        }
    }
}
