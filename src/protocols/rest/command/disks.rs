//! Requests that give a replica a disk, take it away or move it: one call of today, six that are deprecated. Never
//! looks whether the replica is there.

use super::definitions::of;
use super::parse::{given, node, pool, unknown_word};
use super::unbuilt::{names_something, refuse_wishes};
use super::{Call, Request, Untranslated, calls, nodes};
use crate::model::code::FAIL_INVLD_REQUEST;
use crate::model::command::{Command, ResourceCommand};
use crate::model::names::{NodeName, PoolName};
use crate::model::refusal::Refusal;
use crate::protocols::rest::body::BodyError;
use crate::protocols::rest::resource::{ToggleDiskDiskful, ToggleDiskRequest};

pub(super) const CALLS: &[Call] = calls! {
    resourceToggleDisk Nodes => toggle;
    resourceToggleDiskless Nodes => |request| Ok(order(request, Disk::default())?);
    resourceToggleDisklessDisklesspool Nodes => |request| with_pool(request, "pool", false);
    resourceToggleDiskful Nodes => |request| with_pool(request, "", true);
    resourceToggleDiskfulStoragepool Nodes => |request| with_pool(request, "sp", true);
    resourceMigrateDisk Nodes => migrate;
    resourceMigrateDiskStoragepool Nodes => migrate;
};

const DISKFUL: &str = "INTO_DRBD_DISKFUL";
const DISKLESS: &str = "INTO_DRBD_DISKLESS";
const CLIENT: &str = "INTO_DRBD_CLIENT";

/// What is to become of a replica's disk.
#[derive(Default)]
struct Disk {
    diskful: bool,
    pool: Option<PoolName>,
    migrate_from: Option<NodeName>,
}

fn order(request: &Request, disk: Disk) -> Result<Command, Refusal> {
    Ok(Command::Resource(ResourceCommand::ToggleDisk {
        rsc: of(request)?,
        node: nodes::of(request)?,
        diskful: disk.diskful,
        pool: disk.pool,
        migrate_from: disk.migrate_from,
    }))
}

fn refuse_layers(list: Option<&Vec<String>>) -> Result<(), Refusal> {
    refuse_wishes(&[(names_something(list), "layer_list", "Leave it out: the replica keeps its layers.")])
}

fn toggle(request: &Request) -> Result<Command, Untranslated> {
    let wire: ToggleDiskRequest = request.read()?;
    refuse_layers(wire.layer_list.as_ref())?;
    let diskful = into_diskful(wire.operation.as_deref())?;
    let migrate_from = given(wire.migrate_from.as_ref(), node)?;
    if migrate_from.is_some() && !diskful {
        return Err(Refusal::new(FAIL_INVLD_REQUEST, "A disk cannot be moved to a replica that gets none")
            .because(format!("migrate_from goes with {DISKFUL} only"))
            .cure("Leave migrate_from out, or ask for a disk")
            .into());
    }
    Ok(order(request, Disk { diskful, pool: given(wire.storage_pool.as_ref(), pool)?, migrate_from })?)
}

fn into_diskful(operation: Option<&str>) -> Result<bool, Untranslated> {
    let known = [DISKFUL, DISKLESS, CLIENT];
    let text = operation.filter(|text| !text.is_empty()).ok_or_else(|| BodyError::Shape {
        path: "operation".to_owned(),
        reason: format!("it is missing; give one of {}", known.join(", ")),
    })?;
    let word = known.into_iter().find(|word| word.eq_ignore_ascii_case(text));
    match word {
        Some(DISKFUL) => Ok(true),
        Some(DISKLESS) => Ok(false),
        Some(_) => {
            refuse_wishes(&[(true, "operation (INTO_DRBD_CLIENT)", "Use INTO_DRBD_DISKLESS.")])?;
            Ok(false)
        }
        None => Err(unknown_word(FAIL_INVLD_REQUEST, "operation on a disk", text, &known[..2]).into()),
    }
}

/// The deprecated calls; `param` names the segment with the pool, if the path has one.
fn with_pool(request: &Request, param: &str, diskful: bool) -> Result<Command, Untranslated> {
    if diskful {
        let wire: ToggleDiskDiskful = request.read_optional()?;
        refuse_layers(wire.layer_list.as_ref())?;
    }
    let pool = given(Some(&request.param(param).to_owned()), pool)?;
    Ok(order(request, Disk { diskful, pool, migrate_from: None })?)
}

fn migrate(request: &Request) -> Result<Command, Untranslated> {
    let wire: ToggleDiskDiskful = request.read_optional()?;
    refuse_layers(wire.layer_list.as_ref())?;
    let pool = given(Some(&request.param("sp").to_owned()), pool)?;
    let from = node(request.param("from"))?;
    Ok(order(request, Disk { diskful: true, pool, migrate_from: Some(from) })?)
}
