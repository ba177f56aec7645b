//! The local layers of a volume: of which devices its stack is made, and on which backing objects they stand. Makes none.
//!
//! ```text
//! WRITECACHE            the volume's stack from its top, as an example
//!  ├─ LUKS(data)        on  <id>           pool of the volume
//!  └─ LUKS(cache)       on  <id>.cache     pool that Writecache/PoolName names
//! ```
//! Where LUKS is below a caching layer, the caches are encrypted, too: else what is read and written would lie there in
//! plain text. DRBD and NVMe are not local; who sets them up adds what they need.

use std::collections::BTreeMap;
use std::fmt;

use super::kinds::LayerKind;
use super::size::{
    Cryptsetup, DEFAULT_BLOCK_BYTES, Kib, SizeError, bcache_sizes, cache_sizes, luks_gross, luks_header,
    writecache_sizes,
};

/// Namespaces of the properties that layers and drivers read.
pub const OPTION_NAMESPACES: &[&str] = &["StorDriver", "Luks", "Writecache", "Cache", "BCache"];
/// Additional arguments of `cryptsetup luksFormat`.
pub const LUKS_FORMAT_OPTIONS: &str = "StorDriver/LuksFormatOptions";
/// Block size of dm-cache.
pub const CACHE_BLOCK: &str = "Cache/Blocksize";
/// The oldest cryptsetup that is reckoned with: the first whose default is LUKS2 with 16 MiB. An older one needs less.
const CRYPTSETUP: Cryptsetup = Cryptsetup { major: 2, minor: 1 };
/// Blocks of the caching layers: volumes below them are multiples of it.
const CACHE_UNIT: Kib = Kib::new(4);

/// A backing object of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leaf {
    /// Its data.
    Data,
    /// The cache of dm-writecache.
    Writecache,
    /// The cache of dm-cache.
    CacheData,
    /// The metadata of dm-cache.
    CacheMeta,
    /// The cache of bcache.
    Bcache,
}

impl Leaf {
    /// What the backing object's name has behind the resource's (facts: `satellite.md` §1.2).
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Data => "",
            Self::Writecache => ".cache",
            Self::CacheData => ".dmcache_cache",
            Self::CacheMeta => ".dmcache_meta",
            Self::Bcache => ".bcache",
        }
    }

    /// The properties that name its pool, the first that is set; data lies in the volume's own.
    #[must_use]
    pub fn pool_props(self) -> &'static [&'static str] {
        match self {
            Self::Data => &[],
            Self::Writecache => &["Writecache/PoolName"],
            Self::CacheData => &["Cache/CachePool"],
            Self::CacheMeta => &["Cache/MetaPool", "Cache/CachePool"],
            Self::Bcache => &["BCache/PoolName"],
        }
    }
}

/// A device of a volume's stack above the storage. The order is that in which they are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Encryption of one backing object.
    Luks(Leaf),
    /// bcache.
    Bcache,
    /// dm-cache.
    Cache,
    /// dm-writecache.
    Writecache,
}

impl Layer {
    /// Its kind.
    #[must_use]
    pub fn kind(self) -> LayerKind {
        match self {
            Self::Luks(_) => LayerKind::Luks,
            Self::Bcache => LayerKind::Bcache,
            Self::Cache => LayerKind::Cache,
            Self::Writecache => LayerKind::Writecache,
        }
    }

    /// The backing objects that it has beside what it stands on.
    #[must_use]
    pub fn caches(self) -> &'static [Leaf] {
        match self {
            Self::Luks(_) => &[],
            Self::Bcache => &[Leaf::Bcache],
            Self::Cache => &[Leaf::CacheMeta, Leaf::CacheData],
            Self::Writecache => &[Leaf::Writecache],
        }
    }

    fn of(kind: LayerKind) -> Option<Self> {
        match kind {
            LayerKind::Bcache => Some(Self::Bcache),
            LayerKind::Cache => Some(Self::Cache),
            LayerKind::Writecache => Some(Self::Writecache),
            LayerKind::Drbd | LayerKind::Luks | LayerKind::Nvme | LayerKind::Storage => None,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Luks(leaf) => write!(f, "LUKS{}", leaf.suffix()),
            other => write!(f, "{}", other.kind()),
        }
    }
}

/// What a layer, or the user, stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The device of a backing object.
    Storage(Leaf),
    /// The device of a layer.
    Layer(Layer),
}

/// The local stack of a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stack {
    encrypted: bool,
    /// Caching layers from the bottom up.
    caching: Vec<Layer>,
}

