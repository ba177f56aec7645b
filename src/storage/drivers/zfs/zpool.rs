//! One zpool, shared by the storage pools that lie in it: its health, the listing of their volumes, and commands with failures
//! by name. A zpool that hangs or is gone harms no other one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::commands;
use super::zvol::Zvols;
use crate::model::report::Problem;
use crate::protocols::zfs::{Dataset, Datasets, Failure, failure, parse_list, parse_pools};
use crate::storage::exec::{Breaker, CommandLine, Exec, ExecError, Output};
use crate::storage::listing::Listing;
use crate::storage::problem::problem;

/// Where the kernel says how each imported zpool is.
const STATES: &str = "/proc/spl/kstat/zfs";
/// The word for a zpool whose disks do not answer.
const SUSPENDED: &str = "SUSPENDED";
/// How long a dataset may be busy: udev opens a device for a moment after each change.
const BUSY: Duration = Duration::from_secs(5);
/// Between two tries on a dataset that is busy.
const BUSY_STEP: Duration = Duration::from_millis(100);

/// ZFS on this machine.
#[derive(Debug)]
pub struct Zfs {
    exec: Arc<Exec>,
    zvols: Arc<Zvols>,
    zpools: Mutex<BTreeMap<String, Arc<Zpool>>>,
}

/// One zpool.
#[derive(Debug)]
pub(super) struct Zpool {
    name: String,
    exec: Arc<Exec>,
    pub(super) zvols: Arc<Zvols>,
    /// What is listed.
    datasets: Mutex<BTreeSet<String>>,
    listing: Listing<Datasets>,
    /// Bytes of its disks, as it was last asked.
    size: Mutex<Option<u64>>,
    /// Children of the listing that hang.
    looking: Breaker,
    /// What is staged for a rollback that is under way.
    pub(super) under_way: Mutex<BTreeSet<String>>,
    /// The same for commands on one volume, as long as there are any.
    breakers: Mutex<BTreeMap<String, Breaker>>,
}

/// A command that failed.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) failure: Failure,
    pub(super) problem: Problem,
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        failed.problem
    }
}

impl Zfs {
    /// With nothing looked at yet.
    #[must_use]
    pub fn new(exec: Arc<Exec>) -> Self {
        Self { exec, zvols: Arc::default(), zpools: Mutex::default() }
    }

    /// The zpool that a dataset lies in.
    pub(super) fn zpool_of(&self, dataset: &str) -> Arc<Zpool> {
        let name = zpool_of(dataset);
        let new = || Zpool {
            name: name.to_owned(),
            exec: self.exec.clone(),
            zvols: self.zvols.clone(),
            datasets: Mutex::default(),
            listing: Listing::new(format!("Zpool {name}")),
            size: Mutex::default(),
            looking: Breaker::default(),
            under_way: Mutex::default(),
            breakers: Mutex::default(),
        };
        lock(&self.zpools).entry(name.to_owned()).or_insert_with(|| Arc::new(new())).clone()
    }

    /// Looks at every zpool anew; names of volumes that are not as they were, without their datasets. A zpool that cannot
    /// be asked is told of by whoever needs it.
    pub(in crate::storage) fn look_around(&self) -> Vec<String> {
        let zpools: Vec<Arc<Zpool>> = lock(&self.zpools).values().cloned().collect();
        zpools.iter().flat_map(|zpool| zpool.look_around()).collect()
    }
}

impl Zpool {
    /// Whether commands can be started at all; one that writes to a suspended zpool would hang in the kernel.
    pub(super) fn check(&self) -> Result<(), Problem> {
        self.check_in(Path::new(STATES))
    }

    fn check_in(&self, states: &Path) -> Result<(), Problem> {
        let name = &self.name;
        // Without the folder the kernel has no ZFS, or one that does not say.
        match state(states, name) {
            Some(state) if state == SUSPENDED => Err(suspended(name)),
            None if states.is_dir() && !states.join(name).is_dir() => Err(missing_zpool(name)),
            _ => Ok(()),
        }
    }

    /// Lists this dataset, too, from now on; looks at once.
    pub(super) fn add(&self, dataset: &str) -> Result<(), Problem> {
        lock(&self.datasets).insert(dataset.to_owned());
        self.ask_size()?;
        self.renew()
    }

    /// Bytes of its disks.
    pub(super) fn size(&self) -> Option<u64> {
        *lock(&self.size)
    }

    fn ask_size(&self) -> Result<(), Problem> {
        let message = format!("Zpool {} cannot be asked", self.name);
        let said = self.try_run(&message, &commands::zpool(&self.name), &self.looking)?;
        let zpools = parse_pools(&said.stdout).map_err(|error| unreadable(&message, &error.to_string()))?;
        *lock(&self.size) = zpools.first().and_then(|zpool| zpool.size);
        Ok(())
    }

