//! The best set of candidates that fit together.
//!
//! Candidates come best first. They are parted into groups whose members can never stand with those of another one
//! (other values of a property in which all must agree, other families of providers). In a group the greedy choice is
//! taken. Where at most one property limits the choice it is the best there is (nodes within its values form a laminar
//! matroid). Else a depth-first search looks for better sets, or for one at all, cut off where the next best
//! candidates could not beat the best set known, where the rest cannot fill the groups of x-replicas any more, and
//! after a fixed number of steps: a set that only a longer search would find is not found.

use std::collections::BTreeMap;

use super::constraint::{Constraints, Limit};
use super::filter::Candidate;
use super::mixing::{family, may_mix};

/// Steps of the search for a first set, for all groups together: about a millisecond, and enough to look through every
/// set of a cluster of 16 candidates.
pub(super) const EXPLORED_MAX: usize = 65_536;
/// Steps of the search for a better set once there is one: its score gains little, and requests wait.
pub(super) const IMPROVED_MAX: usize = 2_000;

/// What was selected: indexes of candidates, best first.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Selection {
    /// As many as were wanted.
    Complete(Vec<usize>),
    /// The most that were found to fit together.
    Partial(Vec<usize>),
}

/// Why a candidate cannot join those that are picked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Conflict {
    /// The picked one stands on the same node.
    Node(usize),
    /// It stands in the same shared space.
    Space(usize),
    /// Its kind does not go with this one.
    Mix(usize),
    /// It has another value of a property in which all must agree.
    Agreement(usize),
    /// The limit of that number is reached.
    Limit(usize),
    /// The groups of the limit of that number could not be filled any more.
    HalfFull(usize),
}

/// Selects `wanted` of the candidates, which are sorted by falling score.
pub(super) fn select(candidates: &[Candidate], rules: &Constraints, mixing: bool, wanted: usize) -> Selection {
    let mut best: Option<(f64, Vec<usize>)> = None;
    let mut most: Vec<usize> = Vec::new();
    let groups = groups(candidates, mixing);
    let steps = EXPLORED_MAX / groups.len().max(1);
    for group in groups {
        let mut search = Search::new(candidates, rules, &group, wanted);
        search.floor = best.as_ref().map(|(score, _)| *score);
        search.run(steps);
        if let Some(found) = search.best {
            best = Some(found);
        } else if search.most.len() > most.len() {
            most = search.most;
        }
    }
    match best {
        Some((_, chosen)) => Selection::Complete(chosen),
        None => Selection::Partial(most),
    }
}

/// Parts the candidates; the order of groups is that of their best members.
fn groups(candidates: &[Candidate], mixing: bool) -> Vec<Vec<usize>> {
    let apart = !mixing && candidates.iter().all(|one| family(one.pool.provider).is_some());
    let mut numbers: BTreeMap<(&[u32], Option<u8>), usize> = BTreeMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let family = if apart { family(candidate.pool.provider) } else { None };
        let number = *numbers.entry((&candidate.agreement, family)).or_insert(groups.len());
        match groups.get_mut(number) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups
}

/// Those that are picked so far, with what they use up.
pub(super) struct Picked<'a> {
    candidates: &'a [Candidate<'a>],
    limits: &'a [Limit<'a>],
    pub(super) chosen: Vec<usize>,
    /// Replicas by limit and value.
    used: Vec<Vec<u32>>,
    /// For each limit the number of its groups that may stay half full.
    half_full_max: Vec<usize>,
}

