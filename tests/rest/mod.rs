//! The REST API against the outside: the operations that clients know, and the committed OpenAPI document.

mod client;
mod conventions;
mod process;
mod shapes;
mod stage;

use std::collections::BTreeSet;
use std::path::Path;

use zea::protocols::rest::{metrics_names, openapi, routes};

/// A path with its parameters' names left out, as those are nobody's business but the table's.
fn nameless(path: &str) -> String {
    let segment = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[test]
fn every_operation_that_clients_know_is_a_route() {
    let known = include_str!("../fixtures/rest/operations.txt").lines().filter(|line| !line.starts_with('#'));
    let ours: BTreeSet<_> = routes::all().map(|route| (route.method.as_str(), nameless(route.path))).collect();
    let mut count = 0;
    for line in known {
        let (method, path) = line.split_once(' ').expect("a line is a method and a path");
        assert!(ours.contains(&(method, nameless(path))), "{line} is in no table");
        count += 1;
    }
    assert_eq!(count, 181);
}

/// Compares a committed copy with what we print, or writes it when `ZEA_BLESS=1`.
fn assert_committed(file: &str, current: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("ZEA_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, current).expect("docs/reference can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    // Not assert_eq: a difference of some thousand lines helps nobody.
    assert!(committed == current, "{} is old: run this test once with ZEA_BLESS=1", path.display());
}

#[test]
fn the_committed_document_is_current() {
    assert_committed("docs/reference/openapi.json", &openapi::text());
}

#[test]
fn the_committed_list_of_metrics_is_current() {
    assert_committed("docs/reference/metrics.md", &metrics_names::reference());
}