    /// Reads the listing. `read` runs no command.
    pub(super) fn read<R>(&self, read: impl FnOnce(&Datasets) -> R) -> Result<R, Problem> {
        self.listing.read(|| self.look(), read)
    }

    /// Lists anew.
    pub(super) fn renew(&self) -> Result<(), Problem> {
        self.listing.renew(|| self.look())
    }

    /// Lists anew, unless that was done a moment ago: for what looks as if somebody else had changed it.
    pub(super) fn renew_older_than(&self, age: Duration) -> Result<(), Problem> {
        match self.listing.age() {
            Some(known) if known < age => Ok(()),
            _ => self.renew(),
        }
    }

    fn look(&self) -> Result<Datasets, Problem> {
        self.check()?;
        let datasets = lock(&self.datasets).clone();
        self.list(&commands::list(datasets), &self.looking)
    }

    /// Lists these volumes with their snapshots, or these snapshots, after a command on them.
    pub(super) fn look_again(&self, names: &[String]) -> Result<(), Problem> {
        let whom = names.first().map(String::as_str).unwrap_or_default();
        let found = self.with_breaker(whom, |breaker| self.list(&commands::list_again(names), breaker));
        let found = found.inspect_err(|_| self.listing.forget())?;
        let names = names.to_vec();
        self.listing.patch(move |known| {
            names.iter().for_each(|name| remove(known, name));
            known.extend(found.clone());
        });
        Ok(())
    }

    /// Takes in that a volume or a snapshot has another name; clones of it follow.
    pub(super) fn renamed(&self, from: &str, to: &str) -> Result<(), Problem> {
        let (old, new) = (from.to_owned(), to.to_owned());
        self.listing.patch(move |known| {
            let origins = known.values_mut().filter_map(|found| found.origin.as_mut());
            for origin in origins.filter(|origin| **origin == old || volume_of(origin) == old) {
                *origin = format!("{new}{}", &origin[old.len()..]);
            }
        });
        self.look_again(&[from.to_owned(), to.to_owned()])
    }

    /// Takes in that a volume or a snapshot is gone.
    pub(super) fn gone(&self, name: &str) {
        let name = name.to_owned();
        self.listing.patch(move |known| remove(known, &name));
    }

    /// Everything that is there of what was named.
    fn list(&self, line: &CommandLine, breaker: &Breaker) -> Result<Datasets, Problem> {
        let message = format!("Zpool {} cannot be listed", self.name);
        let said = self.exec.run_any_blocking(line, breaker).map_err(|error| error.into_problem(&message))?;
        let complaints: Vec<&str> = said.stderr.lines().filter(|line| failure(line) != Failure::Missing).collect();
        if said.code != 0 && (!complaints.is_empty() || said.stderr.is_empty()) {
            return Err(self.explain(&message, ExecError::Exit { command: line.to_string(), output: said }).problem);
        }
        parse_list(&said.stdout).map_err(|error| unreadable(&message, &error.to_string()))
    }

    /// Runs a command on one volume. After a failure of which nobody knows what it did nothing is believed any more.
    pub(super) fn run(&self, whom: &str, message: &str, line: &CommandLine) -> Result<Output, Failed> {
        self.check().map_err(|problem| Failed { failure: Failure::Suspended, problem })?;
        let done = self.with_breaker(whom, |breaker| self.try_run(message, line, breaker));
        done.inspect_err(|failed| {
            if failed.failure == Failure::Other {
                self.listing.forget();
            }
        })
    }

    /// The same, tried again as long as somebody holds what it is about for a moment.
    pub(super) fn run_patiently(&self, whom: &str, message: &str, line: &CommandLine) -> Result<Output, Failed> {
        let until = Instant::now() + BUSY;
        loop {
            match self.run(whom, message, line) {
                Err(failed) if failed.failure == Failure::Busy && Instant::now() < until => sleep(BUSY_STEP),
                done => return done,
            }
        }
    }

    fn try_run(&self, message: &str, line: &CommandLine, breaker: &Breaker) -> Result<Output, Failed> {
        self.exec.run_blocking(line, breaker).map_err(|error| self.explain(message, error))
    }

    fn with_breaker<R>(&self, whom: &str, run: impl FnOnce(&Breaker) -> R) -> R {
        let breaker = lock(&self.breakers).entry(whom.to_owned()).or_default().clone();
        let done = run(&breaker);
        if breaker.hanging() == 0 {
            lock(&self.breakers).remove(whom);
        }
        done
    }

