//! Requests that wait for nodes: found by the definition that something was heard about. Decides nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::writer::Outcome;
use crate::model::cluster::{Cluster, PoolKey};
use crate::model::names::RscName;
use crate::model::refusal::Note;
use crate::model::wait::{Goal, Standing, outcome, pool_is_awaited, pool_note};

/// One waiting request.
pub struct Wait<R> {
    /// Whom to answer.
    pub reply: R,
    /// What was decided.
    pub notes: Vec<Note>,
    /// What nodes have to reach.
    pub goals: Vec<Goal>,
    /// Pools that nodes have to tell of.
    pub pools: Vec<PoolKey>,
    /// When the answer is due in any case, on the writer's monotonic clock.
    pub until: Duration,
}

/// All waiting requests.
pub struct Waits<R> {
    next: u64,
    waits: BTreeMap<u64, Wait<R>>,
    by_definition: BTreeMap<RscName, Vec<u64>>,
}

impl<R> Default for Waits<R> {
    fn default() -> Self {
        Self { next: 0, waits: BTreeMap::new(), by_definition: BTreeMap::new() }
    }
}

/// A request that can be answered.
pub type Due<R> = (R, Outcome);

impl<R> Waits<R> {
    /// Takes a request in.
    pub fn add(&mut self, wait: Wait<R>) {
        self.next += 1;
        for goal in &wait.goals {
            let ids = self.by_definition.entry(goal.rsc.clone()).or_default();
            if ids.last() != Some(&self.next) {
                ids.push(self.next);
            }
        }
        self.waits.insert(self.next, wait);
    }

    /// Everybody who waits, in the order in which they came.
    pub fn into_replies(self) -> impl Iterator<Item = R> {
        self.waits.into_values().map(|wait| wait.reply)
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// Requests about the definition that have nothing left to wait for.
    pub fn settle(&mut self, cluster: &Cluster, rsc: &RscName) -> Vec<Due<R>> {
        let ids = self.by_definition.get(rsc).cloned().unwrap_or_default();
        ids.into_iter().filter_map(|id| self.settle_one(cluster, id)).collect()
    }

    /// As [`Self::settle`], over all of them: after a node came or went.
    pub fn settle_all(&mut self, cluster: &Cluster) -> Vec<Due<R>> {
        let ids: Vec<u64> = self.waits.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.settle_one(cluster, id)).collect()
    }

    /// Requests about pools that have nothing left to wait for.
    pub fn settle_pools(&mut self, cluster: &Cluster) -> Vec<Due<R>> {
        let about_pools = self.waits.iter().filter(|(_, wait)| !wait.pools.is_empty());
        let ids: Vec<u64> = about_pools.map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| self.settle_one(cluster, id)).collect()
    }

    /// Requests whose time is over.
    pub fn expire(&mut self, cluster: &Cluster, now: Duration) -> Vec<Due<R>> {
        let late = self.waits.iter().filter(|(_, wait)| wait.until <= now);
        let ids: Vec<u64> = late.map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| self.end(cluster, id)).collect()
    }

    fn settle_one(&mut self, cluster: &Cluster, id: u64) -> Option<Due<R>> {
        let wait = self.waits.get(&id)?;
        let pending = wait.goals.iter().any(|goal| goal.standing(cluster) == Standing::Pending)
            || wait.pools.iter().any(|pool| pool_is_awaited(cluster, pool));
        // What one node refuses is taken back on all: no other is waited for.
        let over = wait.goals.iter().any(|goal| goal.is_taken_back(cluster));
        if pending && !over { None } else { self.end(cluster, id) }
    }

    fn end(&mut self, cluster: &Cluster, id: u64) -> Option<Due<R>> {
        let wait = self.waits.remove(&id)?;
        for goal in &wait.goals {
            if let Some(ids) = self.by_definition.get_mut(&goal.rsc) {
                ids.retain(|known| *known != id);
                if ids.is_empty() {
                    self.by_definition.remove(&goal.rsc);
                }
            }
        }
        let mut notes = outcome(cluster, wait.notes, &wait.goals);
        notes.extend(wait.pools.iter().filter_map(|pool| pool_note(cluster, pool)));
        Some((wait.reply, Outcome::Done(notes)))
    }
}
