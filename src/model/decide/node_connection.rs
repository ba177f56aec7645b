//! Decisions about the properties of pairs of nodes. The record is there from its first property to its last.

use std::sync::Arc;

use super::draft::Draft;
use super::notes::modified;
use crate::model::change::Change;
use crate::model::code::*;
use crate::model::names::{NetIfName, NodeName};
use crate::model::node::{Node, NodeConnection};
use crate::model::props::{PropertyOwner, Props, PropsChange, PropsModify};
use crate::model::refusal::Refusal;

/// Below it stand DRBD's paths: `Paths/<path>/<node>` = a network interface of that node.
const PATHS: &str = "Paths/";

pub(super) fn modify(draft: &mut Draft, a: &NodeName, b: &NodeName, request: &PropsModify) -> Result<(), Refusal> {
    let (a, b) = if a <= b { (draft.node(a)?, draft.node(b)?) } else { (draft.node(b)?, draft.node(a)?) };
    if a.name == b.name {
        return Err(Refusal::new(FAIL_INVLD_REQUEST, format!("Node '{}' has no connection to itself", a.name))
            .because("A connection stands between two nodes")
            .cure("Name two different nodes"));
    }
    let key = (a.name.clone(), b.name.clone());
    let old = draft.cluster.node_connections.get(&key).cloned();
    let mut props = old.as_ref().map_or_else(Props::new, |connection| connection.props.clone());
    let change = draft.modify_props(&mut props, request, PropertyOwner::NodeConnection)?;
    check_paths(&change, &props, [&a, &b])?;
    let note = modified(format!("Connection of nodes '{}' and '{}'", a.name, b.name), !change.is_empty());
    draft.note(note.about("FirstNode", &a.name).about("SecondNode", &b.name));
    draft.note_props(&change, "node connection", format!("{}, {}", a.name, b.name));
    if change.is_empty() {
        return Ok(());
    }
    let record = (!props.is_empty()).then(|| {
        let uuid = old.map_or_else(|| draft.uuid(), |connection| connection.uuid);
        Arc::new(NodeConnection { a: a.name, b: b.name, uuid, props })
    });
    draft.put(Change::NodeConnection(key.0, key.1, record));
    Ok(())
}

/// A path leads over interfaces that the two nodes have.
fn check_paths(change: &PropsChange, props: &Props, nodes: [&Node; 2]) -> Result<(), Refusal> {
    for key in change.set.iter().filter(|key| key.starts_with(PATHS)) {
        let value = props.get(key).unwrap_or_default();
        let Some((_, name)) = key[PATHS.len()..].split_once('/') else {
            return Err(bad_path(key, "It names no node"));
        };
        let Some(node) = nodes.iter().find(|node| node.name.as_str().eq_ignore_ascii_case(name)) else {
            return Err(bad_path(key, &format!("'{name}' is none of the two nodes")));
        };
        let known = NetIfName::parse(value).is_ok_and(|interface| node.net_interfaces.contains_key(&interface));
        if !known {
            return Err(bad_path(key, &format!("Node '{}' has no network interface '{value}'", node.name)));
        }
    }
    Ok(())
}

fn bad_path(key: &str, cause: &str) -> Refusal {
    Refusal::new(FAIL_INVLD_PROP, format!("Property '{key}' describes no path"))
        .because(cause)
        .cure("Set Paths/<path>/<node> to an interface of that node, for both nodes of the connection")
}
