//! Decisions about the passphrases of LUKS layers. Each replica's volume has its own, made up when the replica is, unless
//! the volume definition has one; one that is made from a snapshot has that of the snapshot, whose header it gets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::draft::Draft;
use super::encryption::master_key;
use crate::model::code::*;
use crate::model::definition::{Resource, ResourceDefinition, Volume, VolumeKey};
use crate::model::desired::Origin;
use crate::model::encryption::{MasterKey, Sealed};
use crate::model::kinds::{LayerKind, SnapshotFlags};
use crate::model::names::{NodeName, RscName, VolumeNumber};
use crate::model::props::{PropsModify, key_path};
use crate::model::refusal::{Note, Refusal};
use crate::model::report::LuksState;
use crate::model::secret::Secret;
use crate::model::snapshot::{Snapshot, SnapshotKey};

/// Property of a volume definition: the passphrase of all its LUKS layers, sealed.
pub(super) const PASSPHRASE_PROP: &str = "Encryption/Passphrase";
/// Random bytes of a passphrase that is made up, which is their Base64 text: as LINSTOR's.
const RANDOM_BYTES: usize = 20;
/// Longest passphrase that cryptsetup reads from its standard input.
const MAX_BYTES: usize = 512;

/// Takes a passphrase out of a request's properties: there it is plain, in the record it may not be.
pub(super) fn taken_out(modify: &PropsModify) -> (PropsModify, Option<Secret>) {
    let is_passphrase = |key: &String| key_path(key).is_ok_and(|key| key == PASSPHRASE_PROP);
    let Some(key) = modify.override_props.keys().find(|key| is_passphrase(key)).cloned() else {
        return (modify.clone(), None);
    };
    let mut rest = modify.clone();
    let passphrase = rest.override_props.remove(&key).map(Secret::new);
    (rest, passphrase)
}

/// Gives a volume definition a passphrase of the user's own.
pub(super) fn set_own(
    draft: &mut Draft,
    definition: &mut ResourceDefinition,
    (number, passphrase): (VolumeNumber, &Secret),
) -> Result<Sealed, Refusal> {
    let key = master_key(draft, &definition.name)?;
    let sealed = seal(draft, &key, passphrase)?;
    if let Some(volume) = definition.volumes.get_mut(&number) {
        super::definition::set_own_prop(&mut volume.props, PASSPHRASE_PROP, sealed.as_text())?;
    }
    Ok(sealed)
}

fn seal(draft: &mut Draft, key: &MasterKey, passphrase: &Secret) -> Result<Sealed, Refusal> {
    let text = passphrase.expose();
    let why = match text.len() {
        0 => Some("It is empty".to_owned()),
        bytes if bytes > MAX_BYTES => Some(format!("It has {bytes} bytes")),
        // It goes to a program's standard input as one line.
        _ if text.contains(['\n', '\r', '\0']) => Some("It has a line break or a zero byte in it".to_owned()),
        _ => None,
    };
    let sealed = if why.is_none() { Sealed::seal(passphrase, key, &mut draft.secrets) } else { None };
    sealed.ok_or_else(|| {
        Refusal::new(FAIL_INVLD_CRYPT_PASSPHRASE, "This cannot be the passphrase of a volume")
            .because(why.unwrap_or_default())
            .cure(format!("Choose one line of 1 to {MAX_BYTES} bytes"))
    })
}

/// Gives each volume of a replica that is to have a LUKS layer the key for it.
///
/// # Errors
/// The master key is not known, or what a volume is to be made from has no LUKS layer.
pub(super) fn give_keys(
    draft: &mut Draft,
    definition: &ResourceDefinition,
    at: (&NodeName, &mut Resource),
) -> Result<(), Refusal> {
    let (node, resource) = at;
    let encrypted = resource.is_encrypted(definition);
    for (number, volume) in resource.volumes.iter_mut().filter(|(_, volume)| volume.key.is_none() && !volume.made) {
        let own = definition.volumes.get(number).and_then(|volume| volume.props.get(PASSPHRASE_PROP));
        let own = own.map(Sealed::from_text);
        volume.key = match of_origin(draft, node, volume) {
            // What is read has no LUKS layer, or what is made has none.
            Some(of) if of.is_some() != encrypted => return Err(other_layers(definition)),
            Some(of) => of.map(|of| restored(of, own)),
            None if encrypted => Some(VolumeKey::new(match own {
                Some(own) => own,
                None => made_up(draft, &definition.name)?,
            })),
            None => None,
        };
    }
    Ok(())
}