impl Stack {
    /// Of a list of layers from top to bottom.
    #[must_use]
    pub fn of(layers: &[LayerKind]) -> Self {
        Self {
            encrypted: layers.contains(&LayerKind::Luks),
            caching: layers.iter().rev().filter_map(|kind| Layer::of(*kind)).collect(),
        }
    }

    /// Whether there is no layer above the storage.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.encrypted && self.caching.is_empty()
    }

    /// Whether there is this layer.
    #[must_use]
    pub fn has(&self, kind: LayerKind) -> bool {
        self.layers().any(|layer| layer.kind() == kind)
    }

    /// Backing objects beside the data's, in the order in which they are made.
    pub fn caches(&self) -> impl Iterator<Item = Leaf> {
        self.caching.iter().flat_map(|layer| layer.caches()).copied()
    }

    /// All backing objects, the data's first.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf> {
        std::iter::once(Leaf::Data).chain(self.caches())
    }

    /// Devices in the order in which they are opened.
    pub fn layers(&self) -> impl DoubleEndedIterator<Item = Layer> {
        let leaves: Vec<Leaf> = self.leaves().filter(|_| self.encrypted).collect();
        leaves.into_iter().map(Layer::Luks).chain(self.caching.clone())
    }

    /// What carries the content of a backing object: its own device, or that of its encryption.
    #[must_use]
    pub fn leaf_base(&self, leaf: Leaf) -> Base {
        if self.encrypted { Base::Layer(Layer::Luks(leaf)) } else { Base::Storage(leaf) }
    }

    /// What a layer stands on; a caching one has its caches beside that.
    #[must_use]
    pub fn base_of(&self, layer: Layer) -> Base {
        if let Layer::Luks(leaf) = layer {
            return Base::Storage(leaf);
        }
        let at = self.caching.iter().position(|other| *other == layer).unwrap_or(0);
        match at.checked_sub(1) {
            Some(below) => Base::Layer(self.caching[below]),
            None => self.leaf_base(Leaf::Data),
        }
    }

    /// What the user gets.
    #[must_use]
    pub fn top(&self) -> Base {
        self.caching.last().map_or_else(|| self.leaf_base(Leaf::Data), |layer| Base::Layer(*layer))
    }

    /// Sizes of the backing objects for a volume that offers `net`. Headers that are there already are as large as they
    /// are; `header` knows them.
    ///
    /// # Errors
    /// A property without sense, or a size that is too large.
    pub fn gross<'a>(
        &self,
        net: Kib,
        option: &dyn Fn(&str) -> Option<&'a str>,
        header: &dyn Fn(Leaf) -> Option<Kib>,
    ) -> Result<BTreeMap<Leaf, Kib>, SizeError> {
        let mut sizes = BTreeMap::new();
        let mut data = if self.caching.is_empty() { net } else { net.ceil_to(CACHE_UNIT)? };
        for layer in self.caching.iter().rev() {
            let (below, caches) = caching_sizes(*layer, data, option)?;
            data = below;
            sizes.extend(caches);
        }
        sizes.insert(Leaf::Data, data);
        if self.encrypted {
            let usual = luks_header(option(LUKS_FORMAT_OPTIONS).unwrap_or_default(), CRYPTSETUP, 0)?;
            for (leaf, size) in &mut sizes {
                *size = luks_gross(*size, header(*leaf).unwrap_or(usual))?;
            }
        }
        Ok(sizes)
    }
}

/// What a caching layer needs below it for a device of `net`, and beside it.
fn caching_sizes<'a>(
    layer: Layer,
    net: Kib,
    option: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<(Kib, Vec<(Leaf, Kib)>), SizeError> {
    let unit = |size: Kib| size.ceil_to(CACHE_UNIT);
    match layer {
        Layer::Luks(_) => Ok((net, Vec::new())),
        Layer::Writecache => {
            let sizes = writecache_sizes(net, option("Writecache/Size"))?;
            Ok((sizes.data, vec![(Leaf::Writecache, unit(sizes.cache)?)]))
        }
        Layer::Bcache => {
            let sizes = bcache_sizes(net, option("BCache/Size"))?;
            Ok((sizes.data, vec![(Leaf::Bcache, unit(sizes.cache)?)]))
        }
        Layer::Cache => {
            let block = cache_block(option)?;
            let sizes = cache_sizes(net, option("Cache/Cachesize"), option("Cache/Metasize"), block)?;
            // The device takes the same number for sectors: less than one such block is no cache.
            let cache = sizes.cache.max(Kib::from_bytes_ceil(block.saturating_mul(512)));
            let meta = sizes.metadata.unwrap_or_default();
            Ok((sizes.data, vec![(Leaf::CacheData, unit(cache)?), (Leaf::CacheMeta, unit(meta)?)]))
        }
    }
}

