//! Decisions about resource definitions.

use zeroize::Zeroizing;

use super::draft::{Draft, default_group_name, refuse_property};
use crate::model::code::*;
use crate::model::command::{DefinitionCommand, Naming, NewDefinition};
use crate::model::definition::{DEFAULT_PEER_SLOTS, DrbdDefinition, ResourceDefinition};
use crate::model::group::ResourceGroup;
use crate::model::kinds::{DefinitionFlags, LayerKind, ResourceFlags, SnapshotFlags, check_stack};
use crate::model::names::{GroupName, RscName};
use crate::model::props::{PropertyOwner, Props, PropsModify};
use crate::model::refusal::{Note, Refusal};
use crate::model::secret::Secret;
use crate::model::secret_seed::SecretDice;

/// Layers where neither request nor group names any.
const DEFAULT_LAYERS: &[LayerKind] = &[LayerKind::Drbd, LayerKind::Storage];
/// Characters of a shared secret that is made up: LINSTOR's length.
const SECRET_CHARS: usize = 20;
/// Tries to find a free name for an external one; random names do not collide twice.
const NAME_TRIES: usize = 8;
/// Longest legal resource name.
const NAME_BYTES: usize = 48;

pub(super) fn decide(draft: &mut Draft, command: &DefinitionCommand) -> Result<(), Refusal> {
    match command {
        DefinitionCommand::Create(new) => create(draft, new).map(|_| ()),
        DefinitionCommand::Modify { .. } => modify(draft, command),
        DefinitionCommand::Delete { name } => delete(draft, name),
        DefinitionCommand::Clone(order) => super::clone::start(draft, order),
        DefinitionCommand::VolumeCreate(new) => super::volume::create(draft, new),
        DefinitionCommand::VolumeModify { .. } => super::volume::modify(draft, command),
        DefinitionCommand::VolumeDelete { rsc, number } => super::volume::delete(draft, rsc, *number),
        DefinitionCommand::VolumePassphrase { rsc, number, passphrase } => {
            super::volume_key::change(draft, rsc, (*number, passphrase))
        }
    }
}

/// Makes a definition without volumes; its name is returned.
pub(super) fn create(draft: &mut Draft, new: &NewDefinition) -> Result<RscName, Refusal> {
    let name = choose_name(draft, &new.name)?;
    super::file_names::refuse_definition(draft, &name)?;
    let group_name = new.group.clone().unwrap_or_else(default_group_name);
    let group = draft.group(&group_name)?;
    let layers = choose_layers(new.layers.as_deref(), &group)?;
    let mut props = Props::default();
    let set = draft.modify_props(&mut props, &new.props, PropertyOwner::ResourceDefinition)?;
    let peer_slots = new.peer_slots.or(group.peer_slots).unwrap_or(DEFAULT_PEER_SLOTS);
    let secret = match &new.secret {
        Some(secret) => secret.clone(),
        None => random_secret(&mut draft.secrets),
    };
    let drbd = layers.contains(&LayerKind::Drbd).then_some(DrbdDefinition { peer_slots, secret });
    let external_name = match &new.name {
        Naming::External(text) => Some(text.clone()),
        Naming::Name(_) => None,
    };
    let definition = ResourceDefinition {
        name: name.clone(),
        external_name,
        uuid: draft.uuid(),
        group: group.name.clone(),
        flags: DefinitionFlags::NONE,
        layers,
        drbd,
        props,
        volumes: Default::default(),
        resources: Default::default(),
        connections: Vec::new(),
        clone_source: None,
        is_clone: false,
        generation: 0,
    };
    let note = Note::success(CREATED, format!("Resource definition '{name}' created"))
        .details(format!("Resource definition '{name}' UUID is: {}", definition.uuid))
        .about("UUID", definition.uuid)
        .about("RscDfn", &name);
    draft.put_definition(definition);
    draft.note(note);
    draft.note_props(&set, "resource definition", &name);
    Ok(name)
}

