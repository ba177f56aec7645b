//! Commands by table: requests as clients send them, and what they come to.

mod commands;
mod refusals;

use std::collections::BTreeSet;

use super::*;
use crate::protocols::rest::routes::{self, Match, Method};

/// Answers of the server itself, without a command.
const SIZE_QUERIES: [&str; 3] = ["queryMaxVolumeSize", "querySizeInfo", "queryAllSizeInfo"];

/// Translates a request line such as `PUT /v1/nodes/alpha?x=y`.
fn ask_in(cluster: &Cluster, line: &str, body: &str) -> (&'static str, Result<Order, Untranslated>) {
    let (method, target) = line.split_once(' ').expect("a method and a path");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Match::Found { route, params } = routes::find(method, path) else { panic!("no route for {line}") };
    let params: Vec<(&str, String)> = params.iter().map(|(key, value)| (key, value.to_owned())).collect();
    let query = Query::parse(query);
    let request = Request { params: &params, query: &query, body: body.as_bytes(), cluster };
    (route.operation, translate(route.operation, &request))
}

fn ask(line: &str, body: &str) -> (&'static str, Result<Order, Untranslated>) {
    ask_in(&Cluster::default(), line, body)
}

/// A command as text, without what it does not say.
fn brief(order: &Order) -> String {
    let text = match order {
        Order::Command(command, wait) => format!("{wait:?}: {command:?}"),
        other => format!("{other:?}"),
    };
    let empty = "PropsModify { override_props: {}, delete_props: [], delete_namespaces: [] }";
    let mut text = text.replace(empty, "-").replace(", delete_props: [], delete_namespaces: []", "");
    while let Some(end) = text.find(": None") {
        let start = text[..end].rfind([' ', '(']).expect("a field has a name") + 1;
        let rest = &text[end + ": None".len()..];
        text = format!("{}{}", &text[..start], rest.strip_prefix(", ").unwrap_or(rest));
    }
    text.replace(",  }", " }").replace("{  }", "{ }")
}

#[test]
fn every_call_is_in_the_table_of_routes_and_the_other_way_round() {
    let known: BTreeSet<&str> = routes::all().map(|route| route.operation).collect();
    let mut seen = BTreeSet::new();
    for call in all() {
        assert!(known.contains(call.operation), "{} is no route", call.operation);
        assert!(seen.insert(call.operation), "{} stands twice", call.operation);
    }
    let without: Vec<&str> = routes::all()
        .filter(|route| route.is_built() && route.method != Method::Get)
        .map(|route| route.operation)
        .filter(|operation| !seen.contains(operation) && !SIZE_QUERIES.contains(operation))
        .collect();
    let expected = [
        "nodeReconnect",
        "satelliteSetConfig",
        "createDevicePool",
        "controllerSetConfig",
        "errorReportDelete",
        "errorReportDeleteSingle",
        "zeaInjectPanic",
    ];
    assert_eq!(without, expected);
}

#[test]
fn what_is_not_built_says_what_to_do_instead() {
    let unbuilt: Vec<_> = routes::all().filter(|route| !route.is_built() && route.method != Method::Get).collect();
    assert!(unbuilt.len() > 30, "{}", unbuilt.len());
    for route in unbuilt {
        let query = Query::default();
        let request = Request { params: &[], query: &query, body: b"{", cluster: &Cluster::default() };
        let order = translate(route.operation, &request);
        let Ok(Order::NotBuilt(instead)) = order else { panic!("{}: {order:?}", route.operation) };
        assert!(instead.ends_with('.') && !instead.starts_with("Do without"), "{}", route.operation);
    }
}

#[test]
fn calls_whose_unreadable_bodies_are_500_are_calls() {
    for operation in UNREADABLE_IS_500 {
        assert!(all().any(|call| call.operation == operation), "{operation}");
        assert_eq!(unreadable_status(operation), 500);
    }
    assert_eq!(unreadable_status("nodeAdd"), 400);
}

#[test]
fn an_interface_keeps_what_a_change_leaves_out() {
    use crate::model::kinds::{EncryptionKind, NodeFlags, NodeKind};
    use crate::model::moment::Uuid;
    use crate::model::names::NetIfName;
    use crate::model::node::{NetInterface, Node, SatellitePort};
    let name = NetIfName::parse("default").expect("legal");
    let satellite = Some(SatellitePort { port: 4000, encryption: EncryptionKind::Ssl });
    let address = "10.0.0.1".parse().expect("legal");
    let interface = NetInterface { name: name.clone(), uuid: Uuid::default(), address, satellite };
    let node = Node {
        name: NodeName::parse("alpha").expect("legal"),
        uuid: Uuid::default(),
        kind: NodeKind::Satellite,
        flags: NodeFlags::NONE,
        props: Default::default(),
        net_interfaces: [(name, interface)].into(),
        active_interface: None,
        pools: Default::default(),
        evicted_at: None,
    };
    let mut cluster = Cluster::default();
    cluster.nodes.insert(node.name.clone(), node.into());
    for (body, expected) in [
        (r#"{"satellite_port":4001}"#, "SatellitePort { port: 4001, encryption: Ssl }"),
        (r#"{"satellite_encryption_type":"plain"}"#, "SatellitePort { port: 4000, encryption: Plain }"),
    ] {
        let (_, order) = ask_in(&cluster, "PUT /v1/nodes/Alpha/net-interfaces/DEFAULT", body);
        assert!(brief(&order.expect("legal")).contains(expected), "{body}");
    }
}
