//! A cluster whose nodes carry out at once whatever they are told: to try whole lives of things in a test.

use super::headers::Headers;
use crate::model::change::Change;
use crate::model::cluster::Cluster;
use crate::model::command::Command;
use crate::model::decide::{decide, observe};
use crate::model::derive::desired_node;
use crate::model::desired::{DesiredResource, Order};
use crate::model::encryption::MasterKey;
use crate::model::kinds::LayerKind;
use crate::model::moment::{EpochMs, Moment};
use crate::model::names::NodeName;
use crate::model::news::news;
use crate::model::refusal::{Note, Refusal};
use crate::model::report::{Report, ResourceReport, SnapshotReport, VolumeReport, VolumeState};

/// Rounds of news and reports after which a cluster that is still busy is taken for one that never rests.
const ROUNDS: usize = 50;

pub(super) struct Puppet {
    pub cluster: Cluster,
    pub told: Vec<(NodeName, DesiredResource)>,
    /// Reports that nodes send at the next round; a test may hold some back.
    pub failing: Vec<String>,
    /// What LUKS keeps on the nodes' disks.
    pub headers: Headers,
    seed: u64,
}

impl Puppet {
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster, told: Vec::new(), failing: Vec::new(), headers: Headers::default(), seed: 1 }
    }

    fn moment(&mut self) -> Moment {
        self.seed += 1;
        Moment::repeatable(EpochMs(self.seed as i64), self.seed)
    }

    /// Decides and applies; nodes are told and do not answer yet.
    pub fn ask(&mut self, command: Command) -> Result<Vec<Note>, Refusal> {
        let moment = self.moment();
        let decision = decide(&self.cluster, &command, moment)?;
        self.take_in_with(decision.master_key, &decision.changes);
        Ok(decision.notes)
    }

    /// As [`Self::ask`], and nodes carry everything out.
    pub fn done(&mut self, command: Command) -> Vec<Note> {
        let notes = self.ask(command).unwrap_or_else(|refusal| panic!("refused: {:?}", refusal.note));
        self.settle();
        notes
    }

    fn take_in(&mut self, changes: &[Change]) {
        self.take_in_with(None, changes);
    }

    fn take_in_with(&mut self, key: Option<MasterKey>, changes: &[Change]) {
        let before = self.cluster.clone();
        self.cluster.master_key = key.or(before.master_key.clone());
        for change in changes {
            self.cluster.apply(change);
        }
        self.told.extend(news(&before, &self.cluster, changes).resources);
    }

    /// Nodes carry out what they were told, until nothing is new.
    pub fn settle(&mut self) {
        for _ in 0..ROUNDS {
            let told = std::mem::take(&mut self.told);
            if told.is_empty() {
                return;
            }
            for (node, desired) in told {
                let mut report = self.carry_out(&desired);
                if report.problem.is_none() {
                    self.headers.carry_out(&node, &desired, &mut report);
                }
                self.report(&node, report);
            }
        }
        panic!("the cluster does not come to rest");
    }

    pub fn report(&mut self, node: &NodeName, report: ResourceReport) {
        let moment = self.moment();
        let seen = observe(&self.cluster, node, &Report::Resource(report), moment);
        for sighting in seen.sightings {
            self.cluster.sight(sighting);
        }
        self.take_in(&seen.changes);
    }

    pub fn carry_out(&self, desired: &DesiredResource) -> ResourceReport {
        let fails = self.failing.iter().any(|name| name == desired.rsc.as_str());
        let problem = fails.then(|| crate::model::report::Problem {
            message: "no room".to_owned(),
            cause: "full".to_owned(),
            correction: "delete".to_owned(),
            details: String::new(),
        });
        let state = match (desired.diskless, desired.layers.contains(&LayerKind::Drbd)) {
            (true, _) => VolumeState::Diskless,
            (false, true) => VolumeState::UpToDate,
            (false, false) => VolumeState::Created,
        };
        let there = desired.volumes.iter().filter(|v| v.order != Order::Remove && !fails);
        let volumes = there.map(|volume| VolumeReport {
            number: volume.number,
            state,
            device_path: Some(format!("/dev/puppet/{}_{}", desired.rsc, volume.number)),
            backing_path: None,
            allocated: Some(volume.size),
            usable: Some(volume.size),
            luks: None,
        });
        let snapshots = desired.snapshots.iter().map(|snapshot| SnapshotReport {
            name: snapshot.name.clone(),
            present: snapshot.order != Order::Remove && !fails,
            taken: None,
            allocated: None,
            problem: problem.clone().filter(|_| snapshot.order == Order::Make),
            remark: None,
        });
        ResourceReport {
            rsc: desired.rsc.clone(),
            generation: desired.generation,
            gone: desired.order == Order::Remove && !fails,
            volumes: volumes.collect(),
            snapshots: snapshots.collect(),
            rolled_back: desired.rollback.as_ref().map(|order| order.token).filter(|_| !fails),
            in_use: Some(false),
            problem,
            refused: Vec::new(),
            seen: !fails,
        }
    }

    /// What every node would be told at a connect, told again: must change nothing.
    pub fn resync(&mut self) {
        let nodes: Vec<_> = self.cluster.nodes.values().cloned().collect();
        for node in nodes {
            let (_, resources) = desired_node(&self.cluster, &node);
            self.told.extend(resources.into_iter().map(|desired| (node.name.clone(), desired)));
        }
        self.settle();
    }
}
