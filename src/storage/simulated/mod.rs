//! Disks without devices: volumes are numbers in memory, everything else goes the way of a real one.
//!
//! A simulated node uses the same observation, plan and execution as a real one (`node`); only the driver is another one,
//! with the intermediate states of the file driver. Nothing here blocks, reads a clock or draws: time is told, and what
//! goes wrong is asked for. A disk outlives the satellites that work on it.

mod driver;
mod faults;
mod folder;
mod layers;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use driver::SimulatedDriver;
pub use faults::{Fault, Faults, Op};
pub use folder::Role;
use folder::{File, Folder, Work};

use super::node::NodeStorage;
use crate::model::conduct::Rules;
use crate::model::moment::{EpochMs, Uuid};
use crate::model::names::RscName;
use crate::model::size::Kib;

/// What a simulated node is like.
#[derive(Debug, Clone, Copy)]
pub struct Simulation {
    /// Room of each of its pools.
    pub pool_size: Kib,
    /// The clock that snapshots are dated by; without one it is told by [`Disk::set_now`].
    pub clock: Option<fn() -> EpochMs>,
    /// Host name that it tells; without one, that of this machine.
    pub uname: Option<&'static str>,
    /// The decisions that its passes call.
    pub rules: Rules,
}

impl Default for Simulation {
    fn default() -> Self {
        Self { pool_size: Kib(100 << 30), clock: None, uname: Some("simulated"), rules: Rules::default() }
    }
}

/// The disk of a simulated node; clones are the same disk.
#[derive(Clone)]
pub struct Disk {
    simulation: Simulation,
    ground: Arc<Mutex<Ground>>,
}

/// What is on a disk.
#[derive(Default)]
struct Ground {
    /// Pools by their backing: whoever names the same one has the same files.
    folders: BTreeMap<String, Folder>,
    now: EpochMs,
    /// Rises when a satellite starts or ends; whoever belongs to another life does nothing any more.
    life: u64,
    faults: Option<Box<dyn Faults>>,
}

/// A file, as it lies on a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its pool's backing.
    pub backing: String,
    /// Name of the backing object, or of the volume's part in a snapshot.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// Whether it has its name; one that is unfinished lies aside, and goes when the pool is prepared in another life.
    pub in_place: bool,
    /// Its size.
    pub size: Kib,
    /// What it takes of its pool's room. Parts share it with their volume.
    pub room: Kib,
    /// Its content; 0 for zeros.
    pub content: u64,
    /// Its file system.
    pub file_system: Option<String>,
    /// When it was made or filled.
    pub made: EpochMs,
    /// Size of the device on it.
    pub device: Option<Kib>,
}

impl Disk {
    /// A blank one.
    #[must_use]
    pub fn new(simulation: Simulation) -> Self {
        Self { simulation, ground: Arc::default() }
    }

    /// A new satellite process on this disk. An earlier one has ended with that.
    #[must_use]
    pub fn start(&self) -> NodeStorage {
        self.ground().life += 1;
        NodeStorage::on_disk(self.clone())
    }

    /// The satellite's process ends. Files and devices stay.
    pub fn crash(&self) {
        self.ground().life += 1;
    }

    /// The machine is started anew: processes have ended and devices are gone, files stay.
    pub fn reboot(&self) {
        let mut ground = self.ground();
        ground.life += 1;
        let files = ground.folders.values_mut().flat_map(|folder| folder.files.values_mut());
        for file in files {
            file.device = None;
            file.layers.clear();
        }
    }

    /// Tells the time, for a disk without a clock.
    pub fn set_now(&self, now: EpochMs) {
        self.ground().now = now;
    }

    /// Who decides what goes wrong from now on.
    pub fn set_faults(&self, faults: Option<Box<dyn Faults>>) {
        self.ground().faults = faults;
    }

