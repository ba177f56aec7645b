//! The oracles: what must hold whatever goes wrong. They watch every decision, commit, answer, message and pass, and the
//! cluster at rest; the first that finds something ends the run with its name. They change nothing.

mod answers;
mod contents;
mod done;
mod durable;
mod once;
mod placement;
mod reads;
mod rest;
mod safety;

use std::collections::BTreeSet;
use std::time::Duration;

use zea::model::change::Change;
use zea::model::cluster::Cluster;
use zea::model::command::Command;
use zea::model::conduct::contact::Errand;
use zea::model::conduct::writer::{Outcome, Writer};
use zea::model::names::NodeName;
use zea::model::news::News;
use zea::protocols::wire::FromSatellite;

use super::client::Order;
pub use safety::PASSPHRASE;

/// What an oracle found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub oracle: &'static str,
    pub text: String,
}

/// See the module.
#[derive(Default)]
pub struct Judge {
    now: Duration,
    verdict: Option<Verdict>,
    durable: durable::Durable,
    answers: answers::Answers,
    once: once::Once,
    reads: reads::Reads,
    /// Definitions, by the key of their name, whose record was damaged: nobody can know what becomes of them.
    pub tainted: BTreeSet<String>,
    damaged: BTreeSet<String>,
    messages: u64,
}

/// A decision that is to be judged: the state before and after it.
#[derive(Clone, Copy)]
pub struct Decided<'a> {
    pub before: &'a Cluster,
    pub after: &'a Cluster,
}

impl Judge {
    pub fn has_failed(&self) -> bool {
        self.verdict.is_some()
    }

    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Something is wrong.
    pub fn fail(&mut self, oracle: &'static str, text: String) {
        if self.verdict.is_none() {
            self.verdict = Some(Verdict { oracle, text });
        }
    }

    fn check(&mut self, oracle: &'static str, found: Result<(), String>) {
        if let Err(text) = found {
            self.fail(oracle, text);
        }
    }

    pub fn time_passes(&mut self, now: Duration) {
        self.now = now;
        let found = self.answers.overdue(now);
        self.check("answered within the deadline", found);
    }

    /// A command was given to the writer; its effects are not carried out yet.
    pub fn executed(&mut self, (ticket, line): (u64, usize), command: &Command, decided: Decided<'_>) {
        let changed = durable::differ(decided.before, decided.after);
        self.answers.executed(ticket, self.now, self.durable.needed(changed));
        let found = self.once.executed(line, command, decided);
        self.check("twice is once", found);
        let found = placement::judge(command, decided);
        self.check("placement keeps its constraints", found);
        let found = safety::command(command, decided);
        self.check("the last copy stays", found);
    }

    /// A fact came to the writer.
    pub fn observed(&mut self, decided: Decided<'_>) {
        self.durable.changed(durable::differ(decided.before, decided.after));
        let found = safety::fact(decided);
        self.check("the last copy stays", found);
        let found = placement::structure(decided);
        self.check("placement keeps its constraints", found);
    }

    /// The writer was loaded, and may have decided about its first records.
    pub fn decided(&mut self, writer: &Writer<u64>) {
        let changed = durable::differ(self.durable.cluster(), writer.head());
        self.durable.changed(changed);
        let found = durable::indexes(writer.head());
        self.check("indexes add up", found);
    }

    pub fn commit_begins(&mut self, decisions: &[Vec<Change>]) {
        self.durable.begins(decisions);
        let found = safety::no_passphrase(decisions);
        self.check("secrets stay", found);
    }

    pub fn commit_ends(&mut self) {
        self.durable.ends();
    }

    /// The commit is durable, and the process dies before anybody hears of it.
    pub fn commit_ended_unheard(&mut self, _decisions: &[Vec<Change>]) {
        self.durable.ends();
    }

    pub fn writer_ended(&mut self) {
        self.answers.forget();
    }

    pub fn damaged(&mut self, key: &str) {
        self.damaged.insert(key.to_owned());
        let (kind, name) = key.split_once('/').unwrap_or((key, ""));
        if kind == "resource-definition" || kind == "snapshot" {
            let rsc = name.split('/').next().unwrap_or(name);
            self.tainted.insert(rsc.to_owned());
        }
    }

    pub fn loaded(&mut self, changes: &[Change], aside: &[String]) {
        let unknown = aside.iter().find(|key| !self.damaged.contains(*key)).cloned();
        if let Some(key) = unknown {
            self.fail("acknowledged is durable", format!("record {key} cannot be read, and nobody damaged it"));
        }
        let found = self.durable.loaded(changes, aside);
        self.check("acknowledged is durable", found);
    }

    pub fn published(&mut self, cluster: &Cluster) {
        let found = self.durable.holds(cluster);
        self.check("nothing leaves before its commit", found.map_err(|what| format!("readers see {what}")));
        self.answers.published(self.durable.commits());
        let found = self.reads.published(cluster, &self.tainted);
        self.check("reads never go back", found);
    }

    pub fn answers(&mut self, ticket: u64, outcome: &Outcome) {
        let found = self.answers.answered(ticket, self.durable.commits());
        self.check("nothing leaves before its commit", found);
        let found = safety::no_secret(outcome);
        self.check("secrets stay", found);
    }

    pub fn news(&mut self, news: &News) {
        let found = news.resources.iter().try_for_each(|(node, desired)| {
            self.durable.has_reached(desired).map_err(|what| format!("{node} is told {what}"))
        });
        self.check("nothing leaves before its commit", found);
    }

    pub fn sent(&mut self, node: &NodeName, errand: &Errand) {
        let resources = match errand {
            Errand::FullSync { resources, .. } | Errand::Apply(resources) => resources.as_slice(),
            Errand::Hello { .. } | Errand::Pools(_) => &[],
        };
        let found = resources
            .iter()
            .try_for_each(|desired| self.durable.has_reached(desired).map_err(|what| format!("{node} is sent {what}")));
        self.check("nothing leaves before its commit", found);
    }

    pub fn heard(&mut self, message: &FromSatellite) {
        // One in so many: printing all of them takes longer than all the rest.
        self.messages += 1;
        if !self.messages.is_multiple_of(16) {
            return;
        }
        let found = safety::no_secret(message);
        self.check("secrets stay", found);
    }

    /// A client was answered.
    pub fn client_heard(&mut self, order: &Order, (ticket, outcome): (u64, &Outcome)) {
        let found = self.answers.client_reads(ticket);
        self.check("clients read what they wrote", found);
        let found = once::deletion(&order.command, outcome);
        self.check("deletions converge", found);
    }

    /// What is known to be durable.
    pub fn durable(&self) -> &Cluster {
        self.durable.cluster()
    }
}
