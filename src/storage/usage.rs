//! Who uses a block device: an exclusive open tells whether, mounts and holders tell who.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::{EBUSY, O_CLOEXEC, O_EXCL};
use nix::sys::stat::{major, minor};

use super::problem::problem;
use crate::model::report::Problem;
use crate::protocols::mountinfo;

/// What helps against a device in use, where the order is kept.
const DONE_BY_ITSELF: &str = "Unmount it, or stop what uses it; then it is done by itself.";
/// The same, where it is not.
const ASK_AGAIN: &str = "Nothing was changed. Unmount it, or stop what uses it, and ask again.";

/// Mounts as this process sees them; those of other namespaces show only as "in use".
const MOUNTINFO: &str = "/proc/self/mountinfo";

/// Opens a device so that nobody can mount it until it is closed; `EBUSY` when it is mounted or held already.
pub(super) fn open_exclusive(device: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(O_EXCL | O_CLOEXEC).open(device)
}

/// Whether an error of [`open_exclusive`] says that the device is in use.
pub(super) fn is_busy(error: &io::Error) -> bool {
    error.raw_os_error() == Some(EBUSY)
}

/// Whether the device is mounted in this mount namespace, or another device stands on it.
pub(super) fn has_known_user(device: &Path) -> bool {
    !mount_points(device).is_empty() || !holders(device).is_empty()
}

/// The error for a device that cannot be changed now, naming its users.
pub(super) fn in_use(device: &Path) -> Problem {
    let mounts = mount_points(device);
    let holders = holders(device);
    let users = match (mounts.is_empty(), holders.is_empty()) {
        (false, _) => format!("is mounted at {}", mounts.join(", ")),
        (true, false) => format!("is held by {}", holders.join(", ")),
        (true, true) => "is opened by a process, or mounted in another mount namespace".to_owned(),
    };
    let path = device.to_string_lossy();
    let problem = in_use_by(&path, &users);
    let details = format!("What uses it is told by: findmnt --source {path}, lsblk {path}, fuser -vam {path}");
    Problem { details, ..problem }
}

/// The same, for users that are known.
pub(super) fn in_use_by(device: &str, users: &str) -> Problem {
    problem(format!("{device} is in use"), format!("{device} {users}"), DONE_BY_ITSELF)
}

/// Whether a problem says that a device is in use.
pub(super) fn is_in_use(problem: &Problem) -> bool {
    problem.correction == DONE_BY_ITSELF
}

/// Says of a problem with a device in use that what was ordered will not be done by itself; whether it is one.
pub(super) fn is_not_kept(problem: &mut Problem) -> bool {
    let in_use = is_in_use(problem);
    if in_use {
        problem.correction = ASK_AGAIN.to_owned();
    }
    in_use
}

/// Where the device is mounted, in this mount namespace.
pub(super) fn mount_points(device: &Path) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(MOUNTINFO) else {
        return Vec::new();
    };
    let number = number(device).unwrap_or_default();
    mountinfo::of_device(&text, &number, &device.to_string_lossy()).into_iter().map(|mount| mount.point).collect()
}

/// `major:minor` of a device, by whatever path.
fn number(device: &Path) -> Option<String> {
    let meta = std::fs::metadata(device).ok().filter(|meta| meta.file_type().is_block_device())?;
    Some(format!("{}:{}", major(meta.rdev()), minor(meta.rdev())))
}

fn holders(device: &Path) -> Vec<String> {
    let Some(number) = number(device) else {
        return Vec::new();
    };
    let folder = Path::new("/sys/dev/block").join(number).join("holders");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.flatten().map(|entry| format!("/dev/{}", entry.file_name().to_string_lossy())).collect()
}
