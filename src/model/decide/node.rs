//! Decisions about nodes: making and changing them. How they leave stands in `node_removal` and `node_evacuation`.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::notes::modified;
use super::{eviction, interface, node_connection, node_evacuation, node_removal};
use crate::model::code::*;
use crate::model::command::{NewInterface, NodeCommand};
use crate::model::kinds::{NodeFlags, NodeKind, ProviderKind};
use crate::model::names::{NodeName, PoolName};
use crate::model::node::{DISKLESS_POOL, Node, StoragePool};
use crate::model::props::{PropertyOwner, Props, PropsModify};
use crate::model::refusal::{Note, Refusal};

pub(super) fn decide(draft: &mut Draft, command: &NodeCommand) -> Result<(), Refusal> {
    match command {
        NodeCommand::Create { name, kind, interfaces, props } => {
            create(draft, &NewNode { name, kind: *kind, interfaces, props })
        }
        NodeCommand::Modify { name, kind, props } => modify(draft, name, *kind, props),
        NodeCommand::Delete { name } => node_removal::delete(draft, name),
        NodeCommand::Lost { name } => node_removal::lose(draft, name),
        NodeCommand::Evict { name } => eviction::evict(draft, name),
        NodeCommand::Restore { name, delete_resources, delete_snapshots } => {
            let wish = eviction::Restore { resources: *delete_resources, snapshots: *delete_snapshots };
            eviction::restore(draft, name, wish)
        }
        NodeCommand::Evacuate { name, targets, not_targets } => {
            node_evacuation::evacuate(draft, &node_evacuation::Evacuation { from: name, targets, not_targets })
        }
        NodeCommand::InterfaceCreate { node, interface } => interface::create(draft, node, interface),
        NodeCommand::InterfaceModify { node, name, modify } => interface::modify(draft, node, name, modify),
        NodeCommand::InterfaceDelete { node, name } => interface::delete(draft, node, name),
        NodeCommand::ConnectionModify { a, b, props } => node_connection::modify(draft, a, b, props),
    }
}

struct NewNode<'a> {
    name: &'a NodeName,
    kind: NodeKind,
    interfaces: &'a [NewInterface],
    props: &'a PropsModify,
}

fn create(draft: &mut Draft, new: &NewNode<'_>) -> Result<(), Refusal> {
    let name = new.name;
    if draft.cluster.nodes.contains_key(name) {
        return Err(Refusal::new(FAIL_EXISTS_NODE, format!("Node '{name}' exists already"))
            .because("Node names are unique, whatever their case")
            .cure("Choose another name, or modify the node that is there")
            .about("Node", name));
    }
    check_kind(new.kind)?;
    let mut node = Node {
        name: name.clone(),
        uuid: draft.uuid(),
        kind: new.kind,
        flags: NodeFlags::NONE,
        props: Props::new(),
        net_interfaces: BTreeMap::new(),
        active_interface: None,
        pools: BTreeMap::new(),
        evicted_at: None,
    };
    let change = draft.modify_props(&mut node.props, new.props, PropertyOwner::Node)?;
    interface::add_all(draft, &mut node, new.interfaces)?;
    if node.has_satellite() {
        add_diskless_pool(draft, &mut node);
    }
    let note = Note::success(CREATED, format!("Node '{name}' created"));
    draft.note(note.about("Node", name).about("UUID", node.uuid));
    draft.note_props(&change, "node", name);
    draft.put_node(node);
    Ok(())
}

/// Kinds whose satellites would be children of the controller are not built.
fn check_kind(kind: NodeKind) -> Result<(), Refusal> {
    if !matches!(kind, NodeKind::RemoteSpdk | NodeKind::EbsTarget) {
        return Ok(());
    }
    Err(Refusal::new(FAIL_INVLD_NODE_TYPE, format!("Nodes of type {kind} are not supported"))
        .because("This controller runs no satellites of its own for remote storage")
        .cure("Use one of SATELLITE, COMBINED, CONTROLLER, AUXILIARY"))
}

/// Every node with a satellite has the pool for replicas without a disk.
fn add_diskless_pool(draft: &mut Draft, node: &mut Node) {
    let name = diskless_pool_name();
    let pool = StoragePool {
        name: name.clone(),
        uuid: draft.uuid(),
        provider: ProviderKind::Diskless,
        shared_space: None,
        external_locking: false,
        props: Props::new(),
    };
    node.pools.entry(name).or_insert(pool);
}

/// Name of the pool without storage.
pub(super) fn diskless_pool_name() -> PoolName {
    PoolName::parse(DISKLESS_POOL).expect("the constant is a legal name")
}

fn modify(draft: &mut Draft, name: &NodeName, kind: Option<NodeKind>, request: &PropsModify) -> Result<(), Refusal> {
    let mut node = draft.node(name)?;
    let change = draft.modify_props(&mut node.props, request, PropertyOwner::Node)?;
    let kind = kind.filter(|kind| *kind != node.kind);
    if let Some(kind) = kind {
        change_kind(draft, &mut node, kind)?;
    }
    let changed = kind.is_some() || !change.is_empty();
    let note = modified(format!("Node '{}'", node.name), changed);
    draft.note(note.about("Node", &node.name).about("UUID", node.uuid));
    draft.note_props(&change, "node", name);
    if changed {
        draft.put_node(node);
    }
    Ok(())
}

fn change_kind(draft: &mut Draft, node: &mut Node, kind: NodeKind) -> Result<(), Refusal> {
    check_kind(kind)?;
    let had_satellite = node.has_satellite();
    node.kind = kind;
    if node.has_satellite() {
        interface::ensure_active(node)?;
        add_diskless_pool(draft, node);
    } else if had_satellite {
        if node_removal::has_storage(draft, node) {
            return Err(still_stores(node, kind));
        }
        node.active_interface = None;
        node.pools.clear();
    }
    Ok(())
}

fn still_stores(node: &Node, kind: NodeKind) -> Refusal {
    let name = &node.name;
    Refusal::new(FAIL_INVLD_NODE_TYPE, format!("Node '{name}' cannot become {kind}: it has resources or storage pools"))
        .because(format!("Nodes of type {kind} run no satellite, which serves resources and pools"))
        .cure("Delete the node's resources and storage pools first")
        .about("Node", name)
}
