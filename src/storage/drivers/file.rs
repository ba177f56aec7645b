//! FILE and FILE_THIN: a volume is a file `<folder>/<id>.img` behind a loop device (facts: `satellite.md` §1.7).
//!
//! A name ending in `.img` is given only to what is complete: content that takes time is made under `.<name>.partial`,
//! made durable, and renamed. Volumes are never wiped: a new file is zeros, and blocks of an unlinked one cannot be read.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::fcntl::posix_fallocate;
use nix::sys::statfs::{BTRFS_SUPER_MAGIC, XFS_SUPER_MAGIC, statfs};
use nix::sys::statvfs::statvfs;

use crate::model::kinds::Provisioning;
use crate::model::moment::Uuid;
use crate::model::names::{RscName, SnapName};
use crate::model::plan::{BackingId, Content, Extent, ObservedPart, ObservedVolume, Stranger};
use crate::model::report::{Capacity, Problem};
use crate::model::size::Kib;
use crate::protocols::{blkid, superblock};
use crate::storage::driver::{Driver, Owner, PartId};
use crate::storage::loops::Loops;
use crate::storage::problem::{io_problem, problem};
use crate::storage::{freeze, ioctl, mark, outer_room, sparse};

/// Names of LINSTOR's test for reflinks.
const PROBE_SOURCE: &str = "LinstorSnapshotTestSource.img";
const PROBE_TARGET: &str = "LinstorSnapshotTestTarget.img";
/// Ending of unfinished content.
pub(super) const PARTIAL: &str = ".partial";
/// Ending of the list of what is frozen for a snapshot.
pub(super) const FROZEN: &str = ".frozen";
/// Ending of the token of a resource's last rollback.
const ROLLBACK: &str = ".rollback";
/// Most data that a file system keeps in a file's inode: a page.
const INLINE_BYTES_MAX: u64 = 4096;
/// Unit of `st_blocks`.
const STAT_BLOCK_BYTES: u64 = 512;

/// Whether leftovers of an earlier process are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparation {
    /// First time in this process: no work of ours can be under way in the folder.
    First,
    /// Again: unfinished files may be somebody's work.
    Again,
}

/// The driver of one folder.
#[derive(Debug)]
pub struct FileDriver {
    pub(super) folder: PathBuf,
    pub(super) provisioning: Provisioning,
    pub(super) loops: Arc<Loops>,
    pub(super) reflink: bool,
}

impl FileDriver {
    /// Makes the folder usable: makes it if its parent is there, removes leftovers of a crashed run, adopts the loop
    /// devices on its files, and tries whether its file system has reflinks. The pass over the folder happens once.
    pub fn prepare(
        folder: &str,
        provisioning: Provisioning,
        loops: Arc<Loops>,
        preparation: Preparation,
    ) -> Result<Self, Problem> {
        let given = Path::new(folder);
        if !given.is_absolute() {
            return Err(problem(
                "The storage pool's folder cannot be used",
                format!("'{folder}' is no absolute path"),
                "Set StorDriver/StorPoolName to the folder's whole path, beginning with /.",
            ));
        }
        let failed = |error| io_problem("The storage pool's folder cannot be used", given, &error);
        let folder = make_folder(given).map_err(failed)?;
        if preparation == Preparation::First {
            clean_up(&folder).map_err(failed)?;
            loops.adopt(&folder).map_err(failed)?;
        }
        let reflink = probe_reflink(&folder).map_err(failed)?;
        Ok(Self { folder, provisioning, loops, reflink })
    }

    /// The folder, without symbolic links.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether its file system shares blocks between files.
    #[must_use]
    pub fn has_reflink(&self) -> bool {
        self.reflink
    }

    pub(super) fn volume_file(&self, id: &BackingId) -> PathBuf {
        self.folder.join(format!("{id}.img"))
    }

    pub(super) fn part_file(&self, part: PartId<'_>) -> PathBuf {
        self.folder.join(format!("{}.img", part.of.snapshot(part.snapshot)))
    }

    /// Where content of a file is made until it is complete.
    pub(super) fn partial_of(file: &Path) -> PathBuf {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        file.with_file_name(format!(".{name}{PARTIAL}"))
    }

    /// Makes names that were given or taken away durable.
    pub(super) fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    /// Gives a file this size; allocates it where that is due.
    pub(super) fn set_size(&self, file: &File, size: Kib) -> io::Result<()> {
        if self.provisioning == Provisioning::Thin || file.metadata()?.len() > size.bytes() {
            return file.set_len(size.bytes());
        }
        let length = i64::try_from(size.bytes()).map_err(io::Error::other)?;
        posix_fallocate(file, 0, length).map_err(io::Error::from)
    }

