//! Decisions about resources: making, changing, removing replicas.

use super::available::Wish;
use super::draft::Draft;
use super::volume::{new_volume, refuse_no_room};
use crate::model::code::*;
use crate::model::command::{NewResource, ResourceCommand};
use crate::model::definition::{Resource, ResourceConnection, ResourceDefinition, VolumeDefinition};
use crate::model::desired::Origin;
use crate::model::kinds::{DefinitionFlags, LayerKind, NodeFlags, ProviderKind, ResourceFlags, VolumeDefinitionFlags};
use crate::model::names::{NodeName, PoolName, RscName, VolumeNumber};
use crate::model::node::{DEFAULT_POOL, DISKLESS_POOL, Node};
use crate::model::props::{Level, Levels, Lookup, PropertyOwner, Props, PropsModify};
use crate::model::refusal::{Note, Refusal};

/// Highest DRBD node id.
const MAX_NODE_ID: u8 = 31;
/// Property that names a resource's pool.
pub(super) const POOL_PROP: &str = "StorPoolName";

pub(super) fn decide(draft: &mut Draft, command: &ResourceCommand) -> Result<(), Refusal> {
    match command {
        ResourceCommand::Create { rsc, wishes } => wishes.iter().try_for_each(|wish| create(draft, rsc, wish)),
        ResourceCommand::Modify { rsc, node, props } => modify(draft, rsc, node, props),
        ResourceCommand::Delete { rsc, node, .. } => delete(draft, rsc, node),
        ResourceCommand::Autoplace { rsc, filter } => super::autoplace::autoplace(draft, rsc, filter),
        ResourceCommand::MakeAvailable { rsc, node, diskful, layers } => {
            let wish = Wish { diskful: *diskful, layers: layers.as_deref() };
            super::available::make_available(draft, rsc, node, wish)
        }
        ResourceCommand::Activate { rsc, node } => set_active(draft, rsc, node, true),
        ResourceCommand::Deactivate { rsc, node } => set_active(draft, rsc, node, false),
        ResourceCommand::ToggleDisk { .. } => super::toggle::toggle(draft, command),
        ResourceCommand::VolumeModify { rsc, node, number, props } => modify_volume(draft, (rsc, node), *number, props),
        ResourceCommand::ConnectionModify { rsc, a, b, props } => modify_connection(draft, rsc, (a, b), props),
    }
}

/// Where the content of a new replica comes from, and where it goes.
#[derive(Clone)]
pub(super) struct Placement<'a> {
    pub node: &'a NodeName,
    pub pool: PoolName,
    pub flags: ResourceFlags,
    pub origin: &'a dyn Fn(VolumeNumber) -> Origin,
}

fn create(draft: &mut Draft, rsc: &RscName, wish: &NewResource) -> Result<(), Refusal> {
    let definition = draft.definition(rsc)?;
    let node = draft.node(&wish.node)?;
    refuse_definition(&definition)?;
    let layers = wish.layers.as_deref().unwrap_or(&definition.layers);
    super::definition::refuse_stack(layers)?;
    let flags = resolve_diskless(wish.flags, layers)?;
    if let Some(there) = definition.resources.get(&wish.node) {
        return create_again(draft, rsc, wish, there);
    }
    refuse_node(&node)?;
    refuse_layers(draft, &node, layers)?;
    let mut props = Props::default();
    let set = draft.modify_props(&mut props, &wish.props, PropertyOwner::Resource)?;
    let pool = choose_pool(draft, &definition, &node, (&props, flags))?;
    let place = Placement { node: &wish.node, pool, flags, origin: &|_| Origin::Blank };
    let mut resource = build(draft, &definition, &place)?;
    for (key, value) in props.iter() {
        super::definition::set_own_prop(&mut resource.props, key, value)?;
    }
    resource.layers = wish.layers.clone();
    resource.node_id = wish.node_id.or(resource.node_id);
    add(draft, rsc, &wish.node, resource)?;
    draft.note_props(&set, "resource", rsc);
    Ok(())
}

