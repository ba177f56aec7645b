//! Decisions about definitions.
use super::draft::Draft;
use crate::model::command::DefinitionCommand;
use crate::model::refusal::Refusal;
pub(super) fn decide(_draft: &mut Draft, _command: &DefinitionCommand) -> Result<(), Refusal> {
    Err(Refusal::new(998, "not here yet"))
}
