//! Everything that changes something: reads the request, asks the cluster actor, answers what it said. Decides nothing.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::now_text;
use super::error_reports::{Incident, Wanted};
use super::{Api, Reply, ReplyBody, answer_of, parse_failure, refusal};
use crate::actors::controller::api::{Answer, ClusterAnswer, ClusterMessage};
use crate::actors::system::AskError;
use crate::model::code::{
    DELETED, FAIL_NOT_FOUND_NODE, FAIL_UNKNOWN_ERROR, Kind, MODIFIED, WARN_NO_EFFECT, WARN_NOT_FOUND,
};
use crate::model::names::NodeName;
use crate::model::refusal::{Note, Refusal};
use crate::protocols::rest::body;
use crate::protocols::rest::command::{
    LogLevels, Order, Request, Untranslated, Wait, instead_of, translate, unreadable_status,
};
use crate::protocols::rest::definition::{CloneRequest, CloneStarted};
use crate::protocols::rest::error_report::ErrorReportDelete;
use crate::protocols::rest::query::Query;
use crate::protocols::rest::rc::{self, ApiCallRc, obj_ref};

/// The one call whose answer is an object also when it was refused.
const CLONE: &str = "resourceDefinitionClone";
/// Status of a request that was turned away because there are too many.
const STATUS_BUSY: u16 = 503;
/// What stands in a path as it is; everything that a legal name has, and no more.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A call that is no read.
#[derive(Debug, Clone, Copy)]
pub struct Changing<'a> {
    /// Its name in the table of routes.
    pub operation: &'a str,
    /// The named segments of its path, decoded.
    pub params: &'a [(&'a str, String)],
    /// Its query.
    pub query: &'a Query,
    /// Its body as it came.
    pub body: &'a [u8],
}

/// Carries out a call that is no read.
///
/// An answer with status 500 that says so leaves open whether the change was made: each has a natural key, so that
/// asking again makes it once.
pub async fn mutate(api: &Api, call: Changing<'_>) -> Reply {
    let Changing { operation, params, query, body } = call;
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
        Order::DeleteReports(which) => delete_reports(api, operation, *which),
        Order::LogLevels(levels) => set_log(api, operation, &levels),
        Order::NotBuilt(instead) => not_built(operation, instead),
    }
}

async fn ask(api: &Api, operation: &str, message: ClusterMessage) -> Reply {
    match api.cluster.ask(message, api.deadline).await {
        Ok(ClusterAnswer::Done(notes)) => answer_of(operation, notes),
        Ok(ClusterAnswer::Refused(why)) => refusal(operation, why),
        Ok(ClusterAnswer::Taken) => answer_of(operation, Vec::new()),
        Ok(ClusterAnswer::Unstored(note)) => answer_of(operation, vec![note]),
        Ok(ClusterAnswer::Busy) => not_taken(operation, &AskError::Overloaded),
        Err(error @ (AskError::Overloaded | AskError::Refused(_))) => not_taken(operation, &error),
        Err(error) => failed(api, operation, &error),
    }
}

/// The answer to a request that was not even looked at: status 503.
fn not_taken(operation: &str, error: &AskError) -> Reply {
    Reply { status: STATUS_BUSY, ..answer_of(operation, vec![unanswered(error)]) }
}

/// A request that the cluster actor let go of is an internal error: recorded, and told with the report's number.
fn failed(api: &Api, operation: &str, error: &AskError) -> Reply {
    let note = unanswered(error);
    let record = matches!(error, AskError::Dropped | AskError::Deadline);
    let incident = || Incident {
        kind: "internal error".to_owned(),
        message: note.message.clone(),
        doing: operation.to_owned(),
        cause: error.to_string(),
        correction: note.correction.clone().unwrap_or_default(),
        ..Incident::default()
    };
    let id = record.then(|| api.reports.report(&incident()));
    let mut reply = answer_of(operation, vec![note]);
    if let ReplyBody::Rc(entries) = &mut reply.body {
        entries.iter_mut().for_each(|entry| entry.error_report_ids.extend(id.clone()));
    }
    reply
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
        Ok(ClusterAnswer::Unstored(note)) => vec![note],
        Ok(ClusterAnswer::Busy) => vec![unanswered(&AskError::Overloaded)],
        Err(error) => vec![unanswered(&error)],
    };
    let done =
        Note::success(MODIFIED, format!("The link to node '{known}' is opened anew")).about(obj_ref::NODE, &known);
    answer_of(operation, if notes.is_empty() { vec![done] } else { notes })
}

/// Deletes reports; where none fits there is nothing to do, which is a warning and no error.
fn delete_reports(api: &Api, operation: &str, which: ErrorReportDelete) -> Reply {
    let note = match api.reports.delete(&Wanted::from(which)) {
        0 => Note::warning(WARN_NOT_FOUND, "No error report fits, nothing was deleted"),
        1 => Note::success(DELETED, "1 error report deleted"),
        count => Note::success(DELETED, format!("{count} error reports deleted")),
    };
    answer_of(operation, vec![note])
}

