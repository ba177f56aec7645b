//! Decisions about volume definitions: making, growing, shrinking and removing volumes of all replicas.

use super::draft::Draft;
use crate::model::code::*;
use crate::model::command::{DefinitionCommand, NewVolume};
use crate::model::definition::{Resource, ResourceDefinition, Volume, VolumeDefinition};
use crate::model::desired::Origin;
use crate::model::kinds::{LayerKind, VolumeDefinitionFlags, VolumeFlags};
use crate::model::names::{NodeName, PoolName, RscName, VolumeNumber};
use crate::model::placement::check_room;
use crate::model::props::{PropertyOwner, Props};
use crate::model::refusal::{Note, Refusal};
use crate::model::size::{Kib, LARGEST_VOLUME};

/// Smallest volume: DRBD's and every file system's least useful size.
const MIN_SIZE: Kib = Kib(4);

/// Refuses a size that no layer can make.
pub(super) fn refuse_size(size: Kib) -> Result<(), Refusal> {
    if (MIN_SIZE..=LARGEST_VOLUME).contains(&size) {
        return Ok(());
    }
    Err(Refusal::new(FAIL_INVLD_VLM_SIZE, format!("A volume cannot have {size}"))
        .because(format!("Sizes from {MIN_SIZE} to {LARGEST_VOLUME} can be made"))
        .cure("Give the size in KiB, within these limits"))
}

pub(super) fn create(draft: &mut Draft, new: &NewVolume) -> Result<(), Refusal> {
    refuse_size(new.size)?;
    let mut definition = draft.definition(&new.rsc)?;
    super::resource::refuse_definition(&definition)?;
    let number = match new.number {
        Some(number) => number,
        None => lowest_free(&definition)?,
    };
    if definition.volumes.contains_key(&number) {
        return Err(Refusal::new(
            FAIL_EXISTS_VLM_DFN,
            format!("Volume definition {number} of '{}' exists already", new.rsc),
        )
        .cure("Leave the number out to get the lowest free one")
        .about("RscDfn", &new.rsc)
        .about("VlmNr", number));
    }
    let mut props = Props::default();
    let (plain, of_props) = super::volume_key::taken_out(&new.props);
    let set = draft.modify_props(&mut props, &plain, PropertyOwner::VolumeDefinition)?;
    let volume = VolumeDefinition {
        number,
        uuid: draft.uuid(),
        size: new.size,
        flags: new.flags,
        minor: new.minor,
        cut: None,
        props,
    };
    refuse_taken_minor(draft, new.minor)?;
    let uuid = volume.uuid;
    definition.volumes.insert(number, volume);
    if let Some(passphrase) = new.passphrase.as_ref().or(of_props.as_ref()) {
        super::volume_key::set_own(draft, &mut definition, (number, passphrase))?;
    }
    assign_minors(draft, &mut definition)?;
    add_to_resources(draft, &mut definition, number)?;
    let minor = definition.volumes[&number].minor;
    draft.put_definition(definition);
    let mut note = Note::success(CREATED, format!("Volume definition {number} of '{}' created", new.rsc))
        .about("RscDfn", &new.rsc)
        .about("VlmNr", number)
        .about("UUID", uuid);
    if let Some(minor) = minor {
        note = note.details(format!("DRBD minor number {minor}"));
    }
    draft.note(note);
    draft.note_props(&set, "volume definition", number);
    Ok(())
}

fn refuse_taken_minor(draft: &Draft, minor: Option<u32>) -> Result<(), Refusal> {
    match minor.filter(|minor| draft.cluster.minors.is_taken(*minor)) {
        None => Ok(()),
        Some(minor) => Err(Refusal::new(FAIL_INVLD_MINOR_NR, format!("DRBD minor number {minor} is in use"))
            .cure("Leave it out to get the lowest free one")),
    }
}

fn lowest_free(definition: &ResourceDefinition) -> Result<VolumeNumber, Refusal> {
    let free = (0..=u32::from(VolumeNumber::MAX))
        .filter_map(|number| VolumeNumber::new(number).ok())
        .find(|number| !definition.volumes.contains_key(number));
    free.ok_or_else(|| {
        Refusal::new(FAIL_POOL_EXHAUSTED_VLM_NR, "All volume numbers are in use")
            .cure("Delete a volume, or use another definition")
    })
}

/// Gives each volume that needs a DRBD minor number the lowest free one.
pub(super) fn assign_minors(draft: &mut Draft, definition: &mut ResourceDefinition) -> Result<(), Refusal> {
    if !definition.has_layer(LayerKind::Drbd) {
        return Ok(());
    }
    let mut minors = draft.cluster.minors.clone();
    for volume in definition.volumes.values_mut().filter(|volume| volume.minor.is_none()) {
        let minor = minors.lowest_free().ok_or_else(|| {
            Refusal::new(FAIL_POOL_EXHAUSTED_MINOR_NR, "No DRBD minor number is free")
                .cure("Delete definitions that are no longer needed")
        })?;
        minors.take(minor);
        volume.minor = Some(minor);
    }
    Ok(())
}

