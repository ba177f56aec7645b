//! Why a command did not do what it was asked for, and the exit code of each reason. Never prints.

use std::io;

use super::controllers::AddressError;
use crate::protocols::rest::rc::ApiCallRc;
use crate::store::StoreError;
use crate::store::admin::AdminError;

/// Everything was done.
pub const EXIT_DONE: u8 = 0;
/// The output could not be written.
pub const EXIT_OUTPUT: u8 = 1;
/// The arguments, or the configuration file, are wrong.
pub const EXIT_ARGUMENTS: u8 = 2;
/// The controller, or the store, refused.
pub const EXIT_REFUSED: u8 = 10;
/// No controller answered.
pub const EXIT_CONNECTION: u8 = 20;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The arguments or the configuration file.
    #[error("{0}")]
    Usage(String),
    /// An address of a controller.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A file for TLS.
    #[error("{path}: {why}")]
    Tls {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// No controller took the request.
    #[error("no controller answers:{}\nIs zead running? Name the right controllers with --controllers or ZEA_CONTROLLERS.", list(.0))]
    Unreachable(Vec<Attempt>),
    /// The request went out, but its answer did not come in.
    #[error(
        "{} took the request, but its answer did not come: {}. It may have been carried out: look before you try again",
        .0.controller,
        .0.why
    )]
    NoAnswer(Attempt),
    /// The controller refused, and said why.
    #[error("the controller refused")]
    Refused(Vec<ApiCallRc>),
    /// The controller refused, and its answer is printed already.
    #[error("the controller refused")]
    RefusedAndTold,
    /// What answered speaks another language.
    #[error("{controller} answered with status {status} and something that is not the API's: {what}")]
    Strange {
        /// Who answered.
        controller: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong, or the beginning of the answer.
        what: String,
    },
    /// Something that should have come to be did not.
    #[error("{0}")]
    Failed(String),
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A store's check, export or import.
    #[error(transparent)]
    StoreAdmin(#[from] AdminError),
    /// Standard output or a file.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// A controller that was tried in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its address.
    pub controller: String,
    /// Why it was in vain.
    pub why: String,
}

fn list(attempts: &[Attempt]) -> String {
    attempts.iter().map(|attempt| format!("\n  {}: {}", attempt.controller, attempt.why)).collect()
}

impl CliError {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Usage(_) | CliError::Address(_) | CliError::Tls { .. } => EXIT_ARGUMENTS,
            CliError::Unreachable(_) | CliError::NoAnswer(_) => EXIT_CONNECTION,
            CliError::Refused(_)
            | CliError::RefusedAndTold
            | CliError::Strange { .. }
            | CliError::Failed(_)
            | CliError::Store(_)
            | CliError::StoreAdmin(_) => EXIT_REFUSED,
            // Whoever reads has enough, as `zea … | head` does.
            CliError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => EXIT_DONE,
            CliError::Output(_) => EXIT_OUTPUT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_controller_is_named_with_its_reason() {
        let attempt = |controller: &str, why: &str| Attempt { controller: controller.to_owned(), why: why.to_owned() };
        let error =
            CliError::Unreachable(vec![attempt("http://a:1", "refused"), attempt("http://b:2", "unknown host")]);
        let text = error.to_string();
        assert!(text.contains("\n  http://a:1: refused\n  http://b:2: unknown host\n"), "{text}");
        assert_eq!(error.exit_code(), EXIT_CONNECTION);
        assert!(CliError::NoAnswer(attempt("http://a:1", "reset")).to_string().contains("may have been carried out"));
    }

    #[test]
    fn a_reader_that_has_enough_is_no_error() {
        assert_eq!(CliError::Output(io::ErrorKind::BrokenPipe.into()).exit_code(), EXIT_DONE);
        assert_eq!(CliError::Output(io::ErrorKind::StorageFull.into()).exit_code(), EXIT_OUTPUT);
    }
}
