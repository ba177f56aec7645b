//! The filter that says where replicas may go, from the wire. A list that is not there stays "not said", an empty one
//! stays "none". Never places anything.

use std::collections::BTreeMap;

use super::numbers::count;
use super::parse::{each_given, layer, node, pool, provider};
use super::unbuilt::refuse_wishes;
use crate::model::group::SelectFilter;
use crate::model::names::PoolName;
use crate::model::refusal::Refusal;
use crate::protocols::rest::group::AutoSelectFilter;

/// Reads a filter; none at all says nothing.
pub(super) fn filter(wire: Option<AutoSelectFilter>) -> Result<SelectFilter, Refusal> {
    let wire = wire.unwrap_or_default();
    refuse_wishes(&[(
        wire.diskless_type.as_ref().is_some_and(|kind| !kind.is_empty()),
        "select_filter.diskless_type",
        "Create the replicas without a disk on nodes that you name, or set diskless_on_remaining.",
    )])?;
    Ok(SelectFilter {
        place_count: wire.place_count.map(|value| count(value, "place count")).transpose()?,
        additional_place_count: wire.additional_place_count.map(|value| count(value, "place count")).transpose()?,
        nodes: each_given(wire.node_name_list.as_ref(), node)?,
        pools: pools(&wire)?,
        diskless_pools: each_given(wire.storage_pool_diskless_list.as_ref(), pool)?,
        not_with: wire.not_place_with_rsc,
        not_with_regex: wire.not_place_with_rsc_regex,
        same: wire.replicas_on_same,
        different: wire.replicas_on_different,
        x_different: wire.x_replicas_on_different_map.as_ref().map(limits).transpose()?,
        layers: each_given(wire.layer_stack.as_ref(), layer)?,
        providers: each_given(wire.provider_list.as_ref(), provider)?,
        diskless_on_remaining: wire.diskless_on_remaining,
        port_count: wire.port_count.map(|value| count(value, "number of ports")).transpose()?,
    })
}

/// The list, or the one pool of its short form where the list names none.
fn pools(wire: &AutoSelectFilter) -> Result<Option<Vec<PoolName>>, Refusal> {
    let list = each_given(wire.storage_pool_list.as_ref(), pool)?;
    let one = wire.storage_pool.as_ref().filter(|name| !name.is_empty());
    match one {
        Some(name) if list.as_ref().is_none_or(Vec::is_empty) => Ok(Some(vec![pool(name)?])),
        _ => Ok(list),
    }
}

fn limits(map: &BTreeMap<String, i32>) -> Result<BTreeMap<String, u32>, Refusal> {
    map.iter().map(|(key, most)| Ok((key.clone(), count(*most, "number of replicas for each value")?))).collect()
}
