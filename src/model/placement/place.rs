//! The whole way of a placement, and the account of it.

use std::cmp::Ordering;

use super::filter::{Candidate, Survey, survey};
use super::mixing;
use super::rate::{Weights, rate};
use super::reason::Reason;
use super::request::{Choice, NotPlaced, Placed, Request};
use super::select::{Conflict, Picked, Selection, select};
use super::story::{Fate, Story};
use super::warning::check_filter;
use crate::model::code::{FAIL_NOT_ENOUGH_NODES, FAIL_UNDECIDABLE_AUTOPLACMENT};

/// Finds places for replicas: all that are wanted, or none. The same request gives the same places; ties go to the
/// node, then to the pool, whose name comes first.
///
/// # Errors
/// There is no room for all of them, with the reason of every node; or those that stand already disagree in a property
/// in which all must agree.
pub fn place(request: &Request) -> Result<Placed, NotPlaced> {
    let mut survey = survey(request);
    let selection = rank_and_select(request, &mut survey);
    let code = match survey.constraints.is_torn() {
        true => FAIL_UNDECIDABLE_AUTOPLACMENT,
        false => FAIL_NOT_ENOUGH_NODES,
    };
    match selection {
        Selection::Complete(chosen) => {
            let choices = chosen.iter().map(|&at| choice(&survey.candidates[at])).collect();
            let story = tell(request, survey, &chosen, Outcome::Complete);
            Ok(Placed { choices, story })
        }
        Selection::Partial(most) => Err(NotPlaced {
            code,
            wanted: request.count,
            possible: most.len(),
            story: Box::new(tell(request, survey, &most, Outcome::Partial)),
        }),
    }
}

/// Sorts the candidates of a survey by falling score and selects of them.
pub(super) fn rank_and_select(request: &Request, survey: &mut Survey) -> Selection {
    rate(&mut survey.candidates, Weights::of(&request.cluster.controller.props));
    // The sort is stable: equal ones stay in the order of their names.
    survey.candidates.sort_by(|a, b| descending(a.score, b.score));
    if request.count == 0 {
        return Selection::Complete(Vec::new());
    }
    select(&survey.candidates, &survey.constraints, survey.mixing, request.count)
}

fn descending(a: f64, b: f64) -> Ordering {
    b.total_cmp(&a)
}

fn choice(candidate: &Candidate) -> Choice {
    Choice {
        node: candidate.node.name.clone(),
        pool: candidate.pool.name.clone(),
        provider: candidate.pool.provider,
        score: candidate.score,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Complete,
    Partial,
}

/// Writes down what became of every candidate.
fn tell(request: &Request, survey: Survey, chosen: &[usize], outcome: Outcome) -> Story {
    let Survey { mut entries, candidates, constraints, .. } = survey;
    let mut picked = Picked::new(&candidates, &constraints.limits);
    chosen.iter().for_each(|&at| picked.push(at));
    // Half full groups are a hindrance only where replicas are still missing.
    let left = match outcome {
        Outcome::Complete => usize::MAX,
        Outcome::Partial => request.count.saturating_sub(chosen.len() + 1),
    };
    for (at, candidate) in candidates.iter().enumerate() {
        let score = candidate.score;
        entries[candidate.entry].fate = match (outcome, chosen.contains(&at)) {
            (Outcome::Complete, true) => Fate::Chosen { score },
            (Outcome::Partial, true) => Fate::Eligible { score, conflict: None },
            (_, false) => {
                let conflict = picked.conflict(at, left);
                let conflict = conflict.map(|conflict| reason(conflict, at, &candidates, &constraints));
                Fate::Eligible { score, conflict }
            }
        };
    }
    Story { entries, warnings: check_filter(request.cluster, request.filter) }
}

fn reason(
    conflict: Conflict,
    at: usize,
    candidates: &[Candidate],
    rules: &super::constraint::Constraints,
) -> Reason {
    let one = &candidates[at];
    match conflict {
        Conflict::Node(other) => Reason::NodeTaken(candidates[other].pool.name.clone()),
        Conflict::Space(other) => match &candidates[other].pool.shared_space {
            Some(space) => Reason::SharedSpaceUsed(space.clone()),
            None => Reason::NodeTaken(candidates[other].pool.name.clone()),
        },
        Conflict::Mix(other) => {
            let other = &candidates[other];
            mixing::reason(one.pool.provider, &other.node.name, other.pool.provider)
        }
        Conflict::Agreement(other) => rules
            .disagreement(&one.agreement, &candidates[other].agreement)
            .expect("agreements differ, or there is no such conflict"),
        Conflict::Limit(number) => {
            let value = one.values[number].expect("a limit binds only nodes that have its property");
            rules.limits[number].used_up(value)
        }
        Conflict::HalfFull(number) => rules.limits[number].half_full(),
    }
}
