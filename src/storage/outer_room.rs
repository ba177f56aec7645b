//! The room that a file system in an image really has: a sparse image cannot grow past what the file system has left that
//! it lies on. Only asks, and only about loop devices; what cannot be told sets no limit.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::{major, minor};
use nix::sys::statvfs::statvfs;

/// Unit of `st_blocks`.
const STAT_BLOCK_BYTES: u64 = 512;

/// Bytes that can still be written below `folder`, whose file system holds `used` bytes, as far as the image below it
/// goes; `None` when there is no image.
pub(super) fn limit(folder: &Path, used: u64) -> Option<u64> {
    let image = image_of(folder)?;
    let allocated = std::fs::metadata(&image).ok()?.blocks().saturating_mul(STAT_BLOCK_BYTES);
    let outer = statvfs(image.parent()?).ok()?;
    Some(growth(outer.blocks_available().saturating_mul(outer.fragment_size()), allocated, used))
}

/// What is allocated in the image and not used by its file system is there already; the rest has to come from outside.
fn growth(outer_free: u64, allocated: u64, used: u64) -> u64 {
    outer_free.saturating_add(allocated.saturating_sub(used))
}

/// The file below the loop device that is mounted there.
fn image_of(folder: &Path) -> Option<PathBuf> {
    let device = std::fs::metadata(folder).ok()?.dev();
    let numbers = format!("{}:{}", major(device), minor(device));
    let link = Path::new("/sys/dev/block").join(numbers).join("loop/backing_file");
    let image = PathBuf::from(std::fs::read_to_string(link).ok()?.trim_end_matches('\n'));
    image.exists().then_some(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allocated_already_needs_no_room_outside() {
        assert_eq!(growth(100, 50, 50), 100);
        assert_eq!(growth(0, 500, 50), 450, "a whole image on a full disk");
        assert_eq!(growth(10, 50, 80), 10, "a file system counts more than it wrote");
    }

    #[test]
    fn a_folder_on_no_image_has_no_limit() {
        assert_eq!(limit(Path::new("/proc"), 0), None);
        assert_eq!(limit(Path::new("/nowhere"), 0), None);
    }
}
