//! Devices of logical volumes: found in `/dev/<group>/<volume>` and known by their identity in sysfs, waited for, wiped where
//! they are new, copied. Runs no process and decides nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::stat::{major, minor};

use crate::model::plan::ObservedDevice;
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::protocols::lvm::{Group, Volume, mapper_uuid};
use crate::storage::problem::{io_problem, problem};
use crate::storage::usage;

/// Between two looks for a device.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Bytes at each end of a new volume that are zeroed: they hold the signatures of file systems (btrfs at 64 KiB), of RAID,
/// GPT and DRBD, which stand at the end.
const ENDS_BYTES: u64 = 128 << 10;
/// Bytes that are copied at once.
const CHUNK_BYTES: usize = 1 << 20;
/// After so many bytes what was copied is written down, so that the page cache does not fill with it.
const FLUSH_BYTES: u64 = 64 << 20;
/// How often a long copy says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// Unit of sizes in sysfs.
const SECTOR_BYTES: u64 = 512;
/// How often a device is opened that nobody is known to use: somebody may look at it for a moment.
const EXCLUSIVE_TRIES: u32 = 4;
/// Between two of these.
const EXCLUSIVE_PAUSE: Duration = Duration::from_millis(100);

/// Where a volume's device is.
pub(super) fn path(group: &str, name: &str) -> PathBuf {
    Path::new("/dev").join(group).join(name)
}

/// The device of a volume, where it is active; another one's under the same path is none.
pub(super) fn find((group_name, group): (&str, &Group), name: &str, volume: &Volume) -> Option<ObservedDevice> {
    let path = path(group_name, name);
    let folder = sys(&path)?;
    let uuid = read(&folder.join("dm/uuid"))?;
    if uuid != mapper_uuid(group, volume) {
        return None;
    }
    let sectors: u64 = read(&folder.join("size"))?.parse().ok()?;
    let size = Kib::from_bytes_floor(sectors.checked_mul(SECTOR_BYTES)?);
    Some(ObservedDevice { path: path.to_string_lossy().into_owned(), size })
}

/// Size of a block device, as the kernel says.
pub(super) fn size(path: &Path) -> io::Result<Kib> {
    let sectors: Option<u64> =
        sys(path).and_then(|folder| read(&folder.join("size"))).and_then(|text| text.parse().ok());
    let bytes = sectors.and_then(|sectors| sectors.checked_mul(SECTOR_BYTES));
    bytes.map(Kib::from_bytes_floor).ok_or_else(|| io::Error::other("the kernel does not tell its size"))
}

/// Whether nothing goes through the device.
pub(super) fn is_suspended(path: &Path) -> bool {
    sys(path).and_then(|folder| read(&folder.join("dm/suspended"))).is_some_and(|text| text == "1")
}

/// Folder of a block device in sysfs.
fn sys(path: &Path) -> Option<PathBuf> {
    let meta = std::fs::metadata(path).ok().filter(|meta| meta.file_type().is_block_device())?;
    Some(PathBuf::from(format!("/sys/dev/block/{}:{}", major(meta.rdev()), minor(meta.rdev()))))
}

fn read(path: &Path) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim_end().to_owned())
}

/// Waits until the device is there.
pub(super) fn wait_for(path: &Path, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    loop {
        if sys(path).is_some() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The error for a device that does not come.
pub(super) fn did_not_come(path: &Path, patience: Duration) -> Problem {
    problem(
        format!("{} does not appear", path.display()),
        format!("LVM says that the volume is active, and after {} ms there is no such device", patience.as_millis()),
        "Look whether udev runs and /dev is the host's; StorDriver/WaitTimeoutAfterCreate gives it more time, in ms.",
    )
}

/// Opens a device so that nobody can mount it until it is closed; an error naming the user when it is in use.
pub(super) fn exclusive(path: &Path) -> Result<File, Problem> {
    for left in (0..EXCLUSIVE_TRIES).rev() {
        match usage::open_exclusive(path) {
            Ok(open) => return Ok(open),
            Err(error) if !usage::is_busy(&error) => {
                return Err(io_problem(format!("{} cannot be opened", path.display()), path, &error));
            }
            Err(_) if left == 0 || usage::has_known_user(path) => return Err(usage::in_use(path)),
            Err(_) => std::thread::sleep(EXCLUSIVE_PAUSE),
        }
    }
    Err(usage::in_use(path))
}

/// Zeroes both ends of a new volume: what stood in its extents before is no content of it.
pub(super) fn wipe_ends(path: &Path, size: Kib) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    let bytes = size.bytes();
    zero(&file, 0, bytes.min(ENDS_BYTES))?;
    zero(&file, bytes.saturating_sub(ENDS_BYTES), bytes)?;
    file.sync_all()
}

fn zero(file: &File, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; CHUNK_BYTES];
    let mut at = from;
    while at < to {
        let length = usize::try_from(to - at).map_or(CHUNK_BYTES, |rest| rest.min(CHUNK_BYTES));
        file.write_all_at(&zeros[..length], at)?;
        at += length as u64;
    }
    Ok(())
}

