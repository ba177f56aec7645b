//! Safety rules of the model's decisions: the last copy is never given up unless that was asked for, and secrets stay
//! where they are.

use std::fmt::Debug;
use std::sync::Arc;

use zea::model::command::{Command, NodeCommand, ResourceCommand};
use zea::model::definition::{Resource, ResourceDefinition};
use zea::model::kinds::{DefinitionFlags, LayerKind, ResourceFlags};

use super::Decided;

/// The secret that scripts give to definitions.
const SECRET: &str = "hush-hush-4711";

/// Commands that move or give up replicas by themselves; and those that take one away, which may be the last, but not from
/// others that read from it.
pub fn command(command: &Command, decided: Decided<'_>) -> Result<(), String> {
    let moves = matches!(
        command,
        Command::Node(NodeCommand::Evict { .. } | NodeCommand::Restore { .. } | NodeCommand::Evacuate { .. })
    );
    let takes =
        matches!(command, Command::Resource(ResourceCommand::Delete { .. } | ResourceCommand::ToggleDisk { .. }));
    // Without DRBD every replica is a world of its own.
    let reads = |new: &ResourceDefinition| new.has_layer(LayerKind::Drbd);
    let readers = |new: &ResourceDefinition| {
        takes && reads(new) && new.resources.values().any(|resource| !resource.is_deleting())
    };
    last_copies(decided, |new| moves || new.is_some_and(readers)).map_err(|what| format!("{what}, by {command:?}"))
}

/// A fact never lets go of the last copy.
pub fn fact(decided: Decided<'_>) -> Result<(), String> {
    last_copies(decided, |_| true)
}

/// A replica that holds the data and stays.
fn holds(resource: &Resource) -> bool {
    let volumes = &resource.volumes;
    let stays = !resource.is_deleting() && !resource.flags.has(ResourceFlags::DISK_REMOVING);
    resource.is_diskful() && stays && !volumes.is_empty() && volumes.values().all(|volume| volume.made)
}

fn copies(definition: &ResourceDefinition) -> usize {
    definition.resources.values().filter(|resource| holds(resource)).count()
}

fn last_copies(decided: Decided<'_>, matters: impl Fn(Option<&ResourceDefinition>) -> bool) -> Result<(), String> {
    for (name, old) in &decided.before.definitions {
        let new = decided.after.definitions.get(name);
        if new.is_some_and(|new| Arc::ptr_eq(old, new)) || old.flags.has(DefinitionFlags::DELETE) {
            continue;
        }
        let new = new.map(|new| &**new);
        if copies(old) > 0 && new.map_or(0, copies) == 0 && matters(new) {
            return Err(format!("{name} had {} copies, and none is left", copies(old)));
        }
    }
    Ok(())
}

/// Whether anything that leaves holds the secret.
pub fn no_secret(what: &impl Debug) -> Result<(), String> {
    let text = format!("{what:?}");
    if text.contains(SECRET) { Err(format!("a secret is in {text}")) } else { Ok(()) }
}
