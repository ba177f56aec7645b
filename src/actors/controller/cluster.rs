//! The cluster actor: the model's single writer. It decides, has the changes committed, and only then answers and tells
//! nodes. Never blocks, and never reads the store itself.
//!
//! Everything that one message brings about travels as one [`Entry`] through the committer: replies and news leave with
//! the commit of their entry, in order. One batch is in flight; what comes meanwhile goes into the next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::api::{Answer, ClusterAnswer, ClusterMessage, View};
use super::committer::{CommitterAnswer, CommitterMessage};
use super::satellites::SatellitesMessage;
use super::waits::{Due, Wait, Waits};
use crate::actors::system::{ActorRef, Behaviour, Context, Reply};
use crate::model::change::Change;
use crate::model::cluster::{Cluster, PoolKey};
use crate::model::command::{Command, PoolCommand};
use crate::model::decide::{decide, first_records, node_went_away, observe};
use crate::model::moment::{EpochMs, Moment};
use crate::model::names::{NodeName, RscName};
use crate::model::news::{News, news};
use crate::model::observed::{NodeStatus, Sighting};
use crate::model::refusal::Note;
use crate::model::report::{PoolReport, Report};
use crate::model::wait::Goal;

/// How long the store may take to load: a large one on a slow disk; past it the actor fails and is started again.
const LOAD_LIMIT: Duration = Duration::from_secs(120);
/// How long a commit may take. A disk that does not answer for a minute is broken; the actor fails and loads anew.
const COMMIT_LIMIT: Duration = Duration::from_secs(60);
/// How often waiting requests are looked at for their deadline, while there are any.
const SWEEP_PERIOD: Duration = Duration::from_secs(1);
/// Messages kept while the store loads; more are answered "ask again" by being dropped.
const STASH_LIMIT: usize = 4096;

type Ctx = Context<ClusterMessage>;

/// What the cluster actor needs of the outside.
#[derive(Clone)]
pub struct Surroundings {
    /// Published states.
    pub view: View,
    /// Owner of the store.
    pub committer: ActorRef<CommitterMessage>,
    /// Keeps contact with nodes; started after this actor.
    pub satellites: Arc<std::sync::OnceLock<ActorRef<SatellitesMessage>>>,
    /// How long a request waits for nodes.
    pub deadline: Duration,
}

/// What one message brought about.
#[derive(Default)]
struct Entry {
    changes: Vec<Change>,
    replies: Vec<Due>,
    news: News,
}

/// A batch on its way to the disk.
struct InFlight {
    entries: Vec<Entry>,
    /// The state with all of them.
    cluster: Cluster,
}

/// See the module.
pub struct ClusterActor {
    around: Surroundings,
    head: Cluster,
    loaded: bool,
    stash: Vec<(ClusterMessage, Reply<ClusterAnswer>)>,
    pending: Vec<Entry>,
    in_flight: Option<InFlight>,
    waits: Waits,
    sweeping: bool,
}

impl ClusterActor {
    /// An actor that has loaded nothing yet.
    #[must_use]
    pub fn new(around: Surroundings) -> Self {
        Self {
            around,
            head: Cluster::default(),
            loaded: false,
            stash: Vec::new(),
            pending: Vec::new(),
            in_flight: None,
            waits: Waits::default(),
            sweeping: false,
        }
    }

