//! Decisions about groups.
use super::draft::Draft;
use crate::model::command::GroupCommand;
use crate::model::refusal::Refusal;
pub(super) fn decide(_draft: &mut Draft, _command: &GroupCommand) -> Result<(), Refusal> {
    Err(Refusal::new(998, "not here yet"))
}
