//! The layers of a resource and of its volumes on the wire. Sizes are in KiB. Never decides what stacks on what.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::definition::{DrbdDefinition, DrbdVolumeDefinition};

/// A layer of a volume. Clients know these kinds only, and fail on the whole list for any other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data", rename_all = "UPPERCASE")]
pub enum VolumeLayer {
    /// Replicated by DRBD.
    Drbd(DrbdVolume),
    /// Encrypted.
    Luks(LuksVolume),
    /// Stored.
    Storage(StorageVolume),
    /// Reached over NVMe-oF.
    Nvme(NvmeVolume),
    /// Cached for writing.
    Writecache(CacheVolume),
    /// Cached.
    Cache(CacheVolume),
    /// Cached by bcache. No known Go client accepts it.
    Bcache(CacheVolume),
}

shapes! {
    /// A layer of a resource, with the layers below. The part that belongs to its type has to be there.
    ResourceLayer {
        must {
            /// `DRBD`, `LUKS`, `STORAGE`, `NVME`, `WRITECACHE`, `CACHE` or `BCACHE`.
            #[serde(rename = "type")]
            kind: String,
        }
        may {
            /// Suffix of the resource's name; `.meta` for metadata kept apart.
            resource_name_suffix: String,
            /// The layers below.
            children: Vec<ResourceLayer>,
            /// If it is DRBD's.
            drbd: Option<DrbdResource>,
            /// If it is LUKS's.
            luks: Option<LuksResource>,
            /// If it is the storage itself.
            storage: Option<StorageResource>,
            /// If it is NVMe's.
            nvme: Option<NvmeResource>,
            /// If it is dm-writecache's.
            writecache: Option<WritecacheResource>,
            /// If it is dm-cache's.
            cache: Option<CacheResource>,
            /// If it is bcache's.
            bcache: Option<BcacheResource>,
        }
    }

    /// DRBD's part of a resource.
    DrbdResource {
        must {
            /// What is the same on all nodes.
            drbd_resource_definition: DrbdDefinition,
            /// DRBD's number of this node.
            node_id: i32,
        }
        may {
            /// TCP ports of this node.
            tcp_ports: Vec<i32>,
            /// Most replicas beside this one.
            peer_slots: i32,
            /// Stripes of the activity log.
            al_stripes: i32,
            /// KiB of one stripe of the activity log.
            al_size: i64,
            /// `CLEAN`, `DELETE`, `DISKLESS`, `INITIALIZED`, `FROM_BACKUP`, `FORCE_NEW_METADATA`, `INVALIDATE` or
            /// `CLIENT`.
            flags: Vec<String>,
            /// Its volumes.
            drbd_volumes: Vec<DrbdVolume>,
            /// The link to each peer; only once the node told of it.
            connections: BTreeMap<String, DrbdConnection>,
            /// How well it could be promoted.
            promotion_score: Option<i32>,
            /// Whether it could be promoted.
            may_promote: Option<bool>,
        }
    }

    /// The link to a peer.
    DrbdConnection {
        must {
            /// Whether it stands.
            connected: bool,
        }
        may {
            /// DRBD's name for its state.
            message: String,
        }
    }

    /// DRBD's part of a volume.
    DrbdVolume {
        must {
            /// What is the same on all nodes.
            drbd_volume_definition: DrbdVolumeDefinition,
            /// KiB that it takes.
            allocated_size_kib: i64,
            /// KiB that it gives.
            usable_size_kib: i64,
        }
        may {
            /// Its device.
            device_path: String,
            /// The device below.
            backing_device: String,
            /// The device of its metadata, if that is kept apart.
            meta_disk: String,
            /// State of its disk.
            disk_state: String,
            /// The pool of its metadata, if that is kept apart.
            ext_meta_stor_pool: String,
        }
    }

    /// LUKS's part of a resource.
    LuksResource {
        may {
            /// Its volumes.
            luks_volumes: Vec<LuksVolume>,
        }
    }

    /// LUKS's part of a volume.
    LuksVolume {
        must {
            /// The volume's number.
            volume_number: i32,
        }
        may {
            /// Its device.
            device_path: String,
            /// The device below.
            backing_device: String,
            /// KiB that it takes.
            allocated_size_kib: Option<i64>,
            /// KiB that it gives.
            usable_size_kib: Option<i64>,
            /// State of its device.
            disk_state: String,
            /// Whether it is open.
            opened: bool,
            /// Whether its key cannot be read.
            corrupted_key: Option<bool>,
        }
    }

    /// The storage's part of a resource.
    StorageResource {
        may {
            /// Its volumes.
            storage_volumes: Vec<StorageVolume>,
        }
    }

    /// The storage's part of a volume.
    StorageVolume {
        must {
            /// The volume's number.
            volume_number: i32,
        }
        may {
            /// Its device.
            device_path: String,
            /// KiB that it takes.
            allocated_size_kib: Option<i64>,
            /// KiB that it gives.
            usable_size_kib: Option<i64>,
            /// State of its device.
            disk_state: String,
        }
    }

    /// NVMe's part of a resource.
    NvmeResource {
        may {
            /// Its volumes.
            nvme_volumes: Vec<NvmeVolume>,
        }
    }

    /// NVMe's part of a volume.
    NvmeVolume {
        must {
            /// The volume's number.
            volume_number: i32,
        }
        may {
            /// Its device.
            device_path: String,
            /// The device below.
            backing_device: String,
            /// KiB that it takes.
            allocated_size_kib: Option<i64>,
            /// KiB that it gives.
            usable_size_kib: Option<i64>,
            /// State of its device.
            disk_state: String,
        }
    }

    /// dm-writecache's part of a resource.
    WritecacheResource {
        may {
            /// Its volumes.
            writecache_volumes: Vec<CacheVolume>,
        }
    }

    /// dm-cache's part of a resource.
    CacheResource {
        may {
            /// Its volumes.
            cache_volumes: Vec<CacheVolume>,
        }
    }

    /// bcache's part of a resource.
    BcacheResource {
        may {
            /// Its volumes.
            bcache_volumes: Vec<CacheVolume>,
        }
    }

    /// A cache's part of a volume.
    CacheVolume {
        must {
            /// The volume's number.
            volume_number: i32,
        }
        may {
            /// Its device.
            device_path: String,
            /// The device of the cache.
            device_path_cache: String,
            /// The device of the cache's metadata.
            device_meta_cache: String,
            /// KiB that it takes.
            allocated_size_kib: Option<i64>,
            /// KiB that it gives.
            usable_size_kib: Option<i64>,
            /// State of its device.
            disk_state: String,
        }
    }
}
