//! The REST API: a server that serves the table of routes out of the committed view, and hands what changes something
//! to the cluster actor. Decides nothing, keeps nothing but error reports and counters.
//!
//! ```text
//! server           the actor that owns the listener; its end closes it, its restart opens it again
//! http             bytes of HTTP in and out: limits, compression, headers
//! dispatch         one request: route, guard against panics, reads or mutations
//! reads/*          everything that only reads, and what concerns this process alone
//! mutations        everything that changes the cluster
//! events           streams of server-sent events
//! meters           how long calls took
//! error_reports    what went wrong inside, on disk and by number
//! ```

mod answer;
mod dispatch;
pub mod error_reports;
mod events;
mod http;
mod listing;
pub mod meters;
pub mod mutations;
mod reads;
pub mod server;

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;

pub use answer::{answer_of, answer_with, now_text, parse_failure, rc_reply, refusal};
pub use dispatch::dispatch;
pub use error_reports::ErrorReports;
pub use listing::Listing;
pub use server::{Listen, RestMessage, RestServer, server};

use super::api::{ClusterMessage, View};
use super::store_health::StoreHealth;
use crate::actors::system::link::LinkMetrics;
use crate::actors::system::{ActorRef, Registry};
use crate::protocols::rest::rc::ApiCallRc;
use crate::telemetry::{LogControl, Telemetry};
use meters::Meters;

/// The version that clients are told. The operator makes image tags of it and clients show it, so it looks like a
/// release of the controller whose API [`crate::protocols::rest::controller::REST_API_VERSION`] came with.
pub const API_RELEASE: &str = "1.33.3";

/// How long a call waits for the cluster actor unless the configuration says otherwise; known clients wait 300 s.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What every call has at hand. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// Who decides.
    pub cluster: ActorRef<ClusterMessage>,
    /// The cluster as of the last commit.
    pub view: View,
    /// Whether the store can be written.
    pub store: StoreHealth,
    /// The actors of this process.
    pub registry: Registry,
    /// What went wrong inside.
    pub reports: ErrorReports,
    /// How long a call waits for the cluster actor and the nodes.
    pub deadline: Duration,
    /// How long calls took.
    pub meters: Arc<Meters>,
    /// Figures of this process, where there are any.
    pub telemetry: Option<Telemetry>,
    /// Counters of the links to satellites, where there are any.
    pub links: Option<Arc<LinkMetrics>>,
    /// Whether a request may let an actor panic: for tests of supervision.
    pub inject_panic: bool,
    /// The filter of this process's log, where a request may change it.
    pub log: Option<LogControl>,
    /// Where the metrics are served.
    pub metrics: MetricsPlace,
    /// What the configuration says, as far as clients may know.
    pub about: Arc<About>,
}

/// Where the metrics are served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MetricsPlace {
    /// With the rest of the API.
    #[default]
    Here,
    /// Here, and nothing else is.
    HereAlone,
    /// At an address of their own.
    At(SocketAddr),
    /// Nowhere.
    Nowhere,
}

/// What clients may know of the configuration.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Where the store is, such as a path.
    pub store: String,
    /// Where the API is served.
    pub listen: Option<SocketAddr>,
}

impl Api {
    /// With reports in memory only, and defaults for the rest.
    #[must_use]
    pub fn new(cluster: ActorRef<ClusterMessage>, view: View, registry: Registry) -> Self {
        Self {
            cluster,
            view,
            store: StoreHealth::default(),
            registry,
            reports: ErrorReports::default(),
            deadline: DEADLINE,
            meters: Arc::default(),
            telemetry: None,
            links: None,
            inject_panic: false,
            log: None,
            metrics: MetricsPlace::default(),
            about: Arc::default(),
        }
    }
}

/// The answer to a request.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Content.
    pub body: ReplyBody,
}

/// Content of an answer.
pub enum ReplyBody {
    /// JSON as it goes out.
    Json(Vec<u8>),
    /// A list that is written while it goes out.
    List(Listing),
    /// Entries; never an empty list.
    Rc(Vec<ApiCallRc>),
    /// Text of a media type, such as metrics; nothing at all if it is empty.
    Text(&'static str, String),
    /// Events until the client leaves.
    Events(EventStream),
}

/// Events as they stand on the wire.
pub type EventStream = Pin<Box<dyn Stream<Item = String> + Send>>;

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(bytes) => f.debug_tuple("Json").field(&String::from_utf8_lossy(bytes)).finish(),
            Self::List(_) => f.write_str("List(..)"),
            Self::Rc(entries) => f.debug_tuple("Rc").field(entries).finish(),
            Self::Text(media_type, text) => f.debug_tuple("Text").field(media_type).field(text).finish(),
            Self::Events(_) => f.write_str("Events(..)"),
        }
    }
}

impl Reply {
    /// JSON with status 200.
    #[must_use]
    pub fn json(body: Vec<u8>) -> Self {
        Self { status: 200, body: ReplyBody::Json(body) }
    }

    /// A list with status 200.
    #[must_use]
    pub fn list(listing: Listing) -> Self {
        Self { status: 200, body: ReplyBody::List(listing) }
    }
}
