//! Places what the definitions of a group lack since its place count was given anew. Never takes a replica away.

use super::draft::Draft;
use crate::model::code::*;
use crate::model::definition::ResourceDefinition;
use crate::model::group::DEFAULT_PLACE_COUNT;
use crate::model::kinds::DefinitionFlags;
use crate::model::names::{GroupName, RscName};
use crate::model::refusal::{Note, Refusal};

/// Brings each definition of the group that has replicas, but fewer than its place count, up to it. The group is changed
/// even where that does not succeed; a warning says so for each definition.
pub(super) fn raise_replicas(draft: &mut Draft, group: &GroupName) {
    let count = draft.cluster.groups.get(group).and_then(|group| group.filter.place_count);
    let wanted = usize::try_from(count.unwrap_or(DEFAULT_PLACE_COUNT)).unwrap_or(usize::MAX);
    let members = draft.cluster.in_group.get(group).into_iter().flatten();
    let lacking = members.filter(|rsc| draft.cluster.definitions.get(*rsc).is_some_and(|rsc| lacks(rsc, wanted)));
    let lacking: Vec<RscName> = lacking.cloned().collect();
    for rsc in &lacking {
        if let Err(refusal) = place_missing(draft, rsc) {
            draft.note(not_placed(rsc, &refusal));
        }
    }
}

/// A definition without replicas waits for somebody to place it; one on its way out gets none.
fn lacks(definition: &ResourceDefinition, wanted: usize) -> bool {
    let replicas = definition.diskful().count();
    replicas > 0 && replicas < wanted && !definition.flags.has(DefinitionFlags::DELETE)
}

/// Places the replicas of one definition up to the place count of its group.
///
/// # Errors
/// Why there is no place for them. Nothing was put then.
fn place_missing(_draft: &mut Draft, rsc: &RscName) -> Result<(), Refusal> {
    Err(Refusal::new(FAIL_UNKNOWN_ERROR, "Replicas are not placed by a change of the group yet")
        .cure("Place the replicas of each definition by autoplace")
        .about("RscDfn", rsc))
}

fn not_placed(rsc: &RscName, refusal: &Refusal) -> Note {
    let mut note = Note::warning(WARN_NO_EFFECT, format!("Resource '{rsc}' keeps the replicas that it has"));
    note.cause = Some(match &refusal.note.cause {
        Some(cause) => format!("{}: {cause}", refusal.note.message),
        None => refusal.note.message.clone(),
    });
    note.correction.clone_from(&refusal.note.correction);
    note.details.clone_from(&refusal.note.details);
    note.about("RscDfn", rsc)
}
