//! What the first start makes: the node, its pool and a resource group that fits them. Later starts leave all as it is.

use std::time::Duration;

use super::StartError;
use crate::actors::controller::api::{Answer, ClusterAnswer, ClusterMessage};
use crate::actors::controller::root::Controller;
use crate::actors::system::System;
use crate::model::cluster::Cluster;
use crate::model::command::{Command, GroupCommand, NewInterface, NewPool, NodeCommand, PoolCommand};
use crate::model::group::SelectFilter;
use crate::model::kinds::{EncryptionKind, LayerKind, NodeFlags, NodeKind, ProviderKind, VolumeGroupFlags};
use crate::model::names::{GroupName, NetIfName, NodeName, PoolName};
use crate::model::node::{BACKING_PROP, Node, SatellitePort};
use crate::model::props::PropsModify;

/// How long the store may take to load before the first command is answered.
pub const LIMIT: Duration = Duration::from_secs(120);
/// LINSTOR's satellite port; a satellite in this process listens on none.
const PORT: u16 = 3366;

/// How long a start waits for its own nodes; past it the API is served all the same, and tells what is the matter.
const READY_LIMIT: Duration = Duration::from_secs(10);

/// A group that the first start makes.
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// Replicas.
    pub replicas: u32,
    /// Layers.
    pub layers: Vec<LayerKind>,
}

/// A node that the first start makes.
pub struct First<'a> {
    /// Its name.
    pub node: NodeName,
    /// Its pool.
    pub pool: PoolName,
    /// The pool's folder.
    pub folder: &'a str,
}

