//! A panic in any actor of a running standalone: it goes on under its address, and nobody else notices.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::harness::{Client, Place, Zead, can_run, content, fill, free_port, wait_for};

const SWITCH: &[(&str, &str)] = &[("ZEA_REST__INJECT_PANIC", "true")];
/// Children of a rest-for-one parent, in the order in which they are started: those after one that fails follow it.
const FOLLOWERS: [&[&str]; 2] = [
    &["controller/committer", "controller/cluster", "controller/reports", "controller/satellites"],
    &["satellite/reports", "satellite/resource", "satellite/storage_pools"],
];

/// Restarts by path, of all actors that run; `None` while nobody answers or some are not there yet.
fn restarts(client: &Client) -> Option<BTreeMap<String, u64>> {
    let actors = client.try_call("GET", "/v1/zea/actors", None)?.json;
    let one = |actor: &Value| {
        let runs = actor["state"] == "running";
        runs.then_some((actor["path"].as_str()?.to_owned(), actor["restarts"].as_u64()?))
    };
    actors.as_array()?.iter().map(one).collect()
}

fn inject(client: &Client, path: &str) {
    // The answer may be lost with the server that gives it.
    let answer = client.try_call("POST", "/v1/zea/actors/inject-panic", Some(&json!({ "actor": path })));
    assert!(answer.is_none_or(|answer| answer.is_ok()), "{path}");
}

/// Waits until the actor has been restarted and everybody runs again.
fn recovered(client: &Client, path: &str, before: u64) -> BTreeMap<String, u64> {
    wait_for(&format!("the restart of {path}"), || {
        restarts(client).filter(|now| now.get(path).is_some_and(|number| *number > before))
    })
}

fn below(path: &str, parent: &str) -> bool {
    path == parent || path.strip_prefix(parent).is_some_and(|rest| rest.starts_with('/'))
}

fn may_restart(path: &str, injected: &str) -> bool {
    let mut hit = vec![injected];
    for group in FOLLOWERS {
        let at = group.iter().position(|member| *member == injected);
        hit.extend(at.map(|at| &group[at..]).unwrap_or_default());
    }
    hit.iter().any(|parent| below(path, parent))
}

#[test]
fn no_actor_panics_on_request_unless_the_process_was_started_for_it() {
    let place = Place::new();
    let zead = Zead::start(&place, free_port(), &["standalone", "--simulated-nodes", "1"], &[]);
    let client = zead.client();
    let answer = client.call("POST", "/v1/zea/actors/inject-panic", Some(&json!({"actor": "controller"})));
    assert!(!answer.is_ok());
    assert!(answer.json[0]["correction"].as_str().unwrap().contains("ZEA_REST__INJECT_PANIC"), "{}", answer.json);
    assert!(wait_for("all actors", || restarts(&client)).values().all(|number| *number == 0));
}

#[test]
fn any_actor_may_panic_and_nobody_else_notices() {
    if !can_run("panics in a standalone") {
        return;
    }
    let place = Place::new();
    let zead = Zead::start(&place, free_port(), &["standalone"], SWITCH);
    let mut client = zead.client();
    client.spawn("keep", 8192).ok("a volume before any panic");
    let device = client.device("keep").unwrap();
    let written = fill(&device, 1);
    let all: Vec<String> = wait_for("all actors", || restarts(&client)).into_keys().collect();
    assert!(all.contains(&"satellite/resource/keep".to_owned()), "{all:?}");
    println!("a panic in each of {} actors: {}", all.len(), all.join(", "));
    for (number, path) in all.iter().enumerate() {
        let before = wait_for("all actors", || restarts(&client));
        inject(&client, path);
        let volume = format!("after-{number}");
        if path == "rest" {
            // The server that would answer is the one that fails: its connections go with it, its address stays.
            wait_for("the server", || (zead.log().matches("what=\"rest\"").count() == 2).then_some(()));
            client = zead.client();
        }
        client.spawn(&volume, 4096).ok(&format!("a volume after a panic in {path}"));
        assert!(client.device(&volume).is_some(), "{path}");
        client.delete(&volume).ok(&format!("its deletion after a panic in {path}"));
        let after = recovered(&client, path, before[path]);
        for (other, restarted) in &after {
            let unchanged = before.get(other).is_none_or(|before| before == restarted);
            assert!(unchanged || may_restart(other, path), "{other} was restarted by a panic in {path}");
        }
    }
    assert_eq!(client.device("keep"), Some(device.clone()));
    assert_eq!(content(&device, written.len()), written);
    client.delete("keep").ok("the end of the first volume");
    assert_eq!(place.loops(), []);
}

#[test]
fn over_its_budget_an_actor_escalates_and_a_root_ends_the_process() {
    let place = Place::new();
    let mut zead = Zead::start(&place, free_port(), &["standalone", "--simulated-nodes", "1"], SWITCH);
    let client = zead.client();
    let parent = || {
        let all = || restarts(&client)?.get("simulated/sim-1").copied();
        wait_for("the parent", all)
    };
    assert_eq!(parent(), 0);
    for number in 0..6 {
        inject(&client, "simulated/sim-1/reports");
        if number < 5 {
            recovered(&client, "simulated/sim-1/reports", number);
        }
    }
    wait_for("the parent's restart", || (parent() == 1).then_some(()));
    let mut restarted = 0;
    while zead.log().matches("cannot be kept alive").count() == 0 {
        assert!(restarted <= 6, "the root is restarted for ever");
        inject(&client, "controller");
        wait_for("a restart or the end", || {
            let ended = zead.log().contains("cannot be kept alive");
            let number = client.try_call("GET", "/v1/zea/actors", None).and_then(|_| restarts(&client));
            (ended || number.is_some_and(|all| all.get("controller").is_some_and(|number| *number > restarted)))
                .then_some(())
        });
        restarted += 1;
    }
    assert_eq!(zead.ended().code(), Some(70));
    let log = zead.log();
    assert!(log.contains("controller is over its restart budget"), "the reason is flushed before the end: {log}");
}
