//! What is known of nodes and pools, read in their order: one step through each index instead of a search for each
//! pool.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::sync::Arc;

use imbl::ordmap::Iter;
use imbl::shared_ptr::DefaultSharedPtr;

use crate::model::cluster::{Cluster, PoolKey};
use crate::model::names::{NodeName, PoolName};
use crate::model::observed::{NodeStatus, PoolStatus};
use crate::model::usage::PoolUsage;

type Steps<'a, K, V> = Peekable<Iter<'a, K, V, DefaultSharedPtr>>;

/// Reader of the indexes. Nodes, and pools within a node, are to be asked for in rising order when `All` are.
// One of them lives on the stack for each placement: its size harms nobody.
#[allow(clippy::large_enum_variant)]
pub(super) enum Facts<'a> {
    /// For single nodes: each is searched.
    Some(&'a Cluster),
    /// For every node: the indexes are walked along.
    All {
        nodes: Steps<'a, NodeName, Arc<NodeStatus>>,
        pools: Steps<'a, PoolKey, Arc<PoolStatus>>,
        usage: Steps<'a, PoolKey, PoolUsage>,
    },
}

impl<'a> Facts<'a> {
    pub(super) fn of_all(cluster: &'a Cluster) -> Self {
        Self::All {
            nodes: cluster.node_status.iter().peekable(),
            pools: cluster.pool_status.iter().peekable(),
            usage: cluster.pool_usage.iter().peekable(),
        }
    }

    pub(super) fn node(&mut self, node: &NodeName) -> Option<&'a Arc<NodeStatus>> {
        match self {
            Self::Some(cluster) => cluster.node_status.get(node),
            Self::All { nodes, .. } => seek(nodes, |key| order(key, node)),
        }
    }

    pub(super) fn pool(&mut self, node: &NodeName, pool: &PoolName) -> (Option<&'a Arc<PoolStatus>>, PoolUsage) {
        let compare = |key: &PoolKey| order(&key.0, node).then_with(|| order(&key.1, pool));
        let (status, usage) = match self {
            Self::Some(cluster) => {
                let key = (node.clone(), pool.clone());
                (cluster.pool_status.get(&key), cluster.pool_usage.get(&key))
            }
            Self::All { pools, usage, .. } => (seek(pools, compare), seek(usage, compare)),
        };
        (status, usage.copied().unwrap_or_default())
    }
}

/// Equality is the common case, and cheaper to find out than order.
fn order<T: Ord>(key: &T, wanted: &T) -> Ordering {
    if key == wanted { Ordering::Equal } else { key.cmp(wanted) }
}

fn seek<'a, K, V>(steps: &mut Steps<'a, K, V>, compare: impl Fn(&K) -> Ordering) -> Option<&'a V> {
    loop {
        let (key, value) = *steps.peek()?;
        match compare(key) {
            Ordering::Less => steps.next(),
            Ordering::Equal => return Some(value),
            Ordering::Greater => return None,
        };
    }
}
