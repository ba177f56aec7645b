//! Drivers by provider kind.

mod diskless;
pub(in crate::storage) mod file;
mod file_snapshots;
mod lvm;
pub(in crate::storage) mod zfs;

pub use diskless::Diskless;
pub use file::{FileDriver, Preparation};
pub use lvm::{Lvm, LvmDriver};
pub use zfs::{Zfs, ZfsDriver};
