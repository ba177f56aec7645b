//! Decisions that give a replica a disk, or take it away; migration of a disk between nodes.

use super::draft::Draft;
use super::resource::{POOL_PROP, find, refuse_in_use, refuse_last_disk};
use super::volume::{new_volume, refuse_no_room};
use crate::model::code::*;
use crate::model::command::ResourceCommand;
use crate::model::definition::Volume;
use crate::model::desired::Origin;
use crate::model::kinds::{LayerKind, ResourceFlags};
use crate::model::names::{NodeName, PoolName, RscName};
use crate::model::node::DISKLESS_POOL;
use crate::model::refusal::{Note, Refusal};

/// Property that names the node whose replica goes when this one is current.
pub(super) const MIGRATE_FROM: &str = "MigrateFrom";

pub(super) fn toggle(draft: &mut Draft, command: &ResourceCommand) -> Result<(), Refusal> {
    let ResourceCommand::ToggleDisk { rsc, node, diskful, pool, migrate_from } = command else {
        return Ok(());
    };
    super::resource::refuse_definition(&draft.definition(rsc)?)?;
    let definition = find_or_make(draft, rsc, node, *diskful)?;
    let resource = definition.resources.get(node).expect("found or made above");
    if resource.is_diskful() == *diskful {
        let (code, text) = match diskful {
            true => (WARN_RSC_ALREADY_HAS_DISK, "has a disk already"),
            false => (WARN_RSC_ALREADY_DISKLESS, "has no disk already"),
        };
        draft.note(Note::warning(code, format!("Resource '{rsc}' on node '{node}' {text}")));
        return Ok(());
    }
    if !*diskful {
        return to_diskless(draft, rsc, node);
    }
    let source = migrate_from.as_ref().map(|from| migration_pool(draft, rsc, from)).transpose()?;
    let named = resource.props.get(POOL_PROP).and_then(|name| PoolName::parse(name).ok());
    // One that was made without a disk names the pool without storage.
    let named = named.filter(|name| name.as_str() != DISKLESS_POOL);
    let pool = pool.clone().or(named).or(source).ok_or_else(|| {
        Refusal::new(FAIL_NOT_FOUND_DFLT_STOR_POOL, format!("No storage pool is named for '{rsc}' on node '{node}'"))
            .cure("Name the storage pool for its disk")
    })?;
    to_diskful(draft, rsc, node, &pool)?;
    if let Some(from) = migrate_from {
        let mut definition = draft.definition(rsc)?;
        let resource = definition.resources.get_mut(node).expect("found above");
        super::definition::set_own_prop(&mut resource.props, MIGRATE_FROM, from.as_str())?;
        draft.put_definition(definition);
        super::evacuation::evacuation_progress(draft, rsc);
    }
    Ok(())
}

/// A migration to a node without a replica begins with one without a disk.
fn find_or_make(
    draft: &mut Draft,
    rsc: &RscName,
    node: &NodeName,
    diskful: bool,
) -> Result<crate::model::definition::ResourceDefinition, Refusal> {
    let there = draft.definition(rsc)?.resources.contains_key(node);
    if !there && diskful && draft.definition(rsc)?.has_layer(LayerKind::Drbd) {
        super::available::create_diskless(draft, rsc, node)?;
    }
    find(draft, rsc, node)
}

fn migration_pool(draft: &Draft, rsc: &RscName, from: &NodeName) -> Result<PoolName, Refusal> {
    let definition = find(draft, rsc, from)?;
    let source = &definition.resources[from];
    let pool = source.volumes.values().next().map(|volume| volume.pool.clone());
    pool.filter(|_| source.is_diskful()).ok_or_else(|| {
        Refusal::new(FAIL_INVLD_REQUEST, format!("Resource '{rsc}' on node '{from}' has no disk to migrate"))
            .cure("Name a node whose replica has a disk")
    })
}

/// Gives a replica a disk in the pool.
pub(super) fn to_diskful(draft: &mut Draft, rsc: &RscName, node: &NodeName, pool: &PoolName) -> Result<(), Refusal> {
    let mut definition = find(draft, rsc, node)?;
    super::resource::refuse_pool_without_storage(draft, node, pool)?;
    refuse_no_room(draft, node, pool, super::room::data_size(&draft.cluster, &definition))?;
    super::room::refuse_no_caches(draft, &definition, node)?;
    // One that is being deleted goes on being deleted.
    let numbers: Vec<_> =
        definition.resources[node].volumes.iter().map(|(number, volume)| (*number, volume.flags)).collect();
    for (number, flags) in numbers {
        let volume = Volume { flags, ..new_volume(draft, node, pool, Origin::Blank)? };
        let resource = definition.resources.get_mut(node).expect("found above");
        resource.volumes.insert(number, volume);
    }
    let resource = definition.resources.get_mut(node).expect("found above");
    let diskless = ResourceFlags::TIE_BREAKER.with(ResourceFlags::NVME_INITIATOR);
    resource.flags = resource.flags.without(diskless);
    super::definition::set_own_prop(&mut resource.props, POOL_PROP, pool.as_str())?;
    let mut resource = resource.clone();
    super::volume_key::give_keys(draft, &definition, (node, &mut resource))?;
    definition.resources.insert(node.clone(), resource);
    draft.put_definition(definition);
    draft.note(
        Note::success(MODIFIED, format!("Resource '{rsc}' on node '{node}' gets a disk in storage pool '{pool}'"))
            .about("RscDfn", rsc)
            .about("Node", node),
    );
    Ok(())
}

fn to_diskless(draft: &mut Draft, rsc: &RscName, node: &NodeName) -> Result<(), Refusal> {
    let mut definition = find(draft, rsc, node)?;
    if !definition.has_layer(LayerKind::Drbd) {
        return Err(Refusal::new(FAIL_INVLD_LAYER_STACK, format!("Resource '{rsc}' cannot do without its disk"))
            .because("Only DRBD reads from other nodes' disks, and it is not in the stack")
            .cure("Delete the resource on this node instead"));
    }
    refuse_in_use(draft, rsc, node)?;
    refuse_last_disk(&definition, node)?;
    if definition.diskful().all(|(name, resource)| name == node || !resource.keeps_disk()) {
        return Err(Refusal::new(FAIL_INSUFFICIENT_REPLICA_COUNT, format!("'{node}' has the only disk of '{rsc}'"))
            .cure("Add another replica with a disk first"));
    }
    let resource = definition.resources.get_mut(node).expect("found above");
    resource.flags = resource.flags.with(ResourceFlags::DISK_REMOVE_REQUESTED).with(ResourceFlags::DISK_REMOVING);
    draft.put_definition(definition);
    draft.note(
        Note::success(MODIFIED, format!("Resource '{rsc}' on node '{node}' gives up its disk"))
            .about("RscDfn", rsc)
            .about("Node", node),
    );
    Ok(())
}
