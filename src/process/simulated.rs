//! Satellites without devices, in the controller's process: to try everything else without root.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Start, StartError};
use crate::actors::controller::root::Controller;
use crate::actors::satellite::{self, Parts};
use crate::actors::system::{ActorRef, Behaviour, Context, Reply, Spec, System};
use crate::model::moment::EpochMs;
use crate::model::names::NodeName;
use crate::model::size::Kib;
use crate::protocols::wire::{SatelliteAnswer, ToSatellite};
use crate::storage::node::NodeStorage;
use crate::storage::simulated::Simulation;

/// Where pools of simulated nodes claim to be.
pub(super) const POOL_FOLDER: &str = "/simulated";
/// Room of a simulated pool: 64 TiB, so that no bench runs out of it.
const POOL_SIZE: Kib = Kib(64 << 30);
/// Unanswered messages that a silent node holds on to: the controller gives each up after its own deadline, and has
/// far fewer on their way.
const HELD_MAX: usize = 16;

pub(super) fn start_one(
    system: &System,
    start: &Start,
    node: &NodeName,
    controller: &Controller,
) -> Result<ActorRef<ToSatellite>, StartError> {
    let simulation = Simulation { pool_size: POOL_SIZE, clock: Some(wall_clock), uname: None, ..Simulation::default() };
    let parts = Parts {
        storage: NodeStorage::simulated(simulation),
        controller: controller.reports.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        look_every: start.config.satellite.pool_scan,
    };
    Ok(system.spawn(satellite::spec(&format!("simulated/{node}"), parts))?)
}

/// A satellite that takes messages and never answers, as one behind a broken network.
pub(super) fn start_silent(system: &System, node: &NodeName) -> Result<ActorRef<ToSatellite>, StartError> {
    Ok(system.spawn(Spec::new(format!("simulated/{node}"), Silent::default))?)
}

fn wall_clock() -> EpochMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EpochMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[derive(Default)]
struct Silent {
    held: std::collections::VecDeque<Reply<SatelliteAnswer>>,
}

impl Behaviour for Silent {
    type Message = ToSatellite;

    fn handle(&mut self, _: ToSatellite, reply: Reply<SatelliteAnswer>, _: &mut Context<ToSatellite>) {
        // A reply that is dropped would tell the asker at once.
        self.held.push_back(reply);
        if self.held.len() > HELD_MAX {
            self.held.pop_front();
        }
    }
}
