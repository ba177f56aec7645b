//! What holds for every call: methods, paths, bodies, compression, headers, lists in part, and impolite clients.

use std::io::{Read, Write};
use std::net::Shutdown;

use serde_json::{Value, json};
use zea::model::change::Change;
use zea::model::names::RscName;

use super::client::{ask, connect, get, parse, raw};
use super::stage::{MAX_BODY, cluster, definition_record, serve};

const PARSE_ERROR: i64 = -3_458_764_513_820_540_931;
const UNKNOWN_ERROR: i64 = -4_611_686_018_427_387_904 + 998;

#[test]
fn wrong_paths_and_methods_are_told_apart() {
    let stage = serve(cluster());
    for (method, target, status) in [
        ("GET", "/v2/nodes", 404),
        ("GET", "/v1/nope", 404),
        ("PATCH", "/v1/nodes", 405),
        ("TRACE", "/v1/nodes", 405),
        ("OPTIONS", "/v1/nodes", 405),
        ("POST", "/v1/sos-report", 405),
        ("GET", "/v1/sos-report", 501),
        ("GET", "/v1/schedules", 501),
        ("POST", "/v1/remotes/s3", 501),
    ] {
        let answer = ask(stage.address, method, target, "", "");
        let (ret_code, text) = answer.entry();
        assert_eq!((answer.status, ret_code), (status, UNKNOWN_ERROR), "{method} {target}: {text}");
        assert!(text.contains("correction"), "{text}");
    }
}

#[test]
fn every_answer_has_the_headers_of_browsers() {
    let stage = serve(cluster());
    for target in ["/v1/nodes", "/v1/nope", "/health", "/metrics"] {
        let answer = get(stage.address, target);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{target}");
        assert!(answer.header("access-control-allow-methods").contains("DELETE"), "{target}");
    }
    let preflight = "Origin: http://x\r\nAccess-Control-Request-Method: PUT\r\n";
    let answer = ask(stage.address, "OPTIONS", "/v1/nodes/alpha", preflight, "");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "*"));
}

#[test]
fn an_options_call_has_a_body() {
    let stage = serve(cluster());
    let body = r#"{"place_count":1,"layer_stack":["storage"]}"#;
    let json = ask(stage.address, "OPTIONS", "/v1/query-max-volume-size", "", body).json();
    assert_eq!(json["default_max_oversubscription_ratio"], json!(20.0));
    assert_eq!(json["candidates"][0]["storage_pool"], "pool_ssd");
    assert_eq!(json["candidates"][0]["max_volume_size_kib"], json!(4_000_000));
    let bad = ask(stage.address, "OPTIONS", "/v1/query-max-volume-size", "", r#"{"layer_stack":["EXOS"]}"#);
    assert_eq!((bad.status, bad.entry().0), (500, -4_611_686_018_427_387_904 + 224));
}

#[test]
fn a_head_is_a_get_without_a_body() {
    let stage = serve(cluster());
    let answer = ask(stage.address, "HEAD", "/v1/nodes", "", "");
    let whole = get(stage.address, "/v1/nodes");
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("content-length"), whole.body.len().to_string());
}