    fn marker(&self, rsc: &RscName) -> PathBuf {
        self.folder.join(format!(".{rsc}{ROLLBACK}"))
    }

    fn make_blank(&self, path: &Path, size: Kib, owner: Owner) -> io::Result<()> {
        // Beside what may be staged for the volume.
        let partial = Self::partial_of(&path.with_extension("new"));
        let made = (|| {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&partial)?;
            mark::set(&file, owner)?;
            self.set_size(&file, size)?;
            give_name(&partial, path)?;
            self.sync_folder()
        })();
        if made.is_err() {
            unlink(&partial)?;
        }
        made
    }

    /// Refuses a file under a volume's name that is not the owner's.
    pub(super) fn refuse_stranger(&self, id: &BackingId, owner: Owner) -> Result<(), Problem> {
        match self.stranger(id, owner)? {
            None => Ok(()),
            Some(stranger) => Err(problem(
                "The volume cannot be made",
                format!("{} is there already, with data that is not this volume's", stranger.place),
                "Move it away.",
            )),
        }
    }

    fn is_foreign(&self, path: &Path, owner: Owner) -> io::Result<bool> {
        let file = File::open(path)?;
        if mark::is_of(&file, owner)? {
            return Ok(false);
        }
        self.flush_device(path)?;
        let meta = file.metadata()?;
        // Not every file system knows of holes. Some keep little data without any block.
        let blank = meta.blocks() == 0 && meta.len() > INLINE_BYTES_MAX;
        Ok(!blank && sparse::data_end(&file)? > 0)
    }
}

impl Driver for FileDriver {
    fn capacity(&self) -> Result<Capacity, Problem> {
        let room = statvfs(&self.folder)
            .map_err(|errno| io_problem("The room of the storage pool cannot be asked", &self.folder, &errno.into()))?;
        let bytes = |blocks: u64| blocks.saturating_mul(room.fragment_size());
        let used = bytes(room.blocks().saturating_sub(room.blocks_free()));
        let free = bytes(room.blocks_available());
        let free = outer_room::limit(&self.folder, used).map_or(free, |limit| free.min(limit));
        Ok(Capacity { free: Kib::from_bytes_floor(free), total: Kib::from_bytes_floor(bytes(room.blocks())) })
    }

    fn granularity(&self) -> Kib {
        Kib(1)
    }

    fn supports_snapshots(&self) -> bool {
        true
    }

    fn observe(&self, id: &BackingId) -> Result<ObservedVolume, Problem> {
        let path = self.volume_file(id);
        let meta = self.stat(&path)?;
        let device = self.loops.observe(&path);
        if let Some(meta) = &meta {
            self.loops.saw(&path, meta.blocks());
        }
        Ok(ObservedVolume {
            backing: meta.as_ref().map(|meta| Kib::from_bytes_floor(meta.len())),
            allocated: meta.as_ref().map(allocated),
            device,
            granularity: Kib(1),
            has_device: true,
            ..ObservedVolume::default()
        })
    }

    fn stranger(&self, id: &BackingId, owner: Owner) -> Result<Option<Stranger>, Problem> {
        let path = self.volume_file(id);
        let foreign = self.is_foreign(&path, owner);
        let foreign =
            foreign.map_err(|error| io_problem("Whose the volume's file is cannot be told", &path, &error))?;
        let place = path.to_string_lossy().into_owned();
        Ok(foreign.then(|| Stranger { adopt: mark::command(&place, owner), place }))
    }

    fn content(&self, id: &BackingId) -> Content {
        let mut head = vec![0; blkid::SIGNATURE_BYTES];
        let read = File::open(self.volume_file(id)).and_then(|file| file.read_exact_at(&mut head, 0));
        match read.ok().and_then(|()| blkid::known_signature(&head)) {
            Some(kind) => Content::Known(kind.to_owned()),
            None => Content::Unknown,
        }
    }

    fn extent(&self, id: &BackingId) -> Result<Extent, Problem> {
        let path = self.volume_file(id);
        self.reach(&path).map_err(|error| io_problem("The volume's content cannot be read", &path, &error))
    }

    fn observe_part(&self, part: PartId<'_>) -> Result<ObservedPart, Problem> {
        let meta = self.stat(&self.part_file(part))?;
        Ok(ObservedPart {
            size: meta.as_ref().map(|meta| Kib::from_bytes_floor(meta.len())),
            allocated: meta.as_ref().map(allocated),
            taken_ms: meta.as_ref().map(|meta| meta.mtime() * 1000 + meta.mtime_nsec() / 1_000_000),
        })
    }

