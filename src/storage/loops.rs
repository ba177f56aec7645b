//! Loop devices of this node's pools: known by backing file, attached and detached by ioctl.
//!
//! All programs and namespaces of a kernel share its loop devices. Ours are those whose backing file lies in one of our
//! pools; they are looked for once, when a pool is prepared, and remembered from then on. A remembered device is
//! believed only after the kernel has said that it still stands on the same inode. Never lists devices otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::libc::{EBUSY, O_CLOEXEC};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use super::ioctl::{self, LoopTarget};
use super::problem::{io_problem, problem};
use super::usage;
use crate::model::plan::ObservedDevice;
use crate::model::report::Problem;
use crate::model::size::Kib;

const CONTROL: &str = "/dev/loop-control";
/// What the kernel appends to the path of a backing file that was unlinked.
const DELETED: &str = " (deleted)";
/// Tries for a free device while other processes take them; each try that fails means that another one succeeded.
const ATTACH_TRIES: u32 = 100;
/// Tries to open a device exclusively that an unknown user holds, and the pause between them: a claim lasts microseconds.
const EXCLUSIVE_TRIES: u32 = 6;
const EXCLUSIVE_PAUSE: Duration = Duration::from_millis(20);

/// Devices that are probably free. The kernel's own search looks at every device from the first one on: behind a thousand
/// of them it takes longer than everything else that is done for an attach.
#[derive(Debug, Default)]
struct Likely {
    /// Detached by us.
    released: BTreeSet<u32>,
    /// The one after the last that we took.
    next: Option<u32>,
}

impl Likely {
    fn take(&mut self) -> Option<u32> {
        self.released.pop_first().or_else(|| self.next.take())
    }

    fn taken(&mut self, index: u32) {
        self.released.remove(&index);
        self.next = Some(index + 1).filter(|_| self.released.is_empty());
    }
}

/// A device that we attached or found.
#[derive(Debug, Clone, Copy)]
struct Device {
    index: u32,
    /// `st_blocks` of its file when somebody last asked.
    blocks: u64,
}

/// What is remembered. No two files have the same device.
#[derive(Debug, Default)]
struct Known {
    by_file: BTreeMap<PathBuf, Device>,
    by_index: BTreeMap<u32, PathBuf>,
    /// Files whose devices turned out to be gone, and that nobody asked about since.
    lost: BTreeSet<PathBuf>,
}

impl Known {
    /// Whoever was remembered on that device has lost it.
    fn remember(&mut self, file: PathBuf, index: u32) {
        self.forget(&file);
        if let Some(other) = self.by_index.insert(index, file.clone()) {
            self.by_file.remove(&other);
            self.lost.insert(other);
        }
        self.lost.remove(&file);
        self.by_file.insert(file, Device { index, blocks: 0 });
    }

    fn forget(&mut self, file: &Path) {
        if let Some(device) = self.by_file.remove(file) {
            self.by_index.remove(&device.index);
        }
    }
}

/// The loop devices of this node's pools.
#[derive(Debug, Default)]
pub struct Loops {
    known: Mutex<Known>,
    /// Held from asking for a free device to taking it, so that our own attaches do not race one another.
    claim: Mutex<Likely>,
    mapping: Option<PathBuf>,
    mapping_stale: AtomicBool,
}

impl Loops {
    /// With the folder of LINSTOR's mapping file, where one shall be kept.
    #[must_use]
    pub fn new(mapping_folder: Option<&Path>) -> Self {
        Self { mapping: mapping_folder.map(|folder| folder.join("loop_device_mapping")), ..Self::default() }
    }

