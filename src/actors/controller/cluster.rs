//! The cluster actor: owner of the model's single writer (`model::conduct::writer`). It brings messages to it and carries
//! its effects out: commits, the view, answers, news for nodes. Decides nothing, and never reads the store itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::api::{ClusterAnswer, ClusterMessage, View};
use super::committer::{CommitterAnswer, CommitterMessage};
use super::moment::now;
use super::satellites::SatellitesMessage;
use crate::actors::system::{ActorRef, AskError, Behaviour, Context, Reply};
use crate::model::change::Change;
use crate::model::conduct::Rules;
use crate::model::conduct::writer::{Effect, Limits, Outcome, SWEEP_PERIOD, Writer};
use crate::model::names::NodeName;
use crate::model::refusal::Note;
use crate::model::report::{PoolReport, Report};

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
}

/// See the module.
pub struct ClusterActor {
    around: Surroundings,
    began: Instant,
    writer: Writer<Reply<ClusterAnswer>>,
    loaded: bool,
    stash: Vec<(ClusterMessage, Reply<ClusterAnswer>)>,
    /// The next sweep is on its way.
    sweeping: bool,
}

impl ClusterActor {
    /// An actor that has loaded nothing yet.
    #[must_use]
    pub fn new(around: Surroundings) -> Self {
        let writer = Writer::new(Rules::default(), around.deadline).within(around.limits);
        Self { around, began: Instant::now(), writer, loaded: false, stash: Vec::new(), sweeping: false }
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
        ctx.run(commit, |answer| {
            ClusterMessage::Committed(match answer {
                Ok(CommitterAnswer::Committed(info)) => Ok(info),
                other => Err(why_not(other)),
            })
        });
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

    fn loaded(&mut self, result: Result<Vec<Change>, String>, ctx: &mut Ctx) {
        let records = match result {
            Ok(records) => records,
            Err(why) => return ctx.fail(format!("the store cannot be loaded: {why}")),
        };
        let last_seen = self.around.view.load();
        let effects = self.writer.loaded(records, &last_seen, now(self.began));
        self.loaded = true;
        self.carry_out(effects, ctx);
        for (message, reply) in std::mem::take(&mut self.stash) {
            self.handle(message, reply, ctx);
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
        if !self.loaded && !matches!(message, ClusterMessage::Loaded(_)) {
            if self.stash.len() < STASH_LIMIT {
                self.stash.push((message, reply));
            }
            return;
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
            ClusterMessage::Committed(Err(why)) => {
                return ctx.fail(format!("a commit failed, the state is loaded anew: {why}"));
            }
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
fn why_not(answer: Result<CommitterAnswer, AskError>) -> String {
    match answer {
        Ok(CommitterAnswer::Failed(why)) => why,
        Ok(CommitterAnswer::Loaded(_) | CommitterAnswer::Committed(_)) => {
            "the committer answered something else".to_owned()
        }
        Err(error) => format!("the committer does not answer: {error}"),
    }
}