/// The value of `Cache/Blocksize`: bytes where sizes are computed, 512-byte sectors for the device.
///
/// # Errors
/// It is no number.
pub fn cache_block<'a>(option: &dyn Fn(&str) -> Option<&'a str>) -> Result<u64, SizeError> {
    let Some(text) = option(CACHE_BLOCK) else { return Ok(DEFAULT_BLOCK_BYTES) };
    let bad = || SizeError::Option { option: "Cache/Blocksize", value: text.to_owned(), expected: "block size" };
    text.parse().ok().filter(|block| *block > 0).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use LayerKind as L;

    const NET: Kib = Kib::from_mib(1024);

    fn sizes(layers: &[L], options: &[(&str, &'static str)]) -> Vec<(&'static str, u64)> {
        let option = |key: &str| options.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        let sizes = Stack::of(layers).gross(NET, &option, &|_| None).expect("good");
        sizes.into_iter().map(|(leaf, size)| (leaf.suffix(), size.0)).collect()
    }

    #[test]
    fn devices_in_the_order_of_opening() {
        let words = |layers: &[L]| {
            let words: Vec<String> = Stack::of(layers).layers().map(|layer| layer.to_string()).collect();
            words.join(" ")
        };
        assert_eq!(words(&[L::Drbd, L::Storage]), "");
        assert_eq!(words(&[L::Drbd, L::Luks, L::Storage]), "LUKS");
        assert_eq!(words(&[L::Writecache, L::Luks, L::Storage]), "LUKS LUKS.cache WRITECACHE");
        assert_eq!(
            words(&[L::Writecache, L::Cache, L::Luks, L::Storage]),
            "LUKS LUKS.dmcache_meta LUKS.dmcache_cache LUKS.cache CACHE WRITECACHE"
        );
        assert_eq!(words(&[L::Cache, L::Writecache, L::Bcache, L::Storage]), "BCACHE WRITECACHE CACHE");
    }

    #[test]
    fn what_stands_on_what() {
        let plain = Stack::of(&[L::Drbd, L::Storage]);
        assert!(plain.is_plain());
        assert_eq!(plain.top(), Base::Storage(Leaf::Data));
        let stack = Stack::of(&[L::Writecache, L::Cache, L::Luks, L::Storage]);
        assert_eq!(stack.top(), Base::Layer(Layer::Writecache));
        assert_eq!(stack.base_of(Layer::Writecache), Base::Layer(Layer::Cache));
        assert_eq!(stack.base_of(Layer::Cache), Base::Layer(Layer::Luks(Leaf::Data)));
        assert_eq!(stack.base_of(Layer::Luks(Leaf::CacheMeta)), Base::Storage(Leaf::CacheMeta));
        assert_eq!(stack.leaf_base(Leaf::CacheData), Base::Layer(Layer::Luks(Leaf::CacheData)));
        assert!(stack.has(L::Luks) && !stack.has(L::Bcache));
    }

    #[test]
    fn sizes_from_the_top_down() {
        let net = NET.0;
        assert_eq!(sizes(&[L::Storage], &[]), [("", net)]);
        assert_eq!(sizes(&[L::Luks, L::Storage], &[]), [("", net + 16_384)]);
        let luks1 = [("StorDriver/LuksFormatOptions", "--type luks1")];
        assert_eq!(sizes(&[L::Luks, L::Storage], &luks1), [("", net + 2048)]);
        assert_eq!(
            sizes(&[L::Writecache, L::Luks, L::Storage], &[("Writecache/Size", "10%")]),
            [("", net + 16_384), (".cache", 104_860 + 16_384)]
        );
        let cached = [("", net), (".dmcache_cache", 52_432), (".dmcache_meta", 4096 + 208)];
        assert_eq!(sizes(&[L::Cache, L::Storage], &[]), cached);
        assert_eq!(sizes(&[L::Cache, L::Storage], &[("Cache/Cachesize", "100")])[1], (".dmcache_cache", 2048));
        assert_eq!(sizes(&[L::Bcache, L::Storage], &[]), [("", net + 8), (".bcache", 524_288)]);
    }

    #[test]
    fn a_header_that_is_there_counts_as_it_is() {
        let stack = Stack::of(&[L::Luks, L::Storage]);
        let sizes = stack.gross(NET, &|_| None, &|_| Some(Kib(2048))).expect("good");
        assert_eq!(sizes[&Leaf::Data], Kib(NET.0 + 2048));
        assert!(stack.gross(NET, &|_| Some("--offset x"), &|_| None).is_err());
        assert!(Stack::of(&[L::Cache, L::Storage]).gross(NET, &|_| Some("x"), &|_| None).is_err());
    }
}