/// A resource that is on its way out and is asked for again stays; another that is there is an error.
fn create_again(draft: &mut Draft, rsc: &RscName, wish: &NewResource, there: &Resource) -> Result<(), Refusal> {
    let wants_disk = !wish.flags.has(ResourceFlags::DISKLESS);
    if there.flags.has(ResourceFlags::TIE_BREAKER) && !wants_disk {
        return super::available::keep_as_diskless(draft, rsc, &wish.node);
    }
    Err(Refusal::new(FAIL_EXISTS_RSC, format!("Resource '{rsc}' is on node '{}' already", wish.node))
        .because(if there.is_deleting() { "It is being deleted" } else { "It was made before" })
        .cure(if there.is_deleting() { "Wait until it is gone" } else { "Use the one that is there" })
        .about("Node", &wish.node)
        .about("RscDfn", rsc))
}

/// Refuses a definition that takes nothing new, for it goes.
pub(super) fn refuse_deleting(definition: &ResourceDefinition) -> Result<(), Refusal> {
    if !definition.flags.has(DefinitionFlags::DELETE) {
        return Ok(());
    }
    Err(Refusal::new(FAIL_IN_USE, format!("Resource definition '{}' is being deleted", definition.name))
        .because("Its deletion was asked for, and goes on until every node has removed its part")
        .cure("Wait until it is gone. To be told what holds it up, delete it once more")
        .about("RscDfn", &definition.name))
}

/// As [`refuse_deleting`], and one that is being filled.
pub(super) fn refuse_definition(definition: &ResourceDefinition) -> Result<(), Refusal> {
    refuse_deleting(definition)?;
    if definition.flags.has(DefinitionFlags::CLONING) {
        return Err(Refusal::new(FAIL_IN_USE, format!("Resource definition '{}' is being cloned", definition.name))
            .cure("Wait until the clone is complete"));
    }
    Ok(())
}

/// Refuses a node that takes no new replicas.
pub(super) fn refuse_node(node: &Node) -> Result<(), Refusal> {
    let name = &node.name;
    if !node.has_satellite() {
        return Err(Refusal::new(FAIL_INVLD_NODE_TYPE, format!("Node '{name}' has no satellite"))
            .cure("Use a node of type Satellite or Combined")
            .about("Node", name));
    }
    if node.flags.has(NodeFlags::EVACUATE) || node.flags.has(NodeFlags::DELETE) {
        return Err(Refusal::new(FAIL_EVACUATING, format!("Node '{name}' takes no new resources"))
            .because(format!("Its flags are {}", node.flags.names().join(", ")))
            .cure("Restore the node first, or use another one")
            .about("Node", name));
    }
    Ok(())
}

/// Refuses layers that the node's satellite said it has not.
pub(super) fn refuse_layers(draft: &Draft, node: &Node, layers: &[LayerKind]) -> Result<(), Refusal> {
    let status = draft.cluster.status_of(&node.name);
    let Some(facts) = &status.facts else {
        return Ok(());
    };
    let Some(missing) = layers.iter().find(|layer| !facts.layers.contains(layer)) else {
        return Ok(());
    };
    let why = facts.unsupported_layers.iter().find(|(layer, _)| layer == missing);
    let why = why.map_or_else(|| "its satellite does not know it".to_owned(), |(_, reasons)| reasons.join("; "));
    Err(Refusal::new(
        FAIL_STLT_DOES_NOT_SUPPORT_LAYER,
        format!("Node '{}' does not support layer {missing}", node.name),
    )
    .because(why)
    .cure("Use another node, or a layer stack without it, for example STORAGE")
    .about("Node", &node.name))
}

