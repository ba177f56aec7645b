//! ZFS and ZFS_THIN: a volume is the zvol `<dataset>/<id>` (facts: `satellite.md` §1.6).
//!
//! What is there is read from a listing that is shared by the whole zpool and brought up to date after each command of ours; the
//! kernel tells of devices. A volume has no device exactly while its `volmode` is `none`. Whose it is stands on it as a property,
//! from the command on that makes it. What is deleted and still has dependents is marked and renamed, as LINSTOR does: gone for
//! everyone, and destroyed when the last dependent is. It wipes nothing: a new zvol is zeros.

mod commands;
mod names;
mod remains;
mod rollback;
mod snapshots;
mod zpool;
mod zvol;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::model::desired::DesiredPool;
use crate::model::kinds::Provisioning;
use crate::model::moment::Uuid;
use crate::model::names::{RscName, SnapName};
use crate::model::plan::{BackingId, Content, Extent, ObservedDevice, ObservedPart, ObservedVolume, Stranger};
use crate::model::report::{Capacity, Problem};
use crate::model::size::{Kib, split_options};
use crate::protocols::zfs::{Dataset, Datasets, Failure, Kind, parse_dry_run, parse_room};
use crate::protocols::{blkid, superblock};
use crate::storage::driver::{Driver, Owner, PartId};
use crate::storage::exec::CommandLine;
use crate::storage::problem::{io_problem, problem};
use crate::storage::usage;
use names::is_dataset;
use rollback::Staged;
use zpool::{Zpool, link_of};
use zvol::Zvols;

pub use zpool::Zfs;

/// Properties of a pool that this driver reads.
pub(in crate::storage) const OPTION_KEYS: [&str; 3] =
    [CREATE_OPTIONS, SNAPSHOT_OPTIONS, "StorDriver/WaitTimeoutAfterCreate"];
const CREATE_OPTIONS: &str = "StorDriver/ZfscreateOptions";
const SNAPSHOT_OPTIONS: &str = "StorDriver/ZfsSnapshotOptions";
/// How long a device is waited for, where the pool does not say.
const DEVICE_WAIT: Duration = Duration::from_secs(5);
/// How long a device may take to go, or to take another size: udev holds it for a moment.
const SETTLE: Duration = Duration::from_secs(5);
/// Between two tries to take a device away.
const SETTLE_STEP: Duration = Duration::from_millis(500);
/// What looks as if somebody else had changed it is listed anew, but not more often than this.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Granularity where ZFS does not tell: the smallest that it ever had by default (facts: `satellite.md` §1.6).
const GRANULARITY: Kib = Kib(8);

/// The driver of one dataset.
#[derive(Debug)]
pub struct ZfsDriver {
    dataset: String,
    provisioning: Provisioning,
    zpool: Arc<Zpool>,
    granularity: Kib,
    create_options: Vec<String>,
    snapshot_options: Vec<String>,
    device_wait: Duration,
    /// What rollbacks will put in place.
    staged: Mutex<BTreeMap<BackingId, Staged>>,
    /// Tokens by property, where they were asked for.
    tokens: Mutex<Option<BTreeMap<String, String>>>,
}

impl ZfsDriver {
    /// Makes sure of zpool and dataset, and lists what is there. Remains of an earlier process go.
    pub fn prepare(pool: &DesiredPool, provisioning: Provisioning, zfs: &Zfs) -> Result<Self, Problem> {
        let dataset = pool.backing.clone();
        if !is_dataset(&dataset) {
            return Err(problem(
                "The storage pool cannot be used",
                format!("'{dataset}' is no name of a ZFS dataset"),
                "Set StorDriver/StorPoolName to a zpool, or to a dataset in one: tank, or tank/volumes.",
            ));
        }
        let zpool = zfs.zpool_of(&dataset);
        zpool.check()?;
        zpool.add(&dataset)?;
        match zpool.read(|known| known.get(&dataset).map(|found| found.kind))? {
            Some(Kind::FileSystem) => {}
            Some(_) => {
                return Err(problem(
                    "The storage pool cannot be used",
                    format!("{dataset} is a volume, and no dataset that can hold some"),
                    "Set StorDriver/StorPoolName to the dataset that it lies in.",
                ));
            }
            None => return Err(missing(&dataset)),
        }
        let options = |key| pool.props.get(key).map(|text| split_options(text)).unwrap_or_default();
        let create_options = options(CREATE_OPTIONS);
        let line = commands::dry_run(&dataset, &create_options);
        let said = zpool.run(&dataset, "The granularity of the storage pool cannot be asked", &line)?;
        let granularity = parse_dry_run(&said.stdout).map_or(GRANULARITY, Kib::from_bytes_ceil);
        zpool.sweep();
        let wait = pool.props.get(OPTION_KEYS[2]).and_then(|text| text.parse().ok()).map(Duration::from_millis);
        Ok(Self {
            dataset,
            provisioning,
            zpool,
            granularity,
            create_options,
            snapshot_options: options(SNAPSHOT_OPTIONS),
            device_wait: wait.unwrap_or(DEVICE_WAIT),
            staged: Mutex::default(),
            tokens: Mutex::default(),
        })
    }

