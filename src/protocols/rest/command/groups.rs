//! Requests about resource groups, their volume groups, and what is made of them. Never places anything.

use super::encryption::secrets;
use super::filter::filter;
use super::numbers::{peer_slots, size, volume, volume_in_path};
use super::parse::{flags, group, naming, new_props, props, set_and_clear};
use super::unbuilt::{refuse_wishes, snapshot_wishes};
use super::{Call, Request, Untranslated, calls};
use crate::model::command::{Command, GroupCommand, Spawn};
use crate::model::kinds::VolumeGroupFlags;
use crate::model::names::{GroupName, VolumeNumber};
use crate::model::refusal::Refusal;
use crate::protocols::rest::group::{
    ResourceGroupAdjust, ResourceGroupCreate, ResourceGroupModify, ResourceGroupSpawn, VolumeGroupCreate,
    VolumeGroupModify,
};

pub(super) const CALLS: &[Call] = calls! {
    resourceGroupCreate Commit => create;
    resourceGroupModify Nodes => modify;
    resourceGroupDelete Commit => |request| Ok(Command::Group(GroupCommand::Delete { name: of(request)? }));
    resourceGroupSpawn Nodes => spawn;
    resourceGroupAdjust Nodes => |request| adjust(request, Some(of(request)?));
    resourceGroupAdjustAll Nodes => |request| adjust(request, None);
    volumeGroupCreate Commit => volume_create;
    volumeGroupModify Commit => volume_modify;
    volumeGroupDelete Commit => volume_delete;
};

/// What a request can say of a volume group by flags.
const FLAGS: &[(&str, VolumeGroupFlags)] = &[("GROSS_SIZE", VolumeGroupFlags::GROSS_SIZE)];

fn of(request: &Request) -> Result<GroupName, Refusal> {
    group(request.param("rg"))
}

fn number_of(request: &Request) -> Result<VolumeNumber, Refusal> {
    volume_in_path(request.param("vn"))
}

fn volume_flags(list: &[String]) -> Result<VolumeGroupFlags, Refusal> {
    flags(list, FLAGS, VolumeGroupFlags::with, VolumeGroupFlags::NONE)
}

fn create(request: &Request) -> Result<Command, Untranslated> {
    let wire: ResourceGroupCreate = request.read()?;
    Ok(Command::Group(GroupCommand::Create {
        name: group(&wire.name)?,
        description: wire.description,
        props: new_props(wire.props),
        filter: filter(wire.select_filter)?,
        peer_slots: peer_slots(wire.peer_slots)?,
    }))
}

fn modify(request: &Request) -> Result<Command, Untranslated> {
    let mut wire: ResourceGroupModify = request.read()?;
    refuse_wishes(&snapshot_wishes(wire.snap_names.as_ref(), wire.copy_all_snaps))?;
    let props = props(wire.take_props());
    Ok(Command::Group(GroupCommand::Modify {
        name: of(request)?,
        description: wire.description,
        props,
        filter: filter(wire.select_filter)?,
        peer_slots: peer_slots(wire.peer_slots)?,
    }))
}

fn spawn(request: &Request) -> Result<Command, Untranslated> {
    let wire: ResourceGroupSpawn = request.read()?;
    let (name, external) = (wire.resource_definition_name.as_ref(), wire.resource_definition_external_name.as_ref());
    Ok(Command::Group(GroupCommand::Spawn(Spawn {
        group: of(request)?,
        name: naming(name, external)?,
        sizes: wire.volume_sizes.iter().map(|kib| size(*kib)).collect::<Result<_, _>>()?,
        filter: filter(wire.select_filter)?,
        partial: wire.partial,
        definitions_only: wire.definitions_only,
        peer_slots: peer_slots(wire.peer_slots)?,
        props: new_props(wire.resource_definition_props),
        passphrases: secrets(wire.volume_passphrases.as_ref()),
    })))
}

fn adjust(request: &Request, group: Option<GroupName>) -> Result<Command, Untranslated> {
    let wire: ResourceGroupAdjust = request.read_optional()?;
    refuse_wishes(&snapshot_wishes(wire.snap_names.as_ref(), wire.copy_all_snaps))?;
    Ok(Command::Group(GroupCommand::Adjust { group, filter: filter(wire.select_filter)? }))
}

fn volume_create(request: &Request) -> Result<Command, Untranslated> {
    let wire: VolumeGroupCreate = request.read()?;
    Ok(Command::Group(GroupCommand::VolumeCreate {
        group: of(request)?,
        number: wire.volume_number.map(volume).transpose()?,
        flags: volume_flags(&wire.flags)?,
        props: new_props(wire.props),
    }))
}

fn volume_modify(request: &Request) -> Result<Command, Untranslated> {
    let mut wire: VolumeGroupModify = request.read()?;
    let props = props(wire.take_props());
    let (set, clear) = set_and_clear(&wire.flags);
    Ok(Command::Group(GroupCommand::VolumeModify {
        group: of(request)?,
        number: number_of(request)?,
        set: volume_flags(&set)?,
        clear: volume_flags(&clear)?,
        props,
    }))
}

fn volume_delete(request: &Request) -> Result<Command, Untranslated> {
    Ok(Command::Group(GroupCommand::VolumeDelete { group: of(request)?, number: number_of(request)? }))
}
