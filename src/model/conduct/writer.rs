//! The model's single writer: it decides, hands changes over to be committed, and only then lets answers and news go.
//! It never commits, answers or tells anybody itself.
//!
//! Everything that one message brings about travels as one [`Entry`]: replies and news leave with the commit of their
//! entry, in order. One batch is in flight; what comes meanwhile goes into the next. A commit that failed ends the writer:
//! its owner makes a new one and loads it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::waits::{Due, Wait, Waits};
use super::{At, Rules};
use crate::model::change::Change;
use crate::model::cluster::{Cluster, PoolKey};
use crate::model::command::{Command, PoolCommand};
use crate::model::decide::first_records;
use crate::model::derive::is_connected_to;
use crate::model::desired::DesiredResource;
use crate::model::encryption::MasterKey;
use crate::model::kinds::ConnectionStatus;
use crate::model::moment::Moment;
use crate::model::names::{NodeName, RscName};
use crate::model::news::News;
use crate::model::observed::{NodeStatus, Sighting};
use crate::model::refusal::{Note, Refusal};
use crate::model::report::Report;
use crate::model::wait::Goal;

/// How often waiting requests are looked at for their deadline, while there are any.
pub const SWEEP_PERIOD: Duration = Duration::from_secs(1);

/// Whether the answer waits for the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// As soon as the decision is durable.
    WhenDurable,
    /// When the nodes that are online have carried it out, or said why not; at the latest at the deadline.
    WhenCarriedOut,
}

/// What a request is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was done, with these notes; some may be errors that nodes reported.
    Done(Vec<Note>),
    /// Nothing was changed.
    Refused(Refusal),
    /// Too much waits for the disk: nothing was decided, and the same may be asked again.
    Busy,
}

/// How much a writer takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages whose changes go into one durable step; at least 1.
    pub batch: usize,
    /// Requests that wait for the next step; more are answered [`Outcome::Busy`]. What nodes report is never turned away.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // A step of 512 records takes milliseconds; 4096 requests are what a burst leaves behind while a disk stalls.
        Self { batch: 512, queue: 4096 }
    }
}

/// What the writer's owner has to do. To be carried out in the order in which they were given.
#[derive(Debug)]
#[must_use]
pub enum Effect<R> {
    /// Keep the changes of several decisions, in one durable step; then call [`Writer::committed`]. No second one is
    /// given before that. When it fails, or nobody knows what became of it, the writer has to be made and loaded anew.
    Commit(Vec<Vec<Change>>),
    /// Show this state to readers: all of it is durable.
    Publish(Arc<Cluster>),
    /// Answer a request.
    Answer(R, Outcome),
    /// Tell nodes.
    News(News),
}

/// What one message brought about.
struct Entry<R> {
    changes: Vec<Change>,
    replies: Vec<Due<R>>,
    news: News,
    /// It is a request.
    asked: bool,
}

impl<R> Default for Entry<R> {
    fn default() -> Self {
        Self { changes: Vec::new(), replies: Vec::new(), news: News::default(), asked: false }
    }
}

impl<R> Entry<R> {
    fn answer(reply: R, outcome: Outcome) -> Self {
        Self { replies: vec![(reply, outcome)], ..Self::default() }
    }
}

/// A batch on its way to the disk.
struct Batch<R> {
    entries: Vec<Entry<R>>,
    /// The state with all of them.
    cluster: Arc<Cluster>,
}

/// See the module. `R` is whom to answer.
pub struct Writer<R> {
    rules: Rules,
    deadline: Duration,
    limits: Limits,
    head: Cluster,
    pending: VecDeque<Entry<R>>,
    /// The state after each whole batch of what is pending.
    whole: VecDeque<Arc<Cluster>>,
    /// Requests among what is pending.
    asked: usize,
    in_flight: Option<Batch<R>>,
    waits: Waits<R>,
}

impl<R> Writer<R> {
    /// Without any state; a request waits for nodes at most for `deadline`. Nothing but [`Self::loaded`] may come first.
    #[must_use]
    pub fn new(rules: Rules, deadline: Duration) -> Self {
        Self {
            rules,
            deadline,
            limits: Limits::default(),
            head: Cluster::default(),
            pending: VecDeque::new(),
            whole: VecDeque::new(),
            asked: 0,
            in_flight: None,
            waits: Waits::default(),
        }
    }

