//! The unit of all sizes: KiB in 64 bits.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::SizeError;

/// A size in KiB (1024 bytes).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kib(pub u64);

impl Kib {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The capacity that LINSTOR reports for a pool without storage: i64's maximum.
    pub const UNLIMITED: Self = Self(i64::MAX as u64);

    /// From a number of KiB.
    #[must_use]
    pub const fn new(kib: u64) -> Self {
        Self(kib)
    }

    /// From a number of MiB; for constants.
    #[must_use]
    pub const fn from_mib(mib: u32) -> Self {
        Self(mib as u64 * 1024)
    }

    /// The KiB that hold so many bytes.
    #[must_use]
    pub const fn from_bytes_ceil(bytes: u64) -> Self {
        Self(bytes.div_ceil(1024))
    }

    /// The whole KiB in so many bytes.
    #[must_use]
    pub const fn from_bytes_floor(bytes: u64) -> Self {
        Self(bytes / 1024)
    }

    /// The number of KiB.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// In bytes; saturates, for display and limits.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0.saturating_mul(1024)
    }

    /// In bytes, for arithmetic.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn exact_bytes(self) -> Result<u64, SizeError> {
        self.0.checked_mul(1024).ok_or(SizeError::Overflow)
    }

    /// For people who compare sizes: rounded down to hundredths of the largest fitting unit.
    #[must_use]
    pub const fn rounded(self) -> Rounded {
        Rounded(self)
    }

    /// Sum.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn plus(self, other: Self) -> Result<Self, SizeError> {
        self.0.checked_add(other.0).map(Self).ok_or(SizeError::Overflow)
    }

    /// `None` when `other` is larger.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Product.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn times(self, factor: u64) -> Result<Self, SizeError> {
        self.0.checked_mul(factor).map(Self).ok_or(SizeError::Overflow)
    }

    /// Up to the next multiple of `unit`; a unit of zero leaves the size alone.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn ceil_to(self, unit: Self) -> Result<Self, SizeError> {
        if unit.0 == 0 {
            return Ok(self);
        }
        self.0.checked_next_multiple_of(unit.0).map(Self).ok_or(SizeError::Overflow)
    }

    /// Down to the last multiple of `unit`; a unit of zero leaves the size alone.
    #[must_use]
    pub const fn floor_to(self, unit: Self) -> Self {
        if unit.0 == 0 { self } else { Self(self.0 - self.0 % unit.0) }
    }
}

const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/// A size for people to compare: see [`Kib::rounded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounded(Kib);

/// In the largest unit of which there is one; down to hundredths where that is no whole number.
impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = u128::from(self.0.0);
        let unit = (0..UNITS.len()).rev().find(|unit| size >= 1 << (10 * unit)).unwrap_or(0);
        let hundredths = (size * 100) >> (10 * unit);
        match (hundredths / 100, hundredths % 100) {
            (whole, 0) => write!(f, "{whole} {}", UNITS[unit]),
            (whole, part) => write!(f, "{whole}.{part:02} {}", UNITS[unit]),
        }
    }
}

/// In the largest unit that divides the size, so that nothing is rounded away.
impl fmt::Display for Kib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut number, mut unit) = (self.0, 0);
        while number != 0 && number.is_multiple_of(1024) && unit + 1 < UNITS.len() {
            number /= 1024;
            unit += 1;
        }
        write!(f, "{number} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns() {
        for (size, unit, up, down) in
            [(0, 4, 0, 0), (1, 4, 4, 0), (4, 4, 4, 4), (5, 4, 8, 4), (7, 0, 7, 7), (102_460, 4096, 106_496, 102_400)]
        {
            assert_eq!(Kib(size).ceil_to(Kib(unit)), Ok(Kib(up)));
            assert_eq!(Kib(size).floor_to(Kib(unit)), Kib(down));
        }
    }

    #[test]
    fn overflow_is_an_error() {
        let most = Kib(u64::MAX);
        assert_eq!(most.ceil_to(Kib(4)), Err(SizeError::Overflow));
        assert_eq!(most.plus(Kib(1)), Err(SizeError::Overflow));
        assert_eq!(most.times(2), Err(SizeError::Overflow));
        assert_eq!(most.exact_bytes(), Err(SizeError::Overflow));
        assert_eq!((most.bytes(), Kib(2).bytes(), Kib(2).exact_bytes()), (u64::MAX, 2048, Ok(2048)));
        assert_eq!(Kib(1).minus(Kib(2)), None);
        assert_eq!(Kib::from_bytes_ceil(u64::MAX), Kib(1 << 54));
        assert_eq!((Kib::from_bytes_floor(2047), Kib::from_bytes_ceil(1025)), (Kib(1), Kib(2)));
    }

    #[test]
    fn rounds_down_in_the_largest_unit() {
        for (size, text) in [
            (0, "0 KiB"),
            (1023, "1023 KiB"),
            (1025, "1 MiB"),
            (1536, "1.50 MiB"),
            (1_197_494_480, "1.11 TiB"),
            (100 << 30, "100 TiB"),
            ((1 << 40) - 1, "1023.99 TiB"),
            (u64::MAX, "16777215.99 PiB"),
        ] {
            assert_eq!(Kib(size).rounded().to_string(), text);
        }
    }

    #[test]
    fn shows_whole_units() {
        for (size, text) in
            [(0, "0 KiB"), (4, "4 KiB"), (1024, "1 MiB"), (1025, "1025 KiB"), (1 << 40, "1 PiB"), (1 << 50, "1024 PiB")]
        {
            assert_eq!(Kib(size).to_string(), text);
        }
        assert_eq!(serde_json::to_string(&Kib(5)).expect("a number"), "5");
    }
}
