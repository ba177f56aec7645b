//! Block devices as the kernel shows them in sysfs and at their beginning: found by name, without a process and without
//! a listing. Changes nothing but the bytes that it is told to write.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::libc::O_CLOEXEC;
use nix::sys::stat::{major, minor};

use crate::model::size::Kib;
use crate::protocols::headers::{self, HEAD_BYTES, Head};

/// Unit of `size` in sysfs.
const SECTOR_BYTES: u64 = 512;
/// Bytes that are written at once.
const CHUNK_BYTES: usize = 1 << 20;

/// A mapping of the device mapper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    /// Where it is opened.
    pub(super) path: PathBuf,
    /// Its name in sysfs: `dm-0`.
    pub(super) kernel_name: String,
    /// Its size.
    pub(super) size: Kib,
    /// Whether nothing goes through it.
    pub(super) suspended: bool,
}

/// The mapping of that name; `base` is a device that it may stand on, where its node is missing.
pub(super) fn mapping(name: &str, base: Option<&Path>) -> Option<Mapping> {
    let node = Path::new("/dev/mapper").join(name);
    let by_node = kernel_name(&node).filter(|found| is_named(found, name));
    let (path, found) = match by_node {
        Some(found) => (node, found),
        None => {
            let found = holders(base?).into_iter().find(|holder| is_named(holder, name))?;
            (Path::new("/dev").join(&found), found)
        }
    };
    Some(Mapping {
        path,
        size: size(&found)?,
        suspended: attribute(&found, "dm/suspended")? == "1",
        kernel_name: found,
    })
}

/// Names of all mappings whose name is wanted, and whether they are suspended. Lists the kernel's devices: once a process.
pub(super) fn mappings(wanted: impl Fn(&str) -> bool) -> Vec<(String, bool)> {
    let entries = std::fs::read_dir("/sys/class/block").into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let found = names.filter(|name| name.starts_with("dm-")).filter_map(|device| {
        let name = attribute(&device, "dm/name").filter(|name| wanted(name))?;
        Some((name, attribute(&device, "dm/suspended")? == "1"))
    });
    found.collect()
}

/// Whether a mapping stands on this device, among others.
pub(super) fn stands_on(mapping: &Mapping, base: &Path) -> bool {
    let Some(base) = kernel_name(base) else { return false };
    sys(&mapping.kernel_name).join("slaves").join(base).exists()
}

/// Names in sysfs of what stands on a device.
pub(super) fn holders(device: &Path) -> Vec<String> {
    let Some(name) = kernel_name(device) else { return Vec::new() };
    let entries = std::fs::read_dir(sys(&name).join("holders")).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Name in sysfs of the block device that a node is of.
pub(super) fn kernel_name(node: &Path) -> Option<String> {
    let meta = std::fs::metadata(node).ok().filter(|meta| meta.file_type().is_block_device())?;
    let link = format!("/sys/dev/block/{}:{}", major(meta.rdev()), minor(meta.rdev()));
    Some(std::fs::read_link(link).ok()?.file_name()?.to_string_lossy().into_owned())
}

/// Size of a device by its name in sysfs.
pub(super) fn size(kernel_name: &str) -> Option<Kib> {
    let sectors: u64 = attribute(kernel_name, "size")?.parse().ok()?;
    Some(Kib::from_bytes_floor(sectors.checked_mul(SECTOR_BYTES)?))
}

/// An attribute of a device in sysfs, without the end of its line.
pub(super) fn attribute(kernel_name: &str, attribute: &str) -> Option<String> {
    let text = std::fs::read_to_string(sys(kernel_name).join(attribute)).ok()?;
    Some(text.trim_end().to_owned())
}

fn sys(kernel_name: &str) -> PathBuf {
    Path::new("/sys/class/block").join(kernel_name)
}

fn is_named(kernel_name: &str, name: &str) -> bool {
    attribute(kernel_name, "dm/name").is_some_and(|found| found == name)
}

/// What stands at the beginning of a device.
pub(super) fn head(device: &Path) -> io::Result<Head> {
    Ok(headers::read(&beginning(device, HEAD_BYTES)?))
}

/// Reads the beginning of a device as it is below, not as its cache remembers it.
pub(super) fn beginning(device: &Path, bytes: usize) -> io::Result<Vec<u8>> {
    let file = File::open(device)?;
    // A mapping that stands on the device writes past the device's own cache.
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    let mut head = vec![0; bytes];
    let mut read = 0;
    while read < head.len() {
        match file.read_at(&mut head[read..], read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    head.truncate(read);
    Ok(head)
}

/// Opens a device for writing.
pub(super) fn open_for_writing(device: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new().read(true).write(true).custom_flags(O_CLOEXEC).open(device)
}

/// Writes a beginning of so many bytes anew, `fill` giving each piece, down to the disk.
pub(super) fn overwrite(
    device: &Path,
    bytes: u64,
    fill: &mut dyn FnMut(&mut [u8]) -> io::Result<()>,
) -> io::Result<()> {
    let file = open_for_writing(device)?;
    let mut at = 0;
    let mut piece = vec![0; CHUNK_BYTES];
    while at < bytes {
        let length = usize::try_from(bytes - at).map_or(CHUNK_BYTES, |rest| rest.min(CHUNK_BYTES));
        fill(&mut piece[..length])?;
        file.write_all_at(&piece[..length], at)?;
        at += length as u64;
    }
    file.sync_all()
}

/// Writes zeros over the beginning.
pub(super) fn blank(device: &Path, bytes: u64) -> io::Result<()> {
    overwrite(device, bytes, &mut |piece| {
        piece.fill(0);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_device_has_no_name() {
        let file = tempfile::NamedTempFile::new().expect("file");
        assert_eq!(kernel_name(file.path()), None);
        assert_eq!(kernel_name(Path::new("/nowhere/at/all")), None);
        assert_eq!(mapping("no-such-mapping", Some(file.path())), None);
        assert!(holders(file.path()).is_empty());
    }

    #[test]
    fn beginnings_are_read_and_overwritten() {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), [7; 5000]).expect("written");
        assert_eq!(beginning(file.path(), HEAD_BYTES).expect("read").len(), 5000);
        assert_eq!(head(file.path()).expect("read"), Head::Other("data"));
        blank(file.path(), 4096).expect("written");
        assert_eq!(head(file.path()).expect("read"), Head::Blank);
        assert_eq!(std::fs::read(file.path()).expect("read")[4096..], [7; 904]);
    }
}
