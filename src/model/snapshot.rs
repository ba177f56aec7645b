//! Snapshots of a resource definition: one record each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::encryption::Sealed;
use super::kinds::{LayerKind, ProviderKind, SnapshotFlags, SnapshotNodeFlags};
use super::moment::{EpochMs, Uuid};
use super::names::{NodeName, PoolName, RscName, SnapName, VolumeNumber};
use super::props::Props;
use super::size::Kib;

/// Identity of a snapshot: definition, then name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SnapshotKey {
    /// The definition.
    pub rsc: RscName,
    /// The snapshot's name.
    pub name: SnapName,
}

/// A volume definition as it was when the snapshot was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotVolumeDefinition {
    /// Size then.
    pub size: Kib,
    /// Properties then.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
}

/// A volume of a snapshot on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotVolume {
    /// Identity.
    pub uuid: Uuid,
    /// Pool that holds it.
    pub pool: PoolName,
    /// Kind of that pool.
    pub provider: ProviderKind,
    /// Backing object's name, where a property overrode it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_id: Option<String>,
    /// Passphrase of its LUKS layer, whose header is part of the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Sealed>,
}

/// The snapshot on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotNode {
    /// Identity.
    pub uuid: Uuid,
    /// Flags.
    #[serde(default)]
    pub flags: SnapshotNodeFlags,
    /// When it was taken (ordered, until the node reports).
    pub created: EpochMs,
    /// The node reported it as taken: from now on it is kept, never taken anew.
    #[serde(default)]
    pub taken: bool,
    /// What it costs, where blocks cannot be shared; for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Volumes by number.
    pub volumes: BTreeMap<VolumeNumber, SnapshotVolume>,
}

impl SnapshotNode {
    /// Whether the node is to keep it.
    #[must_use]
    pub fn stays(&self) -> bool {
        !self.flags.has(SnapshotNodeFlags::DELETE)
    }
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Definition and name.
    pub key: SnapshotKey,
    /// Identity.
    pub uuid: Uuid,
    /// Flags.
    #[serde(default)]
    pub flags: SnapshotFlags,
    /// Generation of the definition at the last change of what nodes have to do about it.
    #[serde(default)]
    pub ordered: u64,
    /// Order among the definition's snapshots.
    pub sequence: u64,
    /// Its own properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
    /// The definition's properties then.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub definition_props: Props,
    /// The definition's layers then.
    pub layers: Vec<LayerKind>,
    /// Volume definitions then.
    pub volumes: BTreeMap<VolumeNumber, SnapshotVolumeDefinition>,
    /// Nodes that have it, or are to have it.
    pub nodes: BTreeMap<NodeName, SnapshotNode>,
}
