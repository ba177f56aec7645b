//! LVM and LVM_THIN: a volume is the logical volume `<id>` of a volume group (facts: `satellite.md` §1.4, §1.5).
//!
//! What is there is read from the one listing that all groups share; the kernel tells of devices. Whose a volume is stands on
//! it as a tag, from the command on that makes it. A name is given only to what is complete. A volume is never wiped but by
//! the run that made it, before it gets its name.

mod commands;
mod device;
mod failure;
mod host;
mod listing;
mod names;
mod prepare;
mod snapshots;
mod thick;
mod volumes;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::model::moment::Uuid;
use crate::model::names::{RscName, SnapName};
use crate::model::plan::{BackingId, Content, Extent, ObservedPart, ObservedVolume, Stranger};
use crate::model::report::{Capacity, Problem};
use crate::model::size::Kib;
use crate::protocols::{blkid, superblock};
use crate::storage::driver::{Driver, Owner, PartId};
use crate::storage::problem::{io_problem, problem};
use failure::About;

pub use host::Lvm;

/// Options of `lvcreate` for volumes.
const CREATE_OPTIONS: &str = "StorDriver/LvcreateOptions";
/// Options of `lvcreate` for snapshots.
const SNAPSHOT_OPTIONS: &str = "StorDriver/LvcreateSnapshotOptions";
/// Options of `pvs` that choose the disks of a thick volume.
const DISK_SELECTION: &str = "StorDriver/LvcreatePvSelection";
/// Where none are given: those first that are used least.
const DISK_SELECTION_DEFAULT: &str = "--sort pv_used";
/// How long a device is waited for, in ms.
const DEVICE_WAIT: &str = "StorDriver/WaitTimeoutAfterCreate";
const DEVICE_WAIT_MS: u64 = 5000;
/// How old a listing may be, in ms.
const LISTING_AGE: &str = "StorDriver/SizesCacheTime";
const LISTING_AGE_MS: u64 = 10_000;

/// The driver of one volume group, or of one thin pool in it. For a resource it has that one's options, too.
#[derive(Debug, Clone)]
pub struct LvmDriver {
    place: Arc<Place>,
    options: Arc<BTreeMap<String, String>>,
}

/// Where the pool's volumes are.
#[derive(Debug)]
struct Place {
    lvm: Arc<Lvm>,
    group: String,
    /// The thin pool; none where volumes have extents of their own.
    thin: Option<String>,
    /// Whether somebody was told that it is nearly full.
    warned: AtomicBool,
}

impl LvmDriver {
    fn option(&self, key: &str) -> Option<&str> {
        self.options.get(key).map(String::as_str)
    }

    fn millis(&self, key: &str, default: u64) -> Duration {
        let told = self.option(key).and_then(|text| text.trim().parse().ok());
        Duration::from_millis(told.unwrap_or(default))
    }

    fn device_wait(&self) -> Duration {
        self.millis(DEVICE_WAIT, DEVICE_WAIT_MS)
    }

    fn lvm(&self) -> &Lvm {
        &self.place.lvm
    }

    fn group(&self) -> &str {
        &self.place.group
    }

    fn is_thin(&self) -> bool {
        self.place.thin.is_some()
    }

    /// `group/name`, as commands want it.
    fn full(&self, name: &str) -> String {
        format!("{}/{name}", self.place.group)
    }

    fn about<'a>(&'a self, volume: &'a str, message: &'a str) -> About<'a> {
        About { group: &self.place.group, volume, message }
    }

    /// Runs a command about a volume.
    fn run(
        &self,
        (volume, message): (&str, &str),
        line: impl Fn(&commands::Config) -> crate::storage::exec::CommandLine,
    ) -> Result<(), Problem> {
        self.lvm().run(self.about(volume, message), line).map(drop)
    }
}

impl Driver for LvmDriver {
    fn capacity(&self) -> Result<Capacity, Problem> {
        self.room()
    }

    fn granularity(&self) -> Kib {
        self.unit()
    }

    fn supports_snapshots(&self) -> bool {
        true
    }

    fn with_options(&self, options: &BTreeMap<String, String>) -> Option<Arc<dyn Driver>> {
        let own = || Arc::new(Self { place: Arc::clone(&self.place), options: Arc::new(options.clone()) });
        (!options.is_empty() && *options != *self.options).then(|| own() as Arc<dyn Driver>)
    }

    fn warning(&self) -> Option<Problem> {
        self.nearly_full()
    }

    fn observe(&self, id: &BackingId) -> Result<ObservedVolume, Problem> {
        self.look(id)
    }

    fn stranger(&self, id: &BackingId, owner: Owner) -> Result<Option<Stranger>, Problem> {
        let tag = names::owner_tag(owner);
        let found = self.find(id.as_str())?.filter(|found| !found.volume.has_tag(&tag));
        Ok(found.map(|found| Stranger {
            place: device::path(self.group(), &found.name).to_string_lossy().into_owned(),
            adopt: format!("lvchange --addtag {tag} {}", self.full(&found.name)),
        }))
    }

