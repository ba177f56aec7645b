//! Decisions: a command and the cluster as it is give changes and notes, or a refusal. Pure and repeatable.
//!
//! A decision never acts. Its changes are persisted first; what nodes have to do follows from the new state
//! (`model::derive`), and what came of it is decided by [`observe`].

mod autoplace;
mod available;
mod clone;
mod controller;
mod definition;
mod draft;
mod encryption;
mod evacuation;
mod eviction;
mod file_names;
mod group;
mod interface;
mod node;
mod node_connection;
mod node_evacuation;
mod node_removal;
mod notes;
mod observe;
mod pool;
mod pool_backing;
mod pool_definition;
mod raise_replicas;
mod replacement;
mod replica_state;
mod resource;
mod rollback;
mod room;
mod select_filter;
mod snapshot;
mod taken_back;
#[cfg(test)]
mod tests;
mod toggle;
mod volume;
mod volume_group;
mod volume_key;

use super::change::Change;
use super::cluster::Cluster;
use super::command::Command;
use super::encryption::MasterKey;
use super::moment::Moment;
use super::refusal::{Note, Refusal};

pub use autoplace::{Explanation, explain};
pub use draft::first_records;
pub use observe::{Observation, node_went_away, observe};

/// What a command comes to.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Decision {
    /// Facts to persist, all or none.
    pub changes: Vec<Change>,
    /// What the caller is told, when the changes are durable.
    pub notes: Vec<Note>,
    /// The master key, where it becomes known with the changes.
    pub master_key: Option<MasterKey>,
}

/// Decides about a command. On a refusal nothing is changed.
///
/// # Errors
/// A [`Refusal`] with code, cause and cure.
pub fn decide(cluster: &Cluster, command: &Command, moment: Moment) -> Result<Decision, Refusal> {
    let mut draft = draft::Draft::new(cluster, moment);
    match command {
        Command::Node(command) => node::decide(&mut draft, command),
        Command::Pool(command) => pool::decide(&mut draft, command),
        Command::Group(command) => group::decide(&mut draft, command),
        Command::Definition(command) => definition::decide(&mut draft, command),
        Command::Resource(command) => resource::decide(&mut draft, command),
        Command::Snapshot(command) => snapshot::decide(&mut draft, command),
        Command::Controller(command) => controller::decide(&mut draft, command),
        Command::Encryption(command) => encryption::decide(&mut draft, command),
    }?;
    encryption::note_locked(&mut draft);
    Ok(draft.finish())
}
