//! What concerns this process alone: health, metrics, error reports, actors, streams of events.

use std::fmt::Write;
use std::time::Instant;

use super::super::answer::{answer_of, parse_failure};
use super::super::dispatch::Call;
use super::super::error_reports::Wanted;
use super::super::{API_RELEASE, Api, Reply, ReplyBody, events};
use super::stats::{build_time, count, git_hash};
use super::{Failure, Read, bad_query, json, page};
use crate::actors::system::ActorState;
use crate::model::code;
use crate::model::refusal::Note;
use crate::protocols::rest::body;
use crate::protocols::rest::error_report::ErrorReportDelete;
use crate::protocols::rest::metrics_names::{self as names, write_head, write_value};
use crate::protocols::rest::own::InjectPanic;
use crate::protocols::rest::query::Page;
use crate::protocols::rest::render::metrics;

/// Reports of a list that asks for no number of them.
const REPORTS_OF_A_LIST: usize = 1000;
const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const ROOT_PAGE: &str = "<!doctype html><title>Zea</title><h1>Zea</h1>\
    <p>This is the controller's REST API. <a href=\"/v1/zea/openapi.json\">Every call</a>, \
    <a href=\"/v1/controller/version\">version</a>, <a href=\"/metrics\">metrics</a>.</p>\n";

pub async fn read(api: &Api, call: &Call<'_>) -> Option<Read> {
    Some(match call.route.operation {
        "health" => Ok(health(api)),
        "metrics" => Ok(scrape(api, call)),
        "root" => Ok(text(200, HTML, ROOT_PAGE.to_owned())),
        "eventsNodes" => Ok(Reply { status: 200, body: ReplyBody::Events(events::node_events(&api.view)) }),
        "eventsDrbdPromotion" => Ok(Reply { status: 200, body: ReplyBody::Events(events::promotion_events()) }),
        "zeaActors" => Ok(json(|json| json.value(&api.registry.snapshot()))),
        "zeaInjectPanic" => inject_panic(api, call),
        "errorReportList" => list(api, call),
        "errorReportShow" => show(api, call),
        "errorReportDelete" => delete(api, call),
        "errorReportDeleteSingle" => Ok(delete_one(api, call)),
        "errorReportStats" => Ok(count(api.reports.count())),
        _ => return None,
    })
}

fn text(status: u16, media_type: &'static str, text: String) -> Reply {
    Reply { status, body: ReplyBody::Text(media_type, text) }
}

/// Empty while the cluster actor works and the store can be written.
fn health(api: &Api) -> Reply {
    let path = api.cluster.path();
    let state = api.registry.info(path).map(|info| info.state);
    let gone = api.cluster.is_closed() || state.is_none_or(|state| state != ActorState::Running);
    match (gone, api.store.trouble()) {
        (_, Some(trouble)) => {
            let told = format!("the store cannot be written: {}\n{}\n", trouble.cause, trouble.cure);
            text(503, PLAIN, told)
        }
        (false, None) => text(200, PLAIN, String::new()),
        (true, None) => text(500, PLAIN, format!("{path} does not run\n")),
    }
}

fn scrape(api: &Api, call: &Call) -> Reply {
    let began = Instant::now();
    let cluster = api.view.load();
    let mut out = String::with_capacity(64 * 1024);
    write_head(&mut out, &names::INFO);
    write_value(&mut out, &names::INFO, &[API_RELEASE, build_time(), git_hash()], 1.0);
    metrics::nodes(&mut out, &cluster);
    metrics::definitions(&mut out, &cluster);
    if call.query.flag("resource", true) {
        metrics::resources(&mut out, &cluster);
    }
    if call.query.flag("storage_pools", true) {
        metrics::storage_pools(&mut out, &cluster);
    }
    if call.query.flag("error_reports", true) {
        let reports = api.reports.count() as f64;
        write_head(&mut out, &names::ERROR_REPORTS_COUNT);
        write_value(&mut out, &names::ERROR_REPORTS_COUNT, &[], reports);
        for ((node, module), count) in api.reports.counts() {
            write_value(&mut out, &names::ERROR_REPORTS_COUNT, &[node.as_str(), module.as_str()], count as f64);
        }
    }
    api.meters.write(&mut out);
    of_this_process(api, &mut out);
    write_head(&mut out, &names::SCRAPE_REQUESTS_COUNT);
    write_value(&mut out, &names::SCRAPE_REQUESTS_COUNT, &[], api.meters.scraped() as f64);
    write_head(&mut out, &names::SCRAPE_DURATION_SECONDS);
    write_value(&mut out, &names::SCRAPE_DURATION_SECONDS, &[], began.elapsed().as_secs_f64());
    text(200, names::MEDIA_TYPE, out)
}

