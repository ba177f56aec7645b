//! Sizes in KiB, the model's unit.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A size in KiB (1024 bytes).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kib(pub u64);

impl Kib {
    /// The capacity that LINSTOR reports for a pool without storage: i64's maximum.
    pub const UNLIMITED: Kib = Kib(i64::MAX as u64);

    /// In bytes; saturates.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0.saturating_mul(1024)
    }

    /// From bytes, rounded up.
    #[must_use]
    pub fn from_bytes_ceil(bytes: u64) -> Self {
        Self(bytes.div_ceil(1024))
    }

    /// From bytes, rounded down.
    #[must_use]
    pub fn from_bytes_floor(bytes: u64) -> Self {
        Self(bytes / 1024)
    }
}

impl fmt::Display for Kib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB", self.0)
    }
}