    fn assert_unused(&self, id: &BackingId) -> Result<(), Problem> {
        self.loops.assert_unused(&self.volume_file(id))
    }

    fn create(&self, id: &BackingId, size: Kib, owner: Owner) -> Result<(), Problem> {
        let path = self.volume_file(id);
        if self.stat(&path)?.is_some() {
            return self.refuse_stranger(id, owner);
        }
        let made = self.make_blank(&path, size, owner);
        made.map_err(|error| io_problem(format!("A volume of {size} cannot be made"), &path, &error))
    }

    fn create_from(&self, id: &BackingId, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem> {
        self.restore(id, part, (size, owner))
    }

    fn resize(&self, id: &BackingId, size: Kib) -> Result<(), Problem> {
        let path = self.volume_file(id);
        let smaller = self.stat(&path)?.is_some_and(|meta| meta.len() > size.bytes());
        // Held until the end, so that nobody mounts it in between.
        let _held = if smaller { self.loops.hold(&path)? } else { None };
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let done = opened.and_then(|file| {
            self.set_size(&file, size)?;
            file.sync_all()
        });
        done.map_err(|error| io_problem(format!("The volume cannot be resized to {size}"), &path, &error))
    }

    fn refresh_size(&self, id: &BackingId) -> Result<(), Problem> {
        self.loops.refresh_size(&self.volume_file(id))
    }

    fn attach(&self, id: &BackingId) -> Result<(), Problem> {
        self.loops.attach(&self.volume_file(id))
    }

    fn detach(&self, id: &BackingId) -> Result<(), Problem> {
        self.loops.detach(&self.volume_file(id))
    }

    fn remove(&self, id: &BackingId) -> Result<(), Problem> {
        let path = self.volume_file(id);
        let partial = Self::partial_of(&path);
        let removed = unlink(&partial).and_then(|()| unlink(&path)).and_then(|()| self.sync_folder());
        removed.map_err(|error| io_problem("The volume cannot be removed", &path, &error))
    }

    fn take_snapshot(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<Option<String>, Problem> {
        self.snapshot(ids, snapshot)
    }

    fn remove_part(&self, part: PartId<'_>) -> Result<(), Problem> {
        let path = self.part_file(part);
        let removed = unlink(&path).and_then(|()| self.sync_folder());
        removed.map_err(|error| io_problem("The snapshot cannot be removed", &path, &error))
    }

    fn stage_rollback(&self, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem> {
        self.stage(part, (size, owner))
    }

    fn swap_rollback(&self, id: &BackingId) -> Result<(), Problem> {
        let path = self.volume_file(id);
        self.loops.detach(&path)?;
        let partial = Self::partial_of(&path);
        let swapped = std::fs::rename(&partial, &path).and_then(|()| self.sync_folder());
        swapped.map_err(|error| io_problem("The rolled back volume cannot be put in place", &path, &error))
    }

    fn rolled_back(&self, rsc: &RscName) -> Result<Option<Uuid>, Problem> {
        let path = self.marker(rsc);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_problem("The record of the last rollback cannot be read", &path, &error)),
        }
    }

    fn record_rollback(&self, rsc: &RscName, token: Option<Uuid>) -> Result<(), Problem> {
        let path = self.marker(rsc);
        let done = match token {
            Some(token) => write_durably(&path, &format!("{token}\n")),
            None => unlink(&path),
        };
        done.and_then(|()| self.sync_folder())
            .map_err(|error| io_problem("The rollback cannot be recorded", &path, &error))
    }
}

impl FileDriver {
    /// How far a volume's content reaches, with what its device still holds back.
    fn reach(&self, path: &Path) -> io::Result<Extent> {
        self.flush_device(path)?;
        let file = File::open(path)?;
        let mut head = Vec::with_capacity(superblock::HEAD_BYTES);
        (&file).take(superblock::HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok(match superblock::recognise(&head) {
            Some(found) => {
                Extent::Content { kind: found.kind.to_owned(), needs: found.bytes.map(Kib::from_bytes_ceil) }
            }
            None => Extent::Data { end: Kib::from_bytes_ceil(sparse::data_end(&file)?) },
        })
    }

    fn stat(&self, path: &Path) -> Result<Option<Metadata>, Problem> {
        match std::fs::symlink_metadata(path) {
            Ok(meta) if meta.is_file() => Ok(Some(meta)),
            Ok(_) => Err(problem(
                "The storage pool holds something else under a volume's name",
                format!("{} is no regular file", path.display()),
                "Move it away.",
            )),
            // A folder that is gone is a sick pool, not an absent volume.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.folder.is_dir() => Ok(None),
            Err(error) => Err(io_problem("The storage pool cannot be read", path, &error)),
        }
    }
}

fn allocated(meta: &Metadata) -> Kib {
    Kib::from_bytes_ceil(meta.blocks() * STAT_BLOCK_BYTES)
}

/// Removes a file; one that is gone already is fine.
pub(super) fn unlink(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives what is complete its name, which nobody has.
fn give_name(partial: &Path, path: &Path) -> io::Result<()> {
    match std::fs::hard_link(partial, path) {
        Ok(()) => unlink(partial),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // A file system where a file has one name only.
        Err(_) if !path.try_exists()? => std::fs::rename(partial, path),
        Err(error) => Err(error),
    }
}

fn write_durably(path: &Path, text: &str) -> io::Result<()> {
    let partial = FileDriver::partial_of(path);
    std::fs::write(&partial, text)?;
    File::open(&partial)?.sync_all()?;
    std::fs::rename(&partial, path)
}

fn make_folder(given: &Path) -> io::Result<PathBuf> {
    match std::fs::create_dir(given) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let folder = given.canonicalize()?;
    if folder.is_dir() { Ok(folder) } else { Err(io::Error::from(io::ErrorKind::NotADirectory)) }
}

/// One pass over the folder: unfinished files go, what is frozen is thawed.
fn clean_up(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            continue;
        }
        if name.ends_with(PARTIAL) {
            unlink(&path)?;
        } else if name.ends_with(FROZEN) {
            freeze::thaw_leftover(&path)?;
        }
    }
    Ok(())
}

/// Whether the folder's file system has reflinks; also whether it can be written at all.
pub(in crate::storage) fn probe_reflink(folder: &Path) -> io::Result<bool> {
    let (source, target) = (folder.join(PROBE_SOURCE), folder.join(PROBE_TARGET));
    let tried: io::Result<bool> = (|| {
        std::fs::write(&source, [1; 4096])?;
        let shared = ioctl::reflink(&File::open(&source)?, &File::create(&target)?);
        Ok(shared.is_ok())
    })();
    unlink(&source)?;
    unlink(&target)?;
    match tried {
        // A full pool is opened all the same: nothing could be removed from it otherwise.
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            Ok(is_known_to_share(folder)?)
        }
        tried => tried,
    }
}

