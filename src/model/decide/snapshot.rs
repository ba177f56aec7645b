//! Decisions about snapshots.
use super::draft::Draft;
use crate::model::command::SnapshotCommand;
use crate::model::refusal::Refusal;
pub(super) fn decide(_draft: &mut Draft, _command: &SnapshotCommand) -> Result<(), Refusal> {
    Err(Refusal::new(998, "not here yet"))
}
