//! The committer: owner of the store. Loads it once for each incarnation of the cluster actor, and commits batches in
//! the order in which they come. Decides nothing.

use std::sync::Arc;

use super::records::{batch_of, change_of};
use crate::actors::system::{Behaviour, Context, Message, Reply};
use crate::model::change::Change;
use crate::store::{Batch, CommitInfo, Store, StoreError};

/// A message to the committer.
#[derive(Debug)]
pub enum CommitterMessage {
    /// Read everything.
    Load,
    /// Keep the changes of several decisions in one durable step.
    Commit(Vec<Vec<Change>>),
    /// The store has answered; whoever asked is told.
    Finished(Finished),
}

/// A finished job with the reply that is due.
pub struct Finished(Reply<CommitterAnswer>, CommitterAnswer);

impl std::fmt::Debug for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.1.fmt(f)
    }
}

impl Message for CommitterMessage {
    type Answer = CommitterAnswer;
}

/// What the committer answers.
#[derive(Debug)]
pub enum CommitterAnswer {
    /// To `Load`: every record as a change.
    Loaded(Vec<Change>),
    /// To `Commit`: it is durable.
    Committed(CommitInfo),
    /// The store cannot do it; the text names cause and cure.
    Failed(String),
}

/// See the module.
pub struct Committer {
    store: Arc<dyn Store>,
}

impl Committer {
    /// The owner of `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

impl Behaviour for Committer {
    type Message = CommitterMessage;

    fn handle(
        &mut self,
        message: CommitterMessage,
        reply: Reply<CommitterAnswer>,
        ctx: &mut Context<CommitterMessage>,
    ) {
        let store = Arc::clone(&self.store);
        match message {
            CommitterMessage::Finished(Finished(reply, answer)) => reply.send(answer),
            CommitterMessage::Load => work(ctx, reply, move || load(&*store)),
            CommitterMessage::Commit(changes) => work(ctx, reply, move || commit(&*store, &changes)),
        }
    }
}

/// Runs a job on a thread that may block. The cluster actor has one job in flight, so that order is kept.
fn work(
    ctx: &mut Context<CommitterMessage>,
    reply: Reply<CommitterAnswer>,
    job: impl FnOnce() -> Result<CommitterAnswer, String> + Send + 'static,
) {
    let run = async move {
        let done = tokio::task::spawn_blocking(job).await;
        done.unwrap_or_else(|error| Err(format!("the store's thread failed: {error}")))
    };
    ctx.run(run, move |result| {
        let answer = result.unwrap_or_else(CommitterAnswer::Failed);
        CommitterMessage::Finished(Finished(reply, answer))
    });
}

fn load(store: &dyn Store) -> Result<CommitterAnswer, String> {
    let loaded = store.load().map_err(|error| text(&error))?;
    for bad in &loaded.quarantined {
        tracing::error!(record = %bad.key, reason = %bad.reason, "a record cannot be read and was put aside");
    }
    let mut changes = Vec::with_capacity(loaded.records.len());
    for record in &loaded.records {
        match change_of(record) {
            Ok(change) => changes.extend(change),
            Err(error) => {
                tracing::error!(record = ?record.key, %error, "a record cannot be understood and is put aside");
                store.quarantine(&record.key, &error.to_string()).map_err(|error| text(&error))?;
            }
        }
    }
    Ok(CommitterAnswer::Loaded(changes))
}

fn commit(store: &dyn Store, decisions: &[Vec<Change>]) -> Result<CommitterAnswer, String> {
    let batches: Result<Vec<Batch>, _> = decisions.iter().map(|changes| batch_of(changes)).collect();
    let batches = batches.map_err(|error| format!("a record cannot be written: {error}"))?;
    store.commit(&batches).map(CommitterAnswer::Committed).map_err(|error| text(&error))
}

fn text(error: &StoreError) -> String {
    error.to_string()
}
