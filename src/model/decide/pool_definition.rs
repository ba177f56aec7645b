//! Decisions about storage pool definitions: what pools of one name on all nodes have in common. They are made with
//! their first pool, and stay when it goes.

use std::sync::Arc;

use super::draft::Draft;
use super::notes::{already_gone, join, modified};
use crate::model::change::Change;
use crate::model::code::*;
use crate::model::names::PoolName;
use crate::model::node::{DEFAULT_POOL, DISKLESS_POOL, PoolDefinition};
use crate::model::props::{PropertyOwner, Props, PropsModify};
use crate::model::refusal::{Note, Refusal};

pub(super) fn create(draft: &mut Draft, name: &PoolName, request: &PropsModify) -> Result<(), Refusal> {
    if draft.cluster.pool_definitions.contains_key(name) {
        return Err(Refusal::new(
            FAIL_EXISTS_STOR_POOL_DFN,
            format!("Storage pool definition '{name}' exists already"),
        )
        .because("It was created before, or with the first pool of that name")
        .cure("Modify it, or choose another name")
        .about("StorPoolDfn", name));
    }
    let mut definition = PoolDefinition { name: name.clone(), uuid: draft.uuid(), props: Props::new() };
    let change = draft.modify_props(&mut definition.props, request, PropertyOwner::StoragePoolDefinition)?;
    draft.note(refer(Note::success(CREATED, format!("Storage pool definition '{name}' created")), &definition));
    draft.note_props(&change, "storage pool definition", name);
    put(draft, definition);
    Ok(())
}

/// Makes the definition when a first pool wants it.
pub(super) fn ensure(draft: &mut Draft, name: &PoolName) {
    if !draft.cluster.pool_definitions.contains_key(name) {
        let uuid = draft.uuid();
        put(draft, PoolDefinition { name: name.clone(), uuid, props: Props::new() });
    }
}

pub(super) fn modify(draft: &mut Draft, name: &PoolName, request: &PropsModify) -> Result<(), Refusal> {
    let Some(definition) = draft.cluster.pool_definitions.get(name) else {
        return Err(Refusal::new(FAIL_NOT_FOUND_STOR_POOL_DFN, format!("Storage pool definition '{name}' not found"))
            .because("It was deleted before, or never created")
            .cure("List the definitions that are there, or create it first")
            .about("StorPoolDfn", name));
    };
    let mut definition = PoolDefinition::clone(definition);
    let change = draft.modify_props(&mut definition.props, request, PropertyOwner::StoragePoolDefinition)?;
    let what = format!("Storage pool definition '{}'", definition.name);
    draft.note(refer(modified(what, !change.is_empty()), &definition));
    draft.note_props(&change, "storage pool definition", name);
    if !change.is_empty() {
        put(draft, definition);
    }
    Ok(())
}

pub(super) fn delete(draft: &mut Draft, name: &PoolName) -> Result<(), Refusal> {
    let what = format!("Storage pool definition '{name}'");
    let Some(definition) = draft.cluster.pool_definitions.get(name).cloned() else {
        draft.note(already_gone(what));
        return Ok(());
    };
    if [DEFAULT_POOL, DISKLESS_POOL].iter().any(|built_in| name.as_str().eq_ignore_ascii_case(built_in)) {
        return Err(Refusal::new(FAIL_INVLD_STOR_POOL_NAME, format!("{what} cannot be deleted"))
            .because("It is built in")
            .cure("Leave it; it takes no room")
            .about("StorPoolDfn", name));
    }
    let nodes = draft.cluster.nodes.values().filter(|node| node.pools.contains_key(name));
    let nodes: Vec<_> = nodes.map(|node| &node.name).collect();
    if !nodes.is_empty() {
        return Err(Refusal::new(FAIL_IN_USE, format!("{what} is in use"))
            .because("Nodes have storage pools of that name")
            .cure("Delete the storage pools first")
            .details(format!("Nodes: {}", join(nodes)))
            .about("StorPoolDfn", name));
    }
    draft.put(Change::PoolDefinition(name.clone(), None));
    draft.note(refer(Note::success(DELETED, format!("{what} deleted")), &definition));
    Ok(())
}

fn put(draft: &mut Draft, definition: PoolDefinition) {
    draft.put(Change::PoolDefinition(definition.name.clone(), Some(Arc::new(definition))));
}

fn refer(note: Note, definition: &PoolDefinition) -> Note {
    note.about("StorPoolDfn", &definition.name).about("UUID", definition.uuid)
}
