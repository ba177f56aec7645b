//! How much a filter leaves room for: the size queries of resource groups.

use super::estimate::{DEFAULT_THIN_RATIO, Ratios};
use super::filter::{Candidate, mode_of, survey};
use super::place::{place, rank_and_select};
use super::request::{Mode, NotPlaced, Request};
use super::select::Selection;
use crate::model::cluster::Cluster;
use crate::model::group::{DEFAULT_PLACE_COUNT, SelectFilter};
use crate::model::kinds::{LayerKind, Provisioning};
use crate::model::names::{NodeName, PoolName};
use crate::model::size::{Kib, LARGEST_VOLUME};

use std::collections::{BTreeMap, BTreeSet};

/// The next place that a spawn would take.
#[derive(Debug, Clone, PartialEq)]
pub struct NextSpawn {
    /// The node.
    pub node: NodeName,
    /// Its pool.
    pub pool: PoolName,
    /// Ratios in force there.
    pub ratios: Ratios,
}

/// Answer to query-size-info (facts: `rest-api.md` §3.14).
#[derive(Debug, Clone, PartialEq)]
pub struct SizeInfo {
    /// Largest volume that the places of the next spawn can take, oversubscription considered.
    pub max_volume_size: Kib,
    /// What could be filled with replicated volumes, without oversubscription.
    pub available: Kib,
    /// The same of empty pools.
    pub capacity: Kib,
    /// Ratio of thin pools where nobody says otherwise.
    pub default_ratio: f64,
    /// Lowest ratios among the places of the next spawn; `None` when there is no place.
    pub ratios: Option<Ratios>,
    /// Where the next spawn would go, best first.
    pub next_spawn: Vec<NextSpawn>,
}

/// What a resource group's filter leaves room for.
///
/// # Errors
/// Not even volumes of no size can be placed.
pub fn query_size_info(cluster: &Cluster, filter: &SelectFilter, layers: &[LayerKind]) -> Result<SizeInfo, NotPlaced> {
    let count = place_count(filter);
    let request = Request { count, layers, ..Request::new(cluster, filter) };
    let mut survey = survey(&request);
    let Selection::Complete(chosen) = rank_and_select(&request, &mut survey) else {
        // Once more, for the whole account.
        return Err(place(&request).expect_err("the same request gives the same places"));
    };
    let chosen: Vec<&Candidate> = chosen.iter().map(|&at| &survey.candidates[at]).collect();
    Ok(SizeInfo {
        max_volume_size: smallest(&chosen),
        available: fill(sums(&survey.candidates, |pool| pool.estimate.free), count),
        capacity: fill(sums(&survey.candidates, |pool| pool.estimate.total), count),
        default_ratio: DEFAULT_THIN_RATIO,
        ratios: chosen.iter().map(|one| one.estimate.ratios).reduce(lower),
        next_spawn: chosen.iter().map(|one| next(one)).collect(),
    })
}

/// Pools of one name that could hold all replicas.
#[derive(Debug, Clone, PartialEq)]
pub struct SizeCandidate {
    /// Name of the pools.
    pub pool: PoolName,
    /// Largest volume that fits.
    pub max_volume_size: Kib,
    /// Nodes that would be taken.
    pub nodes: Vec<NodeName>,
    /// Whether all those pools are thin.
    pub all_thin: bool,
}

/// Answer to the older query-max-volume-size: for each pool name in turn, where replicas would go if all had to use
/// pools of that name. Names with which not all replicas can be placed are left out.
#[must_use]
pub fn query_max_volume_size(cluster: &Cluster, filter: &SelectFilter) -> Vec<SizeCandidate> {
    let pools = cluster.nodes.values().flat_map(|node| node.pools.values());
    let names = pools.filter(|pool| mode_of(pool) == Mode::Diskful).map(|pool| &pool.name);
    let listed = filter.pools.as_ref().filter(|listed| !listed.is_empty());
    let names: BTreeSet<&PoolName> = names.filter(|name| listed.is_none_or(|all| all.contains(name))).collect();
    names.into_iter().filter_map(|name| candidate(cluster, filter, name)).collect()
}

