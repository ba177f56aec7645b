//! The layers of a replica and of its volumes: the stack from top to bottom, with sizes and devices.

use super::definition::drbd_volume_definition;
use super::json::Json;
use crate::model::definition::{Resource, ResourceDefinition, Volume, VolumeDefinition};
use crate::model::kinds::LayerKind;
use crate::model::names::VolumeNumber;
use crate::model::observed::ResourceStatus;
use crate::model::report::{LuksState, VolumeReport};
use crate::model::size::{BitmapBlock, DrbdGeometry, Kib, PeerSlots};
use crate::model::stack::{Leaf, Stack};

/// Stripes of DRBD's activity log, unless somebody says otherwise; nobody can yet.
const AL_STRIPES: i64 = 1;
/// Size of one of them.
const AL_STRIPE_KIB: i64 = 32;

/// A replica with everything that its layers are made of.
#[derive(Clone, Copy)]
pub struct Replica<'a> {
    /// Its definition.
    pub definition: &'a ResourceDefinition,
    /// The replica.
    pub resource: &'a Resource,
    /// What its node told, if it told.
    pub status: Option<&'a ResourceStatus>,
}

/// One volume of a replica.
#[derive(Clone, Copy)]
pub struct ReplicaVolume<'a> {
    replica: Replica<'a>,
    number: VolumeNumber,
    definition: Option<&'a VolumeDefinition>,
    /// What its node told of it.
    pub report: Option<&'a VolumeReport>,
}

impl<'a> Replica<'a> {
    /// Its layers from top to bottom.
    #[must_use]
    pub fn layers(self) -> &'a [LayerKind] {
        self.resource.layers.as_deref().unwrap_or(&self.definition.layers)
    }

    /// Its volumes.
    pub fn volumes(self) -> impl Iterator<Item = (ReplicaVolume<'a>, &'a Volume)> {
        self.resource.volumes.iter().map(move |(number, volume)| (self.volume(*number), volume))
    }

    /// One of its volumes.
    #[must_use]
    pub fn volume(self, number: VolumeNumber) -> ReplicaVolume<'a> {
        let report = self.status.and_then(|status| status.volume(number));
        ReplicaVolume { replica: self, number, definition: self.definition.volumes.get(&number), report }
    }
}

/// `layer_object` of a replica.
pub fn layer_object(json: &mut Json, replica: Replica) {
    level(json, replica, replica.layers());
}

fn level(json: &mut Json, replica: Replica, layers: &[LayerKind]) {
    let (layer, below) = layers.split_first().map_or((LayerKind::Storage, layers), |(layer, below)| (*layer, below));
    json.object(|json| {
        json.must("type", layer.as_str());
        if !below.is_empty() {
            json.key("children");
            json.list(|json| level(json, replica, below));
        }
        let (key, volumes) = match layer {
            LayerKind::Drbd => ("drbd", "drbd_volumes"),
            LayerKind::Luks => ("luks", "luks_volumes"),
            LayerKind::Storage => ("storage", "storage_volumes"),
            LayerKind::Nvme => ("nvme", "nvme_volumes"),
            LayerKind::Writecache => ("writecache", "writecache_volumes"),
            LayerKind::Cache => ("cache", "cache_volumes"),
            LayerKind::Bcache => ("bcache", "bcache_volumes"),
        };
        json.key(key);
        json.object(|json| {
            if layer == LayerKind::Drbd {
                drbd_resource(json, replica);
            }
            json.filled_list(volumes, |json| {
                for (volume, _) in replica.volumes().filter(|(volume, _)| volume.has(layer)) {
                    volume_layer(json, volume, layer);
                }
            });
        });
    });
}

fn drbd_resource(json: &mut Json, replica: Replica) {
    json.key("drbd_resource_definition");
    drbd_definition(json, replica.definition);
    json.int("node_id", replica.resource.node_id.unwrap_or_default().into());
    json.filled_list("tcp_ports", |json| replica.resource.ports.iter().for_each(|port| json.number((*port).into())));
    json.int("peer_slots", peer_slots(replica.definition).into());
    json.int("al_stripes", AL_STRIPES);
    json.int("al_size", AL_STRIPE_KIB);
    let flags = replica.resource.flags.names();
    let drbd = ["DISKLESS", "DELETE", "CLEAN"];
    json.texts("flags", flags.into_iter().filter(|flag| drbd.contains(flag)));
}

/// What DRBD knows of a definition.
pub fn drbd_definition(json: &mut Json, definition: &ResourceDefinition) {
    json.object(|json| {
        json.int("peer_slots", peer_slots(definition).into());
        json.int("al_stripes", AL_STRIPES);
        json.int("al_stripe_size_kib", AL_STRIPE_KIB);
        // Ports belong to replicas, not to definitions.
        json.int("port", -1);
        json.must("transport_type", "IP");
        json.must("secret", definition.drbd.as_ref().map_or("", |drbd| drbd.secret.expose()));
        json.flag("down", false);
    });
}

