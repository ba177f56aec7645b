//! Resource definitions with their volume definitions and resources: one record, what belongs to one volume set.

use serde::{Deserialize, Serialize};

use super::desired::{Origin, Rollback};
use super::encryption::Sealed;
use super::kinds::{DefinitionFlags, LayerKind, ProviderKind, ResourceFlags, VolumeDefinitionFlags, VolumeFlags};
use super::moment::{EpochMs, Uuid};
use super::names::{GroupName, NodeName, PoolName, RscName, SnapName, VolumeNumber};
use super::props::Props;
use super::secret::Secret;
use super::size::Kib;
use super::small_map::SmallMap;

/// DRBD peer slots of a definition where nobody says otherwise.
pub const DEFAULT_PEER_SLOTS: u8 = 7;

/// An order that makes a volume smaller, or puts it back to a snapshot, as long as not all nodes have carried it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The size that it had before, and has again if a node refuses.
    pub from: Kib,
    /// Generation of the definition with the order.
    pub ordered: u64,
}

/// A volume definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeDefinition {
    /// Its number.
    pub number: VolumeNumber,
    /// Identity.
    pub uuid: Uuid,
    /// What a user of the device gets.
    pub size: Kib,
    /// Flags.
    #[serde(default)]
    pub flags: VolumeDefinitionFlags,
    /// DRBD minor number, when the stack has DRBD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor: Option<u32>,
    /// What is being taken from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// Properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
}

/// The passphrase of a volume's LUKS layer, sealed with the master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeKey {
    /// The one that is to be in force.
    pub current: Sealed,
    /// The one before it, as long as its node has not told that the current one is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Sealed>,
}

impl VolumeKey {
    /// One that was never another.
    #[must_use]
    pub fn new(current: Sealed) -> Self {
        Self { current, previous: None }
    }
}

/// A volume of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Identity.
    pub uuid: Uuid,
    /// Pool that holds its data.
    pub pool: PoolName,
    /// Kind of that pool.
    pub provider: ProviderKind,
    /// Flags.
    #[serde(default)]
    pub flags: VolumeFlags,
    /// Its node reported it as made: from now on it is kept, never made anew.
    #[serde(default)]
    pub made: bool,
    /// Content at its making.
    #[serde(default = "blank", skip_serializing_if = "is_blank")]
    pub origin: Origin,
    /// Passphrase of its LUKS layer, where its stack has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<VolumeKey>,
    /// Properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
}

impl Volume {
    /// The passphrase that is to be in force.
    fn sealed(&self) -> Option<&Sealed> {
        self.key.as_ref().map(|key| &key.current)
    }
}

fn blank() -> Origin {
    Origin::Blank
}

fn is_blank(origin: &Origin) -> bool {
    *origin == Origin::Blank
}

/// What of a resource its node has to act on: volumes with whether they go and their keys; whether the resource goes, gives
/// up its disk, has one, and is active; its rollback.
type Orders<'a> = (Vec<(VolumeNumber, bool, Option<&'a Sealed>)>, [bool; 4], Option<&'a Rollback>);

/// A resource: one replica on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Identity.
    pub uuid: Uuid,
    /// Flags.
    #[serde(default)]
    pub flags: ResourceFlags,
    /// When it was made.
    pub created: EpochMs,
    /// Generation of the last change of what its node has to do: what a node reported before tells nothing of it.
    #[serde(default)]
    pub ordered: u64,
    /// DRBD node id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<u8>,
    /// DRBD ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// Layers, where they differ from the definition's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<LayerKind>>,
    /// A rollback that its node has not reported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// Properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
    /// Volumes by number.
    pub volumes: SmallMap<VolumeNumber, Volume>,
}

impl Resource {
    /// Whether it has, or is to have, a disk.
    #[must_use]
    pub fn is_diskful(&self) -> bool {
        !self.flags.has(ResourceFlags::DISKLESS)
    }

    /// Whether it has a disk and is to keep it.
    #[must_use]
    pub fn keeps_disk(&self) -> bool {
        self.is_diskful() && !self.is_deleting() && !self.flags.has(ResourceFlags::DISK_REMOVING)
    }

    /// Whether it keeps a disk on which this volume was made.
    #[must_use]
    pub fn holds(&self, number: VolumeNumber) -> bool {
        let there = |volume: &Volume| volume.made && !volume.flags.has(VolumeFlags::DELETE);
        self.keeps_disk() && self.volumes.get(&number).is_some_and(there)
    }