fn candidate(cluster: &Cluster, filter: &SelectFilter, pool: &PoolName) -> Option<SizeCandidate> {
    let only = SelectFilter { pools: Some(vec![pool.clone()]), ..filter.clone() };
    let layers = only.layers.as_deref().unwrap_or_default();
    let request = Request { count: place_count(&only), layers, ..Request::new(cluster, &only) };
    let mut survey = survey(&request);
    let Selection::Complete(chosen) = rank_and_select(&request, &mut survey) else {
        return None;
    };
    let chosen: Vec<&Candidate> = chosen.iter().map(|&at| &survey.candidates[at]).collect();
    let thin = |one: &&Candidate| one.pool.provider.provisioning() == Provisioning::Thin;
    Some(SizeCandidate {
        pool: pool.clone(),
        max_volume_size: smallest(&chosen),
        nodes: chosen.iter().map(|one| one.node.name.clone()).collect(),
        all_thin: chosen.iter().all(thin),
    })
}

fn place_count(filter: &SelectFilter) -> usize {
    filter.place_count.unwrap_or(DEFAULT_PLACE_COUNT) as usize
}

/// What the least of them can take, of what can be made at all.
fn smallest(chosen: &[&Candidate]) -> Kib {
    let sizes = chosen.iter().filter_map(|one| one.estimate.free_estimate);
    sizes.min().unwrap_or_default().min(LARGEST_VOLUME)
}

fn lower(a: Ratios, b: Ratios) -> Ratios {
    Ratios { general: a.general.min(b.general), free: a.free.min(b.free), total: a.total.min(b.total) }
}

fn next(candidate: &Candidate) -> NextSpawn {
    NextSpawn {
        node: candidate.node.name.clone(),
        pool: candidate.pool.name.clone(),
        ratios: candidate.estimate.ratios,
    }
}

/// Sizes by node, since a node holds one replica only; a shared space counts once.
fn sums(candidates: &[Candidate], size: impl Fn(&Candidate) -> Option<Kib>) -> Vec<u64> {
    let mut spaces = BTreeSet::new();
    let mut sums: BTreeMap<&NodeName, u64> = BTreeMap::new();
    for one in candidates {
        if one.pool.shared_space.as_ref().is_some_and(|space| !spaces.insert(space)) {
            continue;
        }
        let sum = sums.entry(&one.node.name).or_default();
        *sum = sum.saturating_add(size(one).unwrap_or_default().0);
    }
    sums.into_values().collect()
}

/// Fills the `count` roomiest up to the room of the least of them, until fewer than `count` have any. Each round empties
/// one at least.
fn fill(mut rooms: Vec<u64>, count: usize) -> Kib {
    let mut filled = 0_u64;
    if count == 0 {
        return Kib(0);
    }
    loop {
        rooms.retain(|room| *room > 0);
        if rooms.len() < count {
            return Kib(filled);
        }
        rooms.sort_unstable_by(|a, b| b.cmp(a));
        let size = rooms[count - 1];
        rooms[..count].iter_mut().for_each(|room| *room -= size);
        filled = filled.saturating_add(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filling() {
        for (rooms, count, filled) in [
            (vec![], 1, 0),
            (vec![5, 7], 1, 12),
            (vec![5, 7], 2, 5),
            (vec![10, 10, 10], 2, 10),
            (vec![9, 6, 4], 2, 9),
            (vec![9, 6, 4], 4, 0),
            (vec![1], 0, 0),
            (vec![u64::MAX, u64::MAX], 1, u64::MAX),
        ] {
            assert_eq!(fill(rooms.clone(), count), Kib(filled), "{rooms:?} {count}");
        }
    }
}
