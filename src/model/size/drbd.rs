//! DRBD's metadata: what it takes beside the data. Never reads a device.
//!
//! Layout facts: an activity log of one stripe of 32 KiB, a superblock of 4 KiB, and for every peer a bitmap with one
//! bit for each bitmap block.

use super::error::SizeError;
use super::kib::Kib;

/// Least size of a DRBD device.
pub const MIN_NET: Kib = Kib::new(4);
/// Greatest size of a DRBD device: 1 PiB.
pub const MAX_NET: Kib = Kib::new(1 << 40);
/// Peers that metadata is made for unless told otherwise.
pub const DEFAULT_PEER_SLOTS: PeerSlots = PeerSlots(7);

/// Activity log and superblock.
const FIXED: Kib = Kib::new(32 + 4);
/// DRBD reads and writes its metadata in pages.
const PAGE: Kib = Kib::new(4);
/// A device below this has no room that drbdmeta accepts.
const MIN_GROSS: Kib = Kib::new(68);
/// External metadata devices are at least so large.
const MIN_EXTERNAL: Kib = Kib::new(1024);
/// A bitmap grows in words of 64 bits.
const BITMAP_WORD_BYTES: u64 = 8;
/// The bitmap of the bitmap's own room, and so on: each round adds at most 1/1057 of the last, so that a few do.
const MAX_ROUNDS: usize = 64;

/// How many peers the metadata has room for: 1 to 31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerSlots(u8);

impl PeerSlots {
    /// # Errors
    /// `PeerSlots` outside 1 to 31.
    pub fn new(slots: u32) -> Result<Self, SizeError> {
        match u8::try_from(slots) {
            Ok(slots @ 1..=31) => Ok(Self(slots)),
            _ => Err(SizeError::PeerSlots(slots)),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The data that one bit of the bitmap stands for: a power of two from 4 to 1024 KiB, by default 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitmapBlock(Kib);

impl BitmapBlock {
    /// # Errors
    /// `BitmapBlock` when it is no power of two from 4 to 1024.
    pub fn new(kib: u64) -> Result<Self, SizeError> {
        let possible = kib.is_power_of_two() && (4..=1024).contains(&kib);
        possible.then_some(Self(Kib::new(kib))).ok_or(SizeError::BitmapBlock(kib))
    }

    /// The size.
    #[must_use]
    pub const fn get(self) -> Kib {
        self.0
    }
}

impl Default for BitmapBlock {
    fn default() -> Self {
        Self(PAGE)
    }
}

/// What decides how large the metadata is; fixed once it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrbdGeometry {
    /// Peers.
    pub peers: PeerSlots,
    /// Data per bit.
    pub bitmap_block: BitmapBlock,
}

impl Default for DrbdGeometry {
    fn default() -> Self {
        Self { peers: DEFAULT_PEER_SLOTS, bitmap_block: BitmapBlock::default() }
    }
}

impl DrbdGeometry {
    /// Size of the DRBD device on a backing device of size `gross` that holds its metadata too.
    ///
    /// # Errors
    /// `NoRoom`, `TooLarge`, `Overflow`.
    pub fn net(self, gross: Kib) -> Result<Kib, SizeError> {
        let overhead = self.bitmap(gross)?.plus(FIXED)?.ceil_to(PAGE)?;
        let net = gross.floor_to(PAGE).minus(overhead).filter(|net| *net >= MIN_NET);
        let net = net.ok_or(SizeError::NoRoom { what: "DRBD metadata", gross, overhead })?;
        within_limits(net)
    }

    /// Backing device for a DRBD device of size `net` and its metadata.
    ///
    /// # Errors
    /// `TooSmall`, `TooLarge`, `Overflow`.
    pub fn gross(self, net: Kib) -> Result<Kib, SizeError> {
        let net = within_limits(net)?;
        let data = net.ceil_to(PAGE)?;
        let mut covered = data.plus(FIXED)?;
        for _ in 0..MAX_ROUNDS {
            let per_peer = self.bitmap_bytes_per_peer(covered)?;
            let reach = self.bitmap_block.0.times(per_peer)?.times(8)?;
            let metadata = self.bitmap_of(per_peer)?.plus(FIXED)?.ceil_to(PAGE)?;
            covered = data.plus(metadata)?;
            if reach >= covered {
                return Ok(net.ceil_to(self.bitmap_block.0)?.plus(metadata)?.max(MIN_GROSS));
            }
        }
        Err(SizeError::Overflow)
    }

    /// Metadata device for a DRBD device of size `net` whose metadata stands apart.
    ///
    /// # Errors
    /// `TooSmall`, `TooLarge`, `Overflow`.
    pub fn external_metadata(self, net: Kib) -> Result<Kib, SizeError> {
        let metadata = self.bitmap(within_limits(net)?)?.plus(FIXED)?.ceil_to(PAGE)?;
        Ok(metadata.max(MIN_EXTERNAL))
    }

    /// All peers' bitmaps of a device.
    fn bitmap(self, size: Kib) -> Result<Kib, SizeError> {
        self.bitmap_of(self.bitmap_bytes_per_peer(size)?)
    }

    fn bitmap_of(self, bytes_per_peer: u64) -> Result<Kib, SizeError> {
        let bytes = bytes_per_peer.checked_mul(u64::from(self.peers.0)).ok_or(SizeError::Overflow)?;
        Kib::from_bytes_ceil(bytes).ceil_to(PAGE)
    }

    fn bitmap_bytes_per_peer(self, size: Kib) -> Result<u64, SizeError> {
        let bytes = size.get().div_ceil(self.bitmap_block.0.get() * 8);
        bytes.checked_next_multiple_of(BITMAP_WORD_BYTES).ok_or(SizeError::Overflow)
    }
}

fn within_limits(net: Kib) -> Result<Kib, SizeError> {
    const WHAT: &str = "DRBD device";
    if net < MIN_NET {
        return Err(SizeError::TooSmall { what: WHAT, size: net, min: MIN_NET });
    }
    if net > MAX_NET {
        return Err(SizeError::TooLarge { what: WHAT, size: net, max: MAX_NET });
    }
    Ok(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(peers: u32, block: u64) -> DrbdGeometry {
        DrbdGeometry {
            peers: PeerSlots::new(peers).expect("1 to 31"),
            bitmap_block: BitmapBlock::new(block).expect("a power of two"),
        }
    }

    /// net, gross with 1, 7 and 31 peers, external metadata with 7; compared with drbdmeta.
    const VECTORS: [(u64, u64, u64, u64, u64); 5] = [
        (102_400, 102_440, 102_460, 102_536, 1024),
        (1_048_576, 1_048_648, 1_048_840, 1_049_608, 1024),
        (10_485_760, 10_486_120, 10_488_040, 10_495_728, 2276),
        (104_857_600, 104_860_840, 104_880_044, 104_956_932, 22_436),
        (1_073_741_824, 1_073_774_632, 1_073_971_288, 1_074_758_632, 229_412),
    ];

    #[test]
    fn control_vectors() {
        for (net, one, seven, all, external) in VECTORS {
            for (peers, gross) in [(1, one), (7, seven), (31, all)] {
                assert_eq!(geometry(peers, 4).gross(Kib::new(net)), Ok(Kib::new(gross)), "{net} with {peers}");
                assert_eq!(geometry(peers, 4).net(Kib::new(gross)), Ok(Kib::new(net)), "{gross} with {peers}");
            }
            assert_eq!(DrbdGeometry::default().external_metadata(Kib::new(net)), Ok(Kib::new(external)));
        }
        assert_eq!(geometry(31, 4).external_metadata(Kib::new(1_048_576)), Ok(Kib::new(1028)));
    }

    /// A linear congruential generator: the same sizes in every run.
    fn sizes(seed: u64) -> impl Iterator<Item = Kib> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // A random magnitude, so that small sizes come up as often as large ones.
            let bits = 3 + (state >> 58) % 38;
            Kib::new(((state >> 8) & ((1 << bits) - 1)).clamp(4, 1 << 40))
        })
    }

