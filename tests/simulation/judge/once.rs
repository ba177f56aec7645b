//! The same command twice has one effect: what the first attempt made, the second does not make once more beside it. And
//! deleting what is gone, or is going, is success.

use std::collections::BTreeMap;

use zea::model::cluster::Cluster;
use zea::model::code;
use zea::model::command::*;
use zea::model::conduct::writer::Outcome;
use zea::model::definition::Resource;
use zea::model::group::SelectFilter;
use zea::model::kinds::{NodeFlags, ResourceFlags};
use zea::model::names::{NodeName, RscName};

use super::Decided;

/// See the module.
#[derive(Default)]
pub struct Once {
    /// What a line of the script made so far, by definition; and, where it asks for a number of replicas, what stood beside.
    made: BTreeMap<usize, BTreeMap<RscName, Vec<Made>>>,
}

/// Something that was made, by what tells it from another of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Made {
    Definition(zea::model::moment::Uuid),
    Volume(zea::model::names::VolumeNumber, zea::model::moment::Uuid),
    Replica(NodeName, zea::model::moment::Uuid),
}

impl Once {
    pub fn executed(&mut self, line: usize, command: &Command, decided: Decided<'_>) -> Result<(), String> {
        if decided.before.definitions.ptr_eq(&decided.after.definitions) || !is_natural(command) {
            return Ok(());
        }
        evacuates_once(command, decided)?;
        let again = self.made.contains_key(&line);
        let earlier = self.made.entry(line).or_default();
        for (name, new) in &decided.after.definitions {
            let old = decided.before.definitions.get(name);
            if old.is_some_and(|old| std::sync::Arc::ptr_eq(old, new)) {
                continue;
            }
            let fresh: Vec<Made> =
                all(decided.after, name).into_iter().filter(|made| !all(decided.before, name).contains(made)).collect();
            let known = earlier.entry(name.clone()).or_default();
            let stands = |made: &Made| counts(decided.before, name, made);
            if again && !known.is_empty() && !fresh.is_empty() && known.iter().all(stands) {
                return Err(format!("asked again, {command:?} makes {fresh:?} beside {known:?}"));
            }
            if fresh.is_empty() {
                continue;
            }
            known.extend(fresh);
            if counts_all(command) {
                known.extend(all(decided.after, name).into_iter().filter(|made| counts(decided.after, name, made)));
            }
        }
        Ok(())
    }
}

/// An evacuation that is under way places no second successor.
fn evacuates_once(command: &Command, decided: Decided<'_>) -> Result<(), String> {
    let Command::Node(NodeCommand::Evacuate { name: from, .. }) = command else {
        return Ok(());
    };
    for (name, new) in &decided.after.definitions {
        let Some(old) = decided.before.definitions.get(name) else { continue };
        let succeeds = |resource: &Resource| {
            let marked = resource.props.get("MigrateFrom").is_some_and(|of| of.eq_ignore_ascii_case(from.as_str()));
            marked && resource.keeps_disk()
        };
        let successor = old.resources.iter().find(|(_, resource)| succeeds(resource));
        let more = new.resources.keys().find(|node| !old.resources.contains_key(*node));
        if let (Some((first, _)), Some(second)) = (successor, more) {
            return Err(format!("{name} goes from {from} to {first}, and now to {second}, too"));
        }
    }
    Ok(())
}

/// Whether the command says what it wants, rather than how much more.
fn is_natural(command: &Command) -> bool {
    let more = |filter: &SelectFilter| filter.additional_place_count.is_some();
    match command {
        Command::Definition(DefinitionCommand::VolumeCreate(new)) => new.number.is_some(),
        Command::Resource(ResourceCommand::Autoplace { filter, .. }) => !more(filter),
        // What a group asks for may have changed in between.
        Command::Group(GroupCommand::Adjust { .. }) => false,
        Command::Group(GroupCommand::Modify { filter, .. }) => !more(filter),
        _ => true,
    }
}

/// Whether the command asks for so many replicas, whoever made them: when one of those is lost before it is asked again,
/// it makes another.
fn counts_all(command: &Command) -> bool {
    matches!(
        command,
        Command::Resource(ResourceCommand::Autoplace { .. }) | Command::Group(GroupCommand::Modify { .. })
    )
}

fn all(cluster: &Cluster, name: &RscName) -> Vec<Made> {
    let Some(definition) = cluster.definitions.get(name) else {
        return Vec::new();
    };
    let volumes = definition.volumes.values().map(|volume| Made::Volume(volume.number, volume.uuid));
    let replicas = definition.resources.iter().map(|(node, resource)| Made::Replica(node.clone(), resource.uuid));
    std::iter::once(Made::Definition(definition.uuid)).chain(volumes).chain(replicas).collect()
}

/// Whether it is still there, and on no node that is given up.
fn counts(cluster: &Cluster, name: &RscName, made: &Made) -> bool {
    if !all(cluster, name).contains(made) {
        return false;
    }
    let Made::Replica(node, _) = made else {
        return true;
    };
    // Some have bits of others in them: an evicted one is inactive, too.
    let on_way = [ResourceFlags::EVACUATE, ResourceFlags::EVICTED, ResourceFlags::DELETE, ResourceFlags::DISKLESS];
    let resource = cluster.definitions.get(name).and_then(|definition| definition.resources.get(node));
    let stays = |resource: &Resource| !on_way.iter().any(|flag| resource.flags.has(*flag));
    let given_up = cluster.nodes.get(node).is_none_or(|node| node.flags != NodeFlags::NONE);
    resource.is_some_and(stays) && !given_up
}

/// A deletion is not refused because there is nothing to delete.
pub fn deletion(command: &Command, outcome: &Outcome) -> Result<(), String> {
    let deletes = matches!(
        command,
        Command::Node(NodeCommand::Delete { .. } | NodeCommand::Lost { .. } | NodeCommand::InterfaceDelete { .. })
            | Command::Pool(PoolCommand::Delete { .. } | PoolCommand::DefinitionDelete { .. })
            | Command::Group(GroupCommand::Delete { .. } | GroupCommand::VolumeDelete { .. })
            | Command::Definition(DefinitionCommand::Delete { .. } | DefinitionCommand::VolumeDelete { .. })
            | Command::Resource(ResourceCommand::Delete { .. })
            | Command::Snapshot(SnapshotCommand::Delete { .. })
            | Command::Controller(ControllerCommand::KvsDelete { .. })
    );
    match outcome {
        Outcome::Refused(refusal) if deletes && (300..400).contains(&refusal.note.code) => {
            let name = code::name(code::Kind::Error, refusal.note.code).unwrap_or("?");
            Err(format!("{command:?} was refused with {name}: {}", refusal.note.message))
        }
        _ => Ok(()),
    }
}
