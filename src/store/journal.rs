//! Whole decisions on stores that can only write one object at a time: a journal first, then the records, then the
//! journal goes. It never leaves a journal behind a later write: after a failed commit it takes nothing until a load
//! has replayed what is there.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::migrate::Schema;
use super::record::{Batch, RecordKey, RecordKind, RecordText, Write};
use super::survey::{Area, Areas, RawChange, RawMap, Survey, survey};
use super::{CommitInfo, Loaded, Store, envelope, judge};

/// Single objects in three areas: what a store without transactions can do. Each put and remove is durable and whole
/// by itself; a failed one may or may not have happened.
pub trait Objects: Send + Sync {
    /// Everything in an area.
    fn list(&self, area: Area) -> Result<RawMap, StoreError>;
    /// One object.
    fn get(&self, area: Area, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// Makes or replaces one object.
    fn put(&self, area: Area, key: &[u8], value: &[u8]) -> Result<(), StoreError>;
    /// Removes one object; one that is not there is success.
    fn remove(&self, area: Area, key: &[u8]) -> Result<(), StoreError>;
    /// Keeps a copy of everything aside, before records of that schema are migrated.
    fn backup(&self, before_schema: u32) -> Result<(), StoreError>;
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WriteText<'a> {
    Put(RecordText<'a>),
    Delete { kind: RecordKind, name: Cow<'a, str> },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JournalText<'a> {
    writes: Vec<WriteText<'a>>,
}

/// The journal of a batch.
fn entry(sequence: u64, batch: &Batch, schema: Schema) -> Result<RawChange, StoreError> {
    let writes = batch.iter().map(text_of).collect::<Result<_, _>>()?;
    let body = serde_json::to_vec(&JournalText { writes }).expect("every key of a journal is text");
    let key = format!("{sequence:020}").into_bytes();
    let value = envelope::seal(&key, schema.current(), &body);
    Ok(RawChange::put(Area::Journal, key, value))
}

fn text_of(write: &Write) -> Result<WriteText<'_>, StoreError> {
    match write {
        Write::Put(record) => RecordText::of(record)
            .map(WriteText::Put)
            .map_err(|why| StoreError::Refused { key: record.key.to_string(), why }),
        Write::Delete(key) => Ok(WriteText::Delete { kind: key.kind, name: Cow::Borrowed(&key.name) }),
    }
}

/// Schema and writes of a journal; an unreadable one is given back with what is wrong.
pub(crate) fn read(key: &[u8], value: Vec<u8>) -> Result<(u32, Vec<Write>), (String, Vec<u8>)> {
    let (schema, body) = envelope::open(key, value)?;
    let text = match serde_json::from_slice::<JournalText<'static>>(&body) {
        Ok(text) => text,
        Err(e) => return Err((format!("it is no journal: {e}"), envelope::seal(key, schema, &body))),
    };
    let write = |text| match text {
        WriteText::Put(record) => Write::Put(record.into_record()),
        WriteText::Delete { kind, name } => Write::Delete(RecordKey::new(kind, name)),
    };
    Ok((schema, text.writes.into_iter().map(write).collect()))
}

/// A store of whole decisions over single objects. A decision of one record needs no journal.
pub struct Journaled<O> {
    objects: O,
    schema: Schema,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    loaded: bool,
    sequence: u64,
    /// Number of the last journal of this process: a load leaves none of an earlier one.
    journal: u64,
}

impl<O: Objects> Journaled<O> {
    /// A store over these objects.
    pub fn new(objects: O, schema: Schema) -> Self {
        Journaled { objects, schema, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held leaves `loaded` false: the next load finds out.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn survey(&self) -> Result<Survey, StoreError> {
        let list = |area| self.objects.list(area);
        let areas = Areas {
            // The journal first: a record that is listed later is at least as new.
            journal: list(Area::Journal)?,
            records: list(Area::Records)?,
            quarantine: list(Area::Quarantine)?,
        };
        survey(areas, self.schema)
    }

    fn apply(&self, change: &RawChange) -> Result<(), StoreError> {
        match &change.value {
            Some(value) => self.objects.put(change.area, &change.key, value),
            None => self.objects.remove(change.area, &change.key),
        }
    }

    fn keep(&self, batch: &Batch, journal: u64) -> Result<(), StoreError> {
        if let [write] = batch.as_slice() {
            return self.apply(&RawChange::of(write));
        }
        let entry = entry(journal, batch, self.schema)?;
        self.apply(&entry)?;
        batch.iter().try_for_each(|write| self.apply(&RawChange::of(write)))?;
        self.objects.remove(Area::Journal, &entry.key)
    }
}

impl<O: Objects> Store for Journaled<O> {
    fn load(&self) -> Result<Loaded, StoreError> {
        let mut state = self.state();
        state.loaded = false;
        let survey = self.survey()?;
        if let Some(schema) = survey.migrates_from {
            self.objects.backup(schema)?;
        }
        survey.repairs.iter().try_for_each(|change| self.apply(change))?;
        state.loaded = true;
        Ok(survey.loaded)
    }

    fn peek(&self) -> Result<Loaded, StoreError> {
        let _no_commit_meanwhile = self.state();
        Ok(self.survey()?.loaded)
    }

    fn commit(&self, batches: &[Batch]) -> Result<CommitInfo, StoreError> {
        judge(batches, self.schema)?;
        let mut state = self.state();
        if !std::mem::take(&mut state.loaded) {
            return Err(StoreError::NotLoaded);
        }
        let mut kept = 0;
        for batch in batches.iter().filter(|batch| !batch.is_empty()) {
            state.journal += 1;
            self.keep(batch, state.journal)?;
            kept = 1;
        }
        state.sequence += kept;
        state.loaded = true;
        Ok(CommitInfo::of(state.sequence, batches))
    }

    fn quarantine(&self, key: &RecordKey, reason: &str) -> Result<(), StoreError> {
        let _no_commit_meanwhile = self.state();
        let key = key.to_bytes();
        let Some(value) = self.objects.get(Area::Records, &key)? else { return Ok(()) };
        RawChange::quarantine(Area::Records, &key, &value, reason).iter().try_for_each(|change| self.apply(change))
    }

    fn schema(&self) -> Schema {
        self.schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::Record;

    fn batch() -> Batch {
        let key = |name: &str| RecordKey::new(RecordKind::ResourceDefinition, name);
        vec![
            Write::Put(Record::new(key("a"), "{\"n\": [1,\n2]}")),
            Write::Delete(key("b/\"quoted\"")),
            Write::Put(Record::new(key("ü"), "null")),
        ]
    }

    #[test]
    fn a_journal_gives_its_writes_back_in_order() {
        let entry = entry(7, &batch(), Schema::default()).unwrap();
        assert_eq!(entry.key, b"00000000000000000007");
        let (schema, writes) = read(&entry.key, entry.value.unwrap()).unwrap();
        assert_eq!(schema, 1);
        let keys = |writes: &[Write]| writes.iter().map(|w| w.key().to_string()).collect::<Vec<_>>();
        assert_eq!(keys(&writes), keys(&batch()));
        assert!(matches!(&writes[0], Write::Put(record) if record.body == b"{\"n\": [1, 2]}"));
        assert!(matches!(&writes[1], Write::Delete(_)));
    }

    #[test]
    fn a_journal_that_is_none_is_given_back_as_it_was() {
        for body in ["", "{}", "{\"writes\":[{\"put\":{}}]}", "{\"writes\":[{\"move\":1}]}"] {
            let sealed = envelope::seal(b"1", 1, body.as_bytes());
            let (why, bytes) = read(b"1", sealed.clone()).unwrap_err();
            assert!(why.contains("no journal"), "{why}");
            assert_eq!(bytes, sealed);
        }
    }
}
