//! Resource groups with their volume groups, and the filter by which replicas are placed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kinds::{LayerKind, ProviderKind, VolumeGroupFlags};
use super::moment::Uuid;
use super::names::{GroupName, NodeName, PoolName, VolumeNumber};
use super::props::Props;

/// The group of every definition that names none.
pub const DEFAULT_GROUP: &str = "DfltRscGrp";
/// Replicas where neither request nor group says how many.
pub const DEFAULT_PLACE_COUNT: u32 = 2;

/// Which nodes and pools may hold replicas, and how many there shall be. `None` = inherit; an empty list = none wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SelectFilter {
    /// Replicas wanted.
    pub place_count: Option<u32>,
    /// Replicas wanted beyond those that exist.
    pub additional_place_count: Option<u32>,
    /// Only these nodes.
    pub nodes: Option<Vec<NodeName>>,
    /// Only these pools for replicas with a disk.
    pub pools: Option<Vec<PoolName>>,
    /// Only these pools for replicas without.
    pub diskless_pools: Option<Vec<PoolName>>,
    /// Not where one of these resources stands.
    pub not_with: Option<Vec<String>>,
    /// Not where a resource whose name matches stands (unanchored, without case).
    pub not_with_regex: Option<String>,
    /// `key` or `key=value`: the same on all nodes.
    pub same: Option<Vec<String>>,
    /// `key` or `key=value`: different on all nodes, or not that value.
    pub different: Option<Vec<String>>,
    /// At most so many replicas for each value of a key.
    pub x_different: Option<BTreeMap<String, u32>>,
    /// Layers from top to bottom.
    pub layers: Option<Vec<LayerKind>>,
    /// Only these kinds of pool.
    pub providers: Option<Vec<ProviderKind>>,
    /// A replica without disk on every other node.
    pub diskless_on_remaining: Option<bool>,
    /// DRBD ports a replica.
    pub port_count: Option<u32>,
}

macro_rules! first_of {
    ($a:expr, $b:expr, $($field:ident),+) => {
        SelectFilter { $($field: $a.$field.clone().or_else(|| $b.$field.clone())),+ }
    };
}

impl SelectFilter {
    /// Field by field, the first that says something: this filter, then `base`.
    #[must_use]
    pub fn over(&self, base: &SelectFilter) -> SelectFilter {
        first_of!(
            self,
            base,
            place_count,
            additional_place_count,
            nodes,
            pools,
            diskless_pools,
            not_with,
            not_with_regex,
            same,
            different,
            x_different,
            layers,
            providers,
            diskless_on_remaining,
            port_count
        )
    }
}

/// A volume that each definition spawned from a group gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeGroup {
    /// Number of the volume.
    pub number: VolumeNumber,
    /// Identity.
    pub uuid: Uuid,
    /// Flags.
    #[serde(default)]
    pub flags: VolumeGroupFlags,
    /// Properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
}

/// A resource group: one record, its volume groups with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceGroup {
    /// Its name.
    pub name: GroupName,
    /// Identity.
    pub uuid: Uuid,
    /// For people.
    #[serde(default)]
    pub description: Option<String>,
    /// Properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
    /// Placement.
    #[serde(default)]
    pub filter: SelectFilter,
    /// DRBD peer slots of its definitions.
    #[serde(default)]
    pub peer_slots: Option<u8>,
    /// Volume groups by number.
    #[serde(default)]
    pub volumes: BTreeMap<VolumeNumber, VolumeGroup>,
}
