//! Decisions about storage pools on nodes. Whether a kind works on a node is what its satellite said, never guessed.

use super::draft::Draft;
use super::node::diskless_pool_name;
use super::notes::{already_gone, join, modified};
use super::{pool_backing, pool_definition};
use crate::model::code::*;
use crate::model::command::{NewPool, PoolCommand};
use crate::model::kinds::ProviderKind;
use crate::model::names::{NodeName, PoolName};
use crate::model::node::{Node, StoragePool};
use crate::model::props::{PropertyOwner, Props, PropsModify};
use crate::model::refusal::{Note, Refusal};

pub(super) fn decide(draft: &mut Draft, command: &PoolCommand) -> Result<(), Refusal> {
    match command {
        PoolCommand::DefinitionCreate { name, props } => pool_definition::create(draft, name, props),
        PoolCommand::DefinitionModify { name, props } => pool_definition::modify(draft, name, props),
        PoolCommand::DefinitionDelete { name } => pool_definition::delete(draft, name),
        PoolCommand::Create(new) => create(draft, new),
        PoolCommand::Modify { node, name, props } => modify(draft, node, name, props),
        PoolCommand::Delete { node, name } => delete(draft, node, name),
    }
}

fn create(draft: &mut Draft, new: &NewPool) -> Result<(), Refusal> {
    let mut node = draft.node(&new.node)?;
    if node.pools.contains_key(&new.name) {
        return Err(Refusal::new(
            FAIL_EXISTS_STOR_POOL,
            format!("Node '{}' has a storage pool '{}' already", node.name, new.name),
        )
        .because("Pool names are unique on a node, whatever their case")
        .cure("Choose another name, or modify the pool that is there")
        .about("Node", &node.name)
        .about("StorPool", &new.name));
    }
    check_provider(draft, &node, new.provider)?;
    check_shared_space(&node, new)?;
    let mut pool = StoragePool {
        name: new.name.clone(),
        uuid: draft.uuid(),
        provider: new.provider,
        shared_space: new.shared_space.clone(),
        external_locking: new.external_locking,
        props: Props::new(),
    };
    let request = pool_backing::fold(&new.props);
    let change = draft.modify_props(&mut pool.props, &request, PropertyOwner::StoragePool)?;
    pool_backing::check(&node, &pool)?;
    pool_definition::ensure(draft, &new.name);
    let note = Note::success(CREATED, format!("Storage pool '{}' on node '{}' created", pool.name, node.name));
    draft.note(refer(note, &node, &pool));
    draft.note_props(&change, "storage pool", &pool.name);
    node.pools.insert(pool.name.clone(), pool);
    draft.put_node(node);
    Ok(())
}

/// A node that never told what it can do gets the pool all the same, with a word about it.
fn check_provider(draft: &mut Draft, node: &Node, kind: ProviderKind) -> Result<(), Refusal> {
    if !node.has_satellite() {
        let cause = format!("Nodes of type {} run no satellite, which serves pools", node.kind);
        return Err(unsupported(node, kind, &cause));
    }
    let status = draft.cluster.status_of(&node.name);
    let Some(facts) = &status.facts else {
        let text = format!("Node '{}' did not tell yet whether it supports {kind} pools", node.name);
        draft.note(
            Note::warning(WARN_NOT_CONNECTED, text)
                .because("Its satellite has not been connected since this controller began")
                .cure("Start the satellite; the pool's state shows whether it works")
                .about("Node", &node.name),
        );
        return Ok(());
    };
    if kind == ProviderKind::Diskless || facts.providers.contains(&kind) {
        return Ok(());
    }
    let reasons = facts.unsupported_providers.iter().find(|(other, _)| *other == kind);
    let cause = reasons.map_or_else(|| "Its satellite does not know this kind".to_owned(), |(_, why)| why.join("; "));
    Err(unsupported(node, kind, &cause))
}

fn unsupported(node: &Node, kind: ProviderKind, cause: &str) -> Refusal {
    Refusal::new(FAIL_STLT_DOES_NOT_SUPPORT_PROVIDER, format!("Node '{}' does not support {kind} pools", node.name))
        .because(cause)
        .cure("Install on the node what is missing and reconnect it, or choose a kind that it supports")
        .about("Node", &node.name)
}

