//! Resource definitions and volume definitions on the wire, their clones too. Never checks a name or a size.

use super::rc::ApiCallRc;
use super::shape::{Props, Secret};

shapes! {
    /// A resource definition.
    ResourceDefinition {
        must {
            /// Name.
            name: String,
            /// The group that it belongs to.
            resource_group_name: String,
        }
        may {
            /// Name that the outside uses.
            external_name: String,
            /// Properties.
            props: Props,
            /// `DELETE`, `RESTORE_TARGET`, `CLONING`, `FAILED`.
            flags: Vec<String>,
            /// The layers from the top.
            layer_data: Vec<DefinitionLayer>,
            /// Unique id.
            uuid: String,
            /// Its volumes; only in lists that ask for them.
            volume_definitions: Vec<VolumeDefinition>,
        }
    }

    /// A layer of a resource definition.
    DefinitionLayer {
        must {
            /// `DRBD`, `LUKS`, `STORAGE`, `NVME`, `WRITECACHE` or `CACHE`.
            #[serde(rename = "type")]
            kind: String,
        }
        may {
            /// What DRBD has in common on all nodes; other layers have nothing.
            data: Option<DrbdDefinition>,
        }
    }

    /// What DRBD has in common on all nodes.
    DrbdDefinition {
        must {
            /// Most replicas beside a node's own.
            peer_slots: i32,
            /// TCP port on all nodes, or -1 where each has its own.
            port: i32,
            /// The secret by which the nodes know each other.
            secret: Secret,
        }
        may {
            /// Suffix of the name.
            resource_name_suffix: String,
            /// Stripes of the activity log.
            al_stripes: i32,
            /// KiB of one stripe of the activity log.
            al_stripe_size_kib: i64,
            /// `IP`, `RDMA` or `SSOCKS`.
            transport_type: String,
            /// Whether it is taken down everywhere.
            down: bool,
        }
    }

    /// Creates a resource definition.
    ResourceDefinitionCreate {
        must {
            /// What to create.
            resource_definition: ResourceDefinitionSpec,
        }
        may {
            /// TCP port on all nodes.
            drbd_port: Option<i32>,
            /// The secret by which the nodes know each other; by default made up.
            drbd_secret: Option<Secret>,
            /// Most replicas beside a node's own.
            drbd_peer_slots: Option<i32>,
            /// `IP`, `RDMA` or `SSOCKS`.
            drbd_transport_type: Option<String>,
        }
    }

    /// The resource definition to create: a name or an external name, not both empty.
    ResourceDefinitionSpec {
        may {
            /// Name.
            name: Option<String>,
            /// Name that the outside uses.
            external_name: Option<String>,
            /// Properties.
            props: Props,
            /// The layers from the top.
            layer_data: Vec<DefinitionLayerSpec>,
            /// The group that it belongs to.
            resource_group_name: Option<String>,
        }
    }

    /// A layer of the resource definition to create.
    DefinitionLayerSpec {
        must {
            /// Kind of layer, in any case of letters.
            #[serde(rename = "type")]
            kind: String,
        }
    }

    /// Changes a resource definition.
    ResourceDefinitionModify modifies Props {
        may {
            /// TCP port on all nodes.
            drbd_port: Option<i32>,
            /// Most replicas beside a node's own.
            drbd_peer_slots: Option<i32>,
            /// The layers from the top.
            layer_stack: Option<Vec<String>>,
            /// The group that it moves to.
            resource_group: Option<String>,
        }
    }

    /// Copies a resource definition with its data.
    CloneRequest modifies Props {
        may {
            /// Name of the copy.
            name: Option<String>,
            /// Name of the copy that the outside uses.
            external_name: Option<String>,
            /// Let the copy depend on the original where ZFS can.
            use_zfs_clone: Option<bool>,
            /// The copy's layers from the top.
            layer_list: Option<Vec<String>>,
            /// Passphrase of each encrypted volume.
            volume_passphrases: Option<Vec<Secret>>,
            /// The group that the copy belongs to.
            resource_group: Option<String>,
            /// KiB of each volume of the copy; 0 keeps the original's.
            volume_sizes: Option<Vec<i64>>,
        }
    }

    /// A copy that was begun.
    CloneStarted {
        must {
            /// Where to ask how it goes.
            location: String,
            /// The original.
            source_name: String,
            /// The copy.
            clone_name: String,
        }
        may {
            /// What was done, or why it was not.
            messages: Vec<ApiCallRc>,
        }
    }

    /// How a copy goes.
    CloneStatus {
        must {
            /// `CLONING`, `COMPLETE` or `FAILED`.
            status: String,
        }
    }

    /// Whether all replicas have the same data.
    SyncStatus {
        must {
            /// True when every replica is up to date.
            synced_on_all: bool,
        }
    }

    /// A volume definition.
    VolumeDefinition {
        must {
            /// Its number.
            volume_number: i32,
            /// KiB that its user sees.
            size_kib: i64,
        }
        may {
            /// Properties.
            props: Props,
            /// `DELETE`, `ENCRYPTED`, `RESIZE`, `GROSS_SIZE`, `RESIZE_SHRINK`, `DRBD_INITIALIZED`.
            flags: Vec<String>,
            /// The layers from the top.
            layer_data: Vec<VolumeDefinitionLayer>,
            /// Unique id.
            uuid: String,
        }
    }

    /// A layer of a volume definition.
    VolumeDefinitionLayer {
        must {
            /// `DRBD`, `LUKS`, `STORAGE`, `NVME`, `WRITECACHE` or `CACHE`.
            #[serde(rename = "type")]
            kind: String,
        }
        may {
            /// What DRBD has in common on all nodes; other layers have nothing.
            data: Option<DrbdVolumeDefinition>,
        }
    }

    /// What DRBD's volume has in common on all nodes.
    DrbdVolumeDefinition {
        must {
            /// The volume's number.
            volume_number: i32,
            /// Minor number of its device.
            minor_number: i32,
        }
        may {
            /// Suffix of the resource's name.
            resource_name_suffix: String,
        }
    }

    /// Creates a volume definition.
    VolumeDefinitionCreate {
        must {
            /// What to create.
            volume_definition: VolumeDefinitionSpec,
        }
        may {
            /// Minor number of its device.
            drbd_minor_number: Option<i32>,
            /// Passphrase, if it is encrypted.
            passphrase: Option<Secret>,
        }
    }

    /// The volume definition to create.
    VolumeDefinitionSpec {
        must {
            /// KiB.
            size_kib: i64,
        }
        may {
            /// Its number; by default the next free one.
            volume_number: Option<i32>,
            /// Properties.
            props: Props,
            /// `GROSS_SIZE`: the size is that of the storage below, not what its user sees.
            flags: Vec<String>,
        }
    }

    /// Changes a volume definition.
    VolumeDefinitionModify modifies Props {
        may {
            /// New KiB.
            size_kib: Option<i64>,
            /// A flag to set, or with a leading `-` to clear.
            flags: Vec<String>,
        }
    }

    /// Changes an encrypted volume's passphrase.
    VolumeDefinitionModifyPassphrase {
        must {
            /// The new one.
            new_passphrase: Secret,
        }
    }
}
