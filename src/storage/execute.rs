//! Carries the steps of a plan out, in order. What fails stops the later steps of the same subject, and of nobody else.

use std::collections::{BTreeMap, BTreeSet};

use super::driver::{Owner, PartId};
use super::exec::{Breaker, Exec};
use super::layers::{self, Runner};
use super::mkfs;
use super::stack::{Held, VolumeStack};
use super::targets::{Target, Targets};
use super::usage;
use crate::model::desired::{DesiredResource, FileSystem};
use crate::model::names::{PoolName, RscName, SnapName, VolumeNumber};
use crate::model::plan::{BackingId, Cut, LayerAct, Plan, Step, Subject};
use crate::model::report::{Problem, Refused};
use crate::model::size::Kib;

/// What steps are carried out with.
pub(super) struct Execution<'a> {
    pub(super) desired: &'a DesiredResource,
    pub(super) targets: &'a Targets,
    /// Runs mkfs; `None` on a simulated node, where the driver makes file systems.
    pub(super) exec: Option<&'a Exec>,
    pub(super) breaker: &'a Breaker,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Problems in the order in which they came.
    pub(super) problems: Vec<(Subject, Problem)>,
    /// What snapshots cost.
    pub(super) remarks: BTreeMap<SnapName, String>,
    /// Volumes that are known to have a file system now.
    pub(super) formatted: BTreeSet<VolumeNumber>,
    /// Volumes that a file system could not be made on.
    pub(super) unformatted: BTreeSet<VolumeNumber>,
    /// Encrypted volumes whose passphrase was found to be in force, or put into force.
    pub(super) keyed: BTreeSet<VolumeNumber>,
    /// Those that no passphrase opens.
    pub(super) wrong_key: BTreeSet<VolumeNumber>,
    /// A device was in use.
    pub(super) in_use: bool,
    /// Orders that were not begun.
    pub(super) refused: Vec<Refused>,
}

impl Outcome {
    /// Whether something of this subject failed.
    pub(super) fn failed(&self, subject: &Subject) -> bool {
        self.problems.iter().any(|(failed, _)| failed == subject)
    }

    /// Takes in that a step failed; `rest` are the plan's steps from it on.
    fn fail(&mut self, step: &Step, rest: &[Step], mut problem: Problem) {
        self.in_use |= match step {
            Step::AssertUnused { .. } | Step::Detach { .. } | Step::DetachForRollback { .. } => true,
            Step::Layer { act: LayerAct::Close | LayerAct::Drop, .. } => usage::is_in_use(&problem),
            _ => false,
        };
        let refused = not_begun(step, rest);
        if !refused.is_empty() {
            self.in_use |= usage::is_not_kept(&mut problem);
        }
        self.refused.extend(refused);
        self.problems.extend(step.subjects().into_iter().map(|subject| (subject, problem.clone())));
    }

    /// Volumes are not touched any more after a failed rollback: nothing half rolled back is attached.
    fn skips(&self, subjects: &[Subject]) -> bool {
        let halted = self.failed(&Subject::Rollback);
        subjects.iter().any(|subject| self.failed(subject) || (halted && matches!(subject, Subject::Volume(_))))
    }
}

