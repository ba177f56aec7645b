//! Requests about snapshots: taking, changing, removing, restoring and rolling back. Never looks whether they exist.

use std::collections::BTreeMap;

use super::definitions::of;
use super::parse::{each, new_props, node, pool, props, rsc, snap, unknown_word};
use super::{Call, Request, Untranslated, calls};
use crate::model::code::FAIL_INVLD_REQUEST;
use crate::model::command::{Command, NewSnapshot, SnapshotCommand};
use crate::model::names::{NodeName, PoolName, RscName, SnapName};
use crate::model::refusal::Refusal;
use crate::protocols::rest::shape::Props;
use crate::protocols::rest::snapshot::{
    CreateMultiSnapshotRequest, MultiSnapshotItem, SnapshotCreate, SnapshotRestore, SnapshotRollback,
};

pub(super) const CALLS: &[Call] = calls! {
    resourceSnapshotCreate Nodes => create;
    createMultiSnapshot Nodes => create_multi;
    snapshotModify Commit => modify;
    resourceSnapshotDelete Nodes => delete;
    resourceSnapshotsRestoreVolumeDefinition Nodes => restore_volumes;
    resourceSnapshotRestore Nodes => restore_resources;
    resourceSnapshotRollback Nodes => rollback;
};

/// Ways to roll back on ZFS; how it is done is the node's to choose, the data are the same.
const STRATEGIES: [&str; 3] = ["rollback", "clone", "dynamic"];

fn name_of(request: &Request) -> Result<SnapName, Refusal> {
    snap(request.param("snap"))
}

fn some_nodes(list: Option<Vec<String>>) -> Result<Vec<NodeName>, Refusal> {
    each(&list.unwrap_or_default(), node)
}

fn new(item: MultiSnapshotItem, of: RscName) -> Result<NewSnapshot, Refusal> {
    Ok(NewSnapshot {
        rsc: of,
        name: snap(&item.name)?,
        nodes: some_nodes(item.nodes)?,
        props: new_props(item.snapshot_definition_props),
    })
}

fn create(request: &Request) -> Result<Command, Untranslated> {
    let wire: SnapshotCreate = request.read()?;
    let item = MultiSnapshotItem {
        name: wire.name,
        resource_name: String::new(),
        nodes: wire.nodes,
        snapshot_definition_props: wire.snapshot_definition_props,
    };
    Ok(Command::Snapshot(SnapshotCommand::Create { snapshots: vec![new(item, of(request)?)?] }))
}

fn create_multi(request: &Request) -> Result<Command, Untranslated> {
    let wire: CreateMultiSnapshotRequest = request.read()?;
    if wire.snapshots.is_empty() {
        return Err(Refusal::new(FAIL_INVLD_REQUEST, "The list of snapshots to take is empty")
            .because("Nothing would be taken")
            .cure("Give one object for each resource, with name and resource_name")
            .into());
    }
    let one = |item: MultiSnapshotItem| {
        let of = rsc(&item.resource_name)?;
        new(item, of)
    };
    let snapshots = wire.snapshots.into_iter().map(one).collect::<Result<_, Refusal>>()?;
    Ok(Command::Snapshot(SnapshotCommand::Create { snapshots }))
}

fn modify(request: &Request) -> Result<Command, Untranslated> {
    let props = props(request.read()?);
    Ok(Command::Snapshot(SnapshotCommand::Modify { rsc: of(request)?, name: name_of(request)?, props }))
}

fn delete(request: &Request) -> Result<Command, Untranslated> {
    let nodes = request.query.all("nodes").map(node).collect::<Result<_, _>>()?;
    Ok(Command::Snapshot(SnapshotCommand::Delete { rsc: of(request)?, name: name_of(request)?, nodes }))
}

fn restore_volumes(request: &Request) -> Result<Command, Untranslated> {
    let wire: SnapshotRestore = request.read()?;
    let to = rsc(&wire.to_resource)?;
    Ok(Command::Snapshot(SnapshotCommand::RestoreVolumes { rsc: of(request)?, name: name_of(request)?, to }))
}

fn restore_resources(request: &Request) -> Result<Command, Untranslated> {
    let wire: SnapshotRestore = request.read()?;
    Ok(Command::Snapshot(SnapshotCommand::RestoreResources {
        rsc: of(request)?,
        name: name_of(request)?,
        to: rsc(&wire.to_resource)?,
        nodes: some_nodes(wire.nodes)?,
        pools: pool_map(&wire.stor_pool_rename)?,
    }))
}

fn pool_map(map: &Props) -> Result<BTreeMap<PoolName, PoolName>, Refusal> {
    map.iter().map(|(from, to)| Ok((pool(from)?, pool(to)?))).collect()
}

fn rollback(request: &Request) -> Result<Command, Untranslated> {
    let wire: SnapshotRollback = request.read_optional()?;
    let known = |text: &str| STRATEGIES.iter().any(|word| word.eq_ignore_ascii_case(text));
    if let Some(text) = wire.zfs_rollback_strategy.filter(|text| !text.is_empty() && !known(text)) {
        return Err(unknown_word(FAIL_INVLD_REQUEST, "strategy of a rollback", &text, &STRATEGIES).into());
    }
    Ok(Command::Snapshot(SnapshotCommand::Rollback { rsc: of(request)?, name: name_of(request)? }))
}