/// A new volume of each resource, in the pool that the resource uses.
fn add_to_resources(
    draft: &mut Draft,
    definition: &mut ResourceDefinition,
    number: VolumeNumber,
) -> Result<(), Refusal> {
    let size = super::room::gross(&draft.cluster, definition, definition.volumes[&number].size);
    for (node, resource) in definition.resources.iter_mut().filter(|(_, resource)| !resource.is_deleting()) {
        let pool = pool_of(resource, node)?;
        let diskful = resource.is_diskful();
        let volume = new_volume(draft, node, &pool, Origin::Blank)?;
        if diskful {
            refuse_no_room(draft, node, &pool, size)?;
        }
        resource.volumes.insert(number, volume);
    }
    let names: Vec<NodeName> = definition.resources.keys().cloned().collect();
    for node in names {
        let mut resource = definition.resources[&node].clone();
        super::volume_key::give_keys(draft, definition, (&node, &mut resource))?;
        definition.resources.insert(node, resource);
    }
    Ok(())
}

/// The pool of a resource's volumes.
fn pool_of(resource: &Resource, node: &NodeName) -> Result<PoolName, Refusal> {
    let named = resource.props.get("StorPoolName").and_then(|name| PoolName::parse(name).ok());
    let used = resource.volumes.values().next().map(|volume| volume.pool.clone());
    named.or(used).ok_or_else(|| {
        Refusal::new(FAIL_NOT_FOUND_DFLT_STOR_POOL, format!("The resource on node '{node}' has no storage pool"))
            .cure("Set the property StorPoolName of the resource")
    })
}

/// A volume of a resource, not made yet.
pub(super) fn new_volume(
    draft: &mut Draft,
    node: &NodeName,
    pool: &PoolName,
    origin: Origin,
) -> Result<Volume, Refusal> {
    let record = draft.node(node)?;
    let Some(found) = record.pools.get(pool) else {
        let there: Vec<&str> = record.pools.keys().map(PoolName::as_str).collect();
        return Err(Refusal::new(FAIL_NOT_FOUND_STOR_POOL, format!("Node '{node}' has no storage pool '{pool}'"))
            .cure(format!("Create it, or use one of: {}", there.join(", ")))
            .about("Node", node)
            .about("StorPool", pool));
    };
    Ok(Volume {
        uuid: draft.uuid(),
        pool: found.name.clone(),
        provider: found.provider,
        flags: VolumeFlags::NONE,
        made: false,
        origin,
        key: None,
        props: Props::default(),
    })
}

/// Refuses when a pool has no room left for `size`.
pub(super) fn refuse_no_room(draft: &Draft, node: &NodeName, pool: &PoolName, size: Kib) -> Result<(), Refusal> {
    check_room(&draft.cluster, node, pool, size).map_err(|reason| {
        Refusal::new(FAIL_NOT_ENOUGH_FREE_SPACE, format!("Storage pool '{pool}' on node '{node}' cannot take {size}"))
            .because(reason.to_string())
            .cure("Use another pool or node, free some room, or grow the pool")
            .about("Node", node)
            .about("StorPool", pool)
    })
}

pub(super) fn modify(draft: &mut Draft, command: &DefinitionCommand) -> Result<(), Refusal> {
    let DefinitionCommand::VolumeModify { rsc, number, size, props, set, clear } = command else {
        return Ok(());
    };
    let old = draft.definition(rsc)?;
    let mut new = old.clone();
    let (props, passphrase) = super::volume_key::taken_out(props);
    if let Some(passphrase) = &passphrase {
        super::volume_key::put_change(draft, &mut new, (*number, passphrase))?;
    }
    let volume = new.volumes.get_mut(number).ok_or_else(|| not_found(rsc, *number))?;
    let changed = draft.modify_props(&mut volume.props, &props, PropertyOwner::VolumeDefinition)?;
    volume.flags = volume.flags.without(*clear).with(*set);
    let mut same_size = false;
    if let Some(size) = *size {
        same_size = size == volume.size;
        if !same_size {
            resize(draft, &mut new, *number, size)?;
        }
    }
    if new != old {
        draft.put_definition(new);
    }
    if same_size {
        draft.note(Note::warning(
            WARN_VLMDFN_RESIZE_SAME_SIZE,
            format!("Volume {number} of '{rsc}' has that size already"),
        ));
    }
    draft.note(
        Note::success(MODIFIED, format!("Volume definition {number} of '{rsc}' modified"))
            .about("RscDfn", rsc)
            .about("VlmNr", number),
    );
    draft.note_props(&changed, "volume definition", number);
    Ok(())
}

