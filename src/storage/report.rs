//! Turns what was observed, and what came of a plan, into the report of a pass.

use super::execute::Outcome;
use crate::model::desired::{DesiredResource, DesiredSnapshot, DesiredVolume, LuksKey, Order};
use crate::model::kinds::{LayerKind, ProviderKind};
use crate::model::moment::EpochMs;
use crate::model::plan::{ObservedResource, ObservedVolume, Subject};
use crate::model::report::{LuksState, Problem, ResourceReport, SnapshotReport, VolumeReport, VolumeState};
use crate::model::size::Kib;
use crate::model::stack::Stack;

/// The report. On a simulated node layers above the storage are taken as working.
pub(super) fn report(
    desired: &DesiredResource,
    observed: &ObservedResource,
    mut outcome: Outcome,
    simulated: bool,
) -> ResourceReport {
    outcome.problems.extend(unseen(observed));
    let drbd = simulated && desired.layers.contains(&LayerKind::Drbd);
    let volumes = desired
        .volumes
        .iter()
        .filter_map(|volume| one(desired, volume, observed, &outcome))
        .map(|(volume, report)| if drbd { replicated(volume, report) } else { report })
        .collect();
    let snapshots = desired.snapshots.iter().map(|s| snapshot(s, observed, &outcome)).collect();
    let token = desired.rollback.as_ref().map(|order| order.token);
    ResourceReport {
        rsc: desired.rsc.clone(),
        generation: desired.generation,
        gone: desired.order == Order::Remove && is_gone(desired, observed),
        volumes,
        snapshots,
        rolled_back: token.filter(|token| observed.rolled_back == Some(*token)),
        // A look that is sure would keep others from mounting it; only a refusal knows.
        in_use: outcome.in_use.then_some(true),
        refused: outcome.refused,
        seen: is_seen(desired, observed),
        problem: join(outcome.problems),
    }
}

/// What the last look could not see: it is neither there nor gone, and the pass has to be done again. One that stood in
/// the way of the plan is told once.
fn unseen(observed: &ObservedResource) -> Vec<(Subject, Problem)> {
    let volumes = observed.volumes.iter().filter_map(|(number, found)| {
        let problem = found.as_ref().err()?;
        Some((Subject::Volume(*number), problem.clone()))
    });
    let parts = observed.snapshots.iter().flat_map(|(name, parts)| {
        let problems = parts.values().filter_map(|part| part.as_ref().err());
        problems.map(|problem| (Subject::Snapshot(name.clone()), problem.clone()))
    });
    let rollback = observed.rollback_unknown.iter().map(|problem| (Subject::Rollback, problem.clone()));
    volumes.chain(parts).chain(rollback).collect()
}

/// Whether the last look saw every volume. A replica without a disk has none to look at.
fn is_seen(desired: &DesiredResource, observed: &ObservedResource) -> bool {
    let mut looked = desired.volumes.iter().filter_map(|volume| observed.volumes.get(&volume.number));
    looked.all(Result::is_ok)
}

fn is_gone(desired: &DesiredResource, observed: &ObservedResource) -> bool {
    desired.volumes.iter().all(|volume| {
        let found = observed.volumes.get(&volume.number);
        found.is_none_or(|found| found.as_ref().is_ok_and(ObservedVolume::is_absent))
    })
}

fn one<'a>(
    desired: &DesiredResource,
    volume: &'a DesiredVolume,
    observed: &ObservedResource,
    outcome: &Outcome,
) -> Option<(&'a DesiredVolume, VolumeReport)> {
    let removed = desired.order == Order::Remove || volume.order == Order::Remove;
    let found = observed.volumes.get(&volume.number).and_then(|found| found.as_ref().ok());
    let there = found.is_some_and(|found| !found.is_absent());
    if removed && !there {
        return None;
    }
    let device = found.and_then(|found| found.top(&Stack::of(&desired.layers)));
    let backing = found.and_then(|found| found.device.as_ref());
    let unusable = outcome.unformatted.contains(&volume.number) || outcome.failed(&Subject::Resource);
    let state = match found {
        _ if desired.diskless && !there => VolumeState::Diskless,
        _ if unusable => VolumeState::Failed,
        Some(found) if !found.has_device => VolumeState::Diskless,
        Some(found) if found.backing.is_none() => VolumeState::Failed,
        Some(_) if device.is_some() => VolumeState::Created,
        Some(_) if !desired.active => VolumeState::Attachable,
        _ => VolumeState::Failed,
    };
    let report = VolumeReport {
        number: volume.number,
        state,
        device_path: device.map(|device| device.path.clone()),
        backing_path: backing.map(|device| device.path.clone()),
        allocated: found.and_then(|found| found.allocated),
        usable: device.map(|device| device.size),
        luks: luks_state(volume, device.is_some(), outcome).filter(|_| desired.layers.contains(&LayerKind::Luks)),
    };
    Some((volume, report))
}

/// What is known of a volume's key after the pass.
fn luks_state(volume: &DesiredVolume, open: bool, outcome: &Outcome) -> Option<LuksState> {
    let Some(LuksKey::Known { previous, .. }) = &volume.luks else { return Some(LuksState::Waiting) };
    if outcome.wrong_key.contains(&volume.number) {
        return Some(LuksState::WrongKey);
    }
    let tried = match previous {
        Some(_) => outcome.keyed.contains(&volume.number) && !outcome.failed(&Subject::Volume(volume.number)),
        None => open,
    };
    tried.then_some(LuksState::InForce)
}

