//! `zea definition` and `zea volume`.

use std::time::{Duration, Instant};

use super::{DEFINITION, DEFINITIONS, change, show};
use crate::cli::args::{DefinitionCommand, DefinitionCreate, VolumeCommand};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::session::{Session, Step};
use crate::cli::views::{self, View};
use crate::protocols::rest::definition::{
    CloneRequest, CloneStarted, CloneStatus, DefinitionLayerSpec, ResourceDefinitionCreate, ResourceDefinitionSpec,
    VolumeDefinitionCreate, VolumeDefinitionModify, VolumeDefinitionSpec,
};

const CLONE: &str = "/v1/resource-definitions/{}/clone";
const CLONE_STATUS: &str = "/v1/resource-definitions/{}/clone/{}";
const VOLUMES: &str = "/v1/resource-definitions/{}/volume-definitions";
const VOLUME: &str = "/v1/resource-definitions/{}/volume-definitions/{}";

/// How often a copy is asked how it goes.
const CLONE_POLL: Duration = Duration::from_millis(500);
/// How long a copy is waited for; it goes on by itself after that.
const CLONE_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Carries a command out.
pub fn run(command: &DefinitionCommand, session: &mut Session) -> Result<(), CliError> {
    match command {
        DefinitionCommand::Clone { source, name, group, use_zfs_clone, no_wait } => {
            let body = CloneRequest {
                name: Some(name.clone()),
                resource_group: group.clone(),
                use_zfs_clone: use_zfs_clone.then_some(true),
                ..Default::default()
            };
            begin_clone(&Call::post(CLONE, &[source]).with(&body), session)?;
            if *no_wait { Ok(()) } else { await_clone(source, name, session) }
        }
        other => session.take(steps(other)),
    }
}

fn begin_clone(call: &Call, session: &mut Session) -> Result<(), CliError> {
    if session.is_json() {
        let body = session.ask(call)?.body;
        return session.print_json(&body);
    }
    let started: CloneStarted = session.fetch(call)?;
    session.tell_entries(&started.messages)
}

fn await_clone(source: &str, name: &str, session: &mut Session) -> Result<(), CliError> {
    let begun = Instant::now();
    while begun.elapsed() < CLONE_WAIT {
        let status: CloneStatus = session.fetch(&Call::get(CLONE_STATUS, &[source, name]))?;
        match status.status.as_str() {
            "COMPLETE" => return session.remark(&format!("{name} is a copy of {source} now.")),
            "FAILED" => {
                let cure = format!("zea errors list tells more, zea definition delete {name} removes what is there");
                return Err(CliError::Failed(format!("copying {source} to {name} failed; {cure}")));
            }
            _ => std::thread::sleep(CLONE_POLL),
        }
    }
    Err(CliError::Failed(format!("copying {source} to {name} still goes on; zea definition list shows its state")))
}

/// The steps of every other command.
pub fn steps(command: &DefinitionCommand) -> Vec<Step> {
    match command {
        DefinitionCommand::List { resources } => list(resources, views::definitions),
        DefinitionCommand::Create(create) => change(create_call(create)),
        DefinitionCommand::Delete { names } => {
            names.iter().map(|name| Step::Change(Call::delete(DEFINITION, &[name]))).collect()
        }
        DefinitionCommand::SetProperty { name, property } => {
            change(Call::put(DEFINITION, &[name]).with_property(&property.key, property.value.as_deref()))
        }
        DefinitionCommand::Clone { .. } => Vec::new(),
    }
}

fn list(resources: &[String], view: View) -> Vec<Step> {
    let call = Call::get(DEFINITIONS, &[]).query("with_volume_definitions", ["true"]);
    show(call.query("resource_definitions", resources), view)
}

fn create_call(create: &DefinitionCreate) -> Call {
    let spec = ResourceDefinitionSpec {
        name: create.name.clone(),
        external_name: create.external_name.clone(),
        props: create.properties.props(),
        layer_data: create.layers.iter().map(|layer| DefinitionLayerSpec { kind: layer.clone() }).collect(),
        resource_group_name: create.group.clone(),
    };
    let body = ResourceDefinitionCreate {
        resource_definition: spec,
        drbd_peer_slots: create.peer_slots,
        ..Default::default()
    };
    Call::post(DEFINITIONS, &[]).with(&body)
}

/// Makes a bare resource definition.
pub fn create_bare(name: &str, group: &str) -> Call {
    let spec = ResourceDefinitionSpec {
        name: Some(name.to_owned()),
        resource_group_name: Some(group.to_owned()),
        ..Default::default()
    };
    Call::post(DEFINITIONS, &[]).with(&ResourceDefinitionCreate { resource_definition: spec, ..Default::default() })
}

/// The steps of `zea volume`.
pub fn volume_steps(command: &VolumeCommand) -> Vec<Step> {
    match command {
        VolumeCommand::Create { resource, size, number, gross, properties } => {
            let spec = VolumeDefinitionSpec {
                size_kib: *size,
                volume_number: number.map(i32::from),
                props: properties.props(),
                flags: if *gross { vec!["GROSS_SIZE".to_owned()] } else { Vec::new() },
            };
            let body = VolumeDefinitionCreate { volume_definition: spec, ..Default::default() };
            change(Call::post(VOLUMES, &[resource]).with(&body))
        }
        VolumeCommand::List { resources } => list(resources, views::volumes),
        VolumeCommand::Resize { resource, number, size } => {
            let body = VolumeDefinitionModify { size_kib: Some(*size), ..Default::default() };
            change(Call::put(VOLUME, &[resource, &number.to_string()]).with(&body))
        }
        VolumeCommand::Passphrase { .. } => Vec::new(),
        VolumeCommand::Delete { resource, number } => change(Call::delete(VOLUME, &[resource, &number.to_string()])),
        VolumeCommand::SetProperty { resource, number, property } => {
            let call = Call::put(VOLUME, &[resource, &number.to_string()]);
            change(call.with_property(&property.key, property.value.as_deref()))
        }
    }
}
