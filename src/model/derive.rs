//! What nodes have to do, derived from the cluster: the whole desired state of a resource or of a node's pools.

use std::collections::BTreeMap;

use super::cluster::Cluster;
use super::definition::{Resource, ResourceDefinition, Volume, VolumeDefinition};
use super::desired::{
    DesiredPool, DesiredResource, DesiredSnapshot, DesiredVolume, FileSystem, LuksKey, Order, SnapshotSource,
};
use super::kinds::{
    LayerKind, NodeFlags, ProviderKind, ResourceFlags, SnapshotFlags, SnapshotNodeFlags, VolumeDefinitionFlags,
    VolumeFlags,
};
use super::names::{NodeName, RscName, VolumeNumber};
use super::node::Node;
use super::props::{Level, Levels, Lookup, Props};
use super::size::split_options;
use super::snapshot::{Snapshot, SnapshotNode};
use super::stack::OPTION_NAMESPACES;

/// Namespace of the properties that drivers read.
const DRIVER_NAMESPACE: &str = "StorDriver";
/// Properties that drivers read for each volume.
const DRIVER_OPTIONS: [&str; 7] = [
    "StorDriver/LvcreateOptions",
    "StorDriver/LvcreateSnapshotOptions",
    "StorDriver/LvcreatePvSelection",
    "StorDriver/ZfscreateOptions",
    "StorDriver/ZfsSnapshotOptions",
    "StorDriver/WaitTimeoutAfterCreate",
    "StorDriver/SizesCacheTime",
];
/// Property that names a volume's backing object.
const OVERRIDE_ID: &str = "StorDriver/OverrideVlmId";

/// The whole desired state of a resource on a node; `None` when the node has no part in it.
#[must_use]
pub fn desired_resource(cluster: &Cluster, rsc: &RscName, node: &NodeName) -> Option<DesiredResource> {
    let definition = cluster.definitions.get(rsc)?;
    let snapshots: Vec<DesiredSnapshot> = cluster
        .snapshots_of(rsc)
        .filter_map(|snapshot| Some(desired_snapshot(snapshot, snapshot.nodes.get(node)?)))
        .collect();
    let resource = definition.resources.get(node);
    if resource.is_none() && snapshots.is_empty() {
        return None;
    }
    let source = Source { cluster, definition, node };
    let mut desired = source.without_resource();
    desired.snapshots = snapshots;
    if let Some(resource) = resource {
        source.fill(&mut desired, resource);
    }
    Some(desired)
}

/// Whether a node has to be told: something other than the generation, or than that what was made is now kept.
#[must_use]
pub fn is_news(before: Option<&DesiredResource>, after: &DesiredResource) -> bool {
    let Some(before) = before else {
        return true;
    };
    let mut before = before.clone();
    before.generation = after.generation;
    let pairs = before.volumes.iter_mut().zip(&after.volumes);
    for (old, new) in pairs.filter(|(old, new)| kept(old.order, new.order)) {
        (old.order, old.made) = (new.order, new.made);
        old.origin = new.origin.clone();
    }
    for (old, new) in before.volumes.iter_mut().zip(&after.volumes) {
        forget_previous(&mut old.luks, new.luks.as_ref());
    }
    let pairs = before.snapshots.iter_mut().zip(&after.snapshots);
    for (old, new) in pairs.filter(|(old, new)| kept(old.order, new.order)) {
        old.order = new.order;
    }
    if kept(before.order, after.order) {
        before.order = after.order;
    }
    before != *after
}

/// A node that told that the new passphrase is in force need not hear that the one before it is forgotten.
fn forget_previous(old: &mut Option<LuksKey>, new: Option<&LuksKey>) {
    if let (Some(LuksKey::Known { previous, .. }), Some(LuksKey::Known { previous: None, .. })) = (old, new) {
        *previous = None;
    }
}

fn kept(old: Order, new: Order) -> bool {
    old == Order::Make && new == Order::Keep
}

struct Source<'a> {
    cluster: &'a Cluster,
    definition: &'a ResourceDefinition,
    node: &'a NodeName,
}

