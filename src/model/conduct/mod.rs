//! How each actor conducts its business: a message in, effects out. The actors' shells turn messages into calls of these
//! machines and carry the effects out, in order. No clock, no network, no mailbox: time is an argument.
//!
//! ```text
//! controller   writer (with waits)   decides, batches, holds answers and news back until their commit
//!              contacts              which nodes there shall be contact with
//!              contact               one node: hello, full sync, changes out
//! satellite    belonging             to which cluster it belongs
//!              pool_gate             pools are prepared before resources; room is asked for
//!              registry              the newest desired state of each resource
//!              passes                one resource: a pass at a time, again while it fails
//!              outbox                reports: the newest of each object, nothing given up
//! ```

pub mod belonging;
pub mod contact;
pub mod contacts;
pub mod outbox;
pub mod passes;
pub mod pool_gate;
pub mod registry;
#[cfg(test)]
pub(crate) mod tests;
mod waits;
pub mod writer;

use std::time::Duration;

use super::change::Change;
use super::cluster::Cluster;
use super::command::Command;
use super::decide::{Decision, Observation, decide, node_went_away, observe};
use super::desired::DesiredResource;
use super::moment::Moment;
use super::names::NodeName;
use super::news::{News, news};
use super::plan::{ObservedResource, Plan, plan};
use super::refusal::Refusal;
use super::report::Report;

/// When something happens.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// For decisions: wall clock, and a seed that no other call gets.
    pub moment: Moment,
    /// For deadlines: time since the machine's owner was started; never goes back.
    pub mono: Duration,
}

/// The decisions that machines call. The default is the model's; a test puts a defect in the place of one to see it found.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// [`decide`].
    pub decide: fn(&Cluster, &Command, Moment) -> Result<Decision, Refusal>,
    /// [`observe`].
    pub observe: fn(&Cluster, &NodeName, &Report, Moment) -> Observation,
    /// [`node_went_away`].
    pub node_went_away: fn(&Cluster, &NodeName, Moment) -> Vec<Change>,
    /// [`news`].
    pub news: fn(&Cluster, &Cluster, &[Change]) -> News,
    /// [`plan`].
    pub plan: fn(&DesiredResource, &ObservedResource) -> Plan,
}

impl Default for Rules {
    fn default() -> Self {
        Self { decide, observe, node_went_away, news, plan }
    }
}

/// Which incarnation of its owner a machine begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Birth {
    /// Nothing was before it.
    First,
    /// An earlier one ended, and what it knew is lost.
    Again,
}
