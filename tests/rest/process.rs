//! The server as an actor, and what it tells of its process: restart, health, metrics, reports, events.

use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};
use zea::actors::controller::rest::RestMessage;
use zea::actors::controller::rest::error_reports::Incident;
use zea::model::change::Change;
use zea::model::names::NodeName;
use zea::protocols::rest::metrics_names;

use super::client::{ask, connect, get};
use super::stage::{cluster, node_record, serve};
use crate::runtime::eventually;

#[test]
fn it_opens_the_same_port_again_after_a_panic() {
    let stage = serve(cluster());
    let registry = stage.system.registry();
    let injected = ask(stage.address, "POST", "/v1/zea/actors/inject-panic", "", r#"{"actor":"rest"}"#);
    assert_eq!(injected.status, 200, "{}", injected.text());
    let server = registry.find::<RestMessage>("rest").unwrap();
    server.tell(RestMessage::Address).unwrap();
    eventually("a restart", || registry.info("rest").is_some_and(|info| info.restarts == 1));
    let answer = || stage.system.workers().block_on(server.ask(RestMessage::Address, crate::runtime::GENEROUS));
    eventually("the listener", || matches!(answer(), Ok(Some(address)) if address == stage.address));
    assert_eq!(get(stage.address, "/v1/controller/version").status, 200);
    let unknown = ask(stage.address, "POST", "/v1/zea/actors/inject-panic", "", r#"{"actor":"nobody"}"#);
    assert_eq!(unknown.status, 500);
}

#[test]
fn the_listener_is_closed_with_the_system() {
    let stage = serve(cluster());
    let address = stage.address;
    drop(stage);
    eventually("a closed port", || std::net::TcpStream::connect(address).is_err());
}

#[test]
fn version_and_root() {
    let stage = serve(cluster());
    let version = get(stage.address, "/v1/controller/version").json();
    assert_eq!(version["rest_api_version"], "1.28.0");
    for key in ["version", "git_hash", "build_time"] {
        assert!(version[key].as_str().is_some_and(|text| !text.is_empty()), "{key}");
    }
    let parts: Vec<u32> = version["version"].as_str().unwrap().split('.').map(|part| part.parse().unwrap()).collect();
    assert_eq!(parts.len(), 3);
    let root = get(stage.address, "/");
    let route =
        zea::protocols::rest::routes::all().find(|route| route.operation == "root").expect("a row of the table");
    assert_eq!((root.status, root.header("content-type")), (route.status, "text/html; charset=utf-8"));
    let health = get(stage.address, "/health");
    assert_eq!((health.status, health.body.len()), (200, 0));
}

#[test]
fn metrics_are_well_formed_and_whole() {
    let stage = serve(cluster());
    get(stage.address, "/v1/nodes");
    let answer = get(stage.address, "/metrics");
    assert_eq!(answer.header("content-type"), metrics_names::MEDIA_TYPE);
    let text = answer.text();
    for metric in metrics_names::ALL.iter().filter(|metric| metric.name != "linstor_apicall_duration_seconds") {
        assert_eq!(text.matches(&format!("# TYPE {} ", metric.name)).count(), 1, "{}", metric.name);
    }
    for line in [
        "linstor_node_state{address=\"10.0.0.1\",encryption=\"SSL\",port=\"3367\",node=\"Alpha\",nodetype=\"SATELLITE\"} 2",
        "linstor_resource_definition_count 1",
        "linstor_resource_definition_resource_count{name=\"Res1\",resource_group=\"DfltRscGrp\"} 2",
        "linstor_volume_definition_size_bytes{name=\"Res1\",volume_number=\"0\",resource_group=\"DfltRscGrp\"} 1073741824",
        "linstor_resource_state{name=\"Res1\",node=\"Alpha\"} 0",
        "linstor_resource_state{name=\"Res1\",node=\"beta\"} -1",
        "linstor_volume_state{resource=\"Res1\",node=\"Alpha\",volume=\"0\",device_path=\"/dev/drbd1000\",storage_pool=\"pool_ssd\"} 1",
        "linstor_storage_pool_capacity_free_bytes{storage_pool=\"pool_ssd\",node=\"Alpha\",driver=\"LVM\",backing_pool=\"vg0\"} 4096000000",
        "linstor_storage_pool_capacity_free_bytes{storage_pool=\"pool_ssd\",node=\"beta\",driver=\"LVM\",backing_pool=\"vg0\"} NaN",
        "linstor_error_reports_count 0",
        "linstor_scrape_requests_count 1",
        "linstor_restapi_request_duration_seconds_count{apicall=\"nodeList\"} 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
    let less = get(stage.address, "/metrics?resource=false&storage_pools=false&error_reports=false").text();
    for family in ["linstor_resource_state", "linstor_storage_pool", "linstor_error_reports"] {
        assert!(!less.contains(family), "{family}");
    }
}

#[test]
fn reports_are_listed_shown_and_deleted() {
    let stage = serve(cluster());
    let ids: Vec<String> = ["one", "two", "three"]
        .map(|message| stage.api.reports.report(&Incident { message: message.into(), ..Incident::default() }))
        .into();
    let list = get(stage.address, "/v1/error-reports/?limit=2").json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[0]["exception_message"], "three");
    assert_eq!(list[0]["text"], Value::Null);
    let one = get(stage.address, &format!("/v1/error-reports/{}", ids[0])).json();
    assert_eq!(one[0]["filename"], format!("ErrorReport-{}.log", ids[0]));
    assert!(one[0]["text"].as_str().unwrap().contains("one"));
    assert_eq!(get(stage.address, "/v1/error-reports/none").json(), json!([]));
    let delete = |id: &str| ask(stage.address, "DELETE", &format!("/v1/error-reports/{id}"), "", "");
    assert_eq!(delete(&ids[0]).status, 200);
    assert_eq!(delete(&ids[0]).entry().0, i64::MIN + 3000);
    let body = format!(r#"{{"ids":["{}"]}}"#, ids[1]);
    assert_eq!(ask(stage.address, "PATCH", "/v1/error-reports", "", &body).status, 200);
    assert_eq!(get(stage.address, "/v1/stats/error-reports").json(), json!({"count":1}));
}

#[test]
fn node_events_tell_what_became_of_nodes() {
    let stage = serve(cluster());
    let mut stream = connect(stage.address);
    stream.write_all(b"GET /v1/events/nodes HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("in time"));
    let mut seen_type = false;
    // The first frame is sent once the stream watches: from then on nothing is missed.
    let watching = lines.by_ref().find(|line| {
        seen_type |= line.eq_ignore_ascii_case("content-type: text/event-stream");
        line == ":"
    });
    assert!(watching.is_some() && seen_type);
    let gamma = NodeName::parse("gamma").unwrap();
    let mut cluster = cluster();
    cluster.apply(&Change::Node(gamma.clone(), Some(node_record("gamma", "10.0.0.3"))));
    stage.api.view.publish_for_tests(cluster.clone());
    let mut next = |name: &str| -> Value {
        lines.by_ref().find(|line| *line == format!("event: {name}")).expect(name);
        let data = lines.next().unwrap();
        serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap()
    };
    assert_eq!(next("node-create")["node"]["name"], "gamma");
    let mut evicted = (*node_record("gamma", "10.0.0.3")).clone();
    evicted.flags = zea::model::kinds::NodeFlags::EVICTED;
    cluster.apply(&Change::Node(gamma.clone(), Some(evicted.into())));
    stage.api.view.publish_for_tests(cluster.clone());
    assert_eq!(next("node-evicted")["node"]["flags"], json!(["DELETE", "EVICTED"]));
    assert_eq!(next("node-modified")["old_node"]["flags"], Value::Null);
    cluster.apply(&Change::Node(gamma, None));
    stage.api.view.publish_for_tests(cluster);
    assert_eq!(next("node-delete")["node"]["name"], "gamma");
}

#[test]
fn explain_names_every_node() {
    let stage = serve(cluster());
    let json = get(stage.address, "/v1/zea/explain/res1").json();
    let lines = json["lines"].to_string();
    assert!(lines.contains("Alpha") && lines.contains("beta"), "{json}");
    assert_eq!((&json["possible"], &json["wanted"], &json["standing"]), (&false.into(), &2.into(), &1.into()));
}
