//! The REST server of a process.

use std::net::SocketAddr;

use super::{Start, StartError};
use crate::actors::controller::root::Controller;
use crate::actors::system::System;
use crate::actors::system::link::Endpoint;

pub(super) fn start(
    _system: &System,
    start: &Start,
    _controller: &Controller,
    _endpoint: Option<&Endpoint>,
) -> Result<SocketAddr, StartError> {
    Ok(start.config.rest.listen)
}
