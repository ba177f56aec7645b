//! Safety rules of the model's decisions: the last copy is never given up unless that was asked for, and secrets stay
//! where they are.

use std::fmt::Debug;

use zea::model::cluster::Cluster;
use zea::model::command::{Command, NodeCommand};
use zea::model::definition::{Resource, ResourceDefinition};
use zea::model::kinds::DefinitionFlags;

use super::Decided;

/// The secret that scripts give to definitions.
const SECRET: &str = "hush-hush-4711";

/// Commands that move or give up replicas by themselves.
pub fn command(command: &Command, decided: Decided<'_>) -> Result<(), String> {
    let moves = matches!(
        command,
        Command::Node(NodeCommand::Evict { .. } | NodeCommand::Restore { .. } | NodeCommand::Evacuate { .. })
    );
    if moves { last_copies(decided) } else { Ok(()) }
}

/// A fact never lets go of the last copy.
pub fn fact(decided: Decided<'_>) -> Result<(), String> {
    last_copies(decided)
}

/// A replica that holds the data and stays.
fn holds(resource: &Resource) -> bool {
    let volumes = &resource.volumes;
    resource.is_diskful() && !resource.is_deleting() && !volumes.is_empty() && volumes.values().all(|volume| volume.made)
}

fn copies(definition: &ResourceDefinition) -> usize {
    definition.resources.values().filter(|resource| holds(resource)).count()
}

fn last_copies(decided: Decided<'_>) -> Result<(), String> {
    for (name, old) in &decided.before.definitions {
        let new = decided.after.definitions.get(name);
        if new.is_some_and(|new| std::sync::Arc::ptr_eq(old, new)) || old.flags.has(DefinitionFlags::DELETE) {
            continue;
        }
        let left = new.map_or(0, |new| copies(new));
        if copies(old) > 0 && left == 0 && !was_removed_by_request(decided.before, old) {
            return Err(format!("{name} had {} copies, and none is left", copies(old)));
        }
    }
    Ok(())
}

/// A volume that is new makes a replica incomplete for a while; that takes nothing away.
fn was_removed_by_request(_: &Cluster, old: &ResourceDefinition) -> bool {
    old.resources.values().all(|resource| resource.is_deleting() || resource.flags.0 & 0x40 != 0)
}

/// Whether anything that leaves holds the secret.
pub fn no_secret(what: &impl Debug) -> Result<(), String> {
    let text = format!("{what:?}");
    if text.contains(SECRET) { Err(format!("a secret is in {text}")) } else { Ok(()) }
}