fn choose_layers(asked: Option<&[LayerKind]>, group: &ResourceGroup) -> Result<Vec<LayerKind>, Refusal> {
    let filled = |layers: &&[LayerKind]| !layers.is_empty();
    let of_group = group.filter.layers.as_deref();
    let layers = asked.filter(filled).or(of_group.filter(filled)).unwrap_or(DEFAULT_LAYERS);
    refuse_stack(layers)?;
    Ok(layers.to_vec())
}

/// Refuses what is no layer stack.
pub(super) fn refuse_stack(layers: &[LayerKind]) -> Result<(), Refusal> {
    check_stack(layers).map_err(|why| {
        Refusal::new(FAIL_INVLD_LAYER_STACK, "The layer stack is invalid")
            .because(why)
            .cure("Use for example DRBD,STORAGE or STORAGE")
    })
}

/// The name that was asked for, or one made from an external name. Refused when it is taken.
pub(super) fn choose_name(draft: &mut Draft, naming: &Naming) -> Result<RscName, Refusal> {
    match naming {
        Naming::Name(name) if draft.cluster.definitions.contains_key(name) => Err(Refusal::new(
            FAIL_EXISTS_RSC_DFN,
            format!("A resource definition with the name '{name}' exists already"),
        )
        .cure("Choose another name, or use the definition that is there")
        .about("RscDfn", name)),
        Naming::Name(name) => Ok(name.clone()),
        Naming::External(text) => name_of_external(draft, text),
    }
}

fn name_of_external(draft: &mut Draft, text: &str) -> Result<RscName, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new(FAIL_MISSING_EXT_NAME, "Neither a name nor an external name is given")
            .cure("Give one of the two"));
    }
    if let Some(name) = draft.cluster.external_names.get(text) {
        return Err(Refusal::new(FAIL_EXISTS_EXT_NAME, format!("The external name '{text}' is in use"))
            .because(format!("Resource definition '{name}' has it"))
            .cure("Choose another external name, or use the definition that is there")
            .about("RscDfn", name));
    }
    let mut candidate = legal_name(text);
    for _ in 0..NAME_TRIES {
        match candidate {
            Some(name) if !draft.cluster.definitions.contains_key(&name) => return Ok(name),
            _ => candidate = RscName::parse(&format!("LS_{}", draft.uuid()).to_uppercase()).ok(),
        }
    }
    Err(Refusal::new(FAIL_INVLD_EXT_NAME, format!("No free name can be made from the external name '{text}'"))
        .cure("Give a resource name"))
}

/// A UUID gets a prefix, a legal name stays, other characters become `_`.
fn legal_name(text: &str) -> Option<RscName> {
    if text.parse::<crate::model::moment::Uuid>().is_ok() {
        return RscName::parse(&format!("LS_{}", text.to_uppercase())).ok();
    }
    let legal = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' };
    let name: String = text.chars().map(legal).take(NAME_BYTES).collect();
    RscName::parse(&name).or_else(|_| RscName::parse(&format!("_{name}"))).ok()
}

fn random_secret(dice: &mut SecretDice) -> Secret {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Zeroizing::new([0; SECRET_CHARS]);
    dice.fill(&mut bytes[..]);
    let text: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 64)])).collect();
    Secret::new(text)
}

fn modify(draft: &mut Draft, command: &DefinitionCommand) -> Result<(), Refusal> {
    let DefinitionCommand::Modify { name, props, group, layers, peer_slots } = command else {
        return Ok(());
    };
    let old = draft.definition(name)?;
    let mut new = old.clone();
    let set = draft.modify_props(&mut new.props, props, PropertyOwner::ResourceDefinition)?;
    if let Some(group) = group {
        new.group = draft.group(group)?.name;
    }
    if let Some(layers) = layers {
        change_layers(draft, &mut new, layers)?;
    }
    if let (Some(slots), Some(drbd)) = (peer_slots, &mut new.drbd) {
        if !new.resources.is_empty() {
            return Err(Refusal::new(FAIL_EXISTS_RSC, "The peer slots cannot be changed while there are resources")
                .because("They are part of the metadata of each replica")
                .cure("Delete the resources first, or make another definition")
                .about("RscDfn", name));
        }
        drbd.peer_slots = *slots;
    }
    if new != old {
        draft.put_definition(new);
    }
    draft.note(Note::success(MODIFIED, format!("Resource definition '{name}' modified")).about("RscDfn", name));
    draft.note_props(&set, "resource definition", name);
    Ok(())
}

