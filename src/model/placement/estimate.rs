//! How much can still be placed in a pool, oversubscription and reservations considered.
//!
//! ```text
//! estimate = min(free * freeRatio - pending, total * totalRatio - reserved)
//! reserved = volumes (pending ones with them) + what snapshots can have allocated at most
//! ```
//! Pending volumes are ordered and not made yet, so that the pool's free space does not show them: they count at both
//! bounds, and a burst of creations spreads. The nodes tell no allocated size of single snapshots here; the sum of
//! their nominal sizes would leave no room in pools with many of them, so it is capped by what is allocated at all.

use super::reason::Reason;
use crate::model::cluster::Cluster;
use crate::model::kinds::{ProviderKind, Provisioning};
use crate::model::names::{NodeName, PoolName};
use crate::model::node::{Node, StoragePool};
use crate::model::observed::PoolStatus;
use crate::model::props::Props;
use crate::model::report::Capacity;
use crate::model::size::Kib;
use crate::model::usage::PoolUsage;
use std::sync::Arc;

/// What thin pools may promise beyond what they have, where no property says otherwise.
pub const DEFAULT_THIN_RATIO: f64 = 20.0;
/// The same of thick ones.
pub const DEFAULT_FAT_RATIO: f64 = 1.0;

pub(super) const THINGS_TO_DO_ABOUT_ROOM: &str = "add storage, remove volumes,";

/// Oversubscription ratios in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratios {
    /// `MaxOversubscriptionRatio`.
    pub general: f64,
    /// `MaxFreeCapacityOversubscriptionRatio`, or the general one.
    pub free: f64,
    /// `MaxTotalCapacityOversubscriptionRatio`, or the general one.
    pub total: f64,
}

/// Which of the two bounds is the lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// What is free, times its ratio.
    Free,
    /// The total, times its ratio, less all that was promised.
    Total,
}

/// What is known of a pool's room. Sizes that were not reported are `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// What can still be placed.
    pub free_estimate: Option<Kib>,
    /// Free, as reported.
    pub free: Option<Kib>,
    /// Total, as reported.
    pub total: Option<Kib>,
    /// Volumes ordered and not made yet.
    pub pending: Kib,
    /// Volumes and snapshots, as far as they count at the total.
    pub reserved: Kib,
    /// Ratios in force.
    pub ratios: Ratios,
    /// The bound that gave the estimate.
    pub bound: Bound,
}

/// How much can still be placed in a pool; `None` when there is no such pool.
#[must_use]
pub fn estimate(cluster: &Cluster, node: &NodeName, pool: &PoolName) -> Option<Estimate> {
    let record = cluster.nodes.get(node)?.pools.get(pool)?;
    let key = (node.clone(), pool.clone());
    let status = cluster.pool_status.get(&key);
    let usage = cluster.pool_usage.get(&key).copied().unwrap_or_default();
    Some(estimate_of(cluster, record, status, usage))
}

/// Whether a replica of `size` fits into a pool that somebody named: the checks of an explicit creation.
pub fn check_room(cluster: &Cluster, node: &NodeName, pool: &PoolName, size: Kib) -> Result<(), Reason> {
    let record: &Node = cluster.nodes.get(node).ok_or(Reason::NoSuchNode)?;
    let record = record.pools.get(pool).ok_or(Reason::NoSuchPool)?;
    let key = (node.clone(), pool.clone());
    let status = cluster.pool_status.get(&key);
    let usage = cluster.pool_usage.get(&key).copied().unwrap_or_default();
    room_for(&estimate_of(cluster, record, status, usage), record, status, size)
}