impl Source<'_> {
    fn without_resource(&self) -> DesiredResource {
        DesiredResource {
            rsc: self.definition.name.clone(),
            generation: self.definition.generation,
            order: Order::Remove,
            active: false,
            layers: self.definition.layers.clone(),
            diskless: false,
            volumes: Vec::new(),
            snapshots: Vec::new(),
            rollback: None,
            props: BTreeMap::new(),
        }
    }

    fn fill(&self, desired: &mut DesiredResource, resource: &Resource) {
        let all_made = resource.volumes.values().all(|volume| volume.made);
        desired.order = match (resource.is_deleting(), all_made) {
            (true, _) => Order::Remove,
            (false, true) => Order::Keep,
            (false, false) => Order::Make,
        };
        desired.active = resource.is_active();
        desired.diskless = !resource.is_diskful();
        if let Some(layers) = &resource.layers {
            desired.layers.clone_from(layers);
        }
        desired.rollback.clone_from(&resource.rollback);
        let pair = |(number, volume): (&VolumeNumber, &Volume)| self.volume(resource, *number, volume);
        desired.volumes = resource.volumes.iter().filter_map(pair).collect();
        desired.props = self.driver_props(resource);
    }

    fn volume(&self, resource: &Resource, number: VolumeNumber, volume: &Volume) -> Option<DesiredVolume> {
        let definition = self.definition.volumes.get(&number)?;
        let removed = resource.is_deleting()
            || resource.flags.has(ResourceFlags::DISK_REMOVING)
            || volume.flags.has(VolumeFlags::DELETE)
            || definition.flags.has(VolumeDefinitionFlags::DELETE);
        let order = match (removed, volume.made) {
            (true, _) => Order::Remove,
            (false, true) => Order::Keep,
            (false, false) => Order::Make,
        };
        Some(DesiredVolume {
            number,
            pool: volume.pool.clone(),
            provider: if resource.is_diskful() { volume.provider } else { ProviderKind::Diskless },
            size: definition.size,
            order,
            made: volume.made,
            origin: volume.origin.clone(),
            file_system: self.file_system(definition),
            options: self.options(resource, volume, definition),
            shrink: definition.flags.has(VolumeDefinitionFlags::RESIZE_SHRINK),
            minor: definition.minor.filter(|_| self.definition.has_layer(LayerKind::Drbd)),
            override_id: definition.props.get(OVERRIDE_ID).map(str::to_owned),
            luks: resource.is_encrypted(self.definition).then(|| self.luks_key(volume)),
        })
    }

    /// What the master key is needed for is known only while it is; what is missing or damaged is not known either.
    fn luks_key(&self, volume: &Volume) -> LuksKey {
        let (Some(master), Some(key)) = (&self.cluster.master_key, &volume.key) else {
            return LuksKey::Locked;
        };
        match key.current.open(master) {
            Some(passphrase) => {
                let previous = key.previous.as_ref().and_then(|previous| previous.open(master));
                LuksKey::Known { passphrase, previous }
            }
            None => LuksKey::Locked,
        }
    }

    fn file_system(&self, volume: &VolumeDefinition) -> Option<FileSystem> {
        let group = self.cluster.groups.get(&self.definition.group);
        let mut levels = Levels::new()
            .with(Level::VolumeDefinition, &volume.props)
            .with(Level::ResourceDefinition, &self.definition.props);
        if let Some(group) = group {
            levels = levels.with(Level::ResourceGroup, &group.props);
            if let Some(volume_group) = group.volumes.get(&volume.number) {
                levels = levels.with(Level::VolumeGroup, &volume_group.props);
            }
        }
        let get = |key| levels.get(Lookup::FileSystem, key);
        let params = get("FileSystem/MkfsParams").unwrap_or_default();
        Some(FileSystem {
            kind: get("FileSystem/Type")?.to_owned(),
            mkfs_params: split_options(params),
            user: get("FileSystem/User").map(str::to_owned),
            group: get("FileSystem/Group").map(str::to_owned),
        })
    }

    /// Options of drivers in force for one volume.
    fn options(&self, resource: &Resource, volume: &Volume, definition: &VolumeDefinition) -> BTreeMap<String, String> {
        let mut levels = Levels::new()
            .with(Level::VolumeDefinition, &definition.props)
            .with(Level::Resource, &resource.props)
            .with(Level::ResourceDefinition, &self.definition.props)
            .with(Level::Controller, &self.cluster.controller.props);
        if let Some(group) = self.cluster.groups.get(&self.definition.group) {
            levels = levels.with(Level::ResourceGroup, &group.props);
            if let Some(volume_group) = group.volumes.get(&definition.number) {
                levels = levels.with(Level::VolumeGroup, &volume_group.props);
            }
        }
        if let Some(node) = self.cluster.nodes.get(self.node) {
            levels = levels.with(Level::Node, &node.props);
            if let Some(pool) = node.pools.get(&volume.pool) {
                levels = levels.with(Level::StoragePool, &pool.props);
            }
        }
        let found = |key: &&str| Some(((*key).to_owned(), levels.get(Lookup::StorageDriver, key)?.to_owned()));
        DRIVER_OPTIONS.iter().filter_map(found).collect()
    }

    /// Driver properties in force, the nearest level last so that it wins.
    fn driver_props(&self, resource: &Resource) -> BTreeMap<String, String> {
        let group = self.cluster.groups.get(&self.definition.group);
        let node = self.cluster.nodes.get(self.node);
        let levels: [Option<&Props>; 5] = [
            Some(&self.cluster.controller.props),
            node.map(|node| &node.props),
            group.map(|group| &group.props),
            Some(&self.definition.props),
            Some(&resource.props),
        ];
        let of_level = |props| OPTION_NAMESPACES.iter().flat_map(move |space| Props::namespace(props, space));
        let pairs = levels.into_iter().flatten().flat_map(of_level);
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

/// What a node that has a part of a snapshot has to do about it.
#[must_use]
pub fn snapshot_order(snapshot: &Snapshot, part: &SnapshotNode) -> Order {
    let failed =
        snapshot.flags.has(SnapshotFlags::FAILED_DEPLOYMENT) || snapshot.flags.has(SnapshotFlags::FAILED_DISCONNECT);
    let removed = snapshot.flags.has(SnapshotFlags::DELETE) || part.flags.has(SnapshotNodeFlags::DELETE);
    match (removed || failed, part.taken) {
        (true, _) => Order::Remove,
        (false, true) => Order::Keep,
        (false, false) => Order::Make,
    }
}

fn desired_snapshot(snapshot: &Snapshot, part: &SnapshotNode) -> DesiredSnapshot {
    let order = snapshot_order(snapshot, part);
    let source = |(number, volume): (&VolumeNumber, &super::snapshot::SnapshotVolume)| SnapshotSource {
        number: *number,
        pool: volume.pool.clone(),
        provider: volume.provider,
        size: snapshot.volumes.get(number).map(|volume| volume.size).unwrap_or_default(),
        override_id: volume.override_id.clone(),
    };
    DesiredSnapshot { name: snapshot.key.name.clone(), order, volumes: part.volumes.iter().map(source).collect() }
}

/// All pools of a node, as its satellite is told.
#[must_use]
pub fn desired_pools(cluster: &Cluster, node: &Node) -> Vec<DesiredPool> {
    let pools = node.pools.values().map(|pool| {
        let definition = cluster.pool_definitions.get(&pool.name);
        let levels = [
            Some(&cluster.controller.props),
            Some(&node.props),
            definition.map(|definition| &definition.props),
            Some(&pool.props),
        ];
        let pairs = levels.into_iter().flatten().flat_map(|props| props.namespace(DRIVER_NAMESPACE));
        DesiredPool {
            name: pool.name.clone(),
            provider: pool.provider,
            backing: pool.backing().to_owned(),
            shared: pool.shared_space.is_some() || pool.external_locking,
            props: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        }
    });
    pools.collect()
}

/// Everything that a node takes part in: what a satellite is told when it connects.
#[must_use]
pub fn desired_node(cluster: &Cluster, node: &Node) -> (Vec<DesiredPool>, Vec<DesiredResource>) {
    let mut names: Vec<&RscName> = cluster.on_node.get(&node.name).into_iter().flatten().collect();
    let parts = cluster.snapshots_on_node.get(&node.name);
    names.extend(parts.into_iter().flatten().map(|key| &key.rsc));
    names.sort();
    names.dedup();
    let resources = names.into_iter().filter_map(|rsc| desired_resource(cluster, rsc, &node.name)).collect();
    (desired_pools(cluster, node), resources)
}

/// Whether the controller keeps contact with the node's satellite.
#[must_use]
pub fn is_connected_to(node: &Node) -> bool {
    node.has_satellite() && !node.flags.has(NodeFlags::EVICTED)
}
