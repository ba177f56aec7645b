//! The embedded store: one redb file. Every commit is one transaction that is on the disk when it answers, so journals
//! are never needed here. It never trusts the engine not to panic on a damaged file.

mod file;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::redb::{Database, ReadableDatabase, TableDefinition, TableError};

use self::file::{engine, guarded};
use super::error::StoreError;
use super::migrate::Schema;
use super::record::{Batch, RecordKey};
use super::survey::{Area, Areas, RawChange, RawMap, Survey, survey};
use super::{CommitInfo, Loaded, Store, judge};

/// Name of the file in the data folder.
pub const FILE_NAME: &str = "zea.redb";

/// Memory for pages of the file, in bytes. After a load only the pages that commits touch are needed: what the
/// records hold lives in the model.
const CACHE_BYTES: usize = 8 << 20;

/// Below this size, in bytes, a file is not compacted: there is nothing to win.
const COMPACT_FLOOR_BYTES: u64 = 8 << 20;

/// A file is compacted at its load when more than one part in this many of it is unused: half.
const COMPACT_UNUSED_PART: u64 = 2;

type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

const TABLES: [(Area, Table); 3] = [
    (Area::Records, Table::new("records")),
    (Area::Journal, Table::new("journal")),
    (Area::Quarantine, Table::new("quarantine")),
];

fn table(area: Area) -> Table {
    let [(_, records), (_, journal), (_, quarantine)] = TABLES;
    match area {
        Area::Records => records,
        Area::Journal => journal,
        Area::Quarantine => quarantine,
    }
}

/// A store in one file. One process at a time opens it.
#[derive(Debug)]
pub struct Redb {
    path: PathBuf,
    schema: Schema,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// None after the engine failed: the next load opens the file anew.
    database: Option<Database>,
    loaded: bool,
    sequence: u64,
}

impl Redb {
    /// Opens the store of a data folder. A folder that is not there is made, with mode 0700, and an empty store in it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Redb::open_with(folder, Schema::default())
    }

    /// The same with another schema.
    pub fn open_with(folder: &Path, schema: Schema) -> Result<Self, StoreError> {
        let path = file::prepare(folder)?;
        let database = file::open(&path)?;
        Ok(Redb { path, schema, state: Mutex::new(State { database: Some(database), loaded: false, sequence: 0 }) })
    }

    /// Opens the store of a data folder that must be there: for people who name one.
    pub fn open_existing(folder: &Path) -> Result<Self, StoreError> {
        file::must_exist(folder)?;
        Redb::open(folder)
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held leaves `loaded` false: the next load finds out.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn survey(&self, state: &mut State) -> Result<Survey, StoreError> {
        let database = self.database(state)?;
        let areas = guarded(&self.path, || read(database, &self.path))?;
        survey(areas, self.schema)
    }

    fn database<'a>(&self, state: &'a mut State) -> Result<&'a mut Database, StoreError> {
        match &mut state.database {
            Some(database) => Ok(database),
            closed => Ok(closed.insert(file::open(&self.path)?)),
        }
    }

    /// Makes the changes in one durable transaction. After a failure the file is closed until the next load.
    fn apply(&self, state: &mut State, changes: impl Iterator<Item = RawChange>) -> Result<(), StoreError> {
        let Some(database) = &mut state.database else { return Err(StoreError::NotLoaded) };
        let result = guarded(&self.path, || write(database, &self.path, changes));
        if result.is_err() {
            self.close(state);
        }
        result
    }

    fn close(&self, state: &mut State) {
        state.loaded = false;
        let database = state.database.take();
        // Everything acknowledged is on the disk already: what fails here costs the next opening a repair.
        let _ = guarded(&self.path, || {
            drop(database);
            Ok(())
        });
    }

    /// A file that cannot be compacted, for want of room or otherwise, is as good as before: no load fails for it.
    fn compact_if_wasteful(&self, state: &mut State, held_bytes: u64) -> Result<(), StoreError> {
        let length = fs::metadata(&self.path).map_err(file::io("read", &self.path))?.len();
        // The first look costs nothing and settles it nearly always.
        if length < COMPACT_FLOOR_BYTES || held_bytes > length - length / COMPACT_UNUSED_PART {
            return Ok(());
        }
        let database = self.database(state)?;
        if let Err(error) = guarded(&self.path, || compact(database, &self.path, length)) {
            tracing::warn!(path = %self.path.display(), %error, "the store stays as large as it is");
            self.close(state);
            self.database(state)?;
        }
        Ok(())
    }
}