pub(super) fn room_for(
    estimate: &Estimate,
    pool: &StoragePool,
    status: Option<&Arc<PoolStatus>>,
    size: Kib,
) -> Result<(), Reason> {
    if pool.provider.provisioning() == Provisioning::Without {
        return Ok(());
    }
    match status {
        Some(status) if status.capacity.is_err() => Err(Reason::PoolSick(Arc::clone(status))),
        _ => match estimate.free_estimate {
            None => Err(Reason::NoCapacityKnown),
            Some(free) if free < size => Err(Reason::TooLittleRoom { estimate: Box::new(*estimate), wanted: size }),
            Some(_) => Ok(()),
        },
    }
}

pub(super) fn estimate_of(
    cluster: &Cluster,
    pool: &StoragePool,
    status: Option<&Arc<PoolStatus>>,
    usage: PoolUsage,
) -> Estimate {
    let ratios = ratios_of(cluster, pool);
    match status.map(|status| &status.capacity) {
        _ if pool.provider.provisioning() == Provisioning::Without => unlimited(ratios),
        Some(Ok(capacity)) => bounded(pool.provider, *capacity, usage, ratios),
        _ => Estimate {
            free_estimate: None,
            free: None,
            total: None,
            pending: Kib(usage.pending_kib),
            reserved: Kib(usage.volumes_kib),
            ratios,
            bound: Bound::Free,
        },
    }
}

fn unlimited(ratios: Ratios) -> Estimate {
    let all = Some(Kib::UNLIMITED);
    Estimate {
        free_estimate: all,
        free: all,
        total: all,
        pending: Kib(0),
        reserved: Kib(0),
        ratios,
        bound: Bound::Free,
    }
}

fn bounded(provider: ProviderKind, capacity: Capacity, usage: PoolUsage, ratios: Ratios) -> Estimate {
    let allocated = capacity.total.0.saturating_sub(capacity.free.0);
    let made = usage.volumes_kib.saturating_sub(usage.pending_kib);
    let by_snapshots = match provider.provisioning() {
        Provisioning::Fat => allocated.saturating_sub(made),
        _ => allocated,
    };
    let reserved = usage.volumes_kib.saturating_add(usage.snapshots_kib.min(by_snapshots));
    let by_free = times(capacity.free, ratios.free).saturating_sub(usage.pending_kib);
    let by_total = times(capacity.total, ratios.total).saturating_sub(reserved);
    Estimate {
        free_estimate: Some(Kib(by_free.min(by_total))),
        free: Some(capacity.free),
        total: Some(capacity.total),
        pending: Kib(usage.pending_kib),
        reserved: Kib(reserved),
        ratios,
        bound: if by_free <= by_total { Bound::Free } else { Bound::Total },
    }
}

/// Saturates at what the wire can carry.
fn times(size: Kib, ratio: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let product = (size.0 as f64 * ratio) as u64;
    product.min(Kib::UNLIMITED.0)
}

fn ratios_of(cluster: &Cluster, pool: &StoragePool) -> Ratios {
    let definition = cluster.pool_definitions.get(&pool.name).map(|record| &record.props);
    let chain = [Some(&pool.props), definition, Some(&cluster.controller.props)];
    let find = |key: &str| ratio_in(&chain, key);
    let general = find("MaxOversubscriptionRatio").unwrap_or(match pool.provider.provisioning() {
        Provisioning::Thin => DEFAULT_THIN_RATIO,
        Provisioning::Fat => DEFAULT_FAT_RATIO,
        Provisioning::Without => f64::INFINITY,
    });
    Ratios {
        general,
        free: find("MaxFreeCapacityOversubscriptionRatio").unwrap_or(general),
        total: find("MaxTotalCapacityOversubscriptionRatio").unwrap_or(general),
    }
}

/// The first that is a usable number wins: the catalogue lets no other value in, an import might.
fn ratio_in(chain: &[Option<&Props>], key: &str) -> Option<f64> {
    let values = chain.iter().flatten().filter_map(|props| props.get(key));
    let mut ratios = values.filter_map(|text| text.trim().parse::<f64>().ok());
    ratios.find(|ratio| ratio.is_finite() && *ratio >= 0.0)
}
