//! Decisions about pools.
use super::draft::Draft;
use crate::model::command::PoolCommand;
use crate::model::refusal::Refusal;
pub(super) fn decide(_draft: &mut Draft, _command: &PoolCommand) -> Result<(), Refusal> {
    Err(Refusal::new(998, "not here yet"))
}
