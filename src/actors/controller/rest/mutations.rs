//! Everything that changes something: reads the request, asks the cluster actor, answers what it said.

use super::answer::now_text;
use super::{Api, Reply, ReplyBody};
use crate::protocols::rest::query::Query;
use crate::protocols::rest::rc;

/// Carries out a call that is no read. `operation` is its name in the table of routes.
pub async fn mutate(_api: &Api, operation: &str, _params: &[(&str, String)], _query: &Query, _body: &[u8]) -> Reply {
    Reply { status: rc::STATUS_NOT_BUILT, body: ReplyBody::Rc(vec![rc::not_built(operation, &now_text())]) }
}
