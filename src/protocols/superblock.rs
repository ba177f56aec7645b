//! How much of a device its content needs, out of the superblock at its beginning: of ext2 to ext4, xfs and btrfs, and the
//! names of some others whose need does not stand there. It never says that nothing is there: other content has no
//! signature, or one that is not known here.

/// How much of a device's beginning is looked at, in bytes: to the end of btrfs's superblock, which begins at 64 KiB.
pub const HEAD_BYTES: usize = 68 << 10;

/// Content that was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised {
    /// Its name, as `blkid` gives it.
    pub kind: &'static str,
    /// How many bytes of the device it needs, from the first one on; `None` where that cannot be told.
    pub bytes: Option<u64>,
}

/// Content that keeps others' data and does not say up to where.
const CONTAINERS: &[(&str, usize, &[u8])] = &[
    ("crypto_LUKS", 0, b"LUKS\xba\xbe"),
    ("LVM2_member", 512, b"LABELONE"),
    ("linux_raid_member", 4096, &[0xFC, 0x4E, 0x2B, 0xA9]),
];
/// Content that is believed only where no file system is found: a file system leaves room for it.
const WEAK: &[(&str, usize, &[u8])] = &[("swap", 4086, b"SWAPSPACE2"), ("a partition table", 510, &[0x55, 0xAA])];

/// What the beginning of a device says; of several file systems the one that needs the most.
#[must_use]
pub fn recognise(head: &[u8]) -> Option<Recognised> {
    let named = |known: &[(&'static str, usize, &[u8])]| {
        let found = known.iter().find(|(_, at, magic)| bytes(head, *at, magic.len()) == Some(magic));
        found.map(|(kind, ..)| Recognised { kind, bytes: None })
    };
    let sized = [ext(head), xfs(head), btrfs(head)].into_iter().flatten();
    // What cannot be told counts as more than anything.
    let largest = sized.max_by_key(|found| found.bytes.unwrap_or(u64::MAX));
    named(CONTAINERS).or(largest).or_else(|| named(WEAK))
}

/// `ext4_super_block`, at 1 KiB.
fn ext(head: &[u8]) -> Option<Recognised> {
    const AT: usize = 1024;
    const COMPAT_JOURNAL: u32 = 0x4;
    const INCOMPAT_64BIT: u32 = 0x80;
    /// FILETYPE, RECOVER, JOURNAL_DEV and META_BG, which older ones have, too.
    const INCOMPAT_OLD: u32 = 0x2 | 0x4 | 0x8 | 0x10;
    /// Blocks are at most 64 KiB.
    const LOG_BLOCK_MAX: u32 = 6;
    if bytes(head, AT + 0x38, 2)? != [0x53, 0xEF] {
        return None;
    }
    let (compat, incompat) = (le32(head, AT + 0x5C)?, le32(head, AT + 0x60)?);
    let kind = match (incompat & !INCOMPAT_OLD, compat & COMPAT_JOURNAL) {
        (0, 0) => "ext2",
        (0, _) => "ext3",
        _ => "ext4",
    };
    let high = if incompat & INCOMPAT_64BIT == 0 { 0 } else { le32(head, AT + 0x150)? };
    let blocks = u64::from(high) << 32 | u64::from(le32(head, AT + 0x4)?);
    let log = le32(head, AT + 0x18)?;
    let bytes = (log <= LOG_BLOCK_MAX).then(|| blocks.checked_mul(1024 << log)).flatten();
    Some(Recognised { kind, bytes })
}

/// `xfs_dsb`, at the beginning; a log or realtime section on another device takes nothing of this one.
fn xfs(head: &[u8]) -> Option<Recognised> {
    if bytes(head, 0, 4)? != b"XFSB" {
        return None;
    }
    let block = u32::from_be_bytes(bytes(head, 4, 4)?.try_into().ok()?);
    let blocks = u64::from_be_bytes(bytes(head, 8, 8)?.try_into().ok()?);
    let legal = block.is_power_of_two() && (512..=65536).contains(&block);
    Some(Recognised { kind: "xfs", bytes: legal.then(|| blocks.checked_mul(u64::from(block))).flatten() })
}

/// `btrfs_super_block`, at 64 KiB; the size is that of this device, of several that a file system may have.
fn btrfs(head: &[u8]) -> Option<Recognised> {
    const AT: usize = 64 << 10;
    const DEVICE_TOTAL_BYTES: usize = AT + 0xC9 + 8;
    if bytes(head, AT + 0x40, 8)? != b"_BHRfS_M" {
        return None;
    }
    let size = u64::from_le_bytes(bytes(head, DEVICE_TOTAL_BYTES, 8)?.try_into().ok()?);
    Some(Recognised { kind: "btrfs", bytes: Some(size) })
}

fn le32(head: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes(head, at, 4)?.try_into().ok()?))
}

