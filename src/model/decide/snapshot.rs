//! Decisions about snapshots: taking, deleting, restoring into another definition.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::resource::{Placement, add, build};
use crate::model::code::*;
use crate::model::command::{NewSnapshot, SnapshotCommand};
use crate::model::definition::{Resource, ResourceDefinition, VolumeDefinition};
use crate::model::desired::Origin;
use crate::model::kinds::{
    DefinitionFlags, NodeFlags, ResourceFlags, SnapshotFlags, SnapshotNodeFlags, VolumeDefinitionFlags,
};
use crate::model::names::{NodeName, PoolName, RscName, SnapName};
use crate::model::props::{PropertyOwner, Props, PropsModify};
use crate::model::refusal::{Note, Refusal};
use crate::model::snapshot::{Snapshot, SnapshotKey, SnapshotNode, SnapshotVolume, SnapshotVolumeDefinition};

/// Property that orders the snapshots of a definition.
const SEQUENCE_PROP: &str = "SequenceNumber";

pub(super) fn decide(draft: &mut Draft, command: &SnapshotCommand) -> Result<(), Refusal> {
    match command {
        SnapshotCommand::Create { snapshots } => snapshots.iter().try_for_each(|new| create(draft, new).map(|_| ())),
        SnapshotCommand::Modify { rsc, name, props } => modify(draft, rsc, name, props),
        SnapshotCommand::Delete { rsc, name, nodes } => delete(draft, rsc, name, nodes),
        SnapshotCommand::RestoreVolumes { rsc, name, to } => restore_volumes(draft, rsc, name, to),
        SnapshotCommand::RestoreResources { rsc, name, to, nodes, pools } => {
            let snapshot = usable(draft, rsc, name)?;
            restore_resources(draft, &snapshot, to, (nodes, pools))
        }
        SnapshotCommand::Rollback { rsc, name } => super::rollback::rollback(draft, rsc, name),
    }
}

/// Orders a snapshot on all nodes with a disk, or on those named.
pub(super) fn create(draft: &mut Draft, new: &NewSnapshot) -> Result<SnapshotKey, Refusal> {
    let definition = draft.definition(&new.rsc)?;
    let key = SnapshotKey { rsc: new.rsc.clone(), name: new.name.clone() };
    refuse_source(draft, &definition, &key)?;
    super::file_names::refuse_snapshot(draft, &new.rsc, &new.name)?;
    let nodes = choose_nodes(draft, &definition, &new.nodes)?;
    let mut parts = BTreeMap::new();
    for node in &nodes {
        let resource = &definition.resources[node];
        refuse_node(draft, &definition, node)?;
        parts.insert(node.clone(), part_of(draft, &definition, (node, resource))?);
    }
    let sequence = draft.cluster.snapshots_of(&new.rsc).map(|s| s.sequence).max().unwrap_or(0) + 1;
    let mut props = Props::default();
    let set = draft.modify_props(&mut props, &new.props, PropertyOwner::Snapshot)?;
    super::definition::set_own_prop(&mut props, SEQUENCE_PROP, &sequence.to_string())?;
    let frozen = |volume: &VolumeDefinition| {
        (volume.number, SnapshotVolumeDefinition { size: volume.size, props: volume.props.clone() })
    };
    let snapshot = Snapshot {
        key: key.clone(),
        uuid: draft.uuid(),
        flags: SnapshotFlags::NONE,
        ordered: 0,
        sequence,
        props,
        definition_props: definition.props.clone(),
        layers: definition.layers.clone(),
        volumes: staying(&definition).map(frozen).collect(),
        nodes: parts,
    };
    let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
    draft.note(
        Note::success(CREATED, format!("Snapshot '{}' of '{}' created on {}", new.name, new.rsc, names.join(", ")))
            .about("UUID", snapshot.uuid)
            .about("RscDfn", &new.rsc)
            .about("Snapshot", &new.name),
    );
    draft.put_snapshot(snapshot);
    draft.note_props(&set, "snapshot", &new.name);
    Ok(key)
}

