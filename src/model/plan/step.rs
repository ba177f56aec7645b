//! The steps that a plan is made of, and whom they concern.

use crate::model::desired::FileSystem;
use crate::model::moment::Uuid;
use crate::model::names::{RscName, SnapName, VolumeNumber};
use crate::model::report::{Problem, Refused};
use crate::model::size::Kib;
use crate::model::stack::{Layer, Leaf};

/// One thing to do. Each is done wholly or not at all, and doing it again does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Fail, naming the user, when any of these volumes is mounted or opened: nothing of them may be touched then.
    AssertUnused {
        /// The volumes that the next steps change or remove.
        volumes: Vec<VolumeNumber>,
    },
    /// Make an empty backing object.
    CreateBlank {
        /// The volume.
        volume: VolumeNumber,
        /// Its size.
        size: Kib,
    },
    /// Make a backing object with a snapshot's content; visible under its name only when complete.
    CreateFromSnapshot {
        /// The volume.
        volume: VolumeNumber,
        /// The resource that the snapshot is of.
        rsc: RscName,
        /// The snapshot.
        snapshot: SnapName,
        /// The volume's number in the snapshot.
        part: VolumeNumber,
        /// Size of the new volume, the snapshot's or larger.
        size: Kib,
    },
    /// Enlarge the backing object.
    Grow {
        /// The volume.
        volume: VolumeNumber,
        /// Its new size.
        size: Kib,
    },
    /// Cut the backing object.
    Shrink {
        /// The volume.
        volume: VolumeNumber,
        /// Its new size.
        size: Kib,
    },
    /// Make the device.
    Attach {
        /// The volume.
        volume: VolumeNumber,
    },
    /// Let the device take its backing object's size.
    RefreshSize {
        /// The volume.
        volume: VolumeNumber,
    },
    /// Remove the device; the data stays.
    Detach {
        /// The volume.
        volume: VolumeNumber,
    },
    /// Remove the backing object.
    RemoveBacking {
        /// The volume.
        volume: VolumeNumber,
    },
    /// Make a file system, where looking thoroughly finds none.
    MakeFileSystem {
        /// The volume.
        volume: VolumeNumber,
        /// The file system.
        file_system: FileSystem,
    },
    /// Take a snapshot of these volumes, as close together as can be.
    TakeSnapshot {
        /// Its name.
        snapshot: SnapName,
        /// The volumes in it.
        volumes: Vec<VolumeNumber>,
    },
    /// Remove the parts of a snapshot that are there.
    RemoveSnapshot {
        /// Its name.
        snapshot: SnapName,
        /// The volumes in it.
        volumes: Vec<VolumeNumber>,
    },
    /// Copy a snapshot's content beside the volume, under another name.
    StageRollback {
        /// The volume.
        volume: VolumeNumber,
        /// The snapshot.
        snapshot: SnapName,
        /// Size of the volume afterwards, the snapshot's or larger.
        size: Kib,
    },
    /// Detach all these volumes, or fail, naming the user: nobody can use one from then on, and nothing was put back yet.
    DetachForRollback {
        /// The order's identity.
        token: Uuid,
        /// The volumes that are put back.
        volumes: Vec<VolumeNumber>,
    },
    /// Detach the volume and put what was staged in its place.
    SwapRollback {
        /// The volume.
        volume: VolumeNumber,
    },
    /// Remember that the order was carried out, durably and in every pool of the resource.
    RecordRollback {
        /// The order's identity.
        token: Uuid,
        /// The volumes that were put back.
        volumes: Vec<VolumeNumber>,
    },
    /// Forget the resource's rollback, for the resource is gone.
    ForgetRollback,
    /// Something about a backing object beside the data's.
    Cache {
        /// The volume.
        volume: VolumeNumber,
        /// The backing object.
        leaf: Leaf,
        /// What.
        act: CacheAct,
    },
    /// Something about a layer.
    Layer {
        /// The volume.
        volume: VolumeNumber,
        /// The layer.
        layer: Layer,
        /// What.
        act: LayerAct,
    },
}

/// What is done to a backing object beside the data's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheAct {
    /// Make an empty one of this size.
    Create(Kib),
    /// Make its device.
    Attach,
    /// Remove its device.
    Detach,
    /// Remove it.
    Remove,
}

/// What is done to a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerAct {
    /// Make its header where there is none; never over anything.
    Format,
    /// Put the new passphrase into force, if it is not yet.
    ChangeKey,
    /// Make its device.
    Open,
    /// Let its device take the size of what it stands on.
    Resize,
    /// Let it work on: whoever suspended it is gone.
    Resume,
    /// Write back what it keeps, and remove its device. What is below is whole then, and its cache empty.
    Close,
    /// Remove its device; what it keeps is not needed any more.
    Drop,
    /// Forget what its cache holds, for the data below becomes another.
    Reset,
    /// Make its header unreadable for ever.
    WipeHeader,
}