impl Drop for Redb {
    /// Closing writes to the file, and stumbles over damage like everything else.
    fn drop(&mut self) {
        self.close(&mut self.state());
    }
}

impl Store for Redb {
    fn load(&self) -> Result<Loaded, StoreError> {
        let mut state = self.state();
        state.loaded = false;
        let survey = self.survey(&mut state)?;
        if let Some(schema) = survey.migrates_from {
            file::backup(&self.path, schema)?;
        }
        if !survey.repairs.is_empty() {
            self.apply(&mut state, survey.repairs.into_iter())?;
        }
        let loaded = survey.loaded;
        let held = loaded.records.iter().map(|r| r.body.len()).sum::<usize>()
            + loaded.quarantined.iter().map(|q| q.bytes.len()).sum::<usize>();
        self.compact_if_wasteful(&mut state, held as u64)?;
        state.loaded = true;
        Ok(loaded)
    }

    fn peek(&self) -> Result<Loaded, StoreError> {
        Ok(self.survey(&mut self.state())?.loaded)
    }

    fn commit(&self, batches: &[Batch]) -> Result<CommitInfo, StoreError> {
        judge(batches, self.schema)?;
        let mut state = self.state();
        if !state.loaded {
            return Err(StoreError::NotLoaded);
        }
        if batches.iter().any(|batch| !batch.is_empty()) {
            self.apply(&mut state, batches.iter().flatten().map(RawChange::of))?;
            state.sequence += 1;
        }
        Ok(CommitInfo::of(state.sequence, batches))
    }

    fn quarantine(&self, key: &RecordKey, reason: &str) -> Result<(), StoreError> {
        let mut state = self.state();
        let database = self.database(&mut state)?;
        let key = key.to_bytes();
        let Some(value) = guarded(&self.path, || value_of(database, &self.path, &key))? else { return Ok(()) };
        let changes = RawChange::quarantine(Area::Records, &key, &value, reason);
        self.apply(&mut state, changes.into_iter())
    }

    fn schema(&self) -> Schema {
        self.schema
    }
}

/// What a file held when it was looked at: no lock is kept, nothing is changed in the file, not even the repair that a
/// file needs whose process was killed.
#[derive(Debug)]
pub struct Frozen {
    path: PathBuf,
    schema: Schema,
    areas: Areas,
}

impl Frozen {
    /// Reads the store of a data folder that must be there.
    pub fn read(folder: &Path) -> Result<Self, StoreError> {
        let path = file::must_exist(folder)?;
        let areas = guarded(&path, || file::look(&path))?;
        Ok(Frozen { path, schema: Schema::default(), areas })
    }

    fn refuse<T>(&self) -> Result<T, StoreError> {
        Err(StoreError::ReadOnly { path: self.path.clone() })
    }
}

impl Store for Frozen {
    fn load(&self) -> Result<Loaded, StoreError> {
        self.refuse()
    }

    fn peek(&self) -> Result<Loaded, StoreError> {
        Ok(survey(self.areas.clone(), self.schema)?.loaded)
    }

    fn commit(&self, _batches: &[Batch]) -> Result<CommitInfo, StoreError> {
        self.refuse()
    }

    fn quarantine(&self, _key: &RecordKey, _reason: &str) -> Result<(), StoreError> {
        self.refuse()
    }

    fn schema(&self) -> Schema {
        self.schema
    }
}

