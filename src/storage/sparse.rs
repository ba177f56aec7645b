//! Copies a file's data and keeps its holes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::fcntl::copy_file_range;
use nix::unistd::{Whence, lseek};

/// Most bytes that one system call copies, so that a signal or an error is seen in time.
const CHUNK_BYTES: u64 = 64 << 20;
/// Buffer where the kernel cannot copy between the two file systems.
const BUFFER_BYTES: usize = 1 << 20;

/// Makes `target`, an empty file, a copy of `source`; returns how many bytes were not holes.
pub(super) fn copy(source: &File, target: &File) -> io::Result<u64> {
    let size = source.metadata()?.len();
    target.set_len(size)?;
    let mut copied = 0;
    let mut at = 0;
    while at < size {
        let Some(start) = seek(source, at, Whence::SeekData)? else {
            break;
        };
        let end = seek(source, start, Whence::SeekHole)?.unwrap_or(size).min(size);
        copy_range(source, target, start..end)?;
        copied += end - start;
        at = end;
    }
    Ok(copied)
}

/// Where the last data of a file ends, in bytes: behind it there are only holes.
pub(super) fn data_end(file: &File) -> io::Result<u64> {
    let size = file.metadata()?.len();
    let mut end = 0;
    while let Some(start) = (end < size).then(|| seek(file, end, Whence::SeekData)).transpose()?.flatten() {
        end = seek(file, start, Whence::SeekHole)?.unwrap_or(size).min(size);
    }
    Ok(end)
}

/// Next data or hole from `at`; `None` when there is none up to the end.
fn seek(file: &File, at: u64, whence: Whence) -> io::Result<Option<u64>> {
    let offset = i64::try_from(at).map_err(io::Error::other)?;
    match lseek(file, offset, whence) {
        Ok(found) => u64::try_from(found).map(Some).map_err(io::Error::other),
        Err(Errno::ENXIO) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

fn copy_range(source: &File, target: &File, range: std::ops::Range<u64>) -> io::Result<()> {
    let mut at = range.start;
    while at < range.end {
        let length = usize::try_from((range.end - at).min(CHUNK_BYTES)).map_err(io::Error::other)?;
        let mut from = i64::try_from(at).map_err(io::Error::other)?;
        let mut to = from;
        match copy_file_range(source, Some(&mut from), target, Some(&mut to), length) {
            // The source became shorter: the rest is a hole.
            Ok(0) => return Ok(()),
            Ok(done) => at += done as u64,
            Err(Errno::EXDEV | Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => {
                return copy_by_hand(source, target, at..range.end);
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn copy_by_hand(source: &File, target: &File, range: std::ops::Range<u64>) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut at = range.start;
    while at < range.end {
        let wanted = usize::try_from((range.end - at).min(BUFFER_BYTES as u64)).map_err(io::Error::other)?;
        let read = source.read_at(&mut buffer[..wanted], at)?;
        if read == 0 {
            return Ok(());
        }
        target.write_all_at(&buffer[..read], at)?;
        at += read as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn bytes(file: &File) -> Vec<u8> {
        let length = file.metadata().expect("open").len();
        let mut bytes = vec![0; usize::try_from(length).expect("small")];
        file.read_exact_at(&mut bytes, 0).expect("readable");
        bytes
    }

    #[test]
    fn data_is_copied_and_holes_stay_holes() {
        let (source, target) = (tempfile::tempfile().expect("a"), tempfile::tempfile().expect("b"));
        source.set_len(64 << 20).expect("sparse");
        for at in [0, 5 << 20, (64 << 20) - 7] {
            source.write_all_at(b"content", at).expect("written");
        }
        let copied = copy(&source, &target).expect("copied");
        assert!(copied < 1 << 20, "{copied} bytes copied");
        assert!(target.metadata().expect("open").blocks() * 512 < 1 << 20);
        assert_eq!(bytes(&source), bytes(&target));
    }

    #[test]
    fn the_last_data_is_found_behind_holes() {
        let file = tempfile::tempfile().expect("a");
        assert_eq!(data_end(&file).expect("empty"), 0);
        file.set_len(64 << 20).expect("sparse");
        assert_eq!(data_end(&file).expect("one hole"), 0);
        for (at, end) in [(0, 4096), (5 << 20, (5 << 20) + 4096), ((64 << 20) - 7, 64 << 20)] {
            file.write_all_at(b"content", at).expect("written");
            assert_eq!(data_end(&file).expect("data"), end);
        }
    }

    #[test]
    fn the_slow_way_copies_the_same() {
        let (source, target) = (tempfile::tempfile().expect("a"), tempfile::tempfile().expect("b"));
        let content: Vec<u8> = (0..3_000_001_u32).map(|n| n.to_le_bytes()[1]).collect();
        source.write_all_at(&content, 0).expect("written");
        copy_by_hand(&source, &target, 0..3_000_001).expect("copied");
        assert_eq!(bytes(&target), content);
    }

    #[test]
    fn an_empty_file_and_one_hole() {
        for size in [0, 1 << 20] {
            let (source, target) = (tempfile::tempfile().expect("a"), tempfile::tempfile().expect("b"));
            source.set_len(size).expect("sparse");
            assert_eq!(copy(&source, &target).expect("copied"), 0);
            assert_eq!(target.metadata().expect("open").len(), size);
        }
    }
}
