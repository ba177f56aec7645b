//! Places what the definitions of a group lack since its place count was given anew. Never takes a replica away.

use super::autoplace;
use super::draft::Draft;
use crate::model::code::*;
use crate::model::names::{GroupName, RscName};
use crate::model::refusal::{Note, Refusal};

/// Brings each definition of the group that has fewer replicas than its place count up to it. The group is changed even
/// where that does not succeed; a warning says so for each definition.
pub(super) fn raise_replicas(draft: &mut Draft, group: &GroupName) {
    let Some(filter) = draft.cluster.groups.get(group).map(|group| group.filter.clone()) else {
        return;
    };
    let members: Vec<RscName> = draft.cluster.in_group.get(group).into_iter().flatten().cloned().collect();
    for rsc in &members {
        if let Err(refusal) = autoplace::raise_replicas(draft, rsc, &filter) {
            draft.note(not_placed(rsc, &refusal));
        }
    }
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
