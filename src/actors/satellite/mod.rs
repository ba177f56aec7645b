//! The satellite: a node's agent. It keeps nothing on its own: a controller tells it everything, again at each connection.
//!
//! ```text
//! satellite                  rest-for-one; takes what the controller says, in order; answers at once
//! ├── reports                batches reports to the controller; the newest of each object wins
//! ├── storage_pools          prepares pools, holds resources back until they are, reports room
//! └── resource               knows the newest desired state of every resource
//!     └── <name>             one a resource: passes one after another, tried again while they fail
//! ```
//!
//! What each of them decides stands in `model::conduct`; here are mailboxes, timers and threads.
//!
//! A simulated node has no actor per resource: its passes do not wait for anything, so `resource` does them itself.

mod reports;
mod resource;
mod resources;
mod root;
mod storage_pools;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

pub use root::Root;

use super::system::{ActorRef, Spec, Strategy};
use crate::model::conduct::belonging::{self, Unclaimed};
use crate::model::moment::Uuid;
use crate::model::names::NodeName;
use crate::protocols::wire::FromSatellite;
use crate::storage::node::NodeStorage;

/// Passes at once on one node: enough to keep a disk's queue busy, few enough for the threads that they block.
const PASSES_AT_ONCE: usize = 32;

/// What a satellite is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Its disks.
    pub storage: NodeStorage,
    /// Whom it reports to.
    pub controller: ActorRef<FromSatellite>,
    /// Build version that it tells.
    pub version: String,
    /// How often the room of its pools is looked at when nothing changes.
    pub look_every: Duration,
}

/// To whom a satellite belongs, and as which node. Written by its front alone, and kept when actors are restarted: the
/// controller says it only when contact is made.
#[derive(Debug, Clone, Default)]
struct Belonging(Arc<Mutex<belonging::Belonging>>);

impl Belonging {
    fn claim(&self, cluster: Uuid, node: NodeName) -> Result<(), Unclaimed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).claim(cluster, node)
    }

    fn check(&self) -> Result<(), Unclaimed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).check()
    }

    fn node(&self) -> Option<NodeName> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).node().cloned()
    }
}

/// The satellite as a root, or as a child, called `name`. It understands `ToSatellite`.
#[must_use]
pub fn spec(name: &str, parts: Parts) -> Spec<Root> {
    let passes = Arc::new(Semaphore::new(PASSES_AT_ONCE));
    let belonging = Belonging::default();
    Spec::new(name, move || Root::new(parts.clone(), passes.clone(), belonging.clone())).strategy(Strategy::RestForOne)
}
