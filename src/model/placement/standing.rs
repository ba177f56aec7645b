//! The replicas that stand already, as far as new ones have to mind them.

use super::request::Request;
use crate::model::definition::Resource;
use crate::model::kinds::{NodeFlags, ProviderKind, ResourceFlags};
use crate::model::names::{NodeName, SharedSpaceName};
use crate::model::node::Node;

/// A replica that stays.
#[derive(Debug, Clone)]
pub(super) struct StandingReplica<'a> {
    pub(super) node: &'a Node,
    /// Kinds of the pools of its volumes.
    pub(super) providers: Vec<ProviderKind>,
    /// Shared spaces that it uses.
    pub(super) spaces: Vec<&'a SharedSpaceName>,
}

/// The definition's replicas, without those that go away and those on nodes that the request skips.
pub(super) fn standing<'a>(request: &Request<'a>) -> Vec<StandingReplica<'a>> {
    let resources = request.definition.iter().flat_map(|definition| &definition.resources);
    let staying = resources.filter(|(name, rsc)| stays(rsc) && !request.skip_nodes.contains(name));
    staying.filter_map(|(name, rsc)| replica(request, name, rsc)).collect()
}

fn stays(rsc: &Resource) -> bool {
    let leaves = rsc.flags.has(ResourceFlags::EVACUATE) || rsc.flags.has(ResourceFlags::EVICTED);
    !rsc.is_deleting() && !leaves
}

fn replica<'a>(request: &Request<'a>, name: &NodeName, rsc: &'a Resource) -> Option<StandingReplica<'a>> {
    let node: &Node = request.cluster.nodes.get(name)?;
    if node.flags.has(NodeFlags::DELETE) || node.flags.has(NodeFlags::EVACUATE) {
        return None;
    }
    let disks = rsc.volumes.values().filter(|_| rsc.is_diskful());
    let pools = disks.clone().filter_map(|volume| node.pools.get(&volume.pool));
    Some(StandingReplica {
        node,
        providers: disks.map(|volume| volume.provider).collect(),
        spaces: pools.filter_map(|pool| pool.shared_space.as_ref()).collect(),
    })
}
