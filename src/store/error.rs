//! What can go wrong with a store: each error names the cause and the cure. It never wraps what a caller did wrong
//! into what a disk did wrong: [`StoreError::Refused`] is the caller's fault.

use std::io;
use std::path::PathBuf;

impl StoreError {
    /// What helps when it came up while the store was in use.
    #[must_use]
    pub fn cure(&self) -> &'static str {
        match self {
            StoreError::Io { source, .. } => cure_of(source),
            StoreError::Locked { .. } => "Stop the other process",
            StoreError::Damaged { .. } => "Stop zead, move the file aside and restore the last export",
            _ => "Look at the log and at the disk that the store lies on",
        }
    }
}

fn cure_of(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Free room on the file system of the store",
        io::ErrorKind::ReadOnlyFilesystem => {
            "Mount the file system of the store for writing; the kernel log tells why it is not"
        }
        io::ErrorKind::PermissionDenied => "Let zead write to the store's folder",
        _ => "Look at the kernel log and at the disk that the store lies on",
    }
}

/// What a store answers when it cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the file.
    #[error(
        "{} is open in another process: stop zead and try again, or use `zea` against the running daemon",
        path.display()
    )]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// There is no such file, and the caller did not want one to be made.
    #[error("{} does not exist: name the data folder that zead runs with, or start zead once to make it", path.display())]
    Missing {
        /// The database file.
        path: PathBuf,
    },
    /// The file as a whole cannot be read.
    #[error(
        "{} is damaged ({what}): move it aside and restore the last export with `zea store import`",
        path.display()
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A record was written by a newer version.
    #[error(
        "{key} has schema {found}, this version knows schema {ours} at most: start the newer version of zead again, or \
         restore the backup that it made before it migrated (`*.before-schema-{found}`)"
    )]
    Newer {
        /// The record, `kind/name`.
        key: String,
        /// The schema of the record.
        found: u32,
        /// The newest schema that is known here.
        ours: u32,
    },
    /// The caller wants to write what could not be read back. Nothing was written.
    #[error("{key} cannot be stored: {why}")]
    Refused {
        /// The record, `kind/name`.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// A commit without a load since the store was opened, or since a commit failed.
    #[error("the store must be loaded first: what it holds is not known since it was opened or since a commit failed")]
    NotLoaded,
    /// The store was opened to look at it only.
    #[error("{} was opened for reading only: open it for writing", path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, in the infinitive.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The database engine refused; after a commit its outcome is unknown until the next load.
    #[error("cannot {doing} {}: {source}", path.display())]
    Engine {
        /// What was tried, in the infinitive.
        doing: &'static str,
        /// The database file.
        path: PathBuf,
        /// The engine's answer.
        #[source]
        source: Box<::redb::Error>,
    },
    /// A store of single objects could not be reached; the outcome of a write is unknown until the next load.
    #[error("cannot {doing} {key}: {why}")]
    Unreachable {
        /// What was tried, in the infinitive.
        doing: &'static str,
        /// The object.
        key: String,
        /// The other side's answer.
        why: String,
    },
}
