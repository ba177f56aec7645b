//! One replica more, when that of a node shall go or is away: where evacuation and eviction meet placement.

use super::autoplace::place_more;
use super::definition::set_own_prop;
use super::draft::Draft;
use super::toggle::MIGRATE_FROM;
use crate::model::code::FAIL_NOT_ENOUGH_NODES;
use crate::model::names::{NodeName, RscName};
use crate::model::refusal::Refusal;

/// A replica that needs a successor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evacuee<'a> {
    /// The definition.
    pub rsc: &'a RscName,
    /// The node whose replica is to be replaced.
    pub from: &'a NodeName,
    /// Only these nodes, where any is named.
    pub targets: &'a [NodeName],
    /// None of these.
    pub not_targets: &'a [NodeName],
}

/// Places one replica more by the filter of the group and puts it into the draft; gives its node.
///
/// # Errors
/// Why there is no place, with the reason of every node. Nothing was put then.
pub(super) fn replacement_for(draft: &mut Draft, evacuee: &Evacuee<'_>) -> Result<NodeName, Refusal> {
    let definition = draft.definition(evacuee.rsc)?;
    let mut filter = draft.group(&definition.group)?.filter;
    let nodes = candidates(draft, evacuee, filter.nodes);
    if nodes.is_empty() {
        return Err(Refusal::new(FAIL_NOT_ENOUGH_NODES, "No node is left that could take the replica")
            .because("The request and the group leave out every other node")
            .cure("Add a node, or rule out fewer"));
    }
    filter.nodes = Some(nodes);
    let choice = place_more(draft, evacuee.rsc, &filter, 1)?.pop();
    Ok(choice.expect("one was asked for, and less is a refusal").node)
}

/// Marks the replica on `node` as the successor of the one to be replaced, which goes when this one is current.
pub(super) fn mark_successor(draft: &mut Draft, evacuee: &Evacuee<'_>, node: &NodeName) -> Result<(), Refusal> {
    let mut definition = draft.definition(evacuee.rsc)?;
    if let Some(resource) = definition.resources.get_mut(node) {
        set_own_prop(&mut resource.props, MIGRATE_FROM, evacuee.from.as_str())?;
        draft.put_definition(definition);
    }
    Ok(())
}

/// The targets that the request names, else those of the group, else all nodes; never one that the request rules out.
fn candidates(draft: &Draft, evacuee: &Evacuee<'_>, of_group: Option<Vec<NodeName>>) -> Vec<NodeName> {
    let named = Some(evacuee.targets.to_vec()).filter(|targets| !targets.is_empty());
    let of_group = of_group.filter(|nodes| !nodes.is_empty());
    let all = || draft.cluster.nodes.keys().cloned().collect();
    let mut nodes = named.or(of_group).unwrap_or_else(all);
    nodes.retain(|node| node != evacuee.from && !evacuee.not_targets.contains(node));
    nodes
}
