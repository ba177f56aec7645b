//! Stores that live in memory: for tests and benches. They keep the same raw content as the others, so that the same
//! damage can be done to it; they never outlive the process.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::StoreError;
use super::journal::Objects;
use super::migrate::Schema;
use super::record::{Batch, RecordKey};
use super::survey::{Area, Areas, RawChange, RawMap, survey};
use super::{CommitInfo, Loaded, Store, judge};

/// Raw content that outlives the stores over it: what a disk is to the others.
#[derive(Debug, Clone, Default)]
pub struct SharedAreas(Arc<Mutex<Areas>>);

impl SharedAreas {
    /// The content, to look at it or to damage it.
    pub fn lock(&self) -> MutexGuard<'_, Areas> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store in memory, whole per commit.
#[derive(Debug, Default)]
pub struct Memory {
    areas: SharedAreas,
    schema: Schema,
    loaded: AtomicBool,
    sequence: AtomicU64,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Memory::default()
    }

    /// A store over content that is there.
    pub fn over(areas: SharedAreas, schema: Schema) -> Self {
        Memory { areas, schema, ..Memory::default() }
    }
}

impl Store for Memory {
    fn load(&self) -> Result<Loaded, StoreError> {
        let mut areas = self.areas.lock();
        let survey = survey(areas.clone(), self.schema)?;
        survey.repairs.into_iter().for_each(|change| areas.apply(change));
        self.loaded.store(true, Ordering::Release);
        Ok(survey.loaded)
    }

    fn peek(&self) -> Result<Loaded, StoreError> {
        Ok(survey(self.areas.lock().clone(), self.schema)?.loaded)
    }

    fn commit(&self, batches: &[Batch]) -> Result<CommitInfo, StoreError> {
        judge(batches, self.schema)?;
        if !self.loaded.load(Ordering::Acquire) {
            return Err(StoreError::NotLoaded);
        }
        let mut areas = self.areas.lock();
        batches.iter().flatten().for_each(|write| areas.apply(RawChange::of(write)));
        let kept = u64::from(batches.iter().any(|batch| !batch.is_empty()));
        let sequence = self.sequence.fetch_add(kept, Ordering::AcqRel) + kept;
        Ok(CommitInfo::of(sequence, batches))
    }

    fn quarantine(&self, key: &RecordKey, reason: &str) -> Result<(), StoreError> {
        let key = key.to_bytes();
        let mut areas = self.areas.lock();
        if let Some(value) = areas.records.get(&key).cloned() {
            RawChange::quarantine(Area::Records, &key, &value, reason).into_iter().for_each(|c| areas.apply(c));
        }
        Ok(())
    }

    fn schema(&self) -> Schema {
        self.schema
    }
}

/// Where [`MemoryObjects`] stops to answer, as a process that was killed or a server that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The nth write from now (0 is the next) does not happen.
    Before(u32),
    /// The nth write from now happens, and its answer is lost.
    After(u32),
}

/// Single objects in memory, with crash points: what the journal is proven on.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    areas: SharedAreas,
    crash: Mutex<Option<Crash>>,
}

impl MemoryObjects {
    /// Objects over content that is there, which stop at the crash point; nothing answers after it.
    pub fn over(areas: SharedAreas, crash: Option<Crash>) -> Self {
        MemoryObjects { areas, crash: Mutex::new(crash) }
    }

    fn write(&self, change: RawChange) -> Result<(), StoreError> {
        let key = change.key.escape_ascii().to_string();
        let cut_off = || StoreError::Unreachable { doing: "write", key: key.clone(), why: "cut off".to_owned() };
        let mut crash = self.crash.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *crash {
            Some(Crash::Before(0)) => return Err(cut_off()),
            Some(point @ Crash::After(0)) => {
                *point = Crash::Before(0);
                self.areas.lock().apply(change);
                return Err(cut_off());
            }
            Some(Crash::Before(left) | Crash::After(left)) => *left -= 1,
            None => {}
        }
        self.areas.lock().apply(change);
        Ok(())
    }
}

impl Objects for MemoryObjects {
    fn list(&self, area: Area) -> Result<RawMap, StoreError> {
        Ok(self.areas.lock().area(area).clone())
    }

    fn get(&self, area: Area, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.areas.lock().area(area).get(key).cloned())
    }

    fn put(&self, area: Area, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.write(RawChange::put(area, key.to_vec(), value.to_vec()))
    }

    fn remove(&self, area: Area, key: &[u8]) -> Result<(), StoreError> {
        self.write(RawChange::remove(area, key.to_vec()))
    }

    fn backup(&self, _before_schema: u32) -> Result<(), StoreError> {
        // What dies with the process needs no backup.
        Ok(())
    }
}
