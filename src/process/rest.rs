//! The REST server of a process.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use super::{Start, StartError, first_start};
use crate::actors::controller::rest::server::{Listen, server};
use crate::actors::controller::rest::{About, Api};
use crate::actors::controller::root::Controller;
use crate::actors::system::System;
use crate::actors::system::link::Endpoint;
use crate::telemetry::Telemetry;

/// Threads that carry out requests: reading and printing JSON is quick, and each keeps buffers.
const WORKERS: usize = 2;
/// How long the listener may take to open.
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// More than clients wait, so that the nodes' own deadline answers first.
const GRACE: Duration = Duration::from_secs(5);

pub(super) fn start(
    system: &System,
    start: &Start,
    controller: &Controller,
    endpoint: Option<&Endpoint>,
) -> Result<SocketAddr, StartError> {
    let address = start.config.rest.listen;
    let mut api = Api::new(controller.cluster.clone(), controller.view.clone(), system.registry().clone());
    api.reports = controller.incidents.clone();
    api.store = controller.health.clone();
    api.deadline = start.config.controller.request_deadline + GRACE;
    api.telemetry = Some(Telemetry::new(start.started)?);
    api.links = endpoint.map(|endpoint| Arc::clone(endpoint.metrics()));
    api.inject_panic = start.config.rest.inject_panic;
    api.about = Arc::new(About {
        store: start.config.store_path().display().to_string(),
        listen: Some(address),
        log_level: start.config.log.level.as_str().to_owned(),
    });
    let max_body = usize::try_from(start.config.rest.max_body.0).unwrap_or(usize::MAX);
    let (spec, mut bound) = server(api, Listen { address, max_body, workers: WORKERS });
    system.spawn(spec)?;
    let opened = first_start::wait(system, async move {
        let address = tokio::time::timeout(OPEN_LIMIT, bound.wait_for(Option::is_some)).await;
        address.ok().and_then(|address| address.map_or(None, |address| *address))
    })?;
    opened.ok_or_else(|| taken(address, "it does not open".to_owned()))
}

/// Before anything is made: a start that fails leaves nothing behind.
pub(super) fn refuse_taken(address: SocketAddr) -> Result<(), StartError> {
    TcpListener::bind(address).map(|_| ()).map_err(|error| taken(address, error.to_string()))
}

fn taken(address: SocketAddr, cause: String) -> StartError {
    StartError::Machine {
        message: format!("The REST API cannot listen at {address}"),
        cause,
        cure:
            "Stop what listens there, or choose another address: [rest] listen, or ZEA_REST__LISTEN, or make run PORT=n"
                .to_owned(),
    }
}