fn bytes(head: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    head.get(at..at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a device out of a fixture: `<offset>: <bytes>`, both in hex; the rest is zeros.
    fn head(fixture: &str) -> Vec<u8> {
        let mut head = vec![0; HEAD_BYTES];
        for line in fixture.lines().filter(|line| !line.starts_with('#')) {
            let (at, hex) = line.split_once(": ").expect("offset and bytes");
            let at = usize::from_str_radix(at, 16).expect("an offset");
            for (index, pair) in hex.as_bytes().chunks(2).enumerate() {
                let text = std::str::from_utf8(pair).expect("text");
                head[at + index] = u8::from_str_radix(text, 16).expect("hex");
            }
        }
        head
    }

    macro_rules! captured {
        ($name:literal) => {
            head(include_str!(concat!("../../tests/fixtures/superblocks/", $name, ".txt")))
        };
    }

    #[test]
    fn captured_superblocks() {
        let table = [
            (captured!("ext2"), "ext2", 12345 << 10),
            (captured!("ext3"), "ext3", 64 << 20),
            (captured!("ext4"), "ext4", 100 << 20),
            (captured!("ext4-cut"), "ext4", 40 << 20),
            (captured!("xfs"), "xfs", 320 << 20),
            (captured!("btrfs"), "btrfs", 256 << 20),
        ];
        for (head, kind, bytes) in table {
            assert_eq!(recognise(&head), Some(Recognised { kind, bytes: Some(bytes) }));
        }
    }

    #[test]
    fn the_largest_need_counts_and_what_cannot_be_told_is_larger() {
        let mut both = captured!("ext4");
        let at = 64 << 10;
        both[at..].copy_from_slice(&captured!("btrfs")[at..]);
        assert_eq!(recognise(&both).expect("two").kind, "btrfs");
        both[1024 + 0x18] = 77;
        assert_eq!(recognise(&both), Some(Recognised { kind: "ext4", bytes: None }));
    }

    #[test]
    fn sixty_four_bit_counts() {
        let mut head = captured!("ext4");
        head[1024 + 0x60] |= 0x80;
        head[1024 + 0x150] = 1;
        assert_eq!(recognise(&head).expect("ext4").bytes, Some(((1 << 32) << 10) + (100 << 20)));
        head[1024 + 0x153] = 0xFF;
        head[1024 + 0x18] = 6;
        assert_eq!(recognise(&head).expect("ext4").bytes, None, "more than a number holds");
    }

    #[test]
    fn what_holds_others_is_named_and_nothing_is_nothing() {
        for (kind, at, magic) in CONTAINERS.iter().chain(WEAK) {
            let mut head = vec![0; HEAD_BYTES];
            head[*at..at + magic.len()].copy_from_slice(magic);
            assert_eq!(recognise(&head), Some(Recognised { kind, bytes: None }));
        }
        assert_eq!(recognise(&[0; HEAD_BYTES]), None);
    }

    #[test]
    fn a_beginning_of_any_length_is_read() {
        let whole = captured!("btrfs");
        for length in 0..whole.len() {
            let _ = recognise(&whole[..length]);
        }
        for length in [0, 3, 1083, 1100, 65600] {
            assert_eq!(recognise(&whole[..length]), None, "{length}");
        }
    }
}
