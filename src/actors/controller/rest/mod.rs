//! The REST API: a server that serves the table of routes out of the committed view, and hands what changes something
//! to the cluster actor. Decides nothing, keeps nothing but error reports and counters.
//!
//! ```text
//! server           the actor that owns the listener; its end closes it, its restart opens it again
//! dispatch         one request: route, guard against panics, reads or mutations
//! reads/*          everything that only reads
//! mutations        everything that changes something
//! error_reports    what went wrong inside, on disk and by number
//! ```

mod answer;
pub mod error_reports;
pub mod mutations;

use std::time::Duration;

pub use answer::{answer_of, answer_with, parse_failure, refusal, rc_reply};
pub use error_reports::ErrorReports;

use super::api::{ClusterMessage, View};
use crate::actors::system::{ActorRef, Registry};
use crate::protocols::rest::rc::ApiCallRc;

/// What every call has at hand. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// Who decides.
    pub cluster: ActorRef<ClusterMessage>,
    /// The cluster as of the last commit.
    pub view: View,
    /// The actors of this process.
    pub registry: Registry,
    /// What went wrong inside.
    pub reports: ErrorReports,
    /// How long a call waits for the cluster actor and the nodes.
    pub deadline: Duration,
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
#[derive(Debug)]
pub enum ReplyBody {
    /// JSON as it goes out.
    Json(Vec<u8>),
    /// Entries; never an empty list.
    Rc(Vec<ApiCallRc>),
    /// Text of a media type, such as metrics; nothing at all if it is empty.
    Text(&'static str, String),
    /// Look there instead.
    Redirect(String),
}

impl Reply {
    /// JSON with status 200.
    #[must_use]
    pub fn json(body: Vec<u8>) -> Self {
        Self { status: 200, body: ReplyBody::Json(body) }
    }
}