/// Whether the folder's file system is of a kind that shares blocks as it is made by default.
fn is_known_to_share(folder: &Path) -> nix::Result<bool> {
    let kind = statfs(folder)?.filesystem_type();
    Ok(kind == XFS_SUPER_MAGIC || kind == BTRFS_SUPER_MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::VolumeNumber;

    fn driver(folder: &Path, provisioning: Provisioning) -> FileDriver {
        let text = folder.to_string_lossy();
        FileDriver::prepare(&text, provisioning, Arc::default(), Preparation::First).expect("prepared")
    }

    fn owner() -> Owner {
        Owner::of(&crate::model::conduct::tests::desired("web", 1))
    }

    fn id(name: &str) -> BackingId {
        let rsc = RscName::parse(name).expect("legal");
        BackingId::of(&rsc, VolumeNumber::new(0).expect("legal"), None).expect("legal")
    }

    #[test]
    fn folders_are_made_when_their_parent_is_there() {
        let base = tempfile::tempdir().expect("folder");
        let pool = base.path().join("pool");
        driver(&pool, Provisioning::Thin);
        assert!(pool.is_dir());
        for bad in [base.path().join("a/b"), PathBuf::from("relative")] {
            let text = bad.to_string_lossy().into_owned();
            let error = FileDriver::prepare(&text, Provisioning::Thin, Arc::default(), Preparation::First)
                .expect_err("refused");
            assert!(error.cause.contains(&*text), "{error:?}");
        }
    }

    #[test]
    fn leftovers_go_the_first_time_only() {
        let base = tempfile::tempdir().expect("folder");
        let leftover = base.path().join(".web_00000.img.partial");
        let text = base.path().to_string_lossy().into_owned();
        for (preparation, left) in [(Preparation::First, false), (Preparation::Again, true)] {
            std::fs::write(&leftover, "x").expect("written");
            FileDriver::prepare(&text, Provisioning::Thin, Arc::default(), preparation).expect("prepared");
            assert_eq!(leftover.exists(), left);
        }
        let names: Vec<_> = std::fs::read_dir(base.path()).expect("there").collect();
        assert_eq!(names.len(), 1, "the probe leaves nothing: {names:?}");
    }

    #[test]
    fn thin_files_take_no_room_and_thick_ones_all() {
        let base = tempfile::tempdir().expect("folder");
        for (provisioning, full) in [(Provisioning::Thin, false), (Provisioning::Fat, true)] {
            let driver = driver(base.path(), provisioning);
            let id = id(if full { "thick" } else { "thin" });
            driver.create(&id, Kib(4096), owner()).expect("made");
            driver.create(&id, Kib(9999), owner()).expect("there already");
            let seen = driver.observe(&id).expect("seen");
            assert_eq!(seen.backing, Some(Kib(4096)));
            assert_eq!(seen.allocated.expect("known") >= Kib(4096), full);
            driver.resize(&id, Kib(8192)).expect("grown");
            driver.resize(&id, Kib(2048)).expect("cut");
            assert_eq!(driver.observe(&id).expect("seen").backing, Some(Kib(2048)));
            driver.remove(&id).expect("removed");
            driver.remove(&id).expect("gone is fine");
        }
    }

    #[test]
    fn what_does_not_fit_leaves_nothing() {
        let base = tempfile::tempdir().expect("folder");
        let driver = driver(base.path(), Provisioning::Fat);
        let error = driver.create(&id("huge"), Kib(1 << 50), owner()).expect_err("no room");
        assert!(error.cause.contains("huge_00000.img"), "{error:?}");
        assert_eq!(std::fs::read_dir(base.path()).expect("there").count(), 0);
    }

    #[test]
    fn a_file_with_data_of_somebody_else_is_no_volume_of_ours() {
        let base = tempfile::tempdir().expect("folder");
        let driver = driver(base.path(), Provisioning::Thin);
        let (id, path) = (id("web"), base.path().join("web_00000.img"));
        let is_foreign = || driver.stranger(&id, owner()).expect("asked").is_some();
        File::create(&path).expect("made").set_len(1 << 20).expect("a hole");
        assert!(!is_foreign(), "nothing is lost with an empty one");
        std::fs::write(&path, "their data").expect("written");
        assert!(is_foreign());
        let error = driver.create(&id, Kib(4096), owner()).expect_err("theirs");
        assert!(error.cause.contains("web_00000.img"), "{error:?}");
        assert_eq!(std::fs::read(&path).expect("there"), b"their data");
        std::fs::remove_file(&path).expect("moved away");
        driver.create(&id, Kib(4096), owner()).expect("made");
        std::fs::write(&path, "our data").expect("written");
        let marked = mark::is_of(&File::open(&path).expect("there"), owner()).expect("asked");
        assert_eq!(is_foreign(), !marked, "without marks nobody knows");
        let mut other = crate::model::conduct::tests::desired("web", 7 << 32);
        other.generation += 1;
        assert!(driver.stranger(&id, Owner::of(&other)).expect("asked").is_some(), "of an earlier definition");
    }

    #[test]
    fn a_name_is_given_once() {
        let base = tempfile::tempdir().expect("folder");
        let (partial, path) = (base.path().join(".x.partial"), base.path().join("x"));
        for text in ["one", "two"] {
            std::fs::write(&partial, text).expect("written");
            assert_eq!(give_name(&partial, &path).is_ok(), text == "one");
            assert_eq!(std::fs::read(&path).expect("named"), b"one");
        }
    }

    #[test]
    fn a_folder_that_is_gone_is_not_an_absent_volume() {
        let base = tempfile::tempdir().expect("folder");
        let pool = base.path().join("pool");
        let driver = driver(&pool, Provisioning::Thin);
        assert_eq!(driver.observe(&id("web")).expect("absent").backing, None);
        std::fs::remove_dir(&pool).expect("removed");
        assert!(driver.observe(&id("web")).is_err());
        assert!(driver.capacity().is_err());
    }

    #[test]
    fn rollbacks_are_remembered() {
        let base = tempfile::tempdir().expect("folder");
        let driver = driver(base.path(), Provisioning::Thin);
        let rsc = RscName::parse("web").expect("legal");
        assert_eq!(driver.rolled_back(&rsc), Ok(None));
        for token in [Some(Uuid(7)), Some(Uuid(8)), None, None] {
            driver.record_rollback(&rsc, token).expect("recorded");
            assert_eq!(driver.rolled_back(&rsc), Ok(token));
        }
    }
}
