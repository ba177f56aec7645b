//! Nodes with their network interfaces and storage pools, and connections between nodes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kinds::{EncryptionKind, NodeFlags, NodeKind, ProviderKind};
use super::moment::{EpochMs, Uuid};
use super::names::{NetIfName, NodeName, PoolName, SharedSpaceName};
use super::props::Props;

/// The pool without storage that every node has.
pub const DISKLESS_POOL: &str = "DfltDisklessStorPool";
/// The pool definition that exists in a fresh database.
pub const DEFAULT_POOL: &str = "DfltStorPool";
/// Property that names a pool's folder, volume group or zpool.
pub const BACKING_PROP: &str = "StorDriver/StorPoolName";

/// Where a satellite listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SatellitePort {
    /// TCP port.
    pub port: u16,
    /// Protection.
    pub encryption: EncryptionKind,
}

/// A network interface of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetInterface {
    /// Its name.
    pub name: NetIfName,
    /// Identity.
    pub uuid: Uuid,
    /// A literal IPv4 or IPv6 address.
    pub address: std::net::IpAddr,
    /// Present when the satellite can be reached here.
    pub satellite: Option<SatellitePort>,
}

/// A storage pool on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoragePool {
    /// Its name.
    pub name: PoolName,
    /// Identity.
    pub uuid: Uuid,
    /// What makes its volumes.
    pub provider: ProviderKind,
    /// Set when pools of other nodes name the same space.
    pub shared_space: Option<SharedSpaceName>,
    /// Whether another locker guards a shared space.
    pub external_locking: bool,
    /// Properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
}

impl StoragePool {
    /// Folder, volume group, `group/thin` or zpool; empty for a pool without storage.
    #[must_use]
    pub fn backing(&self) -> &str {
        self.props.get(BACKING_PROP).unwrap_or("")
    }
}

/// A node: one record, its interfaces and pools with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// Identity.
    pub uuid: Uuid,
    /// What it is for.
    pub kind: NodeKind,
    /// Flags.
    #[serde(default)]
    pub flags: NodeFlags,
    /// Properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
    /// Interfaces by name.
    pub net_interfaces: BTreeMap<NetIfName, NetInterface>,
    /// The interface over which the controller reaches the satellite.
    pub active_interface: Option<NetIfName>,
    /// Pools by name; each node with a satellite has [`DISKLESS_POOL`].
    pub pools: BTreeMap<PoolName, StoragePool>,
    /// When it was evicted.
    #[serde(default)]
    pub evicted_at: Option<EpochMs>,
}

impl Node {
    /// Whether a satellite runs there.
    #[must_use]
    pub fn has_satellite(&self) -> bool {
        matches!(self.kind, NodeKind::Satellite | NodeKind::Combined)
    }
}

/// Properties of a pair of nodes, `a` before `b`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeConnection {
    /// The first node by name.
    pub a: NodeName,
    /// The other.
    pub b: NodeName,
    /// Identity.
    pub uuid: Uuid,
    /// Properties.
    pub props: Props,
}

/// A storage pool definition: what pools of one name on all nodes have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolDefinition {
    /// Its name.
    pub name: PoolName,
    /// Identity.
    pub uuid: Uuid,
    /// Properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
}
