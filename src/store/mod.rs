//! The store: keeps the records of the controller's decisions, durably and each decision whole. It never knows what a
//! record means: bodies are JSON text to it.
//!
//! ```text
//! trait Store ── Redb       one file, group commit in one transaction
//!             ── Memory     for tests and benches
//!             ── Frozen     what a file held when it was looked at; refuses writes
//!             ── Journaled  over any Objects (single objects, no transactions): journal, records, journal gone
//! survey      raw content -> records + the repairs that a load makes      admin   check, export, import
//! envelope    body + schema + checksum                                    migrate the steps between schemas
//! ```

pub mod admin;
mod envelope;
mod error;
mod journal;
mod memory;
mod migrate;
mod record;
mod redb;
mod survey;

pub use self::error::StoreError;
pub use self::journal::{Journaled, Objects};
pub use self::memory::{Crash, Memory, MemoryObjects, SharedAreas};
pub use self::migrate::{SCHEMA, Schema, Step};
pub use self::record::{Batch, MAX_BODY_BYTES, MAX_NAME_BYTES, Record, RecordKey, RecordKind, Write};
pub use self::redb::{FILE_NAME, Frozen, Redb};
pub use self::survey::{Area, Areas, RawMap};

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitInfo {
    /// Number of this commit since the store was opened, from 1; an empty commit has the number of the one before.
    pub sequence: u64,
    /// Records written and deleted.
    pub writes: usize,
    /// Bytes of the bodies that were written.
    pub bytes: usize,
}

impl CommitInfo {
    fn of(sequence: u64, batches: &[Batch]) -> Self {
        let body = |write: &Write| match write {
            Write::Put(record) => record.body.len(),
            Write::Delete(_) => 0,
        };
        let writes = || batches.iter().flatten();
        CommitInfo { sequence, writes: writes().count(), bytes: writes().map(body).sum() }
    }
}

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// Every readable record in the current schema, in the order of the keys.
    pub records: Vec<Record>,
    /// Everything in quarantine, of this load and of earlier ones.
    pub quarantined: Vec<Quarantined>,
    /// Decisions that had been cut off half-way and were completed from their journal.
    pub replayed_journals: usize,
    /// Records that were brought to the current schema.
    pub migrated: usize,
}

/// When a record came into quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// This load found it: worth an event.
    Now,
    /// An earlier load found it.
    Earlier,
}

/// A record that could not be read, and was put aside as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its key as it stood in the store, `kind/name`; bytes that are not text are escaped.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
    /// Its bytes as they were.
    pub bytes: Vec<u8>,
    /// When it was found.
    pub found: Found,
}

/// A keeper of records, with one writer.
///
/// - **Durable**: when [`commit`](Store::commit) has answered, its batches outlive the process and the machine's power.
/// - **Whole**: of each batch everything is kept, or nothing, whenever the process ends. Stores without transactions
///   write a journal record first, then the records, then remove the journal; a load completes what a journal holds.
/// - **In order**: a later batch of one commit never outlives an earlier one.
/// - **Load first**: a commit is refused before the first load, and after a failed commit (whose outcome is unknown)
///   until the next one.
///
/// Calls block on the disk: call them off the system thread.
pub trait Store: Send + Sync {
    /// Reads everything, after the repairs that are due: journals replayed, older records migrated (backup first),
    /// unreadable ones quarantined. A record of a newer schema fails it, and nothing is changed.
    fn load(&self) -> Result<Loaded, StoreError>;

    /// What a load would give, without any change.
    fn peek(&self) -> Result<Loaded, StoreError>;

    /// Keeps the batches in one durable step. A [`StoreError::Refused`] wrote nothing and costs nothing; after any
    /// other error a prefix of the batches may have been kept: load again.
    fn commit(&self, batches: &[Batch]) -> Result<CommitInfo, StoreError>;

    /// Puts a record aside whose reader cannot make sense of it. A record that is not there is success.
    fn quarantine(&self, key: &RecordKey, reason: &str) -> Result<(), StoreError>;

    /// The schema that this store writes.
    fn schema(&self) -> Schema;
}

/// Refuses batches of which something could not be read back.
fn judge(batches: &[Batch], schema: Schema) -> Result<(), StoreError> {
    batches.iter().flatten().try_for_each(|write| write.judge(schema.current()))
}
