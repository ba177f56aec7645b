//! `zea make`, `zea rm` and `zea device`: the short ways.

use super::{DEFINITION, group, resource, snapshot};
use crate::cli::args::Make;
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::views;
use crate::protocols::rest::group::ResourceGroupSpawn;
use crate::protocols::rest::resource::Resource;
use crate::protocols::rest::snapshot::Snapshot;

/// Makes a resource out of a group, with one volume for each size; its devices alone go to standard output.
pub fn make(make: &Make, session: &mut Session) -> Result<(), CliError> {
    let body = ResourceGroupSpawn {
        resource_definition_name: Some(make.name.clone()),
        volume_sizes: make.sizes.clone(),
        partial: true,
        ..Default::default()
    };
    session.change_aside(&group::spawn(&make.group, &body))?;
    devices(&make.name, session)
}

/// Prints the devices of a resource.
pub fn devices(name: &str, session: &mut Session) -> Result<(), CliError> {
    let view = resource::view(&[name.to_owned()]);
    let answer = session.ask(&view)?;
    let replicas: Vec<Resource> = session.read(&answer)?;
    if replicas.is_empty() {
        // A resource that does not exist is refused here, by its name.
        session.ask(&Call::get(DEFINITION, &[name]))?;
    }
    if session.is_json() {
        return session.print_json(&answer.body);
    }
    let devices = views::devices(&replicas);
    if devices.is_empty() {
        let cure = format!("zea resource list {name} shows its state, zea explain {name} where it was to go");
        return Err(CliError::Failed(format!("no node tells of a device of {name}; {cure}")));
    }
    devices.iter().try_for_each(|device| session.print_line(device))
}

/// Removes a resource with all that it has.
pub fn remove(name: &str, yes: bool, session: &mut Session) -> Result<(), CliError> {
    let snapshots: Vec<Snapshot> = session.fetch(&Call::get(snapshot::SNAPSHOTS, &[name]))?;
    // One that failed holds nothing that could be lost.
    let kept = snapshots.iter().filter(|snapshot| !snapshot.flags.iter().any(|flag| flag.starts_with("FAILED")));
    let names: Vec<&str> = kept.map(|snapshot| snapshot.name.as_str()).collect();
    if !yes && !names.is_empty() {
        let names = names.join(", ");
        let why = format!("{name} has snapshots ({names}), which would be lost too: say so with zea rm {name} --yes");
        return Err(CliError::Usage(why));
    }
    for snapshot in &snapshots {
        session.change(&Call::delete(snapshot::SNAPSHOT, &[name, &snapshot.name]))?;
    }
    session.change(&Call::delete(DEFINITION, &[name]))
}