/// What DRBD on a simulated node would make of it.
fn replicated(volume: &DesiredVolume, mut report: VolumeReport) -> VolumeReport {
    let diskless = report.state == VolumeState::Diskless || volume.provider == ProviderKind::Diskless;
    if report.state == VolumeState::Created {
        report.state = VolumeState::UpToDate;
    }
    if diskless || report.state == VolumeState::UpToDate {
        report.device_path = volume.minor.map(|minor| format!("/dev/drbd{minor}"));
        report.usable = Some(volume.size);
    }
    report
}

fn snapshot(desired: &DesiredSnapshot, observed: &ObservedResource, outcome: &Outcome) -> SnapshotReport {
    let parts: Vec<_> = observed
        .snapshots
        .get(&desired.name)
        .into_iter()
        .flat_map(|parts| parts.values().flatten())
        .filter(|part| part.size.is_some())
        .collect();
    let subject = Subject::Snapshot(desired.name.clone());
    let own = outcome.problems.iter().filter(|(failed, _)| *failed == subject).cloned().collect();
    SnapshotReport {
        name: desired.name.clone(),
        present: !parts.is_empty() && parts.len() == desired.volumes.len(),
        taken: parts.iter().filter_map(|part| part.taken_ms).min().map(EpochMs),
        allocated: parts.iter().filter_map(|part| part.allocated).reduce(|sum, next| Kib(sum.0.saturating_add(next.0))),
        problem: join(own)
            .or_else(|| join(outcome.problems.iter().filter(|(s, _)| *s == Subject::Resource).cloned().collect())),
        remark: outcome.remarks.get(&desired.name).cloned(),
    }
}

/// The first problem, with the others in its details; the same one is said once.
fn join(problems: Vec<(Subject, Problem)>) -> Option<Problem> {
    let mut distinct: Vec<Problem> = Vec::new();
    for (_, problem) in problems {
        if !distinct.contains(&problem) {
            distinct.push(problem);
        }
    }
    let mut distinct = distinct.into_iter();
    let mut first = distinct.next()?;
    for other in distinct {
        let line = format!("\nalso: {other}. {} {}", other.correction, other.details);
        first.details.push_str(line.trim_end());
    }
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_last_look_could_not_see_is_a_problem() {
        let broken = Problem {
            message: "The storage pool cannot be read".to_owned(),
            cause: "Input/output error".to_owned(),
            correction: "Mend it.".to_owned(),
            details: String::new(),
        };
        let number = crate::model::names::VolumeNumber::new(0).expect("legal");
        let name = crate::model::names::SnapName::parse("one").expect("legal");
        let mut observed = ObservedResource::default();
        observed.volumes.insert(number, Err(broken.clone()));
        observed.snapshots.insert(name.clone(), [(number, Err(broken.clone()))].into());
        observed.rollback_unknown = Some(broken.clone());
        let told = unseen(&observed);
        let subjects = [Subject::Volume(number), Subject::Snapshot(name), Subject::Rollback];
        assert_eq!(told, subjects.map(|subject| (subject, broken.clone())));
        assert!(unseen(&ObservedResource::default()).is_empty());
    }

    #[test]
    fn a_volume_that_could_not_be_looked_at_is_not_taken_for_gone() {
        let number = crate::model::names::VolumeNumber::new(0).expect("legal");
        let desired = DesiredResource {
            rsc: crate::model::names::RscName::parse("web").expect("legal"),
            generation: 1,
            order: Order::Keep,
            active: false,
            layers: vec![LayerKind::Storage],
            diskless: false,
            volumes: vec![DesiredVolume {
                number,
                pool: crate::model::names::PoolName::parse("data").expect("legal"),
                provider: ProviderKind::FileThin,
                size: Kib(1024),
                order: Order::Keep,
                made: true,
                origin: crate::model::desired::Origin::Blank,
                file_system: None,
                shrink: false,
                minor: None,
                override_id: None,
                luks: None,
                options: Default::default(),
            }],
            snapshots: Vec::new(),
            rollback: None,
            props: Default::default(),
        };
        let [message, cause, correction, details] =
            ["it cannot be read", "I/O error", "Mend it.", ""].map(str::to_owned);
        let broken = Problem { message, cause, correction, details };
        for (found, seen) in [(Ok(ObservedVolume::default()), true), (Err(broken), false)] {
            let mut observed = ObservedResource::default();
            observed.volumes.insert(number, found);
            assert_eq!(report(&desired, &observed, Outcome::default(), true).seen, seen);
        }
    }

    #[test]
    fn problems_are_joined_and_said_once() {
        let make = |cause: &str| Problem {
            message: "It failed".to_owned(),
            cause: cause.to_owned(),
            correction: "Mend it.".to_owned(),
            details: String::new(),
        };
        let all = ["a", "b", "a"].map(|cause| (Subject::Resource, make(cause)));
        let joined = join(all.to_vec()).expect("some");
        assert_eq!(joined.cause, "a");
        assert_eq!(joined.details, "\nalso: It failed: b. Mend it.");
        assert_eq!(join(Vec::new()), None);
    }
}
