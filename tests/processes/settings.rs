//! Settings of a running process do what they say: the metrics' address, the level of the log, the look at the pools.

use serde_json::json;

use super::harness::{Client, Place, Zead, can_run, free_port, wait_for};

const ROLE: [&str; 3] = ["standalone", "--simulated-nodes", "1"];

#[test]
fn metrics_have_an_address_of_their_own_where_they_are_given_one() {
    let (place, metrics) = (Place::new(), free_port());
    let zead = Zead::start(&place, free_port(), &ROLE, &[("ZEA_METRICS__LISTEN", &metrics.to_string())]);
    let there = Client::new(metrics);
    let text = there.call("GET", "/metrics", None);
    assert!(
        text.status == 200 && text.json.as_str().is_some_and(|text| text.contains("linstor_node_state")),
        "{text:?}"
    );
    let nodes = there.call("GET", "/v1/nodes", None);
    assert_eq!(nodes.status, 404, "nothing else is served there: {}", nodes.json);
    assert_eq!(there.call("POST", "/v1/nodes", Some(&json!({"name": "alpha"}))).status, 404);
    let here = zead.client().call("GET", "/metrics", None);
    assert_eq!(here.status, 404);
    assert!(here.json[0]["correction"].as_str().is_some_and(|cure| cure.contains(&metrics.to_string())), "{here:?}");
    assert!(zead.log().contains(&format!("Metrics on http://{metrics}/metrics")), "{}", zead.log());

    let other = Place::new();
    let mut second = Zead::spawn(&other, free_port(), &ROLE, &[("ZEA_METRICS__LISTEN", &metrics.to_string())]);
    assert_eq!(second.ended().code(), Some(2), "the address is taken");
}

#[test]
fn metrics_can_be_switched_off() {
    let place = Place::new();
    let more = [("ZEA_METRICS__ENABLED", "false"), ("ZEA_METRICS__LISTEN", "127.0.0.1:0")];
    let zead = Zead::start(&place, free_port(), &ROLE, &more);
    let answer = zead.client().call("GET", "/metrics", None);
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json[0]["cause"], "metrics.enabled is false");
    assert!(!zead.log().contains("Metrics on"), "{}", zead.log());
}

#[test]
fn the_level_of_the_log_changes_while_the_controller_runs() {
    let place = Place::new();
    let zead = Zead::start(&place, free_port(), &ROLE, &[("ZEA_LOG__LEVEL", "error")]);
    let client = zead.client();
    let levels = || client.get("/v1/controller/config")["log"].clone();
    let before = levels();
    assert_eq!((&before["level"], &before["level_linstor"]), (&json!("ERROR"), &json!("ERROR")));
    assert!(!zead.log().contains(" INFO "), "{}", zead.log());
    let set = |log| client.call("PUT", "/v1/controller/config", Some(&json!({ "log": log })));
    set(json!({"level_linstor": "INFO"})).ok("a level of our own");
    wait_for("a line of that level", || zead.log().contains(" INFO zea::").then_some(()));
    let after = levels();
    assert_eq!((&after["level"], &after["level_linstor"]), (&json!("ERROR"), &json!("INFO")));
    let wrong = set(json!({"level": "LOUD"}));
    assert!(!wrong.is_ok() && wrong.json[0]["correction"].as_str().is_some_and(|cure| cure.contains("TRACE")));
    let both = set(json!({"level_global": "WARN"})).ok("here");
    assert_eq!(both.json.as_array().map(Vec::len), Some(2), "that nodes keep theirs is told: {}", both.json);
    let body = json!({"log": {"level": "DEBUG"}});
    assert_eq!(client.call("PUT", "/v1/nodes/sim-1/config", Some(&body)).status, 501);
}

#[test]
fn room_that_others_take_is_seen_as_soon_as_the_pools_are_looked_at() {
    if !can_run("the look at pools") {
        return;
    }
    let place = Place::new();
    let zead = Zead::start(&place, free_port(), &["standalone"], &[("ZEA_SATELLITE__POOL_SCAN", "1s")]);
    let client = zead.client();
    let free = || {
        let pools = client.get("/v1/view/storage-pools?cached=true");
        let pools = pools.as_array().into_iter().flatten();
        pools.filter(|pool| pool["storage_pool_name"] == "local").find_map(|pool| pool["free_capacity"].as_i64())
    };
    let before = wait_for("the room", free);
    // 64 MiB that no volume takes.
    std::fs::write(place.pool().join("stranger"), vec![7; 64 << 20]).unwrap();
    std::fs::File::open(place.pool().join("stranger")).unwrap().sync_all().unwrap();
    wait_for("the room that is left", || free().filter(|now| before - now >= 60 << 10));
}
