//! The simulated driver beside the file driver: whatever is asked of them, they answer the same.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::model::moment::{Dice, EpochMs, Moment};
use crate::model::names::VolumeNumber;
use crate::storage::drivers::{FileDriver, Preparation};
use crate::storage::simulated::{Fault, Simulation};

const BACKING: &str = "/pool";

fn id(name: &str, number: u32) -> BackingId {
    let rsc = RscName::parse(name).expect("legal");
    BackingId::of(&rsc, VolumeNumber::new(number).expect("legal"), None).expect("legal")
}

fn owner() -> Owner {
    Owner::of(&crate::model::conduct::tests::desired("web", 1))
}

fn snap(number: u64) -> SnapName {
    SnapName::parse(&format!("s{number}")).expect("legal")
}

fn disk(pool_size: u64) -> Disk {
    Disk::new(Simulation { pool_size: Kib(pool_size), ..Simulation::default() })
}

fn simulated(disk: &Disk, kind: ProviderKind) -> SimulatedDriver {
    disk.crash();
    SimulatedDriver::prepare((disk.clone(), disk.life()), kind, BACKING).expect("prepared")
}

fn real(folder: &Path) -> FileDriver {
    let text = folder.to_string_lossy();
    FileDriver::prepare(&text, Provisioning::Thin, Arc::default(), Preparation::First).expect("prepared")
}

#[test]
fn room_is_counted() {
    let pool = disk(1000);
    let fat = simulated(&pool, ProviderKind::File);
    let free = || fat.capacity().expect("known").free;
    fat.create(&id("web", 0), Kib(600), owner()).expect("fits");
    assert_eq!(free(), Kib(400));
    let full = fat.create(&id("web", 1), Kib(600), owner()).expect_err("full");
    assert!(full.correction.contains("full"), "{full:?}");
    assert_eq!(fat.observe(&id("web", 1)).expect("absent").backing, None);
    fat.resize(&id("web", 0), Kib(1000)).expect("fits");
    assert_eq!(free(), Kib(0));
    fat.remove(&id("web", 0)).expect("removed");
    assert_eq!(free(), Kib(1000));
    let thin = simulated(&disk(1000), ProviderKind::FileThin);
    thin.create(&id("web", 0), Kib(6400), owner()).expect("thin");
    assert_eq!(thin.capacity().expect("known").free, Kib(900));
}

#[test]
fn parts_are_dated_by_the_time_that_was_told() {
    let disk = disk(1 << 20);
    let driver = simulated(&disk, ProviderKind::FileThin);
    let web = id("web", 0);
    driver.create(&web, Kib(64), owner()).expect("made");
    disk.set_now(EpochMs(77));
    driver.take_snapshot(std::slice::from_ref(&web), &snap(1)).expect("taken");
    disk.set_now(EpochMs(99));
    let part = driver.observe_part(PartId { of: &web, snapshot: &snap(1) }).expect("seen");
    assert_eq!(part.taken_ms, Some(77));
}

#[test]
fn a_device_in_use_is_neither_free_nor_taken_down() {
    let disk = disk(1 << 20);
    let driver = simulated(&disk, ProviderKind::FileThin);
    let web = id("web", 0);
    driver.create(&web, Kib(64), owner()).expect("made");
    let busy = |op: Op, _: &str| matches!(op, Op::AssertUnused | Op::Detach).then_some(Fault::Busy);
    disk.set_faults(Some(Box::new(busy)));
    assert_eq!(driver.assert_unused(&web), Ok(()), "there is no device");
    driver.attach(&web).expect("attached");
    for refused in [driver.assert_unused(&web), driver.detach(&web), driver.swap_rollback(&web)] {
        assert!(refused.expect_err("busy").message.contains("/dev/zea-sim/web_00000 is in use"));
    }
    disk.set_faults(None);
    driver.detach(&web).expect("free");
    assert_eq!(driver.observe(&web).expect("seen").device, None);
}

#[test]
fn a_file_system_is_made_where_nothing_is() {
    let disk = disk(1 << 20);
    let driver = simulated(&disk, ProviderKind::FileThin);
    let wanted = FileSystem { kind: "ext4".to_owned(), mkfs_params: Vec::new(), user: None, group: None };
    for (number, content, expected) in [(0, 0, Content::Known("ext4".to_owned())), (1, 5, Content::Unknown)] {
        let web = id("web", number);
        driver.create(&web, Kib(64), owner()).expect("made");
        driver.attach(&web).expect("attached");
        assert!(disk.write(web.as_str(), content));
        driver.format(&web, &wanted).expect("done");
        assert_eq!(driver.content(&web), expected);
        assert_eq!(disk.content(web.as_str()), Some(content));
    }
}

/// Both drivers.
struct Pair {
    folder: tempfile::TempDir,
    real: FileDriver,
    disk: Disk,
    simulated: SimulatedDriver,
}

