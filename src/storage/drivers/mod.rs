//! Drivers by provider kind.

mod diskless;
mod file;
mod file_snapshots;

pub use diskless::Diskless;
pub use file::{FileDriver, Preparation};
