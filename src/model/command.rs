//! What somebody asks of the cluster. Each command has a natural key, so that asking twice has one effect.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::group::SelectFilter;
use super::kinds::{LayerKind, NodeKind, ProviderKind, ResourceFlags, VolumeDefinitionFlags, VolumeGroupFlags};
use super::names::{
    GroupName, KvsName, NetIfName, NodeName, PoolName, RscName, SharedSpaceName, SnapName, VolumeNumber,
};
use super::node::SatellitePort;
use super::props::PropsModify;
use super::secret::Secret;
use super::size::Kib;

/// A request to the cluster.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// About nodes, their interfaces and connections.
    Node(NodeCommand),
    /// About storage pools and their definitions.
    Pool(PoolCommand),
    /// About resource groups and their volume groups.
    Group(GroupCommand),
    /// About resource and volume definitions.
    Definition(DefinitionCommand),
    /// About resources and their volumes.
    Resource(ResourceCommand),
    /// About snapshots.
    Snapshot(SnapshotCommand),
    /// About the controller and the key-value stores.
    Controller(ControllerCommand),
    /// About the master passphrase.
    Encryption(EncryptionCommand),
}

/// An interface to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewInterface {
    /// Its name.
    pub name: NetIfName,
    /// Its address.
    pub address: IpAddr,
    /// Where the satellite listens, if it does.
    pub satellite: Option<SatellitePort>,
    /// Whether the controller shall use it.
    pub active: bool,
}

/// Changes of an interface; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InterfaceModify {
    /// New address.
    pub address: Option<IpAddr>,
    /// New satellite port.
    pub satellite: Option<SatellitePort>,
    /// Make it the active one.
    pub active: bool,
}

/// About nodes.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum NodeCommand {
    Create {
        name: NodeName,
        kind: NodeKind,
        interfaces: Vec<NewInterface>,
        props: PropsModify,
    },
    Modify {
        name: NodeName,
        kind: Option<NodeKind>,
        props: PropsModify,
    },
    Delete {
        name: NodeName,
    },
    /// Forget a dead node with all that it had.
    Lost {
        name: NodeName,
    },
    /// Give up on a node that is away: place its replicas elsewhere.
    Evict {
        name: NodeName,
    },
    /// Take eviction or evacuation back.
    Restore {
        name: NodeName,
        delete_resources: bool,
        delete_snapshots: bool,
    },
    /// Move everything away from a node.
    Evacuate {
        name: NodeName,
        targets: Vec<NodeName>,
        not_targets: Vec<NodeName>,
    },
    InterfaceCreate {
        node: NodeName,
        interface: NewInterface,
    },
    InterfaceModify {
        node: NodeName,
        name: NetIfName,
        modify: InterfaceModify,
    },
    InterfaceDelete {
        node: NodeName,
        name: NetIfName,
    },
    ConnectionModify {
        a: NodeName,
        b: NodeName,
        props: PropsModify,
    },
}

/// About storage pools.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum PoolCommand {
    DefinitionCreate { name: PoolName, props: PropsModify },
    DefinitionModify { name: PoolName, props: PropsModify },
    DefinitionDelete { name: PoolName },
    Create(NewPool),
    Modify { node: NodeName, name: PoolName, props: PropsModify },
    Delete { node: NodeName, name: PoolName },
}

/// A pool to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPool {
    /// Its node.
    pub node: NodeName,
    /// Its name.
    pub name: PoolName,
    /// What makes its volumes.
    pub provider: ProviderKind,
    /// Properties; `StorDriver/StorPoolName` says where its volumes are.
    pub props: PropsModify,
    /// Shared space.
    pub shared_space: Option<SharedSpaceName>,
    /// Another locker guards a shared space.
    pub external_locking: bool,
}

