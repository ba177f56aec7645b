//! Placement keeps its constraints: never a replica on a node that takes none, that the request or the group rules out, or
//! in a pool that they do not name; and replicas-on-different holds.

use std::collections::BTreeMap;

use zea::model::cluster::Cluster;
use zea::model::command::*;
use zea::model::definition::{Resource, VolumeDefinition};
use zea::model::group::SelectFilter;
use zea::model::kinds::{NodeFlags, ResourceFlags, VolumeDefinitionFlags};
use zea::model::names::{NodeName, RscName};

use super::Decided;

/// Judges the replicas that a command made.
pub fn judge(command: &Command, decided: Decided<'_>) -> Result<(), String> {
    if decided.before.definitions.ptr_eq(&decided.after.definitions) {
        return Ok(());
    }
    structure(decided)?;
    let fresh = fresh(decided);
    for (name, node, resource) in &fresh {
        let (name, node, resource) = (*name, *node, *resource);
        let at = format!("the replica of {name} on {node}, made by {command:?},");
        if let Some(record) = decided.before.nodes.get(node) {
            let closed = NodeFlags::EVACUATE.0 | NodeFlags::DELETE.0;
            if record.flags.0 & closed != 0 && !is_bound(command) {
                return Err(format!("{at} is on a node with the flags {:?}", record.flags.names()));
            }
        }
        if let Some(filter) = placed_by(command, decided.after, name) {
            judge_one(&filter, (node, resource), &at)?;
            // Those that stood before may break a later rule.
            let new: Vec<&NodeName> = fresh.iter().filter(|(rsc, ..)| *rsc == name).map(|(_, node, _)| *node).collect();
            different(&filter, decided.after, &new).map_err(|why| format!("{at} {why}"))?;
        }
    }
    Ok(())
}

/// Restores and clones put replicas where the snapshot is; a disk that is asked for by node's name is put there.
fn is_bound(command: &Command) -> bool {
    matches!(
        command,
        Command::Snapshot(SnapshotCommand::RestoreResources { .. })
            | Command::Definition(DefinitionCommand::Clone(_))
            | Command::Resource(ResourceCommand::ToggleDisk { .. })
    )
}

/// Replicas that were not there before, or had no disk.
fn fresh<'a>(decided: Decided<'a>) -> Vec<(&'a RscName, &'a NodeName, &'a Resource)> {
    let mut found = Vec::new();
    for (name, new) in &decided.after.definitions {
        let old = decided.before.definitions.get(name);
        if old.is_some_and(|old| std::sync::Arc::ptr_eq(old, new)) {
            continue;
        }
        let was = |node| old.and_then(|old| old.resources.get(node)).is_some_and(Resource::is_diskful);
        found.extend(
            new.resources.iter().filter(|(node, rsc)| rsc.is_diskful() && !was(*node)).map(|(n, r)| (name, n, r)),
        );
    }
    found
}

/// The filter by which a command places, if it leaves the place open.
fn placed_by(command: &Command, cluster: &Cluster, name: &RscName) -> Option<SelectFilter> {
    let definition = cluster.definitions.get(name)?;
    let group = &cluster.groups.get(&definition.group)?.filter;
    match command {
        Command::Group(GroupCommand::Spawn(Spawn { filter, .. }) | GroupCommand::Adjust { filter, .. }) => {
            Some(filter.over(group))
        }
        Command::Group(GroupCommand::Modify { .. }) => Some(group.clone()),
        Command::Resource(ResourceCommand::Autoplace { filter, .. }) => Some(filter.over(group)),
        _ => None,
    }
}

fn judge_one(filter: &SelectFilter, (node, resource): (&NodeName, &Resource), at: &str) -> Result<(), String> {
    let named = |list: &Option<Vec<NodeName>>| list.as_ref().is_none_or(|list| list.is_empty() || list.contains(node));
    if !named(&filter.nodes) {
        return Err(format!("{at} is on none of the nodes {:?}", filter.nodes));
    }
    let pools = filter.pools.iter().flatten().collect::<Vec<_>>();
    let providers = filter.providers.iter().flatten().collect::<Vec<_>>();
    for volume in resource.volumes.values() {
        if !pools.is_empty() && !pools.contains(&&volume.pool) {
            return Err(format!("{at} is in the pool {}, of {pools:?}", volume.pool));
        }
        if !providers.is_empty() && !providers.contains(&&volume.provider) {
            return Err(format!("{at} is of the kind {}, of {providers:?}", volume.provider));
        }
    }
    Ok(())
}

/// Replicas on different values of a property, over those that this decision placed.
fn different(filter: &SelectFilter, cluster: &Cluster, new: &[&NodeName]) -> Result<(), String> {
    let limits = filter.x_different.iter().flatten().map(|(key, limit)| (key.as_str(), *limit));
    // A limit of its own goes before the plain rule.
    let counted = |rule: &str| rule.contains('=') || filter.x_different.as_ref().is_some_and(|x| x.contains_key(rule));
    let plain = filter.different.iter().flatten().filter(|rule| !counted(rule)).map(|key| (key.as_str(), 1));
    for (key, limit) in limits.chain(plain) {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for node in new {
            let value = cluster.nodes.get(*node).and_then(|node| node.props.get(key));
            *counts.entry(value.unwrap_or_default()).or_default() += u32::from(value.is_some());
        }
        if let Some((value, count)) = counts.iter().find(|(_, count)| **count > limit) {
            return Err(format!("is one of {count} with {key}={value}, at most {limit} may be"));
        }
    }
    for rule in filter.different.iter().flatten() {
        let Some((key, value)) = rule.split_once('=') else { continue };
        let has = |node: &NodeName| cluster.nodes.get(node).and_then(|node| node.props.get(key)) == Some(value);
        if let Some(node) = new.iter().find(|node| has(node)) {
            return Err(format!("is on {node}, where {key} is {value}"));
        }
    }
    Ok(())
}

/// What holds for every state: a resource is on a node that exists, in pools of that node, with the definition's volumes.
pub fn structure(decided: Decided<'_>) -> Result<(), String> {
    for (name, new) in &decided.after.definitions {
        if decided.before.definitions.get(name).is_some_and(|old| std::sync::Arc::ptr_eq(old, new)) {
            continue;
        }
        for (node, resource) in &new.resources {
            let Some(record) = decided.after.nodes.get(node) else {
                return Err(format!("{name} is on {node}, which is no node"));
            };
            for (number, volume) in &resource.volumes {
                if !record.pools.contains_key(&volume.pool) {
                    return Err(format!("volume {number} of {name} is in {} of {node}, which is no pool", volume.pool));
                }
                if !new.volumes.contains_key(number) {
                    return Err(format!("{name} on {node} has a volume {number} that its definition has not"));
                }
            }
            let going = resource.is_deleting() || resource.flags.has(ResourceFlags::DISK_REMOVING);
            let stays = |volume: &VolumeDefinition| !volume.flags.has(VolumeDefinitionFlags::DELETE);
            let lacks = |volume: &VolumeDefinition| stays(volume) && !resource.volumes.contains_key(&volume.number);
            if !going && new.volumes.values().any(lacks) {
                return Err(format!("{name} on {node} lacks a volume of its definition"));
            }
        }
    }
    Ok(())
}