fn of_this_process(api: &Api, out: &mut String) {
    if let Some(links) = &api.links {
        out.push_str("# HELP zea_link_events_total What happened at the actor port.\n");
        out.push_str("# TYPE zea_link_events_total counter\n");
        for (name, number) in links.all() {
            writeln!(out, "zea_link_events_total{{event=\"{name}\"}} {number}").expect("a String takes all");
        }
    }
    match api.telemetry.as_ref().map(crate::telemetry::Telemetry::render) {
        Some(Ok(figures)) => out.push_str(&figures),
        Some(Err(error)) => tracing::warn!(%error, "metrics of this process are left out"),
        None => {}
    }
}

fn inject_panic(api: &Api, call: &Call) -> Read {
    let order: InjectPanic = body::read(call.request.body).map_err(|error| Box::new(parse_failure(&error)))?;
    if !api.inject_panic {
        let refused = Note::new(code::Kind::Error, code::FAIL_UNKNOWN_ERROR, "No actor is made to panic")
            .because("This process was not started for tests of supervision")
            .cure("Start it with rest.inject_panic = true, or ZEA_REST__INJECT_PANIC=true");
        return Ok(answer_of(call.route.operation, vec![refused]));
    }
    let note = match api.registry.inject_panic(&order.actor) {
        true => Note::success(code::MODIFIED, format!("{} panics at its next message", order.actor)),
        false => Note::new(code::Kind::Error, code::FAIL_UNKNOWN_ERROR, format!("There is no actor {}", order.actor))
            .cure("GET /v1/zea/actors lists them"),
    };
    Ok(answer_of(call.route.operation, vec![note]))
}

fn wanted(call: &Call) -> Result<Wanted, Failure> {
    let moment = |key| -> Result<Option<i64>, Failure> {
        let number = call.query.number(key).map_err(|error| bad_query(&error))?;
        Ok(number.map(|number| i64::try_from(number).unwrap_or(i64::MAX)))
    };
    let nodes = call.query.all("node").map(str::to_owned).collect();
    Ok(Wanted { nodes, since: moment("since")?, to: moment("to")?, ..Wanted::default() })
}

fn list(api: &Api, call: &Call) -> Read {
    let wanted = wanted(call)?;
    let asked = page(call)?;
    let page = if asked.limit == 0 { Page { limit: REPORTS_OF_A_LIST, ..asked } } else { asked };
    let found = api.reports.list(&wanted, call.query.flag("withContent", false));
    let part: Vec<_> = page.cut(found.into_iter()).collect();
    Ok(json(|json| json.value(&part)))
}

fn show(api: &Api, call: &Call) -> Read {
    let wanted = Wanted { ids: vec![call.param("id").to_owned()], ..wanted(call)? };
    let found = api.reports.list(&wanted, call.query.flag("withContent", true));
    Ok(json(|json| json.value(&found)))
}

fn delete(api: &Api, call: &Call) -> Read {
    let request: ErrorReportDelete = body::read(call.request.body).map_err(|error| Box::new(parse_failure(&error)))?;
    let gone = api.reports.delete(&Wanted::from(request));
    let note = Note::success(code::DELETED, format!("{gone} error reports deleted"));
    Ok(answer_of(call.route.operation, vec![note]))
}

fn delete_one(api: &Api, call: &Call) -> Reply {
    let id = call.param("id");
    let note = match api.reports.delete(&Wanted { ids: vec![id.to_owned()], ..Wanted::default() }) {
        0 => Note::warning(code::WARN_NOT_FOUND, format!("There is no error report {id}")),
        _ => Note::success(code::DELETED, format!("Error report {id} deleted")),
    };
    answer_of(call.route.operation, vec![note])
}