/// Changes the filter of this process's log at once; after a restart it is the configuration's again.
fn set_log(api: &Api, operation: &str, levels: &LogLevels) -> Reply {
    let Some(log) = &api.log else {
        return not_built(operation, "This process has no log of its own.");
    };
    if levels.is_empty() {
        let nothing = Note::warning(WARN_NO_EFFECT, "No level of the log is named").cure("Give log.level");
        return answer_of(operation, vec![nothing]);
    }
    if let Err(error) = log.change(|old| levels.over(old)) {
        let failed = Note::new(Kind::Error, FAIL_UNKNOWN_ERROR, "The log's filter was not changed");
        return answer_of(operation, vec![failed.because(error.to_string())]);
    }
    let filter = log.filter();
    tracing::info!(%filter, "the log has another filter");
    let done = Note::success(MODIFIED, format!("The controller's log is filtered by '{filter}'"))
        .details("It holds until the controller is restarted; the key log.level of the configuration is for ever");
    let nodes = Note::warning(WARN_NO_EFFECT, "The logs of the nodes are as they were")
        .because("This release changes the log of the controller alone")
        .cure(instead_of("satelliteSetConfig"));
    answer_of(operation, if levels.on_nodes { vec![done, nodes] } else { vec![done] })
}

/// The answer to a call that is known but not built, with what to do instead: never an empty success.
pub fn not_built(operation: &str, instead: &str) -> Reply {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::actors::controller::api::View;
    use crate::actors::system::{self, Behaviour, Context, Options, Spec, System};
    use crate::model::code::*;
    use crate::model::command::{Command, DefinitionCommand};

    /// Longer than any machine needs.
    const GENEROUS: Duration = Duration::from_secs(30);

    /// Stands for the cluster actor; without an answer it drops the request.
    struct Fake(fn(ClusterMessage) -> Option<ClusterAnswer>);

    impl Behaviour for Fake {
        type Message = ClusterMessage;

        fn handle(
            &mut self,
            message: ClusterMessage,
            reply: system::Reply<ClusterAnswer>,
            _: &mut Context<ClusterMessage>,
        ) {
            if let Some(answer) = self.0(message) {
                reply.send(answer);
            }
        }
    }

    /// Status and JSON of the answer to one call.
    fn call(
        fake: fn(ClusterMessage) -> Option<ClusterAnswer>,
        operation: &str,
        params: &[(&str, &str)],
        body: &str,
    ) -> (u16, Value) {
        let on_root_failure = Box::new(|_: &system::RootFailure| {});
        let system = System::start(Options { name: "test".into(), workers: 1, on_root_failure }).unwrap();
        let cluster = system.spawn(Spec::new("cluster", move || Fake(fake))).unwrap();
        let mut api = Api::new(cluster, View::default(), system.registry().clone());
        api.deadline = GENEROUS;
        api.reports.report(&Incident { kind: "panic".into(), message: "told to".into(), ..Incident::default() });
        let params: Vec<(&str, String)> = params.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let query = Query::default();
        let reply = system
            .workers()
            .block_on(mutate(&api, Changing { operation, params: &params, query: &query, body: body.as_bytes() }));
        system.stop();
        assert_eq!(system.wait(), 0);
        let json = match reply.body {
            ReplyBody::Rc(entries) => serde_json::to_value(entries).unwrap(),
            ReplyBody::Json(bytes) => serde_json::from_slice(&bytes).unwrap(),
            _ => panic!("neither entries nor JSON"),
        };
        (reply.status, json)
    }

    fn never(message: ClusterMessage) -> Option<ClusterAnswer> {
        panic!("nothing may be asked: {message:?}")
    }

    #[test]
    fn a_command_waits_as_its_call_says_and_its_notes_are_answered() {
        let fake = |message| match message {
            ClusterMessage::Execute(command, Answer::WhenDurable) => {
                assert!(matches!(*command, Command::Definition(DefinitionCommand::Create(_))));
                Some(ClusterAnswer::Done(vec![Note::success(CREATED, "made").about("RscDfn", "res1")]))
            }
            ClusterMessage::Execute(_, Answer::WhenCarriedOut) => Some(ClusterAnswer::Done(Vec::new())),
            _ => None,
        };
        let body = r#"{"resource_definition":{"name":"res1"}}"#;
        let (status, json) = call(fake, "resourceDefinitionCreate", &[], body);
        assert_eq!((status, &json[0]["ret_code"]), (201, &json!(20_447_233)));
        assert_eq!(json[0]["obj_refs"]["RscDfn"], "res1");
        let (status, json) = call(fake, "resourceDelete", &[("rd", "res1"), ("node", "alpha")], "");
        assert_eq!((status, json.as_array().map(Vec::len)), (200, Some(1)));
    }

    #[test]
    fn refusals_of_the_decision_and_of_the_request_look_alike() {
        let exists = |_| Some(ClusterAnswer::Refused(Refusal::new(FAIL_EXISTS_RSC_DFN, "res1 is taken")));
        let body = r#"{"resource_definition":{"name":"res1"}}"#;
        let (status, json) = call(exists, "resourceDefinitionCreate", &[], body);
        assert_eq!((status, &json[0]["ret_code"]), (500, &json!(-4_611_686_018_406_940_171_i64)));
        let (status, json) = call(never, "resourceDefinitionCreate", &[], r#"{"resource_definition":{"name":"r"}}"#);
        assert_eq!((status, json[0]["ret_code"].as_i64().map(code_of)), (500, Some(FAIL_INVLD_RSC_NAME)));
    }

    #[test]
    fn unreadable_bodies_are_of_two_families() {
        for (operation, expected) in [("nodeAdd", 400), ("resourceGroupModify", 500), (CLONE, 400)] {
            let (status, json) = call(never, operation, &[("rg", "rg1"), ("rd", "res1")], "{");
            assert_eq!((status, &json[0]["ret_code"]), (expected, &json!(API_CALL_PARSE_ERROR)), "{operation}");
        }
    }

    #[test]
    fn a_request_that_was_dropped_may_have_been_carried_out() {
        let (status, json) = call(|_| None, "nodeDelete", &[("node", "alpha")], "");
        assert_eq!((status, json[0]["ret_code"].as_i64().map(code_of)), (500, Some(FAIL_UNKNOWN_ERROR)));
        assert!(json[0]["correction"].as_str().unwrap().contains("may have been made"), "{json}");
        assert_eq!(json[0]["error_report_ids"].as_array().map(Vec::len), Some(1), "it is recorded: {json}");
        let overloaded = unanswered(&AskError::Overloaded);
        assert!(overloaded.correction.unwrap().starts_with("Nothing was changed"));
        for error in [AskError::Deadline, AskError::Closed, AskError::LinkDown] {
            assert!(unanswered(&error).correction.unwrap().contains("may still be made"));
        }
    }

    #[test]
    fn too_many_requests_are_turned_away_and_may_be_repeated() {
        let busy = |_| Some(ClusterAnswer::Busy);
        let (status, json) = call(busy, "nodeDelete", &[("node", "alpha")], "");
        assert_eq!((status, json[0]["ret_code"].as_i64().map(code_of)), (503, Some(FAIL_UNKNOWN_ERROR)));
        assert!(json[0]["message"].as_str().unwrap().contains("too many requests"), "{json}");
        assert!(json[0]["correction"].as_str().unwrap().starts_with("Nothing was changed"), "{json}");
    }

    #[test]
    fn what_is_not_built_is_501_and_asks_nobody() {
        for operation in ["satelliteSetConfig", "createDevicePool", "backupCreate"] {
            let (status, json) = call(never, operation, &[], "");
            assert_eq!((status, json[0]["ret_code"].as_i64().map(code_of)), (501, Some(FAIL_UNKNOWN_ERROR)));
            assert!(json[0]["correction"].as_str().unwrap().len() > 40, "{json}");
        }
    }

    #[test]
    fn error_reports_are_deleted_by_their_conditions() {
        let (status, json) = call(never, "errorReportDeleteSingle", &[("id", "none-such")], "");
        let (kind, code) = (Kind::of(json[0]["ret_code"].as_i64().unwrap()), json[0]["ret_code"].as_i64().map(code_of));
        assert_eq!((status, kind, code), (200, Kind::Warn, Some(WARN_NOT_FOUND)));
        let (status, json) = call(never, "errorReportDelete", &[], r#"{"exception":"panic"}"#);
        assert_eq!((status, &json[0]["message"]), (200, &json!("1 error report deleted")));
    }

    #[test]
    fn an_unknown_node_cannot_be_reconnected() {
        let (status, json) = call(never, "nodeReconnect", &[("node", "alpha")], "");
        assert_eq!((status, json[0]["ret_code"].as_i64().map(code_of)), (404, Some(FAIL_NOT_FOUND_NODE)));
    }

    #[test]
    fn a_clone_is_answered_by_an_object_whatever_comes_of_it() {
        let made = |_| {
            let source = Note::success(CREATED, "snapshot").about("RscDfn", "Res1");
            let clone = Note::success(CREATED, "clone").about("RscDfn", "copy_of_it");
            Some(ClusterAnswer::Done(vec![source, clone]))
        };
        let params = [("rd", "res1")];
        let (status, json) = call(made, CLONE, &params, r#"{"external_name":"copy of it"}"#);
        assert_eq!((status, &json["clone_name"], &json["source_name"]), (201, &json!("copy_of_it"), &json!("res1")));
        assert_eq!(json["location"], "/v1/resource-definitions/res1/clone/copy_of_it");
        assert_eq!(json["messages"].as_array().map(Vec::len), Some(2));
        let missing = |_| Some(ClusterAnswer::Refused(Refusal::new(FAIL_NOT_FOUND_RSC_DFN, "no res1")));
        let (status, json) = call(missing, CLONE, &params, r#"{"name":"res2"}"#);
        assert_eq!((status, &json["clone_name"]), (500, &json!("res2")));
        assert_eq!(json["messages"][0]["message"], "no res1");
        let (status, json) = call(never, CLONE, &params, r#"{"name":"a/b"}"#);
        assert_eq!((status, &json["location"]), (500, &json!("/v1/resource-definitions/res1/clone/a%2Fb")));
    }
}