    fn explain(&self, message: &str, error: ExecError) -> Failed {
        let failure = match &error {
            ExecError::Exit { output, .. } => failure(&output.stderr),
            _ => Failure::Other,
        };
        let first = match &error {
            ExecError::Exit { output, .. } => output.stderr.lines().find(|line| !line.trim().is_empty()),
            _ => None,
        };
        let first = first.map(str::to_owned);
        let mut problem = error.into_problem(message);
        if let Some(cure) = self.cure(failure) {
            problem.correction = cure;
            problem.cause = first.unwrap_or(problem.cause);
        }
        Failed { failure, problem }
    }

    fn cure(&self, failure: Failure) -> Option<String> {
        let name = &self.name;
        Some(match failure {
            Failure::Full => format!(
                "Zpool {name} has no room for this (zfs list -o space -r {name}): remove volumes or snapshots, add disks, or raise a \
                 quota. A thick volume with a snapshot needs its whole size a second time."
            ),
            Failure::Busy => "Somebody holds it: look at mounts and processes that have it open, and at zfs holds. \
                              It is tried again."
                .to_owned(),
            Failure::Missing => {
                format!("Check zpool {name}: zpool status {name}, zfs list -r {name}. It is tried again.")
            }
            Failure::Exists | Failure::HasDependents | Failure::NotNewest => {
                "Somebody else has changed it meanwhile: it is looked at anew and tried again.".to_owned()
            }
            Failure::Suspended => suspended(name).correction,
            Failure::NoModule => "Load the kernel's module: modprobe zfs. It is tried again.".to_owned(),
            Failure::Other => return None,
        })
    }

    fn look_around(&self) -> Vec<String> {
        if let Err(problem) = self.check() {
            tracing::warn!(zpool = self.name, %problem, "a zpool cannot be looked at");
            return Vec::new();
        }
        let before = self.read(Datasets::clone).unwrap_or_default();
        self.zvols.forget_zpool(&self.name);
        if let Err(problem) = self.renew().and_then(|()| self.ask_size()) {
            tracing::warn!(zpool = self.name, %problem, "a zpool cannot be looked at");
            return Vec::new();
        }
        let changed = self.read(|now| changed(&before, now)).unwrap_or_default();
        self.sweep();
        changed
    }
}

/// The zpool that a dataset lies in, by its name.
pub(super) fn zpool_of(dataset: &str) -> &str {
    dataset.split('/').next().unwrap_or_default()
}

/// Every zpool of this machine that waits for its disks.
pub(super) fn suspended_zpools() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(STATES) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| state(Path::new(STATES), name).is_some_and(|state| state == SUSPENDED)).collect()
}

fn state(states: &Path, zpool: &str) -> Option<String> {
    let text = std::fs::read_to_string(states.join(zpool).join("state")).ok()?;
    Some(text.trim().to_owned())
}

/// Snapshots of a volume, by name.
pub(super) fn snapshots<'a>(known: &'a Datasets, volume: &str) -> impl Iterator<Item = (&'a String, &'a Dataset)> {
    // The letter after the @.
    known.range(format!("{volume}@")..format!("{volume}A"))
}

/// Takes a volume with its snapshots, or a snapshot, out of a listing.
fn remove(known: &mut Datasets, name: &str) {
    let snapshots: Vec<String> = snapshots(known, name).map(|(name, _)| name.clone()).collect();
    known.remove(name);
    snapshots.iter().for_each(|snapshot| drop(known.remove(snapshot)));
}

/// Names of the volumes that are not as they were, or whose snapshots are not.
fn changed(before: &Datasets, now: &Datasets) -> Vec<String> {
    let differs = |one: &Datasets, other: &Datasets| -> BTreeSet<String> {
        let different = one.iter().filter(|(name, dataset)| other.get(*name) != Some(*dataset));
        different.filter_map(|(name, _)| Some(volume_of(name).rsplit_once('/')?.1.to_owned())).collect()
    };
    let mut ids = differs(before, now);
    ids.append(&mut differs(now, before));
    ids.into_iter().collect()
}

