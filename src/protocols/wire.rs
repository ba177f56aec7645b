//! What controller and satellite say to each other, over a mailbox or over a link.
//!
//! Bodies have named fields and unknown ones are ignored, so that neighbouring versions talk.

use serde::{Deserialize, Serialize};

use crate::model::desired::{DesiredPool, DesiredResource};
use crate::model::moment::Uuid;
use crate::model::names::{NodeName, PoolName};
use crate::model::report::{PoolReport, Report, SatelliteFacts};

/// Controller to satellite.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ToSatellite {
    /// First message on every connection: who calls, and which node the satellite is to be.
    Hello {
        /// The cluster's identity; another one later means another controller.
        cluster: Uuid,
        /// Name of the node in the cluster.
        node: NodeName,
    },
    /// Everything that the node shall have. What is not named is left alone: never removed, and not worked on any more.
    FullSync {
        /// All pools of the node.
        pools: Vec<DesiredPool>,
        /// All resources that stand on the node, or have snapshots there.
        resources: Vec<DesiredResource>,
    },
    /// All pools of the node, after a change.
    Pools(Vec<DesiredPool>),
    /// Changed resources, each whole.
    Apply(Vec<DesiredResource>),
    /// Ask for the room of the pools named, or of all when none is named.
    Capacity(Vec<PoolName>),
}

/// Satellite's answer to [`ToSatellite`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum SatelliteAnswer {
    /// To `Hello`.
    Facts(SatelliteFacts),
    /// To `FullSync`, `Pools` and `Apply`: taken over; results come as reports.
    Accepted,
    /// To `Capacity`.
    Capacities(Vec<PoolReport>),
    /// The message cannot be taken.
    Refused(String),
}

/// Satellite to controller.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FromSatellite {
    /// The node that reports.
    pub node: NodeName,
    /// What it observed, oldest first.
    pub reports: Vec<Report>,
    /// Part of the satellite was started anew: it may have forgotten what it was told, and asks for everything.
    #[serde(default)]
    pub resync: bool,
}

/// Controller's answer to [`FromSatellite`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ReportsTaken;
