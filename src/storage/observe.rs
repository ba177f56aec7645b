//! Looks what is there of one resource: a few system calls a volume, and at most one listing for each kind of pool, which
//! all passes share.

use std::collections::BTreeSet;

use super::driver::{Owner, PartId};
use super::targets::{Target, Targets};
use crate::model::desired::{DesiredResource, DesiredVolume, Order, Origin, Rollback};
use crate::model::moment::Uuid;
use crate::model::names::VolumeNumber;
use crate::model::plan::{BackingId, Content, Extent, ObservedResource, ObservedVolume};
use crate::model::report::Problem;

/// Everything that the desired state asks about. `formatted` are volumes that are known to have a file system.
pub(super) fn observe(
    desired: &DesiredResource,
    targets: &Targets,
    formatted: &BTreeSet<VolumeNumber>,
) -> ObservedResource {
    let mut observed = ObservedResource::default();
    for volume in desired.volumes.iter().filter(|volume| targets.volumes.contains_key(&volume.number)) {
        let found = targets.stack(desired, volume.number).and_then(|stack| stack.observe());
        observed.volumes.insert(volume.number, found);
    }
    for volume in &desired.volumes {
        look_whose(desired, volume, targets, &mut observed);
        look_at_content(desired, volume, (targets, formatted), &mut observed);
        look_at_extent(desired, volume, targets, &mut observed);
        look_for_origin(volume, targets, &mut observed);
    }
    for (snapshot, parts) in &targets.parts {
        let found = parts.iter().map(|(number, target)| {
            let look = |t: &Target| t.driver.observe_part(PartId { of: &t.id, snapshot });
            (*number, target.as_ref().map_err(Clone::clone).and_then(look))
        });
        observed.snapshots.insert(snapshot.clone(), found.collect());
    }
    observed.rollback_unknown = look_at_rollback(desired, targets, &mut observed).err();
    observed
}

/// A backing object under the name of a volume that was never reported as made is the volume's, or none of ours. One that
/// the definition names itself is taken over as it is.
fn look_whose(desired: &DesiredResource, volume: &DesiredVolume, targets: &Targets, observed: &mut ObservedResource) {
    let (Some(slot), Ok(target)) = (observed.volumes.get_mut(&volume.number), targets.volume(volume.number)) else {
        return;
    };
    let found = match slot {
        Ok(_) if volume.override_id.is_some() && volume.order != Order::Remove => return,
        // A layer that stands on it under the volume's name is its own, also where files carry no marks.
        Ok(found) if found.layers.values().any(|layer| layer.device.is_some()) => return,
        Ok(found) if found.backing.is_some() && !volume.made => found,
        _ => return,
    };
    match target.driver.stranger(&target.id, Owner::of(desired)) {
        Ok(None) => {}
        Ok(stranger) => {
            let (granularity, has_device) = (found.granularity, found.has_device);
            *found = ObservedVolume { granularity, has_device, stranger, ..ObservedVolume::default() };
        }
        Err(problem) => *slot = Err(problem),
    }
}

fn look_at_content(
    desired: &DesiredResource,
    volume: &DesiredVolume,
    (targets, formatted): (&Targets, &BTreeSet<VolumeNumber>),
    observed: &mut ObservedResource,
) {
    let Some(wanted) = volume.file_system.as_ref().filter(|_| volume.order == Order::Make) else {
        return;
    };
    let (Some(Ok(found)), Ok(stack)) =
        (observed.volumes.get_mut(&volume.number), targets.stack(desired, volume.number))
    else {
        return;
    };
    if found.backing.is_some() {
        found.content =
            if formatted.contains(&volume.number) { Content::Known(wanted.kind.clone()) } else { stack.content(found) };
    }
}

/// How far the content of a volume reaches that is to be made smaller.
fn look_at_extent(
    desired: &DesiredResource,
    volume: &DesiredVolume,
    targets: &Targets,
    observed: &mut ObservedResource,
) {
    let (Some(Ok(found)), Ok(stack)) =
        (observed.volumes.get_mut(&volume.number), targets.stack(desired, volume.number))
    else {
        return;
    };
    let larger = found.backing.is_some_and(|size| size > volume.size);
    if volume.shrink && larger && volume.order != Order::Remove {
        found.extent = stack.extent(found).unwrap_or_else(|problem| {
            tracing::warn!(id = %stack.target.id, %problem, "up to where a volume's data reaches cannot be told");
            Extent::Unknown
        });
    }
}

/// The snapshot that a volume which is not there is to be made from.
fn look_for_origin(volume: &DesiredVolume, targets: &Targets, observed: &mut ObservedResource) {
    let Origin::Snapshot { rsc, snapshot, volume: part } = &volume.origin else {
        return;
    };
    let there = observed
        .volumes
        .get(&volume.number)
        .is_some_and(|found| found.as_ref().is_ok_and(|found| found.backing.is_some()));
    if there || volume.order != Order::Make {
        return;
    }
    let (Ok(target), Ok(of)) = (targets.volume(volume.number), BackingId::of(rsc, *part, None)) else {
        return;
    };
    let found = target.driver.observe_part(PartId { of: &of, snapshot });
    if let Some(size) = found.ok().and_then(|part| part.size) {
        observed.origins.insert(volume.number, size);
    }
}

/// An error is one that leaves it open what was done: taking it for "nothing" would roll back what was written since.
fn look_at_rollback(
    desired: &DesiredResource,
    targets: &Targets,
    observed: &mut ObservedResource,
) -> Result<(), Problem> {
    if desired.order == Order::Remove {
        for target in targets.pools() {
            observed.rolled_back = observed.rolled_back.or(target.driver.rolled_back(&desired.rsc)?);
        }
        return Ok(());
    }
    let Some(order) = &desired.rollback else {
        return Ok(());
    };
    for (number, target) in &targets.volumes {
        let Ok(target) = target else { continue };
        let part = PartId { of: &target.id, snapshot: &order.snapshot };
        if let Some(size) = target.driver.observe_part(part)?.size {
            observed.rollback_parts.insert(*number, size);
        }
    }
    observed.rolled_back = done(desired, order, targets, observed)?;
    Ok(())
}

/// The order's token, if every pool that has parts of the snapshot says that it was carried out. A crash between two
/// pools is not "done"; a volume that came later, in another pool, changes nothing.
fn done(
    desired: &DesiredResource,
    order: &Rollback,
    targets: &Targets,
    observed: &ObservedResource,
) -> Result<Option<Uuid>, Problem> {
    let mut concerned: Vec<&Target> =
        observed.rollback_parts.keys().filter_map(|number| targets.volume(*number).ok()).collect();
    let all = !concerned.is_empty();
    if !all {
        // The snapshot is gone, after it had served.
        concerned = targets.pools();
    }
    let said: Vec<bool> = concerned
        .into_iter()
        .map(|target| Ok(target.driver.rolled_back(&desired.rsc)? == Some(order.token)))
        .collect::<Result<_, Problem>>()?;
    let done = if all { said.iter().all(|yes| *yes) } else { said.iter().any(|yes| *yes) };
    Ok(done.then_some(order.token))
}
