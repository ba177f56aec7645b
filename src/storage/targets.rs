//! Where each volume and each part of a snapshot of a desired resource lies: its pool's driver and its name there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::driver::Driver;
use super::pool::Pools;
use super::problem::problem;
use crate::model::desired::{DesiredResource, Order};
use crate::model::kinds::ProviderKind;
use crate::model::names::{PoolName, RscName, SnapName, VolumeNumber};
use crate::model::plan::BackingId;
use crate::model::report::Problem;

/// One volume's place.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) driver: Arc<dyn Driver>,
    pub(super) id: BackingId,
    pub(super) pool: PoolName,
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
                (volume.number, target(rsc, &place, pools))
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
    Ok(Target { driver: pools.driver_with((place.pool, place.provider), place.options)?, id, pool: place.pool.clone() })
}

fn unknown(number: VolumeNumber) -> Problem {
    problem(
        format!("Volume {number} is unknown"),
        "the resource has no such volume on this node",
        "Refer to a volume that is there.",
    )
}
