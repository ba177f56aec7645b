//! What follows from a report: volatile facts for the view, and changes to persist. Facts drive every multi-step
//! operation onward, so that it goes on after any crash.

use std::sync::Arc;

use super::clone::{clone_failed, clone_progress, start_clones_of};
use super::draft::Draft;
use crate::model::change::Change;
use crate::model::cluster::Cluster;
use crate::model::definition::{Resource, ResourceDefinition};
use crate::model::desired::{Origin, same_incarnation};
use crate::model::kinds::{
    DefinitionFlags, ResourceFlags, SnapshotFlags, SnapshotNodeFlags, VolumeDefinitionFlags, VolumeFlags,
};
use crate::model::moment::Moment;
use crate::model::names::{NodeName, RscName, VolumeNumber};
use crate::model::observed::{PoolStatus, ResourceStatus, Sighting};
use crate::model::report::{Report, ResourceReport, SnapshotReport, VolumeReport, VolumeState};
use crate::model::size::Kib;
use crate::model::snapshot::{Snapshot, SnapshotKey};

/// What a report comes to.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Observation {
    /// Volatile facts.
    pub sightings: Vec<Sighting>,
    /// Facts to persist.
    pub changes: Vec<Change>,
}

/// Draws the conclusions from a node's report. Stale, foreign and repeated reports come to nothing.
pub fn observe(cluster: &Cluster, node: &NodeName, report: &Report, moment: Moment) -> Observation {
    match report {
        Report::Pool(report) => {
            let status = PoolStatus {
                capacity: report.capacity.clone(),
                supports_snapshots: report.supports_snapshots,
                granularity: report.granularity,
                warning: report.warning.clone(),
            };
            let sighting = Sighting::Pool(node.clone(), report.pool.clone(), status);
            Observation { sightings: vec![sighting], changes: Vec::new() }
        }
        Report::Resource(report) => observe_resource(cluster, node, report, moment),
    }
}

fn observe_resource(cluster: &Cluster, node: &NodeName, report: &ResourceReport, moment: Moment) -> Observation {
    let Some(definition) = cluster.definitions.get(&report.rsc) else {
        return Observation::default();
    };
    if !same_incarnation(definition.generation, report.generation) || report.generation > definition.generation {
        return Observation::default();
    }
    let known = cluster.resource_status_of(&report.rsc, node);
    if known.is_some_and(|known| known.generation > report.generation) {
        return Observation::default();
    }
    let status = ResourceStatus {
        generation: report.generation,
        volumes: report.volumes.clone(),
        in_use: report.in_use,
        problem: report.problem.clone().or_else(|| snapshot_problem(report)),
        taken_back: !report.refused.is_empty(),
    };
    let sighting = Sighting::Resource(report.rsc.clone(), node.clone(), Some(status));
    let mut draft = Draft::new(cluster, moment);
    draft.cluster.sight(sighting.clone());
    let found = Found { node, report };
    found.snapshots(&mut draft);
    super::taken_back::take_back(&mut draft, node, report);
    found.resource(&mut draft);
    found.definition(&mut draft);
    Observation { sightings: vec![sighting], changes: draft.finish().changes }
}

/// Why a snapshot that was asked for is not there.
fn snapshot_problem(report: &ResourceReport) -> Option<crate::model::report::Problem> {
    report.snapshots.iter().find_map(|snapshot| snapshot.problem.clone())
}

/// A report and where it came from.
struct Found<'a> {
    node: &'a NodeName,
    report: &'a ResourceReport,
}

