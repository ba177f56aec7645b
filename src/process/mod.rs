//! Roles composed into one process. Roles never import one another: what brings them together stands here, and only
//! here. Decides nothing about storage.

mod controller;
mod data_folder;
mod first_start;
mod hints;
mod identity;
mod incidents;
mod memory;
mod passphrase;
mod release;
mod rest;
mod satellite;
mod simulated;
mod standalone;

use std::time::SystemTime;

use crate::actors::system::{System, SystemError};
use crate::config::Config;
use crate::model::report::Problem;
use crate::store::StoreError;
use crate::telemetry::{LogControl, TelemetryError};
use crate::tls::TlsError;

pub use controller::Serving;
pub use hints::program;
pub use identity::{CONTROLLER, command as identity_command, write_identities};
pub use memory::forbid_core_dumps;
pub use release::release;

/// A part that a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Controller, satellite and an embedded store on one machine.
    Standalone,
    /// The cluster's model and its only writer.
    Controller,
    /// The agent of this node.
    Satellite,
}

impl Role {
    /// Every role that is built.
    pub const ALL: &'static [(&'static str, Role)] =
        &[("standalone", Role::Standalone), ("controller", Role::Controller), ("satellite", Role::Satellite)];

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Role> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, role)| *role)
    }
}

/// Why a process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Roles that cannot stand in one process.
    #[error("{0}")]
    Roles(String),
    /// What the machine lacks, and how to mend it.
    #[error("{message}\n  cause: {cause}\n  cure:  {cure}")]
    Machine {
        /// What cannot be done.
        message: String,
        /// Why.
        cause: String,
        /// What helps.
        cure: String,
    },
    /// A folder or socket.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor runtime.
    #[error(transparent)]
    System(#[from] SystemError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Metrics or log.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The link to other processes.
    #[error(transparent)]
    Link(#[from] crate::actors::system::link::LinkError),
    /// The first start could not make what it makes.
    #[error("the first start failed: {0}")]
    FirstStart(String),
}

impl From<Problem> for StartError {
    fn from(problem: Problem) -> Self {
        let cause =
            if problem.details.is_empty() { problem.cause } else { format!("{}\n{}", problem.cause, problem.details) };
        Self::Machine { message: problem.message, cause, cure: problem.correction }
    }
}

impl StartError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// What a process is started with.
pub struct Start {
    /// Configuration.
    pub config: Config,
    /// The machine's host name.
    pub host_name: String,
    /// When the process was started.
    pub started: SystemTime,
    /// The filter of its log.
    pub log: LogControl,
}

impl Start {
    /// The node's name: as configured, else the host name.
    #[must_use]
    pub fn node_name(&self) -> String {
        self.config.node.name.clone().unwrap_or_else(|| self.host_name.clone())
    }
}

/// Starts the roles in `system` and tells what is served.
///
/// # Errors
/// A role cannot start; the text names cause and cure. What was started goes with the system.
pub fn start(system: &System, roles: &[Role], start: &Start) -> Result<Serving, StartError> {
    if matches!(roles, [Role::Standalone | Role::Controller]) {
        rest::refuse_taken(start)?;
    }
    match roles {
        [Role::Standalone] => standalone::start(system, start),
        [Role::Controller] => controller::start_alone(system, start),
        [Role::Satellite] => satellite::start_alone(system, start),
        [] => Err(StartError::Roles("no role is named: standalone, controller or satellite".to_owned())),
        _ => Err(StartError::Roles(
            "these roles cannot stand in one process yet: name one of standalone, controller, satellite".to_owned(),
        )),
    }
}
