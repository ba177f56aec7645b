//! Why a size is impossible.

use super::kib::Kib;

/// A size or an option that cannot be; the text names the limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// The result does not fit into 64 bits.
    #[error("The size is too large to compute with")]
    Overflow,
    /// Below the least size.
    #[error("The {what} of {size} is too small, it must be at least {min}")]
    TooSmall { what: &'static str, size: Kib, min: Kib },
    /// Above the greatest size.
    #[error("The {what} of {size} is too large, it may be at most {max}")]
    TooLarge { what: &'static str, size: Kib, max: Kib },
    /// The device has no room beside a layer's own data.
    #[error("A device of {gross} has no room for data beside {overhead} of {what}")]
    NoRoom { what: &'static str, gross: Kib, overhead: Kib },
    /// DRBD has 1 to 31 peers.
    #[error("{0} peer slots are not possible, DRBD has 1 to 31")]
    PeerSlots(u32),
    /// A bitmap bit stands for 4 to 1024 KiB.
    #[error("A bitmap block of {0} KiB is not possible, it must be a power of two from 4 to 1024")]
    BitmapBlock(u64),
    /// An option's value makes no sense.
    #[error("The value '{value}' of {option} is no {expected}")]
    Option { option: &'static str, value: String, expected: &'static str },
}
