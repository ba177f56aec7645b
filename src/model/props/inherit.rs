//! How a setting comes down from one object to another: no single chain, but a list of places for each feature, of which
//! the first that has the key wins. Never fetches the objects: callers hand them in.

use super::container::Props;

/// A place where a setting may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Volume,
    VolumeDefinition,
    VolumeGroup,
    Resource,
    StoragePool,
    StoragePoolDefinition,
    ResourceDefinition,
    ResourceGroup,
    Node,
    Controller,
}

/// Number of levels.
const LEVELS: usize = 10;

/// A feature, and with it the order in which levels are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// Pool of a volume (`StorPoolName`).
    StorPool,
    /// Pool of DRBD's external metadata (`StorPoolNameDrbdMeta`).
    DrbdMetaPool,
    /// Cache, writecache and bcache.
    Caches,
    /// Whether quorum is managed (`DrbdOptions/auto-quorum`, quorum itself).
    AutoQuorum,
    /// Whether a tie-breaker is added.
    TieBreaker,
    /// Whether and which verify algorithm is chosen.
    VerifyAlgorithm,
    /// Whether providers may be mixed in one resource.
    MixingAllowed,
    /// Whether and how replica counts are balanced.
    Balance,
    /// Whether new replicas are synchronised in full.
    ForceInitialSync,
    /// When a diskless primary gets a disk.
    AutoDiskful,
    /// Automatic snapshots.
    AutoSnapshot,
    /// When a node that stays away is evicted, and whether.
    AutoEvict,
    /// Whether placement may choose a node; a pool's own word counts besides.
    AutoplaceTarget,
    /// Free space that a thin pool keeps.
    MinThinFreeSpace,
    /// Oversubscription ratios.
    Oversubscription,
    /// Peer slots of new resources.
    PeerSlots,
    /// Bitmap block size of new resources.
    BitmapBlockSize,
    /// Schedules and backups: an explicit `Enabled=False` below masks what stands above.
    Backup,
    /// Throughput that a volume may take.
    Throughput,
    /// Options of the storage drivers (`StorDriver/…`).
    StorageDriver,
    /// File system of new volumes.
    FileSystem,
    /// DRBD kept off its disk.
    SkipDisk,
}

impl Lookup {
    /// The levels, most binding first.
    #[must_use]
    pub const fn order(self) -> &'static [Level] {
        use Level::{
            Controller, Node, Resource, ResourceDefinition, ResourceGroup, StoragePool, StoragePoolDefinition, Volume,
            VolumeDefinition, VolumeGroup,
        };
        match self {
            Self::StorPool => &[Resource, VolumeDefinition, ResourceDefinition, ResourceGroup, Node],
            Self::DrbdMetaPool => &[VolumeDefinition, VolumeGroup, Resource, ResourceDefinition, ResourceGroup, Node],
            Self::Caches => {
                &[VolumeDefinition, VolumeGroup, Resource, ResourceDefinition, ResourceGroup, Node, Controller]
            }
            Self::AutoQuorum
            | Self::TieBreaker
            | Self::VerifyAlgorithm
            | Self::MixingAllowed
            | Self::Balance
            | Self::ForceInitialSync
            | Self::AutoSnapshot
            | Self::PeerSlots
            | Self::Backup => &[ResourceDefinition, ResourceGroup, Controller],
            Self::AutoDiskful => &[Resource, Node, ResourceDefinition, ResourceGroup, Controller],
            Self::AutoEvict | Self::AutoplaceTarget => &[Node, Controller],
            Self::MinThinFreeSpace => &[StoragePool, ResourceDefinition, ResourceGroup, Node, Controller],
            Self::Oversubscription => &[StoragePool, StoragePoolDefinition, Controller],
            Self::BitmapBlockSize => &[VolumeDefinition, ResourceDefinition, ResourceGroup, Controller],
            Self::Throughput => {
                &[Volume, Resource, Node, VolumeDefinition, ResourceDefinition, VolumeGroup, ResourceGroup, Controller]
            }
            Self::StorageDriver => &[
                Volume,
                VolumeDefinition,
                Resource,
                StoragePool,
                ResourceDefinition,
                VolumeGroup,
                ResourceGroup,
                Node,
                Controller,
            ],
            Self::FileSystem => &[VolumeDefinition, VolumeGroup, ResourceDefinition, ResourceGroup],
            Self::SkipDisk => &[Resource, StoragePool, Node, ResourceDefinition, Controller],
        }
    }
}

/// The properties of the objects around one thing, level by level; those that do not exist are left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Levels<'a>([Option<&'a Props>; LEVELS]);

impl<'a> Levels<'a> {
    /// No level known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one level more.
    #[must_use]
    pub fn with(mut self, level: Level, props: &'a Props) -> Self {
        self.0[level as usize] = Some(props);
        self
    }

