//! Requests about volume definitions, and about volumes of one replica. Never looks whether they exist.

use super::definitions::of;
use super::encryption::secret;
use super::numbers::{minor, size, volume, volume_in_path};
use super::parse::{flags, new_props, props, set_and_clear};
use super::unbuilt::refuse_wishes;
use super::{Call, Request, Untranslated, calls, nodes};
use crate::model::command::{Command, DefinitionCommand, NewVolume, ResourceCommand};
use crate::model::kinds::VolumeDefinitionFlags;
use crate::model::names::VolumeNumber;
use crate::model::refusal::Refusal;
use crate::protocols::rest::definition::{VolumeDefinitionCreate, VolumeDefinitionModify};

pub(super) const CALLS: &[Call] = calls! {
    volumeDefinitionCreate Nodes => create;
    volumeDefinitionModify Nodes => modify;
    volumeDefinitionDelete Nodes => delete;
    volumeModify Nodes => volume_modify;
};

/// What a request can say of a volume definition by flags.
const FLAGS: &[(&str, VolumeDefinitionFlags)] = &[("GROSS_SIZE", VolumeDefinitionFlags::GROSS_SIZE)];
/// The flag by which LUKS was asked for before there were layer stacks.
const ENCRYPTED: &str = "ENCRYPTED";

fn number_of(request: &Request) -> Result<VolumeNumber, Refusal> {
    volume_in_path(request.param("vn"))
}

fn volume_flags(list: &[String]) -> Result<VolumeDefinitionFlags, Refusal> {
    let encrypted = list.iter().any(|flag| flag.eq_ignore_ascii_case(ENCRYPTED));
    const INSTEAD: &str =
        "Put LUKS into the layer stack of the resource definition or group, for example LUKS,STORAGE.";
    refuse_wishes(&[(encrypted, "flags (ENCRYPTED)", INSTEAD)])?;
    flags(list, FLAGS, VolumeDefinitionFlags::with, VolumeDefinitionFlags::NONE)
}

fn create(request: &Request) -> Result<Command, Untranslated> {
    let wire: VolumeDefinitionCreate = request.read()?;
    let passphrase = wire.passphrase.as_ref().filter(|secret| !secret.expose().is_empty()).map(secret);
    let spec = wire.volume_definition;
    Ok(Command::Definition(DefinitionCommand::VolumeCreate(NewVolume {
        rsc: of(request)?,
        number: spec.volume_number.map(volume).transpose()?,
        size: size(spec.size_kib)?,
        flags: volume_flags(&spec.flags)?,
        props: new_props(spec.props),
        minor: minor(wire.drbd_minor_number)?,
        passphrase,
    })))
}

fn modify(request: &Request) -> Result<Command, Untranslated> {
    let mut wire: VolumeDefinitionModify = request.read()?;
    let props = props(wire.take_props());
    let (set, clear) = set_and_clear(&wire.flags);
    Ok(Command::Definition(DefinitionCommand::VolumeModify {
        rsc: of(request)?,
        number: number_of(request)?,
        size: wire.size_kib.map(size).transpose()?,
        props,
        set: volume_flags(&set)?,
        clear: volume_flags(&clear)?,
    }))
}

fn delete(request: &Request) -> Result<Command, Untranslated> {
    Ok(Command::Definition(DefinitionCommand::VolumeDelete { rsc: of(request)?, number: number_of(request)? }))
}

fn volume_modify(request: &Request) -> Result<Command, Untranslated> {
    let props = props(request.read()?);
    let (rsc, node) = (of(request)?, nodes::of(request)?);
    Ok(Command::Resource(ResourceCommand::VolumeModify { rsc, node, number: number_of(request)?, props }))
}
