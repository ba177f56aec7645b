//! Disks that belong to nobody yet, and building pools on them, on the wire. Sizes here are in bytes, not KiB.

use std::collections::BTreeMap;

use super::shape::Props;

shapes! {
    /// Free disks of the same size and make, over all nodes.
    PhysicalStorage {
        must {
            /// Bytes of each.
            size: i64,
            /// Whether they turn.
            rotational: bool,
        }
        may {
            /// The disks by node.
            nodes: BTreeMap<String, Vec<PhysicalDevice>>,
        }
    }

    /// A free disk.
    PhysicalDevice {
        must {
            /// Path of its device file.
            device: String,
        }
        may {
            /// Model.
            model: String,
            /// Serial number.
            serial: String,
            /// World-wide name.
            wwn: String,
        }
    }

    /// A free disk of one node.
    PhysicalStorageNode {
        must {
            /// Bytes.
            size: i64,
            /// Whether it turns.
            rotational: bool,
            /// Path of its device file.
            device: String,
        }
        may {
            /// Model.
            model: String,
            /// Serial number.
            serial: String,
            /// World-wide name.
            wwn: String,
        }
    }

    /// Builds a volume group, thin pool or zpool on disks, and a storage pool on that.
    PhysicalStorageCreate {
        must {
            /// `LVM`, `LVM_THIN`, `ZFS`, `ZFS_THIN` or `SPDK`, in any case of letters.
            provider_kind: String,
            /// Device files to use.
            device_paths: Vec<String>,
        }
        may {
            /// Only `JBOD`.
            raid_level: Option<String>,
            /// Name of what is built; by default made from the device's.
            pool_name: Option<String>,
            /// Put VDO between.
            vdo_enable: Option<bool>,
            /// KiB of a VDO slab.
            vdo_slab_size_kib: Option<i64>,
            /// KiB that VDO pretends to have.
            vdo_logical_size_kib: Option<i64>,
            /// Use the disks' own encryption.
            sed: Option<bool>,
            /// More arguments for `pvcreate`.
            pv_create_arguments: Vec<String>,
            /// More arguments for `vgcreate`.
            vg_create_arguments: Vec<String>,
            /// More arguments for `lvcreate`.
            lv_create_arguments: Vec<String>,
            /// More arguments for `zpool create`.
            zpool_create_arguments: Vec<String>,
            /// The storage pool to make of it.
            with_storage_pool: Option<PhysicalStoragePool>,
        }
    }

    /// The storage pool to make of what was built. Known clients send an empty one when they want none.
    PhysicalStoragePool {
        may {
            /// Name; empty means that none is wanted.
            name: String,
            /// Properties.
            props: Props,
            /// Name of the space that pools share.
            shared_space: Option<String>,
            /// Whether something else keeps nodes from using the same storage at once.
            external_locking: Option<bool>,
        }
    }
}
