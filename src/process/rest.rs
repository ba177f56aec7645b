//! The REST server of a process, and that of its metrics where they have an address of their own.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use super::{Start, StartError, first_start};
use crate::actors::controller::rest::server::{Listen, server};
use crate::actors::controller::rest::{About, Api, MetricsPlace};
use crate::actors::controller::root::Controller;
use crate::actors::system::System;
use crate::actors::system::link::Endpoint;
use crate::telemetry::Telemetry;

/// Threads that carry out requests: reading and printing JSON is quick, and each keeps buffers.
const WORKERS: usize = 2;
/// Scrapes come one after another.
const METRICS_WORKERS: usize = 1;
/// How long the listener may take to open.
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// More than clients wait, so that the nodes' own deadline answers first.
const GRACE: Duration = Duration::from_secs(5);

/// Where a process answers.
pub(super) struct Addresses {
    /// The REST API.
    pub rest: SocketAddr,
    /// The metrics, where they have an address of their own.
    pub metrics: Option<SocketAddr>,
}

impl Addresses {
    /// What is told at the start.
    pub fn lines(&self) -> Vec<String> {
        let metrics = self.metrics.map(|address| format!("Metrics on http://{address}/metrics"));
        [format!("REST API on http://{}", self.rest)].into_iter().chain(metrics).collect()
    }
}

pub(super) fn start(
    system: &System,
    start: &Start,
    controller: &Controller,
    endpoint: Option<&Endpoint>,
) -> Result<Addresses, StartError> {
    let config = &start.config;
    let mut api = api(system, start, controller)?;
    api.links = endpoint.map(|endpoint| Arc::clone(endpoint.metrics()));
    let mut metrics = None;
    if let Some(address) = metrics_address(start) {
        let alone = Api { metrics: MetricsPlace::HereAlone, ..api.clone() };
        metrics = Some(serve(system, alone, listen("metrics", address, start))?);
    }
    api.metrics = match metrics {
        Some(address) => MetricsPlace::At(address),
        None if config.metrics.enabled => MetricsPlace::Here,
        None => MetricsPlace::Nowhere,
    };
    let rest = serve(system, api, listen("rest", config.rest.listen, start))?;
    Ok(Addresses { rest, metrics })
}

fn api(system: &System, start: &Start, controller: &Controller) -> Result<Api, StartError> {
    let mut api = Api::new(controller.cluster.clone(), controller.view.clone(), system.registry().clone());
    api.reports = controller.incidents.clone();
    api.store = controller.health.clone();
    api.deadline = start.config.controller.request_deadline + GRACE;
    api.telemetry = Some(Telemetry::new(start.started)?);
    api.inject_panic = start.config.rest.inject_panic;
    api.log = Some(start.log.clone());
    api.about = Arc::new(About {
        store: start.config.store_path().display().to_string(),
        listen: Some(start.config.rest.listen),
    });
    Ok(api)
}

/// The metrics' own address, where they are served and have one.
fn metrics_address(start: &Start) -> Option<SocketAddr> {
    start.config.metrics.listen.filter(|_| start.config.metrics.enabled)
}

fn listen(name: &'static str, address: SocketAddr, start: &Start) -> Listen {
    let max_body = usize::try_from(start.config.rest.max_body.0).unwrap_or(usize::MAX);
    Listen { name, address, max_body, workers: if name == "metrics" { METRICS_WORKERS } else { WORKERS } }
}

fn serve(system: &System, api: Api, listen: Listen) -> Result<SocketAddr, StartError> {
    let (name, address) = (listen.name, listen.address);
    let (spec, mut bound) = server(api, listen);
    system.spawn(spec)?;
    let opened = first_start::wait(system, async move {
        let address = tokio::time::timeout(OPEN_LIMIT, bound.wait_for(Option::is_some)).await;
        address.ok().and_then(|address| address.map_or(None, |address| *address))
    })?;
    opened.ok_or_else(|| taken(name, address, "it does not open".to_owned()))
}

/// Before anything is made: a start that fails leaves nothing behind.
pub(super) fn refuse_taken(start: &Start) -> Result<(), StartError> {
    let rest = Some(("rest", start.config.rest.listen));
    let metrics = metrics_address(start).map(|address| ("metrics", address));
    let refuse = |(name, address)| match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => Err(taken(name, address, error.to_string())),
    };
    rest.into_iter().chain(metrics).try_for_each(refuse)
}

fn taken(name: &str, address: SocketAddr, cause: String) -> StartError {
    let (what, variable) = match name {
        "metrics" => ("The metrics", "[metrics] listen, or ZEA_METRICS__LISTEN"),
        _ => ("The REST API", "[rest] listen, or ZEA_REST__LISTEN, or make run PORT=n"),
    };
    StartError::Machine {
        message: format!("{what} cannot listen at {address}"),
        cause,
        cure: format!("Stop what listens there, or choose another address: {variable}"),
    }
}
