//! The part of a plan that concerns snapshots.

use super::observed::ObservedResource;
use super::step::{Plan, Step, Subject};
use crate::model::desired::{DesiredResource, DesiredSnapshot, Order};
use crate::model::kinds::LayerKind;
use crate::model::names::VolumeNumber;

/// Removes those that shall go; already gone is success.
pub(super) fn remove(desired: &DesiredResource, observed: &ObservedResource, plan: &mut Plan) {
    for snapshot in desired.snapshots.iter().filter(|s| s.order == Order::Remove) {
        let volumes = present(snapshot, observed, plan);
        if !volumes.is_empty() {
            plan.steps.push(Step::RemoveSnapshot { snapshot: snapshot.name.clone(), volumes });
        }
    }
}

/// Takes those that are not there. One that is there wholly is never taken again; one of which parts are missing was
/// never reported as taken, so all of it is taken anew, of one moment.
pub(super) fn take(desired: &DesiredResource, observed: &ObservedResource, plan: &mut Plan) {
    for snapshot in desired.snapshots.iter().filter(|s| s.order != Order::Remove) {
        let problems = plan.problems.len();
        let volumes = present(snapshot, observed, plan);
        if volumes.len() == snapshot.volumes.len() || plan.problems.len() > problems {
            continue;
        }
        match snapshot.order {
            Order::Keep => refuse_lost(desired, snapshot, plan),
            _ => take_one(desired, snapshot, observed, plan),
        }
    }
}

fn take_one(desired: &DesiredResource, snapshot: &DesiredSnapshot, observed: &ObservedResource, plan: &mut Plan) {
    let volumes: Vec<VolumeNumber> = snapshot.volumes.iter().map(|part| part.number).collect();
    let missing = volumes.iter().find(|number| {
        let found = observed.volumes.get(number).and_then(|found| found.as_ref().ok());
        found.is_none_or(|found| found.backing.is_none()) && !creates(plan, **number)
    });
    if let Some(number) = missing {
        let texts = [
            format!("Snapshot {} of {} cannot be taken", snapshot.name, desired.rsc),
            format!("volume {number} is not on this node"),
            "Bring the volume back, or take the snapshot on nodes that have it.".to_owned(),
        ];
        plan.refuse(Subject::Snapshot(snapshot.name.clone()), texts);
        return;
    }
    if desired.layers.contains(&LayerKind::Bcache) {
        let texts = [
            format!("Snapshot {} of {} cannot be taken", snapshot.name, desired.rsc),
            "bcache cannot be held still, and what it has not written back yet would be missing in it".to_owned(),
            "Take snapshots of volumes with the layer WRITECACHE or CACHE, or without a cache.".to_owned(),
        ];
        plan.refuse(Subject::Snapshot(snapshot.name.clone()), texts);
        return;
    }
    plan.steps.push(Step::TakeSnapshot { snapshot: snapshot.name.clone(), volumes });
}

fn refuse_lost(desired: &DesiredResource, snapshot: &DesiredSnapshot, plan: &mut Plan) {
    let texts = [
        format!("Snapshot {} of {} is missing", snapshot.name, desired.rsc),
        "it was in the storage pool and is not there any more, or not wholly".to_owned(),
        "Bring the pool's storage back, or delete the snapshot; it is never taken again at a later moment.".to_owned(),
    ];
    plan.refuse(Subject::Snapshot(snapshot.name.clone()), texts);
}

/// Volumes whose part is there; pools that cannot be asked are problems of the snapshot.
fn present(snapshot: &DesiredSnapshot, observed: &ObservedResource, plan: &mut Plan) -> Vec<VolumeNumber> {
    let Some(parts) = observed.snapshots.get(&snapshot.name) else {
        return Vec::new();
    };
    for problem in parts.values().filter_map(|part| part.as_ref().err()) {
        let subject = Subject::Snapshot(snapshot.name.clone());
        plan.problems.push((subject, problem.clone()));
    }
    parts
        .iter()
        .filter(|(_, part)| part.as_ref().is_ok_and(|part| part.size.is_some()))
        .map(|(number, _)| *number)
        .collect()
}

fn creates(plan: &Plan, number: VolumeNumber) -> bool {
    plan.steps.iter().any(|step| {
        matches!(step, Step::CreateBlank { volume, .. } | Step::CreateFromSnapshot { volume, .. } if *volume == number)
    })
}
