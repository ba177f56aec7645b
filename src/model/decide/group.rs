//! Decisions about resource groups. What they make of their filters stands in `autoplace` and `raise_replicas`.

use std::collections::BTreeMap;

use super::draft::{Draft, default_group_name};
use super::notes::{already_gone, join, modified};
use super::raise_replicas::raise_replicas;
use super::{autoplace, select_filter, volume_group};
use crate::model::change::Change;
use crate::model::code::*;
use crate::model::command::GroupCommand;
use crate::model::group::{DEFAULT_PLACE_COUNT, ResourceGroup, SelectFilter};
use crate::model::names::GroupName;
use crate::model::props::{PropertyOwner, Props, PropsModify};
use crate::model::refusal::{Note, Refusal};

/// Slots that DRBD's metadata can have for peers.
const PEER_SLOTS: std::ops::RangeInclusive<u8> = 1..=31;

pub(super) fn decide(draft: &mut Draft, command: &GroupCommand) -> Result<(), Refusal> {
    match command {
        GroupCommand::Create { name, description, props, filter, peer_slots } => {
            create(draft, name, &Wish { description, props, filter, peer_slots: *peer_slots })
        }
        GroupCommand::Modify { name, description, props, filter, peer_slots } => {
            modify(draft, name, &Wish { description, props, filter, peer_slots: *peer_slots })
        }
        GroupCommand::Delete { name } => delete(draft, name),
        GroupCommand::VolumeCreate { group, number, flags, props } => {
            volume_group::create(draft, group, &volume_group::NewVolumeGroup { number: *number, flags: *flags, props })
        }
        GroupCommand::VolumeModify { group, number, set, clear, props } => {
            let wish = volume_group::VolumeGroupModify { set: *set, clear: *clear, props };
            volume_group::modify(draft, group, *number, &wish)
        }
        GroupCommand::VolumeDelete { group, number } => {
            volume_group::delete(draft, group, *number);
            Ok(())
        }
        GroupCommand::Spawn(order) => autoplace::spawn(draft, order),
        GroupCommand::Adjust { group, filter } => autoplace::adjust(draft, group.as_ref(), filter),
    }
}

/// What a request says about a group, without its name.
struct Wish<'a> {
    description: &'a Option<String>,
    props: &'a PropsModify,
    filter: &'a SelectFilter,
    peer_slots: Option<u8>,
}

fn create(draft: &mut Draft, name: &GroupName, wish: &Wish<'_>) -> Result<(), Refusal> {
    if draft.cluster.groups.contains_key(name) {
        return Err(Refusal::new(FAIL_EXISTS_RSC_GRP, format!("Resource group '{name}' exists already"))
            .because("Group names are unique, whatever their case")
            .cure("Choose another name, or modify the group that is there")
            .about("RscGrp", name));
    }
    check(draft, wish)?;
    let mut group = ResourceGroup {
        name: name.clone(),
        uuid: draft.uuid(),
        description: wish.description.clone(),
        props: Props::new(),
        filter: select_filter::changed(&SelectFilter::default(), wish.filter),
        peer_slots: wish.peer_slots,
        volumes: BTreeMap::new(),
    };
    let change = draft.modify_props(&mut group.props, wish.props, PropertyOwner::ResourceGroup)?;
    draft.note(refer(Note::success(CREATED, format!("Resource group '{name}' created")), &group));
    draft.note_props(&change, "resource group", name);
    draft.put_group(group);
    Ok(())
}

fn check(draft: &mut Draft, wish: &Wish<'_>) -> Result<(), Refusal> {
    select_filter::check(wish.filter)?;
    if let Some(slots) = wish.peer_slots.filter(|slots| !PEER_SLOTS.contains(slots)) {
        let (least, most) = (PEER_SLOTS.start(), PEER_SLOTS.end());
        return Err(Refusal::new(FAIL_INSUFFICIENT_PEER_SLOTS, format!("{slots} peer slots are not possible"))
            .because(format!("DRBD's metadata has room for {least} to {most} peers"))
            .cure(format!("Give a number from {least} to {most}, or none for the default")));
    }
    for note in select_filter::warnings(&draft.cluster, wish.filter) {
        draft.note(note);
    }
    Ok(())
}

fn modify(draft: &mut Draft, name: &GroupName, wish: &Wish<'_>) -> Result<(), Refusal> {
    let mut group = draft.group(name)?;
    let old = group.clone();
    check(draft, wish)?;
    let change = draft.modify_props(&mut group.props, wish.props, PropertyOwner::ResourceGroup)?;
    group.filter = select_filter::changed(&group.filter, wish.filter);
    group.description = wish.description.clone().or(group.description);
    group.peer_slots = wish.peer_slots.or(group.peer_slots);
    let what = format!("Resource group '{}'", group.name);
    draft.note(refer(modified(what, group != old), &group));
    draft.note_props(&change, "resource group", name);
    if group != old {
        draft.put_group(group);
    }
    if wish.filter.place_count.is_some() {
        raise_replicas(draft, name);
    }
    Ok(())
}

fn delete(draft: &mut Draft, name: &GroupName) -> Result<(), Refusal> {
    let what = format!("Resource group '{name}'");
    let Some(group) = draft.cluster.groups.get(name).cloned() else {
        draft.note(already_gone(what));
        return Ok(());
    };
    if let Some(definitions) = draft.cluster.in_group.get(name) {
        return Err(Refusal::new(
            FAIL_EXISTS_RSC_DFN,
            format!("{what} cannot be deleted: it has resource definitions"),
        )
        .because("Every definition belongs to a group")
        .cure("Delete the definitions first, or modify them to be of another group")
        .details(format!("Resource definitions: {}", join(definitions)))
        .about("RscGrp", name));
    }
    draft.put(Change::Group(name.clone(), None));
    let mut note = refer(Note::success(DELETED, format!("{what} deleted")), &group);
    if *name == default_group_name() {
        note = note.details(format!(
            "It is the group of definitions that name none: the next of them makes it anew, with place count \
             {DEFAULT_PLACE_COUNT} and without any other setting. To change what they get, modify the group instead"
        ));
    }
    draft.note(note);
    Ok(())
}

fn refer(note: Note, group: &ResourceGroup) -> Note {
    note.about("RscGrp", &group.name).about("UUID", group.uuid)
}