/// A request for "no disk" becomes DRBD's or NVMe's own, by the layers.
fn resolve_diskless(flags: ResourceFlags, layers: &[LayerKind]) -> Result<ResourceFlags, Refusal> {
    if flags != ResourceFlags::DISKLESS {
        return Ok(flags);
    }
    match (layers.contains(&LayerKind::Drbd), layers.contains(&LayerKind::Nvme)) {
        (true, false) => Ok(ResourceFlags::DRBD_DISKLESS),
        (false, true) => Ok(ResourceFlags::NVME_INITIATOR),
        _ => Err(Refusal::new(FAIL_INVLD_LAYER_STACK, "A resource without a disk needs DRBD or NVMe in its stack")
            .because("Nothing would carry its data to the node")
            .cure("Use the flag DRBD_DISKLESS or NVME_INITIATOR with such a stack, or give it a pool")),
    }
}

fn choose_pool(
    draft: &Draft,
    definition: &ResourceDefinition,
    node: &Node,
    wish: (&Props, ResourceFlags),
) -> Result<PoolName, Refusal> {
    let (props, flags) = wish;
    if flags.has(ResourceFlags::DISKLESS) {
        return Ok(PoolName::parse(DISKLESS_POOL).expect("the constant is a legal name"));
    }
    let group = draft.cluster.groups.get(&definition.group);
    let mut levels = Levels::new()
        .with(Level::Resource, props)
        .with(Level::ResourceDefinition, &definition.props)
        .with(Level::Node, &node.props);
    if let Some(group) = group {
        levels = levels.with(Level::ResourceGroup, &group.props);
    }
    let named = levels.get(Lookup::StorPool, POOL_PROP).unwrap_or(DEFAULT_POOL);
    PoolName::parse(named).map_err(|error| {
        Refusal::new(FAIL_INVLD_STOR_POOL_NAME, error.to_string()).cure("Name a storage pool of the node")
    })
}

/// A replica with all volumes of its definition, not added yet.
pub(super) fn build(
    draft: &mut Draft,
    definition: &ResourceDefinition,
    place: &Placement,
) -> Result<Resource, Refusal> {
    let diskful = !place.flags.has(ResourceFlags::DISKLESS);
    let mut resource = Resource {
        uuid: draft.uuid(),
        flags: place.flags,
        created: draft.now,
        ordered: 0,
        node_id: definition.has_layer(LayerKind::Drbd).then(|| free_node_id(definition)).transpose()?,
        ports: Vec::new(),
        layers: None,
        rollback: None,
        props: Props::default(),
        volumes: Default::default(),
    };
    super::definition::set_own_prop(&mut resource.props, POOL_PROP, place.pool.as_str())?;
    for (number, volume) in &definition.volumes {
        if volume.flags.has(VolumeDefinitionFlags::DELETE) {
            continue;
        }
        let origin = (place.origin)(*number);
        resource.volumes.insert(*number, new_volume(draft, place.node, &place.pool, origin)?);
    }
    let known = draft.node(place.node)?.pools.get(&place.pool).map(|pool| pool.provider);
    if diskful {
        refuse_pool_without_storage(draft, place.node, &place.pool)?;
    }
    if diskful && known.is_none() {
        new_volume(draft, place.node, &place.pool, Origin::Blank)?;
    }
    if diskful {
        refuse_no_room(draft, place.node, &place.pool, super::room::data_size(&draft.cluster, definition))?;
        super::room::refuse_no_caches(draft, definition, place.node)?;
    }
    Ok(resource)
}

/// Refuses a pool that holds no replica with a disk.
pub(super) fn refuse_pool_without_storage(draft: &Draft, node: &NodeName, pool: &PoolName) -> Result<(), Refusal> {
    let known = draft.node(node)?.pools.get(pool).map(|pool| pool.provider);
    if known != Some(ProviderKind::Diskless) {
        return Ok(());
    }
    Err(Refusal::new(FAIL_INVLD_STOR_DRIVER, format!("Storage pool '{pool}' has no storage"))
        .cure("Name a pool with storage, or ask for a resource without a disk"))
}