fn read(database: &impl ReadableDatabase, path: &Path) -> Result<Areas, StoreError> {
    let failed = |e: ::redb::Error| engine("read", path)(e);
    let transaction = database.begin_read().map_err(|e| failed(e.into()))?;
    let mut areas = Areas::default();
    for (area, definition) in TABLES {
        let table = match transaction.open_table(definition) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => continue,
            Err(e) => return Err(failed(e.into())),
        };
        let map: &mut RawMap = areas.area_mut(area);
        for entry in ::redb::ReadableTable::iter(&table).map_err(|e| failed(e.into()))? {
            let (key, value) = entry.map_err(|e| failed(e.into()))?;
            map.insert(key.value().to_vec(), value.value().to_vec());
        }
    }
    Ok(areas)
}

fn value_of(database: &Database, path: &Path, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let failed = |e: ::redb::Error| engine("read", path)(e);
    let transaction = database.begin_read().map_err(|e| failed(e.into()))?;
    let table = match transaction.open_table(table(Area::Records)) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(e) => return Err(failed(e.into())),
    };
    let value = ::redb::ReadableTable::get(&table, key).map_err(|e| failed(e.into()))?;
    Ok(value.map(|value| value.value().to_vec()))
}

fn write(database: &Database, path: &Path, changes: impl Iterator<Item = RawChange>) -> Result<(), StoreError> {
    let failed = |e: ::redb::Error| engine("write", path)(e);
    // Durability is Immediate unless told otherwise: the commit answers after the disk did.
    let transaction = database.begin_write().map_err(|e| failed(e.into()))?;
    {
        let mut records = transaction.open_table(table(Area::Records)).map_err(|e| failed(e.into()))?;
        for change in changes {
            if change.area == Area::Records {
                change_in(&mut records, &change).map_err(|e| failed(e.into()))?;
            } else {
                let mut other = transaction.open_table(table(change.area)).map_err(|e| failed(e.into()))?;
                change_in(&mut other, &change).map_err(|e| failed(e.into()))?;
            }
        }
    }
    transaction.commit().map_err(|e| failed(e.into()))
}

fn change_in(
    table: &mut ::redb::Table<'_, &'static [u8], &'static [u8]>,
    change: &RawChange,
) -> Result<(), ::redb::StorageError> {
    match &change.value {
        Some(value) => table.insert(change.key.as_slice(), value.as_slice()).map(drop),
        None => table.remove(change.key.as_slice()).map(drop),
    }
}

fn compact(database: &mut Database, path: &Path, length: u64) -> Result<(), StoreError> {
    let failed = |e: ::redb::Error| engine("compact", path)(e);
    let transaction = database.begin_write().map_err(|e| failed(e.into()))?;
    let stats = transaction.stats().map_err(|e| failed(e.into()))?;
    transaction.abort().map_err(|e| failed(e.into()))?;
    let used = stats.allocated_pages() * stats.page_size() as u64;
    if length.saturating_sub(used) > length / COMPACT_UNUSED_PART {
        database.compact().map_err(|e| failed(e.into()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::{Record, RecordKind, Write};

    fn put(name: &str) -> Write {
        Write::Put(Record::new(RecordKey::new(RecordKind::Node, name), "{}"))
    }

    #[test]
    fn an_engine_that_fails_in_a_commit_keeps_nothing_of_it_and_is_opened_anew_by_the_load() {
        let folder = tempfile::tempdir().unwrap();
        let store = Redb::open(folder.path()).unwrap();
        store.load().unwrap();
        store.commit(&[vec![put("before")]]).unwrap();
        let fails = [put("half"), put("other")].into_iter().map(|write| match &write.key().name {
            name if name == "other" => panic!("the engine fails here"),
            _ => RawChange::of(&write),
        });
        let error = store.apply(&mut store.state(), fails).unwrap_err();
        assert!(error.to_string().contains("the engine fails here"), "{error}");
        assert!(matches!(store.commit(&[vec![put("after")]]), Err(StoreError::NotLoaded)));
        assert_eq!(store.load().unwrap().records.len(), 1);
        store.commit(&[vec![put("after")]]).unwrap();
        assert_eq!(store.load().unwrap().records.len(), 2);
    }
}
