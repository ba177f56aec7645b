//! What of a filter means nothing in this cluster: told, never a refusal.

use std::fmt;

use super::request::Mode;
use crate::model::cluster::Cluster;
use crate::model::group::SelectFilter;
use crate::model::kinds::Provisioning;
use crate::model::names::{NodeName, PoolName};

/// A part of a filter that has no effect, or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// No node has a pool of that name.
    UnknownPool(PoolName),
    /// The list is for replicas of the one mode, and all pools of that name are for the other.
    WrongModePool(PoolName, Mode),
    /// There is no node of that name.
    UnknownNode(NodeName),
    /// The expression cannot be read.
    Regex {
        /// The expression.
        regex: String,
        /// What is wrong.
        error: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPool(pool) => write!(
                f,
                "the filter lists pool {pool}, which no node has; create it, or correct the name"
            ),
            Self::WrongModePool(pool, Mode::Diskful) => write!(
                f,
                "the filter lists pool {pool} for replicas with a disk, and it has no storage"
            ),
            Self::WrongModePool(pool, Mode::Diskless) => write!(
                f,
                "the filter lists pool {pool} for replicas without disk, and it has storage"
            ),
            Self::UnknownNode(node) => write!(
                f,
                "the filter lists node {node}, which does not exist; create it, or correct the name"
            ),
            Self::Regex { regex, error } => write!(
                f,
                "do-not-place-with-regex '{regex}' cannot be read ({error}): nothing is placed by this filter until it is corrected"
            ),
        }
    }
}
