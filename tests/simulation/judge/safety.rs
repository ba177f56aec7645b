//! Safety rules of the model's decisions: the last copy is never given up unless that was asked for, and secrets stay
//! where they are.

use std::fmt::Debug;
use std::sync::Arc;

use zea::actors::controller::records::batch_of;
use zea::model::change::Change;
use zea::model::command::{Command, NodeCommand, ResourceCommand};
use zea::model::definition::{Resource, ResourceDefinition, VolumeDefinition};
use zea::model::kinds::{DefinitionFlags, LayerKind, VolumeDefinitionFlags, VolumeFlags};
use zea::model::names::VolumeNumber;
use zea::store::Write;

use super::Decided;

/// The secret that scripts give to definitions. Records may hold it.
const SECRET: &str = "hush-hush-4711";
/// What all passphrases of scripts begin with.
pub const PASSPHRASE: &str = "mum-mum-1147";

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

/// Replicas that hold the volume and stay.
fn copies(definition: &ResourceDefinition, number: VolumeNumber) -> usize {
    let holds = |resource: &&Resource| {
        let volume = resource.volumes.get(&number);
        resource.keeps_disk() && volume.is_some_and(|volume| volume.made && !volume.flags.has(VolumeFlags::DELETE))
    };
    definition.resources.values().filter(holds).count()
}

fn last_copies(decided: Decided<'_>, matters: impl Fn(Option<&ResourceDefinition>) -> bool) -> Result<(), String> {
    for (name, old) in &decided.before.definitions {
        let new = decided.after.definitions.get(name);
        if new.is_some_and(|new| Arc::ptr_eq(old, new)) || old.flags.has(DefinitionFlags::DELETE) {
            continue;
        }
        let new = new.map(|new| &**new);
        let stays = |volume: &&VolumeDefinition| !volume.flags.has(VolumeDefinitionFlags::DELETE);
        for number in old.volumes.values().filter(stays).map(|volume| volume.number) {
            let before = copies(old, number);
            if before > 0 && new.map_or(0, |new| copies(new, number)) == 0 && matters(new) {
                return Err(format!("volume {number} of {name} had {before} copies, and none is left"));
            }
        }
    }
    Ok(())
}

/// Whether anything that leaves holds the secret.
pub fn no_secret(what: &impl Debug) -> Result<(), String> {
    let text = format!("{what:?}");
    let told = [SECRET, PASSPHRASE].into_iter().any(|secret| text.contains(secret));
    if told { Err(format!("a secret is in {text}")) } else { Ok(()) }
}

/// Whether a record that has to do with keys holds a passphrase.
pub fn no_passphrase(decisions: &[Vec<Change>]) -> Result<(), String> {
    let concerned = |change: &&Change| match change {
        Change::Controller(_) | Change::Snapshot(..) => true,
        Change::Definition(_, record) => record.as_ref().is_some_and(|record| record.has_layer(LayerKind::Luks)),
        _ => false,
    };
    for change in decisions.iter().flatten().filter(concerned) {
        let batch = batch_of(std::slice::from_ref(change)).map_err(|error| error.to_string())?;
        let found = batch.iter().any(|write| match write {
            Write::Put(record) => record.body.windows(PASSPHRASE.len()).any(|part| part == PASSPHRASE.as_bytes()),
            Write::Delete(_) => false,
        });
        if found {
            return Err(format!("a passphrase is in the record of {change:?}"));
        }
    }
    Ok(())
}
