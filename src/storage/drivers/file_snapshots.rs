//! Snapshots of FILE and FILE_THIN: shared blocks where the file system has reflinks, else a copy under a freeze.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::unistd::syncfs;

use super::file::{FROZEN, FileDriver, unlink};
use crate::model::names::SnapName;
use crate::model::plan::BackingId;
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::storage::driver::{Owner, PartId};
use crate::storage::freeze::Frozen;
use crate::storage::problem::io_problem;
use crate::storage::{ioctl, mark, sparse, usage};

/// What filling a file from another one took.
enum Filled {
    /// Blocks are shared.
    Shared,
    /// This many bytes were copied.
    Copied(u64),
}

impl FileDriver {
    /// Takes a snapshot of volumes of one resource: all parts are made aside and renamed together.
    pub(super) fn snapshot(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<Option<String>, Problem> {
        let pairs: Vec<(PathBuf, PathBuf)> =
            ids.iter().map(|of| (self.volume_file(of), self.part_file(PartId { of, snapshot }))).collect();
        let taken = self.fill_parts(&pairs).and_then(|remark| {
            for (_, part) in &pairs {
                std::fs::rename(Self::partial_of(part), part)?;
            }
            self.sync_folder()?;
            Ok(remark)
        });
        taken.map_err(|error| {
            for (_, part) in &pairs {
                // What cannot be removed now is removed when the pool is prepared.
                let _ = unlink(&Self::partial_of(part));
            }
            io_problem(format!("Snapshot {snapshot} cannot be taken"), &self.folder, &error)
        })
    }

    fn fill_parts(&self, pairs: &[(PathBuf, PathBuf)]) -> io::Result<Option<String>> {
        let started = Instant::now();
        let mounts = self.mounts(pairs);
        let frozen = if self.reflink {
            for point in &mounts {
                syncfs(File::open(point)?)?;
            }
            None
        } else {
            let name = pairs.first().and_then(|(file, _)| file.file_name()).unwrap_or_default();
            let marker = self.folder.join(format!(".{}{FROZEN}", name.to_string_lossy()));
            Some(Frozen::freeze(&mounts, &marker)?)
        };
        let unfrozen = self.used_elsewhere(pairs, &mounts);
        let mut copied = None;
        for (volume, part) in pairs {
            self.flush_device(volume)?;
            if let Filled::Copied(bytes) = self.fill(volume, &Self::partial_of(part))? {
                copied = Some(copied.unwrap_or(0) + bytes);
            }
        }
        let points = frozen.as_ref().map_or(0, Frozen::count);
        drop(frozen);
        for (_, part) in pairs {
            File::open(Self::partial_of(part))?.sync_all()?;
        }
        let seconds = started.elapsed().as_secs_f64();
        Ok(copied.map(|bytes| remark(bytes, seconds, points, unfrozen)))
    }

    /// Mount points of the volumes' devices.
    fn mounts(&self, pairs: &[(PathBuf, PathBuf)]) -> Vec<PathBuf> {
        pairs
            .iter()
            .filter_map(|(volume, _)| self.loops.observe(volume))
            // One mount point per device: a freeze counts per file system.
            .filter_map(|device| usage::mount_points(Path::new(&device.path)).into_iter().next())
            .map(PathBuf::from)
            .collect()
    }

    /// Whether a device without a mount point that we know is in use all the same.
    fn used_elsewhere(&self, pairs: &[(PathBuf, PathBuf)], mounts: &[PathBuf]) -> bool {
        let used = pairs.iter().filter(|(volume, _)| self.loops.assert_unused(volume).is_err());
        !self.reflink && used.count() > mounts.len()
    }

    /// Writes what the device's cache holds to the file.
    pub(super) fn flush_device(&self, volume: &Path) -> io::Result<()> {
        match self.loops.observe(volume) {
            Some(device) => File::open(device.path)?.sync_all(),
            None => Ok(()),
        }
    }

    /// Fills a file anew: by shared blocks if the pool has them, else by a copy.
    fn fill(&self, from: &Path, to: &Path) -> io::Result<Filled> {
        let source = File::open(from)?;
        let target = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(to)?;
        if self.reflink && ioctl::reflink(&source, &target).is_ok() {
            return Ok(Filled::Shared);
        }
        sparse::copy(&source, &target).map(Filled::Copied)
    }

    /// Makes a volume from a snapshot; what is there under its name already stays.
    pub(super) fn restore(&self, id: &BackingId, part: PartId<'_>, wanted: (Kib, Owner)) -> Result<(), Problem> {
        let file = self.volume_file(id);
        if file.exists() {
            return self.refuse_stranger(id, wanted.1);
        }
        let partial = Self::partial_of(&file);
        let made = self.fill_aside(part, &partial, wanted).and_then(|()| {
            std::fs::rename(&partial, &file)?;
            self.sync_folder()
        });
        made.map_err(|error| io_problem("The volume cannot be made from the snapshot", &file, &error))
    }

    /// Makes a snapshot's content ready beside its volume.
    pub(super) fn stage(&self, part: PartId<'_>, wanted: (Kib, Owner)) -> Result<(), Problem> {
        let file = self.volume_file(part.of);
        let staged = self.fill_aside(part, &Self::partial_of(&file), wanted);
        staged.map_err(|error| io_problem("The volume cannot be rolled back", &file, &error))
    }

    fn fill_aside(&self, part: PartId<'_>, partial: &Path, (size, owner): (Kib, Owner)) -> io::Result<()> {
        let filled = (|| {
            self.fill(&self.part_file(part), partial)?;
            let file = OpenOptions::new().read(true).write(true).open(partial)?;
            mark::set(&file, owner)?;
            self.set_size(&file, size)?;
            file.sync_all()
        })();
        if filled.is_err() {
            unlink(partial)?;
        }
        filled
    }
}

fn remark(bytes: u64, seconds: f64, frozen: usize, unfrozen: bool) -> String {
    let size = Kib::from_bytes_ceil(bytes);
    let mut text = format!(
        "The file system of the pool has no reflinks: {size} were copied in {seconds:.1} s and take room of their own"
    );
    if frozen > 0 {
        text.push_str(", with writers frozen for that time");
    }
    if unfrozen {
        text.push_str("; the volume was in use by something that cannot be frozen, so the copy is of no single moment");
    }
    text.push_str(". A pool on xfs or btrfs takes snapshots at no cost.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_name_the_cost() {
        let text = remark(5 << 20, 1.25, 1, false);
        assert!(text.contains("5 MiB were copied in 1.2 s"), "{text}");
        assert!(text.contains("frozen for that time") && !text.contains("no single moment"), "{text}");
        assert!(remark(0, 0.0, 0, true).contains("no single moment"));
    }
}