fn free_node_id(definition: &ResourceDefinition) -> Result<u8, Refusal> {
    let taken = |id: &u8| definition.resources.values().any(|resource| resource.node_id == Some(*id));
    (0..=MAX_NODE_ID).find(|id| !taken(id)).ok_or_else(|| {
        Refusal::new(FAIL_POOL_EXHAUSTED_NODE_ID, format!("Resource '{}' has no DRBD node id left", definition.name))
            .because(format!("At most {} replicas can be made", MAX_NODE_ID + 1))
            .cure("Delete a replica that is not needed first")
    })
}

/// Adds a replica to its definition.
pub(super) fn add(draft: &mut Draft, rsc: &RscName, node: &NodeName, mut resource: Resource) -> Result<(), Refusal> {
    let mut definition = draft.definition(rsc)?;
    super::volume_key::give_keys(draft, &definition, (node, &mut resource))?;
    let no_volumes = definition.volumes.is_empty();
    let uuid = resource.uuid;
    let diskful = resource.is_diskful();
    let pool = resource.props.get(POOL_PROP).unwrap_or(DISKLESS_POOL).to_owned();
    definition.resources.insert(node.clone(), resource);
    draft.put_definition(definition);
    let place = if diskful { format!("in storage pool '{pool}'") } else { "without a disk".to_owned() };
    draft.note(
        Note::success(CREATED, format!("Resource '{rsc}' created on node '{node}' {place}"))
            .about("UUID", uuid)
            .about("Node", node)
            .about("RscDfn", rsc),
    );
    if no_volumes {
        draft.note(Note::info(INFO_NOOP, format!("Resource definition '{rsc}' has no volumes yet")));
    }
    if !draft.cluster.is_online(node) {
        draft.note(offline_note(node));
    }
    Ok(())
}

/// The warning that a node is told later.
pub(super) fn offline_note(node: &NodeName) -> Note {
    Note::warning(WARN_NOT_CONNECTED, format!("Node '{node}' is not connected"))
        .because("Its satellite does not answer")
        .details("It is told as soon as it comes back")
        .about("Node", node)
}

/// The resource, with its definition, to be changed and put back.
pub(super) fn find(draft: &Draft, rsc: &RscName, node: &NodeName) -> Result<ResourceDefinition, Refusal> {
    let definition = draft.definition(rsc)?;
    draft.node(node)?;
    if definition.resources.contains_key(node) {
        return Ok(definition);
    }
    Err(Refusal::new(FAIL_NOT_FOUND_RSC, format!("Resource '{rsc}' is not on node '{node}'"))
        .cure("List the resources that are there, or create it first")
        .about("RscDfn", rsc)
        .about("Node", node))
}

fn modify(draft: &mut Draft, rsc: &RscName, node: &NodeName, props: &PropsModify) -> Result<(), Refusal> {
    let old = find(draft, rsc, node)?;
    let mut new = old.clone();
    let resource = new.resources.get_mut(node).expect("found above");
    let set = draft.modify_props(&mut resource.props, props, PropertyOwner::Resource)?;
    if new != old {
        draft.put_definition(new);
    }
    draft.note(
        Note::success(MODIFIED, format!("Resource '{rsc}' on node '{node}' modified"))
            .about("RscDfn", rsc)
            .about("Node", node),
    );
    draft.note_props(&set, "resource", rsc);
    Ok(())
}

fn modify_volume(
    draft: &mut Draft,
    at: (&RscName, &NodeName),
    number: VolumeNumber,
    props: &PropsModify,
) -> Result<(), Refusal> {
    let (rsc, node) = at;
    let old = find(draft, rsc, node)?;
    let mut new = old.clone();
    let resource = new.resources.get_mut(node).expect("found above");
    let volume = resource.volumes.get_mut(&number).ok_or_else(|| {
        Refusal::new(FAIL_NOT_FOUND_VLM, format!("Resource '{rsc}' on node '{node}' has no volume {number}"))
            .cure("List the resource's volumes")
            .about("RscDfn", rsc)
            .about("VlmNr", number)
    })?;
    let set = draft.modify_props(&mut volume.props, props, PropertyOwner::Volume)?;
    if new != old {
        draft.put_definition(new);
    }
    draft.note(Note::success(MODIFIED, format!("Volume {number} of '{rsc}' on node '{node}' modified")));
    draft.note_props(&set, "volume", number);
    Ok(())
}

