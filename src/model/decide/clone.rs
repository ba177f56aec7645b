//! Clones: a snapshot of the source, replicas made from it, and the snapshot's removal. Each step follows from a fact,
//! so that a clone goes on after any crash.

use super::draft::Draft;
use crate::model::code::*;
use crate::model::command::{CloneOrder, NewDefinition, NewSnapshot};
use crate::model::definition::{CloneSource, ResourceDefinition};
use crate::model::kinds::{DefinitionFlags, SnapshotFlags, SnapshotNodeFlags};
use crate::model::names::{RscName, SnapName};
use crate::model::props::{PropertyOwner, PropsModify};
use crate::model::refusal::{Note, Refusal};
use crate::model::snapshot::{Snapshot, SnapshotKey};

/// Prefix of the snapshots made for clones, as LINSTOR's.
const SNAPSHOT_PREFIX: &str = "CF_";

pub(super) fn start(draft: &mut Draft, order: &CloneOrder) -> Result<(), Refusal> {
    let source = draft.definition(&order.source)?;
    let name = super::definition::choose_name(draft, &order.name)?;
    let new = NewDefinition {
        name: order.name.clone(),
        group: order.group.clone().or_else(|| Some(source.group.clone())),
        layers: order.layers.clone().or_else(|| Some(source.layers.clone())),
        props: PropsModify::default(),
        peer_slots: source.drbd.as_ref().map(|drbd| drbd.peer_slots),
        secret: None,
    };
    let snapshot = clone_snapshot_name(draft);
    let wanted =
        NewSnapshot { rsc: source.name.clone(), name: snapshot, nodes: Vec::new(), props: PropsModify::default() };
    super::definition::create(draft, &new)?;
    let key = super::snapshot::create(draft, &wanted)?;
    let mut target = draft.definition(&name)?;
    super::volume_key::refuse_other_layers(&source, &target)?;
    target.props = source.props.clone();
    let set = draft.modify_props(&mut target.props, &order.props, PropertyOwner::ResourceDefinition)?;
    let frozen = super::snapshot::find(draft, &key.rsc, &key.name)?;
    super::snapshot::copy_volumes(draft, &frozen, &mut target)?;
    super::volume_key::set_in_order(draft, &mut target, &order.passphrases)?;
    target.flags = target.flags.with(DefinitionFlags::CLONING);
    target.is_clone = true;
    target.clone_source = Some(CloneSource { rsc: key.rsc, snapshot: key.name });
    draft.put_definition(target);
    draft.note_props(&set, "resource definition", &name);
    draft.note(Note::success(CREATED, format!("Clone '{name}' of '{}' started", source.name)).about("RscDfn", &name));
    Ok(())
}

fn clone_snapshot_name(draft: &mut Draft) -> SnapName {
    let text = format!("{SNAPSHOT_PREFIX}{:08x}", draft.dice.next_u64() >> 32);
    SnapName::parse(&text).expect("a prefix with letters and eight hexadecimal digits are a legal name")
}

fn clones_of(draft: &Draft, key: &SnapshotKey) -> Vec<RscName> {
    let of_key = |definition: &ResourceDefinition| {
        let source = definition.clone_source.as_ref();
        source.is_some_and(|source| source.rsc == key.rsc && source.snapshot == key.name)
    };
    if !key.name.as_str().starts_with(SNAPSHOT_PREFIX) {
        return Vec::new();
    }
    draft.cluster.definitions.values().filter(|d| of_key(d)).map(|d| d.name.clone()).collect()
}

/// The snapshot is taken: replicas of its clones can be made.
pub(super) fn start_clones_of(draft: &mut Draft, key: &SnapshotKey) {
    for name in clones_of(draft, key) {
        let Ok(snapshot) = super::snapshot::find(draft, &key.rsc, &key.name) else {
            return;
        };
        let made = super::snapshot::restore_resources(draft, &snapshot, &name, (&[], &Default::default()));
        if made.is_err() {
            clone_failed(draft, &name);
        }
    }
}

/// The snapshot could not be taken: its clones have failed.
pub(super) fn fail_clones_of(draft: &mut Draft, key: &SnapshotKey) {
    for name in clones_of(draft, key) {
        clone_failed(draft, &name);
    }
}

/// Every replica is made: the clone is complete.
pub(super) fn clone_progress(draft: &mut Draft, name: &RscName) {
    let Ok(definition) = draft.definition(name) else {
        return;
    };
    let mut volumes = definition.resources.values().flat_map(|resource| resource.volumes.values());
    if !definition.resources.is_empty() && volumes.all(|volume| volume.made) {
        end(draft, definition, DefinitionFlags::NONE);
    }
}

/// The clone cannot be completed.
pub(super) fn clone_failed(draft: &mut Draft, name: &RscName) {
    if let Ok(definition) = draft.definition(name) {
        end(draft, definition, DefinitionFlags::FAILED);
    }
}

/// The clone is to be deleted before it is complete: its snapshot goes with it.
pub(super) fn abandon(draft: &mut Draft, definition: &mut ResourceDefinition) {
    if definition.flags.has(DefinitionFlags::CLONING) {
        definition.flags = definition.flags.without(DefinitionFlags::CLONING).with(DefinitionFlags::FAILED);
    }
    if let Some(source) = definition.clone_source.take() {
        delete_source(draft, &source);
    }
}

fn end(draft: &mut Draft, mut definition: ResourceDefinition, mark: DefinitionFlags) {
    definition.flags = definition.flags.without(DefinitionFlags::CLONING).with(mark);
    let source = definition.clone_source.take();
    draft.put_definition(definition);
    if let Some(source) = source {
        delete_source(draft, &source);
    }
}

fn delete_source(draft: &mut Draft, source: &CloneSource) {
    let Ok(mut snapshot) = super::snapshot::find(draft, &source.rsc, &source.snapshot) else {
        return;
    };
    mark_deleted(&mut snapshot);
    draft.put_snapshot(snapshot);
}

fn mark_deleted(snapshot: &mut Snapshot) {
    snapshot.flags = snapshot.flags.with(SnapshotFlags::DELETE);
    for part in snapshot.nodes.values_mut() {
        part.flags = part.flags.with(SnapshotNodeFlags::DELETE);
    }
}