impl Pair {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let disk = disk(1 << 30);
        let simulated = simulated(&disk, ProviderKind::FileThin);
        Self { real: real(folder.path()), folder, disk, simulated }
    }

    /// Processes end; what was staged and not put in place goes.
    fn restart(&mut self) {
        self.real = real(self.folder.path());
        self.simulated = simulated(&self.disk, ProviderKind::FileThin);
    }

    fn write(&self, id: &BackingId, content: u64) {
        let opened = std::fs::OpenOptions::new().write(true).open(self.folder.path().join(format!("{id}.img")));
        let Ok(file) = opened else { return };
        file.write_all_at(&content.to_le_bytes(), 0).expect("written");
        self.simulated.work(|work| work.file(id.as_str()).expect("there, too").content = content);
    }

    fn both<T>(&self, act: impl Fn(&dyn Driver) -> Result<T, Problem>) -> [Result<T, String>; 2] {
        let drivers: [&dyn Driver; 2] = [&self.real, &self.simulated];
        drivers.map(|driver| act(driver).map_err(|problem| problem.message))
    }

    /// What one of them is asked, as is the other; the answer's first word, for the count.
    fn act(&self, dice: &mut Dice) -> (&'static str, bool) {
        let roll = dice.next_u64();
        let of = id(["web", "db"][(roll >> 8) as usize % 2], (roll >> 16) as u32 % 2);
        let (other, snapshot) = (id("web", (roll >> 20) as u32 % 3), snap((roll >> 24) % 2));
        let size = Kib(4 * (1 + (roll >> 32) % 16));
        let part = PartId { of: &of, snapshot: &snapshot };
        let (name, [real, simulated]) = match roll % 9 {
            0 => ("create", self.both(|d| d.create(&of, size, owner()))),
            1 => ("create_from", self.both(|d| d.create_from(&other, part, size, owner()))),
            2 => ("resize", self.both(|d| d.resize(&of, size))),
            3 => ("remove", self.both(|d| d.remove(&of))),
            4 => {
                let ids = [of.clone(), other.clone()];
                ("take_snapshot", self.both(|d| d.take_snapshot(&ids, &snapshot).map(drop)))
            }
            5 => ("remove_part", self.both(|d| d.remove_part(part))),
            6 => ("stage_rollback", self.both(|d| d.stage_rollback(part, size, owner()))),
            7 => ("swap_rollback", self.both(|d| d.swap_rollback(&of))),
            _ => {
                self.write(&of, roll);
                ("write", [Ok(()), Ok(())])
            }
        };
        assert_eq!(real, simulated, "{name} of {of}");
        (name, real.is_ok())
    }

    fn compare(&self) {
        let mut ours: Vec<(String, u64, u64)> = self.disk.files().into_iter().map(ours).collect();
        ours.sort();
        assert_eq!(theirs(self.folder.path()).expect("readable"), ours);
        let used: u64 = self.disk.files().iter().map(|found| found.room.0).sum();
        assert_eq!(self.disk.used()[BACKING], Kib(used));
    }
}

/// Name, size and content of a file.
fn ours(found: crate::storage::simulated::Found) -> (String, u64, u64) {
    let name = if found.in_place { format!("{}.img", found.id) } else { format!(".{}.img.partial", found.id) };
    (name, found.size.bytes(), found.content)
}

fn theirs(folder: &Path) -> io::Result<Vec<(String, u64, u64)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = std::fs::File::open(&path)?;
        let mut head = [0; 8];
        file.read_exact_at(&mut head, 0)?;
        files.push((name, file.metadata()?.len(), u64::from_le_bytes(head)));
    }
    files.sort();
    Ok(files)
}

#[test]
fn it_leaves_what_the_file_driver_leaves() {
    let mut counts = std::collections::BTreeMap::new();
    for seed in 0..6 {
        let mut dice = Moment::repeatable(EpochMs(0), seed).dice();
        let mut pair = Pair::new();
        for step in 0..120 {
            *counts.entry(pair.act(&mut dice)).or_insert(0) += 1;
            if step % 30 == 29 {
                pair.restart();
            }
            pair.compare();
        }
    }
    // Everything was tried, with and without success where it can fail.
    assert_eq!(counts.len(), 14, "{counts:?}");
}

#[test]
fn rollbacks_are_remembered_alike() {
    let pair = Pair::new();
    let rsc = RscName::parse("web").expect("legal");
    for token in [None, Some(Uuid(7)), Some(Uuid(8)), None] {
        assert_eq!(pair.both(|d| d.record_rollback(&rsc, token)), [Ok(()), Ok(())]);
        assert_eq!(pair.both(|d| d.rolled_back(&rsc)), [Ok(token), Ok(token)]);
    }
}
