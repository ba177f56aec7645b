//! What a node is told: the whole desired state of a resource on it, with its generation.
//!
//! Level-triggered: a message carries everything, so a lost or doubled one does no harm. A satellite compares
//! it with what it observes (`model::plan`) and reports what came of it (`model::report`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kinds::{LayerKind, ProviderKind};
use super::moment::Uuid;
use super::names::{PoolName, RscName, SnapName, VolumeNumber};
use super::secret::Secret;
use super::size::Kib;

/// Bits of a generation below its incarnation: changes of one definition.
pub const GENERATION_COUNTER_BITS: u32 = 32;

/// Whether two generations are of the same definition, and not of two of the same name after one another.
#[must_use]
pub fn same_incarnation(a: u64, b: u64) -> bool {
    a >> GENERATION_COUNTER_BITS == b >> GENERATION_COUNTER_BITS
}

/// What shall become of one object on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// It was never reported as made: make it; if it is there already, adopt it as it is.
    Make,
    /// It was reported as made: keep it. If it is missing now, that is a failure, never a reason for an empty new one.
    Keep,
    /// Remove it; already gone is success.
    Remove,
}

/// Where the content of a new volume comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Zeros.
    Blank,
    /// A snapshot on the same node; the volume may be larger than it.
    Snapshot {
        /// The resource that the snapshot is of.
        rsc: RscName,
        /// The snapshot.
        snapshot: SnapName,
        /// The volume's number in the snapshot.
        volume: VolumeNumber,
    },
}

/// A file system to be made on a volume that has none (`FileSystem/*` properties).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSystem {
    /// `ext4` or `xfs`.
    pub kind: String,
    /// Further arguments, split like a shell's.
    pub mkfs_params: Vec<String>,
    /// Owner of the root folder.
    pub user: Option<String>,
    /// Group of the root folder.
    pub group: Option<String>,
}

/// A controller that does not say more believes its records.
fn yes() -> bool {
    true
}

/// One volume of a resource on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredVolume {
    /// Its number.
    pub number: VolumeNumber,
    /// Pool that holds its data.
    pub pool: PoolName,
    /// Kind of that pool.
    pub provider: ProviderKind,
    /// What it shall offer to its user, net.
    pub size: Kib,
    /// Make, keep or remove.
    pub order: Order,
    /// Whether it was ever reported as made, also if it is to be removed now: what was not is only touched if it is ours.
    #[serde(default = "yes")]
    pub made: bool,
    /// Content, when it is made.
    pub origin: Origin,
    /// Wanted file system.
    pub file_system: Option<FileSystem>,
    /// Options in force for it that drivers read (`StorDriver/*`), of its pool too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Whether a device larger than `size` is to be cut (a shrink that was asked for).
    pub shrink: bool,
    /// DRBD minor number.
    pub minor: Option<u32>,
    /// Name of the backing object, where `StorDriver/OverrideVlmId` gives one.
    pub override_id: Option<String>,
    /// Key of the LUKS layer, where the resource has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub luks: Option<LuksKey>,
}

/// What a node needs to open a volume's LUKS layer. Never kept on the node, nor printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LuksKey {
    /// The controller does not know it as long as nobody enters the master passphrase: the layer waits for that.
    Locked,
    /// The passphrase of key slot 0.
    Known {
        /// The one that is to be in force.
        passphrase: Secret,
        /// The one before it, until the node has told that the new one is in force.
        previous: Option<Secret>,
    },
}

/// One snapshot of a resource on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredSnapshot {
    /// Its name.
    pub name: SnapName,
    /// Make (take), keep or remove.
    pub order: Order,
    /// The volumes in it.
    pub volumes: Vec<SnapshotSource>,
}

/// A volume in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotSource {
    /// Number of the volume.
    pub number: VolumeNumber,
    /// Pool that holds volume and snapshot.
    pub pool: PoolName,
    /// Kind of that pool.
    pub provider: ProviderKind,
    /// Size of the volume when the snapshot was ordered.
    pub size: Kib,
    /// Name of the volume's backing object, where `StorDriver/OverrideVlmId` gives one.
    pub override_id: Option<String>,
}

/// An order to put a resource's volumes back to a snapshot, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// The snapshot to go back to.
    pub snapshot: SnapName,
    /// Identity of the order: one token is carried out once.
    pub token: Uuid,
}

/// The whole desired state of one resource on one node, its snapshots with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredResource {
    /// The resource (display form: backing objects carry it).
    pub rsc: RscName,
    /// Rises with every change of the resource definition or of its snapshots.
    pub generation: u64,
    /// Whether the resource itself shall be on this node. Snapshots may outlive it.
    pub order: Order,
    /// Whether devices are attached; an inactive resource keeps its data and has no device.
    pub active: bool,
    /// Layers from top to bottom.
    pub layers: Vec<LayerKind>,
    /// A replica without a disk has no storage.
    pub diskless: bool,
    /// Volumes by number.
    pub volumes: Vec<DesiredVolume>,
    /// Snapshots by name.
    pub snapshots: Vec<DesiredSnapshot>,
    /// A rollback that is to be done.
    pub rollback: Option<Rollback>,
    /// Properties in force that a driver or layer reads (`StorDriver/*`, `FileSystem/*`, ...).
    pub props: BTreeMap<String, String>,
}

impl DesiredResource {
    /// Whether this is of the same definition as what has that generation, at an earlier moment. Two definitions of the
    /// same name one after the other have no order: who is told of the other one is told of the newer.
    #[must_use]
    pub fn is_older_than(&self, generation: u64) -> bool {
        same_incarnation(self.generation, generation) && self.generation < generation
    }
}

/// A storage pool of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredPool {
    /// Its name.
    pub name: PoolName,
    /// What makes its volumes.
    pub provider: ProviderKind,
    /// `StorDriver/StorPoolName`: folder, volume group, `group/thin`, zpool; empty for DISKLESS.
    pub backing: String,
    /// Whether other nodes use the same storage, or an external lock guards it.
    #[serde(default)]
    pub shared: bool,
    /// The pool's properties in force.
    pub props: BTreeMap<String, String>,
}
