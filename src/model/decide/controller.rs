//! Decisions about controllers.
use super::draft::Draft;
use crate::model::command::ControllerCommand;
use crate::model::refusal::Refusal;
pub(super) fn decide(_draft: &mut Draft, _command: &ControllerCommand) -> Result<(), Refusal> {
    Err(Refusal::new(998, "not here yet"))
}
