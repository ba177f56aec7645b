//! Storage pools and their definitions on the wire. Never checks a name or a size.

use super::rc::ApiCallRc;
use super::shape::Props;

/// Both capacities of a `DISKLESS` pool, in KiB.
pub const DISKLESS_CAPACITY_KIB: i64 = i64::MAX;

shapes! {
    /// A storage pool on a node.
    StoragePool {
        must {
            /// Name.
            storage_pool_name: String,
            /// The node that has it.
            node_name: String,
            /// `DISKLESS`, `LVM`, `LVM_THIN`, `ZFS`, `ZFS_THIN`, `FILE`, `FILE_THIN` and so on.
            provider_kind: String,
            /// Whether its volumes can have snapshots.
            supports_snapshots: bool,
            /// Whether something else keeps nodes from using the same storage at once.
            external_locking: bool,
        }
        may {
            /// Properties.
            props: Props,
            /// `Provisioning` (`Fat`, `Thin`) and `SupportsSnapshots`.
            static_traits: Props,
            /// KiB free; absent while unknown.
            free_capacity: Option<i64>,
            /// KiB in all; absent while unknown.
            total_capacity: Option<i64>,
            /// `<node>;<pool>`, or the name of the space that pools share.
            free_space_mgr_name: String,
            /// Unique id.
            uuid: String,
            /// What is wrong with it.
            reports: Vec<ApiCallRc>,
        }
    }

    /// Creates a storage pool on the node in the path.
    StoragePoolCreate {
        must {
            /// Name.
            storage_pool_name: String,
            /// Kind of pool, in any case of letters.
            provider_kind: String,
        }
        may {
            /// The node; the one in the path wins.
            node_name: Option<String>,
            /// Properties; what backs the pool stands under `StorDriver/StorPoolName`.
            props: Props,
            /// Name of the space that pools share.
            free_space_mgr_name: Option<String>,
            /// Whether something else keeps nodes from using the same storage at once.
            external_locking: Option<bool>,
        }
    }

    /// What pools of one name have in common.
    StoragePoolDefinition {
        must {
            /// Name.
            storage_pool_name: String,
        }
        may {
            /// Properties.
            props: Props,
        }
    }
}
