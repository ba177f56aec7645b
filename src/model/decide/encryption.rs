//! Decisions about the master passphrase: creating, changing and entering it. Says a passphrase to nobody.

use std::sync::Arc;

use super::draft::{Draft, refuse_property};
use crate::model::change::Change;
use crate::model::cluster::Cluster;
use crate::model::code::*;
use crate::model::command::EncryptionCommand;
use crate::model::encryption::{Lock, MasterKey, NotOpened, WrappedKey, waiting_of};
use crate::model::kvs::ControllerRecord;
use crate::model::names::RscName;
use crate::model::refusal::{Note, Refusal};
use crate::model::secret::Secret;

/// Longest master passphrase in bytes: whole files of key material are no passphrases, and each try derives from all of it.
const MAX_BYTES: usize = 4096;
/// How to create one.
const CREATE: &str = "Create it with 'zea encryption create-passphrase' or POST /v1/encryption/passphrase";
/// How to enter one.
const ENTER: &str = "Enter it with 'zea encryption enter' or PATCH /v1/encryption/passphrase";

pub(super) fn decide(draft: &mut Draft, command: &EncryptionCommand) -> Result<(), Refusal> {
    match command {
        EncryptionCommand::Create { passphrase } => create(draft, passphrase),
        EncryptionCommand::Modify { old, new } => modify(draft, old, new),
        EncryptionCommand::Enter { passphrase } => enter(draft, passphrase),
        EncryptionCommand::Provide { passphrase } => match draft.cluster.lock() {
            Lock::Unset => create(draft, passphrase),
            Lock::Locked | Lock::Unlocked => enter(draft, passphrase),
        },
    }
}

fn create(draft: &mut Draft, passphrase: &Secret) -> Result<(), Refusal> {
    if draft.cluster.lock() != Lock::Unset {
        return Err(Refusal::new(FAIL_EXISTS_CRYPT_PASSPHRASE, "There is a master passphrase already")
            .because("What is encrypted with the master key would be lost with another one")
            .cure("Change it with 'zea encryption modify' or PUT /v1/encryption/passphrase"));
    }
    refuse_passphrase(passphrase)?;
    refuse_lost_key(&draft.cluster)?;
    let key = MasterKey::draw(&mut draft.secrets);
    keep(draft, &key, passphrase)?;
    draft.unlock(key);
    draft.note(Note::success(CREATED, "The master passphrase is created").details(
        "It is asked for again after each start of the controller. What it guards is lost with it: keep it elsewhere, too",
    ));
    Ok(())
}

/// Refuses where volumes are encrypted already: their keys need the master key that was, and another would hide the loss.
fn refuse_lost_key(cluster: &Cluster) -> Result<(), Refusal> {
    let Some(rsc) = cluster.encrypted.get_min() else {
        return Ok(());
    };
    Err(Refusal::new(FAIL_CRYPT_INIT, "The master key that was is missing")
        .because(format!(
            "'{rsc}' is encrypted, and the controller's record has lost its properties below 'encrypted/'"
        ))
        .cure("Bring the controller's record back from an export of the store, or delete what is encrypted first")
        .about("RscDfn", rsc))
}

fn modify(draft: &mut Draft, old: &Secret, new: &Secret) -> Result<(), Refusal> {
    let key = opened(&draft.cluster, old, "The old passphrase is wrong")?;
    refuse_passphrase(new)?;
    keep(draft, &key, new)?;
    draft.unlock(key);
    draft.note(
        Note::success(MODIFIED, "The master passphrase is changed")
            .details("The master key is the same as before, and so is all that is encrypted with it"),
    );
    Ok(())
}

fn enter(draft: &mut Draft, passphrase: &Secret) -> Result<(), Refusal> {
    let key = opened(&draft.cluster, passphrase, "The passphrase is wrong")?;
    let again = draft.cluster.lock() == Lock::Unlocked;
    let text = if again { "The master passphrase was entered before" } else { "The master passphrase is entered" };
    draft.unlock(key);
    let waiting = draft.cluster.encrypted.len();
    let note = Note::success(PASSPHRASE_ACCEPTED, text);
    draft.note(if again { note } else { note.details(format!("Resource definitions with LUKS volumes: {waiting}")) });
    Ok(())
}

fn opened(cluster: &Cluster, passphrase: &Secret, wrong: &str) -> Result<MasterKey, Refusal> {
    let wrapped = WrappedKey::kept_in(&cluster.controller.props).ok_or_else(|| {
        Refusal::new(FAIL_NOT_FOUND_CRYPT_KEY, "There is no master passphrase")
            .because("None was ever created in this cluster")
            .cure(CREATE)
    })?;
    wrapped.unwrap_with(passphrase).map_err(|why| match why {
        NotOpened::Passphrase => Refusal::new(FAIL_INVLD_CRYPT_PASSPHRASE, wrong)
            .because("The master key cannot be opened with it")
            .cure("Give the passphrase that was created or set last"),
        NotOpened::Damaged => Refusal::new(FAIL_CRYPT_INIT, "The master key cannot be read")
            .because(why.to_string())
            .cure("Bring the controller's record back from an export of the store"),
    })
}

fn refuse_passphrase(passphrase: &Secret) -> Result<(), Refusal> {
    let bytes = passphrase.expose().len();
    if (1..=MAX_BYTES).contains(&bytes) {
        return Ok(());
    }
    Err(Refusal::new(FAIL_INVLD_CRYPT_PASSPHRASE, "This cannot be a master passphrase")
        .because(if bytes == 0 { "It is empty".to_owned() } else { format!("It has {bytes} bytes") })
        .cure(format!("Choose one of 1 to {MAX_BYTES} bytes")))
}

fn keep(draft: &mut Draft, key: &MasterKey, passphrase: &Secret) -> Result<(), Refusal> {
    let mut record = ControllerRecord::clone(&draft.cluster.controller);
    for (name, value) in key.wrap(passphrase, &mut draft.secrets).props() {
        record.props.set(name, value).map_err(refuse_property)?;
    }
    draft.put(Change::Controller(Arc::new(record)));
    Ok(())
}

/// The master key, to make or change a key of `rsc` with.
///
/// # Errors
/// It is not known, and why.
pub(super) fn master_key(draft: &Draft, rsc: &RscName) -> Result<MasterKey, Refusal> {
    let refusal = |why: &str, cure: &str| {
        Refusal::new(FAIL_NOT_FOUND_CRYPT_KEY, format!("No key for the LUKS layer of '{rsc}' can be made"))
            .because(why)
            .cure(cure)
            .about("RscDfn", rsc)
    };
    match (&draft.cluster.master_key, draft.cluster.lock()) {
        (Some(key), _) => Ok(key.clone()),
        (None, Lock::Unset) => Err(refusal("There is no master passphrase that it could be kept with", CREATE)),
        (None, _) => Err(refusal("The master passphrase was not entered since the controller's start", ENTER)),
    }
}

/// Says of what is decided about that it waits for the master passphrase.
pub(super) fn note_locked(draft: &mut Draft) {
    if draft.cluster.lock() != Lock::Locked {
        return;
    }
    let waiting: Vec<RscName> = draft
        .put_definitions()
        .filter(|definition| !waiting_of(&draft.cluster, definition).is_empty())
        .map(|definition| definition.name.clone())
        .collect();
    for rsc in waiting {
        let note = Note::warning(WARN_NOT_FOUND_CRYPT_KEY, format!("Volumes of '{rsc}' wait for their key"));
        draft.note(
            note.because("The master passphrase was not entered since the controller's start")
                .cure(ENTER)
                .about("RscDfn", rsc),
        );
    }
}
