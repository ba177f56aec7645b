//! Snapshots of zvols: of all volumes of a resource in one command, which ZFS carries out wholly or not at all.

use super::{ZfsDriver, commands, zvol};
use crate::model::names::SnapName;
use crate::model::plan::BackingId;
use crate::model::report::Problem;
use crate::storage::driver::PartId;
use crate::storage::usage;

impl ZfsDriver {
    /// Takes a snapshot. Parts of it that are there were never reported: they are of another moment, and go.
    pub(super) fn snapshot(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<(), Problem> {
        let Some(first) = ids.first() else { return Ok(()) };
        for of in ids {
            self.finish_swap(of)?;
            self.remove_snapshot(PartId { of, snapshot })?;
        }
        self.flush(ids, snapshot)?;
        let names: Vec<String> = ids.iter().map(|id| format!("{}@{snapshot}", self.name(id))).collect();
        let line = commands::snapshot(&names, &self.snapshot_options);
        self.change(first, &format!("Snapshot {snapshot} cannot be taken"), &line)?;
        self.zpool.look_again(&names)
    }

    /// Writes down what file systems and devices hold back. By commands: they can be ended where a disk does not answer.
    fn flush(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<(), Problem> {
        let Some(first) = ids.first() else { return Ok(()) };
        let devices: Vec<String> = ids
            .iter()
            .filter_map(|id| self.zvols().find(&self.name(id)))
            .map(|device| zvol::kernel_path(&device.path).to_string_lossy().into_owned())
            .collect();
        let mounts: Vec<String> =
            devices.iter().filter_map(|device| usage::mount_points(device.as_ref()).into_iter().next()).collect();
        let message = format!("What is to be in snapshot {snapshot} cannot be written to the disks");
        if !mounts.is_empty() {
            self.change(first, &message, &commands::sync_file_systems(&mounts))?;
        }
        if !devices.is_empty() {
            self.change(first, &message, &commands::sync_devices(&devices))?;
        }
        Ok(())
    }
}