fn refuse_source(draft: &Draft, definition: &ResourceDefinition, key: &SnapshotKey) -> Result<(), Refusal> {
    let (rsc, name) = (&key.rsc, &key.name);
    if draft.cluster.snapshots.contains_key(key) {
        return Err(Refusal::new(FAIL_EXISTS_SNAPSHOT_DFN, format!("Snapshot '{name}' of '{rsc}' exists already"))
            .cure("Choose another name")
            .about("RscDfn", rsc)
            .about("Snapshot", name));
    }
    let busy = DefinitionFlags(DefinitionFlags::DELETE.0 | DefinitionFlags::CLONING.0);
    if definition.flags.0 & busy.0 != 0 {
        return Err(Refusal::new(FAIL_IN_USE, format!("Resource definition '{rsc}' is being deleted or cloned"))
            .cure("Wait until that is over"));
    }
    if staying(definition).next().is_none() {
        let refusal = Refusal::new(FAIL_NOT_FOUND_VLM_DFN, format!("Resource definition '{rsc}' has no volumes"))
            .cure("Create a volume first");
        let never = definition.volumes.is_empty();
        return Err(if never { refusal } else { refusal.because("Those that it had are being deleted") });
    }
    super::rollback::refuse_while_rolling(definition)
}

/// Volumes that a snapshot is of: those that are not being deleted.
fn staying(definition: &ResourceDefinition) -> impl Iterator<Item = &VolumeDefinition> {
    definition.volumes.values().filter(|volume| !volume.flags.has(VolumeDefinitionFlags::DELETE))
}

fn choose_nodes(
    draft: &mut Draft,
    definition: &ResourceDefinition,
    named: &[NodeName],
) -> Result<Vec<NodeName>, Refusal> {
    let rsc = &definition.name;
    if !named.is_empty() {
        for node in named {
            let there = super::resource::find(draft, rsc, node)?;
            if !there.resources[node].is_diskful() {
                return Err(Refusal::new(
                    FAIL_SNAPSHOTS_NOT_SUPPORTED,
                    format!("'{rsc}' has no disk on node '{node}'"),
                )
                .cure("Name nodes where it has one"));
            }
        }
        return Ok(named.to_vec());
    }
    let all: Vec<NodeName> = definition.diskful().map(|(node, _)| node.clone()).collect();
    let online = |node: &NodeName| {
        let record = draft.cluster.nodes.get(node);
        draft.cluster.is_online(node) && record.is_some_and(|node| !node.flags.has(NodeFlags::EVACUATE))
    };
    let (chosen, away): (Vec<_>, Vec<_>) = all.into_iter().partition(online);
    for node in &away {
        draft.note(super::resource::offline_note(node));
    }
    if chosen.is_empty() {
        let names: Vec<&str> = away.iter().map(NodeName::as_str).collect();
        return Err(Refusal::new(FAIL_NOT_CONNECTED, format!("No node with a disk of '{rsc}' is online"))
            .details(format!("Nodes with a disk: {}", names.join(", ")))
            .cure("Bring one of them back, or create a resource first"));
    }
    Ok(chosen)
}

fn refuse_node(draft: &Draft, definition: &ResourceDefinition, node: &NodeName) -> Result<(), Refusal> {
    let rsc = &definition.name;
    if !draft.cluster.is_online(node) {
        return Err(Refusal::new(FAIL_NOT_CONNECTED, format!("Node '{node}' is not connected"))
            .because("A snapshot is taken now or not at all")
            .cure("Bring the node back first, or name others")
            .about("Node", node));
    }
    let resource = &definition.resources[node];
    let not_made = |volume: &VolumeDefinition| resource.volumes.get(&volume.number).is_none_or(|own| !own.made);
    if resource.is_deleting() || staying(definition).any(not_made) {
        return Err(Refusal::new(
            FAIL_SNAPSHOT_NOT_UPTODATE,
            format!("Resource '{rsc}' on node '{node}' is not ready"),
        )
        .because("It is being made, changed or deleted")
        .cure("Ask again when it is ready"));
    }
    for volume in staying(definition).filter_map(|volume| resource.volumes.get(&volume.number)) {
        let status = draft.cluster.pool_status.get(&(node.clone(), volume.pool.clone()));
        let able = status.map_or_else(|| volume.provider.supports_snapshots(), |status| status.supports_snapshots);
        if !able {
            return Err(Refusal::new(
                FAIL_SNAPSHOTS_NOT_SUPPORTED,
                format!("Storage pool '{}' on node '{node}' cannot make snapshots", volume.pool),
            )
            .because(format!("Its kind is {}", volume.provider))
            .cure("Use a pool of a kind that can, for example FILE_THIN, LVM_THIN or ZFS"));
        }
    }
    Ok(())
}