impl Execution<'_> {
    /// Carries at most `steps` steps out.
    pub(super) fn run(&self, plan: &Plan, steps: usize) -> Outcome {
        // Volumes that cannot be made or asked have no steps; a refused rollback stops nothing.
        let mut outcome = Outcome::default();
        for (at, step) in plan.steps.iter().enumerate().take(steps) {
            let subjects = step.subjects();
            if outcome.skips(&subjects) {
                continue;
            }
            tracing::debug!(rsc = %self.desired.rsc, ?step, "step");
            if let Err(problem) = self.step(step, &mut outcome) {
                tracing::warn!(rsc = %self.desired.rsc, ?step, %problem, "a step failed");
                outcome.fail(step, &plan.steps[at..], problem);
            }
        }
        outcome.problems.extend(plan.problems.iter().cloned());
        outcome.refused.extend(&plan.refused);
        outcome
    }

    fn step(&self, step: &Step, outcome: &mut Outcome) -> Result<(), Problem> {
        match step {
            Step::AssertUnused { volumes } => {
                volumes.iter().try_for_each(|volume| self.stack(*volume)?.assert_unused())
            }
            Step::CreateBlank { volume, size } => {
                self.on(*volume, |t| t.driver.create(&t.id, *size, Owner::of(self.desired)))
            }
            Step::CreateFromSnapshot { volume, rsc, snapshot, part, size } => {
                let of = origin(rsc, *part)?;
                let part = PartId { of: &of, snapshot };
                self.on(*volume, |t| t.driver.create_from(&t.id, part, *size, Owner::of(self.desired)))
            }
            Step::Grow { volume, size } => self.on(*volume, |t| t.driver.resize(&t.id, *size)),
            Step::Shrink { volume, size } => self.shrink(*volume, *size),
            Step::Attach { volume } => self.on(*volume, |t| t.driver.attach(&t.id)),
            Step::RefreshSize { volume } => self.on(*volume, |t| t.driver.refresh_size(&t.id)),
            Step::Detach { volume } => self.on(*volume, |t| t.driver.detach(&t.id)),
            Step::RemoveBacking { volume } => self.on(*volume, |t| t.driver.remove(&t.id)),
            Step::MakeFileSystem { volume, file_system } => {
                let made = self.make_file_system(*volume, file_system);
                let list = match made {
                    Ok(()) => &mut outcome.formatted,
                    Err(_) => &mut outcome.unformatted,
                };
                list.insert(*volume);
                made
            }
            Step::TakeSnapshot { snapshot, volumes } => {
                let remark = self.take_snapshot(snapshot, volumes)?;
                outcome.remarks.extend(remark.map(|text| (snapshot.clone(), text)));
                Ok(())
            }
            Step::RemoveSnapshot { snapshot, volumes } => volumes.iter().try_for_each(|volume| {
                let target = self.targets.part(snapshot, *volume)?;
                target.driver.remove_part(PartId { of: &target.id, snapshot })
            }),
            Step::StageRollback { volume, snapshot, size } => {
                let owner = Owner::of(self.desired);
                self.on(*volume, |t| t.driver.stage_rollback(PartId { of: &t.id, snapshot }, *size, owner))
            }
            Step::DetachForRollback { volumes, .. } => {
                volumes.iter().try_for_each(|volume| self.stack(*volume)?.take_down(self.runner()))
            }
            Step::SwapRollback { volume } => self.on(*volume, |t| t.driver.swap_rollback(&t.id)),
            Step::RecordRollback { token, .. } => self.record(Some(*token)),
            Step::ForgetRollback => self.record(None),
            Step::Cache { volume, leaf, act } => self.stack(*volume)?.act_on_cache(*leaf, *act),
            Step::Layer { volume, layer, act } => {
                let done = self.stack(*volume)?.act(*layer, *act, self.runner());
                match (act, &done) {
                    (LayerAct::ChangeKey, Ok(())) => _ = outcome.keyed.insert(*volume),
                    (_, Err(problem)) if layers::is_wrong_key(problem) => _ = outcome.wrong_key.insert(*volume),
                    _ => {}
                }
                done
            }
        }
    }

    fn stack(&self, volume: VolumeNumber) -> Result<VolumeStack<'_>, Problem> {
        self.targets.stack(self.desired, volume)
    }

    fn runner(&self) -> Option<Runner<'_>> {
        self.exec.map(|exec| Runner { exec, breaker: self.breaker })
    }

    fn on(&self, volume: VolumeNumber, act: impl FnOnce(&Target) -> Result<(), Problem>) -> Result<(), Problem> {
        act(self.targets.volume(volume)?)
    }

    /// Looks once more: somebody may have written since the plan was made.
    fn shrink(&self, number: VolumeNumber, size: Kib) -> Result<(), Problem> {
        let target = self.targets.volume(number)?;
        if !target.stack.is_plain() {
            // Its layers are closed, and were looked through before: nobody has written since.
            return target.driver.resize(&target.id, size);
        }
        let device = target.driver.observe(&target.id)?.device;
        let cut = Cut { rsc: &self.desired.rsc, number, size, device: device.as_ref().map(|d| d.path.as_str()) };
        match cut.refusal(&target.driver.extent(&target.id)?) {
            Some(problem) => Err(problem),
            None => target.driver.resize(&target.id, size),
        }
    }

    fn record(&self, token: Option<crate::model::moment::Uuid>) -> Result<(), Problem> {
        let mut pools = self.targets.pools().into_iter();
        pools.try_for_each(|target| target.driver.record_rollback(&self.desired.rsc, token))
    }

    /// All volumes of one pool at once.
    fn take_snapshot(&self, snapshot: &SnapName, volumes: &[VolumeNumber]) -> Result<Option<String>, Problem> {
        let mut by_pool: BTreeMap<&PoolName, (&Target, Vec<BackingId>)> = BTreeMap::new();
        for volume in volumes {
            let target = self.targets.part(snapshot, *volume)?;
            let entry = by_pool.entry(&target.pool).or_insert((target, Vec::new()));
            entry.1.push(target.id.clone());
        }
        let _held = self.hold(volumes)?;
        let mut remarks = Vec::new();
        for (target, ids) in by_pool.values() {
            remarks.extend(target.driver.take_snapshot(ids, snapshot)?);
        }
        Ok((!remarks.is_empty()).then(|| remarks.join("\n")))
    }

    /// Holds the layers of volumes still, where they have some.
    fn hold(&self, volumes: &[VolumeNumber]) -> Result<Option<Held<'_>>, Problem> {
        let Some(runner) = self.runner() else { return Ok(None) };
        // A snapshot may be of a volume that the resource has not any more.
        let stacks: Vec<VolumeStack<'_>> = volumes.iter().filter_map(|volume| self.stack(*volume).ok()).collect();
        Held::hold(&stacks, runner).map(Some)
    }

    fn make_file_system(&self, volume: VolumeNumber, file_system: &FileSystem) -> Result<(), Problem> {
        let target = self.targets.volume(volume)?;
        let Some(device) = self.stack(volume)?.top()? else {
            return Ok(());
        };
        match self.exec {
            Some(exec) => mkfs::make(file_system, &device.path, exec, self.breaker),
            None => target.driver.format(&target.id, file_system),
        }
    }
}

/// Orders that take data away and are not begun because of a step that failed. A shrink that failed has cut nothing that
/// anybody wrote.
fn not_begun(failed: &Step, rest: &[Step]) -> Vec<Refused> {
    let checked = match failed {
        Step::Shrink { volume, .. } => return vec![Refused::Shrink(*volume)],
        Step::DetachForRollback { token, .. } => return vec![Refused::Rollback(*token)],
        Step::AssertUnused { volumes } => volumes,
        _ => return Vec::new(),
    };
    let order = |step: &Step| match step {
        Step::Shrink { volume, .. } if checked.contains(volume) => Some(Refused::Shrink(*volume)),
        Step::RecordRollback { token, volumes } if volumes.iter().any(|volume| checked.contains(volume)) => {
            Some(Refused::Rollback(*token))
        }
        _ => None,
    };
    rest.iter().filter_map(order).collect()
}

fn origin(rsc: &RscName, part: VolumeNumber) -> Result<BackingId, Problem> {
    BackingId::of(rsc, part, None).map_err(|error| {
        super::problem::problem("The snapshot cannot be found", error.to_string(), "Report this error.")
    })
}
