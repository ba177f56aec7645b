//! Satellites without devices, in the controller's process: to try everything else without root.

use super::StartError;
use crate::actors::controller::root::Controller;
use crate::actors::satellite::{self, Parts};
use crate::actors::system::{ActorRef, System};
use crate::model::names::NodeName;
use crate::model::size::Kib;
use crate::protocols::wire::ToSatellite;
use crate::storage::node::NodeStorage;
use crate::storage::simulated::Simulation;

/// Room of a simulated pool: 64 TiB, so that no bench runs out of it.
const POOL_SIZE: Kib = Kib(64 << 30);

pub(super) fn start_one(
    system: &System,
    node: &NodeName,
    controller: &Controller,
) -> Result<ActorRef<ToSatellite>, StartError> {
    let parts = Parts {
        storage: NodeStorage::simulated(Simulation { pool_size: POOL_SIZE }),
        controller: controller.reports.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok(system.spawn(satellite::spec(&format!("simulated/{node}"), parts))?)
}