    #[test]
    fn the_net_size_is_always_reached() {
        for (peers, block) in [(1, 4), (7, 4), (31, 4), (7, 64), (31, 1024), (1, 1024), (19, 128)] {
            let geometry = geometry(peers, block);
            for net in sizes(u64::from(peers) * 7919 + block).take(5_000) {
                let gross = geometry.gross(net).expect("within the limits");
                let back = geometry.net(gross);
                match back {
                    Ok(back) => assert!(back >= net, "{net} -> {gross} -> {back}, {peers} peers, block {block}"),
                    // The greatest size, rounded up to the next bitmap block or page, may lie beyond the limit.
                    Err(error) => assert!(matches!(error, SizeError::TooLarge { .. }), "{net}: {error}"),
                }
            }
        }
    }

    #[test]
    fn both_directions_are_monotone() {
        for (peers, block) in [(7, 4), (31, 4), (31, 256)] {
            let geometry = geometry(peers, block);
            for net in sizes(u64::from(peers) + block).take(2_000) {
                let more = net.plus(Kib::new(4)).expect("small").min(MAX_NET);
                let (gross, wider) = (geometry.gross(net).expect("good"), geometry.gross(more).expect("good"));
                assert!(gross <= wider, "{net}");
                let wider = wider.max(gross.plus(Kib::new(4)).expect("small"));
                if let (Ok(less), Ok(more)) = (geometry.net(gross), geometry.net(wider)) {
                    assert!(less <= more, "{gross}");
                }
            }
        }
    }

    #[test]
    fn limits() {
        let geometry = DrbdGeometry::default();
        assert_eq!(geometry.gross(Kib::new(4)), Ok(Kib::new(68)));
        assert!(matches!(geometry.gross(Kib::new(3)), Err(SizeError::TooSmall { .. })));
        assert!(geometry.gross(MAX_NET).is_ok());
        assert!(matches!(geometry.gross(Kib::new((1 << 40) + 1)), Err(SizeError::TooLarge { .. })));
        assert!(matches!(geometry.gross(Kib::new(u64::MAX)), Err(SizeError::TooLarge { .. })));
        assert!(matches!(geometry.net(Kib::new(u64::MAX)), Err(SizeError::TooLarge { .. })));
        assert!(matches!(geometry.net(Kib::new(43)), Err(SizeError::NoRoom { .. })));
        assert_eq!(geometry.net(Kib::new(44)), Ok(Kib::new(4)));
        assert!(matches!(geometry.net(Kib::ZERO), Err(SizeError::NoRoom { .. })));
        assert!(matches!(geometry.external_metadata(Kib::new(u64::MAX)), Err(SizeError::TooLarge { .. })));
    }

    #[test]
    fn parameters_have_bounds() {
        for (slots, good) in [(0, false), (1, true), (31, true), (32, false), (256 + 7, false)] {
            assert_eq!(PeerSlots::new(slots).is_ok(), good, "{slots}");
        }
        for (block, good) in [(0, false), (2, false), (4, true), (12, false), (1024, true), (2048, false)] {
            assert_eq!(BitmapBlock::new(block).is_ok(), good, "{block}");
        }
    }
}