fn part_of(
    draft: &mut Draft,
    definition: &ResourceDefinition,
    at: (&NodeName, &Resource),
) -> Result<SnapshotNode, Refusal> {
    let (node, resource) = at;
    let mut volumes = BTreeMap::new();
    for frozen in staying(definition) {
        let Some(volume) = resource.volumes.get(&frozen.number) else {
            continue;
        };
        let part = SnapshotVolume {
            uuid: draft.dice.uuid(),
            pool: volume.pool.clone(),
            provider: volume.provider,
            override_id: frozen.props.get("StorDriver/OverrideVlmId").map(str::to_owned),
            key: super::volume_key::frozen(&definition.name, node, volume)?,
        };
        volumes.insert(frozen.number, part);
    }
    Ok(SnapshotNode {
        uuid: draft.uuid(),
        flags: SnapshotNodeFlags::NONE,
        created: draft.now,
        taken: false,
        remark: None,
        volumes,
    })
}

/// The snapshot.
///
/// # Errors
/// It, or its definition, is not there.
pub(super) fn find(draft: &Draft, rsc: &RscName, name: &SnapName) -> Result<Snapshot, Refusal> {
    draft.definition(rsc)?;
    let key = SnapshotKey { rsc: rsc.clone(), name: name.clone() };
    let found = draft.cluster.snapshots.get(&key);
    found.map(|snapshot| Snapshot::clone(snapshot)).ok_or_else(|| {
        Refusal::new(FAIL_NOT_FOUND_SNAPSHOT, format!("Snapshot '{name}' of '{rsc}' not found"))
            .cure("List the snapshots that are there")
            .about("RscDfn", rsc)
            .about("Snapshot", name)
    })
}

/// The snapshot, complete and staying.
pub(super) fn usable(draft: &Draft, rsc: &RscName, name: &SnapName) -> Result<Snapshot, Refusal> {
    let snapshot = find(draft, rsc, name)?;
    let stays = !snapshot.flags.has(SnapshotFlags::DELETE) && snapshot.nodes.values().any(SnapshotNode::stays);
    if snapshot.flags.has(SnapshotFlags::SUCCESSFUL) && stays {
        return Ok(snapshot);
    }
    Err(Refusal::new(FAIL_SNAPSHOT_NOT_UPTODATE, format!("Snapshot '{name}' of '{rsc}' cannot be used"))
        .because(format!("Its flags are [{}]; only SUCCESSFUL ones can be used", snapshot.flags.names().join(", ")))
        .cure("Use another snapshot, or take a new one")
        .about("Snapshot", name))
}

fn modify(draft: &mut Draft, rsc: &RscName, name: &SnapName, props: &PropsModify) -> Result<(), Refusal> {
    let old = find(draft, rsc, name)?;
    let mut new = old.clone();
    let set = draft.modify_props(&mut new.props, props, PropertyOwner::Snapshot)?;
    if new != old {
        draft.put_snapshot(new);
    }
    draft.note(Note::success(MODIFIED, format!("Snapshot '{name}' of '{rsc}' modified")).about("Snapshot", name));
    draft.note_props(&set, "snapshot", name);
    Ok(())
}