/// The header is the snapshot's; where another passphrase is wanted, the node changes it.
fn restored(of: Sealed, own: Option<Sealed>) -> VolumeKey {
    match own {
        Some(own) if own != of => VolumeKey { current: own, previous: Some(of) },
        _ => VolumeKey::new(of),
    }
}

/// The key of the snapshot that a volume is made from, if it is made from one and if that has one.
fn of_origin(draft: &Draft, node: &NodeName, volume: &Volume) -> Option<Option<Sealed>> {
    let Origin::Snapshot { rsc, snapshot, volume: number } = &volume.origin else {
        return None;
    };
    let snapshot = draft.cluster.snapshots.get(&SnapshotKey { rsc: rsc.clone(), name: snapshot.clone() })?;
    Some(snapshot.nodes.get(node)?.volumes.get(number)?.key.clone())
}

/// Refuses a copy whose stack has a LUKS layer where its source's has none, or the other way round.
pub(super) fn refuse_other_layers(source: &ResourceDefinition, copy: &ResourceDefinition) -> Result<(), Refusal> {
    match source.has_layer(LayerKind::Luks) == copy.has_layer(LayerKind::Luks) {
        true => Ok(()),
        false => Err(other_layers(copy)),
    }
}

fn other_layers(definition: &ResourceDefinition) -> Refusal {
    Refusal::new(FAIL_INVLD_LAYER_STACK, format!("'{}' cannot be made from that snapshot", definition.name))
        .because("Only one of the two has a LUKS layer, whose header is part of the data")
        .cure("Give the definition the layers that the snapshot's has")
        .about("RscDfn", &definition.name)
}

fn made_up(draft: &mut Draft, rsc: &RscName) -> Result<Sealed, Refusal> {
    let key = master_key(draft, rsc)?;
    let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
    draft.secrets.fill(&mut bytes[..]);
    seal(draft, &key, &Secret::new(STANDARD.encode(&bytes[..])))
}

/// Changes the passphrase of a volume on all nodes.
pub(super) fn change(draft: &mut Draft, rsc: &RscName, to: (VolumeNumber, &Secret)) -> Result<(), Refusal> {
    let (number, passphrase) = to;
    let mut definition = draft.definition(rsc)?;
    super::resource::refuse_definition(&definition)?;
    if !definition.volumes.contains_key(&number) {
        return Err(super::volume::not_found(rsc, number));
    }
    refuse_without_luks(&definition)?;
    put_change(draft, &mut definition, (number, passphrase))?;
    draft.put_definition(definition);
    draft.note(
        Note::success(MODIFIED, format!("The passphrase of volume {number} of '{rsc}' is changed"))
            .about("RscDfn", rsc)
            .about("VlmNr", number),
    );
    Ok(())
}

/// The same, in a definition that is put by the caller.
pub(super) fn put_change(
    draft: &mut Draft,
    definition: &mut ResourceDefinition,
    to: (VolumeNumber, &Secret),
) -> Result<(), Refusal> {
    let number = to.0;
    master_key(draft, &definition.name)?;
    super::rollback::refuse_while_rolling(definition)?;
    refuse_while_changing(definition, number)?;
    refuse_while_snapped(draft, &definition.name)?;
    let sealed = set_own(draft, definition, to)?;
    let encrypted: Vec<NodeName> = encrypted(definition).map(|(node, _)| node.clone()).collect();
    for node in encrypted {
        let volume = definition.resources.get_mut(&node).and_then(|resource| resource.volumes.get_mut(&number));
        if let Some(volume) = volume {
            let previous = volume.key.take().map(|key| key.current);
            volume.key = Some(VolumeKey { current: sealed.clone(), previous });
        }
    }
    Ok(())
}

fn encrypted(definition: &ResourceDefinition) -> impl Iterator<Item = (&NodeName, &Resource)> {
    definition.resources.iter().filter(|(_, resource)| resource.is_encrypted(definition))
}

fn refuse_without_luks(definition: &ResourceDefinition) -> Result<(), Refusal> {
    if definition.has_layer(LayerKind::Luks) || encrypted(definition).next().is_some() {
        return Ok(());
    }
    let rsc = &definition.name;
    Err(Refusal::new(FAIL_INVLD_LAYER_STACK, format!("'{rsc}' has no LUKS layer that a passphrase could be for"))
        .because("Neither its layer stack nor that of a replica names LUKS")
        .cure("Make a resource definition with LUKS in its layer stack, for example LUKS,STORAGE, and copy the data")
        .about("RscDfn", rsc))
}

