//! Sizes, and how much one layer needs so that the next gets what was asked. The controller and the satellites compute
//! with the same functions, so that they never disagree. Never measures anything.
//!
//! All arithmetic is checked: an impossible size is a [`SizeError`], never a panic and never a wrapped number.

mod cache;
mod drbd;
mod error;
mod granularity;
mod kib;
mod luks;
mod options;

pub use cache::{
    CacheSizes, DEFAULT_BLOCK_BYTES, DEFAULT_CACHE_SIZE, bcache_sizes, cache_sizes, share_or_absolute, writecache_sizes,
};
pub use drbd::{BitmapBlock, DEFAULT_PEER_SLOTS, DrbdGeometry, MAX_NET, MIN_NET, PeerSlots};
pub use error::SizeError;
pub use granularity::{granularity, stripes};
pub use kib::Kib;
pub use luks::{Cryptsetup, luks_gross, luks_header, luks_net};
pub use options::split_options;

/// Largest volume: 1 PiB, DRBD's limit (facts: `satellite.md` §2.2).
pub const LARGEST_VOLUME: Kib = Kib(1 << 40);
