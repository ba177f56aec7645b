//! Decisions about resources.
use super::draft::Draft;
use crate::model::command::ResourceCommand;
use crate::model::refusal::Refusal;
pub(super) fn decide(_draft: &mut Draft, _command: &ResourceCommand) -> Result<(), Refusal> {
    Err(Refusal::new(998, "not here yet"))
}
