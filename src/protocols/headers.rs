//! What stands at the beginning of a device that a layer keeps its header on: of LUKS1 and LUKS2, of dm-writecache,
//! dm-cache and bcache. It reads what is needed to know whose it is and where the data begins, and no keys.

use serde::Deserialize;

use super::superblock;

/// How much of a device's beginning is looked at, in bytes: LUKS2's binary header and its metadata, as they are by default.
pub const HEAD_BYTES: usize = 16 << 10;
/// The least beginning that shows whether there is anything.
pub const BLANK_BYTES: usize = 4096;

const LUKS_MAGIC: &[u8] = b"LUKS\xba\xbe";
/// LUKS1 counts the beginning of the data in these.
const SECTOR_BYTES: u64 = 512;
/// LUKS2's metadata, JSON, stands behind its binary header.
const LUKS2_METADATA: usize = 4096;
/// `MEMORY_SUPERBLOCK_MAGIC` of dm-writecache, little-endian, at the beginning.
const WRITECACHE_MAGIC: u64 = 0x2348_9321;
/// `CACHE_SUPERBLOCK_MAGIC` of dm-cache, little-endian: behind a checksum, flags, a block number and a UUID.
const CACHE_MAGIC: u64 = 0o6_142_003;
const CACHE_MAGIC_AT: usize = 32;
/// bcache's magic, behind a checksum, an offset and a version at 4 KiB.
const BCACHE_MAGIC: &[u8] =
    &[0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81];
const BCACHE_MAGIC_AT: usize = 4096 + 24;
/// The UUID of the set, behind the magic and the device's own.
const BCACHE_SET_AT: usize = BCACHE_MAGIC_AT + 16 + UUID_BYTES;
const UUID_BYTES: usize = 16;

/// What a beginning shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// Zeros, as far as it matters.
    Blank,
    /// LUKS.
    Luks(Luks),
    /// A cache of dm-writecache.
    Writecache,
    /// Metadata of dm-cache.
    Cache,
    /// A part of a bcache, with the UUID of its set of caches.
    Bcache(String),
    /// Something else: its name, where it is known.
    Other(&'static str),
}

/// A header of LUKS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Luks {
    /// 1 or 2.
    pub version: u16,
    /// Where the data begins, in bytes; `None` where that does not stand there.
    pub offset: Option<u64>,
}

/// Reads a beginning of [`HEAD_BYTES`], or less of a shorter device.
#[must_use]
pub fn read(head: &[u8]) -> Head {
    if head.starts_with(LUKS_MAGIC) {
        return Head::Luks(luks(head));
    }
    if le(head, 0, 4) == Some(WRITECACHE_MAGIC) {
        return Head::Writecache;
    }
    if le(head, CACHE_MAGIC_AT, 8) == Some(CACHE_MAGIC) {
        return Head::Cache;
    }
    if head.get(BCACHE_MAGIC_AT..BCACHE_MAGIC_AT + BCACHE_MAGIC.len()) == Some(BCACHE_MAGIC) {
        return Head::Bcache(uuid(head.get(BCACHE_SET_AT..BCACHE_SET_AT + UUID_BYTES).unwrap_or_default()));
    }
    let begin = &head[..head.len().min(BLANK_BYTES)];
    if begin.iter().all(|byte| *byte == 0) {
        return Head::Blank;
    }
    Head::Other(superblock::recognise(head).map_or("data", |found| found.kind))
}

/// As it is written, where it is whole.
fn uuid(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let group = |range: std::ops::Range<usize>| hex.get(range).map(<[String]>::concat).unwrap_or_default();
    [group(0..4), group(4..6), group(6..8), group(8..10), group(10..16)].join("-")
}

fn luks(head: &[u8]) -> Luks {
    let version = be(head, 6, 2).and_then(|version| u16::try_from(version).ok()).unwrap_or_default();
    let offset = match version {
        1 => be(head, 104, 4).and_then(|sectors| sectors.checked_mul(SECTOR_BYTES)),
        2 => luks2_offset(head),
        _ => None,
    };
    Luks { version, offset }
}

#[derive(Deserialize)]
struct Metadata {
    segments: std::collections::BTreeMap<String, Segment>,
}

#[derive(Deserialize)]
struct Segment {
    offset: String,
}

/// The beginning of the first segment, in LUKS2's metadata.
fn luks2_offset(head: &[u8]) -> Option<u64> {
    let text = head.get(LUKS2_METADATA..)?;
    let end = text.iter().position(|byte| *byte == 0)?;
    let metadata: Metadata = serde_json::from_slice(&text[..end]).ok()?;
    metadata.segments.values().filter_map(|segment| segment.offset.parse().ok()).min()
}

fn be(head: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = head.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn le(head: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = head.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fixture: &str) -> Vec<u8> {
        let mut head = vec![0; HEAD_BYTES];
        for line in fixture.lines().filter(|line| !line.starts_with('#')) {
            let (at, bytes) = line.split_once(": ").expect("place and bytes");
            let at = usize::from_str_radix(at, 16).expect("hexadecimal");
            for (place, pair) in bytes.as_bytes().chunks(2).enumerate() {
                let pair = std::str::from_utf8(pair).expect("text");
                head[at + place] = u8::from_str_radix(pair, 16).expect("hexadecimal");
            }
        }
        head
    }

    macro_rules! captured {
        ($name:literal) => {
            head(include_str!(concat!("../../tests/fixtures/headers/", $name, ".txt")))
        };
    }

    #[test]
    fn captured_headers() {
        let luks = |version, offset| Head::Luks(Luks { version, offset: Some(offset) });
        assert_eq!(read(&captured!("luks2")), luks(2, 16 << 20));
        assert_eq!(read(&captured!("luks1")), luks(1, 2 << 20));
        assert_eq!(read(&captured!("writecache")), Head::Writecache);
        assert_eq!(read(&captured!("cache")), Head::Cache);
        let set = "3939624d-7566-4eae-8e20-38384837f114".to_owned();
        assert_eq!(read(&captured!("bcache")), Head::Bcache(set));
    }

    #[test]
    fn metadata_that_cannot_be_read_leaves_the_offset_open() {
        let mut torn = captured!("luks2");
        torn[LUKS2_METADATA] = b'x';
        assert_eq!(read(&torn), Head::Luks(Luks { version: 2, offset: None }));
        assert_eq!(read(&captured!("luks2")[..LUKS2_METADATA]), Head::Luks(Luks { version: 2, offset: None }));
        assert_eq!(read(b"LUKS\xba\xbe\0\x09"), Head::Luks(Luks { version: 9, offset: None }));
    }

    #[test]
    fn nothing_is_nothing_and_the_rest_is_named() {
        let mut some = vec![0; HEAD_BYTES];
        assert_eq!((read(&some), read(&[])), (Head::Blank, Head::Blank));
        some[BLANK_BYTES] = 1;
        assert_eq!(read(&some), Head::Blank, "behind the beginning");
        some[BLANK_BYTES - 1] = 1;
        assert_eq!(read(&some), Head::Other("data"));
        some[..4].copy_from_slice(b"XFSB");
        assert!(matches!(read(&some), Head::Other(_)));
    }

    #[test]
    fn a_beginning_of_any_length_is_read() {
        for whole in [captured!("luks2"), captured!("luks1"), captured!("bcache"), captured!("cache")] {
            for length in 0..whole.len() {
                let _ = read(&whole[..length]);
            }
        }
    }
}
