//! The part of a plan that concerns volumes: made, grown, cut, attached, detached, rolled back, removed.

use super::TOLERANCE_EXTENTS;
use super::cut::Cut;
use super::observed::{Content, ObservedResource, ObservedVolume};
use super::step::{Plan, Step, Subject};
use crate::model::desired::{DesiredResource, DesiredVolume, Order, Origin, Rollback};
use crate::model::names::VolumeNumber;
use crate::model::report::{Problem, Refused};
use crate::model::size::Kib;

/// Factor of at least 1 that widens the tolerance for devices that are too large.
const TOLERANCE_PROP: &str = "StorDriver/alignmentTolerance";

/// Everything about volumes that stay.
pub(super) fn settle(desired: &DesiredResource, observed: &ObservedResource, plan: &mut Plan) {
    if desired.diskless || desired.order == Order::Remove {
        return;
    }
    release(desired, observed, plan);
    for volume in desired.volumes.iter().filter(|v| v.order != Order::Remove) {
        match observed.volumes.get(&volume.number) {
            Some(Err(problem)) => {
                let subject = Subject::Volume(volume.number);
                plan.problems.push((subject, problem.clone()));
            }
            Some(Ok(found)) if !found.has_device => {}
            Some(Ok(found)) if found.backing.is_some() => {
                resize(desired, volume, found, plan);
                connect(desired, volume, found, plan);
            }
            _ => create(desired, volume, observed, plan),
        }
    }
}

/// Devices of an inactive resource: all of them are unused, or none is detached.
fn release(desired: &DesiredResource, observed: &ObservedResource, plan: &mut Plan) {
    if desired.active {
        return;
    }
    let volumes: Vec<VolumeNumber> = desired
        .volumes
        .iter()
        .map(|volume| volume.number)
        .filter(|number| found(observed, *number).is_some_and(|found| found.device.is_some()))
        .collect();
    if volumes.is_empty() {
        return;
    }
    let detach = volumes.iter().map(|volume| Step::Detach { volume: *volume });
    plan.steps.push(Step::AssertUnused { volumes: volumes.clone() });
    plan.steps.extend(detach);
}

fn create(desired: &DesiredResource, volume: &DesiredVolume, observed: &ObservedResource, plan: &mut Plan) {
    let (rsc, number) = (&desired.rsc, volume.number);
    if let Some(stranger) = found(observed, number).and_then(|found| found.stranger.as_ref()) {
        let texts = [
            format!("Volume {number} of resource {rsc} cannot be made"),
            format!("{} is there already, with data that is not this volume's", stranger.place),
            format!("Move it away; then the volume is made by itself. To take it over as it is: {}", stranger.adopt),
        ];
        plan.refuse(Subject::Volume(number), texts);
        return;
    }
    if volume.order == Order::Keep {
        let texts = [
            format!("Volume {number} of resource {rsc} is missing"),
            format!("its data was in storage pool {} and is not there any more", volume.pool),
            "Bring the pool's storage back (a disk or a file system that is not mounted?), or delete the resource on \
             this node; an empty volume is never made in its place."
                .to_owned(),
        ];
        plan.refuse(Subject::Volume(number), texts);
        return;
    }
    match &volume.origin {
        Origin::Blank => plan.steps.push(Step::CreateBlank { volume: number, size: volume.size }),
        Origin::Snapshot { rsc: source, snapshot, volume: part } => {
            let Some(size) = observed.origins.get(&number) else {
                let texts = [
                    format!("Volume {number} of resource {rsc} cannot be made from a snapshot"),
                    format!("storage pool {} has no volume {part} of snapshot {snapshot} of {source}", volume.pool),
                    "Make the resource in the storage pool that holds the snapshot; if it is nowhere any more, delete the \
                     resource on this node, and create it again where another replica can fill it."
                        .to_owned(),
                ];
                plan.refuse(Subject::Volume(number), texts);
                return;
            };
            plan.steps.push(Step::CreateFromSnapshot {
                volume: number,
                rsc: source.clone(),
                snapshot: snapshot.clone(),
                part: *part,
                size: volume.size.max(*size),
            });
        }
    }
    connect(desired, volume, &ObservedVolume::default(), plan);
}

/// Grows what is too small; cuts what is too large when that was asked for.
fn resize(desired: &DesiredResource, volume: &DesiredVolume, found: &ObservedVolume, plan: &mut Plan) {
    let Some(actual) = found.backing else { return };
    let number = volume.number;
    let changed = if actual < volume.size {
        plan.steps.push(Step::Grow { volume: number, size: volume.size });
        true
    } else if volume.shrink && actual >= upper_bound(desired, volume, found) {
        cut(desired, volume, found, plan)
    } else {
        false
    };
    let Some(device) = found.device.as_ref().filter(|_| desired.active) else {
        return;
    };
    if changed || device.size != actual {
        plan.steps.push(Step::RefreshSize { volume: number });
    }
}

/// Makes a volume smaller, unless that would cut something off. The device of one that is not keeps its size.
fn cut(desired: &DesiredResource, volume: &DesiredVolume, found: &ObservedVolume, plan: &mut Plan) -> bool {
    let (number, size) = (volume.number, volume.size);
    let device = found.device.as_ref().map(|device| device.path.as_str());
    match (Cut { rsc: &desired.rsc, number, size, device }).refusal(&found.extent) {
        Some(problem) => {
            plan.problems.push((Subject::Volume(number), problem));
            plan.refused.push(Refused::Shrink(number));
            false
        }
        None => {
            plan.steps.push(Step::AssertUnused { volumes: vec![number] });
            plan.steps.push(Step::Shrink { volume: number, size });
            true
        }
    }
}

