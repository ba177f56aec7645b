//! `link`: the transport to actors in other processes. One mutual-TLS TCP connection per pair of processes.
//!
//! # What it promises
//!
//! - **Who.** Both ends show a certificate of the same authority. The dialler expects the name that it dials; the
//!   listener takes the name that the hello gives only if the certificate carries it. Exported actors may ask for it
//!   ([`Endpoint::export_from`]).
//! - **At most once, per connection.** A message is written to one connection, in the order of sending, and never
//!   again to the next one. When a connection breaks, asks without an answer end with `LinkDown` (they may have
//!   run); tells on their way are lost. Whoever needs more sends its whole state on [`LinkEvent::Up`].
//! - **Both directions.** Who dialled does not matter: both ends export, and both have a [`Link`].
//! - **One pair, one connection.** A new connection of the same peer replaces the former ([`DownReason::Replaced`]):
//!   after a cut the listener may not yet know that the old one is dead.
//! - **Neighbouring versions talk.** Bodies have named fields, unknown ones are ignored; a message that is not
//!   understood is refused alone ([`crate::actors::system::AskError::Refused`]), the connection stays.
//! - **Strangers are cheap.** Refusals have names and counters ([`Refusal`], [`LinkMetrics`]); nothing of a stranger's
//!   makes this process allocate more than [`MAX_HELLO_BYTES`] or panic.
//! - **Silence is noticed.** An idle end sends heartbeats; an end that hears nothing for [`LinkOptions::silence`] ends
//!   the connection. A single frame must arrive within that time, too.

mod client;
mod endpoint;
mod exports;
mod frame;
#[cfg(fuzzing)]
pub mod fuzzing;
mod hello;
mod metrics;
mod peer;
mod server;
mod session;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

pub use endpoint::Endpoint;
pub use frame::{MAX_FRAME_BYTES, MAX_HELLO_BYTES};
pub use hello::{MAGIC, OLDEST_VERSION, PROTOCOL_VERSION};
pub use metrics::{Counter, LinkMetrics, Refusal};
pub use peer::Link;
pub use server::Server;

use super::budget::Backoff;
use crate::tls::TlsError;

/// Times and limits of an endpoint.
#[derive(Debug, Clone)]
pub struct LinkOptions {
    /// How long an idle end waits before it sends a heartbeat.
    pub heartbeat: Duration,
    /// After how long without a frame, or with a write that does not proceed, a connection counts as dead.
    pub silence: Duration,
    /// How long TLS and hello may take together.
    pub hello_timeout: Duration,
    /// The waits of the dialler between attempts.
    pub backoff: Backoff,
    /// Connections that a listener holds, those in their handshake included.
    pub max_connections: usize,
    /// Calls without an answer on one connection, in each direction.
    pub calls_in_flight: usize,
}

impl Default for LinkOptions {
    /// Three lost heartbeats are a dead peer; a node that comes back is dialled within five seconds; a thousand
    /// peers are more than a cluster has nodes; a thousand calls as an actor's own limit.
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(5),
            silence: Duration::from_secs(15),
            hello_timeout: Duration::from_secs(10),
            backoff: Backoff { first: Duration::from_millis(100), cap: Duration::from_secs(5) },
            max_connections: 1024,
            calls_in_flight: super::ASKS_IN_FLIGHT,
        }
    }
}

/// Who is at the other end, proven by its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    /// Its name; the certificate carries it.
    pub node: String,
    /// Its build, as it says.
    pub build: String,
    /// The version of the link protocol that it speaks best.
    pub protocol: u16,
    /// Grows with each start of its process, as it says.
    pub incarnation: u64,
    /// SHA-256 of its certificate, hexadecimal.
    pub fingerprint: String,
    /// Where the connection comes from or goes to.
    pub address: SocketAddr,
}

/// What becomes of a link. Delivered to those who subscribed, for each link in the order in which it happened.
#[derive(Debug, Clone)]
pub enum LinkEvent {
    /// A connection is up.
    Up {
        /// To send over.
        link: Link,
        /// Who is there.
        peer: PeerIdentity,
    },
    /// The connection is gone; or, at the dialler, the first attempt of a row has failed.
    Down {
        /// Which.
        link: Link,
        /// Why.
        reason: DownReason,
    },
}

/// Why a connection ended, or did not come to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownReason {
    /// Nobody answers there.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// We refused the peer, or what it sent.
    #[error("refused: {0}")]
    Refused(#[source] Refusal),
    /// The peer refused us, in its words.
    #[error("refused by the peer: {0}")]
    RefusedByPeer(String),
    /// The peer closed the connection.
    #[error("closed by the peer")]
    Closed,
    /// The network broke it.
    #[error("broken: {0}")]
    Broken(String),
    /// Nothing was heard for too long.
    #[error("nothing heard for too long")]
    Silent,
    /// A newer connection of the same peer took its place.
    #[error("replaced by a newer connection of the same peer")]
    Replaced,
    /// This end was told to stop.
    #[error("stopped by this end")]
    Stopped,
}

/// What is wrong with how an endpoint is set up.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The own certificate carries another name.
    #[error("the certificate does not carry this process's name {0:?}: issue one that does")]
    NotOurName(String),
    /// A name that no certificate can carry, and the like.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({}, {})", self.peer_name(), if self.is_up() { "up" } else { "down" })
    }
}