#[test]
fn compression_when_offered_and_worth_it() {
    let stage = serve(cluster());
    let offer = "Accept-Encoding: gzip, deflate\r\n";
    let large = ask(stage.address, "GET", "/v1/view/resources", offer, "");
    assert_eq!(large.header("content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&large.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, get(stage.address, "/v1/view/resources").text());
    assert_eq!(ask(stage.address, "GET", "/v1/controller/version", offer, "").header("content-encoding"), "");
    assert_eq!(get(stage.address, "/v1/view/resources").header("content-encoding"), "");
}

#[test]
fn a_large_list_in_chunks_packed_or_not() {
    let mut cluster = cluster();
    for number in 0..1500 {
        let name = format!("many-{number:05}");
        let record = definition_record(&name, Some(2000 + number));
        cluster.apply(&Change::Definition(RscName::parse(&name).unwrap(), Some(record)));
    }
    let stage = serve(cluster);
    let plain = get(stage.address, "/v1/resource-definitions?with_volume_definitions=true");
    assert_eq!(plain.header("transfer-encoding"), "chunked");
    assert_eq!(plain.json().as_array().unwrap().len(), 1501);
    let target = "/v1/resource-definitions?with_volume_definitions=true";
    let packed = ask(stage.address, "GET", target, "Accept-Encoding: gzip\r\n", "");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.text());
    assert!(packed.body.len() < text.len() / 4);
    let page = get(stage.address, "/v1/resource-definitions?limit=100&offset=700");
    assert_eq!(page.json()[0]["name"], "many-00700");
    assert_eq!(page.json().as_array().unwrap().len(), 100);
    let view = get(stage.address, "/v1/view/resources?limit=3&offset=3000&nodes=alpha&nodes=beta").json();
    assert_eq!(
        view.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Res1"; 2]
    );
}

#[test]
fn filters() {
    let stage = serve(cluster());
    let names = |target: &str| -> Vec<String> {
        let json = get(stage.address, target).json();
        let name = |one: &Value| one["node_name"].as_str().or(one["name"].as_str()).unwrap().to_owned();
        json.as_array().unwrap().iter().map(name).collect()
    };
    for (target, expected) in [
        ("/v1/nodes?nodes=ALPHA&nodes=gamma", &["Alpha"][..]),
        ("/v1/nodes?nodes=gamma", &[]),
        ("/v1/nodes?props=Aux%2Fsite%3Da%3D1", &["Alpha", "beta"]),
        ("/v1/nodes?props=Aux/site=b", &[]),
        ("/v1/nodes?limit=1&offset=1&cached=true&what=ever", &["beta"]),
        ("/v1/resource-definitions?resource_definitions=RES1&resource_definitions=x", &["Res1"]),
        ("/v1/resource-definitions?props=Aux/owner=me", &["Res1"]),
        ("/v1/resource-definitions?props=Aux/owner=you", &[]),
        ("/v1/resource-groups?resource_groups=FAST", &["Fast"]),
        ("/v1/view/resources?resources=res1", &["Alpha", "beta"]),
        ("/v1/view/resources?storage_pools=POOL_SSD", &["Alpha"]),
        ("/v1/view/resources?nodes=gamma", &[]),
        ("/v1/view/resources?props=StorPoolName=pool_ssd", &["Alpha"]),
        ("/v1/view/storage-pools?nodes=beta&storage_pools=pool_ssd&cached=false", &["beta"]),
    ] {
        assert_eq!(names(target), expected, "{target}");
    }
    for target in ["/v1/nodes?limit=x", "/v1/resource-definitions?offset=-1", "/v1/error-reports?since=x"] {
        let answer = get(stage.address, target);
        assert_eq!((answer.status, answer.entry().0), (400, PARSE_ERROR), "{target}");
    }
}

#[test]
fn bad_bodies() {
    let stage = serve(cluster());
    let target = "/v1/resource-groups/fast/query-size-info";
    for body in ["{", "[]", "nul", "{\"select_filter\":3}", "{\"select_filter\":{\"place_count\":\"max\"}}", "\u{0}"] {
        let answer = ask(stage.address, "POST", target, "", body);
        assert_eq!((answer.status, answer.entry().0), (400, PARSE_ERROR), "{body}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(ask(stage.address, "POST", target, "", &deep).status, 400);
    let typed = "Content-Type: text/plain; charset=latin1\r\n";
    assert_eq!(ask(stage.address, "POST", target, typed, "{\"from_tomorrow\":1}").status, 200);
}

#[test]
fn a_body_too_long_is_refused_with_a_reason() {
    let stage = serve(cluster());
    let announced = format!("POST /v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", MAX_BODY + 1);
    let answer = parse(&raw(stage.address, announced.as_bytes()));
    let (ret_code, text) = answer.entry();
    assert_eq!((answer.status, ret_code), (413, PARSE_ERROR), "{text}");
    assert!(text.contains(&MAX_BODY.to_string()) && text.contains("max_body"), "{text}");
    let mut chunked = b"POST /v1/nodes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..=MAX_BODY / 0x1000 {
        chunked.extend_from_slice(b"1000\r\n");
        chunked.extend_from_slice(&[b' '; 0x1000]);
        chunked.extend_from_slice(b"\r\n");
    }
    assert_eq!(parse(&raw(stage.address, &chunked)).status, 413);
}

#[test]
fn garbage_and_half_requests_harm_nobody() {
    let stage = serve(cluster());
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(300_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(1000));
    for bytes in
        [b"\x16\x03\x01\x02\x00garbage\r\n\r\n".as_slice(), b"NONSENSE\r\n\r\n", long.as_bytes(), many.as_bytes()]
    {
        let answer = raw(stage.address, bytes);
        assert!(answer.is_empty() || parse(&answer).status >= 400, "{}", String::from_utf8_lossy(&answer));
    }
    for half in ["GET /v1/no", "POST /v1/nodes HTTP/1.1\r\nContent-Length: 100\r\n\r\n{\"name\":"] {
        let mut stream = connect(stage.address);
        stream.write_all(half.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty() || parse(&rest).status == 400, "{}", String::from_utf8_lossy(&rest));
    }
    assert_eq!(get(stage.address, "/v1/controller/version").status, 200);
}

#[test]
fn a_connection_serves_many_requests() {
    let stage = serve(cluster());
    let mut stream = connect(stage.address);
    for _ in 0..3 {
        stream.write_all(b"GET /v1/stats/nodes HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"count\":2}") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&answer));
            answer.push(byte[0]);
        }
    }
}
