//! Where each volume and each part of a snapshot of a desired resource lies: its pool's driver and its name there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::driver::Driver;
use super::pool::Pools;
use super::problem::problem;
use super::stack::VolumeStack;
use crate::model::desired::{DesiredResource, Order};
use crate::model::kinds::ProviderKind;
use crate::model::names::{PoolName, RscName, SnapName, VolumeNumber};
use crate::model::plan::BackingId;
use crate::model::report::Problem;
use crate::model::stack::{Leaf, Stack};

/// One volume's place.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) driver: Arc<dyn Driver>,
    pub(super) id: BackingId,
    pub(super) pool: PoolName,
    /// What stands on it.
    pub(super) stack: Stack,
    /// Backing objects beside the data's.
    pub(super) caches: BTreeMap<Leaf, Spot>,
}

/// The place of a backing object beside the data's.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) driver: Arc<dyn Driver>,
    pub(super) id: BackingId,
}

/// The places of one resource.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) volumes: BTreeMap<VolumeNumber, Result<Target, Problem>>,
    pub(super) parts: BTreeMap<SnapName, BTreeMap<VolumeNumber, Result<Target, Problem>>>,
}

/// What names a place.
struct Place<'a> {
    number: VolumeNumber,
    pool: &'a PoolName,
    provider: ProviderKind,
    override_id: Option<&'a str>,
    options: &'a BTreeMap<String, String>,
}

impl Targets {
    /// Looks all of them up; a replica without a disk has none.
    pub(super) fn of(desired: &DesiredResource, pools: &Pools) -> Self {
        let rsc = &desired.rsc;
        let diskless = desired.diskless && desired.order != Order::Remove;
        let with_disk = desired.volumes.iter().filter(|v| !diskless || v.order == Order::Remove);
        let volumes = with_disk
            .map(|volume| {
                let place = Place {
                    number: volume.number,
                    pool: &volume.pool,
                    provider: volume.provider,
                    override_id: volume.override_id.as_deref(),
                    options: &volume.options,
                };
                let found = target(rsc, &place, pools).and_then(|target| with_caches(target, desired, &place, pools));
                (volume.number, found)
            })
            .collect();
        let mut parts: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for snapshot in &desired.snapshots {
            let of = snapshot.volumes.iter().map(|source| {
                let place = Place {
                    number: source.number,
                    pool: &source.pool,
                    provider: source.provider,
                    override_id: source.override_id.as_deref(),
                    options: options_of(desired, source.number),
                };
                (source.number, target(rsc, &place, pools))
            });
            parts.insert(snapshot.name.clone(), of.collect());
        }
        Self { volumes, parts }
    }

    /// Place of a volume.
    pub(super) fn volume(&self, number: VolumeNumber) -> Result<&Target, Problem> {
        match self.volumes.get(&number) {
            Some(found) => found.as_ref().map_err(Clone::clone),
            None => Err(unknown(number)),
        }
    }

    /// A volume with its layers.
    pub(super) fn stack<'a>(
        &'a self,
        desired: &'a DesiredResource,
        number: VolumeNumber,
    ) -> Result<VolumeStack<'a>, Problem> {
        let volume = desired.volumes.iter().find(|volume| volume.number == number).ok_or_else(|| unknown(number))?;
        Ok(VolumeStack { desired, volume, target: self.volume(number)? })
    }

    /// Place of a snapshot's part.
    pub(super) fn part(&self, snapshot: &SnapName, number: VolumeNumber) -> Result<&Target, Problem> {
        match self.parts.get(snapshot).and_then(|parts| parts.get(&number)) {
            Some(found) => found.as_ref().map_err(Clone::clone),
            None => Err(unknown(number)),
        }
    }

    /// One target for each pool of the resource's volumes.
    pub(super) fn pools(&self) -> Vec<&Target> {
        let by_pool: BTreeMap<&PoolName, &Target> =
            self.volumes.values().flatten().map(|target| (&target.pool, target)).collect();
        by_pool.into_values().collect()
    }
}

/// Options of the volume that a snapshot's part is of; the pool's hold where it is gone.
fn options_of(desired: &DesiredResource, number: VolumeNumber) -> &BTreeMap<String, String> {
    const NONE: &BTreeMap<String, String> = &BTreeMap::new();
    desired.volumes.iter().find(|volume| volume.number == number).map_or(NONE, |volume| &volume.options)
}

fn target(rsc: &RscName, place: &Place<'_>, pools: &Pools) -> Result<Target, Problem> {
    let id = BackingId::of(rsc, place.number, place.override_id).map_err(|error| {
        problem(
            format!("Volume {} of resource {rsc} cannot be found", place.number),
            error.to_string(),
            "Correct the property StorDriver/OverrideVlmId.",
        )
    })?;
    let driver = pools.driver_with((place.pool, place.provider), place.options)?;
    Ok(Target { driver, id, pool: place.pool.clone(), stack: Stack::default(), caches: BTreeMap::new() })
}

fn with_caches(
    mut target: Target,
    desired: &DesiredResource,
    place: &Place<'_>,
    pools: &Pools,
) -> Result<Target, Problem> {
    target.stack = Stack::of(&desired.layers);
    for leaf in target.stack.caches() {
        target.caches.insert(leaf, spot(leaf, desired, place, pools)?);
    }
    Ok(target)
}

/// Where a cache lies. One whose pool is not named any more lay where the data does, or nowhere.
fn spot(leaf: Leaf, desired: &DesiredResource, place: &Place<'_>, pools: &Pools) -> Result<Spot, Problem> {
    let message = || format!("Volume {} of resource {} has no place for its cache", place.number, desired.rsc);
    let named = leaf.pool_props().iter().find_map(|key| desired.props.get(*key));
    let pool = match named {
        Some(name) => PoolName::parse(name)
            .map_err(|error| problem(message(), error.to_string(), "Name a storage pool of the node."))?,
        None if desired.order == Order::Remove => place.pool.clone(),
        None => {
            let cause = format!("the property {} is not set", leaf.pool_props().join(" or "));
            return Err(problem(message(), cause, "Set it to the name of a storage pool of the node."));
        }
    };
    let id = BackingId::of_leaf(&desired.rsc, place.number, leaf, place.override_id)
        .map_err(|error| problem(message(), error.to_string(), "Correct the property StorDriver/OverrideVlmId."))?;
    Ok(Spot { driver: pools.driver(&pool, place.provider)?, id })
}

fn unknown(number: VolumeNumber) -> Problem {
    problem(
        format!("Volume {number} is unknown"),
        "the resource has no such volume on this node",
        "Refer to a volume that is there.",
    )
}
