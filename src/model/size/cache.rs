//! Child devices of the caching layers. Never makes one.

use super::error::SizeError;
use super::kib::Kib;

/// `Writecache/Size`, `Cache/Cachesize` and `BCache/Size` where nothing is set.
pub const DEFAULT_CACHE_SIZE: &str = "5%";
/// `Cache/Blocksize` where nothing is set, in bytes.
pub const DEFAULT_BLOCK_BYTES: u64 = 4096;

/// dm-cache's metadata: a fixed part, and so much for each block of the cache.
const CACHE_METADATA: Kib = Kib::from_mib(4);
const CACHE_METADATA_BYTES_PER_BLOCK: u64 = 16;
/// bcache's superblock before the data.
const BCACHE_HEADER: Kib = Kib::new(8);
/// bcache makes no smaller cache set.
const BCACHE_MIN: Kib = Kib::from_mib(512);

/// Sizes of the devices below a caching layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSizes {
    /// The slow device with the data.
    pub data: Kib,
    /// The fast device.
    pub cache: Kib,
    /// The metadata device, which only dm-cache has.
    pub metadata: Option<Kib>,
}

/// dm-writecache for a device of size `net`; `size` is `Writecache/Size`.
///
/// # Errors
/// `Option`, `Overflow`.
pub fn writecache_sizes(net: Kib, size: Option<&str>) -> Result<CacheSizes, SizeError> {
    let cache = share_or_absolute("Writecache/Size", size.unwrap_or(DEFAULT_CACHE_SIZE), net)?;
    Ok(CacheSizes { data: net, cache, metadata: None })
}

/// dm-cache for a device of size `net`; `size` is `Cache/Cachesize`, `metadata` is `Cache/Metasize`, the block is in bytes.
///
/// # Errors
/// `Option`, `Overflow`.
pub fn cache_sizes(net: Kib, size: Option<&str>, metadata: Option<&str>, block: u64) -> Result<CacheSizes, SizeError> {
    let cache = share_or_absolute("Cache/Cachesize", size.unwrap_or(DEFAULT_CACHE_SIZE), net)?;
    let metadata = match metadata {
        Some(metadata) => share_or_absolute("Cache/Metasize", metadata, net)?,
        None => cache_metadata(cache, block)?,
    };
    Ok(CacheSizes { data: net, cache, metadata: Some(metadata) })
}

/// bcache for a device of size `net`; `size` is `BCache/Size`.
///
/// # Errors
/// `Option`, `Overflow`.
pub fn bcache_sizes(net: Kib, size: Option<&str>) -> Result<CacheSizes, SizeError> {
    let cache = share_or_absolute("BCache/Size", size.unwrap_or(DEFAULT_CACHE_SIZE), net)?;
    Ok(CacheSizes { data: net.plus(BCACHE_HEADER)?, cache: cache.max(BCACHE_MIN), metadata: None })
}

fn cache_metadata(cache: Kib, block: u64) -> Result<Kib, SizeError> {
    let no_block = || SizeError::Option { option: "Cache/Blocksize", value: block.to_string(), expected: "block size" };
    let block = std::num::NonZeroU64::new(block).ok_or_else(no_block)?;
    let blocks = cache.exact_bytes()?.div_ceil(block.get());
    let bytes = blocks.checked_mul(CACHE_METADATA_BYTES_PER_BLOCK).ok_or(SizeError::Overflow)?;
    CACHE_METADATA.plus(Kib::from_bytes_ceil(bytes))
}

/// A percentage of `net`, rounded up (`5%`, `2.5%`), or a number of KiB.
///
/// # Errors
/// `Option` for anything else, for nothing and for more than 100 %.
pub fn share_or_absolute(option: &'static str, value: &str, net: Kib) -> Result<Kib, SizeError> {
    let size = match value.strip_suffix('%') {
        Some(percent) => share(percent, net),
        None => value.parse().ok().map(Kib::new),
    };
    size.filter(|size| *size > Kib::ZERO).ok_or_else(|| SizeError::Option {
        option,
        value: value.to_owned(),
        expected: "percentage up to 100 or number of KiB, more than nothing",
    })
}

/// Digits behind the point that count; more would not change a size below 1 PiB by a KiB that matters.
const DECIMALS: usize = 6;

/// In whole numbers, so that every machine gets the same size.
fn share(percent: &str, net: Kib) -> Option<Kib> {
    let (whole, fraction) = percent.split_once('.').unwrap_or((percent, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(DECIMALS).collect();
    let millionths = format!("{whole}{fraction}").parse::<u128>().ok()?;
    const HUNDRED: u128 = 100_000_000;
    if millionths > HUNDRED {
        return None;
    }
    let size = (u128::from(net.get()) * millionths).div_ceil(HUNDRED);
    u64::try_from(size).ok().map(Kib::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: Kib = Kib::from_mib(1024);

    #[test]
    fn shares_and_sizes() {
        for (value, kib) in [
            ("5%", 52_429),
            ("100%", 1_048_576),
            ("2.5%", 26_215),
            ("50.%", 524_288),
            ("0.0000001%", 0),
            ("12345", 12_345),
            ("101%", 0),
            ("100.1%", 0),
            ("0%", 0),
            ("0", 0),
            ("-1", 0),
            ("+5%", 0),
            ("%", 0),
            (".5%", 0),
            ("", 0),
            ("5 %", 0),
            ("99999999999999999999999999999999999999999%", 0),
        ] {
            let size = share_or_absolute("x", value, GIB);
            assert_eq!(size.map_or(0, Kib::get), kib, "{value}");
        }
        assert_eq!(share_or_absolute("x", "100%", Kib::new(u64::MAX)), Ok(Kib::new(u64::MAX)));
    }

    #[test]
    fn writecache() {
        let sizes = writecache_sizes(GIB, None).expect("the default");
        assert_eq!(sizes, CacheSizes { data: GIB, cache: Kib::new(52_429), metadata: None });
        assert_eq!(writecache_sizes(GIB, Some("2048")).map(|sizes| sizes.cache), Ok(Kib::new(2048)));
    }

    #[test]
    fn dm_cache() {
        let sizes = cache_sizes(GIB, Some("409600"), None, DEFAULT_BLOCK_BYTES).expect("good");
        // 102400 blocks of 16 bytes are 1600 KiB.
        assert_eq!(sizes, CacheSizes { data: GIB, cache: Kib::new(409_600), metadata: Some(Kib::new(4096 + 1600)) });
        let sizes = cache_sizes(GIB, None, Some("12288"), DEFAULT_BLOCK_BYTES).expect("good");
        assert_eq!(sizes.metadata, Some(Kib::new(12_288)));
        assert!(cache_sizes(GIB, None, None, 0).is_err());
        assert_eq!(cache_sizes(Kib::new(u64::MAX), Some("100%"), None, 4096), Err(SizeError::Overflow));
    }

    #[test]
    fn bcache() {
        let small = bcache_sizes(GIB, None).expect("good");
        assert_eq!(small, CacheSizes { data: Kib::new(1_048_584), cache: Kib::from_mib(512), metadata: None });
        let large = bcache_sizes(Kib::from_mib(20_480), None).expect("good");
        assert_eq!(large.cache, Kib::from_mib(1024));
        assert_eq!(bcache_sizes(Kib::new(u64::MAX), None), Err(SizeError::Overflow));
    }
}
