//! What the controller's cluster actor is asked, and the view that everybody reads. Decides nothing.

use std::sync::Arc;

use tokio::sync::watch;

use super::store_health::Trouble;
use crate::actors::system::{Message, Reply};
use crate::model::change::Change;
use crate::model::cluster::Cluster;
use crate::model::command::Command;
pub use crate::model::conduct::writer::Answer;
use crate::model::names::NodeName;
use crate::model::observed::NodeStatus;
use crate::model::refusal::{Note, Refusal};
use crate::model::report::{PoolReport, Report};
use crate::store::CommitInfo;

/// A message to the cluster actor.
#[derive(Debug)]
pub enum ClusterMessage {
    /// Somebody asks for something.
    Execute(Box<Command>, Answer),
    /// Drop the link to a node and open it anew.
    Reconnect(NodeName),
    /// Ask the nodes named, or all that are online, for the room of their pools; answered when the view has it.
    RefreshCapacity(Vec<NodeName>),
    /// A node reports.
    Reports(NodeName, Vec<Report>),
    /// The state of the link to a node changed.
    NodeStatus(NodeName, Box<NodeStatus>),
    /// A node told of its pools, because it was asked.
    Capacities(NodeName, Vec<PoolReport>),
    /// The store has given all that it holds, or why it cannot.
    Loaded(Result<Vec<Change>, Trouble>),
    /// The store has answered to a commit.
    Committed(Result<CommitInfo, Trouble>),
    /// Time to try whether the store can be written again.
    Try,
    /// What came of that.
    Tried(Result<CommitInfo, Trouble>),
    /// Time to look for requests whose deadline is over.
    Sweep,
    /// Another actor has answered; the asker is told, with what went wrong.
    Pass(Box<Reply<ClusterAnswer>>, Option<String>),
}

impl Message for ClusterMessage {
    type Answer = ClusterAnswer;
}

/// What the cluster actor answers.
#[derive(Debug)]
pub enum ClusterAnswer {
    /// It was done, with these notes; some may be errors that nodes reported.
    Done(Vec<Note>),
    /// Nothing was changed.
    Refused(Refusal),
    /// The store failed; the note says whether the change may have been made.
    Unstored(Note),
    /// Nothing was decided: too many requests wait for the disk.
    Busy,
    /// To messages that carry no request.
    Taken,
}

/// The cluster as of the last commit; whoever got an answer sees in it what was answered.
#[derive(Debug, Clone)]
pub struct View(watch::Sender<Arc<Cluster>>);

impl Default for View {
    fn default() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }
}

impl View {
    /// A view of a state that nobody commits: for readers without a cluster actor, such as tests and benches.
    #[must_use]
    pub fn of(cluster: Cluster) -> Self {
        Self(watch::Sender::new(Arc::new(cluster)))
    }

    /// As the cluster actor publishes; for those who stand in for it in tests.
    #[doc(hidden)]
    pub fn publish_for_tests(&self, cluster: Cluster) {
        self.publish(Arc::new(cluster));
    }

    /// The last committed state. Cheap; hold it only as long as one answer takes.
    #[must_use]
    pub fn load(&self) -> Arc<Cluster> {
        Arc::clone(&self.0.borrow())
    }

    /// Wakes at every new state (the newest; those between may be skipped).
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Cluster>> {
        self.0.subscribe()
    }

    /// Publishes a new state. Only the cluster actor does.
    pub(super) fn publish(&self, cluster: Arc<Cluster>) {
        self.0.send_replace(cluster);
    }
}
