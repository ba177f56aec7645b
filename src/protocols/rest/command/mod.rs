//! From a changing request to the command that carries it out. Checks what a value by itself can be wrong in (names,
//! kinds, numbers, wishes that nothing can carry out); whether it fits the cluster is decided elsewhere. Never answers.

mod controller;
mod definitions;
mod disks;
mod encryption;
mod filter;
mod groups;
mod log_levels;
mod nodes;
mod numbers;
mod parse;
mod pools;
mod resources;
mod snapshots;
mod unbuilt;
mod volumes;

#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

use super::body::{self, BodyError};
use super::error_report::ErrorReportDelete;
use super::query::Query;
use crate::model::cluster::Cluster;
use crate::model::command::Command;
use crate::model::names::NodeName;
use crate::model::refusal::Refusal;

pub use log_levels::{LogLevels, levels_of};
pub use unbuilt::instead_of;

/// A request, its route found already.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The named segments of its path, decoded.
    pub params: &'a [(&'a str, String)],
    /// Its query string.
    pub query: &'a Query,
    /// Its body as it came.
    pub body: &'a [u8],
    /// The cluster, for the few requests that say only half of what they change.
    pub cluster: &'a Cluster,
}

impl Request<'_> {
    /// A named segment of the path; empty when the route has none of that name.
    fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        body::read(self.body)
    }

    fn read_optional<T: DeserializeOwned + Default>(&self) -> Result<T, BodyError> {
        body::read_optional(self.body)
    }
}

/// What a request comes to.
#[derive(Debug, PartialEq)]
pub enum Order {
    /// A command to the cluster.
    Command(Box<Command>, Wait),
    /// Close the link to a node's satellite and open it anew.
    Reconnect(NodeName),
    /// Delete the error reports that fit all conditions.
    DeleteReports(Box<ErrorReportDelete>),
    /// Other levels of the controller's log.
    LogLevels(LogLevels),
    /// Nothing carries it out; the text says what to do instead.
    NotBuilt(&'static str),
}

/// How long an answer waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Until the decision is durable.
    Commit,
    /// Until the nodes that are online have carried it out.
    Nodes,
}

/// Why no order could be made of a request. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untranslated {
    /// The body cannot be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// A value in it cannot be.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// How one call is turned into a command.
struct Call {
    /// Its name in the table of routes.
    operation: &'static str,
    wait: Wait,
    read: fn(&Request) -> Result<Command, Untranslated>,
}

/// Rows `operation Wait => function;`, the function giving a part of [`Command`].
macro_rules! calls {
    ($($operation:ident $wait:ident => $read:expr;)*) => {
        &[$($crate::protocols::rest::command::Call {
            operation: stringify!($operation),
            wait: $crate::protocols::rest::command::Wait::$wait,
            read: $read,
        }),*]
    };
}
use calls;

fn all() -> impl Iterator<Item = &'static Call> {
    let files: [&'static [Call]; 10] = [
        nodes::CALLS,
        pools::CALLS,
        groups::CALLS,
        definitions::CALLS,
        volumes::CALLS,
        resources::CALLS,
        disks::CALLS,
        snapshots::CALLS,
        controller::CALLS,
        encryption::CALLS,
    ];
    files.into_iter().flatten()
}

/// Makes an order of a request. `operation` is the call's name in the table of routes; one that nobody carries out comes
/// to [`Order::NotBuilt`].
///
/// # Errors
/// The body cannot be read, or asks for what cannot be.
pub fn translate(operation: &str, request: &Request) -> Result<Order, Untranslated> {
    if let Some(call) = all().find(|call| call.operation == operation) {
        return Ok(Order::Command(Box::new((call.read)(request)?), call.wait));
    }
    match operation {
        "nodeReconnect" => Ok(Order::Reconnect(parse::node(request.param("node"))?)),
        "errorReportDelete" => Ok(Order::DeleteReports(Box::new(request.read()?))),
        "errorReportDeleteSingle" => {
            let ids = vec![request.param("id").to_owned()];
            Ok(Order::DeleteReports(Box::new(ErrorReportDelete { ids, ..ErrorReportDelete::default() })))
        }
        "controllerSetConfig" => Ok(Order::LogLevels(log_levels::log_levels(request)?)),
        _ => Ok(Order::NotBuilt(instead_of(operation))),
    }
}

/// Calls whose unreadable bodies are answered with 500 instead of 400, as clients have always known it.
const UNREADABLE_IS_500: [&str; 9] = [
    "nodeStoragePoolModify",
    "nodeConnectionModify",
    "resourceConnectionModify",
    "resourceModify",
    "resourceGroupModify",
    "resourceDefinitionModify",
    "volumeGroupModify",
    "snapshotModify",
    "storPoolDfnModify",
];

/// HTTP status of the answer to a body that cannot be read.
#[must_use]
pub fn unreadable_status(operation: &str) -> u16 {
    if UNREADABLE_IS_500.contains(&operation) { 500 } else { 400 }
}
