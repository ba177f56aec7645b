//! What a replica takes of storage pools: its data with what layers put beside it, and the pools that its caches need.

use super::draft::Draft;
use super::volume::refuse_no_room;
use crate::model::cluster::Cluster;
use crate::model::code::{FAIL_INVLD_STOR_POOL_NAME, FAIL_NOT_FOUND_STOR_POOL};
use crate::model::definition::ResourceDefinition;
use crate::model::names::{NodeName, PoolName};
use crate::model::props::Props;
use crate::model::refusal::Refusal;
use crate::model::size::Kib;
use crate::model::stack::{Leaf, Stack};

/// What the data of all volumes takes of the pool that they lie in. A property without sense counts as none here: the node
/// says what is wrong with it.
pub(super) fn data_size(cluster: &Cluster, definition: &ResourceDefinition) -> Kib {
    let sizes = definition.volumes.values().map(|volume| gross(cluster, definition, volume.size).0);
    Kib(sizes.fold(0, u64::saturating_add))
}

/// The same of one volume.
pub(super) fn gross(cluster: &Cluster, definition: &ResourceDefinition, net: Kib) -> Kib {
    leaf_size(cluster, definition, (net, Leaf::Data)).unwrap_or(net)
}

fn leaf_size(cluster: &Cluster, definition: &ResourceDefinition, (net, leaf): (Kib, Leaf)) -> Option<Kib> {
    let stack = Stack::of(&definition.layers);
    if stack.is_plain() {
        return (leaf == Leaf::Data).then_some(net);
    }
    let option = |key: &str| inherited(cluster, definition, key);
    stack.gross(net, &option, &|_| None).ok()?.get(&leaf).copied()
}

fn inherited<'a>(cluster: &'a Cluster, definition: &'a ResourceDefinition, key: &str) -> Option<&'a str> {
    let group = cluster.groups.get(&definition.group).map(|group| &group.props);
    let levels: [Option<&Props>; 3] = [Some(&definition.props), group, Some(&cluster.controller.props)];
    levels.into_iter().flatten().find_map(|props| props.get(key))
}

/// Refuses a replica whose caches have no pool on the node, or no room in it.
pub(super) fn refuse_no_caches(draft: &Draft, definition: &ResourceDefinition, node: &NodeName) -> Result<(), Refusal> {
    for leaf in Stack::of(&definition.layers).caches() {
        let pool = cache_pool(draft, definition, node, leaf)?;
        let sizes = definition.volumes.values().filter_map(|volume| {
            let size = leaf_size(&draft.cluster, definition, (volume.size, leaf))?;
            Some(size.0)
        });
        refuse_no_room(draft, node, &pool, Kib(sizes.fold(0, u64::saturating_add)))?;
    }
    Ok(())
}

fn cache_pool(
    draft: &Draft,
    definition: &ResourceDefinition,
    node: &NodeName,
    leaf: Leaf,
) -> Result<PoolName, Refusal> {
    let record = draft.node(node)?;
    let of_node = |key: &str| record.props.get(key);
    let keys = leaf.pool_props();
    let named = keys.iter().find_map(|key| inherited(&draft.cluster, definition, key).or_else(|| of_node(key)));
    let name = named.ok_or_else(|| {
        Refusal::new(FAIL_INVLD_STOR_POOL_NAME, format!("'{}' has a cache and no storage pool for it", definition.name))
            .because(format!("The property {} is not set", keys.join(" or ")))
            .cure("Set it to the name of a storage pool, on the resource definition, its group or the node")
            .about("RscDfn", &definition.name)
    })?;
    let pool = PoolName::parse(name).map_err(|error| {
        Refusal::new(FAIL_INVLD_STOR_POOL_NAME, error.to_string()).cure("Name a storage pool of the node")
    })?;
    if record.pools.contains_key(&pool) {
        return Ok(pool);
    }
    Err(Refusal::new(FAIL_NOT_FOUND_STOR_POOL, format!("Node '{node}' has no storage pool '{pool}' for a cache"))
        .because(format!("The property {} of '{}' names it", keys.join(" or "), definition.name))
        .cure("Make the storage pool on the node, or use another node")
        .about("Node", node)
        .about("StorPool", &pool))
}
