//! Evacuation: the replicas of a node that answers go elsewhere. Never lets go of the last one that is up to date.

use super::draft::Draft;
use super::node_removal::resources_on;
use super::replacement::{Evacuee, mark_successor, replacement_for};
use super::replica_state::{about, complete_elsewhere, is_complete, is_in_use, set_flags, wanted};
use super::toggle::MIGRATE_FROM;
use crate::model::cluster::Cluster;
use crate::model::code::*;
use crate::model::definition::ResourceDefinition;
use crate::model::kinds::{DefinitionFlags, LayerKind, NodeFlags, ResourceFlags};
use crate::model::names::{NodeName, RscName};
use crate::model::node::Node;
use crate::model::refusal::{Note, Refusal};

/// What shall be moved, and where to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evacuation<'a> {
    /// The node to be emptied.
    pub from: &'a NodeName,
    /// Only to these nodes, where any is named.
    pub targets: &'a [NodeName],
    /// To none of these.
    pub not_targets: &'a [NodeName],
}

impl<'a> Evacuation<'a> {
    fn of(self, rsc: &'a RscName) -> Evacuee<'a> {
        Evacuee { rsc, from: self.from, targets: self.targets, not_targets: self.not_targets }
    }
}

/// What becomes of one replica.
enum Fate {
    /// It is not moved, and why.
    Stays(&'static str),
    /// It can go at once.
    Goes,
    /// It could go, and somebody uses it.
    InUse,
    /// It goes when the one that stands in for it is complete.
    Waits,
    /// As `Waits`, and the other one has to be placed.
    NeedsSuccessor,
}

pub(super) fn evacuate(draft: &mut Draft, order: &Evacuation<'_>) -> Result<(), Refusal> {
    let mut node = draft.node(order.from)?;
    check_evacuation(draft, &node, order)?;
    let again = node.flags.has(NodeFlags::EVACUATE);
    node.flags = node.flags.with(NodeFlags::EVACUATE);
    let text = if again { "is being evacuated already" } else { "is being evacuated" };
    draft.note(about(Note::success(MODIFIED, format!("Node '{}' {text}", node.name)), &node));
    if !again {
        draft.put_node(node);
    }
    for rsc in resources_on(draft, order.from) {
        evacuate_resource(draft, &rsc, order)?;
    }
    Ok(())
}

fn check_evacuation(draft: &Draft, node: &Node, order: &Evacuation<'_>) -> Result<(), Refusal> {
    if node.flags.has(NodeFlags::EVICTED) {
        return Err(Refusal::new(
            FAIL_INVLD_REQUEST,
            format!("Node '{}' is evicted and cannot be evacuated", node.name),
        )
        .because("Its replicas have been given up")
        .cure("Restore the node first, or declare it lost")
        .about("Node", &node.name));
    }
    for target in order.targets.iter().chain(order.not_targets) {
        draft.node(target)?;
    }
    if order.targets.contains(&node.name) {
        return Err(Refusal::new(FAIL_INVLD_REQUEST, format!("Node '{}' cannot be evacuated to itself", node.name))
            .because("It is named among the targets")
            .cure("Name other nodes, or none for any")
            .about("Node", &node.name));
    }
    Ok(())
}

fn evacuate_resource(draft: &mut Draft, rsc: &RscName, order: &Evacuation<'_>) -> Result<(), Refusal> {
    let Some(definition) = draft.cluster.definitions.get(rsc).cloned() else {
        return Ok(());
    };
    let Some(resource) = definition.resources.get(order.from) else {
        return Ok(());
    };
    if resource.is_deleting() || definition.flags.has(DefinitionFlags::DELETE) {
        return Ok(());
    }
    let flags = resource.flags;
    match fate(&draft.cluster, &definition, order.from) {
        Fate::Stays(why) => draft.note(not_moved(&order.of(rsc), why)),
        Fate::InUse => {
            set_flags(draft, &definition, order.from, flags.with(ResourceFlags::EVACUATE));
            draft.note(not_moved(&order.of(rsc), "It is in use there").cure("Evacuate again when its user is gone"));
        }
        Fate::Goes => set_flags(draft, &definition, order.from, flags.with(ResourceFlags::DELETE)),
        Fate::Waits => set_flags(draft, &definition, order.from, flags.with(ResourceFlags::EVACUATE)),
        Fate::NeedsSuccessor => {
            set_flags(draft, &definition, order.from, flags.with(ResourceFlags::EVACUATE));
            place_successor(draft, &order.of(rsc))?;
        }
    }
    Ok(())
}

fn place_successor(draft: &mut Draft, evacuee: &Evacuee<'_>) -> Result<(), Refusal> {
    match replace(draft, evacuee) {
        Some(node) => mark_successor(draft, evacuee, &node),
        None => Ok(()),
    }
}

fn fate(cluster: &Cluster, definition: &ResourceDefinition, node: &NodeName) -> Fate {
    if !definition.has_layer(LayerKind::Drbd) {
        return Fate::Stays("Without DRBD in its stack its data cannot be brought to another node");
    }
    let complete = complete_elsewhere(cluster, definition, node);
    let resource = &definition.resources[node];
    let spare = complete >= wanted(cluster, definition)
        || (complete > 0 && !is_complete(cluster, definition, node))
        || !resource.is_diskful();
    if spare {
        return if is_in_use(cluster, &definition.name, node) { Fate::InUse } else { Fate::Goes };
    }
    let stands_in = |props: &str| props.eq_ignore_ascii_case(node.as_str());
    let mut others = definition.resources.values().filter(|other| !other.is_deleting());
    let has_successor = others.any(|other| other.props.get(MIGRATE_FROM).is_some_and(stands_in));
    if has_successor { Fate::Waits } else { Fate::NeedsSuccessor }
}

/// Places one replica more, and tells of it. Its node, if there was a place.
pub(super) fn replace(draft: &mut Draft, evacuee: &Evacuee<'_>) -> Option<NodeName> {
    match replacement_for(draft, evacuee) {
        Ok(node) => Some(node),
        Err(refusal) => {
            let mut note = not_moved(evacuee, &refusal.note.message);
            note.details = refusal.note.details;
            draft.note(note);
            None
        }
    }
}

fn not_moved(evacuee: &Evacuee<'_>, why: &str) -> Note {
    Note::warning(
        WARN_NOT_EVACUATING,
        format!("Resource '{}' is not moved away from node '{}'", evacuee.rsc, evacuee.from),
    )
    .because(why)
    .cure("Make room on another node and evacuate again, or delete the resource there")
    .about("Node", evacuee.from)
    .about("RscDfn", evacuee.rsc)
}
