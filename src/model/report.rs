//! What a node observed: facts about its pools and resources, and what went wrong.

use serde::{Deserialize, Serialize};

use super::kinds::{LayerKind, ProviderKind};
use super::moment::{EpochMs, Uuid};
use super::names::{PoolName, RscName, SnapName, VolumeNumber};
use super::size::Kib;

/// Something that failed on a node, for people: what, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}: {cause}")]
pub struct Problem {
    /// What failed.
    pub message: String,
    /// Why.
    pub cause: String,
    /// What helps.
    pub correction: String,
    /// Command line, exit code and output, where a command failed. Never a secret.
    pub details: String,
}

/// State of a volume on a node, with LINSTOR's words (facts: `rest-api.md` §3.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeState {
    /// Made and usable, without DRBD.
    Created,
    /// Usable and current, with DRBD.
    UpToDate,
    /// A replica without a disk.
    Diskless,
    /// Data is there, the device is not attached (an inactive resource).
    Attachable,
    /// It is being filled from elsewhere.
    Cloning,
    /// It is not usable; the report says why.
    Failed,
}

/// State of a volume's LUKS layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LuksState {
    /// The passphrase that the node was told is in force in key slot 0, and none that was in force before it.
    InForce,
    /// The node was told no passphrase. What is open stays open; what is closed, or to be made, waits.
    Waiting,
    /// No passphrase that the node was told fits.
    WrongKey,
}

/// One volume, as found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeReport {
    /// Its number.
    pub number: VolumeNumber,
    /// State.
    pub state: VolumeState,
    /// Device of the stack's top, for users.
    pub device_path: Option<String>,
    /// Device of the storage layer.
    pub backing_path: Option<String>,
    /// Allocated in the pool.
    pub allocated: Option<Kib>,
    /// Usable size of the top device, as the kernel says.
    pub usable: Option<Kib>,
    /// State of its LUKS layer; `None` where there is none, or it was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub luks: Option<LuksState>,
}

/// One snapshot, as found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotReport {
    /// Its name.
    pub name: SnapName,
    /// Whether it is there, complete.
    pub present: bool,
    /// When it was taken, where known.
    pub taken: Option<EpochMs>,
    /// Allocated in the pool by all its volumes.
    pub allocated: Option<Kib>,
    /// Why it could not be taken or removed.
    pub problem: Option<Problem>,
    /// What it costs where the file system cannot share blocks; for people.
    pub remark: Option<String>,
}

/// An order that takes data away, and that a node did not begin to carry out: the data is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    /// To make this volume smaller.
    Shrink(VolumeNumber),
    /// The rollback of this token.
    Rollback(Uuid),
}

/// What came of a desired state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceReport {
    /// The resource.
    pub rsc: RscName,
    /// Generation of the desired state that this answers.
    pub generation: u64,
    /// The resource itself is not on the node (any more).
    pub gone: bool,
    /// Volumes that are there.
    pub volumes: Vec<VolumeReport>,
    /// Snapshots that were asked about.
    pub snapshots: Vec<SnapshotReport>,
    /// The rollback order that was carried out.
    pub rolled_back: Option<Uuid>,
    /// Opened by a user; `None` when that cannot be told.
    pub in_use: Option<bool>,
    /// Why the desired state is not reached.
    pub problem: Option<Problem>,
    /// Orders that were not begun; the problem says why. They are not tried again before the node is told anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// Every volume could be looked at: one that is not listed is not there, and one without a backing path is not
    /// attached, whatever the problem is.
    #[serde(default)]
    pub seen: bool,
}

/// Free and total room of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Free, rounded down.
    pub free: Kib,
    /// Total.
    pub total: Kib,
}

/// A pool, as found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolReport {
    /// The pool.
    pub pool: PoolName,
    /// Its room, or why it cannot be used.
    pub capacity: Result<Capacity, Problem>,
    /// Whether snapshots can be made in it.
    pub supports_snapshots: bool,
    /// Allocation granularity of its volumes.
    pub granularity: Kib,
}

/// A program or kernel part that a node has or lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolReport {
    /// Name as LINSTOR's (`LOSETUP`, `LVM`, ...).
    pub name: String,
    /// Version where present.
    pub version: Option<String>,
    /// Why it cannot be used.
    pub reasons: Vec<String>,
}

/// What a satellite says of itself when a controller connects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SatelliteFacts {
    /// The kernel's host name.
    pub uname: String,
    /// Build version of the satellite.
    pub version: String,
    /// Providers that work here.
    pub providers: Vec<ProviderKind>,
    /// Layers that work here.
    pub layers: Vec<LayerKind>,
    /// Why each other provider does not.
    pub unsupported_providers: Vec<(ProviderKind, Vec<String>)>,
    /// Why each other layer does not.
    pub unsupported_layers: Vec<(LayerKind, Vec<String>)>,
    /// The tools that were looked for.
    pub tools: Vec<ToolReport>,
}

/// Something that a node tells of its own accord.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// About a resource.
    Resource(ResourceReport),
    /// About a pool.
    Pool(PoolReport),
}
