//! What is known of nodes, pools and resources only because they said so: never persisted, told anew after a restart.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kinds::ConnectionStatus;
use super::moment::EpochMs;
use super::names::{NodeName, PoolName, RscName, VolumeNumber};
use super::report::{Capacity, Problem, SatelliteFacts, VolumeReport};
use super::size::Kib;

/// State of a node's satellite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// State of the link.
    pub status: ConnectionStatus,
    /// Since when.
    pub since: EpochMs,
    /// Attempts to connect since it was lost.
    pub attempts: u64,
    /// What the satellite said of itself; kept while it is away.
    pub facts: Option<Arc<SatelliteFacts>>,
    /// Why it is not online, for people.
    pub reason: Option<String>,
}

impl NodeStatus {
    /// A node that was not heard of yet.
    #[must_use]
    pub fn unknown() -> Self {
        Self { status: ConnectionStatus::Offline, since: EpochMs(0), attempts: 0, facts: None, reason: None }
    }

    /// Connected and in sync.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.status == ConnectionStatus::Online
    }
}

/// State of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolStatus {
    /// Room, or why it cannot be used.
    pub capacity: Result<Capacity, Problem>,
    /// Whether snapshots can be made in it.
    pub supports_snapshots: bool,
    /// Allocation granularity.
    pub granularity: Kib,
    /// What is to be said of one that works and soon may not.
    pub warning: Option<Problem>,
}

/// State of a resource on a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceStatus {
    /// Generation that the node has carried out, or failed at.
    pub generation: u64,
    /// Volumes that are there.
    pub volumes: Vec<VolumeReport>,
    /// Opened by a user; `None` when it cannot be told.
    pub in_use: Option<bool>,
    /// Why the desired state is not reached.
    pub problem: Option<Problem>,
    /// The problem is a refusal, and the order was taken back: nothing was changed, and nothing will be.
    #[serde(default)]
    pub taken_back: bool,
}

impl ResourceStatus {
    /// The volume of that number.
    #[must_use]
    pub fn volume(&self, number: VolumeNumber) -> Option<&VolumeReport> {
        self.volumes.iter().find(|volume| volume.number == number)
    }
}

/// A volatile fact, to be taken into the cluster's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// About a node.
    Node(NodeName, NodeStatus),
    /// About a pool.
    Pool(NodeName, PoolName, PoolStatus),
    /// About a resource on a node; `None` when nothing is known any more.
    Resource(RscName, NodeName, Option<ResourceStatus>),
}
