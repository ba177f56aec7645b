//! Decisions about nodes.
use super::draft::Draft;
use crate::model::command::NodeCommand;
use crate::model::refusal::Refusal;
pub(super) fn decide(_draft: &mut Draft, _command: &NodeCommand) -> Result<(), Refusal> {
    Err(Refusal::new(998, "not here yet"))
}