/// Whom a step or a problem concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The resource as a whole.
    Resource,
    /// One volume.
    Volume(VolumeNumber),
    /// One snapshot.
    Snapshot(SnapName),
    /// A rollback, and with it every volume.
    Rollback,
}

impl Step {
    /// Whom the step concerns; several for a check of several volumes.
    #[must_use]
    pub fn subjects(&self) -> Vec<Subject> {
        match self {
            Self::AssertUnused { volumes } => volumes.iter().copied().map(Subject::Volume).collect(),
            Self::CreateBlank { volume, .. }
            | Self::CreateFromSnapshot { volume, .. }
            | Self::Grow { volume, .. }
            | Self::Shrink { volume, .. }
            | Self::Attach { volume }
            | Self::RefreshSize { volume }
            | Self::Detach { volume }
            | Self::RemoveBacking { volume }
            | Self::Cache { volume, .. }
            | Self::Layer { volume, .. }
            | Self::MakeFileSystem { volume, .. } => vec![Subject::Volume(*volume)],
            Self::TakeSnapshot { snapshot, .. } | Self::RemoveSnapshot { snapshot, .. } => {
                vec![Subject::Snapshot(snapshot.clone())]
            }
            Self::StageRollback { volume, .. } | Self::SwapRollback { volume } => {
                vec![Subject::Rollback, Subject::Volume(*volume)]
            }
            Self::DetachForRollback { volumes, .. } | Self::RecordRollback { volumes, .. } => {
                std::iter::once(Subject::Rollback).chain(volumes.iter().copied().map(Subject::Volume)).collect()
            }
            Self::ForgetRollback => vec![Subject::Resource],
        }
    }
}

/// What is to be done, and what cannot be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Plan {
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Why something of the desired state cannot be reached by any step.
    pub problems: Vec<(Subject, Problem)>,
    /// Orders that would lose data.
    pub refused: Vec<Refused>,
}

impl Plan {
    /// Whether there is neither a step nor a problem.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.problems.is_empty()
    }

    pub(super) fn refuse(&mut self, subject: Subject, texts: [String; 3]) {
        let [message, cause, correction] = texts;
        let problem = Problem { message, cause, correction, details: String::new() };
        self.problems.push((subject, problem));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nr(number: u32) -> VolumeNumber {
        VolumeNumber::new(number).expect("legal")
    }

    /// Whoever is not named here goes on when the step fails.
    #[test]
    fn a_failed_step_concerns_those_whom_it_was_for() {
        let snapshot = SnapName::parse("then").expect("legal");
        let rsc = RscName::parse("web").expect("legal");
        let file_system = FileSystem { kind: "ext4".to_owned(), mkfs_params: Vec::new(), user: None, group: None };
        let (size, token) = (Kib(1), Uuid(7));
        let (volume, both) = (nr(1), vec![nr(1), nr(2)]);
        let one = || vec![Subject::Volume(nr(1))];
        let volumes = || vec![Subject::Volume(nr(1)), Subject::Volume(nr(2))];
        let back = |volumes: Vec<Subject>| [vec![Subject::Rollback], volumes].concat();
        let whole = || vec![Subject::Snapshot(snapshot.clone())];
        let restore = Step::CreateFromSnapshot { volume, rsc, snapshot: snapshot.clone(), part: nr(2), size };
        let table = [
            (Step::AssertUnused { volumes: both.clone() }, volumes()),
            (Step::CreateBlank { volume, size }, one()),
            (restore, one()),
            (Step::Grow { volume, size }, one()),
            (Step::Shrink { volume, size }, one()),
            (Step::Attach { volume }, one()),
            (Step::RefreshSize { volume }, one()),
            (Step::Detach { volume }, one()),
            (Step::RemoveBacking { volume }, one()),
            (Step::MakeFileSystem { volume, file_system }, one()),
            (Step::TakeSnapshot { snapshot: snapshot.clone(), volumes: both.clone() }, whole()),
            (Step::RemoveSnapshot { snapshot: snapshot.clone(), volumes: both.clone() }, whole()),
            (Step::StageRollback { volume, snapshot: snapshot.clone(), size }, back(one())),
            (Step::DetachForRollback { token, volumes: both.clone() }, back(volumes())),
            (Step::SwapRollback { volume }, back(one())),
            (Step::RecordRollback { token, volumes: both }, back(volumes())),
            (Step::ForgetRollback, vec![Subject::Resource]),
        ];
        for (step, subjects) in table {
            assert_eq!(step.subjects(), subjects, "{step:?}");
        }
    }

    #[test]
    fn a_plan_that_does_nothing_and_lacks_nothing_is_empty() {
        let mut plan = Plan::default();
        assert!(plan.is_empty());
        plan.refuse(Subject::Resource, ["what", "why", "cure"].map(str::to_owned));
        assert!(!plan.is_empty());
        let step = Plan { steps: vec![Step::ForgetRollback], ..Plan::default() };
        assert!(!step.is_empty());
    }
}
