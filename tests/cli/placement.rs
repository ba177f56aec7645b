//! A placement that fails, by the real `zea` against a real `zead` with simulated nodes: every node stands there with its
//! own reason, and nothing half-made stays.

use std::process::{Command, Output};

use crate::processes::harness::{Place, Zead, free_port, wait_for};

/// What each node is to be turned down for; the first one is not.
const REASONS: [(&str, &str); 4] = [
    ("node sim-1, pool local", "would do"),
    ("node sim-2", "the node's property AutoplaceTarget is false"),
    ("node sim-3", "the node is being evacuated"),
    ("node sim-4", "its satellite"),
];

struct Stage {
    zead: Zead,
    _place: Place,
}

impl Stage {
    /// Four nodes of which one takes replicas: of the others one shall not, one is being emptied, one is silent.
    fn start() -> Self {
        let place = Place::new();
        let silent = [("ZEA_STANDALONE__SILENT_NODES", "1")];
        let role = ["standalone", "--simulated-nodes", "4"];
        let stage = Self { zead: Zead::start(&place, free_port(), &role, &silent), _place: place };
        stage.done(&["property", "set", "node/sim-2", "AutoplaceTarget", "false"]);
        stage.done(&["node", "evacuate", "sim-3"]);
        wait_for("the silent node's silence", || {
            let told = stage.zead.client().get("/v1/nodes").to_string();
            told.contains("OFFLINE").then_some(())
        });
        stage
    }

    fn zea(&self, words: &[&str]) -> Output {
        let zea = Command::new(env!("CARGO_BIN_EXE_zea"))
            .args(["--controllers", &self.zead.rest.to_string(), "--ascii"])
            .args(words)
            .env("HOME", "/nonexistent")
            .output();
        zea.expect("zea is built")
    }

    #[track_caller]
    fn done(&self, words: &[&str]) {
        let output = self.zea(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What `zea` says of a command that is refused; it says it on standard error.
    #[track_caller]
    fn refused(&self, words: &[&str]) -> String {
        let output = self.zea(words);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(10), &b""[..]), "{words:?}");
        String::from_utf8(output.stderr).expect("text")
    }
}

/// Every node has its line, with its reason.
#[track_caller]
fn names_all(text: &str) {
    for (node, reason) in REASONS {
        let line = text.lines().find(|line| line.trim_start().starts_with(node));
        assert!(line.is_some_and(|line| line.contains(reason)), "{node}: {reason}\n{text}");
    }
}

#[test]
fn every_node_is_printed_with_its_reason() {
    let stage = Stage::start();
    let spawned = stage.refused(&["group", "spawn", "local", "web", "4M"]);
    assert!(spawned.contains("Not enough available nodes for 'web'"), "{spawned}");
    names_all(&spawned);
    let made = stage.refused(&["make", "web", "4M"]);
    names_all(&made);
    assert_eq!(stage.zead.client().definitions(), [""; 0], "a spawn that fails makes nothing");

    stage.done(&["definition", "create", "web", "--group", "local"]);
    stage.done(&["volume", "create", "web", "4M"]);
    names_all(&stage.refused(&["resource", "autoplace", "web"]));

    let output = stage.zea(&["explain", "web"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}");
    assert!(text.starts_with("web: 2 replicas are wanted, 0 there\n  not enough nodes: 2 more replicas"), "{text}");
    names_all(&text);
}
