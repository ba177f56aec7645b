//! `zea encryption`, and the passphrase of a volume. What is asked for goes into a body, and nowhere else.

use crate::cli::args::EncryptionCommand;
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::session::Session;
use crate::cli::views;
use crate::protocols::rest::definition::VolumeDefinitionModifyPassphrase;
use crate::protocols::rest::encryption::{PassPhraseCreate, PassphraseStatus};
use crate::protocols::rest::routes::Method;
use crate::protocols::rest::shape::Secret;

const PASSPHRASE: &str = "/v1/encryption/passphrase";
const WAITING: &str = "/v1/zea/encryption";
const OF_VOLUME: &str = "/v1/resource-definitions/{}/volume-definitions/{}/encryption-passphrase";

/// Carries a command out.
pub fn run(command: &EncryptionCommand, session: &mut Session) -> Result<(), CliError> {
    match command {
        EncryptionCommand::CreatePassphrase => {
            let new_passphrase = fresh(session, "New master passphrase")?;
            let body = PassPhraseCreate { new_passphrase, ..Default::default() };
            session.change(&Call::post(PASSPHRASE, &[]).with(&body))
        }
        EncryptionCommand::Enter => {
            let passphrase = known(session, "Master passphrase")?;
            session.change(&Call::new(Method::Patch, PASSPHRASE, &[]).with(&passphrase))
        }
        EncryptionCommand::Modify => {
            let old_passphrase = Some(known(session, "Old master passphrase")?);
            let new_passphrase = fresh(session, "New master passphrase")?;
            session.change(&Call::put(PASSPHRASE, &[]).with(&PassPhraseCreate { new_passphrase, old_passphrase }))
        }
        EncryptionCommand::Status => status(session),
    }
}

/// Only our own controllers tell what waits.
fn status(session: &mut Session) -> Result<(), CliError> {
    if session.is_json() {
        return session.show(&Call::get(PASSPHRASE, &[]), views::lock_state);
    }
    let status: PassphraseStatus = session.fetch(&Call::get(PASSPHRASE, &[]))?;
    let waiting = session.fetch_if_there(&Call::get(WAITING, &[]));
    session.print_page(&views::encryption(&status.status, waiting))
}

/// Gives a volume another passphrase.
pub fn volume(resource: &str, number: u16, session: &mut Session) -> Result<(), CliError> {
    let new_passphrase = fresh(session, &format!("New passphrase of volume {number} of {resource}"))?;
    let body = VolumeDefinitionModifyPassphrase { new_passphrase };
    session.change(&Call::put(OF_VOLUME, &[resource, &number.to_string()]).with(&body))
}

fn known(session: &mut Session, prompt: &str) -> Result<Secret, CliError> {
    session.passphrases().known(prompt).map_err(CliError::Failed)
}

fn fresh(session: &mut Session, prompt: &str) -> Result<Secret, CliError> {
    session.passphrases().fresh(prompt).map_err(CliError::Failed)
}
