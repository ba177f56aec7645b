//! The cluster actor: owner of the model's single writer (`model::conduct::writer`). It brings messages to it and carries
//! its effects out: commits, the view, answers, news for nodes. Decides nothing, and never reads the store itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::api::{ClusterAnswer, ClusterMessage, View};
use super::committer::{CommitterAnswer, CommitterMessage};
use super::moment::now;
use super::rest::ErrorReports;
use super::rest::error_reports::Incident;
use super::satellites::SatellitesMessage;
use super::store_health::{StoreHealth, TRIAL_PAUSE, Trouble};
use crate::actors::system::{ActorRef, AskError, Behaviour, Context, Reply};
use crate::model::change::Change;
use crate::model::conduct::Rules;
use crate::model::conduct::writer::{Effect, Limits, Outcome, SWEEP_PERIOD, Writer};
use crate::model::names::NodeName;
use crate::model::refusal::Note;
use crate::model::report::{PoolReport, Report};
use crate::store::CommitInfo;

/// How long the store may take to load: a large one on a slow disk; past it the actor fails and is started again.
const LOAD_LIMIT: Duration = Duration::from_secs(120);
/// How long a commit may take. A disk that does not answer for a minute is broken; the actor fails and loads anew.
const COMMIT_LIMIT: Duration = Duration::from_secs(60);
/// Messages kept while the store loads; more are answered "ask again" by being dropped.
const STASH_LIMIT: usize = 4096;

type Ctx = Context<ClusterMessage>;
type Effects = Vec<Effect<Reply<ClusterAnswer>>>;

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
    /// How much is taken on.
    pub limits: Limits,
    /// Where it is told whether the store can be written.
    pub health: StoreHealth,
    /// Where faults are recorded.
    pub incidents: ErrorReports,
}

/// What the actor can do.
enum Phase {
    /// The store is read; everything else waits.
    Loading(Vec<(ClusterMessage, Reply<ClusterAnswer>)>),
    /// Everything.
    Serving,
    /// The store cannot be written, and what it holds of the last commit is not known: nothing is decided until it has
    /// been tried with success and loaded anew.
    Broken(Trouble),
}

/// See the module.
pub struct ClusterActor {
    around: Surroundings,
    began: Instant,
    writer: Writer<Reply<ClusterAnswer>>,
    phase: Phase,
    /// The next sweep is on its way.
    sweeping: bool,
}

impl ClusterActor {
    /// An actor that has loaded nothing yet.
    #[must_use]
    pub fn new(around: Surroundings) -> Self {
        let writer = Writer::new(Rules::default(), around.deadline).within(around.limits);
        Self { around, began: Instant::now(), writer, phase: Phase::Loading(Vec::new()), sweeping: false }
    }

    fn carry_out(&mut self, effects: Effects, ctx: &mut Ctx) {
        for effect in effects {
            match effect {
                Effect::Commit(decisions) => self.commit(decisions, ctx),
                Effect::Publish(cluster) => self.around.view.publish(cluster),
                Effect::Answer(reply, outcome) => reply.send(outcome.into()),
                Effect::News(news) => self.tell_satellites(SatellitesMessage::News(Box::new(news))),
            }
        }
        if self.writer.waiting() && !self.sweeping {
            self.sweeping = true;
            ctx.notify_after(SWEEP_PERIOD, ClusterMessage::Sweep);
        }
    }

