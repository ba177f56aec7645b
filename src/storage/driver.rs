//! The seam between steps and what makes volumes: one [`Driver`] per storage pool.
//!
//! A driver carries single steps out. It checks before it does, so that doing a step again does no harm, and never
//! decides what is to be done. Its functions block.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::desired::FileSystem;
use crate::model::kinds::ProviderKind;
use crate::model::moment::Uuid;
use crate::model::names::{RscName, SnapName};
use crate::model::plan::{BackingId, Content, Extent, ObservedPart, ObservedVolume, Stranger};
use crate::model::report::{Capacity, Problem};
use crate::model::size::Kib;

pub use super::mark::Owner;
use super::problem::problem;
use super::simulated::SimulatedDriver;

/// A volume of a snapshot in a pool.
#[derive(Debug, Clone, Copy)]
pub struct PartId<'a> {
    /// The volume that the snapshot is of.
    pub of: &'a BackingId,
    /// The snapshot.
    pub snapshot: &'a SnapName,
}

/// Carries steps out in one storage pool.
pub trait Driver: Send + Sync + std::fmt::Debug {
    /// Room of the pool.
    fn capacity(&self) -> Result<Capacity, Problem>;

    /// Granularity of volume sizes.
    fn granularity(&self) -> Kib;

    /// Whether snapshots can be made.
    fn supports_snapshots(&self) -> bool;

    /// The same pool with the options of one volume (`StorDriver/*`), where they make a difference.
    fn with_options(&self, _options: &BTreeMap<String, String>) -> Option<Arc<dyn Driver>> {
        None
    }

    /// What is to be said of a pool that works and soon may not: it is nearly full.
    fn warning(&self) -> Option<Problem> {
        None
    }

    /// What is there of a volume. Cheap: a few system calls, and at most one listing, which all pools of its kind share.
    fn observe(&self, id: &BackingId) -> Result<ObservedVolume, Problem>;

    /// What stands in the way of taking a backing object, which was never reported as made, for the owner's. Marked as the
    /// owner's, or without any data, it is taken.
    fn stranger(&self, _id: &BackingId, _owner: Owner) -> Result<Option<Stranger>, Problem> {
        Ok(None)
    }

    /// What a cheap look finds on a volume; asked only where a file system is wanted.
    fn content(&self, _id: &BackingId) -> Content {
        Content::Unknown
    }

    /// How far the content of a volume reaches; asked only before it is made smaller.
    fn extent(&self, _id: &BackingId) -> Result<Extent, Problem> {
        Ok(Extent::Unknown)
    }

    /// Makes a file system where no program does: on a simulated node.
    fn format(&self, _id: &BackingId, _wanted: &FileSystem) -> Result<(), Problem> {
        Ok(())
    }

    /// The driver as that of a simulated pool, which has simulated layers, too.
    fn simulated(&self) -> Option<&SimulatedDriver> {
        None
    }

    /// What is there of a volume's part in a snapshot. Cheap, too.
    fn observe_part(&self, part: PartId<'_>) -> Result<ObservedPart, Problem>;

    /// An error naming the user when the volume's device is mounted, held or opened.
    fn assert_unused(&self, id: &BackingId) -> Result<(), Problem>;

    /// Makes an empty volume for the owner.
    fn create(&self, id: &BackingId, size: Kib, owner: Owner) -> Result<(), Problem>;

    /// Makes a volume with a snapshot's content, at least `size` large.
    fn create_from(&self, id: &BackingId, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem>;

    /// Gives a volume another size; an error naming the user when it is to be made smaller and is in use.
    fn resize(&self, id: &BackingId, size: Kib) -> Result<(), Problem>;

    /// Lets the device take the volume's size.
    fn refresh_size(&self, id: &BackingId) -> Result<(), Problem>;

    /// Makes the device.
    fn attach(&self, id: &BackingId) -> Result<(), Problem>;

    /// Removes the device; an error naming the user when it is in use.
    fn detach(&self, id: &BackingId) -> Result<(), Problem>;

    /// Removes the volume, which has no device any more.
    fn remove(&self, id: &BackingId) -> Result<(), Problem>;

    /// Takes a snapshot of volumes of one resource. The text says what it cost, where that is worth saying.
    fn take_snapshot(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<Option<String>, Problem>;

    /// Removes a volume's part of a snapshot.
    fn remove_part(&self, part: PartId<'_>) -> Result<(), Problem>;

    /// Copies a snapshot's content beside its volume.
    fn stage_rollback(&self, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem>;

    /// Detaches the volume and puts what was staged in its place.
    fn swap_rollback(&self, id: &BackingId) -> Result<(), Problem>;

    /// Token of the last rollback of a resource.
    fn rolled_back(&self, rsc: &RscName) -> Result<Option<Uuid>, Problem>;

    /// Remembers a rollback's token durably, or forgets it.
    fn record_rollback(&self, rsc: &RscName, token: Option<Uuid>) -> Result<(), Problem>;
}

/// Kinds that this build has a driver for.
pub const BUILT: &[ProviderKind] = &[
    ProviderKind::Diskless,
    ProviderKind::Lvm,
    ProviderKind::LvmThin,
    ProviderKind::Zfs,
    ProviderKind::ZfsThin,
    ProviderKind::File,
    ProviderKind::FileThin,
];

/// The error for a kind that has no driver.
#[must_use]
pub fn not_built(kind: ProviderKind) -> Problem {
    problem(
        format!("Storage pools of kind {kind} cannot be used"),
        not_built_reason(kind),
        "Use a pool of kind LVM_THIN, LVM, FILE_THIN or FILE.",
    )
}

/// Why a kind has no driver.
#[must_use]
pub fn not_built_reason(kind: ProviderKind) -> String {
    format!("this version of Zea has no driver for {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_built_says_so() {
        let text = not_built(ProviderKind::Spdk).to_string();
        assert!(text.contains("SPDK") && text.contains("no driver"), "{text}");
    }
}
