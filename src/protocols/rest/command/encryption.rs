//! Requests about the master passphrase and about passphrases of volumes. Never repeats one, nor what a body holds.

use serde::de::DeserializeOwned;

use super::definitions::of;
use super::numbers::volume_in_path;
use super::{Call, Request, Untranslated, calls};
use crate::model::command::{Command, DefinitionCommand, EncryptionCommand};
use crate::model::secret::Secret;
use crate::protocols::rest::body::BodyError;
use crate::protocols::rest::definition::VolumeDefinitionModifyPassphrase;
use crate::protocols::rest::encryption::PassPhraseCreate;
use crate::protocols::rest::shape;

pub(super) const CALLS: &[Call] = calls! {
    encryptionPassphraseCreate Commit => create;
    encryptionPassphraseModify Commit => modify;
    encryptionPassphraseEnter Commit => enter;
    volumeDefinitionModifyPassphrase Nodes => modify_volume;
};

fn create(request: &Request) -> Result<Command, Untranslated> {
    let wire: PassPhraseCreate = read(request)?;
    Ok(Command::Encryption(EncryptionCommand::Create { passphrase: secret(&wire.new_passphrase) }))
}

fn modify(request: &Request) -> Result<Command, Untranslated> {
    let wire: PassPhraseCreate = read(request)?;
    let old = wire.old_passphrase.unwrap_or_default();
    Ok(Command::Encryption(EncryptionCommand::Modify { old: secret(&old), new: secret(&wire.new_passphrase) }))
}

fn enter(request: &Request) -> Result<Command, Untranslated> {
    let wire: shape::Secret = read(request)?;
    Ok(Command::Encryption(EncryptionCommand::Enter { passphrase: secret(&wire) }))
}

fn modify_volume(request: &Request) -> Result<Command, Untranslated> {
    let wire: VolumeDefinitionModifyPassphrase = read(request)?;
    Ok(Command::Definition(DefinitionCommand::VolumePassphrase {
        rsc: of(request)?,
        number: volume_in_path(request.param("vn"))?,
        passphrase: secret(&wire.new_passphrase),
    }))
}

/// A secret of the wire as one of the model.
pub(super) fn secret(wire: &shape::Secret) -> Secret {
    Secret::new(wire.expose())
}

/// Those of a list, in its order.
pub(super) fn secrets(wire: Option<&Vec<shape::Secret>>) -> Vec<Secret> {
    wire.into_iter().flatten().map(secret).collect()
}

/// As [`Request::read`], with errors that do not show what was found: it may be a passphrase in the wrong place.
fn read<T: DeserializeOwned>(request: &Request) -> Result<T, BodyError> {
    request.read().map_err(|error| match error {
        BodyError::Shape { path, .. } => {
            BodyError::Shape { path, reason: "what is there is of another type than expected (not shown)".to_owned() }
        }
        error => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cluster::Cluster;
    use crate::protocols::rest::query::Query;

    fn translated(read: fn(&Request) -> Result<Command, Untranslated>, body: &str) -> Result<Command, Untranslated> {
        let params = [("rd", "web".to_owned()), ("vn", "0".to_owned())];
        let (query, cluster) = (Query::default(), Cluster::default());
        read(&Request { params: &params, query: &query, body: body.as_bytes(), cluster: &cluster })
    }

    #[test]
    fn requests_become_commands_that_show_nothing() {
        let (old, new) = (Secret::new("hunter1"), Secret::new("hunter2"));
        let both = r#"{"new_passphrase":"hunter2","old_passphrase":"hunter1"}"#;
        let passphrase = new.clone();
        let volume = DefinitionCommand::VolumePassphrase {
            rsc: crate::model::testkit::rsc("web"),
            number: crate::model::testkit::volume(0),
            passphrase: new.clone(),
        };
        for (read, body, expected) in [
            (
                create as fn(&Request) -> _,
                r#"{"new_passphrase":"hunter2"}"#,
                Command::Encryption(EncryptionCommand::Create { passphrase: passphrase.clone() }),
            ),
            (modify, both, Command::Encryption(EncryptionCommand::Modify { old, new })),
            (enter, r#""hunter2""#, Command::Encryption(EncryptionCommand::Enter { passphrase })),
            (modify_volume, r#"{"new_passphrase":"hunter2"}"#, Command::Definition(volume)),
        ] {
            let command = translated(read, body).unwrap();
            assert_eq!(command, expected);
            assert!(!format!("{command:?}").contains("hunter"));
        }
    }

    #[test]
    fn a_passphrase_in_the_wrong_place_is_not_repeated() {
        for (read, body) in [
            (create as fn(&Request) -> _, r#""hunter2""#),
            (create, r#"{"new_passphrase":{"hunter2":1}}"#),
            (modify, r#"["hunter2"]"#),
            (enter, r#"{"hunter2":"hunter2"}"#),
            (enter, "hunter2"),
            (enter, ""),
            (modify_volume, r#"{"new_passphrase":4711}"#),
        ] {
            let error = translated(read, body).unwrap_err().to_string();
            assert!(!error.contains("hunter") && !error.contains("4711"), "{error}");
        }
    }
}