    fn commit(&self, decisions: Vec<Vec<Change>>, ctx: &mut Ctx) {
        let committer = self.around.committer.clone();
        let commit = async move { committer.ask(CommitterMessage::Commit(decisions), COMMIT_LIMIT).await };
        ctx.run(commit, |answer| ClusterMessage::Committed(committed(answer)));
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
                other => Err(why_not(other)),
            })
        });
    }

    fn loaded(&mut self, result: Result<Vec<Change>, Trouble>, ctx: &mut Ctx) {
        let stash = match &mut self.phase {
            Phase::Loading(stash) => std::mem::take(stash),
            Phase::Serving | Phase::Broken(_) => Vec::new(),
        };
        let records = match result {
            Ok(records) => records,
            Err(trouble) => {
                self.not_loaded(trouble, ctx);
                stash.into_iter().for_each(|(message, reply)| self.handle(message, reply, ctx));
                return;
            }
        };
        self.around.health.loaded();
        let last_seen = self.around.view.load();
        let effects = self.writer.loaded(records, &last_seen, now(self.began));
        self.phase = Phase::Serving;
        self.carry_out(effects, ctx);
        stash.into_iter().for_each(|(message, reply)| self.handle(message, reply, ctx));
    }

    /// A store that this process has never read is a reason to end, one that it has read may come back.
    fn not_loaded(&mut self, trouble: Trouble, ctx: &mut Ctx) {
        if self.around.health.was_loaded() {
            return self.broken("the store cannot be loaded", trouble, ctx);
        }
        ctx.fail(format!("the store cannot be loaded: {trouble}"));
        self.phase = Phase::Broken(trouble);
    }

    fn broken(&mut self, what: &str, trouble: Trouble, ctx: &mut Ctx) {
        self.record(what, &trouble, ctx);
        // Before the answers: who is told then finds it in /health.
        let pause = self.around.health.failed(trouble.clone());
        for reply in self.writer.abandon() {
            reply.send(ClusterAnswer::Unstored(trouble.open()));
        }
        self.phase = Phase::Broken(trouble);
        ctx.notify_after(pause, ClusterMessage::Try);
    }

    fn record(&self, what: &str, trouble: &Trouble, ctx: &Ctx) {
        let incident = Incident {
            kind: "store failure".to_owned(),
            message: what.to_owned(),
            doing: "keeping what was decided".to_owned(),
            cause: trouble.cause.clone(),
            correction: trouble.cure.clone(),
            ..Incident::default()
        };
        let incidents = self.around.incidents.clone();
        ctx.workers().spawn_blocking(move || incidents.report(&incident));
    }

    fn try_store(&self, ctx: &mut Ctx) {
        let committer = self.around.committer.clone();
        let trial = async move { committer.ask(CommitterMessage::Try, LOAD_LIMIT).await };
        ctx.run(trial, |answer| ClusterMessage::Tried(committed(answer)));
    }

    /// While the store cannot be written: what needs it is answered at once, what nodes say they say again.
    fn do_without_store(&mut self, message: ClusterMessage, reply: Reply<ClusterAnswer>, ctx: &mut Ctx) {
        let Phase::Broken(trouble) = &self.phase else { return };
        match message {
            ClusterMessage::Execute(..) => reply.send(ClusterAnswer::Unstored(trouble.not_tried())),
            ClusterMessage::Reconnect(node) => self.ask_satellites(SatellitesMessage::Reconnect(node), reply, ctx),
            ClusterMessage::RefreshCapacity(nodes) => {
                self.ask_satellites(SatellitesMessage::Capacity(nodes), reply, ctx);
            }
            ClusterMessage::Pass(reply, problem) => reply.send(passed(problem).into()),
            ClusterMessage::Try => self.try_store(ctx),
            ClusterMessage::Tried(Ok(_)) => {
                tracing::info!("the store can be written again: the state is loaded anew");
                self.around.health.recovered();
                ctx.stop();
            }
            ClusterMessage::Tried(Err(trouble)) => {
                self.around.health.failed(trouble.clone());
                self.phase = Phase::Broken(trouble);
                ctx.notify_after(TRIAL_PAUSE, ClusterMessage::Try);
            }
            // The next incarnation, and with it the contact with nodes, hears all of it anew.
            ClusterMessage::Reports(..)
            | ClusterMessage::NodeStatus(..)
            | ClusterMessage::Capacities(..)
            | ClusterMessage::Loaded(_)
            | ClusterMessage::Committed(_)
            | ClusterMessage::Sweep => {}
        }
    }

    fn capacities(&mut self, node: &NodeName, reports: Vec<PoolReport>) -> Effects {
        let reports: Vec<Report> = reports.into_iter().map(Report::Pool).collect();
        self.writer.reports(node, &reports, now(self.began))
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
        match &mut self.phase {
            Phase::Loading(stash) if !matches!(message, ClusterMessage::Loaded(_)) => {
                if stash.len() < STASH_LIMIT {
                    stash.push((message, reply));
                }
                return;
            }
            Phase::Broken(_) => return self.do_without_store(message, reply, ctx),
            Phase::Loading(_) | Phase::Serving => {}
        }
        let effects = match message {
            ClusterMessage::Execute(command, answer) => self.writer.execute(&command, answer, reply, now(self.began)),
            ClusterMessage::Reports(node, reports) => self.writer.reports(&node, &reports, now(self.began)),
            ClusterMessage::Capacities(node, reports) => self.capacities(&node, reports),
            ClusterMessage::NodeStatus(node, status) => self.writer.node_status(node, *status, now(self.began)),
            ClusterMessage::Reconnect(node) => {
                return self.ask_satellites(SatellitesMessage::Reconnect(node), reply, ctx);
            }
            ClusterMessage::RefreshCapacity(nodes) => {
                return self.ask_satellites(SatellitesMessage::Capacity(nodes), reply, ctx);
            }
            ClusterMessage::Pass(reply, problem) => self.writer.answer_in_turn(*reply, passed(problem)),
            ClusterMessage::Loaded(result) => return self.loaded(result, ctx),
            ClusterMessage::Sweep => {
                self.sweeping = false;
                self.writer.sweep(now(self.began))
            }
            ClusterMessage::Committed(Ok(_)) => self.writer.committed(),
            ClusterMessage::Committed(Err(trouble)) => return self.broken("a commit failed", trouble, ctx),
            ClusterMessage::Try | ClusterMessage::Tried(_) => return,
        };
        self.carry_out(effects, ctx);
    }
}

impl From<Outcome> for ClusterAnswer {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done(notes) => Self::Done(notes),
            Outcome::Refused(refusal) => Self::Refused(refusal),
            Outcome::Busy => Self::Busy,
        }
    }
}

fn passed(problem: Option<String>) -> Outcome {
    let notes = problem.map(|text| Note::warning(crate::model::code::WARN_NOT_CONNECTED, text));
    Outcome::Done(notes.into_iter().collect())
}

/// Why the committer did not do what it was asked.
fn why_not(answer: Result<CommitterAnswer, AskError>) -> Trouble {
    match answer {
        Ok(CommitterAnswer::Failed(trouble)) => trouble,
        Ok(CommitterAnswer::Loaded(_) | CommitterAnswer::Committed(_)) => {
            Trouble::silent("the committer answered something else")
        }
        Err(error) => Trouble::silent(format!("the committer does not answer: {error}")),
    }
}

fn committed(answer: Result<CommitterAnswer, AskError>) -> Result<CommitInfo, Trouble> {
    match answer {
        Ok(CommitterAnswer::Committed(info)) => Ok(info),
        other => Err(why_not(other)),
    }
}
