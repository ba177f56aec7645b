//! One request: finds its route, carries it out, and turns a panic into an answer and an error report.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt;

use super::answer::{answer_with, now_text};
use super::error_reports::Incident;
use super::{Api, MetricsPlace, Reply, ReplyBody, mutations, reads};
use crate::model::code;
use crate::model::refusal::Note;
use crate::protocols::rest::command::instead_of;
use crate::protocols::rest::query::Query;
use crate::protocols::rest::rc;
use crate::protocols::rest::routes::{self, Match, Params, Route};

/// The metrics in the table of routes.
const METRICS: &str = "metrics";

/// A request as far as an answer depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its method, as it stands in the request.
    pub method: &'a str,
    /// Its path, still encoded.
    pub path: &'a str,
    /// What stands after the `?`.
    pub query: &'a str,
    /// The header `Last-Event-ID`.
    pub last_event_id: Option<&'a str>,
    /// Its whole body.
    pub body: &'a [u8],
}

/// A call: a request whose route is known.
pub struct Call<'a> {
    /// What it is.
    pub route: &'static Route,
    /// The values in its path.
    pub params: Params,
    /// Its query.
    pub query: Query,
    /// What came with it.
    pub request: Request<'a>,
}

impl Call<'_> {
    /// A value in the path; every name in the table of routes has one.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).unwrap_or_default()
    }
}

/// Answers a request. Never panics, and never takes longer than the deadline and a little.
pub async fn dispatch(api: &Api, request: Request<'_>) -> Reply {
    match routes::find(request.method, request.path) {
        Match::Found { route, params } => {
            if let Some(reply) = elsewhere(api, route, request.path) {
                return reply;
            }
            let call = Call { route, params, query: Query::parse(request.query), request };
            let began = Instant::now();
            let reply = AssertUnwindSafe(carry_out(api, &call)).catch_unwind().await;
            api.meters.took(route.operation, began.elapsed());
            reply.unwrap_or_else(|panic| panicked(api, &request, panic.as_ref()))
        }
        Match::WrongMethod(methods) => {
            let allowed = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
            let entry = rc::wrong_method(request.path, &allowed, &now_text());
            Reply { status: rc::STATUS_WRONG_METHOD, body: ReplyBody::Rc(vec![entry]) }
        }
        Match::Unknown => {
            let entry = rc::unknown_path(request.path, &now_text());
            Reply { status: rc::STATUS_UNKNOWN_PATH, body: ReplyBody::Rc(vec![entry]) }
        }
    }
}

/// The answer to a call that this address does not serve: metrics that are somewhere else, or all but the metrics.
fn elsewhere(api: &Api, route: &Route, path: &str) -> Option<Reply> {
    let (cause, cure) = match (api.metrics, route.operation == METRICS) {
        (MetricsPlace::Here, _) | (MetricsPlace::HereAlone, true) => return None,
        (MetricsPlace::At(_) | MetricsPlace::Nowhere, false) => return None,
        (MetricsPlace::HereAlone, false) => {
            let entry = rc::unknown_path(path, &now_text());
            return Some(Reply { status: rc::STATUS_UNKNOWN_PATH, body: ReplyBody::Rc(vec![entry]) });
        }
        (MetricsPlace::At(address), true) => {
            ("metrics.listen gives them an address of their own", format!("Ask http://{address}/metrics"))
        }
        (MetricsPlace::Nowhere, true) => {
            ("metrics.enabled is false", "Set it to true in the configuration, and restart the controller".to_owned())
        }
    };
    let note = Note::new(code::Kind::Error, code::FAIL_UNKNOWN_ERROR, "There are no metrics at this address");
    Some(Reply { status: rc::STATUS_UNKNOWN_PATH, ..answer_with(None, 200, &[note.because(cause).cure(cure)]) })
}

async fn carry_out(api: &Api, call: &Call<'_>) -> Reply {
    if !call.route.is_built() {
        return mutations::not_built(call.route.operation, instead_of(call.route.operation));
    }
    if let Some(reply) = reads::read(api, call).await {
        return reply;
    }
    let params: Vec<(&str, String)> = call.params.iter().map(|(name, value)| (name, value.to_owned())).collect();
    let changing = mutations::Changing {
        operation: call.route.operation,
        params: &params,
        query: &call.query,
        body: call.request.body,
    };
    mutations::mutate(api, changing).await
}

fn panicked(api: &Api, request: &Request, panic: &(dyn std::any::Any + Send)) -> Reply {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned());
    let doing = format!("{} {}", request.method, request.path);
    let cause = "A fault of the program".to_owned();
    let correction = "The controller goes on. Hand this report on".to_owned();
    let kind = "panic".to_owned();
    let id = api.reports.report(&Incident { kind, message: text, doing, cause, correction, ..Incident::default() });
    let note = Note::new(code::Kind::Error, code::FAIL_UNKNOWN_ERROR, "The request failed inside the controller")
        .because("This is a fault of the program")
        .cure(format!("Read error report {id} and hand it on; the controller goes on"));
    let mut reply = answer_with(None, 500, &[note]);
    if let ReplyBody::Rc(entries) = &mut reply.body {
        entries.iter_mut().for_each(|entry| entry.error_report_ids.push(id.clone()));
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::controller::api::{ClusterAnswer, ClusterMessage, View};
    use crate::actors::controller::rest::error_reports::Wanted;
    use crate::actors::system::{Behaviour, Context, Options, Reply as ActorReply, Spec, System};

    struct Nobody;

    impl Behaviour for Nobody {
        type Message = ClusterMessage;
        fn handle(&mut self, _: ClusterMessage, _: ActorReply<ClusterAnswer>, _: &mut Context<ClusterMessage>) {}
    }

    #[test]
    fn a_panic_is_an_answer_with_a_report_that_names_the_request() {
        let system = System::start(Options::default()).unwrap();
        let cluster = system.spawn(Spec::new("cluster", || Nobody)).unwrap();
        let api = Api::new(cluster, View::default(), system.registry().clone());
        let request = Request { method: "GET", path: "/v1/nodes", query: "", last_event_id: None, body: b"" };
        let reply = panicked(&api, &request, &"boom");
        assert_eq!(reply.status, 500);
        let ReplyBody::Rc(entries) = reply.body else { panic!("entries") };
        let id = &entries[0].error_report_ids[0];
        let report = &api.reports.list(&Wanted { ids: vec![id.clone()], ..Wanted::default() }, true)[0];
        assert!(report.text.contains("boom") && report.text.contains("GET /v1/nodes"), "{}", report.text);
        system.stop();
        assert_eq!(system.wait(), 0);
    }
}
