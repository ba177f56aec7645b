//! The whole account of a placement: every node, every pool of it, what became of it and why. Values only; the lines
//! are made when somebody reads them.

use super::reason::Reason;
use super::warning::Warning;
use crate::model::kinds::ProviderKind;
use crate::model::names::{NodeName, PoolName};

/// What became of a node or pool.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It gets a replica.
    Chosen {
        /// Its score; higher is better.
        score: f64,
    },
    /// It could have got one.
    Eligible {
        /// Its score.
        score: f64,
        /// Why it cannot join those that were chosen (on failure: the most that fit together).
        conflict: Option<Reason>,
    },
    /// It cannot get one.
    TurnedDown(Reason),
}

/// A line of the story: a pool, or a whole node with all its pools.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The node.
    pub node: NodeName,
    /// Its pool and that one's kind; `None` when the node as a whole was turned down.
    pub pool: Option<(PoolName, ProviderKind)>,
    /// What became of it.
    pub fate: Fate,
}

/// The account: entries by node, then by pool. Every node that was looked at stands in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Story {
    /// Every node and pool.
    pub entries: Vec<Entry>,
    /// What of the filter means nothing in this cluster.
    pub warnings: Vec<Warning>,
}

impl Story {
    /// One line for each entry, then the warnings.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let entries = self.entries.iter().map(Entry::line);
        entries.chain(self.warnings.iter().map(|warning| format!("Warning: {warning}")))
    }
}

impl Entry {
    fn line(&self) -> String {
        let who = match &self.pool {
            Some((pool, provider)) => format!("node {}, pool {pool} ({provider})", self.node),
            None => format!("node {}", self.node),
        };
        match &self.fate {
            Fate::Chosen { score } => format!("{who}: chosen, score {score:.5}"),
            Fate::Eligible { score, conflict: None } => format!("{who}: would do, score {score:.5}"),
            Fate::Eligible { score, conflict: Some(reason) } => {
                format!("{who}: would do alone, score {score:.5}, but not with the others: {reason}")
            }
            Fate::TurnedDown(reason) => format!("{who}: {reason}"),
        }
    }
}