impl Found<'_> {
    /// What the report says of the resource on its node.
    fn resource(&self, draft: &mut Draft) {
        let Some(old) = draft.cluster.definitions.get(&self.report.rsc).cloned() else {
            return;
        };
        let Some(resource) = old.resources.get(self.node) else {
            return;
        };
        let mut new = resource.clone();
        if self.report.gone && new.is_deleting() && self.report.generation >= new.ordered {
            let mut definition = ResourceDefinition::clone(&old);
            definition.resources.remove(self.node);
            put_or_drop(draft, definition);
            return;
        }
        self.mark_made(&mut new);
        self.settle(&mut new);
        if new != *resource {
            let mut definition = ResourceDefinition::clone(&old);
            definition.resources.insert(self.node.clone(), new);
            draft.put_definition(definition);
        }
    }

    fn volume(&self, number: VolumeNumber) -> Option<&VolumeReport> {
        self.report.volumes.iter().find(|volume| volume.number == number)
    }

    /// A replica that was without a disk when its node reported has not got one by that.
    fn mark_made(&self, resource: &mut Resource) {
        let has_disk = resource.is_diskful();
        let usable = |found: &VolumeReport| match found.state {
            VolumeState::Failed | VolumeState::Cloning => false,
            VolumeState::Diskless => !has_disk,
            VolumeState::Created | VolumeState::UpToDate | VolumeState::Attachable => {
                has_disk && self.report.generation >= resource.ordered
            }
        };
        for (number, volume) in resource.volumes.iter_mut().filter(|(_, volume)| !volume.made) {
            if self.volume(*number).is_some_and(usable) {
                volume.made = true;
                volume.origin = Origin::Blank;
            }
        }
    }

    /// Ends what the report shows as carried out.
    fn settle(&self, resource: &mut Resource) {
        if self.report.rolled_back.is_some()
            && resource.rollback.as_ref().map(|order| order.token) == self.report.rolled_back
        {
            resource.rollback = None;
        }
        if self.report.generation < resource.ordered {
            return;
        }
        super::volume_key::forget_previous(resource, |number| self.volume(number)?.luks);
        // What is carried out is over, though something else of the resource cannot be as it is wanted.
        let well = self.report.problem.is_none();
        if !(well || self.report.seen) {
            return;
        }
        let detached = || self.report.volumes.iter().all(|volume| volume.backing_path.is_none());
        if resource.flags.has(ResourceFlags::INACTIVATING) && (well || detached()) {
            resource.flags = resource.flags.without(ResourceFlags::INACTIVATING).with(ResourceFlags::INACTIVE);
        }
        if resource.flags.has(ResourceFlags::DISK_REMOVING) && (well || self.report.volumes.is_empty()) {
            let removing = ResourceFlags::DISK_REMOVING.with(ResourceFlags::DISK_REMOVE_REQUESTED);
            resource.flags = resource.flags.without(removing).with(ResourceFlags::DRBD_DISKLESS);
            super::resource::to_diskless_pool(resource);
        }
        let gone = |number: &VolumeNumber, flags: VolumeFlags| {
            flags.has(VolumeFlags::DELETE) && self.volume(*number).is_none()
        };
        resource.volumes.retain(|number, volume| !gone(number, volume.flags));
    }

    /// What follows for the definition as a whole.
    fn definition(&self, draft: &mut Draft) {
        let Some(old) = draft.cluster.definitions.get(&self.report.rsc).cloned() else {
            return;
        };
        let mut new = ResourceDefinition::clone(&old);
        settle_volumes(draft, &mut new);
        if new != *old {
            draft.put_definition(new);
        }
        if old.flags.has(DefinitionFlags::CLONING) {
            match &self.report.problem {
                Some(_) if old.resources.get(self.node).is_some_and(not_made) => {
                    clone_failed(draft, &old.name);
                }
                // A node that reports was told of a replica: the last one of them was deleted.
                _ if old.resources.is_empty() => clone_failed(draft, &old.name),
                _ => clone_progress(draft, &old.name),
            }
        }
        super::evacuation::evacuation_progress(draft, &self.report.rsc);
    }

    fn snapshots(&self, draft: &mut Draft) {
        for found in &self.report.snapshots {
            let key = SnapshotKey { rsc: self.report.rsc.clone(), name: found.name.clone() };
            if let Some(snapshot) = draft.cluster.snapshots.get(&key).cloned() {
                self.snapshot(draft, &snapshot, found);
            }
        }
    }

    fn snapshot(&self, draft: &mut Draft, old: &Arc<Snapshot>, found: &SnapshotReport) {
        let mut new = Snapshot::clone(old);
        let Some(part) = new.nodes.get_mut(self.node) else {
            return;
        };
        let failed =
            SnapshotFlags(SnapshotFlags::FAILED_DEPLOYMENT.0 | SnapshotFlags::FAILED_DISCONNECT.0).0 & new.flags.0 != 0;
        let deleting = new.flags.has(SnapshotFlags::DELETE) || part.flags.has(SnapshotNodeFlags::DELETE);
        match (found.present, part.taken) {
            (true, false) if !deleting && !failed => {
                part.taken = true;
                part.created = found.taken.unwrap_or(part.created);
                part.remark.clone_from(&found.remark);
            }
            (false, _) if deleting && found.problem.is_none() && self.report.generation >= old.ordered => {
                new.nodes.remove(self.node);
            }
            (false, false) if found.problem.is_some() && !failed && !deleting => {
                new.flags = new.flags.with(SnapshotFlags::FAILED_DEPLOYMENT);
            }
            _ => {}
        }
        put_snapshot(draft, old, new);
    }
}