fn delete(draft: &mut Draft, rsc: &RscName, name: &SnapName, nodes: &[NodeName]) -> Result<(), Refusal> {
    let Ok(mut snapshot) = find(draft, rsc, name) else {
        let note = Note::warning(WARN_NOT_FOUND, format!("Snapshot '{name}' of '{rsc}' not found"));
        draft.note(note.about("RscDfn", rsc).about("Snapshot", name));
        return Ok(());
    };
    refuse_while_read(draft, &snapshot)?;
    super::rollback::cancel(draft, &snapshot.key)?;
    let all = nodes.is_empty();
    for (_, part) in snapshot.nodes.iter_mut().filter(|(node, _)| all || nodes.contains(node)) {
        part.flags = part.flags.with(SnapshotNodeFlags::DELETE);
    }
    end_without_parts(&mut snapshot);
    let (key, whole) = (snapshot.key.clone(), snapshot.flags.has(SnapshotFlags::DELETE));
    draft.order_snapshot(snapshot);
    if whole {
        super::clone::fail_clones_of(draft, &key);
    }
    draft.note(
        Note::success(DELETED, format!("Snapshot '{name}' of '{rsc}' deleted"))
            .about("RscDfn", rsc)
            .about("Snapshot", name),
    );
    Ok(())
}

/// A snapshot of which no part stays goes as a whole.
pub(super) fn end_without_parts(snapshot: &mut Snapshot) {
    if !snapshot.nodes.values().any(SnapshotNode::stays) {
        snapshot.flags = snapshot.flags.with(SnapshotFlags::DELETE);
    }
}

/// Refuses while a volume that is being made reads from the snapshot.
fn refuse_while_read(draft: &Draft, snapshot: &Snapshot) -> Result<(), Refusal> {
    let key = &snapshot.key;
    let Some(rsc) = snapshot.nodes.keys().find_map(|node| reader_on(draft, key, node)) else {
        return Ok(());
    };
    Err(Refusal::new(FAIL_IN_USE, format!("Snapshot '{}' of '{}' is being read", key.name, key.rsc))
        .because(format!("Resource '{rsc}' is made from it"))
        .cure("Ask again when that is done, or delete that resource"))
}

/// A resource of which a volume is still to be made from the snapshot on that node.
pub(super) fn reader_on<'a>(draft: &'a Draft, key: &SnapshotKey, node: &NodeName) -> Option<&'a RscName> {
    let from_it = |origin: &Origin| match origin {
        Origin::Snapshot { rsc, snapshot, .. } => *rsc == key.rsc && *snapshot == key.name,
        Origin::Blank => false,
    };
    let reads = |rsc: &&RscName| {
        let resource = draft.cluster.definitions.get(*rsc).and_then(|definition| definition.resources.get(node));
        let staying = resource.filter(|resource| !resource.is_deleting());
        staying.is_some_and(|resource| resource.volumes.values().any(|volume| from_it(&volume.origin)))
    };
    draft.cluster.on_node.get(node).into_iter().flatten().find(reads)
}

fn restore_volumes(draft: &mut Draft, rsc: &RscName, name: &SnapName, to: &RscName) -> Result<(), Refusal> {
    let snapshot = usable(draft, rsc, name)?;
    let mut target = draft.definition(to)?;
    super::resource::refuse_definition(&target)?;
    if !target.volumes.is_empty() {
        return Err(Refusal::new(FAIL_EXISTS_VLM_DFN, format!("Resource definition '{to}' has volumes already"))
            .cure("Restore into a definition without volumes")
            .about("RscDfn", to));
    }
    if !target.resources.is_empty() {
        return Err(Refusal::new(FAIL_EXISTS_RSC, format!("Resource definition '{to}' has resources already"))
            .because("They would lack the volumes, or have them empty")
            .cure("Restore into a definition without resources")
            .about("RscDfn", to));
    }
    copy_volumes(draft, &snapshot, &mut target)?;
    draft.put_definition(target);
    draft.note(
        Note::success(CREATED, format!("Volume definitions of snapshot '{name}' of '{rsc}' restored to '{to}'"))
            .about("RscDfn", to)
            .about("Snapshot", name),
    );
    Ok(())
}

