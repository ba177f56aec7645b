//! Replicas and their volumes, with what their nodes told. What no node told is left out.

use super::entries::entry;
use super::json::Json;
use super::layers::{Replica, ReplicaVolume, layer_data_list, layer_object};
use super::node::display;
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::definition::{Resource, ResourceDefinition, Volume};
use crate::model::kinds::ProviderKind;
use crate::model::names::NodeName;
use crate::model::observed::ResourceStatus;
use crate::model::refusal::Note;
use crate::model::report::VolumeState;

/// A replica in its cluster.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The definition.
    pub definition: &'a ResourceDefinition,
    /// The node.
    pub node: &'a NodeName,
    /// The replica there.
    pub resource: &'a Resource,
}

/// Whether the volumes stand in the replica, and when their reports are dated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volumes<'a> {
    /// They do; errors get this moment.
    With(&'a str),
    /// They do not.
    Without,
}

impl<'a> Place<'a> {
    fn replica(self) -> Replica<'a> {
        let status = self.cluster.resource_status_of(&self.definition.name, self.node);
        Replica { definition: self.definition, resource: self.resource, status }
    }

    /// What the node told, unless it is away: then nothing that can change is known.
    fn present(self) -> Option<&'a ResourceStatus> {
        let online = self.cluster.is_online(self.node);
        self.replica().status.filter(|_| online)
    }
}

/// A replica.
pub fn resource(json: &mut Json, place: Place, volumes: Volumes) {
    let Place { cluster, definition, node, resource } = place;
    json.object(|json| {
        json.must("name", definition.name.as_str());
        json.must("node_name", display(cluster, node));
        json.props("props", &resource.props);
        json.texts("flags", resource.flags.names());
        json.key("layer_object");
        layer_object(json, place.replica());
        if let Some(status) = place.present() {
            json.key("state");
            json.object(|json| status.in_use.iter().for_each(|yes| json.flag("in_use", *yes)));
        }
        json.uuid(resource.uuid);
        json.int("create_timestamp", resource.created.0);
        if let Volumes::With(now) = volumes {
            json.filled_list("volumes", |json| {
                for (part, record) in place.replica().volumes() {
                    volume(json, place, (part, record), now);
                }
            });
        }
    });
}

/// A volume of a replica; `now` dates its reports.
pub fn volume(json: &mut Json, place: Place, (part, record): (ReplicaVolume, &Volume), now: &str) {
    let diskful = place.resource.is_diskful();
    let provider = if diskful { record.provider } else { ProviderKind::Diskless };
    json.object(|json| {
        json.int("volume_number", part.number().get().into());
        json.must("storage_pool_name", record.pool.as_str());
        json.must("provider_kind", provider.as_str());
        json.text("device_path", part.device_path());
        json.known_size("allocated_size_kib", part.report.and_then(|report| report.allocated).map(|kib| kib.0));
        json.props("props", &record.props);
        json.texts("flags", record.flags.names());
        if let Some(report) = part.report.filter(|_| place.present().is_some()) {
            json.key("state");
            json.object(|json| json.must("disk_state", disk_state(report.state)));
        }
        layer_data_list(json, part);
        json.uuid(record.uuid);
        json.filled_list("reports", |json| {
            trouble(place).iter().for_each(|note| json.value(&entry(None, note, now)));
        });
    });
}

/// Why the replica is not as it should be.
fn trouble(place: Place) -> Option<Note> {
    let problem = place.present()?.problem.as_ref()?;
    let note = Note::new(code::Kind::Error, code::FAIL_UNKNOWN_ERROR, problem.message.clone());
    let note = note.because(problem.cause.clone()).cure(problem.correction.clone()).details(problem.details.clone());
    Some(note.about("Node", place.node).about("RscDfn", &place.definition.name))
}

/// A volume's state in the words that clients know.
#[must_use]
pub fn disk_state(state: VolumeState) -> &'static str {
    match state {
        VolumeState::Created => "Created",
        VolumeState::UpToDate => "UpToDate",
        VolumeState::Diskless => "Diskless",
        VolumeState::Attachable => "To:Attachable",
        VolumeState::Cloning => "Cloning",
        VolumeState::Failed => "Failed",
    }
}
