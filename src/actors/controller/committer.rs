//! The committer: owner of the store. Loads it once for each incarnation of the cluster actor, and commits batches in
//! the order in which they come. Decides nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::records::{batch_of, change_of};
use super::store_health::Trouble;
use crate::actors::system::{Behaviour, Context, Message, Reply};
use crate::model::change::Change;
use crate::store::{Batch, CommitInfo, RecordKind, Store, StoreError, Write};

/// A message to the committer.
#[derive(Debug)]
pub enum CommitterMessage {
    /// Read everything.
    Load,
    /// Keep the changes of several decisions in one durable step.
    Commit(Vec<Vec<Change>>),
    /// Try whether the store can be read and written; changes nothing that counts.
    Try,
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
    /// To `Commit` and `Try`: it is durable.
    Committed(CommitInfo),
    /// The store cannot do it.
    Failed(Trouble),
}

type Job = Box<dyn FnOnce() + Send>;

/// Jobs of one store: carried out one at a time, in the order in which they came, whichever incarnation gave them. A job
/// goes on when the actor that gave it fails, so a load that comes after it has to wait for it: else it misses a commit.
#[derive(Default)]
pub struct Line {
    waiting: Mutex<VecDeque<Job>>,
    running: Mutex<()>,
}

impl Line {
    fn join(&self, job: Job) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
    }

    /// Runs the job that is first in line. Called once for each job that joined; blocks.
    fn run_first(&self) {
        let _turn = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(job) = first {
            job();
        }
    }
}

/// See the module.
pub struct Committer {
    store: Arc<dyn Store>,
    line: Arc<Line>,
}

impl Committer {
    /// The owner of `store`; its incarnations share the line.
    pub fn new(store: Arc<dyn Store>, line: Arc<Line>) -> Self {
        Self { store, line }
    }

    /// Runs a job on a thread that may block.
    fn work(
        &self,
        ctx: &mut Context<CommitterMessage>,
        reply: Reply<CommitterAnswer>,
        job: impl FnOnce() -> Result<CommitterAnswer, Trouble> + Send + 'static,
    ) {
        let (done, answer) = tokio::sync::oneshot::channel();
        self.line.join(Box::new(move || {
            // Who asked may be gone: the job is carried out all the same.
            let _ = done.send(job());
        }));
        let line = Arc::clone(&self.line);
        ctx.workers().spawn_blocking(move || line.run_first());
        ctx.run(answer, move |result| {
            let result = result.unwrap_or_else(|_| Err(Trouble::silent("the store's thread failed")));
            CommitterMessage::Finished(Finished(reply, result.unwrap_or_else(CommitterAnswer::Failed)))
        });
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
            CommitterMessage::Load => self.work(ctx, reply, move || load(&*store)),
            CommitterMessage::Try => self.work(ctx, reply, move || try_out(&*store)),
            CommitterMessage::Commit(changes) => self.work(ctx, reply, move || commit(&*store, &changes)),
        }
    }
}

fn load(store: &dyn Store) -> Result<CommitterAnswer, Trouble> {
    let loaded = store.load().map_err(|error| Trouble::from(&error))?;
    for bad in &loaded.quarantined {
        tracing::error!(record = %bad.key, reason = %bad.reason, "a record cannot be read and was put aside");
    }
    let mut changes = Vec::with_capacity(loaded.records.len());
    for record in &loaded.records {
        match change_of(record) {
            Ok(change) => changes.extend(change),
            Err(error) => {
                tracing::error!(record = ?record.key, %error, "a record cannot be understood and is put aside");
                store.quarantine(&record.key, &error.to_string()).map_err(|error| Trouble::from(&error))?;
            }
        }
    }
    Ok(CommitterAnswer::Loaded(changes))
}

/// Writes the controller's record as it is.
fn try_out(store: &dyn Store) -> Result<CommitterAnswer, Trouble> {
    let failed = |error: StoreError| Trouble::from(&error);
    let loaded = store.load().map_err(failed)?;
    let known = loaded.records.into_iter().find(|record| record.key.kind == RecordKind::ControllerProperties);
    let batch: Batch = known.map(Write::Put).into_iter().collect();
    store.commit(&[batch]).map(CommitterAnswer::Committed).map_err(failed)
}

fn commit(store: &dyn Store, decisions: &[Vec<Change>]) -> Result<CommitterAnswer, Trouble> {
    let batches: Result<Vec<Batch>, _> = decisions.iter().map(|changes| batch_of(changes)).collect();
    let batches = batches.map_err(|error| Trouble::silent(format!("a record cannot be written: {error}")))?;
    store.commit(&batches).map(CommitterAnswer::Committed).map_err(|error| Trouble::from(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_run_in_the_order_in_which_they_came_whoever_runs_them() {
        let line = Arc::new(Line::default());
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..50 {
            let order = Arc::clone(&order);
            line.join(Box::new(move || {
                // The first is the slowest: later ones would overtake it.
                std::thread::sleep(std::time::Duration::from_millis(if number == 0 { 20 } else { 0 }));
                order.lock().unwrap().push(number);
                assert_ne!(number, 7, "one that fails holds nobody back");
            }));
        }
        let runners: Vec<_> = (0..50)
            .map(|_| {
                let line = Arc::clone(&line);
                std::thread::spawn(move || line.run_first())
            })
            .collect();
        let failed = runners.into_iter().filter_map(|runner| runner.join().err()).count();
        assert_eq!(failed, 1);
        assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
    }
}