    /// Looks for devices whose backing files lie in `folder`: one pass over the kernel's loop devices.
    pub fn adopt(&self, folder: &Path) -> io::Result<()> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/sys/block")?.flatten() {
            let name = entry.file_name();
            let Some(index) = name.to_str().and_then(index_of) else {
                continue;
            };
            let Some(file) = backing_file(index) else {
                continue;
            };
            if file.parent() == Some(folder) {
                found.push((file, index));
            }
        }
        for (file, index) in found {
            if self.verify(index, &file).is_some() {
                self.known().remember(file, index);
            }
        }
        Ok(())
    }

    /// The device on a file, if it is attached. `file` may be gone while its device still is there.
    #[must_use]
    pub fn observe(&self, file: &Path) -> Option<ObservedDevice> {
        let index = self.index(file)?;
        let Some(device) = self.verify(index, file) else {
            self.forget(file);
            return None;
        };
        let bytes = ioctl::block_size_bytes(&device).ok()?;
        Some(ObservedDevice {
            path: device_path(index).to_string_lossy().into_owned(),
            size: Kib::from_bytes_floor(bytes),
        })
    }

    /// Attaches a file, if it is not attached already.
    pub fn attach(&self, file: &Path) -> Result<(), Problem> {
        if self.observe(file).is_some() {
            return Ok(());
        }
        let message = format!("A loop device for {} cannot be made", file.display());
        let index = attach_new(file, &self.claim).map_err(|(path, error)| attach_problem(message, &path, &error))?;
        self.known().remember(file.to_owned(), index);
        self.mapping_stale.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Detaches a file's device, if there is one; an error naming the user when it is in use.
    pub fn detach(&self, file: &Path) -> Result<(), Problem> {
        let Some(index) = self.index(file) else {
            return Ok(());
        };
        if self.verify(index, file).is_some() {
            let path = device_path(index);
            // Held until the end, so that nobody mounts it in between.
            let device = exclusive(&path)?;
            ioctl::loop_clear(&device)
                .map_err(|error| io_problem(format!("{} cannot be detached", path.display()), &path, &error))?;
            self.claim.lock().unwrap_or_else(PoisonError::into_inner).released.insert(index);
        }
        self.forget(file);
        self.mapping_stale.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Fails, naming the user, when a file's device is in use.
    pub fn assert_unused(&self, file: &Path) -> Result<(), Problem> {
        self.hold(file).map(drop)
    }

    /// A file's device, opened so that nobody can use it until it is closed; an error naming the user when it is in use.
    pub fn hold(&self, file: &Path) -> Result<Option<File>, Problem> {
        self.observe(file).map(|device| exclusive(Path::new(&device.path))).transpose()
    }

    /// Lets a file's device take the file's size.
    pub fn refresh_size(&self, file: &Path) -> Result<(), Problem> {
        let Some(device) = self.observe(file) else {
            return Ok(());
        };
        let path = Path::new(&device.path);
        let set = open_device(path, Access::Write).and_then(|open| ioctl::loop_set_capacity(&open));
        set.map_err(|error| io_problem(format!("{} cannot be resized", device.path), path, &error))
    }

    /// The files whose devices are remembered, in order.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        self.known().by_file.keys().cloned().collect()
    }

    /// How many devices are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.known().by_file.len()
    }

    /// Writes the mapping file, where one is wanted and something has changed. Its cost grows with the number of
    /// devices, so call it once after a batch of changes.
    pub fn write_mapping(&self) -> io::Result<()> {
        let Some(mapping) = &self.mapping else {
            return Ok(());
        };
        if !self.mapping_stale.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let line = |(file, device): (&PathBuf, &Device)| {
            format!("{}:{}\n", device_path(device.index).display(), file.display())
        };
        let lines: String = self.known().by_file.iter().map(line).collect();
        let temporary = mapping.with_extension("tmp");
        std::fs::write(&temporary, lines)?;
        std::fs::rename(&temporary, mapping)
    }

    /// Notes how many blocks an attached file has, as whoever asked is told.
    pub fn saw(&self, file: &Path, blocks: u64) {
        if let Some(device) = self.known().by_file.get_mut(file) {
            device.blocks = blocks;
        }
    }

    /// Files whose devices turned out to be gone while others were attached; each is told once.
    #[must_use]
    pub fn take_lost(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.known().lost).into_iter().collect()
    }

    /// One look at every device that is remembered: files whose devices are gone, or that have other blocks than when
    /// somebody last asked. Its cost grows with the number of devices.
    #[must_use]
    pub fn look_around(&self) -> Vec<PathBuf> {
        let known: Vec<(PathBuf, Device)> =
            self.known().by_file.iter().map(|(file, device)| (file.clone(), *device)).collect();
        let mut changed: BTreeSet<PathBuf> = self.take_lost().into_iter().collect();
        for (file, device) in known {
            if self.verify(device.index, &file).is_none() {
                self.forget_on(&file, device.index);
                changed.insert(file);
            } else if std::fs::metadata(&file).is_ok_and(|meta| meta.blocks() != device.blocks) {
                changed.insert(file);
            }
        }
        changed.into_iter().collect()
    }

    fn index(&self, file: &Path) -> Option<u32> {
        self.known().by_file.get(file).map(|device| device.index)
    }

    fn forget(&self, file: &Path) {
        self.known().forget(file);
    }

    /// Forgets a file's device, unless it has got another one meanwhile.
    fn forget_on(&self, file: &Path, index: u32) {
        let mut known = self.known();
        if known.by_file.get(file).is_some_and(|device| device.index == index) {
            known.forget(file);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device, opened, when it still stands on the file.
    fn verify(&self, index: u32, file: &Path) -> Option<File> {
        let device = open_device(&device_path(index), Access::Read).ok()?;
        let target = ioctl::loop_target(&device).ok()??;
        let same = match std::fs::symlink_metadata(file) {
            Ok(meta) => target == LoopTarget { device: meta.dev(), inode: meta.ino() },
            // The file was unlinked under its device: only the path tells.
            Err(_) => backing_file(index).as_deref() == Some(file),
        };
        same.then_some(device)
    }
}

/// Opens a device exclusively; an error naming the user when it is in use. Another process that looks for a free device
/// may hold this one for a moment (`LOOP_CONFIGURE` claims before it finds the device taken), so an unknown user is
/// given the time to go.
fn exclusive(device: &Path) -> Result<File, Problem> {
    let mut tries = EXCLUSIVE_TRIES;
    loop {
        tries -= 1;
        match usage::open_exclusive(device) {
            Ok(open) => return Ok(open),
            Err(error) if !usage::is_busy(&error) => {
                return Err(io_problem(format!("{} cannot be opened", device.display()), device, &error));
            }
            Err(_) if tries == 0 || usage::has_known_user(device) => return Err(usage::in_use(device)),
            Err(_) => std::thread::sleep(EXCLUSIVE_PAUSE),
        }
    }
}

/// Finds a free device and attaches the file to it. An error says at which path.
fn attach_new(file: &Path, claim: &Mutex<Likely>) -> Result<u32, (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    let backing = OpenOptions::new().read(true).write(true).open(file).map_err(at(file))?;
    let control = OpenOptions::new().read(true).write(true).open(CONTROL).map_err(at(Path::new(CONTROL)))?;
    let name = file.to_string_lossy();
    let mut likely = claim.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(index) = likely.take().filter(|index| try_likely(&control, *index, (&backing, &name))) {
        likely.taken(index);
        return Ok(index);
    }
    for _ in 0..ATTACH_TRIES {
        let index = ioctl::loop_free_index(&control).map_err(at(Path::new(CONTROL)))?;
        let path = device_path(index);
        let device = open_or_make_node(index).map_err(at(&path))?;
        match ioctl::loop_configure(&device, &backing, &name) {
            Ok(()) => {
                likely.taken(index);
                return Ok(index);
            }
            Err(error) if error.raw_os_error() == Some(EBUSY) => {}
            Err(error) => return Err((path, error)),
        }
    }
    let busy = io::Error::from_raw_os_error(EBUSY);
    Err((PathBuf::from(CONTROL), busy))
}

/// Attaches to a device that is probably free. Whatever goes wrong: the kernel is asked for one then, and says why not.
fn try_likely(control: &File, index: u32, (backing, name): (&File, &str)) -> bool {
    if !Path::new(&format!("/sys/block/loop{index}")).exists() && ioctl::loop_add(control, index).is_err() {
        return false;
    }
    open_or_make_node(index).and_then(|device| ioctl::loop_configure(&device, backing, name)).is_ok()
}

fn attach_problem(message: String, path: &Path, error: &io::Error) -> Problem {
    let control = path == Path::new(CONTROL);
    match error.raw_os_error() {
        Some(nix::libc::EINVAL | nix::libc::ENOTTY) if !control => problem(
            message,
            format!("{}: the kernel does not know LOOP_CONFIGURE or refuses the file: {error}", path.display()),
            "Linux 5.8 or newer is needed, and a pool on a local file system.",
        ),
        Some(nix::libc::ENOENT | nix::libc::ENXIO) if control => problem(
            message,
            format!("{CONTROL}: {error}"),
            "Load the kernel module `loop` (modprobe loop), and give a container the host's /dev.",
        ),
        _ => io_problem(message, path, error),
    }
}

/// Opens the device; in a `/dev` that the kernel does not fill, makes its node first.
fn open_or_make_node(index: u32) -> io::Result<File> {
    let path = device_path(index);
    match open_device(&path, Access::Write) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = std::fs::read_to_string(format!("/sys/block/loop{index}/dev"))?;
            let (major, minor) = text
                .trim()
                .split_once(':')
                .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
                .ok_or_else(|| io::Error::other("its number in /sys cannot be read"))?;
            let mode = Mode::S_IRUSR | Mode::S_IWUSR;
            mknod(&path, SFlag::S_IFBLK, mode, makedev(major, minor))?;
            open_device(&path, Access::Write)
        }
        opened => opened,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

fn open_device(path: &Path, access: Access) -> io::Result<File> {
    OpenOptions::new().read(true).write(access == Access::Write).custom_flags(O_CLOEXEC).open(path)
}

fn device_path(index: u32) -> PathBuf {
    PathBuf::from(format!("/dev/loop{index}"))
}

fn index_of(name: &str) -> Option<u32> {
    name.strip_prefix("loop")?.parse().ok()
}

/// Path of a device's backing file, also of an unlinked one; `None` when nothing is attached.
fn backing_file(index: u32) -> Option<PathBuf> {
    let text = std::fs::read_to_string(format!("/sys/block/loop{index}/loop/backing_file")).ok()?;
    let path = text.trim_end_matches('\n');
    Some(PathBuf::from(path.strip_suffix(DELETED).unwrap_or(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices() {
        assert_eq!(index_of("loop12"), Some(12));
        assert_eq!(index_of("loop-control"), None);
        assert_eq!(index_of("sda"), None);
        assert_eq!(device_path(3), Path::new("/dev/loop3"));
    }

    #[test]
    fn likely_devices_are_those_given_back_and_then_the_one_behind_the_last() {
        let mut likely = Likely::default();
        assert_eq!(likely.take(), None);
        likely.taken(7);
        likely.released.extend([3, 1]);
        assert_eq!(likely.take(), Some(1));
        likely.taken(1);
        assert_eq!(likely.take(), Some(3));
        likely.taken(3);
        assert_eq!(likely.take(), Some(4));
        assert_eq!(likely.take(), None, "what was not free is not tried again");
        likely.taken(9);
        assert_eq!(likely.take(), Some(10));
    }

    #[test]
    fn what_is_not_attached_is_nothing() {
        let loops = Loops::default();
        let file = Path::new("/nowhere/x.img");
        assert_eq!(loops.observe(file), None);
        assert_eq!(loops.detach(file), Ok(()));
        assert_eq!(loops.assert_unused(file), Ok(()));
        assert!(loops.attach(file).is_err());
    }

    #[test]
    fn a_device_has_one_file_and_who_had_it_before_has_lost_it() {
        let loops = Loops::default();
        let [a, b] = ["/pool/a_00000.img", "/pool/b_00000.img"].map(PathBuf::from);
        loops.known().remember(a.clone(), 5);
        loops.known().remember(a.clone(), 5);
        assert!(loops.take_lost().is_empty(), "it is the same");
        loops.known().remember(b.clone(), 5);
        assert_eq!((loops.files(), loops.take_lost()), (vec![b.clone()], vec![a.clone()]));
        assert!(loops.take_lost().is_empty(), "told once");
        loops.known().remember(a.clone(), 5);
        loops.known().remember(b.clone(), 6);
        assert_eq!((loops.count(), loops.take_lost()), (2, Vec::new()), "it has one again");
        loops.known().remember(b.clone(), 7);
        loops.known().remember(PathBuf::from("/pool/c_00000.img"), 6);
        assert!(loops.take_lost().is_empty(), "nobody was remembered on that one any more");
        loops.forget_on(&b, 6);
        assert_eq!(loops.index(&b), Some(7));
        let lost: Vec<PathBuf> = loops.look_around();
        assert_eq!((lost.len(), loops.count()), (3, 0), "the kernel knows none of them: {lost:?}");
    }

    #[test]
    fn the_mapping_is_written_only_after_a_change() {
        let folder = tempfile::tempdir().expect("folder");
        let loops = Loops::new(Some(folder.path()));
        let file = folder.path().join("loop_device_mapping");
        loops.write_mapping().expect("nothing to do");
        assert!(!file.exists());
        loops.known().remember(PathBuf::from("/pool/a_00000.img"), 5);
        loops.mapping_stale.store(true, Ordering::Relaxed);
        loops.write_mapping().expect("written");
        let text = std::fs::read_to_string(file).expect("there");
        assert_eq!(text, "/dev/loop5:/pool/a_00000.img\n");
    }
}