    /// Takes on as much as that.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = Limits { batch: limits.batch.max(1), ..limits };
        self
    }

    /// The newest state: what was decided is in it, committed or not.
    #[must_use]
    pub fn head(&self) -> &Cluster {
        &self.head
    }

    /// Whether requests wait for nodes: then [`Self::sweep`] is due within [`SWEEP_PERIOD`].
    #[must_use]
    pub fn waiting(&self) -> bool {
        !self.waits.is_empty()
    }

    /// The store holds `records`. Readers saw `last_seen` last: satellites go on while the writer is started anew, and
    /// what they said holds until they say something else.
    pub fn loaded(&mut self, records: Vec<Change>, last_seen: &Cluster, at: At) -> Vec<Effect<R>> {
        for change in &records {
            self.head.apply(change);
        }
        self.head.recall(last_seen);
        let known = records.iter().any(|change| matches!(change, Change::Controller(_)));
        let changes = if known { Vec::new() } else { first_records(at.moment) };
        let mut news = self.take_in(&changes);
        news.extend(self.missed(last_seen));
        news.everybody = true;
        news.nodes = self.head.nodes.keys().cloned().collect();
        self.enqueue(Entry { changes, news, ..Entry::default() })
    }

    /// Somebody asks for something.
    pub fn execute(&mut self, command: &Command, answer: Answer, reply: R, at: At) -> Vec<Effect<R>> {
        if self.asked >= self.limits.queue {
            return vec![Effect::Answer(reply, Outcome::Busy)];
        }
        let entry = self.executed(command, answer, reply, at);
        self.enqueue(Entry { asked: true, ..entry })
    }

    /// A node reports.
    pub fn reports(&mut self, node: &NodeName, reports: &[Report], at: At) -> Vec<Effect<R>> {
        let mut entry = Entry::default();
        let mut dice = at.moment.dice();
        for (lane, report) in (1..).zip(reports) {
            let secrets = at.moment.secrets.lane(lane);
            let moment = Moment { now: at.moment.now, seed: dice.next_u64(), secrets };
            let seen = (self.rules.observe)(&self.head, node, report, moment);
            for sighting in seen.sightings {
                self.head.sight(sighting);
            }
            let news = self.take_in(&seen.changes);
            entry.news.extend(news);
            entry.changes.extend(seen.changes);
            entry.replies.extend(match report {
                Report::Resource(report) => self.waits.settle(&self.head, &report.rsc),
                Report::Pool(_) => self.waits.settle_pools(&self.head),
            });
        }
        self.enqueue(entry)
    }

    /// The state of the contact with a node changed. A node that contact was given up with, because it was evicted, does
    /// not come back by a word that it said before: nobody would ever notice that it is away.
    pub fn node_status(&mut self, node: NodeName, status: NodeStatus, at: At) -> Vec<Effect<R>> {
        let there = matches!(status.status, ConnectionStatus::Connected | ConnectionStatus::Online);
        if there && self.head.nodes.get(&node).is_some_and(|node| !is_connected_to(node)) {
            return Vec::new();
        }
        let was_online = self.head.is_online(&node);
        self.head.sight(Sighting::Node(node.clone(), status));
        let mut entry = Entry::default();
        if !there {
            // Also of one that this process has never seen online: what waits for it was ordered before a restart.
            entry.changes = (self.rules.node_went_away)(&self.head, &node, at.moment);
            entry.news = self.take_in(&entry.changes);
        }
        if was_online && !self.head.is_online(&node) {
            self.forget_resources(&node);
        }
        entry.replies = self.waits.settle_all(&self.head);
        self.enqueue(entry)
    }

    /// Somebody is answered in turn: readers then see all that came in before.
    pub fn answer_in_turn(&mut self, reply: R, outcome: Outcome) -> Vec<Effect<R>> {
        self.enqueue(Entry::answer(reply, outcome))
    }

    /// The batch in flight is durable.
    pub fn committed(&mut self) -> Vec<Effect<R>> {
        let mut effects = Vec::new();
        if let Some(batch) = self.in_flight.take() {
            release(batch, &mut effects);
        }
        self.flush(&mut effects);
        effects
    }

    /// The batch in flight failed, or nobody knows what became of it: everybody who waits for an answer. What was decided
    /// is lost unless it is in the store; the writer is of no use from now on.
    pub fn abandon(&mut self) -> Vec<R> {
        let flying = self.in_flight.take().map(|batch| batch.entries).unwrap_or_default();
        let entries = flying.into_iter().chain(std::mem::take(&mut self.pending));
        self.whole.clear();
        self.asked = 0;
        let mut all: Vec<R> = entries.flat_map(|entry| entry.replies).map(|(reply, _)| reply).collect();
        all.extend(std::mem::take(&mut self.waits).into_replies());
        all
    }

    /// Answers requests whose deadline is over.
    pub fn sweep(&mut self, at: At) -> Vec<Effect<R>> {
        let replies = self.waits.expire(&self.head, at.mono);
        self.enqueue(Entry { replies, ..Entry::default() })
    }

    fn executed(&mut self, command: &Command, answer: Answer, reply: R, at: At) -> Entry<R> {
        let decision = match (self.rules.decide)(&self.head, command, at.moment) {
            Ok(decision) => decision,
            Err(refusal) => return Entry::answer(reply, Outcome::Refused(refusal)),
        };
        let news = self.take_in_with(decision.master_key, &decision.changes);
        let goals: Vec<Goal> = match answer {
            Answer::WhenDurable => Vec::new(),
            Answer::WhenCarriedOut => goals_of(&news),
        };
        let pools: Vec<PoolKey> = match (answer, command) {
            (Answer::WhenCarriedOut, Command::Pool(PoolCommand::Create(new))) => {
                vec![(new.node.clone(), new.name.clone())]
            }
            _ => Vec::new(),
        };
        let mut entry = Entry { changes: decision.changes, news, ..Entry::default() };
        if goals.is_empty() && pools.is_empty() {
            entry.replies.push((reply, Outcome::Done(decision.notes)));
        } else {
            let until = at.mono + self.deadline;
            let definitions: BTreeSet<RscName> = goals.iter().map(|goal| goal.rsc.clone()).collect();
            self.waits.add(Wait { reply, notes: decision.notes, goals, pools, until });
            for rsc in &definitions {
                entry.replies.extend(self.waits.settle(&self.head, rsc));
            }
            entry.replies.extend(self.waits.settle_pools(&self.head));
        }
        entry
    }

    /// Applies changes to the head; what nodes have to be told of them is returned.
    fn take_in(&mut self, changes: &[Change]) -> News {
        self.take_in_with(None, changes)
    }

    /// The same, and the master key becomes known.
    fn take_in_with(&mut self, key: Option<MasterKey>, changes: &[Change]) -> News {
        if changes.is_empty() && key.is_none() {
            return News::default();
        }
        let before = self.head.clone();
        if key.is_some() {
            self.head.master_key = key;
        }
        for change in changes {
            self.head.apply(change);
        }
        (self.rules.news)(&before, &self.head, changes)
    }

    /// What was committed and never told: the former writer ended before it heard of its last commit, while nodes were
    /// told everything out of the state before that. A first writer has nothing to make up for.
    fn missed(&self, last_seen: &Cluster) -> News {
        if last_seen.definitions.is_empty() && last_seen.nodes.is_empty() {
            return News::default();
        }
        let generation = |name: &RscName| last_seen.definitions.get(name).map(|known| known.generation);
        let newer = self.head.definitions.iter().filter(|(name, new)| generation(name) != Some(new.generation));
        let changes: Vec<Change> =
            newer.map(|(name, new)| Change::Definition(name.clone(), Some(Arc::clone(new)))).collect();
        (self.rules.news)(last_seen, &self.head, &changes)
    }

    /// What a node that is away told of its resources is no longer known.
    fn forget_resources(&mut self, node: &NodeName) {
        let on_node: Vec<RscName> = self.head.on_node.get(node).into_iter().flatten().cloned().collect();
        for rsc in on_node {
            self.head.sight(Sighting::Resource(rsc, node.clone(), None));
        }
    }

    fn enqueue(&mut self, entry: Entry<R>) -> Vec<Effect<R>> {
        self.asked += usize::from(entry.asked);
        self.pending.push_back(entry);
        if self.pending.len().is_multiple_of(self.limits.batch) {
            self.whole.push_back(Arc::new(self.head.clone()));
        }
        let mut effects = Vec::new();
        self.flush(&mut effects);
        effects
    }

    /// Starts the next batch when none is in flight.
    fn flush(&mut self, effects: &mut Vec<Effect<R>>) {
        while self.in_flight.is_none() && !self.pending.is_empty() {
            let mut batch = self.next_batch();
            let changes = batch.entries.iter_mut().map(|entry| std::mem::take(&mut entry.changes));
            let decisions: Vec<Vec<Change>> = changes.filter(|changes| !changes.is_empty()).collect();
            if decisions.is_empty() {
                release(batch, effects);
            } else {
                self.in_flight = Some(batch);
                effects.push(Effect::Commit(decisions));
            }
        }
    }

    /// The oldest of what is pending, with the state that it leads to.
    fn next_batch(&mut self) -> Batch<R> {
        let (count, cluster) = match self.whole.pop_front() {
            Some(cluster) => (self.limits.batch, cluster),
            None => (self.pending.len(), Arc::new(self.head.clone())),
        };
        let entries: Vec<Entry<R>> = self.pending.drain(..count).collect();
        self.asked -= entries.iter().filter(|entry| entry.asked).count();
        Batch { entries, cluster }
    }
}

/// Everything in the batch is durable: publish it, then let replies and news go.
fn release<R>(batch: Batch<R>, effects: &mut Vec<Effect<R>>) {
    effects.push(Effect::Publish(batch.cluster));
    let mut all = News::default();
    for entry in batch.entries {
        all.extend(entry.news);
        effects.extend(entry.replies.into_iter().map(|(reply, outcome)| Effect::Answer(reply, outcome)));
    }
    if !all.is_empty() {
        effects.push(Effect::News(all));
    }
}

fn goals_of(news: &News) -> Vec<Goal> {
    let goal = |(node, desired): &(NodeName, DesiredResource)| Goal {
        rsc: desired.rsc.clone(),
        node: node.clone(),
        generation: desired.generation,
    };
    news.resources.iter().map(goal).collect()
}

#[cfg(test)]
mod tests;