pub(super) fn not_found(rsc: &RscName, number: VolumeNumber) -> Refusal {
    Refusal::new(FAIL_NOT_FOUND_VLM_DFN, format!("Volume definition {number} of '{rsc}' not found"))
        .cure("List the definition's volumes, or create it first")
        .about("RscDfn", rsc)
        .about("VlmNr", number)
}

fn resize(draft: &Draft, definition: &mut ResourceDefinition, number: VolumeNumber, size: Kib) -> Result<(), Refusal> {
    refuse_size(size)?;
    refuse_going(definition, number)?;
    let has_drbd = definition.has_layer(LayerKind::Drbd);
    let targets: Vec<(NodeName, PoolName)> = definition
        .diskful()
        .filter_map(|(node, resource)| Some((node.clone(), resource.volumes.get(&number)?.pool.clone())))
        .collect();
    if size < definition.volumes[&number].size {
        // It would have to be known to which size a refusal goes back.
        super::rollback::refuse_while_rolling(definition)?;
    }
    let generation = definition.generation + 1;
    let volume = definition.volumes.get_mut(&number).expect("the caller found it");
    if size > volume.size {
        let more = Kib(size.0 - volume.size.0);
        for (node, pool) in &targets {
            refuse_no_room(draft, node, pool, more)?;
        }
        volume.flags = volume.flags.without(VolumeDefinitionFlags::RESIZE_SHRINK).with(VolumeDefinitionFlags::RESIZE);
        (volume.size, volume.cut) = (size, None);
    } else {
        if has_drbd && !targets.is_empty() {
            return Err(Refusal::new(FAIL_INVLD_VLM_SIZE, "A volume under DRBD cannot be made smaller")
                .because("DRBD would grow it again at the next adjustment")
                .cure("Make a smaller volume and copy the data"));
        }
        volume.flags = volume.flags.with(VolumeDefinitionFlags::RESIZE_SHRINK);
        super::taken_back::cut(volume, size, generation);
    }
    if targets.is_empty() {
        volume.flags = volume.flags.without(VolumeDefinitionFlags::RESIZE_SHRINK);
        volume.cut = None;
    }
    Ok(())
}

/// Refuses to change the size of what is on its way out.
fn refuse_going(definition: &ResourceDefinition, number: VolumeNumber) -> Result<(), Refusal> {
    super::resource::refuse_deleting(definition)?;
    if !definition.volumes[&number].flags.has(VolumeDefinitionFlags::DELETE) {
        return Ok(());
    }
    let rsc = &definition.name;
    Err(Refusal::new(FAIL_IN_USE, format!("Volume {number} of '{rsc}' is being deleted"))
        .because("It goes as soon as every node has removed its part")
        .cure("Wait until it is gone, and create a new volume of the size that you want")
        .about("RscDfn", rsc)
        .about("VlmNr", number))
}

pub(super) fn delete(draft: &mut Draft, rsc: &RscName, number: VolumeNumber) -> Result<(), Refusal> {
    let found = draft.cluster.definitions.get(rsc).is_some_and(|d| d.volumes.contains_key(&number));
    if !found {
        let note = Note::warning(WARN_NOT_FOUND, format!("Volume definition {number} of '{rsc}' not found"));
        draft.note(note.about("RscDfn", rsc).about("VlmNr", number));
        return Ok(());
    }
    super::rollback::cancel_any(draft, rsc)?;
    let mut definition = draft.definition(rsc)?;
    if !definition.volumes[&number].flags.has(VolumeDefinitionFlags::DELETE) {
        super::definition::refuse_while_in_use(draft, &definition)?;
    }
    let mut waits = false;
    let generation = definition.generation + 1;
    for resource in definition.resources.values_mut() {
        if let Some(volume) = resource.volumes.get_mut(&number) {
            volume.flags = volume.flags.with(VolumeFlags::DELETE);
            // Asked again, the node tries again and the caller waits for that.
            resource.ordered = generation;
            waits = true;
        }
    }
    if waits {
        let volume = definition.volumes.get_mut(&number).expect("found above");
        volume.flags = volume.flags.with(VolumeDefinitionFlags::DELETE);
    } else {
        definition.volumes.remove(&number);
    }
    draft.put_definition(definition);
    let note = Note::success(DELETED, format!("Volume definition {number} of '{rsc}' deleted"));
    draft.note(note.about("RscDfn", rsc).about("VlmNr", number));
    Ok(())
}