/// About resource groups.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum GroupCommand {
    Create {
        name: GroupName,
        description: Option<String>,
        props: PropsModify,
        filter: SelectFilter,
        peer_slots: Option<u8>,
    },
    /// A filter field that is `None` stays; an empty list clears it. A higher place count is carried out at once.
    Modify {
        name: GroupName,
        description: Option<String>,
        props: PropsModify,
        filter: SelectFilter,
        peer_slots: Option<u8>,
    },
    Delete {
        name: GroupName,
    },
    VolumeCreate {
        group: GroupName,
        number: Option<VolumeNumber>,
        flags: VolumeGroupFlags,
        props: PropsModify,
    },
    VolumeModify {
        group: GroupName,
        number: VolumeNumber,
        set: VolumeGroupFlags,
        clear: VolumeGroupFlags,
        props: PropsModify,
    },
    VolumeDelete {
        group: GroupName,
        number: VolumeNumber,
    },
    Spawn(Spawn),
    /// Place what is missing, for the definitions of one group or of all.
    Adjust {
        group: Option<GroupName>,
        filter: SelectFilter,
    },
}

/// Definition, volumes and replicas from a group, in one go.
#[derive(Debug, Clone, PartialEq)]
pub struct Spawn {
    /// The group.
    pub group: GroupName,
    /// Name of the definition.
    pub name: Naming,
    /// Sizes of the volumes, by the group's volume groups.
    pub sizes: Vec<Kib>,
    /// Goes before the group's filter.
    pub filter: SelectFilter,
    /// Sizes and volume groups may differ in number.
    pub partial: bool,
    /// No replicas.
    pub definitions_only: bool,
    /// DRBD peer slots.
    pub peer_slots: Option<u8>,
    /// Properties of the definition.
    pub props: PropsModify,
    /// Passphrases of the LUKS layers of its volumes, in their order; a volume that has none gets one that is made up.
    pub passphrases: Vec<Secret>,
}

/// How a definition is to be called: by a legal name, or by any text from which one is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Naming {
    /// By name.
    Name(RscName),
    /// By external name.
    External(String),
}

/// About resource and volume definitions.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum DefinitionCommand {
    Create(NewDefinition),
    Modify {
        name: RscName,
        props: PropsModify,
        group: Option<GroupName>,
        layers: Option<Vec<LayerKind>>,
        peer_slots: Option<u8>,
    },
    Delete {
        name: RscName,
    },
    Clone(CloneOrder),
    VolumeCreate(NewVolume),
    VolumeModify {
        rsc: RscName,
        number: VolumeNumber,
        size: Option<Kib>,
        props: PropsModify,
        set: VolumeDefinitionFlags,
        clear: VolumeDefinitionFlags,
    },
    VolumeDelete {
        rsc: RscName,
        number: VolumeNumber,
    },
    /// Give the LUKS layers of a volume another passphrase, on every node.
    VolumePassphrase {
        rsc: RscName,
        number: VolumeNumber,
        passphrase: Secret,
    },
}

/// A definition to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDefinition {
    /// Its name.
    pub name: Naming,
    /// Its group; the default one where none is named.
    pub group: Option<GroupName>,
    /// Its layers; the group's where none are named.
    pub layers: Option<Vec<LayerKind>>,
    /// Properties.
    pub props: PropsModify,
    /// DRBD peer slots.
    pub peer_slots: Option<u8>,
    /// DRBD shared secret.
    pub secret: Option<Secret>,
}

/// A definition to be made as a copy of another.
#[derive(Debug, Clone, PartialEq)]
pub struct CloneOrder {
    /// What is copied.
    pub source: RscName,
    /// Name of the copy.
    pub name: Naming,
    /// Group of the copy; the source's where none is named.
    pub group: Option<GroupName>,
    /// Layers of the copy; the source's where none are named.
    pub layers: Option<Vec<LayerKind>>,
    /// Changes of the properties.
    pub props: PropsModify,
    /// Passphrases of the LUKS layers of the copy's volumes, in their order; a volume that has none keeps the source's.
    pub passphrases: Vec<Secret>,
}

