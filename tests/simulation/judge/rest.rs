//! The cluster at rest: after the calm, nodes hold what the model knows and nothing else, everything that was to go is
//! gone, sizes and rooms add up, and every client has its answer.

use std::collections::{BTreeMap, BTreeSet};

use zea::model::cluster::Cluster;
use zea::model::definition::ResourceDefinition;
use zea::model::kinds::{DefinitionFlags, ResourceFlags, SnapshotFlags, VolumeDefinitionFlags};
use zea::model::names::NodeName;
use zea::model::plan::BackingId;
use zea::model::size::Kib;
use zea::storage::simulated::{Found, Role};

use super::Judge;
use crate::simulation::node::Node;
use crate::simulation::world::World;

impl World {
    /// Judges the cluster at rest.
    pub fn judge_rest(&mut self) {
        if !self.clients_are_idle() {
            let open: Vec<String> = self
                .clients
                .iter()
                .filter_map(|(number, client)| Some(format!("c{number}: {}", client.current()?.text)))
                .collect();
            self.judge.fail("every command ends", format!("in the calm these have no end: {}", open.join("; ")));
        }
        let cluster = self.controller.view.clone();
        let nodes: Vec<&Node> = self.nodes.iter().filter(|node| reached(&cluster, &node.name)).collect();
        // A node of the model that no machine stands behind never answers.
        let here: Here = nodes.iter().map(|node| node.name.clone()).collect();
        let verdicts: Vec<(&'static str, Result<(), String>)> = nodes
            .iter()
            .flat_map(|node| {
                let judge = &self.judge;
                [
                    ("every node comes back", online(&cluster, node)),
                    ("nodes hold what the model knows", holds(judge, &cluster, node)),
                    ("nodes hold nothing else", nothing_else(judge, &cluster, node)),
                    ("sizes add up", rooms(judge, &cluster, node)),
                ]
            })
            .collect();
        for (oracle, found) in verdicts {
            self.judge.check(oracle, found);
        }
        let found = settled(&self.judge, &cluster, &here);
        self.judge.check("everything comes to rest", found);
        let found = super::durable::indexes(self.controller.writer.head());
        self.judge.check("indexes add up", found);
    }
}

/// Nodes that answer when all is well.
type Here = BTreeSet<NodeName>;

/// Whether the model has the node, and keeps contact with it.
fn reached(cluster: &Cluster, name: &NodeName) -> bool {
    let Some(node) = cluster.nodes.get(name).filter(|node| zea::model::derive::is_connected_to(node)) else {
        return false;
    };
    let interface = node.active_interface.as_ref().and_then(|name| node.net_interfaces.get(name));
    let number = &name.as_str()[1..];
    interface.is_some_and(|interface| {
        let address = interface.address.to_string();
        let own = address == format!("10.0.0.{number}") || address == format!("10.0.1.{number}");
        own && interface.satellite.as_ref().is_some_and(|satellite| satellite.port == 3366)
    })
}

fn online(cluster: &Cluster, node: &Node) -> Result<(), String> {
    let status = cluster.status_of(&node.name);
    if status.is_online() { Ok(()) } else { Err(format!("{} is {}: {:?}", node.name, status.status, status.reason)) }
}

fn is_tainted(judge: &Judge, definition: &ResourceDefinition) -> bool {
    judge.tainted.contains(&definition.name.key())
}

/// A resource that cannot be as it is wanted, and says why.
fn has_reason(cluster: &Cluster, definition: &ResourceDefinition, node: &NodeName) -> bool {
    let status = cluster.resource_status_of(&definition.name, node);
    let full = |text: &str| text.contains("No space left");
    let problem = status.and_then(|status| status.problem.as_ref());
    definition.flags.has(DefinitionFlags::FAILED)
        || problem.is_some_and(|problem| full(&problem.cause) || full(&problem.details))
}

fn holds(judge: &Judge, cluster: &Cluster, node: &Node) -> Result<(), String> {
    let disk = node.machine.survey();
    let by_id: BTreeMap<&str, &Found> = disk.iter().map(|((_, id), found)| (id.as_str(), found)).collect();
    for definition in cluster.definitions.values().filter(|definition| !is_tainted(judge, definition)) {
        let Some(resource) = definition.resources.get(&node.name) else { continue };
        if !resource.is_diskful() || resource.is_deleting() || has_reason(cluster, definition, &node.name) {
            continue;
        }
        for (number, volume) in &resource.volumes {
            let id = BackingId::of(&definition.name, *number, None).map_err(|error| error.to_string())?;
            let wanted = definition.volumes.get(number).map_or(Kib(0), |volume| volume.size);
            let problem =
                cluster.resource_status_of(&definition.name, &node.name).and_then(|status| status.problem.clone());
            let Some(found) = by_id.get(id.as_str()) else {
                return Err(format!("{} has no {id}; it says {problem:?}", node.name));
            };
            if !volume.made || found.size < wanted {
                let made = volume.made;
                return Err(format!(
                    "{id} on {}: made {made}, {} of {wanted}; it says {problem:?}",
                    node.name, found.size
                ));
            }
            let attached = found.device.is_some();
            if attached != resource.is_active() || (attached && found.device != Some(found.size)) {
                return Err(format!("{id} on {} has the device {:?}; it says {problem:?}", node.name, found.device));
            }
        }
    }
    parts(judge, cluster, (node, &by_id))
}

fn parts(judge: &Judge, cluster: &Cluster, (node, by_id): (&Node, &BTreeMap<&str, &Found>)) -> Result<(), String> {
    for (key, snapshot) in &cluster.snapshots {
        let Some(part) = snapshot.nodes.get(&node.name).filter(|part| part.taken) else { continue };
        let goes = SnapshotFlags::DELETE.0 | SnapshotFlags::FAILED_DEPLOYMENT.0 | SnapshotFlags::FAILED_DISCONNECT.0;
        if snapshot.flags.0 & goes != 0 || judge.tainted.contains(&key.rsc.key()) {
            continue;
        }
        for number in part.volumes.keys() {
            let id = BackingId::of(&key.rsc, *number, None).map_err(|error| error.to_string())?.snapshot(&key.name);
            if !by_id.contains_key(id.as_str()) {
                return Err(format!("{} has no {id}, part of a snapshot", node.name));
            }
        }
    }
    Ok(())
}

fn nothing_else(judge: &Judge, cluster: &Cluster, node: &Node) -> Result<(), String> {
    let mut known: Vec<String> = Vec::new();
    for definition in cluster.definitions.values() {
        let volumes = definition
            .resources
            .get(&node.name)
            .filter(|rsc| rsc.is_diskful())
            .into_iter()
            .flat_map(|rsc| rsc.volumes.keys());
        known.extend(
            volumes.filter_map(|number| Some(BackingId::of(&definition.name, *number, None).ok()?.as_str().to_owned())),
        );
    }
    for (key, snapshot) in &cluster.snapshots {
        let volumes = snapshot.nodes.get(&node.name).into_iter().flat_map(|part| part.volumes.keys());
        known.extend(
            volumes.filter_map(|number| Some(BackingId::of(&key.rsc, *number, None).ok()?.snapshot(&key.name))),
        );
    }
    match node.machine.survey().keys().find(|(_, id)| !known.contains(id) && !is_of_tainted(judge, id)) {
        Some((backing, id)) => Err(format!("{} has {id} in {backing}, of which nobody knows", node.name)),
        None => Ok(()),
    }
}

/// Whether the file is of something whose record was spoilt: nobody looks after it.
fn is_of_tainted(judge: &Judge, id: &str) -> bool {
    judge.tainted.iter().any(|key| id.to_ascii_uppercase().starts_with(&format!("{key}_")))
}

/// The room that the view shows is what the files take.
fn rooms(judge: &Judge, cluster: &Cluster, node: &Node) -> Result<(), String> {
    let sums = node.machine.taken();
    for found in node.machine.survey().into_values() {
        let empty = found.role == Role::Volume && found.size == Kib(0) && !is_of_tainted(judge, &found.id);
        if found.size.0 % 4 != 0 || empty {
            return Err(format!("{} on {} has {}", found.id, node.name, found.size));
        }
    }
    let Some(record) = cluster.nodes.get(&node.name) else { return Ok(()) };
    let used = node.machine.used();
    for pool in record.pools.values().filter(|pool| !pool.backing().is_empty()) {
        let counted = used.get(pool.backing()).map_or(0, |used| used.0);
        let sum = sums.get(pool.backing()).copied().unwrap_or(0);
        let shown =
            cluster.pool_status.get(&(node.name.clone(), pool.name.clone())).map(|status| status.capacity.clone());
        let Some(Ok(room)) = shown else {
            return Err(format!("pool {} of {} shows {shown:?}", pool.name, node.name));
        };
        if counted != sum || room.total.0.saturating_sub(room.free.0) != sum {
            return Err(format!(
                "pool {} of {}: files take {sum}, it counts {counted}, {room:?} is shown",
                pool.name, node.name
            ));
        }
    }
    Ok(())
}

/// Nothing is under way any more.
fn settled(judge: &Judge, cluster: &Cluster, here: &Here) -> Result<(), String> {
    let away = |node: &NodeName| !here.contains(node);
    for definition in cluster.definitions.values().filter(|definition| !is_tainted(judge, definition)) {
        let name = &definition.name;
        if definition.resources.keys().any(away) {
            continue;
        }
        let waits = |(node, resource): (&NodeName, &zea::model::definition::Resource)| {
            let under_way = ResourceFlags::INACTIVATING.0 | ResourceFlags::DISK_REMOVING.0 & !ResourceFlags::DISKLESS.0;
            resource.is_deleting()
                || resource.flags.0 & under_way != 0
                || resource.rollback.is_some() && !has_reason(cluster, definition, node)
                || changes_key(resource) && !has_reason(cluster, definition, node)
        };
        if let Some((node, resource)) = definition.resources.iter().find(|pair| waits(*pair)) {
            let status = cluster.resource_status_of(name, node).and_then(|status| status.problem.clone());
            return Err(format!(
                "{name} on {node} has {:?}, rollback {:?}; it says {status:?}",
                resource.flags.names(),
                resource.rollback
            ));
        }
        let parts_away = cluster.snapshots_of(name).any(|snapshot| snapshot.nodes.keys().any(away));
        let flags = DefinitionFlags::DELETE.0 | DefinitionFlags::CLONING.0;
        if definition.flags.0 & flags != 0 && !parts_away && !clones_from_away(judge, (cluster, here), definition) {
            return Err(format!("{name} is still {:?}", definition.flags.names()));
        }
        if definition.volumes.values().any(|volume| volume.flags.has(VolumeDefinitionFlags::DELETE)) {
            return Err(format!("{name} still has a volume that goes"));
        }
    }
    snapshots_settled(judge, cluster, here)
}

/// The node has not said that the passphrase that it was told last is in force.
fn changes_key(resource: &zea::model::definition::Resource) -> bool {
    let keys = resource.volumes.values().filter_map(|volume| volume.key.as_ref());
    resource.is_active() && keys.into_iter().any(|key| key.previous.is_some())
}

/// A clone whose source nobody can reach waits for it.
fn clones_from_away(judge: &Judge, (cluster, here): (&Cluster, &Here), definition: &ResourceDefinition) -> bool {
    let Some(source) = &definition.clone_source else { return false };
    let tainted = judge.tainted.contains(&source.rsc.key());
    let snapshots = cluster.snapshots_of(&source.rsc).filter(|snapshot| snapshot.key.name == source.snapshot);
    tainted || snapshots.into_iter().any(|snapshot| snapshot.nodes.keys().any(|node| !here.contains(node)))
}

fn snapshots_settled(judge: &Judge, cluster: &Cluster, here: &Here) -> Result<(), String> {
    for (key, snapshot) in &cluster.snapshots {
        if judge.tainted.contains(&key.rsc.key()) || snapshot.nodes.keys().any(|node| !here.contains(node)) {
            continue;
        }
        let failed = SnapshotFlags::FAILED_DEPLOYMENT.0 | SnapshotFlags::FAILED_DISCONNECT.0;
        let waits = snapshot.nodes.values().any(|part| !part.taken) && snapshot.flags.0 & failed == 0;
        if snapshot.flags.has(SnapshotFlags::DELETE) || waits {
            return Err(format!("snapshot {} of {} is still {:?}", key.name, key.rsc, snapshot.flags.names()));
        }
    }
    Ok(())
}