impl<'a> Picked<'a> {
    pub(super) fn new(candidates: &'a [Candidate<'a>], limits: &'a [Limit<'a>]) -> Self {
        let half = |limit: &Limit| limit.used.iter().filter(|n| (1..limit.limit).contains(n)).count();
        Self {
            candidates,
            limits,
            chosen: Vec::new(),
            used: limits.iter().map(|limit| limit.used.clone()).collect(),
            // Those that stand may be worse already; then it must not become worse still.
            half_full_max: limits.iter().map(|limit| half(limit).max(1)).collect(),
        }
    }

    pub(super) fn push(&mut self, at: usize) {
        self.count(at, 1);
        self.chosen.push(at);
    }

    fn pop(&mut self) {
        if let Some(at) = self.chosen.pop() {
            self.count(at, u32::MAX);
        }
    }

    /// Adds one, or with `u32::MAX` takes one away.
    fn count(&mut self, at: usize, step: u32) {
        for (used, value) in self.used.iter_mut().zip(&self.candidates[at].values) {
            if let Some(value) = value {
                let n = &mut used[*value as usize];
                *n = n.wrapping_add(step);
            }
        }
    }

    /// Why the candidate cannot join, when `left` more are to be picked after it.
    pub(super) fn conflict(&self, at: usize, left: usize) -> Option<Conflict> {
        let one = &self.candidates[at];
        for &other in &self.chosen {
            if let Some(conflict) = between(one, &self.candidates[other], other) {
                return Some(conflict);
            }
        }
        for (number, (limit, value)) in self.limits.iter().zip(&one.values).enumerate() {
            let used = value.map(|value| self.used[number][value as usize]);
            if used.is_some_and(|used| used >= limit.limit) {
                return Some(Conflict::Limit(number));
            }
            if limit.fills_groups && self.missing(number, *value) > left {
                return Some(Conflict::HalfFull(number));
            }
        }
        None
    }

    /// Replicas without which too many groups stay half full, once `value` has one more.
    fn missing(&self, number: usize, value: Option<u32>) -> usize {
        let limit = self.limits[number].limit;
        let with = |at: usize, n: u32| n + u32::from(value.is_some_and(|value| value as usize == at));
        let used = self.used[number].iter().enumerate().map(|(at, n)| with(at, *n));
        let mut gaps: Vec<usize> = used.filter(|n| (1..limit).contains(n)).map(|n| (limit - n) as usize).collect();
        gaps.sort_unstable();
        let must = gaps.len().saturating_sub(self.half_full_max[number]);
        gaps[..must].iter().sum()
    }
}

fn between(one: &Candidate, other: &Candidate, at: usize) -> Option<Conflict> {
    if std::ptr::eq(one.node, other.node) {
        return Some(Conflict::Node(at));
    }
    if one.pool.shared_space.is_some() && one.pool.shared_space == other.pool.shared_space {
        return Some(Conflict::Space(at));
    }
    if one.agreement != other.agreement {
        return Some(Conflict::Agreement(at));
    }
    let mixes = one.pool.provider == other.pool.provider || may_mix(one.mixable, other.mixable);
    (!mixes).then_some(Conflict::Mix(at))
}

struct Search<'a> {
    group: &'a [usize],
    picked: Picked<'a>,
    wanted: usize,
    /// Sums of the scores before each member of the group.
    sums: Vec<f64>,
    best: Option<(f64, Vec<usize>)>,
    /// Score to beat, from another group.
    floor: Option<f64>,
    most: Vec<usize>,
    steps: usize,
}