/// A volume definition to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVolume {
    /// Its definition.
    pub rsc: RscName,
    /// Its number; the lowest free one where none is given.
    pub number: Option<VolumeNumber>,
    /// Its size.
    pub size: Kib,
    /// Flags.
    pub flags: VolumeDefinitionFlags,
    /// Properties.
    pub props: PropsModify,
    /// DRBD minor; the lowest free one where none is given.
    pub minor: Option<u32>,
    /// Passphrase of its LUKS layer; one that is made up where none is given.
    pub passphrase: Option<Secret>,
}

/// About resources.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum ResourceCommand {
    /// All or none.
    Create {
        rsc: RscName,
        wishes: Vec<NewResource>,
    },
    Modify {
        rsc: RscName,
        node: NodeName,
        props: PropsModify,
    },
    Delete {
        rsc: RscName,
        node: NodeName,
        keep_tiebreaker: bool,
    },
    Autoplace {
        rsc: RscName,
        filter: SelectFilter,
    },
    MakeAvailable {
        rsc: RscName,
        node: NodeName,
        diskful: bool,
        layers: Option<Vec<LayerKind>>,
    },
    Activate {
        rsc: RscName,
        node: NodeName,
    },
    Deactivate {
        rsc: RscName,
        node: NodeName,
    },
    ToggleDisk {
        rsc: RscName,
        node: NodeName,
        diskful: bool,
        pool: Option<PoolName>,
        migrate_from: Option<NodeName>,
    },
    VolumeModify {
        rsc: RscName,
        node: NodeName,
        number: VolumeNumber,
        props: PropsModify,
    },
    ConnectionModify {
        rsc: RscName,
        a: NodeName,
        b: NodeName,
        props: PropsModify,
    },
}

/// A resource to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewResource {
    /// Its node.
    pub node: NodeName,
    /// Flags asked for (`DISKLESS`, `DRBD_DISKLESS`, `INACTIVE`, ...).
    pub flags: ResourceFlags,
    /// Properties; `StorPoolName` names the pool.
    pub props: PropsModify,
    /// Layers, where they differ from the definition's.
    pub layers: Option<Vec<LayerKind>>,
    /// DRBD node id.
    pub node_id: Option<u8>,
}

/// About snapshots.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum SnapshotCommand {
    /// All or none, as close together as can be.
    Create {
        snapshots: Vec<NewSnapshot>,
    },
    Modify {
        rsc: RscName,
        name: SnapName,
        props: PropsModify,
    },
    /// On all nodes, or on those named.
    Delete {
        rsc: RscName,
        name: SnapName,
        nodes: Vec<NodeName>,
    },
    /// The volume definitions of a snapshot, in another definition.
    RestoreVolumes {
        rsc: RscName,
        name: SnapName,
        to: RscName,
    },
    /// Resources with a snapshot's content, in another definition.
    RestoreResources {
        rsc: RscName,
        name: SnapName,
        to: RscName,
        nodes: Vec<NodeName>,
        pools: BTreeMap<PoolName, PoolName>,
    },
    Rollback {
        rsc: RscName,
        name: SnapName,
    },
}

/// A snapshot to be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSnapshot {
    /// Of which definition.
    pub rsc: RscName,
    /// Its name.
    pub name: SnapName,
    /// On which nodes; on all with a disk where none is named.
    pub nodes: Vec<NodeName>,
    /// Properties.
    pub props: PropsModify,
}

/// About the controller.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum ControllerCommand {
    Modify { props: PropsModify },
    KvsModify { name: KvsName, props: PropsModify },
    KvsDelete { name: KvsName },
}

/// About the master passphrase.
#[derive(Debug, Clone, PartialEq)]
pub enum EncryptionCommand {
    /// Create it, and with it the master key.
    Create {
        /// The passphrase.
        passphrase: Secret,
    },
    /// Put the master key under another one.
    Modify {
        /// The one in force.
        old: Secret,
        /// The one that is to be.
        new: Secret,
    },
    /// Make the master key known.
    Enter {
        /// The passphrase.
        passphrase: Secret,
    },
    /// What a controller does that was started with it: create it, or enter it.
    Provide {
        /// The passphrase.
        passphrase: Secret,
    },
}
