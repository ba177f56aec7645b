//! `zea snapshot`.

use super::{DEFINITION, change, definition, show};
use crate::cli::args::SnapshotCommand;
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::session::{Session, Step};
use crate::cli::views;
use crate::protocols::rest::definition::ResourceDefinition;
use crate::protocols::rest::snapshot::{SnapshotCreate, SnapshotRestore, SnapshotRollback};

/// A resource's snapshots.
pub const SNAPSHOTS: &str = "/v1/resource-definitions/{}/snapshots";
/// One of them.
pub const SNAPSHOT: &str = "/v1/resource-definitions/{}/snapshots/{}";
const RESTORE_VOLUMES: &str = "/v1/resource-definitions/{}/snapshot-restore-volume-definition/{}";
const RESTORE_RESOURCE: &str = "/v1/resource-definitions/{}/snapshot-restore-resource/{}";

/// Carries a command out.
pub fn run(command: &SnapshotCommand, session: &mut Session) -> Result<(), CliError> {
    let SnapshotCommand::Restore { resource, name, to, group, existing, nodes, rename_pool } = command else {
        return session.take(steps(command));
    };
    let body = SnapshotRestore {
        to_resource: to.clone(),
        nodes: nodes.clone(),
        stor_pool_rename: rename_pool.iter().cloned().collect(),
    };
    let calls = [RESTORE_VOLUMES, RESTORE_RESOURCE].map(|path| Call::post(path, &[resource, name]).with(&body));
    let restore = |session: &mut Session| calls.iter().try_for_each(|call| session.change(call));
    if *existing {
        return restore(session);
    }
    // Before anything is made for it.
    session.ask(&Call::get(SNAPSHOT, &[resource, name]))?;
    let group = match group {
        Some(group) => group.clone(),
        None => {
            let source: ResourceDefinition = session.fetch(&Call::get(DEFINITION, &[resource]))?;
            source.resource_group_name
        }
    };
    session.change(&definition::create_bare(to, &group))?;
    restore(session).inspect_err(|error| undo(to, error, session))
}

/// Takes away what was made for a restore that then failed. When it is not known whether it failed, all stays.
fn undo(to: &str, error: &CliError, session: &mut Session) {
    if !matches!(error, CliError::Refused(_) | CliError::RefusedAndTold) {
        return;
    }
    let line = match session.ask(&Call::delete(DEFINITION, &[to])) {
        Ok(_) => format!("{to}, which was made for this, is removed again."),
        Err(_) => format!("{to}, which was made for this, is still there: remove it with zea definition delete {to}."),
    };
    // The first error counts; a remark that cannot be printed must not hide it.
    let _ = session.remark(&line);
}

/// The steps of every command but restore.
pub fn steps(command: &SnapshotCommand) -> Vec<Step> {
    match command {
        SnapshotCommand::List { resources, nodes } => {
            let call = Call::get("/v1/view/snapshots", &[]).query("resources", resources);
            show(call.query("nodes", nodes), views::snapshots)
        }
        SnapshotCommand::Create { resource, name, nodes, properties } => {
            let (name, nodes) = (name.clone(), nodes.clone());
            let body = SnapshotCreate { name, nodes, snapshot_definition_props: properties.props() };
            change(Call::post(SNAPSHOTS, &[resource]).with(&body))
        }
        SnapshotCommand::Delete { resource, name, nodes } => {
            change(Call::delete(SNAPSHOT, &[resource, name]).query("nodes", nodes))
        }
        SnapshotCommand::Rollback { resource, name, zfs } => {
            let body = SnapshotRollback { zfs_rollback_strategy: zfs.map(|zfs| zfs.as_str().to_owned()) };
            change(Call::post("/v1/resource-definitions/{}/snapshot-rollback/{}", &[resource, name]).with(&body))
        }
        SnapshotCommand::Restore { .. } => Vec::new(),
    }
}