/// Makes `to` a copy of the first `length` of `from`, with zeros behind it up to its own size.
pub(super) fn copy(from: &Path, to: &Path, length: Kib, size: Kib) -> io::Result<()> {
    let (source, target) = (File::open(from)?, OpenOptions::new().write(true).open(to)?);
    let total = length.bytes().min(size.bytes());
    let (started, mut told, mut flushed) = (Instant::now(), Instant::now(), 0);
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut at = 0;
    while at < total {
        let wanted = usize::try_from(total - at).map_or(CHUNK_BYTES, |rest| rest.min(CHUNK_BYTES));
        source.read_exact_at(&mut buffer[..wanted], at)?;
        target.write_all_at(&buffer[..wanted], at)?;
        at += wanted as u64;
        if at - flushed >= FLUSH_BYTES {
            flush(&source, &target)?;
            flushed = at;
        }
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            let (percent, seconds) = (at.saturating_mul(100) / total, started.elapsed().as_secs());
            tracing::info!(from = %from.display(), to = %to.display(), percent, seconds, "copying a volume");
        }
    }
    zero(&target, total, size.bytes())?;
    flush(&source, &target)
}

fn flush(source: &File, target: &File) -> io::Result<()> {
    target.sync_all()?;
    for file in [source, target] {
        posix_fadvise(file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), bytes).expect("written");
        file
    }

    #[test]
    fn ends_are_zeroed_and_the_middle_stays() {
        let size = Kib(1024);
        let volume = file(&vec![7; 1 << 20]);
        wipe_ends(volume.path(), size).expect("wiped");
        let bytes = std::fs::read(volume.path()).expect("read");
        let ends = 128 << 10;
        assert!(bytes[..ends].iter().chain(&bytes[bytes.len() - ends..]).all(|byte| *byte == 0));
        assert!(bytes[ends..bytes.len() - ends].iter().all(|byte| *byte == 7));
        let small = file(&[7; 4096]);
        wipe_ends(small.path(), Kib(4)).expect("wiped");
        assert_eq!(std::fs::read(small.path()).expect("read"), [0; 4096]);
    }

    #[test]
    fn a_copy_ends_with_zeros() {
        let content: Vec<u8> = (0..3_u32 << 19).map(|n| n.to_le_bytes()[1]).collect();
        let (from, to) = (file(&content), file(&vec![9; 2 << 20]));
        copy(from.path(), to.path(), Kib(1536), Kib(2048)).expect("copied");
        let bytes = std::fs::read(to.path()).expect("read");
        assert_eq!((&bytes[..content.len()], bytes.len()), (&content[..], 2 << 20));
        assert!(bytes[content.len()..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_source_that_is_too_short_is_an_error() {
        let (from, to) = (file(&[1; 100]), file(&[0; 4096]));
        assert!(copy(from.path(), to.path(), Kib(4), Kib(4)).is_err());
    }

    #[test]
    fn what_is_no_device_does_not_come() {
        let none = file(&[]);
        assert!(!wait_for(none.path(), Duration::ZERO) && !is_suspended(none.path()));
        let error = did_not_come(Path::new("/dev/vg/x"), Duration::from_secs(5));
        assert!(error.cause.contains("5000 ms") && error.message.contains("/dev/vg/x"), "{error:?}");
        assert_eq!(path("vg", "web_00000"), Path::new("/dev/vg/web_00000"));
    }
}
