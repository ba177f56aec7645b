//! LUKS headers on the disks of a puppet's nodes: which passphrase is in force, and what is open. A node that is told
//! passphrases of which none fits is the failure that all rules of keys are there to prevent: it panics.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::desired::{DesiredResource, DesiredVolume, LuksKey, Order, Origin};
use crate::model::names::{NodeName, RscName, SnapName, VolumeNumber};
use crate::model::report::{LuksState, Problem, ResourceReport, VolumeState};

type Disk = (NodeName, RscName, VolumeNumber);

/// See the module.
#[derive(Default)]
pub struct Headers {
    /// The passphrase in force.
    pub volumes: BTreeMap<Disk, String>,
    snapshots: BTreeMap<(Disk, SnapName), String>,
    /// What is open.
    pub open: BTreeSet<Disk>,
    tokens: BTreeSet<String>,
}

impl Headers {
    /// Does to the headers what a node does, and says in the report what came of it.
    pub fn carry_out(&mut self, node: &NodeName, desired: &DesiredResource, report: &mut ResourceReport) {
        self.roll_back(node, desired);
        for volume in desired.volumes.iter().filter(|volume| volume.luks.is_some()) {
            let disk = (node.clone(), desired.rsc.clone(), volume.number);
            if volume.order == Order::Remove {
                self.volumes.remove(&disk);
                self.open.remove(&disk);
                continue;
            }
            let state = self.open(&disk, volume);
            let is_open = self.open.contains(&disk);
            for found in report.volumes.iter_mut().filter(|found| found.number == volume.number) {
                found.luks = Some(state);
                if !is_open {
                    (found.state, found.device_path) = (VolumeState::Failed, None);
                }
            }
            if !is_open {
                report.problem = Some(locked());
            }
        }
        self.snap(node, desired);
    }

    fn open(&mut self, disk: &Disk, volume: &DesiredVolume) -> LuksState {
        let Some(LuksKey::Known { passphrase, previous }) = &volume.luks else {
            return LuksState::Waiting;
        };
        if !self.volumes.contains_key(disk) {
            assert_ne!(volume.order, Order::Keep, "{disk:?} is lost");
            let header = match &volume.origin {
                Origin::Blank => passphrase.expose().to_owned(),
                Origin::Snapshot { rsc, snapshot, volume } => {
                    let of = ((disk.0.clone(), rsc.clone(), *volume), snapshot.clone());
                    self.snapshots[&of].clone()
                }
            };
            self.volumes.insert(disk.clone(), header);
        }
        let header = self.volumes.get_mut(disk).expect("made above");
        let fits = [Some(passphrase), previous.as_ref()];
        assert!(fits.iter().flatten().any(|known| known.expose() == header), "no passphrase fits {disk:?}");
        passphrase.expose().clone_into(header);
        self.open.insert(disk.clone());
        LuksState::InForce
    }

    fn roll_back(&mut self, node: &NodeName, desired: &DesiredResource) {
        let Some(order) = desired.rollback.as_ref().filter(|order| self.tokens.insert(format!("{node}{order:?}")))
        else {
            return;
        };
        for volume in &desired.volumes {
            let disk = (node.clone(), desired.rsc.clone(), volume.number);
            if let Some(header) = self.snapshots.get(&(disk.clone(), order.snapshot.clone())) {
                self.volumes.insert(disk, header.clone());
            }
        }
    }

    fn snap(&mut self, node: &NodeName, desired: &DesiredResource) {
        for snapshot in desired.snapshots.iter().filter(|snapshot| snapshot.order == Order::Make) {
            for source in &snapshot.volumes {
                let disk = (node.clone(), desired.rsc.clone(), source.number);
                if let Some(header) = self.volumes.get(&disk).cloned() {
                    self.snapshots.entry((disk, snapshot.name.clone())).or_insert(header);
                }
            }
        }
    }
}

fn locked() -> Problem {
    Problem {
        message: "The volume cannot be opened".to_owned(),
        cause: "nobody entered the master passphrase".to_owned(),
        correction: "Enter it".to_owned(),
        details: String::new(),
    }
}
