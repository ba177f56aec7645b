//! The master passphrase that a controller is started with, and giving it to the controller. Takes none from arguments,
//! which every user of the machine can read, and says none.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Start, StartError, first_start};
use crate::actors::controller::api::{Answer, ClusterAnswer, ClusterMessage};
use crate::actors::controller::rest::error_reports::Incident;
use crate::actors::controller::root::Controller;
use crate::actors::system::System;
use crate::model::command::{Command, EncryptionCommand};
use crate::model::refusal::Note;
use crate::model::secret::Secret;

/// Where systemd puts the credentials of a unit.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// Name of the credential.
const CREDENTIAL: &str = "master-passphrase";
/// The variable, as LINSTOR's.
const VARIABLE: &str = "MASTER_PASSPHRASE";
/// Rights of others to a file that only its owner may read.
const OTHERS: u32 = 0o077;

/// A passphrase and where it was found.
struct Given {
    source: String,
    passphrase: Secret,
}

/// Enters the passphrase that the process was started with, if it was with one.
///
/// # Errors
/// It is to be read from a file that cannot be read.
pub(super) fn enter(system: &System, start: &Start, controller: &Controller) -> Result<(), StartError> {
    let file = start.config.controller.passphrase_file.as_deref();
    match find(file, &|name| std::env::var_os(name))? {
        Some(given) => provide(system, controller, given),
        None => Ok(()),
    }
}

/// The passphrase of the first place that has one: systemd's credential, the variable, the configured file.
fn find(file: Option<&Path>, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Option<Given>, StartError> {
    let credential = variable(CREDENTIALS).map(|folder| PathBuf::from(folder).join(CREDENTIAL));
    if let Some(path) = credential.filter(|path| path.exists()) {
        return read(&path).map(Some);
    }
    if let Some(text) = variable(VARIABLE).filter(|text| !text.is_empty()) {
        let text = text.into_string().map_err(|_| no_text(VARIABLE))?;
        return Ok(Some(Given { source: VARIABLE.to_owned(), passphrase: Secret::new(text) }));
    }
    file.map(|path| {
        warn_of_readers(path);
        read(path)
    })
    .transpose()
}

/// The file's text without the line break at its end.
fn read(path: &Path) -> Result<Given, StartError> {
    let source = path.display().to_string();
    let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| StartError::Machine {
        message: "The master passphrase cannot be read".to_owned(),
        cause: format!("{source}: {error}"),
        cure: "Make the file readable, or leave [controller] passphrase_file empty and enter the passphrase".to_owned(),
    })?);
    let text = std::str::from_utf8(&bytes).map_err(|_| no_text(&source))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let passphrase = Secret::new(text.strip_suffix('\r').unwrap_or(text));
    Ok(Given { source, passphrase })
}

fn no_text(source: &str) -> StartError {
    StartError::Machine {
        message: "The master passphrase cannot be read".to_owned(),
        cause: format!("{source} is no UTF-8 text"),
        cure: "Give the passphrase as a line of text".to_owned(),
    }
}

fn warn_of_readers(path: &Path) {
    let others = std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & OTHERS != 0);
    if others {
        tracing::warn!(path = %path.display(), "others than its owner may read the file with the master passphrase");
    }
}

/// Creates or enters the passphrase. One that is wrong leaves the controller locked, which serves all the same: it is told
/// in the log and in an error report.
fn provide(system: &System, controller: &Controller, given: Given) -> Result<(), StartError> {
    let Given { source, passphrase } = given;
    let asked = controller.clone();
    let problem = first_start::wait(system, async move { ask(&asked, passphrase).await })??;
    let Some(note) = problem else {
        tracing::info!(source, "the master passphrase is entered");
        return Ok(());
    };
    let cause = note.cause.unwrap_or_default();
    tracing::error!(
        source,
        message = note.message,
        cause,
        "the master passphrase is not entered: LUKS volumes wait for it"
    );
    controller.incidents.report(&Incident {
        kind: "master passphrase".to_owned(),
        message: note.message,
        doing: format!("taking the master passphrase from {source}"),
        cause,
        correction: "Mend it there, or enter it with 'zea encryption enter'".to_owned(),
        ..Incident::default()
    });
    Ok(())
}

/// What is wrong with it, if anything is.
async fn ask(controller: &Controller, passphrase: Secret) -> Result<Option<Note>, StartError> {
    first_start::wait_for_load(controller).await?;
    let command = Command::Encryption(EncryptionCommand::Provide { passphrase });
    let message = ClusterMessage::Execute(Box::new(command), Answer::WhenDurable);
    match controller.cluster.ask(message, first_start::LIMIT).await {
        Ok(ClusterAnswer::Refused(refusal)) => Ok(Some(*refusal.note)),
        Ok(ClusterAnswer::Unstored(note)) => Ok(Some(note)),
        Ok(_) => Ok(None),
        Err(error) => Err(StartError::FirstStart(format!("the master passphrase was not taken: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: Option<&Path>, variables: &[(&str, &str)]) -> Result<Option<(String, String)>, String> {
        let variable = |name: &str| {
            let given = variables.iter().find(|(key, _)| *key == name);
            given.map(|(_, value)| OsString::from(value))
        };
        let given = find(file, &variable).map_err(|error| error.to_string())?;
        Ok(given.map(|given| (given.source, given.passphrase.expose().to_owned())))
    }

    #[test]
    fn the_first_place_that_has_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "of the file\n").unwrap();
        let at = folder.path().to_str().unwrap();
        let named = |source: &str, text: &str| Ok(Some((source.to_owned(), text.to_owned())));
        assert_eq!(found(None, &[]), Ok(None));
        assert_eq!(found(None, &[(VARIABLE, "")]), Ok(None));
        assert_eq!(found(Some(&file), &[]), named(file.to_str().unwrap(), "of the file"));
        assert_eq!(found(Some(&file), &[(VARIABLE, "of the variable ")]), named(VARIABLE, "of the variable "));
        let both = [(VARIABLE, "x"), (CREDENTIALS, at)];
        assert_eq!(found(Some(&file), &both), named(VARIABLE, "x"), "a unit may have other credentials");
        let credential = folder.path().join(CREDENTIAL);
        std::fs::write(&credential, "of systemd\r\n").unwrap();
        assert_eq!(found(Some(&file), &both), named(credential.to_str().unwrap(), "of systemd"));
    }

    #[test]
    fn a_file_that_is_named_has_to_be_there() {
        let error = found(Some(Path::new("/nowhere/passphrase")), &[]).unwrap_err();
        assert!(error.contains("/nowhere/passphrase") && error.contains("passphrase_file"), "{error}");
    }
}