impl<'a> Search<'a> {
    fn new(candidates: &'a [Candidate<'a>], rules: &'a Constraints<'a>, group: &'a [usize], wanted: usize) -> Self {
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        sums.extend(group.iter().map(|&at| {
            sum += candidates[at].score;
            sum
        }));
        Self {
            group,
            picked: Picked::new(candidates, &rules.limits),
            wanted,
            sums,
            best: None,
            floor: None,
            most: Vec::new(),
            steps: 0,
        }
    }

    fn run(&mut self, steps: usize) {
        if !self.may_beat(0, 0.0) {
            return;
        }
        let complete = self.greedy();
        if complete && self.picked.chosen.len() == self.wanted {
            self.keep();
        }
        self.most = std::mem::take(&mut self.picked.chosen);
        self.picked = Picked::new(self.picked.candidates, self.picked.limits);
        if self.greedy_is_best() || !self.is_possible() {
            return;
        }
        self.steps = if self.best.is_some() { steps.min(IMPROVED_MAX) } else { steps };
        self.descend(0, 0.0);
    }

    /// Takes the best that fits, again and again.
    fn greedy(&mut self) -> bool {
        for &at in self.group {
            let left = self.wanted - self.picked.chosen.len();
            if left == 0 {
                break;
            }
            if self.picked.conflict(at, left - 1).is_none() {
                self.picked.push(at);
            }
        }
        self.picked.chosen.len() == self.wanted
    }

    /// Whether the rules of this group are nested partitions, for which greed is optimal.
    fn greedy_is_best(&self) -> bool {
        let members = || self.group.iter().map(|&at| &self.picked.candidates[at]);
        let shared = members().any(|one| one.pool.shared_space.is_some());
        let mut kinds = members().map(|one| family(one.pool.provider));
        let first = kinds.next().flatten();
        let mixed = first.is_none() || kinds.any(|kind| kind != first);
        let limits = self.picked.limits;
        !shared && !mixed && limits.len() <= 1 && limits.iter().all(|limit| !limit.fills_groups)
    }

    /// Whether there are nodes enough, and values enough for each limit.
    fn is_possible(&self) -> bool {
        let candidates = self.picked.candidates;
        let mut nodes: Vec<usize> = self.group.iter().map(|&at| std::ptr::from_ref(candidates[at].node).addr()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let limits = self.picked.limits.iter().enumerate();
        nodes.len() >= self.wanted && limits.into_iter().all(|(number, limit)| self.room(number, limit) >= self.wanted)
    }

    /// Replicas that a limit leaves room for.
    fn room(&self, number: usize, limit: &Limit) -> usize {
        let mut met = vec![false; limit.used.len()];
        let mut room = 0_usize;
        for &at in self.group {
            match self.picked.candidates[at].values[number] {
                None => room += 1,
                Some(value) if !met[value as usize] => {
                    met[value as usize] = true;
                    room += limit.limit.saturating_sub(limit.used[value as usize]) as usize;
                }
                Some(_) => {}
            }
        }
        room
    }

    /// Whether the best that may follow from `from` on can beat the best set known.
    fn may_beat(&self, from: usize, score: f64) -> bool {
        let left = self.wanted - self.picked.chosen.len();
        let Some(sum) = self.sums.get(from + left) else {
            return self.best.is_none() && self.floor.is_none() && from == 0;
        };
        let best = self.best.as_ref().map(|(score, _)| *score);
        let beaten = |known: f64| score + sum - self.sums[from] <= known;
        !(best.is_some_and(beaten) || self.floor.is_some_and(beaten))
    }

    fn descend(&mut self, from: usize, score: f64) {
        let left = self.wanted - self.picked.chosen.len();
        if left == 0 {
            self.keep();
            return;
        }
        for number in from..self.group.len() {
            if self.steps == 0 || number + left > self.group.len() || !self.may_beat(number, score) {
                return;
            }
            self.steps -= 1;
            let at = self.group[number];
            if self.picked.conflict(at, left - 1).is_none() {
                self.picked.push(at);
                self.descend(number + 1, score + self.picked.candidates[at].score);
                self.picked.pop();
            }
        }
    }

    fn keep(&mut self) {
        let scores = self.picked.chosen.iter().map(|&at| self.picked.candidates[at].score);
        let score: f64 = scores.sum();
        let better = |known: f64| score > known;
        if self.best.as_ref().is_none_or(|(known, _)| better(*known)) && self.floor.is_none_or(better) {
            if self.best.is_none() {
                self.steps = self.steps.min(IMPROVED_MAX);
            }
            self.best = Some((score, self.picked.chosen.clone()));
        }
    }
}