fn modify_connection(
    draft: &mut Draft,
    rsc: &RscName,
    pair: (&NodeName, &NodeName),
    props: &PropsModify,
) -> Result<(), Refusal> {
    find(draft, rsc, pair.0)?;
    let old = find(draft, rsc, pair.1)?;
    let (a, b) = if pair.0 < pair.1 { pair } else { (pair.1, pair.0) };
    if a == b {
        return Err(Refusal::new(FAIL_INVLD_NODE_NAME, "A connection needs two nodes").cure("Name two different nodes"));
    }
    let mut new = old.clone();
    let known = new.connections.iter().position(|connection| connection.a == *a && connection.b == *b);
    let at = known.unwrap_or_else(|| {
        let uuid = draft.uuid();
        new.connections.push(ResourceConnection { a: a.clone(), b: b.clone(), uuid, props: Props::default() });
        new.connections.len() - 1
    });
    let set = draft.modify_props(&mut new.connections[at].props, props, PropertyOwner::ResourceConnection)?;
    new.connections.retain(|connection| !connection.props.is_empty());
    if new != old {
        draft.put_definition(new);
    }
    draft.note(Note::success(MODIFIED, format!("Connection of '{rsc}' between '{a}' and '{b}' modified")));
    draft.note_props(&set, "resource connection", rsc);
    Ok(())
}

fn delete(draft: &mut Draft, rsc: &RscName, node: &NodeName) -> Result<(), Refusal> {
    let there = draft.cluster.definitions.get(rsc).is_some_and(|d| d.resources.contains_key(node));
    if !there {
        let note = Note::warning(WARN_NOT_FOUND, format!("Resource '{rsc}' is not on node '{node}'"));
        draft.note(note.about("RscDfn", rsc).about("Node", node));
        return Ok(());
    }
    let mut definition = draft.definition(rsc)?;
    if !definition.resources[node].is_deleting() {
        refuse_in_use(draft, rsc, node)?;
    }
    refuse_last_disk(&definition, node)?;
    let generation = definition.generation + 1;
    let resource = definition.resources.get_mut(node).expect("found above");
    resource.flags = resource.flags.with(ResourceFlags::DELETE);
    // Asked again, the node tries again and the caller waits for that.
    resource.ordered = generation;
    draft.put_definition(definition);
    draft.note(
        Note::success(DELETED, format!("Resource '{rsc}' on node '{node}' deleted"))
            .about("RscDfn", rsc)
            .about("Node", node),
    );
    Ok(())
}

/// Refuses while the resource is in use on the node.
pub(super) fn refuse_in_use(draft: &Draft, rsc: &RscName, node: &NodeName) -> Result<(), Refusal> {
    let status = draft.cluster.resource_status_of(rsc, node);
    if status.and_then(|status| status.in_use) != Some(true) {
        return Ok(());
    }
    Err(Refusal::new(FAIL_IN_USE, format!("Resource '{rsc}' is in use on node '{node}'"))
        .because("Its device is mounted or open")
        .cure("Unmount it or stop its user first")
        .about("RscDfn", rsc)
        .about("Node", node))
}