fn change_layers(draft: &mut Draft, new: &mut ResourceDefinition, layers: &[LayerKind]) -> Result<(), Refusal> {
    refuse_stack(layers)?;
    if new.layers == layers {
        return Ok(());
    }
    if !new.resources.is_empty() {
        return Err(Refusal::new(FAIL_EXISTS_RSC, "The layer stack cannot be changed while there are resources")
            .cure("Delete the resources first, or make another definition")
            .about("RscDfn", &new.name));
    }
    new.layers = layers.to_vec();
    let secret = random_secret(&mut draft.secrets);
    let fresh = DrbdDefinition { peer_slots: DEFAULT_PEER_SLOTS, secret };
    new.drbd = new.has_layer(LayerKind::Drbd).then(|| new.drbd.take().unwrap_or(fresh));
    super::volume::assign_minors(draft, new)
}

fn delete(draft: &mut Draft, name: &RscName) -> Result<(), Refusal> {
    if !draft.cluster.definitions.contains_key(name) {
        draft.note(
            Note::warning(WARN_NOT_FOUND, format!("Resource definition '{name}' not found")).about("RscDfn", name),
        );
        return Ok(());
    }
    let mut definition = draft.definition(name)?;
    refuse_while_in_use(draft, &definition)?;
    refuse_while_snapshots(draft, name)?;
    super::clone::abandon(draft, &mut definition);
    definition.flags = definition.flags.with(DefinitionFlags::DELETE);
    let generation = definition.generation + 1;
    for resource in definition.resources.values_mut() {
        resource.flags = resource.flags.with(ResourceFlags::DELETE);
        resource.rollback = None;
        // Asked again, nodes try again and the caller waits for that.
        resource.ordered = generation;
    }
    super::observe::put_or_drop(draft, definition);
    draft.note(Note::success(DELETED, format!("Resource definition '{name}' deleted")).about("RscDfn", name));
    Ok(())
}

/// Refuses while a resource is in use. One that is being deleted was refused by its node at that time: it is asked again.
pub(super) fn refuse_while_in_use(draft: &Draft, definition: &ResourceDefinition) -> Result<(), Refusal> {
    let in_use = |node| {
        let status = draft.cluster.resource_status_of(&definition.name, node);
        status.and_then(|status| status.in_use) == Some(true)
    };
    match definition.resources.iter().find(|(node, resource)| !resource.is_deleting() && in_use(node)) {
        None => Ok(()),
        Some((node, _)) => {
            Err(Refusal::new(FAIL_IN_USE, format!("Resource '{}' is in use on node '{node}'", definition.name))
                .because("Its device is mounted or open")
                .cure("Unmount it or stop its user first")
                .about("RscDfn", &definition.name)
                .about("Node", node))
        }
    }
}

fn refuse_while_snapshots(draft: &Draft, name: &RscName) -> Result<(), Refusal> {
    // Those that are going end with the definition, whichever goes last.
    let staying = draft.cluster.snapshots_of(name).filter(|snapshot| !snapshot.flags.has(SnapshotFlags::DELETE));
    let names: Vec<&str> = staying.map(|snapshot| snapshot.key.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(FAIL_EXISTS_SNAPSHOT_DFN, format!("Resource definition '{name}' has snapshots"))
        .because("A definition lives as long as its snapshots")
        .cure("Delete the snapshots first")
        .details(format!("Snapshots: {}", names.join(", ")))
        .about("RscDfn", name))
}

/// A definition for [`create`] with nothing but name, group and properties.
pub(super) fn plain(name: Naming, group: Option<GroupName>, props: PropsModify) -> NewDefinition {
    NewDefinition { name, group, layers: None, props, peer_slots: None, secret: None }
}

/// Sets one property of a definition that the controller itself keeps.
pub(super) fn set_own_prop(props: &mut Props, key: &str, value: &str) -> Result<(), Refusal> {
    props.set(key, value).map(|_| ()).map_err(refuse_property)
}
