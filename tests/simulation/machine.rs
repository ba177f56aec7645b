//! A machine under a satellite: its disk, what fails on it, and the storage of the process that runs now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use zea::model::conduct::Rules;
use zea::model::desired::{DesiredPool, DesiredResource};
use zea::model::kinds::{LayerKind, ProviderKind};
use zea::model::moment::EpochMs;
use zea::model::report::{PoolReport, ResourceReport, SatelliteFacts};
use zea::model::size::Kib;
use zea::storage::node::{NodeStorage, ResourceMemory};
use zea::storage::simulated::{Disk, Fault, Found, Op, Simulation};

use super::random::Random;

/// Room of a pool: plenty, or so little that a script fills it.
const ROOM: [Kib; 2] = [Kib(100 << 20), Kib(4 << 20)];

/// What fails, as the world says.
struct Switch {
    random: Random,
    /// Chance of an error in thousandths.
    io: u64,
    full: bool,
    broken: bool,
    /// The process ends at the operation after so many.
    crash_in: Option<u64>,
}

impl Switch {
    fn before(&mut self, op: Op) -> Option<Fault> {
        if !op.only_looks()
            && let Some(left) = &mut self.crash_in
        {
            if *left == 0 {
                return Some(Fault::Crash);
            }
            *left -= 1;
        }
        let grows = matches!(op, Op::Create | Op::Resize | Op::FillAside | Op::ResizeAside);
        if self.full && grows {
            return Some(Fault::Full);
        }
        let chance = if self.broken { 500 } else { self.io };
        let chance = if op.only_looks() { chance / 10 } else { chance };
        self.random.permille(chance).then_some(Fault::Io)
    }
}

/// A finished file of a survey: by its pool's backing and its name.
pub type Survey = BTreeMap<(String, String), Found>;

/// See the module. Clones are the same machine.
#[derive(Clone)]
pub struct Machine {
    disk: Disk,
    /// It lacks what others have.
    poor: bool,
    storage: NodeStorage,
    switch: Arc<Mutex<Switch>>,
}

impl Machine {
    pub fn new(seed: u64, rules: &Rules) -> Self {
        let mut random = Random::new(seed, 77);
        let pool_size = ROOM[random.weighted(&[85, 15])];
        let poor = Random::new(seed, 78).permille(200);
        let uname = Some("simulated");
        let disk = Disk::new(Simulation { pool_size, clock: None, uname, rules: *rules });
        let switch = Switch { random, io: 0, full: false, broken: false, crash_in: None };
        let switch = Arc::new(Mutex::new(switch));
        let asked = Arc::clone(&switch);
        let faults = move |op: Op, _: &str| asked.lock().expect("one thread").before(op);
        disk.set_faults(Some(Box::new(faults)));
        Self { storage: disk.start(), disk, poor, switch }
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.switch.lock().expect("one thread")
    }

    /// A new process begins.
    pub fn start(&mut self) {
        self.storage = self.disk.start();
    }

    pub fn reboot(&mut self) {
        self.disk.reboot();
    }

    /// Another machine with nothing on it takes its place.
    pub fn replace(&mut self, rules: &Rules) {
        let seed = self.switch().random.next();
        *self = Self::new(seed, rules);
    }

    pub fn set_io(&self, chance: u64) {
        self.switch().io = chance;
    }

    pub fn set_full(&self, full: bool) {
        self.switch().full = full;
    }

    pub fn set_broken(&self, broken: bool) {
        self.switch().broken = broken;
    }

    pub fn set_now(&self, now: EpochMs) {
        self.disk.set_now(now);
    }

    pub fn facts(&self) -> SatelliteFacts {
        let mut facts = self.storage.facts_now("simulated");
        if self.poor {
            facts.layers.retain(|layer| *layer != LayerKind::Luks);
            facts.providers.retain(|provider| *provider != ProviderKind::Lvm);
        }
        facts
    }

    pub fn apply_pools(&self, pools: &[DesiredPool]) -> Vec<PoolReport> {
        self.storage.apply_pools_now(pools)
    }

    pub fn capacities(&self) -> Vec<PoolReport> {
        self.storage.capacities_now(&[])
    }

    pub fn pass(&self, memory: &ResourceMemory, desired: &DesiredResource) -> ResourceReport {
        self.storage.pass(memory, desired, usize::MAX)
    }

    /// A pass in which the process ends after so many operations.
    pub fn cut_pass(&self, memory: &ResourceMemory, desired: &DesiredResource, operations: u64) {
        self.switch().crash_in = Some(operations);
        let _ = self.storage.pass(memory, desired, usize::MAX);
        self.switch().crash_in = None;
    }

    /// The user of a volume writes; false where it has no device.
    pub fn write(&self, id: &str, content: u64) -> bool {
        self.disk.write(id, content)
    }

    /// Every file that has its name.
    pub fn survey(&self) -> Survey {
        let files = self.disk.files().into_iter().filter(|file| file.in_place);
        files.map(|file| ((file.backing.clone(), file.id.clone()), file)).collect()
    }

    /// Room that all files take, those without a name yet among them, by backing.
    pub fn taken(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for file in self.disk.files() {
            *sums.entry(file.backing).or_default() += file.room.0;
        }
        sums
    }

    /// Room that the pool says is used, by backing.
    pub fn used(&self) -> BTreeMap<String, Kib> {
        self.disk.used()
    }
}