    /// The value that holds, and the level where it stands.
    #[must_use]
    pub fn find(&self, lookup: Lookup, key: &str) -> Option<(&'a str, Level)> {
        lookup.order().iter().find_map(|level| {
            let value = self.0[*level as usize]?.get(key)?;
            Some((value, *level))
        })
    }

    /// The value that holds.
    #[must_use]
    pub fn get(&self, lookup: Lookup, key: &str) -> Option<&'a str> {
        self.find(lookup, key).map(|(value, _)| value)
    }
}

/// The first hit in a list of properties, for orders that are a caller's own.
#[must_use]
pub fn first<'a>(key: &str, list: &[&'a Props]) -> Option<&'a str> {
    list.iter().find_map(|props| props.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_LEVELS: [Level; LEVELS] = [
        Level::Volume,
        Level::VolumeDefinition,
        Level::VolumeGroup,
        Level::Resource,
        Level::StoragePool,
        Level::StoragePoolDefinition,
        Level::ResourceDefinition,
        Level::ResourceGroup,
        Level::Node,
        Level::Controller,
    ];

    /// Letters as in the catalogue's table, G for resource group, g for volume group.
    const ORDERS: &[(Lookup, &str)] = &[
        (Lookup::StorPool, "rVRGN"),
        (Lookup::DrbdMetaPool, "VgrRGN"),
        (Lookup::Caches, "VgrRGNC"),
        (Lookup::AutoQuorum, "RGC"),
        (Lookup::TieBreaker, "RGC"),
        (Lookup::VerifyAlgorithm, "RGC"),
        (Lookup::MixingAllowed, "RGC"),
        (Lookup::Balance, "RGC"),
        (Lookup::ForceInitialSync, "RGC"),
        (Lookup::AutoDiskful, "rNRGC"),
        (Lookup::AutoSnapshot, "RGC"),
        (Lookup::AutoEvict, "NC"),
        (Lookup::AutoplaceTarget, "NC"),
        (Lookup::MinThinFreeSpace, "PRGNC"),
        (Lookup::Oversubscription, "PDC"),
        (Lookup::PeerSlots, "RGC"),
        (Lookup::BitmapBlockSize, "VRGC"),
        (Lookup::Backup, "RGC"),
        (Lookup::Throughput, "vrNVRgGC"),
        (Lookup::StorageDriver, "vVrPRgGNC"),
        (Lookup::FileSystem, "VgRG"),
        (Lookup::SkipDisk, "rPNRC"),
    ];

    fn letter(level: Level) -> char {
        ['v', 'V', 'g', 'r', 'P', 'D', 'R', 'G', 'N', 'C'][level as usize]
    }

    #[test]
    fn orders() {
        for (lookup, letters) in ORDERS {
            let order: String = lookup.order().iter().map(|level| letter(*level)).collect();
            assert_eq!(&order, letters, "{lookup:?}");
        }
    }

    /// Every level has the key: the first wins; take that away and the next does, to the end.
    #[test]
    fn first_hit_wins_all_the_way_down() {
        for (lookup, _) in ORDERS {
            let mut props: Vec<Props> = ALL_LEVELS.iter().map(|_| Props::new()).collect();
            for (props, level) in props.iter_mut().zip(ALL_LEVELS) {
                props.set("k", &letter(level).to_string()).expect("good key");
            }
            for level in lookup.order() {
                let levels = ALL_LEVELS
                    .iter()
                    .zip(&props)
                    .fold(Levels::new(), |levels, (level, props)| levels.with(*level, props));
                assert_eq!(levels.find(*lookup, "k"), Some((letter(*level).to_string().as_str(), *level)));
                props[*level as usize] = Props::new();
            }
            let rest =
                ALL_LEVELS.iter().zip(&props).fold(Levels::new(), |levels, (level, props)| levels.with(*level, props));
            assert_eq!(rest.get(*lookup, "k"), None, "{lookup:?} asks a level that is not its own");
        }
    }

    #[test]
    fn absent_levels_are_skipped() {
        let mut controller = Props::new();
        controller.set("k", "c").expect("good key");
        assert_eq!(Levels::new().with(Level::Controller, &controller).get(Lookup::PeerSlots, "k"), Some("c"));
        assert_eq!(Levels::new().get(Lookup::PeerSlots, "k"), None);
    }

    #[test]
    fn plain_lists() {
        let (mut low, mut high) = (Props::new(), Props::new());
        low.set("a", "low").expect("good key");
        high.set("a", "high").expect("good key");
        high.set("b", "high").expect("good key");
        assert_eq!(first("a", &[&low, &high]), Some("low"));
        assert_eq!(first("b", &[&low, &high]), Some("high"));
        assert_eq!(first("c", &[&low, &high]), None);
    }
}