    fn execute(&mut self, command: &Command, answer: Answer, reply: Reply<ClusterAnswer>) -> Entry {
        let decision = match decide(&self.head, command, moment()) {
            Ok(decision) => decision,
            Err(refusal) => return Entry::answer(reply, ClusterAnswer::Refused(refusal)),
        };
        let news = self.take_in(&decision.changes);
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
        let mut entry = Entry { changes: decision.changes, news, replies: Vec::new() };
        if goals.is_empty() && pools.is_empty() {
            entry.replies.push((reply, ClusterAnswer::Done(decision.notes)));
        } else {
            let until = Instant::now() + self.around.deadline;
            let definitions: std::collections::BTreeSet<RscName> = goals.iter().map(|goal| goal.rsc.clone()).collect();
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
        if changes.is_empty() {
            return News::default();
        }
        let before = self.head.clone();
        for change in changes {
            self.head.apply(change);
        }
        news(&before, &self.head, changes)
    }

    fn reports(&mut self, node: &NodeName, reports: &[Report]) -> Entry {
        let mut entry = Entry::default();
        for report in reports {
            let seen = observe(&self.head, node, report, moment());
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
        entry
    }

    fn capacities(&mut self, node: &NodeName, reports: Vec<PoolReport>) -> Entry {
        let reports: Vec<Report> = reports.into_iter().map(Report::Pool).collect();
        self.reports(node, &reports)
    }

    fn node_status(&mut self, node: NodeName, status: NodeStatus) -> Entry {
        let was_online = self.head.is_online(&node);
        let online = status.is_online();
        self.head.sight(Sighting::Node(node.clone(), status));
        let mut entry = Entry::default();
        if was_online && !online {
            entry.changes = node_went_away(&self.head, &node, moment().now);
            entry.news = self.take_in(&entry.changes);
            self.forget_resources(&node);
        }
        entry.replies = self.waits.settle_all(&self.head);
        entry
    }

    /// What a node that is away told of its resources is no longer known.
    fn forget_resources(&mut self, node: &NodeName) {
        let on_node: Vec<RscName> = self.head.on_node.get(node).into_iter().flatten().cloned().collect();
        for rsc in on_node {
            self.head.sight(Sighting::Resource(rsc, node.clone(), None));
        }
    }

    fn enqueue(&mut self, entry: Entry, ctx: &mut Ctx) {
        self.pending.push(entry);
        self.flush(ctx);
        if !self.waits.is_empty() && !self.sweeping {
            self.sweeping = true;
            ctx.notify_after(SWEEP_PERIOD, ClusterMessage::Sweep);
        }
    }

    /// Starts the next batch when none is in flight.
    fn flush(&mut self, ctx: &mut Ctx) {
        if self.in_flight.is_some() || self.pending.is_empty() {
            return;
        }
        let mut entries = std::mem::take(&mut self.pending);
        let decisions: Vec<Vec<Change>> =
            entries.iter_mut().map(|entry| std::mem::take(&mut entry.changes)).filter(|c| !c.is_empty()).collect();
        let batch = InFlight { entries, cluster: self.head.clone() };
        if decisions.is_empty() {
            self.release(batch);
            return;
        }
        self.in_flight = Some(batch);
        let committer = self.around.committer.clone();
        let commit = async move { committer.ask(CommitterMessage::Commit(decisions), COMMIT_LIMIT).await };
        ctx.run(commit, |answer| {
            ClusterMessage::Committed(match answer {
                Ok(CommitterAnswer::Committed(info)) => Ok(info),
                Ok(CommitterAnswer::Failed(why)) => Err(why),
                Ok(CommitterAnswer::Loaded(_)) => Err("the committer answered something else".to_owned()),
                Err(error) => Err(format!("the committer does not answer: {error}")),
            })
        });
    }

    /// Everything in the batch is durable: publish it, then let replies and news go.
    fn release(&mut self, batch: InFlight) {
        self.around.view.publish(batch.cluster);
        let mut all = News::default();
        for entry in batch.entries {
            all.extend(entry.news);
            for (reply, answer) in entry.replies {
                reply.send(answer);
            }
        }
        if !all.is_empty() {
            self.tell_satellites(SatellitesMessage::News(Box::new(all)));
        }
    }

    fn tell_satellites(&self, message: SatellitesMessage) {
        let Some(satellites) = self.around.satellites.get() else {
            return;
        };
        if let Err(error) = satellites.tell(message) {
            tracing::warn!(%error, "nodes are told later: the full state goes out at the next connect");
        }
    }

    fn load(&mut self, ctx: &mut Ctx) {
        let committer = self.around.committer.clone();
        let load = async move { committer.ask(CommitterMessage::Load, LOAD_LIMIT).await };
        ctx.run(load, |answer| {
            ClusterMessage::Loaded(match answer {
                Ok(CommitterAnswer::Loaded(changes)) => Ok(changes),
                Ok(CommitterAnswer::Failed(why)) => Err(why),
                Ok(CommitterAnswer::Committed(_)) => Err("the committer answered something else".to_owned()),
                Err(error) => Err(format!("the committer does not answer: {error}")),
            })
        });
    }

    fn loaded(&mut self, result: Result<Vec<Change>, String>, ctx: &mut Ctx) {
        let changes = match result {
            Ok(changes) => changes,
            Err(why) => {
                ctx.fail(format!("the store cannot be loaded: {why}"));
                return;
            }
        };
        for change in &changes {
            self.head.apply(change);
        }
        // Satellites go on while this actor is restarted: what they said last holds until they say something else.
        self.head.recall(&self.around.view.load());
        self.loaded = true;
        let known = changes.iter().any(|change| matches!(change, Change::Controller(_)));
        let first = if known { Vec::new() } else { first_records(moment()) };
        let news = self.take_in(&first);
        let everybody = News { everybody: true, nodes: self.head.nodes.keys().cloned().collect(), ..news };
        self.enqueue(Entry { changes: first, news: everybody, replies: Vec::new() }, ctx);
        for (message, reply) in std::mem::take(&mut self.stash) {
            self.handle(message, reply, ctx);
        }
    }

    fn sweep(&mut self, ctx: &mut Ctx) {
        self.sweeping = false;
        let replies = self.waits.expire(&self.head, Instant::now());
        self.enqueue(Entry { replies, ..Entry::default() }, ctx);
    }

    fn ask_satellites(&mut self, message: SatellitesMessage, reply: Reply<ClusterAnswer>, ctx: &mut Ctx) {
        let Some(satellites) = self.around.satellites.get().cloned() else {
            reply.send(ClusterAnswer::Done(Vec::new()));
            return;
        };
        let limit = self.around.deadline;
        ctx.run(async move { satellites.ask(message, limit).await }, move |answer| {
            ClusterMessage::Pass(Box::new(reply), answer.err().map(|error| error.to_string()))
        });
    }
}

impl Behaviour for ClusterActor {
    type Message = ClusterMessage;

    fn started(&mut self, ctx: &mut Ctx) {
        self.load(ctx);
    }

    fn handle(&mut self, message: ClusterMessage, reply: Reply<ClusterAnswer>, ctx: &mut Ctx) {
        if !self.loaded && !matches!(message, ClusterMessage::Loaded(_)) {
            if self.stash.len() < STASH_LIMIT {
                self.stash.push((message, reply));
            }
            return;
        }
        let entry = match message {
            ClusterMessage::Execute(command, answer) => self.execute(&command, answer, reply),
            ClusterMessage::Reports(node, reports) => self.reports(&node, &reports),
            ClusterMessage::Capacities(node, reports) => self.capacities(&node, reports),
            ClusterMessage::NodeStatus(node, status) => self.node_status(node, *status),
            ClusterMessage::Reconnect(node) => {
                return self.ask_satellites(SatellitesMessage::Reconnect(node), reply, ctx);
            }
            ClusterMessage::RefreshCapacity(nodes) => {
                return self.ask_satellites(SatellitesMessage::Capacity(nodes), reply, ctx);
            }
            ClusterMessage::Pass(reply, problem) => pass(*reply, problem),
            ClusterMessage::Loaded(result) => return self.loaded(result, ctx),
            ClusterMessage::Sweep => return self.sweep(ctx),
            ClusterMessage::Committed(Ok(_)) => {
                if let Some(batch) = self.in_flight.take() {
                    self.release(batch);
                }
                return self.flush(ctx);
            }
            ClusterMessage::Committed(Err(why)) => {
                return ctx.fail(format!("a commit failed, the state is loaded anew: {why}"));
            }
        };
        self.enqueue(entry, ctx);
    }
}

impl Entry {
    fn answer(reply: Reply<ClusterAnswer>, answer: ClusterAnswer) -> Self {
        Self { replies: vec![(reply, answer)], ..Self::default() }
    }
}

fn pass(reply: Reply<ClusterAnswer>, problem: Option<String>) -> Entry {
    let notes = problem.map(|text| Note::warning(crate::model::code::WARN_NOT_CONNECTED, text));
    Entry::answer(reply, ClusterAnswer::Done(notes.into_iter().collect()))
}

fn goals_of(news: &News) -> Vec<Goal> {
    let goal = |(node, desired): &(NodeName, crate::model::desired::DesiredResource)| Goal {
        rsc: desired.rsc.clone(),
        node: node.clone(),
        generation: desired.generation,
    };
    news.resources.iter().map(goal).collect()
}

/// Now, with a fresh seed.
fn moment() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = EpochMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Moment { now, seed: fastrand::u64(..) }
}