/// Gives a definition the volume definitions of a snapshot.
pub(super) fn copy_volumes(
    draft: &mut Draft,
    snapshot: &Snapshot,
    target: &mut ResourceDefinition,
) -> Result<(), Refusal> {
    for (number, volume) in &snapshot.volumes {
        let copy = VolumeDefinition {
            number: *number,
            uuid: draft.uuid(),
            size: volume.size,
            flags: VolumeDefinitionFlags::NONE,
            minor: None,
            cut: None,
            props: volume.props.clone(),
        };
        target.volumes.insert(*number, copy);
    }
    super::volume::assign_minors(draft, target)
}

/// Nodes to restore on, and pools to use instead of the snapshot's.
type Where<'a> = (&'a [NodeName], &'a BTreeMap<PoolName, PoolName>);

/// Makes resources with a snapshot's content.
pub(super) fn restore_resources(
    draft: &mut Draft,
    snapshot: &Snapshot,
    to: &RscName,
    on: Where,
) -> Result<(), Refusal> {
    let (named, rename) = on;
    let target = draft.definition(to)?;
    super::resource::refuse_deleting(&target)?;
    refuse_other_volumes(snapshot, &target)?;
    let nodes: Vec<NodeName> = match named.is_empty() {
        true => snapshot.nodes.iter().filter(|(_, part)| part.stays()).map(|(node, _)| node.clone()).collect(),
        false => named.to_vec(),
    };
    for node in &nodes {
        let part = snapshot.nodes.get(node).filter(|part| part.stays()).ok_or_else(|| {
            let staying = snapshot.nodes.iter().filter(|(_, part)| part.stays());
            let there: Vec<&str> = staying.map(|(node, _)| node.as_str()).collect();
            Refusal::new(FAIL_NOT_FOUND_SNAPSHOT, format!("Snapshot '{}' is not on node '{node}'", snapshot.key.name))
                .cure(format!("It is on: {}", there.join(", ")))
                .about("Node", node)
        })?;
        if target.resources.contains_key(node) {
            return Err(Refusal::new(FAIL_EXISTS_RSC, format!("Resource '{to}' is on node '{node}' already"))
                .cure("Restore into a definition without resources, or name other nodes")
                .about("RscDfn", to)
                .about("Node", node));
        }
        let pool = part.volumes.values().next().map(|volume| volume.pool.clone());
        let pool = pool.ok_or_else(|| {
            Refusal::new(FAIL_NOT_FOUND_SNAPSHOT_VLM_DFN, "The snapshot has no volumes")
                .cure("Take another of a definition that has volumes")
        })?;
        let pool = rename.get(&pool).cloned().unwrap_or(pool);
        restore_on(draft, snapshot, to, (node, pool))?;
    }
    Ok(())
}

fn restore_on(draft: &mut Draft, snapshot: &Snapshot, to: &RscName, at: (&NodeName, PoolName)) -> Result<(), Refusal> {
    let target = draft.definition(to)?;
    let origin = |number| Origin::Snapshot {
        rsc: snapshot.key.rsc.clone(),
        snapshot: snapshot.key.name.clone(),
        volume: number,
    };
    let place = Placement { node: at.0, pool: at.1, flags: ResourceFlags::RESTORE_FROM_SNAPSHOT, origin: &origin };
    let resource = build(draft, &target, &place)?;
    add(draft, to, at.0, resource)
}

fn refuse_other_volumes(snapshot: &Snapshot, target: &ResourceDefinition) -> Result<(), Refusal> {
    let fits = |(number, volume): (&_, &SnapshotVolumeDefinition)| {
        target.volumes.get(number).is_some_and(|there| there.size >= volume.size)
    };
    if target.volumes.len() == snapshot.volumes.len() && snapshot.volumes.iter().all(fits) {
        return Ok(());
    }
    Err(Refusal::new(FAIL_INVLD_VLM_SIZES, format!("The volumes of '{}' do not fit the snapshot", target.name))
        .because("They differ in number, or one is smaller than the snapshot's")
        .cure("Restore the volume definitions of the snapshot first; they may be grown then")
        .about("RscDfn", &target.name))
}