/// The last replica with a disk stays while replicas without a disk read from it, and one that holds the data while
/// others are still to be filled from it.
pub(super) fn refuse_last_disk(definition: &ResourceDefinition, node: &NodeName) -> Result<(), Refusal> {
    let stays = |(name, resource): (&NodeName, &Resource)| name != node && !resource.is_deleting();
    let others = || definition.resources.iter().filter(|entry| stays(*entry));
    let own = definition.resources.get(node);
    let is_disk = own.is_some_and(Resource::is_diskful);
    let left = others().any(|(_, resource)| resource.keeps_disk());
    if left {
        return refuse_last_data(definition, node);
    }
    if !is_disk || others().next().is_none() {
        return Ok(());
    }
    let readers: Vec<&str> = others().map(|(name, _)| name.as_str()).collect();
    Err(Refusal::new(FAIL_INSUFFICIENT_REPLICA_COUNT, format!("The replica on node '{node}' is the last with a disk"))
        .because("Replicas without a disk would lose their data")
        .cure("Delete the replicas without a disk first, or add another with a disk")
        .details(format!("Replicas without a disk: {}", readers.join(", ")))
        .about("RscDfn", &definition.name)
        .about("Node", node))
}

/// Under DRBD the others are filled from those that hold the data: of each volume one of these has to stay.
fn refuse_last_data(definition: &ResourceDefinition, node: &NodeName) -> Result<(), Refusal> {
    let Some(own) = definition.resources.get(node).filter(|_| definition.has_layer(LayerKind::Drbd)) else {
        return Ok(());
    };
    let others = || definition.resources.iter().filter(|(name, _)| *name != node);
    let stays = |volume: &&VolumeDefinition| !volume.flags.has(VolumeDefinitionFlags::DELETE);
    let mut numbers = definition.volumes.values().filter(stays).map(|volume| volume.number);
    let lone = numbers.find(|number| own.holds(*number) && !others().any(|(_, resource)| resource.holds(*number)));
    let Some(number) = lone else {
        return Ok(());
    };
    let text = format!("The replica on node '{node}' is the only one on which volume {number} is made");
    Err(Refusal::new(FAIL_INSUFFICIENT_REPLICA_COUNT, text)
        .because("The other replicas are still to be filled from it")
        .cure("Ask again when another replica is up to date")
        .about("RscDfn", &definition.name)
        .about("Node", node))
}

fn set_active(draft: &mut Draft, rsc: &RscName, node: &NodeName, active: bool) -> Result<(), Refusal> {
    let mut definition = find(draft, rsc, node)?;
    let asked_before = definition.resources[node].flags.has(ResourceFlags::INACTIVATING);
    if !active && !asked_before {
        refuse_in_use(draft, rsc, node)?;
    }
    let generation = definition.generation + 1;
    let resource = definition.resources.get_mut(node).expect("found above");
    if active && resource.flags.has(ResourceFlags::INACTIVE_PERMANENTLY) {
        return Err(Refusal::new(FAIL_INVLD_RSC_STATE, format!("Resource '{rsc}' on node '{node}' stays inactive"))
            .cure("Delete it there and create it again"));
    }
    let word = if active { "activated" } else { "deactivated" };
    let before = resource.flags;
    resource.flags = match (active, resource.is_active()) {
        (true, false) => before.without(ResourceFlags::INACTIVE).without(ResourceFlags::INACTIVATING),
        (false, true) => before.with(ResourceFlags::INACTIVATING),
        _ => before,
    };
    if resource.flags != before || (asked_before && !active) {
        resource.ordered = generation;
        draft.put_definition(definition);
    }
    draft.note(
        Note::success(MODIFIED, format!("Resource '{rsc}' on node '{node}' {word}"))
            .about("RscDfn", rsc)
            .about("Node", node),
    );
    Ok(())
}

/// After its disk is gone: all volumes in the pool without storage.
pub(super) fn to_diskless_pool(resource: &mut Resource) {
    let pool = PoolName::parse(DISKLESS_POOL).expect("the constant is a legal name");
    for volume in resource.volumes.values_mut() {
        volume.pool = pool.clone();
        volume.provider = ProviderKind::Diskless;
        volume.made = false;
        volume.origin = Origin::Blank;
        volume.key = None;
    }
    resource.props.remove(POOL_PROP);
}