/// Puts a snapshot's new state, and draws the conclusions: it may be complete, failed, or gone with its last part.
pub(super) fn put_snapshot(draft: &mut Draft, old: &Snapshot, mut new: Snapshot) {
    let key = new.key.clone();
    if new.nodes.is_empty() {
        draft.drop_snapshot(&key);
        super::clone::fail_clones_of(draft, &key);
        finish_deleting(draft, &key.rsc);
        return;
    }
    let over = SnapshotFlags::DELETE.with(SnapshotFlags::FAILED_DEPLOYMENT).with(SnapshotFlags::FAILED_DISCONNECT);
    let going = new.nodes.values().any(|part| part.flags.has(SnapshotNodeFlags::DELETE));
    if new.flags.0 & over.0 == 0 && !going && new.nodes.values().all(|part| part.taken) {
        new.flags = new.flags.with(SnapshotFlags::SUCCESSFUL);
    }
    if new == *old {
        return;
    }
    let flags = new.flags;
    draft.put_snapshot(new);
    if flags.has(SnapshotFlags::SUCCESSFUL) && !old.flags.has(SnapshotFlags::SUCCESSFUL) {
        start_clones_of(draft, &key);
    } else if flags.has(SnapshotFlags::FAILED_DEPLOYMENT) {
        super::clone::fail_clones_of(draft, &key);
    }
}

/// What follows for a definition of which a replica is gone that its node has not reported.
pub(super) fn settle_without_report(draft: &mut Draft, name: &RscName) {
    let Some(old) = draft.cluster.definitions.get(name).cloned() else {
        return;
    };
    let mut new = ResourceDefinition::clone(&old);
    settle_volumes(draft, &mut new);
    if new != *old {
        draft.put_definition(new);
    }
    if old.flags.has(DefinitionFlags::CLONING) {
        match old.resources.is_empty() {
            true => clone_failed(draft, name),
            false => clone_progress(draft, name),
        }
    }
    super::evacuation::evacuation_progress(draft, name);
    finish_deleting(draft, name);
}

/// Ends what no replica has to do any more.
fn settle_volumes(draft: &Draft, definition: &mut ResourceDefinition) {
    drop_deleted_volumes(definition);
    end_resizes(draft, definition);
    super::taken_back::forget_cuts(definition);
}

fn not_made(resource: &Resource) -> bool {
    resource.volumes.values().any(|volume| !volume.made)
}

/// Puts a definition back, or drops it when it was to be deleted and nothing is left of it.
pub(super) fn put_or_drop(draft: &mut Draft, definition: ResourceDefinition) {
    let name = definition.name.clone();
    draft.put_definition(definition);
    finish_deleting(draft, &name);
}

fn finish_deleting(draft: &mut Draft, name: &RscName) {
    let Some(definition) = draft.cluster.definitions.get(name) else {
        return;
    };
    let empty = definition.resources.is_empty() && draft.cluster.snapshots_of(name).next().is_none();
    if empty && definition.flags.has(DefinitionFlags::DELETE) {
        draft.drop_definition(name);
    }
}

fn drop_deleted_volumes(definition: &mut ResourceDefinition) {
    let resources = &definition.resources;
    let in_use = |number: &VolumeNumber| resources.values().any(|resource| resource.volumes.contains_key(number));
    definition.volumes.retain(|number, volume| !volume.flags.has(VolumeDefinitionFlags::DELETE) || in_use(number));
}

/// A resize is over when every replica with a disk offers the new size.
fn end_resizes(draft: &Draft, definition: &mut ResourceDefinition) {
    let name = definition.name.clone();
    let nodes: Vec<NodeName> = definition.diskful().map(|(node, _)| node.clone()).collect();
    for (number, volume) in &mut definition.volumes {
        if !volume.flags.has(VolumeDefinitionFlags::RESIZE) {
            continue;
        }
        let shrink = volume.flags.has(VolumeDefinitionFlags::RESIZE_SHRINK);
        let fits = |usable: Kib| if shrink { usable <= volume.size } else { usable >= volume.size };
        let done = nodes.iter().all(|node| {
            let status = draft.cluster.resource_status_of(&name, node);
            let usable = status.and_then(|status| status.volume(*number)?.usable);
            usable.is_some_and(fits)
        });
        if done {
            volume.flags = volume.flags.without(VolumeDefinitionFlags::RESIZE_SHRINK);
        }
    }
}

/// A node's satellite is away: snapshots that it had not taken by then have failed.
pub fn node_went_away(cluster: &Cluster, node: &NodeName, moment: Moment) -> Vec<Change> {
    let mut draft = Draft::new(cluster, moment);
    let keys: Vec<SnapshotKey> = cluster.snapshots_on_node.get(node).into_iter().flatten().cloned().collect();
    for key in keys {
        let Some(old) = cluster.snapshots.get(&key) else {
            continue;
        };
        let waiting = old.nodes.get(node).is_some_and(|part| !part.taken);
        let settled = old.flags.0 & (SnapshotFlags::DELETE.0 | SnapshotFlags::FAILED_DEPLOYMENT.0) != 0;
        if waiting && !settled && !old.flags.has(SnapshotFlags::FAILED_DISCONNECT) {
            let mut new = Snapshot::clone(old);
            new.flags = new.flags.with(SnapshotFlags::FAILED_DISCONNECT);
            draft.put_snapshot(new);
            super::clone::fail_clones_of(&mut draft, &key);
        }
    }
    draft.finish().changes
}