    fn content(&self, id: &BackingId) -> Content {
        let mut head = vec![0; blkid::SIGNATURE_BYTES];
        let device = self.device(id.as_str()).ok().flatten();
        let read = device.map(|device| File::open(device.path).and_then(|mut file| file.read_exact(&mut head)));
        match read.and_then(Result::ok).and_then(|()| blkid::known_signature(&head)) {
            Some(kind) => Content::Known(kind.to_owned()),
            None => Content::Unknown,
        }
    }

    fn extent(&self, id: &BackingId) -> Result<Extent, Problem> {
        let Some(device) = self.device(id.as_str())? else { return Ok(Extent::Unknown) };
        let mut head = Vec::with_capacity(superblock::HEAD_BYTES);
        let read =
            File::open(&device.path).and_then(|file| file.take(superblock::HEAD_BYTES as u64).read_to_end(&mut head));
        read.map_err(|error| io_problem("The volume's content cannot be read", device.path.as_ref(), &error))?;
        // What else was written, and up to where, LVM does not tell.
        Ok(superblock::recognise(&head).map_or(Extent::Unknown, |found| Extent::Content {
            kind: found.kind.to_owned(),
            needs: found.bytes.map(Kib::from_bytes_ceil),
        }))
    }

    fn observe_part(&self, part: PartId<'_>) -> Result<ObservedPart, Problem> {
        self.look_at_part(part)
    }

    fn assert_unused(&self, id: &BackingId) -> Result<(), Problem> {
        match self.device(id.as_str())? {
            Some(device) => device::exclusive(device.path.as_ref()).map(drop),
            None => Ok(()),
        }
    }

    fn create(&self, id: &BackingId, size: Kib, owner: Owner) -> Result<(), Problem> {
        self.make(id, size, owner)
    }

    fn create_from(&self, id: &BackingId, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem> {
        if self.find(id.as_str())?.is_some() {
            return self.refuse_stranger(id, owner);
        }
        self.restore(id, part, (size, owner))
    }

    fn resize(&self, id: &BackingId, size: Kib) -> Result<(), Problem> {
        self.change_size(id, size)
    }

    fn refresh_size(&self, id: &BackingId) -> Result<(), Problem> {
        self.reload(id)
    }

    fn attach(&self, id: &BackingId) -> Result<(), Problem> {
        self.finish(id.as_str())?;
        self.activate(id.as_str()).map(drop)
    }

    fn detach(&self, id: &BackingId) -> Result<(), Problem> {
        self.finish(id.as_str())?;
        self.deactivate(id.as_str())
    }

    fn remove(&self, id: &BackingId) -> Result<(), Problem> {
        self.finish(id.as_str())?;
        self.drop_volume(id.as_str())
    }

    fn take_snapshot(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<Option<String>, Problem> {
        self.snapshot(ids, snapshot)
    }

    fn remove_part(&self, part: PartId<'_>) -> Result<(), Problem> {
        self.drop_part(part)
    }

    fn stage_rollback(&self, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem> {
        self.stage(part, (size, owner))
    }

    fn swap_rollback(&self, id: &BackingId) -> Result<(), Problem> {
        self.swap(id)
    }

    fn rolled_back(&self, rsc: &RscName) -> Result<Option<Uuid>, Problem> {
        let tags = self.lvm().group_tags(self.group())?;
        let Some(token) = tags.iter().find_map(|tag| names::rollback_token(tag, rsc.as_str())) else {
            return Ok(None);
        };
        let unreadable = || {
            problem(
                "The record of the last rollback cannot be read",
                format!("the tag of volume group {} for {rsc} holds '{token}'", self.group()),
                format!(
                    "Remove the tag if no rollback is under way: vgchange --deltag {} {}",
                    names::rollback_tag(rsc.as_str(), token),
                    self.group()
                ),
            )
        };
        token.parse().map(Some).map_err(|_| unreadable())
    }

    fn record_rollback(&self, rsc: &RscName, token: Option<Uuid>) -> Result<(), Problem> {
        let new = token.map(|token| names::rollback_tag(rsc.as_str(), &token.to_string()));
        let mut gone = self.lvm().group_tags(self.group())?;
        gone.retain(|tag| names::rollback_token(tag, rsc.as_str()).is_some() && Some(tag) != new.as_ref());
        let is_there =
            new.as_ref().is_some_and(|new| self.lvm().group_tags(self.group()).is_ok_and(|tags| tags.contains(new)));
        if gone.is_empty() && (new.is_none() || is_there) {
            return Ok(());
        }
        let about = self.about("", "The rollback cannot be recorded");
        self.lvm().tag_group(about, &gone, new.as_deref())
    }
}