/// The smallest size that is too large.
fn upper_bound(desired: &DesiredResource, volume: &DesiredVolume, found: &ObservedVolume) -> Kib {
    let factor = desired.props.get(TOLERANCE_PROP).and_then(|text| text.parse::<u64>().ok()).unwrap_or(1).max(1);
    let slack = found.granularity.0.saturating_mul(TOLERANCE_EXTENTS).saturating_mul(factor);
    Kib(volume.size.0.saturating_add(slack))
}

/// Device and file system of a volume whose data is there, or will be by then.
fn connect(desired: &DesiredResource, volume: &DesiredVolume, found: &ObservedVolume, plan: &mut Plan) {
    if !desired.active {
        return;
    }
    let number = volume.number;
    if found.device.is_none() {
        plan.steps.push(Step::Attach { volume: number });
    }
    if let Some(file_system) = &volume.file_system
        && volume.order == Order::Make
        && found.content == Content::Unknown
    {
        plan.steps.push(Step::MakeFileSystem { volume: number, file_system: file_system.clone() });
    }
}

/// Why it cannot be told what a rollback would have to do: of its record, or of a volume that the snapshot is of.
pub(super) fn rollback_unknown<'a>(desired: &DesiredResource, observed: &'a ObservedResource) -> Option<&'a Problem> {
    let order = desired.rollback.as_ref()?;
    let listed = desired.snapshots.iter().find(|snapshot| snapshot.name == order.snapshot);
    let concerned = |number: VolumeNumber| listed.is_none_or(|s| s.volumes.iter().any(|part| part.number == number));
    let staying = desired.volumes.iter().filter(|volume| volume.order != Order::Remove && concerned(volume.number));
    let mut looked = staying.filter_map(|volume| observed.volumes.get(&volume.number));
    observed.rollback_unknown.as_ref().or_else(|| looked.find_map(|found| found.as_ref().err()))
}

/// Puts every volume that the snapshot has back to it. Nothing is attached before all are done and that is recorded.
pub(super) fn roll_back(desired: &DesiredResource, order: &Rollback, observed: &ObservedResource, plan: &mut Plan) {
    let snapshot = &order.snapshot;
    let listed = desired.snapshots.iter().find(|s| s.name == *snapshot);
    let has_part = |number: VolumeNumber| observed.rollback_parts.contains_key(&number);
    let incomplete = listed.is_some_and(|s| s.volumes.iter().any(|part| !has_part(part.number)));
    let targets: Vec<(VolumeNumber, Kib)> = desired
        .volumes
        .iter()
        .filter(|volume| volume.order != Order::Remove)
        .filter(|volume| found(observed, volume.number).is_some_and(|f| f.backing.is_some()))
        .filter_map(|volume| {
            let part = observed.rollback_parts.get(&volume.number)?;
            Some((volume.number, volume.size.max(*part)))
        })
        .collect();
    if incomplete || targets.is_empty() {
        let texts = [
            format!("Resource {} cannot be rolled back to snapshot {snapshot}", desired.rsc),
            "the snapshot, or a part of it, is not in the storage pools of this node".to_owned(),
            "Choose a snapshot that this node has.".to_owned(),
        ];
        plan.refuse(Subject::Rollback, texts);
        return;
    }
    let volumes: Vec<VolumeNumber> = targets.iter().map(|(number, _)| *number).collect();
    plan.steps.push(Step::AssertUnused { volumes: volumes.clone() });
    plan.steps.extend(targets.iter().map(|(number, size)| Step::StageRollback {
        volume: *number,
        snapshot: snapshot.clone(),
        size: *size,
    }));
    plan.steps.push(Step::DetachForRollback { token: order.token, volumes: volumes.clone() });
    plan.steps.extend(volumes.iter().map(|volume| Step::SwapRollback { volume: *volume }));
    plan.steps.push(Step::RecordRollback { token: order.token, volumes: volumes.clone() });
    if desired.active {
        // Those that were not attached are attached by `settle`.
        let attached = |volume: &VolumeNumber| found(observed, *volume).is_some_and(|found| found.device.is_some());
        let attach = volumes.into_iter().filter(attached);
        plan.steps.extend(attach.map(|volume| Step::Attach { volume }));
    }
}

/// Removes the volumes that shall go, after a check that none of them is in use.
pub(super) fn remove(desired: &DesiredResource, observed: &ObservedResource, plan: &mut Plan) {
    let whole = desired.order == Order::Remove;
    let mut going: Vec<(VolumeNumber, &ObservedVolume)> = Vec::new();
    for volume in &desired.volumes {
        if !whole && volume.order != Order::Remove {
            continue;
        }
        match observed.volumes.get(&volume.number) {
            Some(Err(problem)) => {
                let subject = Subject::Volume(volume.number);
                plan.problems.push((subject, problem.clone()));
            }
            Some(Ok(found)) if found.backing.is_some() || found.device.is_some() => {
                going.push((volume.number, found));
            }
            _ => {}
        }
    }
    let volumes: Vec<VolumeNumber> = going.iter().map(|(number, _)| *number).collect();
    if !volumes.is_empty() {
        plan.steps.push(Step::AssertUnused { volumes });
    }
    for (volume, found) in going {
        if found.device.is_some() {
            plan.steps.push(Step::Detach { volume });
        }
        if found.backing.is_some() {
            plan.steps.push(Step::RemoveBacking { volume });
        }
    }
    if whole && observed.rolled_back.is_some() {
        plan.steps.push(Step::ForgetRollback);
    }
    if let Some(problem) = observed.rollback_unknown.as_ref().filter(|_| whole) {
        plan.problems.push((Subject::Resource, problem.clone()));
    }
}

fn found(observed: &ObservedResource, number: VolumeNumber) -> Option<&ObservedVolume> {
    observed.volumes.get(&number)?.as_ref().ok()
}
