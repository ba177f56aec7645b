//! Decisions about volume groups: the volumes that each definition spawned from a group gets.

use super::draft::Draft;
use super::notes::{already_gone, modified};
use crate::model::code::*;
use crate::model::group::{ResourceGroup, VolumeGroup};
use crate::model::kinds::VolumeGroupFlags;
use crate::model::names::{GroupName, VolumeNumber};
use crate::model::props::{PropertyOwner, Props, PropsModify};
use crate::model::refusal::{Note, Refusal};

/// A volume group to be made.
pub(super) struct NewVolumeGroup<'a> {
    /// Its number; the lowest free one where none is given.
    pub number: Option<VolumeNumber>,
    /// Flags.
    pub flags: VolumeGroupFlags,
    /// Properties.
    pub props: &'a PropsModify,
}

/// Changes of a volume group.
pub(super) struct VolumeGroupModify<'a> {
    /// Flags to set.
    pub set: VolumeGroupFlags,
    /// Flags to clear.
    pub clear: VolumeGroupFlags,
    /// Properties.
    pub props: &'a PropsModify,
}

pub(super) fn create(draft: &mut Draft, group: &GroupName, new: &NewVolumeGroup<'_>) -> Result<(), Refusal> {
    let mut group = draft.group(group)?;
    let number = match new.number {
        Some(number) => number,
        None => lowest_free(&group)?,
    };
    if group.volumes.contains_key(&number) {
        return Err(Refusal::new(
            FAIL_EXISTS_VLM_GRP,
            format!("Resource group '{}' has a volume group {number} already", group.name),
        )
        .because("Volume numbers are unique in a group")
        .cure("Choose another number, or none for the next free one")
        .about("RscGrp", &group.name)
        .about("VlmGrp", number));
    }
    let mut volume = VolumeGroup { number, uuid: draft.uuid(), flags: new.flags, props: Props::new() };
    let change = draft.modify_props(&mut volume.props, new.props, PropertyOwner::VolumeGroup)?;
    let note = Note::success(CREATED, format!("Volume group {number} of resource group '{}' created", group.name));
    draft.note(refer(note, &group, &volume));
    draft.note_props(&change, "volume group", number);
    group.volumes.insert(number, volume);
    draft.put_group(group);
    Ok(())
}

fn lowest_free(group: &ResourceGroup) -> Result<VolumeNumber, Refusal> {
    let mut numbers = (0..=u32::from(VolumeNumber::MAX)).filter_map(|number| VolumeNumber::new(number).ok());
    numbers.find(|number| !group.volumes.contains_key(number)).ok_or_else(|| {
        Refusal::new(FAIL_POOL_EXHAUSTED_VLM_NR, format!("Resource group '{}' has no free volume number", group.name))
            .because(format!("Numbers from 0 to {} are all taken", VolumeNumber::MAX))
            .cure("Delete volume groups that are no longer needed")
            .about("RscGrp", &group.name)
    })
}

pub(super) fn modify(
    draft: &mut Draft,
    group: &GroupName,
    number: VolumeNumber,
    wish: &VolumeGroupModify<'_>,
) -> Result<(), Refusal> {
    let mut group = draft.group(group)?;
    let Some(mut volume) = group.volumes.get(&number).cloned() else {
        return Err(Refusal::new(
            FAIL_NOT_FOUND_VLM_GRP,
            format!("Volume group {number} of resource group '{}' not found", group.name),
        )
        .because("It was deleted before, or never created")
        .cure("List the group's volume groups, or create it first")
        .about("RscGrp", &group.name)
        .about("VlmGrp", number));
    };
    let change = draft.modify_props(&mut volume.props, wish.props, PropertyOwner::VolumeGroup)?;
    let flags = volume.flags.with(wish.set).without(wish.clear);
    let changed = flags != volume.flags || !change.is_empty();
    volume.flags = flags;
    let what = format!("Volume group {number} of resource group '{}'", group.name);
    draft.note(refer(modified(what, changed), &group, &volume));
    draft.note_props(&change, "volume group", number);
    if changed {
        group.volumes.insert(number, volume);
        draft.put_group(group);
    }
    Ok(())
}

pub(super) fn delete(draft: &mut Draft, group: &GroupName, number: VolumeNumber) {
    let what = format!("Volume group {number} of resource group '{group}'");
    let known = draft.cluster.groups.get(group).filter(|group| group.volumes.contains_key(&number));
    let Some(mut group) = known.map(|group| ResourceGroup::clone(group)) else {
        return draft.note(already_gone(what));
    };
    if let Some(volume) = group.volumes.remove(&number) {
        draft.note(refer(Note::success(DELETED, format!("{what} deleted")), &group, &volume));
        draft.put_group(group);
    }
}

fn refer(note: Note, group: &ResourceGroup, volume: &VolumeGroup) -> Note {
    note.about("RscGrp", &group.name).about("VlmGrp", volume.number).about("UUID", volume.uuid)
}