    fn name(&self, id: &BackingId) -> String {
        format!("{}/{id}", self.dataset)
    }

    /// What is known of a volume.
    fn known(&self, id: &BackingId) -> Result<Option<Dataset>, Problem> {
        self.zpool.check()?;
        self.zpool.read(|known| {
            // Of a dataset that is gone nobody knows what is in it.
            let there = known.contains_key(&self.dataset);
            there.then(|| self.find(id, known).cloned()).ok_or_else(|| missing(&self.dataset))
        })?
    }

    /// The volume in a listing. In the middle of a rollback its content is what was staged.
    fn find<'a>(&self, id: &BackingId, known: &'a Datasets) -> Option<&'a Dataset> {
        let volume = |name: &str| known.get(name).filter(|found| found.kind == Kind::Volume && !found.marked);
        volume(&self.name(id)).or_else(|| volume(&self.staging(id)))
    }

    /// Looks at a volume anew after a command on it.
    fn look_again(&self, id: &BackingId) -> Result<(), Problem> {
        self.zpool.look_again(&[self.name(id)])
    }

    fn zvols(&self) -> &Zvols {
        &self.zpool.zvols
    }

    /// Runs a command that a volume needs.
    fn change(&self, id: &BackingId, message: &str, line: &CommandLine) -> Result<(), Problem> {
        self.zpool.run_patiently(&self.name(id), message, line)?;
        Ok(())
    }

    fn refuse_stranger(&self, id: &BackingId, owner: Owner) -> Result<(), Problem> {
        match self.stranger(id, owner)? {
            None => Ok(()),
            Some(stranger) => Err(problem(
                "The volume cannot be made",
                format!("{} is there already and is not this volume's", stranger.place),
                format!("Move it away (zfs rename), or take it over: {}", stranger.adopt),
            )),
        }
    }

    /// Whether listing and kernel tell the same of a volume; what is known of its device.
    fn compare(&self, id: &BackingId) -> Result<(Option<Dataset>, Option<ObservedDevice>), Problem> {
        let name = self.name(id);
        let known = self.known(id)?;
        let device = self.zvols().find(&name);
        let agree = match (&known, &device) {
            (Some(known), Some(device)) => {
                !known.hidden && known.volsize.map(Kib::from_bytes_floor) == Some(device.size)
            }
            (Some(known), None) => known.hidden,
            (None, Some(_)) => false,
            (None, None) => true,
        };
        if agree {
            return Ok((known, device));
        }
        self.zpool.renew_older_than(LOOK_AGAIN)?;
        Ok((self.known(id)?, self.zvols().find(&name)))
    }

    fn open(&self, id: &BackingId) -> io::Result<File> {
        match self.zvols().find(&self.name(id)) {
            Some(device) => File::open(device.path),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// A volume's device, opened so that nobody can use it until it is closed; an error naming the user when it is in use.
    fn hold(&self, id: &BackingId) -> Result<Option<File>, Problem> {
        let Some(device) = self.zvols().find(&self.name(id)) else {
            return Ok(None);
        };
        let path = zvol::kernel_path(&device.path);
        match usage::open_exclusive(&path) {
            Ok(open) => Ok(Some(open)),
            Err(error) if usage::is_busy(&error) => Err(usage::in_use(&path)),
            Err(error) => Err(io_problem(format!("{} cannot be opened", device.path), &path, &error)),
        }
    }

    /// Takes the device away, unless somebody has it open: then it stays as it is.
    fn hide(&self, id: &BackingId) -> Result<(), Problem> {
        self.hold(id)?;
        let hidden = self.try_hide(id);
        if hidden.is_err() {
            let name = self.name(id);
            let message = format!("{name} cannot be given its device back");
            self.change(id, &message, &commands::inherit(&name, "volmode"))?;
            self.look_again(id)?;
        }
        hidden
    }

    /// The kernel leaves the device where it is while it is open, if only for a moment, and says nothing of it.
    fn try_hide(&self, id: &BackingId) -> Result<(), Problem> {
        let name = self.name(id);
        let message = format!("The device of {name} cannot be removed");
        for _ in 0..SETTLE.as_millis() / SETTLE_STEP.as_millis() {
            self.change(id, &message, &commands::set(&name, &[("volmode", "none")]))?;
            if self.zvols().wait_gone(&name, SETTLE_STEP) {
                self.zvols().forget(&name);
                return self.look_again(id);
            }
            self.hold(id)?;
        }
        Err(usage::in_use(&zvol::kernel_path(&link_of(&name).to_string_lossy())))
    }

    fn reach(&self, id: &BackingId) -> io::Result<Extent> {
        let mut head = Vec::with_capacity(superblock::HEAD_BYTES);
        self.open(id)?.take(superblock::HEAD_BYTES as u64).read_to_end(&mut head)?;
        // Where nothing is recognised, ZFS does not tell up to where a volume was written.
        Ok(superblock::recognise(&head).map_or(Extent::Unknown, |found| Extent::Content {
            kind: found.kind.to_owned(),
            needs: found.bytes.map(Kib::from_bytes_ceil),
        }))
    }

    fn allocated(&self, dataset: &Dataset) -> Kib {
        Kib::from_bytes_ceil(match self.provisioning {
            Provisioning::Fat => dataset.volsize.unwrap_or(dataset.referenced),
            _ => dataset.referenced,
        })
    }
}

impl Driver for ZfsDriver {
    fn capacity(&self) -> Result<Capacity, Problem> {
        self.zpool.check()?;
        let message = "The room of the storage pool cannot be asked";
        let said = self.zpool.run(&self.dataset, message, &commands::room(&self.dataset))?;
        let (free, quota) = parse_room(&said.stdout)
            .ok_or_else(|| problem(message, format!("zfs printed '{}'", said.stdout.trim()), "Report this error."))?;
        let total = quota.or(self.zpool.size()).unwrap_or(free);
        Ok(Capacity { free: Kib::from_bytes_floor(free), total: Kib::from_bytes_floor(total) })
    }

    fn granularity(&self) -> Kib {
        self.granularity
    }

    fn supports_snapshots(&self) -> bool {
        true
    }

    fn observe(&self, id: &BackingId) -> Result<ObservedVolume, Problem> {
        let (known, device) = self.compare(id)?;
        let granularity = known.as_ref().and_then(|known| known.volblocksize).map(Kib::from_bytes_ceil);
        Ok(ObservedVolume {
            backing: known.as_ref().and_then(|known| known.volsize).map(Kib::from_bytes_floor),
            allocated: known.as_ref().map(|known| self.allocated(known)),
            device,
            granularity: granularity.unwrap_or(self.granularity),
            has_device: true,
            ..ObservedVolume::default()
        })
    }

    fn stranger(&self, id: &BackingId, owner: Owner) -> Result<Option<Stranger>, Problem> {
        let is_owners = |found: &Dataset| found.owner == Some(owner.to_string());
        if self.known(id)?.as_ref().is_some_and(is_owners) {
            return Ok(None);
        }
        // Somebody may have taken it over, or moved it away, a moment ago.
        self.zpool.look_again(&[self.name(id), self.staging(id)])?;
        let name = self.name(id);
        match self.known(id)? {
            Some(found) if is_owners(&found) => Ok(None),
            Some(_) => {
                let adopt = format!("zfs set {}={owner} {name}", commands::OWNER);
                Ok(Some(Stranger { place: format!("zvol {name}"), adopt }))
            }
            None => Err(problem(
                format!("Zvol {name} cannot be looked at"),
                "it was removed or renamed in that moment",
                "It is tried again.",
            )),
        }
    }

    fn content(&self, id: &BackingId) -> Content {
        let mut head = vec![0; blkid::SIGNATURE_BYTES];
        let read = self.open(id).and_then(|device| device.read_exact_at(&mut head, 0));
        match read.ok().and_then(|()| blkid::known_signature(&head)) {
            Some(kind) => Content::Known(kind.to_owned()),
            None => Content::Unknown,
        }
    }

    fn extent(&self, id: &BackingId) -> Result<Extent, Problem> {
        let path = link_of(&self.name(id));
        self.reach(id).map_err(|error| io_problem("The volume's content cannot be read", &path, &error))
    }

    fn observe_part(&self, part: PartId<'_>) -> Result<ObservedPart, Problem> {
        self.zpool.check()?;
        self.zpool.read(|known| {
            if !known.contains_key(&self.dataset) {
                return Err(missing(&self.dataset));
            }
            let found = self.locate(part, known).map(|(_, found)| found);
            Ok(ObservedPart {
                size: found.and_then(|found| found.volsize).map(Kib::from_bytes_floor),
                allocated: found.map(|found| Kib::from_bytes_ceil(found.referenced)),
                taken_ms: found.and_then(|found| found.created).map(|seconds| seconds.saturating_mul(1000)),
            })
        })?
    }

    fn assert_unused(&self, id: &BackingId) -> Result<(), Problem> {
        self.hold(id).map(drop)
    }

    fn create(&self, id: &BackingId, size: Kib, owner: Owner) -> Result<(), Problem> {
        if self.known(id)?.is_some() {
            return self.refuse_stranger(id, owner);
        }
        self.make_way(id)?;
        let name = self.name(id);
        let line = commands::create(&name, (size, self.provisioning), owner, &self.create_options);
        self.make(id, owner, (&format!("A volume of {size} cannot be made"), &line))
    }

    fn create_from(&self, id: &BackingId, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem> {
        if self.known(id)?.is_some() {
            return self.refuse_stranger(id, owner);
        }
        self.make_way(id)?;
        let message = "The volume cannot be made from the snapshot";
        let (snapshot, _) = self.located(part, message)?;
        let name = self.name(id);
        let line = commands::clone((&snapshot, &name), self.provisioning, owner, &[]);
        self.make(id, owner, (message, &line))?;
        self.give_size(id, &name, size)
    }

    fn resize(&self, id: &BackingId, size: Kib) -> Result<(), Problem> {
        self.finish_swap(id)?;
        let smaller = self.known(id)?.and_then(|known| known.volsize).is_some_and(|bytes| bytes > size.bytes());
        // Held until the end, so that nobody mounts it in between.
        let _held = if smaller { self.hold(id)? } else { None };
        self.set_size(id, &self.name(id), size)
    }

    fn refresh_size(&self, id: &BackingId) -> Result<(), Problem> {
        let Some(size) = self.known(id)?.and_then(|known| known.volsize).map(Kib::from_bytes_floor) else {
            return Ok(());
        };
        let name = self.name(id);
        if self.zvols().wait_size(&name, size, SETTLE) {
            return Ok(());
        }
        Err(problem(
            format!("The device of {name} does not take its new size"),
            format!("the zvol has {size}, and the kernel still says something else of its device"),
            "It is tried again; see the kernel log.",
        ))
    }

    fn attach(&self, id: &BackingId) -> Result<(), Problem> {
        self.finish_swap(id)?;
        let name = self.name(id);
        let message = format!("{name} cannot be given a device");
        if self.known(id)?.is_some_and(|known| known.hidden) {
            self.change(id, &message, &commands::inherit(&name, "volmode"))?;
            self.look_again(id)?;
        }
        if self.known(id)?.is_some_and(|known| known.hidden) {
            // What it inherits is `none`, too.
            self.change(id, &message, &commands::set(&name, &[("volmode", "default")]))?;
            self.look_again(id)?;
        }
        if self.zvols().wait(&name, self.device_wait) {
            return Ok(());
        }
        Err(problem(
            message,
            format!(
                "neither {} nor a /dev/zd* of its own appeared within {} s",
                link_of(&name).display(),
                self.device_wait.as_secs()
            ),
            "In a container the host's /dev must be mounted. See zfs get volmode, the parameter zvol_inhibit_dev of the module \
             zfs, and the kernel log; StorDriver/WaitTimeoutAfterCreate (ms) gives it more time.",
        ))
    }

    fn detach(&self, id: &BackingId) -> Result<(), Problem> {
        self.finish_swap(id)?;
        match self.known(id)? {
            Some(known) if !known.hidden => self.hide(id),
            _ if self.zvols().find(&self.name(id)).is_some() => self.hide(id),
            _ => Ok(()),
        }
    }

    fn remove(&self, id: &BackingId) -> Result<(), Problem> {
        self.remove_volume(id)
    }

    fn take_snapshot(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<Option<String>, Problem> {
        self.snapshot(ids, snapshot).map(|()| None)
    }

    fn remove_part(&self, part: PartId<'_>) -> Result<(), Problem> {
        self.remove_snapshot(part)
    }

    fn stage_rollback(&self, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem> {
        self.stage(part, size, owner)
    }

    fn swap_rollback(&self, id: &BackingId) -> Result<(), Problem> {
        self.swap(id)
    }

    fn rolled_back(&self, rsc: &RscName) -> Result<Option<Uuid>, Problem> {
        self.token(rsc)
    }

    fn record_rollback(&self, rsc: &RscName, token: Option<Uuid>) -> Result<(), Problem> {
        self.record(rsc, token)
    }
}

impl ZfsDriver {
    /// Runs a command that makes a volume; one that turns out to be there already is the owner's, or refused.
    fn make(&self, id: &BackingId, owner: Owner, (message, line): (&str, &CommandLine)) -> Result<(), Problem> {
        let name = self.name(id);
        self.zvols().forget(&name);
        let made = self.zpool.run_patiently(&name, message, line);
        self.look_again(id)?;
        match made {
            Err(failed) if failed.failure == Failure::Exists && self.known(id)?.is_some() => {
                self.refuse_stranger(id, owner)
            }
            made => made.map(drop).map_err(Problem::from),
        }
    }

    /// Gives what has a snapshot's size the one that was asked for.
    fn give_size(&self, id: &BackingId, name: &str, size: Kib) -> Result<(), Problem> {
        let known = self.zpool.read(|known| known.get(name).and_then(|found| found.volsize))?;
        match known.is_some_and(|bytes| bytes < size.bytes()) {
            true => self.set_size(id, name, size),
            false => Ok(()),
        }
    }

    fn set_size(&self, id: &BackingId, name: &str, size: Kib) -> Result<(), Problem> {
        let blocks = self.zpool.read(|known| known.get(name).and_then(|found| found.volblocksize))?;
        let unit = blocks.map_or(self.granularity, Kib::from_bytes_ceil).0.max(1);
        let size = Kib(size.0.div_ceil(unit).saturating_mul(unit));
        let message = format!("The volume cannot be resized to {size}");
        self.change(id, &message, &commands::resize(name, size))?;
        self.zpool.look_again(&[name.to_owned()])
    }
}

fn missing(dataset: &str) -> Problem {
    problem(
        format!("Dataset {dataset} is missing"),
        "its zpool has no dataset of that name",
        format!(
            "Make it (zfs create -o mountpoint=none {dataset}), or correct StorDriver/StorPoolName. Volumes are not made anew."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    impl ZfsDriver {
        /// One that has looked at nothing.
        pub(super) fn unprepared(dataset: &str) -> Self {
            Self {
                dataset: dataset.to_owned(),
                provisioning: Provisioning::Thin,
                zpool: Zfs::new(Arc::default()).zpool_of(dataset),
                granularity: GRANULARITY,
                create_options: Vec::new(),
                snapshot_options: Vec::new(),
                device_wait: DEVICE_WAIT,
                staged: Mutex::default(),
                tokens: Mutex::default(),
            }
        }
    }
}