/// A volume's name out of its snapshot's.
pub(super) fn volume_of(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

fn suspended(zpool: &str) -> Problem {
    problem(
        format!("Zpool {zpool} is suspended"),
        "its disks do not answer (an error on every copy of the data), and whoever writes to it waits",
        format!(
            "Bring the disks back and run zpool clear {zpool}; what waits goes on then. zpool status {zpool} and the kernel log tell \
             which disk it is."
        ),
    )
}

fn missing_zpool(zpool: &str) -> Problem {
    problem(
        format!("Zpool {zpool} is missing"),
        "no zpool of that name is imported on this node",
        format!("Import it: zpool import {zpool} (zpool import alone lists what there is). It is tried again."),
    )
}

fn unreadable(message: &str, what: &str) -> Problem {
    problem(message, format!("what zfs prints is not understood: {what}"), "Report this error with the version of ZFS.")
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Folder of the devices' links, by dataset.
pub(super) fn link_of(name: &str) -> PathBuf {
    Path::new("/dev/zvol").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::zfs::Kind;

    fn known(names: &[&str]) -> Datasets {
        let dataset = |name: &str| Dataset {
            kind: if name.contains('@') { Kind::Snapshot } else { Kind::Volume },
            volsize: Some(8192),
            volblocksize: Some(8192),
            referenced: 0,
            origin: None,
            created: None,
            hidden: false,
            marked: false,
            remains_of: None,
            owner: None,
        };
        names.iter().map(|name| ((*name).to_owned(), dataset(name))).collect()
    }

    #[test]
    fn a_zpool_that_cannot_work_is_not_asked_to() {
        let states = tempfile::tempdir().expect("folder");
        let zfs = Zfs::new(Arc::default());
        let zpool = zfs.zpool_of("tank/zea");
        assert!(Arc::ptr_eq(&zpool, &zfs.zpool_of("tank")) && !Arc::ptr_eq(&zpool, &zfs.zpool_of("tan")));
        assert_eq!(zpool.check_in(&states.path().join("none")), Ok(()), "a kernel that does not say");
        let missing = zpool.check_in(states.path()).expect_err("not imported");
        assert!(missing.correction.contains("zpool import tank"), "{missing:?}");
        std::fs::create_dir(states.path().join("tank")).expect("made");
        assert_eq!(zpool.check_in(states.path()), Ok(()), "an older kernel");
        for (state, works) in [("ONLINE\n", true), ("DEGRADED\n", true), ("SUSPENDED\n", false)] {
            std::fs::write(states.path().join("tank/state"), state).expect("written");
            assert_eq!(zpool.check_in(states.path()).is_ok(), works, "{state}");
        }
    }

    #[test]
    fn a_volume_goes_with_its_snapshots_and_no_other() {
        let mut now = known(&["t/v", "t/v@a", "t/v@z", "t/v-1", "t/v-1@a", "t/vA", "t/v_1@a"]);
        assert_eq!(snapshots(&now, "t/v").map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["t/v@a", "t/v@z"]);
        remove(&mut now, "t/v@a");
        assert_eq!(now.len(), 6);
        remove(&mut now, "t/v");
        assert_eq!(now.keys().map(String::as_str).collect::<Vec<_>>(), ["t/v-1", "t/v-1@a", "t/vA", "t/v_1@a"]);
    }

    #[test]
    fn what_others_have_changed() {
        let before = known(&["t", "t/zea/a", "t/zea/b@s", "t/zea/c"]);
        let mut now = known(&["t", "t/zea/a", "t/zea/c", "t/zea/d"]);
        assert_eq!(changed(&before, &before), [""; 0]);
        now.get_mut("t/zea/c").expect("there").referenced = 1;
        assert_eq!(changed(&before, &now), ["b", "c", "d"]);
    }

    #[test]
    fn failures_have_causes_and_cures() {
        let zpool = Zfs::new(Arc::default()).zpool_of("tank");
        let table = [
            ("cannot create 'tank/b': out of space\n", Failure::Full, "has no room"),
            ("cannot destroy 'tank/b': dataset is busy\n", Failure::Busy, "zfs holds"),
            ("cannot open 'tank/b': dataset does not exist\n", Failure::Missing, "zpool status tank"),
            ("cannot open 'tank': pool I/O is currently suspended\n", Failure::Suspended, "zpool clear tank"),
            ("The ZFS modules are not loaded.\nTry running modprobe\n", Failure::NoModule, "modprobe zfs"),
            (
                "cannot rollback to 'tank/b@s': more recent snapshots or bookmarks exist\nuse -r\n",
                Failure::NotNewest,
                "anew",
            ),
            ("internal error: out of luck\n", Failure::Other, "command's own words"),
        ];
        for (stderr, failure, cure) in table {
            let output = Output { code: 1, stdout: String::new(), stderr: stderr.to_owned() };
            let failed = zpool.explain("It failed", ExecError::Exit { command: "zfs x".to_owned(), output });
            assert_eq!(failed.failure, failure);
            let problem = failed.problem;
            assert!(problem.correction.contains(cure), "{problem:?}");
            assert!(problem.cause.contains(stderr.lines().next().expect("a line")), "{problem:?}");
            assert!(problem.details.contains("zfs x"), "{problem:?}");
        }
    }
}
