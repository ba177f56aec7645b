//! What of a filter means nothing in this cluster: told, never a refusal.

use std::fmt;

use super::filter::{compile_regex, mode_of};
use super::request::Mode;
use crate::model::cluster::Cluster;
use crate::model::group::SelectFilter;
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

/// What of a filter means nothing in the cluster as it is, or cannot be read.
#[must_use]
pub fn check_filter(cluster: &Cluster, filter: &SelectFilter) -> Vec<Warning> {
    let nodes = filter.nodes.iter().flatten();
    let unknown = nodes.filter(|node| !cluster.nodes.contains_key(*node));
    let mut warnings: Vec<Warning> = unknown.cloned().map(Warning::UnknownNode).collect();
    for (list, mode) in [(&filter.pools, Mode::Diskful), (&filter.diskless_pools, Mode::Diskless)] {
        let pools = list.iter().flatten();
        warnings.extend(pools.filter_map(|pool| check_pool(cluster, pool, mode)));
    }
    if let Some(regex) = &filter.not_with_regex
        && let Err(error) = compile_regex(regex)
    {
        warnings.push(Warning::Regex { regex: regex.clone(), error });
    }
    warnings
}

fn check_pool(cluster: &Cluster, pool: &PoolName, mode: Mode) -> Option<Warning> {
    let mut known = cluster.nodes.values().filter_map(|node| node.pools.get(pool)).peekable();
    if known.peek().is_none() {
        return Some(Warning::UnknownPool(pool.clone()));
    }
    let fits = known.any(|pool| mode_of(pool) == mode);
    (!fits).then(|| Warning::WrongModePool(pool.clone(), mode))
}
