//! The controller's store: the real journal and records over memory, with crashes at any write, failing commits and
//! damaged records. It knows what was durable when, and so what a load must bring back.

use zea::actors::controller::records::{batch_of, change_of};
use zea::model::change::Change;
use zea::store::{Batch, Crash, Found, Journaled, MemoryObjects, Schema, SharedAreas, Store};

use super::random::Random;

/// How a controller's end hits a commit that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Before,
    Within,
    After,
}

/// See the module.
pub struct Disk {
    areas: SharedAreas,
    store: Journaled<MemoryObjects>,
    /// Records that were put aside since the last load of a controller.
    aside: Vec<String>,
    /// A defect: records go without a journal, so that a crash leaves half a decision.
    half_records: bool,
}

impl Disk {
    pub fn new(half_records: bool) -> Self {
        let areas = SharedAreas::default();
        let store = Journaled::new(MemoryObjects::over(areas.clone(), None), Schema::default());
        Self { areas, store, aside: Vec::new(), half_records }
    }

    /// Everything, as a controller that comes up reads it; what cannot be read is put aside and named.
    pub fn load(&mut self) -> (Vec<Change>, Vec<String>) {
        self.store = Journaled::new(MemoryObjects::over(self.areas.clone(), None), Schema::default());
        let loaded = self.store.load().expect("memory is always there");
        let mut aside = std::mem::take(&mut self.aside);
        let now = loaded.quarantined.into_iter().filter(|bad| bad.found == Found::Now);
        aside.extend(now.map(|bad| bad.key));
        let mut changes = Vec::new();
        for record in &loaded.records {
            match change_of(record) {
                Ok(change) => changes.extend(change),
                Err(error) => {
                    aside.push(record.key.to_string());
                    self.store.quarantine(&record.key, &error.to_string()).expect("memory is always there");
                }
            }
        }
        (changes, aside)
    }

    /// Keeps decisions, each whole.
    pub fn commit(&self, decisions: &[Vec<Change>]) {
        for batch in batches(decisions) {
            for part in self.parts(&batch) {
                self.store.commit(&[part]).expect("it was loaded before");
            }
        }
    }

    /// The commit ends somewhere, as the draw says. The next thing that happens to the disk is a load.
    pub fn cut_off(&mut self, decisions: &[Vec<Change>], random: &mut Random) -> Cut {
        let batches = batches(decisions);
        let writes: usize = batches.iter().map(|batch| if batch.len() == 1 { 1 } else { batch.len() + 2 }).sum();
        let at = random.below(writes as u64 + 1) as u32;
        let crash = if random.permille(500) { Crash::Before(at) } else { Crash::After(at) };
        let store = Journaled::new(MemoryObjects::over(self.areas.clone(), None), Schema::default());
        let loaded = store.load().expect("memory is always there");
        let now = loaded.quarantined.into_iter().filter(|bad| bad.found == Found::Now);
        self.aside.extend(now.map(|bad| bad.key));
        let store = Journaled::new(MemoryObjects::over(self.areas.clone(), Some(crash)), Schema::default());
        store.load().expect("nothing is to be repaired: it was loaded a moment ago");
        for part in batches.iter().flat_map(|batch| self.parts(batch)) {
            if store.commit(&[part]).is_err() {
                return if at == 0 && crash == Crash::Before(0) { Cut::Before } else { Cut::Within };
            }
        }
        Cut::After
    }

    fn parts(&self, batch: &Batch) -> Vec<Batch> {
        match self.half_records {
            true => batch.iter().map(|write| vec![write.clone()]).collect(),
            false => vec![batch.clone()],
        }
    }

    /// Spoils one record; which one is said.
    pub fn damage(&mut self, which: u64) -> Option<String> {
        let mut areas = self.areas.lock();
        let harmless = |key: &[u8]| !key.starts_with(b"controller-properties") && !key.starts_with(b"node/");
        let keys: Vec<Vec<u8>> = areas.records.keys().filter(|key| harmless(key)).cloned().collect();
        let key = keys.get(which as usize % keys.len().max(1))?.clone();
        let value = areas.records.get_mut(&key)?;
        let at = which as usize % value.len();
        value[at] ^= 0x40;
        Some(String::from_utf8_lossy(&key).into_owned())
    }
}

fn batches(decisions: &[Vec<Change>]) -> Vec<Batch> {
    decisions.iter().map(|changes| batch_of(changes).expect("records are plain data")).collect()
}