    /// Whether it is on its way out.
    #[must_use]
    pub fn is_deleting(&self) -> bool {
        self.flags.has(ResourceFlags::DELETE) || self.flags.has(ResourceFlags::DRBD_DELETE)
    }

    /// Whether a node that has it has nothing else to do for the other than for this one.
    #[must_use]
    pub fn same_orders(&self, other: &Self) -> bool {
        self.orders() == other.orders()
    }

    /// What of it a node has to act on: what is only remembered of it (that it is being evacuated, say) is no order.
    fn orders(&self) -> Orders<'_> {
        let removing = self.flags.has(ResourceFlags::DISK_REMOVING);
        let goes = |volume: &Volume| self.is_deleting() || removing || volume.flags.has(VolumeFlags::DELETE);
        let volumes = self.volumes.iter().map(|(number, volume)| (*number, goes(volume), volume.sealed())).collect();
        (volumes, [self.is_deleting(), removing, self.is_diskful(), self.is_active()], self.rollback.as_ref())
    }

    /// Its layers from top to bottom; `definition` is its own.
    #[must_use]
    pub fn layers<'a>(&'a self, definition: &'a ResourceDefinition) -> &'a [LayerKind] {
        self.layers.as_deref().unwrap_or(&definition.layers)
    }

    /// Whether its volumes have a LUKS layer: it has a disk, and its stack has one.
    #[must_use]
    pub fn is_encrypted(&self, definition: &ResourceDefinition) -> bool {
        self.is_diskful() && self.layers(definition).contains(&LayerKind::Luks)
    }

    /// Whether its devices shall be attached.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.flags.has(ResourceFlags::INACTIVE) && !self.flags.has(ResourceFlags::INACTIVATING)
    }
}

/// Properties of a pair of resources of one definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceConnection {
    /// The first node by name.
    pub a: NodeName,
    /// The other.
    pub b: NodeName,
    /// Identity.
    pub uuid: Uuid,
    /// Properties.
    pub props: Props,
}

/// From where a clone takes its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneSource {
    /// The definition that is cloned.
    pub rsc: RscName,
    /// The snapshot made for it, removed when the clone is done.
    pub snapshot: SnapName,
}

/// What DRBD needs to know of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrbdDefinition {
    /// Slots for peers in the metadata.
    pub peer_slots: u8,
    /// Shared secret of the connections.
    pub secret: Secret,
}

/// A resource definition: one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDefinition {
    /// Its name.
    pub name: RscName,
    /// The name that a user chose freely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_name: Option<String>,
    /// Identity.
    pub uuid: Uuid,
    /// Its group.
    pub group: GroupName,
    /// Flags.
    #[serde(default)]
    pub flags: DefinitionFlags,
    /// Layers from top to bottom.
    pub layers: Vec<LayerKind>,
    /// DRBD's part, when the stack has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drbd: Option<DrbdDefinition>,
    /// Properties.
    #[serde(default, skip_serializing_if = "Props::is_empty")]
    pub props: Props,
    /// Volume definitions by number.
    pub volumes: SmallMap<VolumeNumber, VolumeDefinition>,
    /// Resources by node.
    pub resources: SmallMap<NodeName, Resource>,
    /// Connections that have properties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<ResourceConnection>,
    /// Set while it is filled from another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clone_source: Option<CloneSource>,
    /// It was made by a clone request (asked by the clone's status).
    #[serde(default)]
    pub is_clone: bool,
    /// Rises with every change of this record or of its snapshots.
    pub generation: u64,
}

impl ResourceDefinition {
    /// Whether `kind` is in its stack.
    #[must_use]
    pub fn has_layer(&self, kind: LayerKind) -> bool {
        self.layers.contains(&kind)
    }

    /// Replicas with a disk that stay.
    pub fn diskful(&self) -> impl Iterator<Item = (&NodeName, &Resource)> {
        self.resources.iter().filter(|(_, rsc)| rsc.is_diskful() && !rsc.is_deleting())
    }

    /// Sum of its volumes' sizes; saturates.
    #[must_use]
    pub fn total_size(&self) -> Kib {
        let sizes = self.volumes.values().map(|volume| volume.size.0);
        Kib(sizes.fold(0, u64::saturating_add))
    }
}
