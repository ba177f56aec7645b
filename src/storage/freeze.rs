//! Frozen file systems: frozen for the time of a copy, thawed on every way out, also after a crash.
//!
//! A marker file says durably what is frozen before it is. It is removed after the thaw; one that is found when a
//! pool is prepared belongs to a crashed run, and its mount points are thawed then.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::ioctl;

/// File systems that are frozen as long as this value lives.
#[derive(Debug)]
pub(super) struct Frozen {
    points: Vec<(PathBuf, File)>,
    marker: PathBuf,
}

impl Frozen {
    /// Freezes all of them, or none.
    pub(super) fn freeze(points: &[PathBuf], marker: &Path) -> io::Result<Self> {
        let mut frozen = Self { points: Vec::new(), marker: marker.to_owned() };
        if points.is_empty() {
            return Ok(frozen);
        }
        let lines: String = points.iter().map(|point| format!("{}\n", point.display())).collect();
        let mut file = File::create(marker)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        for point in points {
            let open = File::open(point)?;
            ioctl::freeze(&open)?;
            frozen.points.push((point.clone(), open));
        }
        Ok(frozen)
    }

    /// How many are frozen.
    pub(super) fn count(&self) -> usize {
        self.points.len()
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let mut thawed = true;
        for (point, open) in self.points.drain(..).rev() {
            if let Err(error) = ioctl::thaw(&open) {
                thawed = false;
                tracing::error!(mount_point = %point.display(), %error, "a frozen file system cannot be thawed");
            }
        }
        if thawed {
            // None is there when nothing was frozen.
            let _ = std::fs::remove_file(&self.marker);
        }
    }
}

/// Thaws what a crashed run left frozen according to its marker, and removes the marker.
pub(super) fn thaw_leftover(marker: &Path) -> io::Result<()> {
    for point in std::fs::read_to_string(marker)?.lines() {
        let thawed = File::open(point).and_then(|open| ioctl::thaw(&open));
        // It is not frozen any more, or not mounted: both are what is wanted.
        tracing::warn!(mount_point = point, thawed = thawed.is_ok(), "thawing what a crashed run froze");
    }
    std::fs::remove_file(marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_frozen_leaves_no_marker() {
        let folder = tempfile::tempdir().expect("folder");
        let marker = folder.path().join(".x.frozen");
        let missing = folder.path().join("missing");
        assert!(Frozen::freeze(&[missing], &marker).is_err());
        assert!(!marker.exists());
        let frozen = Frozen::freeze(&[], &marker).expect("nothing to freeze");
        assert_eq!(frozen.count(), 0);
        assert!(!marker.exists());
    }

    #[test]
    fn a_marker_of_a_crashed_run_is_worked_off() {
        let folder = tempfile::tempdir().expect("folder");
        let marker = folder.path().join(".x.frozen");
        std::fs::write(&marker, "/nowhere/at/all\n").expect("written");
        thaw_leftover(&marker).expect("worked off");
        assert!(!marker.exists());
    }
}
