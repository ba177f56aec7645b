//! The controller role in a process: store, actors, and the REST server.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use super::data_folder::DataFolder;
use super::{Start, StartError, hints, identity, passphrase};
use crate::actors::controller::root::{self, Controller, Setup};
use crate::actors::controller::satellites::LocalSatellites;
use crate::actors::system::System;
use crate::actors::system::link::{Endpoint, Server};
use crate::model::conduct::writer::Limits;
use crate::store::{Redb, Store};

/// The one name of the store's file: `zea store` and `zead release` look for it as well.
const STORE_FILE: &str = "zea.redb";

/// What a started process serves.
pub struct Serving {
    /// Lines for people: what is served and what to try.
    pub lines: Vec<String>,
    /// Where the REST API listens.
    pub rest: Option<SocketAddr>,
    /// Where a satellite listens.
    pub link: Option<Server>,
    /// The controller, when this process has one.
    pub controller: Option<Controller>,
}

pub(super) fn open_store(start: &Start) -> Result<Arc<dyn Store>, StartError> {
    let path = start.config.store_path();
    if path.file_name() != Some(STORE_FILE.as_ref()) {
        return Err(StartError::Machine {
            message: format!("The store cannot be kept in {}", path.display()),
            cause: format!("its file is always called {STORE_FILE}"),
            cure: format!("Set [controller] store to a path that ends in /{STORE_FILE}, or leave it empty"),
        });
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    Ok(Arc::new(Redb::open(folder)?))
}

/// Starts the role's actors, and the REST server last: it listens when answers are right.
pub(super) fn start_role(
    system: &System,
    start: &Start,
    local: LocalSatellites,
    endpoint: Option<Endpoint>,
) -> Result<Controller, StartError> {
    let store = open_store(start)?;
    let incidents = super::incidents::open(system, start);
    let config = &start.config.controller;
    let size = |limit: NonZeroU32| usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let limits = Limits { batch: size(config.commit_batch), queue: size(config.commit_queue) };
    let setup = Setup { store, local, endpoint, deadline: config.request_deadline, incidents, limits };
    Ok(root::start(system, setup)?)
}

pub(super) fn start_alone(system: &System, start: &Start) -> Result<Serving, StartError> {
    let endpoint = identity::endpoint(system, start, identity::CONTROLLER)?;
    let secure = endpoint.is_some();
    let controller = start_role(system, start, LocalSatellites::default(), endpoint.clone())?;
    passphrase::enter(system, start, &controller)?;
    let served = super::rest::start(system, start, &controller, endpoint.as_ref())?;
    let (rest, mut lines) = (served.rest, served.lines());
    lines[0].push_str(&format!(" (data in {})", start.config.node.data.display()));
    let port = start.config.link.listen.port();
    lines.extend(DataFolder::word_to_controller(&start.config.store_path(), port));
    match secure {
        true => {
            lines.push("Satellites are reached over mutual TLS".to_owned());
            let create = format!("node create {} 127.0.0.1 --port 3367", start.node_name());
            lines.extend(hints::try_next(rest, &[create.as_str(), "node list", "actors"]));
        }
        false => {
            let folder = start.config.identity_dir();
            lines.push(format!("No satellite can be reached: there is no controller.crt in {}", folder.display()));
            lines.push("Make the certificates of this controller and of its nodes, and start it again:".to_owned());
            lines.push(format!("  {}", identity::command(&[identity::CONTROLLER, &start.node_name()], &folder)));
            lines.extend(hints::try_next(rest, &["node list", "actors"]));
        }
    }
    Ok(Serving { lines, rest: Some(rest), link: None, controller: Some(controller) })
}
