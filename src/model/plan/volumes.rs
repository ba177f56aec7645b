//! The part of a plan that concerns volumes: made, grown, cut, attached, detached, rolled back, removed.

use super::TOLERANCE_EXTENTS;
use super::cut::Cut;
use super::layers::Layered;
use super::observed::{Content, ObservedResource, ObservedVolume};
use super::step::{LayerAct, Plan, Step, Subject};
use crate::model::desired::{DesiredResource, DesiredVolume, Order, Origin, Rollback};
use crate::model::names::VolumeNumber;
use crate::model::report::{Problem, Refused};
use crate::model::size::Kib;
use crate::model::stack::Leaf;

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
                let layered = Layered::of(desired, volume);
                resize(&layered, found, plan);
                connect(&layered, found, plan);
            }
            _ => create(desired, volume, observed, plan),
        }
    }
}

/// Devices of an inactive resource: all of them are unused, or none is detached.
fn release<'a>(desired: &'a DesiredResource, observed: &'a ObservedResource, plan: &mut Plan) {
    if desired.active {
        return;
    }
    let with = |volume: &'a DesiredVolume| Some((volume, found(observed, volume.number)?));
    let attached: Vec<(&DesiredVolume, &ObservedVolume)> =
        desired.volumes.iter().filter_map(with).filter(|(_, found)| found.is_attached()).collect();
    if attached.is_empty() {
        return;
    }
    plan.steps.push(Step::AssertUnused { volumes: attached.iter().map(|(volume, _)| volume.number).collect() });
    for (volume, found) in attached {
        detach(&Layered::of(desired, volume), found, LayerAct::Close, plan);
    }
}

/// Takes all devices of a volume down, from the top on.
fn detach(layered: &Layered<'_>, found: &ObservedVolume, act: LayerAct, plan: &mut Plan) {
    layered.close(found, act, plan);
    if act == LayerAct::Drop {
        layered.wipe(found, plan);
    }
    if found.device.is_some() {
        plan.steps.push(Step::Detach { volume: layered.volume.number });
    }
    layered.detach_caches(found, plan);
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
    let layered = Layered::of(desired, volume);
    if !layered.has_key(plan) {
        return;
    }
    let Some(gross) = data_size(&layered, None, plan) else { return };
    match &volume.origin {
        Origin::Blank => plan.steps.push(Step::CreateBlank { volume: number, size: gross }),
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
                size: gross.max(*size),
            });
        }
    }
    // Caches may be there of an attempt that was cut off.
    let caches = found(observed, number).map(|found| found.caches.clone()).unwrap_or_default();
    connect(&layered, &ObservedVolume { caches, ..ObservedVolume::default() }, plan);
}

/// How large the backing object of the data has to be.
fn data_size(layered: &Layered<'_>, found: Option<&ObservedVolume>, plan: &mut Plan) -> Option<Kib> {
    match layered.sizes(found) {
        Ok(sizes) => sizes.get(&Leaf::Data).copied(),
        Err(problem) => {
            plan.problems.push((Subject::Volume(layered.volume.number), problem));
            None
        }
    }
}

/// Grows what is too small; cuts what is too large when that was asked for.
fn resize(layered: &Layered<'_>, found: &ObservedVolume, plan: &mut Plan) {
    let Layered { desired, volume, .. } = layered;
    let (Some(actual), Some(size)) = (found.backing, data_size(layered, Some(found), plan)) else { return };
    let number = volume.number;
    let changed = if actual < size {
        plan.steps.push(Step::Grow { volume: number, size });
        true
    } else if volume.shrink && actual >= upper_bound(desired, size, found) {
        cut(layered, size, found, plan)
    } else {
        false
    };
    let Some(device) = found.device.as_ref().filter(|_| desired.active) else {
        return;
    };
    let changed = changed || device.size != actual;
    if changed {
        plan.steps.push(Step::RefreshSize { volume: number });
    }
    layered.resize(found, changed, plan);
}

/// Makes a volume smaller, unless that would cut something off. The device of one that is not keeps its size. Tells whether
/// the size of its device has to follow.
fn cut(layered: &Layered<'_>, size: Kib, found: &ObservedVolume, plan: &mut Plan) -> bool {
    let Layered { desired, volume, stack } = layered;
    let number = volume.number;
    let top = found.top(stack);
    if !stack.is_plain() && !can_be_seen(layered, top.is_some(), plan) {
        return false;
    }
    let device = top.map(|device| device.path.as_str());
    if let Some(problem) = (Cut { rsc: &desired.rsc, number, size: volume.size, device }).refusal(&found.extent) {
        plan.problems.push((Subject::Volume(number), problem));
        plan.refused.push(Refused::Shrink(number));
        return false;
    }
    plan.steps.push(Step::AssertUnused { volumes: vec![number] });
    if stack.is_plain() {
        plan.steps.push(Step::Shrink { volume: number, size });
        return true;
    }
    layered.close(found, LayerAct::Close, plan);
    plan.steps.push(Step::Shrink { volume: number, size });
    plan.steps.push(Step::RefreshSize { volume: number });
    layered.reopen(found, plan);
    false
}

