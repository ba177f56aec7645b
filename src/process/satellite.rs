//! The satellite role in a process: beside a controller, or alone and reached over a link.

use super::controller::Serving;
use super::{Start, StartError, first_start, identity};
use crate::actors::controller::root::{Controller, REPORTS_EXPORT};
use crate::actors::satellite::{self, Parts};
use crate::actors::system::{ActorRef, System};
use crate::model::kinds::LayerKind;
use crate::protocols::wire::{FromSatellite, ToSatellite};
use crate::storage::exec::Limits;
use crate::storage::node::{NodeStorage, Setup};

/// Name under which a satellite takes what a controller says.
const SATELLITE_EXPORT: &str = "satellite";

fn storage(start: &Start) -> NodeStorage {
    let config = &start.config.satellite;
    let limits = Limits {
        wait: config.wait_timeout,
        term: config.term_timeout,
        kill: config.kill_timeout,
        io_stall: config.io_stall_timeout,
        io_poll: config.io_poll_interval,
    };
    NodeStorage::real(&Setup { limits, mapping_folder: None })
}

fn parts(start: &Start, controller: ActorRef<FromSatellite>) -> Parts {
    let look_every = start.config.satellite.pool_scan;
    Parts { storage: storage(start), controller, version: env!("CARGO_PKG_VERSION").to_owned(), look_every }
}

/// A satellite in the controller's own process.
pub(super) fn start_local(
    system: &System,
    start: &Start,
    controller: &Controller,
) -> Result<ActorRef<ToSatellite>, StartError> {
    Ok(system.spawn(satellite::spec("satellite", parts(start, controller.reports.clone())))?)
}

/// Layers that a volume on this machine gets: with DRBD where the kernel has it.
pub(super) fn stack_of_this_machine(system: &System) -> Result<Vec<LayerKind>, StartError> {
    let storage = NodeStorage::real(&Setup::default());
    let facts = first_start::wait(system, async move { storage.facts(env!("CARGO_PKG_VERSION")).await })?;
    Ok(match facts.layers.contains(&LayerKind::Drbd) {
        true => vec![LayerKind::Drbd, LayerKind::Storage],
        false => vec![LayerKind::Storage],
    })
}

pub(super) fn start_alone(system: &System, start: &Start) -> Result<Serving, StartError> {
    let node = start.node_name();
    let endpoint = identity::endpoint(system, start, &node)?.ok_or_else(|| StartError::Machine {
        message: format!("The satellite '{node}' has no certificate"),
        cause: format!("there is no {}.crt in {}", node.to_ascii_lowercase(), start.config.identity_dir().display()),
        cure: format!(
            "Make it where the controller's authority is (ca.key), and copy it here with its key and ca.crt: {}",
            identity::command(&[node.as_str()], &start.config.identity_dir())
        ),
    })?;
    super::incidents::open(system, start);
    let server = endpoint
        .listen(start.config.link.listen)
        .map_err(StartError::io(format!("listening on {}", start.config.link.listen)))?;
    let controller = server.link(identity::CONTROLLER).actor_ref::<FromSatellite>(REPORTS_EXPORT);
    let root = system.spawn(satellite::spec("satellite", parts(start, controller)))?;
    endpoint.export(SATELLITE_EXPORT, root);
    let lines = vec![format!("Satellite '{node}' awaits its controller on {} (mutual TLS)", server.local_addr())];
    Ok(Serving { lines, rest: None, link: Some(server), controller: None })
}