fn check_shared_space(node: &Node, new: &NewPool) -> Result<(), Refusal> {
    let Some(space) = &new.shared_space else {
        return Ok(());
    };
    let refusal = |text: String| Refusal::new(FAIL_INVLD_FREE_SPACE_MGR_NAME, text).about("StorPool", &new.name);
    if !new.provider.may_be_shared() {
        return Err(refusal(format!("A {} pool cannot be in the shared space '{space}'", new.provider))
            .because("Only LVM and REMOTE_SPDK pools can be seen by several nodes")
            .cure("Leave the shared space out, or choose a kind that may be shared"));
    }
    let same = node.pools.values().find(|pool| pool.shared_space.as_ref() == Some(space));
    match same {
        None => Ok(()),
        Some(other) => {
            Err(refusal(format!("Pool '{}' of node '{}' is in the shared space '{space}'", other.name, node.name))
                .because("A node sees a shared space by one pool")
                .cure("Use that pool, or name another space"))
        }
    }
}

fn modify(draft: &mut Draft, node: &NodeName, name: &PoolName, request: &PropsModify) -> Result<(), Refusal> {
    let mut node = draft.node(node)?;
    let Some(mut pool) = node.pools.get(name).cloned() else {
        return Err(Refusal::new(
            FAIL_NOT_FOUND_STOR_POOL,
            format!("Storage pool '{name}' on node '{}' not found", node.name),
        )
        .because("It was deleted before, or never created")
        .cure("List the node's storage pools, or create it first")
        .about("Node", &node.name)
        .about("StorPool", name));
    };
    let backing = pool.backing().to_owned();
    let request = pool_backing::fold(request);
    let change = draft.modify_props(&mut pool.props, &request, PropertyOwner::StoragePool)?;
    if pool.backing() != backing {
        refuse_while_used(draft, &node.name, name, &format!("cannot move away from '{backing}'"))?;
        pool_backing::check(&node, &pool)?;
    }
    let note = modified(format!("Storage pool '{}' on node '{}'", pool.name, node.name), !change.is_empty());
    draft.note(refer(note, &node, &pool));
    draft.note_props(&change, "storage pool", &pool.name);
    if !change.is_empty() {
        node.pools.insert(pool.name.clone(), pool);
        draft.put_node(node);
    }
    Ok(())
}

fn delete(draft: &mut Draft, node: &NodeName, name: &PoolName) -> Result<(), Refusal> {
    let what = format!("Storage pool '{name}' on node '{node}'");
    let known = draft.cluster.nodes.get(node).filter(|node| node.pools.contains_key(name));
    let Some(mut node) = known.map(|node| Node::clone(node)) else {
        draft.note(already_gone(what));
        return Ok(());
    };
    if *name == diskless_pool_name() {
        return Err(Refusal::new(FAIL_INVLD_STOR_POOL_NAME, format!("{what} cannot be deleted"))
            .because("Every node with a satellite has it, for replicas without a disk")
            .cure("Leave it; it takes no room")
            .about("StorPool", name));
    }
    refuse_while_used(draft, &node.name, name, "cannot be deleted")?;
    if let Some(pool) = node.pools.remove(name) {
        draft.note(refer(Note::success(DELETED, format!("{what} deleted")), &node, &pool));
        draft.put_node(node);
    }
    Ok(())
}

fn refuse_while_used(draft: &Draft, node: &NodeName, pool: &PoolName, what: &str) -> Result<(), Refusal> {
    if !draft.cluster.pool_usage.contains_key(&(node.clone(), pool.clone())) {
        return Ok(());
    }
    Err(Refusal::new(FAIL_IN_USE, format!("Storage pool '{pool}' on node '{node}' {what}: it is in use"))
        .because("Volumes or snapshots are in the pool")
        .cure("Delete them, or move the resources to other pools first")
        .details(users(draft, node, pool))
        .about("Node", node)
        .about("StorPool", pool))
}

/// What is in the pool, by name.
fn users(draft: &Draft, node: &NodeName, pool: &PoolName) -> String {
    let cluster = &draft.cluster;
    let has_volume = |name: &&_| {
        let resource = cluster.definitions.get(*name).and_then(|definition| definition.resources.get(node));
        resource.is_some_and(|resource| resource.volumes.values().any(|volume| volume.pool == *pool))
    };
    let has_snapshot = |key: &&_| {
        let part = cluster.snapshots.get(*key).and_then(|snapshot| snapshot.nodes.get(node));
        part.is_some_and(|part| part.volumes.values().any(|volume| volume.pool == *pool))
    };
    let resources = cluster.on_node.get(node).into_iter().flatten().filter(has_volume);
    let snapshots = cluster.snapshots_on_node.get(node).into_iter().flatten().filter(has_snapshot);
    let snapshots = snapshots.map(|key| format!("{} of {}", key.name, key.rsc));
    format!("Resources: {}\nSnapshots: {}", join(resources), join(snapshots))
}

fn refer(note: Note, node: &Node, pool: &StoragePool) -> Note {
    note.about("Node", &node.name)
        .about("StorPoolDfn", &pool.name)
        .about("StorPool", &pool.name)
        .about("UUID", pool.uuid)
}