/// Whether it can be told how far the content of a volume with layers reaches, and whether it can be opened after that.
fn can_be_seen(layered: &Layered<'_>, open: bool, plan: &mut Plan) -> bool {
    let Layered { desired, volume, .. } = layered;
    let message = || format!("Volume {} of resource {} is not made smaller", volume.number, desired.rsc);
    if !desired.active {
        let texts = [
            message(),
            "the resource is not active, so its layers are closed and its content cannot be looked at".to_owned(),
            "Nothing was changed. Activate the resource, and ask again.".to_owned(),
        ];
        plan.refuse(Subject::Volume(volume.number), texts);
        plan.refused.push(Refused::Shrink(volume.number));
        return false;
    }
    if !layered.has_key(plan) {
        return false;
    }
    if !open {
        let texts = [
            format!("Volume {} of resource {} is not made smaller yet", volume.number, desired.rsc),
            "its layers are not open, and its content can only be looked at through them".to_owned(),
            "It is tried again.".to_owned(),
        ];
        plan.refuse(Subject::Volume(volume.number), texts);
    }
    open
}

/// The smallest size that is too large.
fn upper_bound(desired: &DesiredResource, wanted: Kib, found: &ObservedVolume) -> Kib {
    let factor = desired.props.get(TOLERANCE_PROP).and_then(|text| text.parse::<u64>().ok()).unwrap_or(1).max(1);
    let slack = found.granularity.0.saturating_mul(TOLERANCE_EXTENTS).saturating_mul(factor);
    Kib(wanted.0.saturating_add(slack))
}

/// Devices and file system of a volume whose data is there, or will be by then.
fn connect(layered: &Layered<'_>, found: &ObservedVolume, plan: &mut Plan) {
    let Layered { desired, volume, .. } = layered;
    if !desired.active {
        layered.change_key_at_rest(found, plan);
        return;
    }
    let number = volume.number;
    if found.device.is_none() {
        plan.steps.push(Step::Attach { volume: number });
    }
    if !layered.open(found, plan) {
        return;
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
            let gross = Layered::of(desired, volume).sizes(found(observed, volume.number)).ok()?;
            Some((volume.number, gross[&Leaf::Data].max(*part)))
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
    let concerned = desired.volumes.iter().filter(|volume| volumes.contains(&volume.number));
    if desired.active && !concerned.clone().all(|volume| Layered::of(desired, volume).has_key(plan)) {
        // What is closed now could not be opened again.
        return;
    }
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
        for volume in concerned.filter(|volume| attached(&volume.number)) {
            plan.steps.push(Step::Attach { volume: volume.number });
            if let Some(found) = found(observed, volume.number) {
                Layered::of(desired, volume).reopen(found, plan);
            }
        }
    }
}

/// Removes the volumes that shall go, after a check that none of them is in use.
pub(super) fn remove(desired: &DesiredResource, observed: &ObservedResource, plan: &mut Plan) {
    let whole = desired.order == Order::Remove;
    let mut going: Vec<(&DesiredVolume, &ObservedVolume)> = Vec::new();
    for volume in &desired.volumes {
        if !whole && volume.order != Order::Remove {
            continue;
        }
        match observed.volumes.get(&volume.number) {
            Some(Err(problem)) => {
                let subject = Subject::Volume(volume.number);
                plan.problems.push((subject, problem.clone()));
            }
            Some(Ok(found)) if !found.is_absent() => going.push((volume, found)),
            _ => {}
        }
    }
    let volumes: Vec<VolumeNumber> = going.iter().map(|(volume, _)| volume.number).collect();
    if !volumes.is_empty() {
        plan.steps.push(Step::AssertUnused { volumes });
    }
    for (volume, found) in going {
        let layered = Layered::of(desired, volume);
        detach(&layered, found, LayerAct::Drop, plan);
        if found.backing.is_some() {
            plan.steps.push(Step::RemoveBacking { volume: volume.number });
        }
        layered.remove_caches(found, plan);
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
