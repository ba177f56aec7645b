//! What went wrong inside a running process is found in the list of error reports.

use serde_json::{Value, json};

use super::harness::{Client, Place, Zead, can_run, free_port, wait_for};

fn report_with(client: &Client, words: &[&str]) -> Value {
    wait_for(&format!("an error report with {words:?}"), || {
        let all = client.try_call("GET", "/v1/error-reports?withContent=true", None)?.json;
        let fits = |report: &&Value| words.iter().all(|word| report["text"].as_str().is_some_and(|t| t.contains(word)));
        all.as_array()?.iter().find(fits).cloned()
    })
}

#[test]
fn a_panic_of_an_actor_is_recorded_with_its_node() {
    let place = Place::new();
    let switch = [("ZEA_REST__INJECT_PANIC", "true")];
    let zead = Zead::start(&place, free_port(), &["standalone", "--simulated-nodes", "2"], &switch);
    let client = zead.client();
    for (actor, node, module) in
        [("controller/satellites", "alpha", "CONTROLLER"), ("simulated/sim-2/reports", "sim-2", "SATELLITE")]
    {
        let answer = client.call("POST", "/v1/zea/actors/inject-panic", Some(&json!({ "actor": actor })));
        assert!(answer.is_ok(), "{}", answer.json);
        let found = report_with(&client, &[actor, "injected panic", "Correction: "]);
        assert_eq!((&found["node_name"], &found["module"]), (&json!(node), &json!(module)), "{found}");
    }
}

#[test]
fn a_storage_problem_of_a_node_is_recorded_once() {
    if !can_run("a sick pool in the error reports") {
        return;
    }
    let place = Place::new();
    let zead = Zead::standalone(&place, free_port());
    let client = zead.client();
    let pool = json!({"storage_pool_name": "sick", "provider_kind": "FILE_THIN",
        "props": {"StorDriver/StorPoolName": "/proc/no/such/folder"}});
    client.call("POST", "/v1/nodes/alpha/storage-pools", Some(&pool));
    let found = report_with(&client, &["storage pool sick", "/proc/no/such/folder", "Cause: ", "Correction: "]);
    assert_eq!((&found["node_name"], &found["module"]), (&json!("alpha"), &json!("SATELLITE")), "{found}");
    // Each list of pools asks the node for its room, which tries the sick one again.
    (0..3).for_each(|_| drop(client.get("/v1/view/storage-pools")));
    let all = client.get("/v1/error-reports?withContent=true").to_string();
    assert_eq!(all.matches("storage pool sick").count(), 1, "{all}");
}