fn peer_slots(definition: &ResourceDefinition) -> u8 {
    definition.drbd.as_ref().map_or(crate::model::definition::DEFAULT_PEER_SLOTS, |drbd| drbd.peer_slots)
}

/// `layer_data_list` of a volume.
pub fn layer_data_list(json: &mut Json, volume: ReplicaVolume) {
    json.filled_list("layer_data_list", |json| {
        for layer in volume.replica.layers().iter().filter(|layer| volume.has(**layer)) {
            json.object(|json| {
                json.must("type", layer.as_str());
                json.key("data");
                volume_layer(json, volume, *layer);
            });
        }
    });
}

fn volume_layer(json: &mut Json, volume: ReplicaVolume, layer: LayerKind) {
    json.object(|json| match layer {
        LayerKind::Drbd => drbd_volume(json, volume),
        LayerKind::Storage => storage_volume(json, volume),
        _ => middle_volume(json, volume, layer),
    });
}

fn drbd_volume(json: &mut Json, volume: ReplicaVolume) {
    if let Some(definition) = volume.definition {
        json.key("drbd_volume_definition");
        drbd_volume_definition(json, definition, definition.minor.unwrap_or_default());
    }
    json.text("device_path", volume.device_path());
    json.text("backing_device", volume.backing_path());
    let diskful = volume.replica.resource.is_diskful();
    json.size("allocated_size_kib", if diskful { volume.below_drbd().0 } else { 0 });
    json.size("usable_size_kib", volume.net().0);
}

fn storage_volume(json: &mut Json, volume: ReplicaVolume) {
    json.int("volume_number", volume.number.get().into());
    json.text("device_path", volume.backing_path());
    json.known_size("allocated_size_kib", volume.report.and_then(|report| report.allocated).map(|kib| kib.0));
    let diskful = volume.replica.resource.is_diskful();
    json.size("usable_size_kib", if diskful { volume.gross().0 } else { 0 });
}

fn middle_volume(json: &mut Json, volume: ReplicaVolume, layer: LayerKind) {
    json.int("volume_number", volume.number.get().into());
    if volume.replica.layers().first() == Some(&layer) {
        json.text("device_path", volume.device_path());
    }
    if layer == LayerKind::Luks {
        json.text("backing_device", volume.backing_path());
    }
    json.size("usable_size_kib", volume.net().0);
    if layer == LayerKind::Luks {
        json.flag("opened", volume.report.is_some_and(|report| report.device_path.is_some()));
        let wrong = |report: &VolumeReport| report.luks == Some(LuksState::WrongKey);
        json.flag("corrupted_key", volume.report.is_some_and(wrong));
    }
}

impl ReplicaVolume<'_> {
    /// Whether the layer has a part in the volume: DRBD only where the volume has a minor.
    fn has(&self, layer: LayerKind) -> bool {
        layer != LayerKind::Drbd || self.definition.is_some_and(|definition| definition.minor.is_some())
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> VolumeNumber {
        self.number
    }

    /// Device for users; empty when its node told none.
    #[must_use]
    pub fn device_path(&self) -> &str {
        self.report.and_then(|report| report.device_path.as_deref()).unwrap_or_default()
    }

    fn backing_path(&self) -> &str {
        self.report.and_then(|report| report.backing_path.as_deref()).unwrap_or_default()
    }

    /// What a user of the device gets.
    fn net(&self) -> Kib {
        self.definition.map(|definition| definition.size).unwrap_or_default()
    }

    /// What the storage layer has to give: with DRBD's metadata and LUKS's header, where they stand in the stack.
    fn gross(&self) -> Kib {
        let props = &self.replica.definition.props;
        let sizes = Stack::of(self.replica.layers()).gross(self.below_drbd(), &|key| props.get(key), &|_| None);
        sizes.ok().and_then(|sizes| sizes.get(&Leaf::Data).copied()).unwrap_or(self.net())
    }

    /// What DRBD stands on, or the user where it is not in the stack.
    fn below_drbd(&self) -> Kib {
        if !self.replica.layers().contains(&LayerKind::Drbd) {
            return self.net();
        }
        let peers = PeerSlots::new(peer_slots(self.replica.definition).into());
        let geometry = peers.map(|peers| DrbdGeometry { peers, bitmap_block: BitmapBlock::default() });
        geometry.and_then(|geometry| geometry.gross(self.net())).unwrap_or(self.net())
    }
}