/// Refuses while a change of a volume's passphrase is not over: a third one could be in force on a node then, and none of
/// the two that it is told would fit.
fn refuse_while_changing(definition: &ResourceDefinition, number: VolumeNumber) -> Result<(), Refusal> {
    let changing = |resource: &Resource| {
        let key = resource.volumes.get(&number).and_then(|volume| volume.key.as_ref());
        key.is_some_and(|key| key.previous.is_some()) && resource.keeps_disk()
    };
    match encrypted(definition).find(|(_, resource)| changing(resource)) {
        None => Ok(()),
        Some((node, _)) => Err(still_changing(&definition.name, node)),
    }
}

fn still_changing(rsc: &RscName, node: &NodeName) -> Refusal {
    Refusal::new(FAIL_RSC_BUSY, format!("The passphrase of '{rsc}' is being changed"))
        .because(format!("Node '{node}' has not said that the new one is in force"))
        .cure("Ask again when it has; a node that does not come back can be given up as lost")
        .about("RscDfn", rsc)
        .about("Node", node)
}

/// Refuses while a snapshot is being taken: nobody would know which passphrase its header has.
fn refuse_while_snapped(draft: &Draft, rsc: &RscName) -> Result<(), Refusal> {
    let over = SnapshotFlags::SUCCESSFUL.0
        | SnapshotFlags::FAILED_DEPLOYMENT.0
        | SnapshotFlags::FAILED_DISCONNECT.0
        | SnapshotFlags::DELETE.0;
    match draft.cluster.snapshots_of(rsc).find(|snapshot| snapshot.flags.0 & over == 0) {
        None => Ok(()),
        Some(snapshot) => Err(Refusal::new(FAIL_RSC_BUSY, format!("A snapshot of '{rsc}' is being taken"))
            .because(format!("Snapshot '{}' is not complete", snapshot.key.name))
            .cure("Ask again when it is")
            .about("RscDfn", rsc)),
    }
}

/// The key that a snapshot of a replica's volume has.
///
/// # Errors
/// It is being changed: it is not known which one the snapshot's header would have.
pub(super) fn frozen(rsc: &RscName, node: &NodeName, volume: &Volume) -> Result<Option<Sealed>, Refusal> {
    match &volume.key {
        Some(VolumeKey { previous: Some(_), .. }) => Err(still_changing(rsc, node)),
        key => Ok(key.as_ref().map(|key| key.current.clone())),
    }
}

/// A replica that goes back to a snapshot gets its header, too: the passphrase that the snapshot has is changed to the one
/// of today then.
///
/// # Errors
/// A change is not over already.
pub(super) fn roll_back(node: &NodeName, resource: &mut Resource, snapshot: &Snapshot) -> Result<(), Refusal> {
    let SnapshotKey { rsc, .. } = &snapshot.key;
    for (number, volume) in &mut resource.volumes {
        frozen(rsc, node, volume)?;
        let of = snapshot.nodes.get(node).and_then(|part| part.volumes.get(number)?.key.clone());
        if let Some(key) = &mut volume.key {
            key.previous = of.filter(|of| *of != key.current);
        }
    }
    Ok(())
}

/// Forgets the passphrase that was in force before, where the node says that it is no more, after all that it was told.
pub(super) fn forget_previous(resource: &mut Resource, state: impl Fn(VolumeNumber) -> Option<LuksState>) {
    if resource.rollback.is_some() {
        return;
    }
    for (number, volume) in &mut resource.volumes {
        let in_force = state(*number) == Some(LuksState::InForce);
        if let Some(key) = volume.key.as_mut().filter(|_| in_force) {
            key.previous = None;
        }
    }
}

/// Gives the first volumes of a copy passphrases of their own.
pub(super) fn set_in_order(
    draft: &mut Draft,
    definition: &mut ResourceDefinition,
    passphrases: &[Secret],
) -> Result<(), Refusal> {
    let numbers: Vec<VolumeNumber> = definition.volumes.keys().copied().collect();
    if passphrases.len() > numbers.len() {
        return Err(too_many(&definition.name, numbers.len()));
    }
    let given = numbers.into_iter().zip(passphrases).filter(|(_, passphrase)| !passphrase.expose().is_empty());
    for pair in given {
        set_own(draft, definition, pair)?;
    }
    Ok(())
}

/// The refusal of more passphrases than volumes.
pub(super) fn too_many(rsc: &RscName, volumes: usize) -> Refusal {
    Refusal::new(FAIL_INVLD_REQUEST, format!("More passphrases are given than '{rsc}' has volumes"))
        .because(format!("It has {volumes}"))
        .cure("Give one for each volume, in the order of their numbers")
        .about("RscDfn", rsc)
}
