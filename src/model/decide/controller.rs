//! Decisions about the controller's properties and the key-value stores. Never looks into what a store holds.

use std::sync::Arc;

use super::draft::Draft;
use super::notes::{already_gone, modified};
use crate::model::change::Change;
use crate::model::code::*;
use crate::model::command::ControllerCommand;
use crate::model::kvs::{ControllerRecord, KeyValueStore};
use crate::model::names::KvsName;
use crate::model::props::{PropertyOwner, Props, PropsModify};
use crate::model::refusal::{Note, Refusal};

pub(super) fn decide(draft: &mut Draft, command: &ControllerCommand) -> Result<(), Refusal> {
    match command {
        ControllerCommand::Modify { props } => modify(draft, props),
        ControllerCommand::KvsModify { name, props } => modify_store(draft, name, props),
        ControllerCommand::KvsDelete { name } => {
            delete_store(draft, name);
            Ok(())
        }
    }
}

fn modify(draft: &mut Draft, request: &PropsModify) -> Result<(), Refusal> {
    let mut record = ControllerRecord::clone(&draft.cluster.controller);
    let change = draft.modify_props(&mut record.props, request, PropertyOwner::Controller)?;
    if !change.is_empty() {
        draft.put(Change::Controller(Arc::new(record)));
    }
    draft.note(modified("Controller configuration", !change.is_empty()));
    draft.note_props(&change, "controller", "configuration");
    Ok(())
}

/// A store is there from its first property to its last.
fn modify_store(draft: &mut Draft, name: &KvsName, request: &PropsModify) -> Result<(), Refusal> {
    let old = draft.cluster.key_value_stores.get(name).cloned();
    let mut props = old.as_ref().map_or_else(Props::new, |store| store.props.clone());
    let change = draft.modify_props(&mut props, request, PropertyOwner::KeyValueStore)?;
    let what = format!("Key-value store '{name}'");
    if change.is_empty() {
        draft.note(modified(what, false));
        return Ok(());
    }
    if props.is_empty() {
        draft.put(Change::KeyValueStore(name.clone(), None));
        draft.note(Note::success(MODIFIED, format!("{what} is empty and therefore deleted")));
        return Ok(());
    }
    let uuid = old.as_ref().map_or_else(|| draft.uuid(), |store| store.uuid);
    let name = old.map_or_else(|| name.clone(), |store| store.name.clone());
    let store = KeyValueStore { name: name.clone(), uuid, props };
    draft.put(Change::KeyValueStore(name.clone(), Some(Arc::new(store))));
    draft.note(modified(what, true).about("UUID", uuid));
    draft.note_props(&change, "key-value store", &name);
    Ok(())
}

fn delete_store(draft: &mut Draft, name: &KvsName) {
    let what = format!("Key-value store '{name}'");
    let Some(uuid) = draft.cluster.key_value_stores.get(name).map(|store| store.uuid) else {
        return draft.note(already_gone(what));
    };
    draft.put(Change::KeyValueStore(name.clone(), None));
    draft.note(Note::success(DELETED, format!("{what} deleted")).about("UUID", uuid));
}
