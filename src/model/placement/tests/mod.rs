//! Placement on small clusters: reasons, choices, room, and seeds against a search through everything.

mod choices;
mod reasons;
mod room;
mod seeds;

use super::{Mode, NotPlaced, Placed, Request, place};
use crate::model::cluster::Cluster;
use crate::model::kinds::LayerKind;
use crate::model::names::NodeName;
use crate::model::size::Kib;
use crate::model::testkit;

const STACK: &[LayerKind] = &[LayerKind::Drbd, LayerKind::Storage];

/// Places `count` replicas of 10 KiB by a filter's text. The definition `web`, if there is one, gets them; its replicas
/// without disk may be toggled.
fn place_on(cluster: &Cluster, filter: &str, count: usize) -> Result<Placed, NotPlaced> {
    let filter = testkit::filter(filter);
    let definition = cluster.definitions.get(&testkit::rsc("web"));
    let diskless: Vec<NodeName> = definition
        .iter()
        .flat_map(|definition| &definition.resources)
        .filter(|(_, rsc)| !rsc.is_diskful() && !rsc.is_deleting())
        .map(|(node, _)| node.clone())
        .collect();
    let request = Request {
        definition: definition.map(AsRef::as_ref),
        layers: filter.layers.as_deref().unwrap_or(STACK),
        size: Kib(10),
        count,
        skip_nodes: &diskless,
        ..Request::new(cluster, &filter)
    };
    place(&request)
}

/// `node/pool` of each choice, by name.
fn places(placed: &Placed) -> String {
    let mut places: Vec<String> = placed.choices.iter().map(|one| format!("{}/{}", one.node, one.pool)).collect();
    places.sort();
    places.join(" ")
}

/// The places, or the code and how many would have been possible.
fn outcome(result: &Result<Placed, NotPlaced>) -> String {
    match result {
        Ok(placed) => places(placed),
        Err(not) => format!("{} {}/{}", not.code, not.possible, not.wanted),
    }
}

/// A request for replicas without disk.
fn diskless<'a>(request: Request<'a>) -> Request<'a> {
    Request { mode: Mode::Diskless, ..request }
}
