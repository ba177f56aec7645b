//! Definitions with volumes and replicas made from a group in one go, and the replicas of a group's definitions brought
//! to what it wants.

use super::draft::Draft;
use crate::model::code::*;
use crate::model::command::Spawn;
use crate::model::group::SelectFilter;
use crate::model::names::GroupName;
use crate::model::refusal::Refusal;

pub(super) fn spawn(_draft: &mut Draft, order: &Spawn) -> Result<(), Refusal> {
    Err(not_built("Resources are not spawned from groups yet")
        .cure("Create the definition, its volumes and its resources one by one")
        .about("RscGrp", &order.group))
}

pub(super) fn adjust(_draft: &mut Draft, _group: Option<&GroupName>, _filter: &SelectFilter) -> Result<(), Refusal> {
    Err(not_built("Groups are not adjusted yet").cure("Place the replicas of each definition by autoplace"))
}

fn not_built(text: &str) -> Refusal {
    Refusal::new(FAIL_UNKNOWN_ERROR, text).because("This controller does not have that part yet")
}