    /// Writes to the device of a volume, as its user does, from its beginning to its end; 0 discards all of it. False where
    /// none is attached.
    pub fn write(&self, id: &str, content: u64) -> bool {
        let mut ground = self.ground();
        let mut files = ground.folders.values_mut().filter_map(|folder| folder.files.get_mut(id));
        let file = files.find(|file| file.device.is_some());
        let write = |file: &mut File| {
            file.content = content;
            file.needs = if content == 0 { Kib(0) } else { file.size };
            file.file_system = file.file_system.take().filter(|_| content != 0);
        };
        file.map(write).is_some()
    }

    /// Content of a volume or part, by its backing object's name: of the one with a device, if several pools have one.
    #[must_use]
    pub fn content(&self, id: &str) -> Option<u64> {
        let ground = self.ground();
        let files = ground.folders.values().filter_map(|folder| folder.files.get(id));
        files.max_by_key(|file| file.device.is_some()).map(|file| file.content)
    }

    /// Leaves a file in a pool, as somebody else would.
    pub fn leave(&self, backing: &str, id: &str, (size, content): (Kib, u64)) {
        let mut ground = self.ground();
        let made_ms = ground.now.0;
        let file = File {
            role: Role::Volume,
            size,
            room: size,
            content,
            file_system: None,
            owner: None,
            needs: if content == 0 { Kib(0) } else { size },
            made_ms,
            device: None,
            layers: BTreeMap::new(),
            key: None,
        };
        let folder = ground.folders.entry(backing.to_owned()).or_default();
        folder.used += size.0;
        folder.files.insert(id.to_owned(), file);
    }

    /// Takes a volume or part away behind the satellite's back; false where there is none.
    pub fn lose(&self, id: &str) -> bool {
        let mut ground = self.ground();
        let mut lost = false;
        for folder in ground.folders.values_mut() {
            if let Some(file) = folder.files.remove(id) {
                folder.used -= file.room.0;
                lost = true;
            }
        }
        lost
    }

    /// Everything that lies on the disk, by backing and name, finished files first.
    #[must_use]
    pub fn files(&self) -> Vec<Found> {
        let ground = self.ground();
        let mut found = Vec::new();
        for (backing, folder) in &ground.folders {
            for (files, in_place) in [(&folder.files, true), (&folder.asides, false)] {
                found.extend(files.iter().map(|(id, file)| Found {
                    backing: backing.clone(),
                    id: id.clone(),
                    role: file.role,
                    in_place,
                    size: file.size,
                    room: file.room,
                    content: file.content,
                    file_system: file.file_system.clone(),
                    made: EpochMs(file.made_ms),
                    device: file.device,
                }));
            }
        }
        found
    }

    /// Resources whose last rollback is remembered, by backing.
    #[must_use]
    pub fn markers(&self) -> Vec<(String, RscName, Uuid)> {
        let ground = self.ground();
        let of = |(backing, folder): (&String, &Folder)| {
            let markers = folder.markers.iter().map(|(rsc, token)| (backing.clone(), rsc.clone(), *token));
            markers.collect::<Vec<_>>()
        };
        ground.folders.iter().flat_map(of).collect()
    }

    /// Room that is used, by backing, as the pool counts it.
    #[must_use]
    pub fn used(&self) -> BTreeMap<String, Kib> {
        let ground = self.ground();
        ground.folders.iter().map(|(backing, folder)| (backing.clone(), Kib(folder.used))).collect()
    }

    pub(super) fn simulation(&self) -> &Simulation {
        &self.simulation
    }

    pub(super) fn life(&self) -> u64 {
        self.ground().life
    }

    /// Lets a driver of this life work in its folder.
    fn work<T>(&self, (backing, mine): (&str, u64), act: impl FnOnce(&mut Work<'_>) -> T) -> T {
        let mut ground = self.ground();
        let Ground { folders, now, life, faults } = &mut *ground;
        if !folders.contains_key(backing) {
            folders.insert(backing.to_owned(), Folder::default());
        }
        let folder = folders.get_mut(backing).expect("it was put there");
        let Simulation { pool_size: total, clock, .. } = self.simulation;
        act(&mut Work { folder, faults, life, mine, clock, now: *now, total })
    }

    fn ground(&self) -> MutexGuard<'_, Ground> {
        self.ground.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("simulation", &self.simulation).finish_non_exhaustive()
    }
}
