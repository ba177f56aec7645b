//! Everything that changes something: reads the request, asks the cluster actor, answers what it said. Decides nothing.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::now_text;
use super::{Api, Reply, ReplyBody, answer_of, parse_failure, refusal};
use crate::actors::controller::api::{Answer, ClusterAnswer, ClusterMessage};
use crate::actors::system::AskError;
use crate::model::code::{FAIL_NOT_FOUND_NODE, FAIL_UNKNOWN_ERROR, Kind, MODIFIED};
use crate::model::names::NodeName;
use crate::model::refusal::{Note, Refusal};
use crate::protocols::rest::body;
use crate::protocols::rest::command::{Order, Request, Untranslated, Wait, instead_of, translate, unreadable_status};
use crate::protocols::rest::definition::{CloneRequest, CloneStarted};
use crate::protocols::rest::query::Query;
use crate::protocols::rest::rc::{self, ApiCallRc, obj_ref};

/// The one call whose answer is an object also when it was refused.
const CLONE: &str = "resourceDefinitionClone";
/// What stands in a path as it is; everything that a legal name has, and no more.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Carries out a call that is no read. `operation` is its name in the table of routes, `params` are the named segments
/// of its path, decoded.
///
/// An answer with status 500 that says so leaves open whether the change was made: each has a natural key, so that
/// asking again makes it once.
pub async fn mutate(api: &Api, operation: &str, params: &[(&str, String)], query: &Query, body: &[u8]) -> Reply {
    // The view is let go before anybody waits: a request may wait long, and would keep an old cluster in memory.
    let order = translate(operation, &Request { params, query, body, cluster: &api.view.load() });
    let reply = match order {
        Ok(order) => carry_out(api, operation, order).await,
        Err(Untranslated::Refused(why)) => refusal(operation, why),
        Err(Untranslated::Body(error)) => {
            return Reply { status: unreadable_status(operation), ..parse_failure(&error) };
        }
    };
    if operation == CLONE { clone_started(params, body, reply) } else { reply }
}

async fn carry_out(api: &Api, operation: &str, order: Order) -> Reply {
    match order {
        Order::Command(command, wait) => {
            let answer = match wait {
                Wait::Commit => Answer::WhenDurable,
                Wait::Nodes => Answer::WhenCarriedOut,
            };
            ask(api, operation, ClusterMessage::Execute(command, answer)).await
        }
        Order::Reconnect(node) => reconnect(api, operation, node).await,
        Order::DeleteReports(_) => not_built(operation, instead_of(operation)),
        Order::NotBuilt(instead) => not_built(operation, instead),
    }
}

async fn ask(api: &Api, operation: &str, message: ClusterMessage) -> Reply {
    match api.cluster.ask(message, api.deadline).await {
        Ok(ClusterAnswer::Done(notes)) => answer_of(operation, notes),
        Ok(ClusterAnswer::Refused(why)) => refusal(operation, why),
        Ok(ClusterAnswer::Taken) => answer_of(operation, Vec::new()),
        Err(error) => answer_of(operation, vec![unanswered(&error)]),
    }
}

/// What a caller is told when the cluster actor gave no answer.
fn unanswered(error: &AskError) -> Note {
    const NOT_RUN: &str = "Nothing was changed. Ask again in a moment.";
    const OPEN: &str =
        "The change may have been made, or may still be made. Look at the object, or ask again: a change is made once.";
    let (message, correction) = match error {
        AskError::Overloaded => ("The controller has too many requests to carry out", NOT_RUN),
        AskError::Refused(_) => ("The controller did not take the request", NOT_RUN),
        AskError::Closed => ("The controller is ending", OPEN),
        AskError::Deadline => ("The request was not carried out in time", OPEN),
        AskError::Dropped => ("The controller failed while it had the request", OPEN),
        AskError::LinkDown => ("The controller cannot be reached", OPEN),
    };
    Note::new(Kind::Error, FAIL_UNKNOWN_ERROR, message).because(error.to_string()).cure(correction)
}

async fn reconnect(api: &Api, operation: &str, node: NodeName) -> Reply {
    let Some(known) = api.view.load().nodes.get(&node).map(|known| known.name.clone()) else {
        let why = Refusal::new(FAIL_NOT_FOUND_NODE, format!("Node '{node}' not found"))
            .because("No node of that name is registered")
            .cure("List the nodes with GET /v1/nodes, or create it first")
            .about(obj_ref::NODE, &node);
        return refusal(operation, why);
    };
    let notes = match api.cluster.ask(ClusterMessage::Reconnect(known.clone()), api.deadline).await {
        Ok(ClusterAnswer::Done(notes)) => notes,
        Ok(ClusterAnswer::Refused(why)) => vec![*why.note],
        Ok(ClusterAnswer::Taken) => Vec::new(),
        Err(error) => vec![unanswered(&error)],
    };
    let done = Note::success(MODIFIED, format!("The link to node '{known}' is opened anew")).about(obj_ref::NODE, &known);
    answer_of(operation, if notes.is_empty() { vec![done] } else { notes })
}

fn not_built(operation: &str, instead: &str) -> Reply {
    let correction = format!("Nothing was changed. {instead}");
    let entry = rc::not_built(operation, &now_text()).correction(correction);
    Reply { status: rc::STATUS_NOT_BUILT, body: ReplyBody::Rc(vec![entry]) }
}

/// The answer to a clone: an object around the entries. Whatever the error, its status is 500.
fn clone_started(params: &[(&str, String)], body: &[u8], reply: Reply) -> Reply {
    let ReplyBody::Rc(messages) = reply.body else { return reply };
    let source_name = params.iter().find(|(key, _)| *key == "rd").map(|(_, name)| name.clone()).unwrap_or_default();
    let clone_name = clone_name(&source_name, body, &messages);
    let failed = messages.iter().any(|entry| entry.kind() == Kind::Error);
    let started = CloneStarted {
        location: format!("/v1/resource-definitions/{}/clone/{}", encoded(&source_name), encoded(&clone_name)),
        source_name,
        clone_name,
        messages,
    };
    let json = serde_json::to_vec(&started).expect("a shape has text keys only");
    Reply { status: if failed { 500 } else { reply.status }, body: ReplyBody::Json(json) }
}

/// The name that was given; for an external one the name that was made from it, as the entries tell.
fn clone_name(source: &str, body: &[u8], messages: &[ApiCallRc]) -> String {
    let asked: CloneRequest = body::read(body).unwrap_or_default();
    let given = asked.name.filter(|name| !name.is_empty());
    let named = || messages.iter().filter_map(|entry| entry.obj_refs.get(obj_ref::RSC_DFN));
    let made = || named().find(|name| !name.eq_ignore_ascii_case(source)).cloned();
    given.or_else(made).or(asked.external_name).unwrap_or_default()
}

fn encoded(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}
