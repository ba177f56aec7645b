//! Every accepted command is answered within its deadline, never before what it decided is durable, and never before
//! readers see it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::simulation::controller::REQUEST_DEADLINE;

/// What may come on top of the deadline: the sweep, and two slow commits, one before it and its own.
const GRACE: Duration = Duration::from_secs(22);

/// See the module.
#[derive(Default)]
pub struct Answers {
    /// Without an answer: since when, and how many commits it needs.
    open: BTreeMap<u64, (Duration, u64)>,
    /// Needs of those that were answered, until their client hears.
    needs: BTreeMap<u64, u64>,
    /// Commits that readers see.
    shown: u64,
}

impl Answers {
    pub fn executed(&mut self, ticket: u64, now: Duration, needs: u64) {
        self.open.insert(ticket, (now, needs));
    }

    /// The writer is no more; whoever waits for it hears of that.
    pub fn forget(&mut self) {
        self.open.clear();
    }

    pub fn published(&mut self, commits: u64) {
        self.shown = commits;
    }

    pub fn overdue(&self, now: Duration) -> Result<(), String> {
        // Tickets rise with time, but may be carried out later: all are looked at, there are few.
        match self.open.iter().find(|(_, (since, _))| *since + REQUEST_DEADLINE + GRACE < now) {
            None => Ok(()),
            Some((ticket, (since, _))) => Err(format!("request {ticket} waits since {since:?}")),
        }
    }

    pub fn answered(&mut self, ticket: u64, commits: u64) -> Result<(), String> {
        let Some((_, needs)) = self.open.remove(&ticket) else {
            return Err(format!("request {ticket} is answered, and was not asked or had its answer"));
        };
        self.needs.insert(ticket, needs);
        if commits < needs {
            return Err(format!("request {ticket} is answered after {commits} commits, it needs {needs}"));
        }
        if self.shown < needs {
            return Err(format!("request {ticket} is answered, and readers see {} of {needs} commits", self.shown));
        }
        Ok(())
    }

    /// The client hears and reads.
    pub fn client_reads(&mut self, ticket: u64) -> Result<(), String> {
        match self.needs.remove(&ticket) {
            Some(needs) if self.shown < needs => {
                Err(format!("readers see {} commits, {needs} were answered", self.shown))
            }
            _ => Ok(()),
        }
    }
}
