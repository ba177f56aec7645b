//! Orders that take data away, shrinks and rollbacks, as long as not all nodes have carried them out: what is remembered to
//! take them back, and taking them back. One that a node refuses is not done later, when nobody expects it any more.

use super::draft::Draft;
use crate::model::definition::{Cut, ResourceDefinition, VolumeDefinition};
use crate::model::kinds::VolumeDefinitionFlags;
use crate::model::moment::Uuid;
use crate::model::names::NodeName;
use crate::model::report::{Refused, ResourceReport};
use crate::model::size::Kib;

/// Gives a volume a smaller size, or a snapshot's, so that it can be taken back. `generation` is that of the order.
pub(super) fn cut(volume: &mut VolumeDefinition, size: Kib, generation: u64) {
    let from = volume.cut.map_or(volume.size, |cut| cut.from);
    volume.cut = Some(Cut { from, ordered: generation });
    volume.size = size;
}

/// Takes back what the node refused. A report from before the order tells nothing of it.
pub(super) fn take_back(draft: &mut Draft, node: &NodeName, report: &ResourceReport) {
    let Some(old) = draft.cluster.definitions.get(&report.rsc).cloned() else {
        return;
    };
    let mut new = ResourceDefinition::clone(&old);
    for refused in &report.refused {
        match refused {
            Refused::Shrink(number) => {
                let volume = new.volumes.get_mut(number);
                let ordered = |volume: &VolumeDefinition| {
                    let shrinks = volume.flags.has(VolumeDefinitionFlags::RESIZE_SHRINK);
                    shrinks && volume.cut.is_some_and(|cut| report.generation >= cut.ordered)
                };
                volume.into_iter().filter(|volume| ordered(volume)).for_each(restore);
            }
            Refused::Rollback(token) => {
                let order = new.resources.get(node).and_then(|resource| resource.rollback.as_ref());
                if order.is_some_and(|order| order.token == *token) {
                    end_rollback(&mut new, *token);
                }
            }
        }
    }
    if new != *old {
        draft.put_definition(new);
    }
}

/// Takes a rollback back on all nodes that have not said that it is done: replicas that differ are no replicas.
pub(super) fn end_rollback(definition: &mut ResourceDefinition, token: Uuid) {
    for resource in definition.resources.values_mut() {
        resource.rollback = resource.rollback.take().filter(|order| order.token != token);
    }
    definition.volumes.values_mut().filter(|volume| volume.cut.is_some()).for_each(restore);
}

/// Forgets what was remembered of orders that are carried out.
pub(super) fn forget_cuts(definition: &mut ResourceDefinition) {
    let rolling = definition.resources.values().any(|resource| resource.rollback.is_some());
    let shrinks = |volume: &VolumeDefinition| volume.flags.has(VolumeDefinitionFlags::RESIZE_SHRINK);
    for volume in definition.volumes.values_mut().filter(|volume| !rolling && !shrinks(volume)) {
        volume.cut = None;
    }
}

/// The volume gets the size back that it had.
fn restore(volume: &mut VolumeDefinition) {
    if let Some(cut) = volume.cut.take() {
        volume.size = cut.from;
    }
    volume.flags = volume.flags.without(VolumeDefinitionFlags::RESIZE_SHRINK);
}