/// Makes each thing only where it is missing, after [`wait_for_load`]: nodes, a pool for a node that has none, and the group
/// where there is no node at all, so that later starts leave alone what people changed or deleted. The group comes first: a
/// start that ended half-way is finished by the next one. Names the nodes that it made.
pub async fn make(controller: &Controller, firsts: &[First<'_>], group: &Group) -> Result<Vec<NodeName>, StartError> {
    let known = controller.view.load();
    let commands = missing(&known, firsts, group)?;
    for command in commands {
        execute(controller, command).await?;
    }
    Ok(firsts.iter().filter(|first| !known.nodes.contains_key(&first.node)).map(|first| first.node.clone()).collect())
}

/// What is to be made, in this order.
fn missing(known: &Cluster, firsts: &[First<'_>], group: &Group) -> Result<Vec<Command>, StartError> {
    let mut commands = Vec::new();
    if known.nodes.is_empty()
        && let Some(first) = firsts.first()
    {
        commands.extend(group_commands(known, group, first)?.into_iter().map(Command::Group));
    }
    for first in firsts {
        let node_there = known.nodes.get(&first.node);
        if node_there.is_none() {
            commands.push(Command::Node(node(first)?));
        }
        if node_there.is_none_or(|node| lacks_a_pool(node)) {
            commands.push(Command::Pool(PoolCommand::Create(pool(first))));
        }
    }
    Ok(commands)
}

/// One that is on its way out gets none.
fn lacks_a_pool(node: &Node) -> bool {
    let has_disks = node.pools.values().any(|pool| pool.provider != ProviderKind::Diskless);
    !has_disks && !node.flags.has(NodeFlags::DELETE)
}

/// Waits until nodes of this process are online and the room of their pools is known, so that the first request that
/// comes finds a place for its volume.
pub async fn until_ready(controller: &Controller, nodes: &[NodeName]) {
    let mut view = controller.view.subscribe();
    let ready = view.wait_for(|cluster| nodes.iter().all(|node| is_ready(cluster, node)));
    if tokio::time::timeout(READY_LIMIT, ready).await.is_err() {
        tracing::warn!("not every node of this process is ready: GET /v1/nodes and /v1/view/storage-pools tell why");
    }
}

/// A node that somebody deleted is not waited for.
fn is_ready(cluster: &Cluster, name: &NodeName) -> bool {
    let Some(node) = cluster.nodes.get(name) else {
        return true;
    };
    let room = |pool| cluster.pool_status.contains_key(&(name.clone(), pool));
    cluster.is_online(name) && node.pools.keys().cloned().all(room)
}

/// Waits until the store is loaded: nothing is answered before.
pub async fn wait_for_load(controller: &Controller) -> Result<(), StartError> {
    let nothing = ClusterMessage::RefreshCapacity(Vec::new());
    controller.cluster.ask(nothing, LIMIT).await.map(|_| ()).map_err(|error| {
        StartError::FirstStart(format!("the store was not loaded in time ({error}); look at the log for the reason"))
    })
}

async fn execute(controller: &Controller, command: Command) -> Result<(), StartError> {
    let message = ClusterMessage::Execute(Box::new(command), Answer::WhenDurable);
    match controller.cluster.ask(message, LIMIT).await {
        Ok(ClusterAnswer::Refused(refusal)) => Err(StartError::FirstStart(refusal.note.message)),
        Ok(ClusterAnswer::Unstored(note)) => {
            let cause = note.cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            Err(StartError::FirstStart(format!("{}{cause}", note.message)))
        }
        Ok(ClusterAnswer::Busy) => Err(StartError::FirstStart("too many requests wait".to_owned())),
        Ok(_) => Ok(()),
        Err(error) => Err(StartError::FirstStart(error.to_string())),
    }
}

fn legal<T>(name: Result<T, crate::model::names::NameError>) -> Result<T, StartError> {
    name.map_err(|error| StartError::FirstStart(error.to_string()))
}

fn node(first: &First) -> Result<NodeCommand, StartError> {
    let satellite = Some(SatellitePort { port: PORT, encryption: EncryptionKind::Plain });
    let address = std::net::IpAddr::from([127, 0, 0, 1]);
    Ok(NodeCommand::Create {
        name: first.node.clone(),
        kind: NodeKind::Combined,
        interfaces: vec![NewInterface { name: legal(NetIfName::parse("default"))?, address, satellite, active: true }],
        props: PropsModify::default(),
    })
}

fn pool(first: &First) -> NewPool {
    let backing = [(BACKING_PROP.to_owned(), first.folder.to_owned())];
    NewPool {
        node: first.node.clone(),
        name: first.pool.clone(),
        provider: ProviderKind::FileThin,
        props: PropsModify { override_props: backing.into(), ..PropsModify::default() },
        shared_space: None,
        external_locking: false,
    }
}

fn group_commands(known: &Cluster, group: &Group, first: &First) -> Result<Vec<GroupCommand>, StartError> {
    let name = legal(GroupName::parse(group.name))?;
    let there = known.groups.get(&name);
    let mut commands = Vec::new();
    if there.is_none() {
        commands.push(GroupCommand::Create {
            name: name.clone(),
            description: Some("Volumes on this machine".to_owned()),
            props: PropsModify::default(),
            filter: SelectFilter {
                place_count: Some(group.replicas),
                pools: Some(vec![first.pool.clone()]),
                layers: Some(group.layers.clone()),
                ..SelectFilter::default()
            },
            peer_slots: None,
        });
    }
    if there.is_none_or(|group| group.volumes.is_empty()) {
        commands.push(GroupCommand::VolumeCreate {
            group: name,
            number: None,
            flags: VolumeGroupFlags::NONE,
            props: PropsModify::default(),
        });
    }
    Ok(commands)
}

/// Runs an asynchronous part of the start on the system's workers and waits for it.
pub fn wait<T: Send + 'static>(
    system: &System,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, StartError> {
    let (done, result) = std::sync::mpsc::sync_channel(1);
    system.workers().spawn(async move {
        // The receiver below waits until this is sent.
        let _ = done.send(work.await);
    });
    result.recv().map_err(|_| StartError::FirstStart("the start was stopped".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testkit;

    const ALL: &str = "group, volume of the group, node, pool";

    /// What a start makes in a cluster of this text, in words.
    fn made(text: &str) -> String {
        let first = First { node: testkit::node("vm"), pool: testkit::pool("local"), folder: "/data/pool" };
        let group = Group { name: "local", replicas: 1, layers: vec![LayerKind::Storage] };
        let commands = missing(&testkit::cluster(text), &[first], &group).unwrap();
        let word = |command: &Command| match command {
            Command::Group(GroupCommand::Create { .. }) => "group",
            Command::Group(GroupCommand::VolumeCreate { .. }) => "volume of the group",
            Command::Node(NodeCommand::Create { .. }) => "node",
            Command::Pool(PoolCommand::Create(_)) => "pool",
            other => panic!("{other:?}"),
        };
        commands.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_thing_is_made_only_where_it_is_missing() {
        assert_eq!(made(""), ALL);
        assert_eq!(made("grp local"), "volume of the group, node, pool", "the node was deleted, or the start ended");
        assert_eq!(made("grp local\nnode vm"), "pool", "what was made first need not be made again");
        assert_eq!(made("node vm\npool vm local FILE_THIN 5/9"), "", "a group that was deleted stays deleted");
        assert_eq!(made("node vm\npool vm other LVM 5/9"), "", "a pool that was chosen instead is enough");
        assert_eq!(made("node vm deleting"), "");
        assert_eq!(made("node far\npool far data LVM 5/9"), "node, pool");
    }
}
