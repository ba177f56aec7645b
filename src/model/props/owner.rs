//! The classes of objects that carry properties. Never holds a property itself.

use std::fmt;

/// Class of an object, which decides the keys that it may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PropertyOwner {
    Controller,
    Node,
    StoragePoolDefinition,
    StoragePool,
    ResourceGroup,
    ResourceDefinition,
    Resource,
    VolumeGroup,
    VolumeDefinition,
    Volume,
    NodeConnection,
    ResourceConnection,
    Snapshot,
    DrbdProxy,
    DrbdProxyLz4,
    DrbdProxyZlib,
    DrbdProxyLzma,
    DrbdProxyZstd,
    KeyValueStore,
}

/// Letters of the table's first column; a letter's place is its bit in [`Owners`].
const LETTERS: &str = "CNDPRrVvncX4ZLS";

impl PropertyOwner {
    /// Every class, in the order of the declaration.
    pub const ALL: [Self; 19] = [
        Self::Controller,
        Self::Node,
        Self::StoragePoolDefinition,
        Self::StoragePool,
        Self::ResourceGroup,
        Self::ResourceDefinition,
        Self::Resource,
        Self::VolumeGroup,
        Self::VolumeDefinition,
        Self::Volume,
        Self::NodeConnection,
        Self::ResourceConnection,
        Self::Snapshot,
        Self::DrbdProxy,
        Self::DrbdProxyLz4,
        Self::DrbdProxyZlib,
        Self::DrbdProxyLzma,
        Self::DrbdProxyZstd,
        Self::KeyValueStore,
    ];

    /// Name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Node => "node",
            Self::StoragePoolDefinition => "storage pool definition",
            Self::StoragePool => "storage pool",
            Self::ResourceGroup => "resource group",
            Self::ResourceDefinition => "resource definition",
            Self::Resource => "resource",
            Self::VolumeGroup => "volume group",
            Self::VolumeDefinition => "volume definition",
            Self::Volume => "volume",
            Self::NodeConnection => "node connection",
            Self::ResourceConnection => "resource connection",
            Self::Snapshot => "snapshot",
            Self::DrbdProxy => "DRBD proxy",
            Self::DrbdProxyLz4 => "DRBD proxy (lz4)",
            Self::DrbdProxyZlib => "DRBD proxy (zlib)",
            Self::DrbdProxyLzma => "DRBD proxy (lzma)",
            Self::DrbdProxyZstd => "DRBD proxy (zstd)",
            Self::KeyValueStore => "key-value store",
        }
    }

    /// Name in `/v1/controller/properties/info/all` and `…/drbd-proxy/properties/info`; groups share their definition's
    /// catalogue, snapshots and key-value stores have none.
    #[must_use]
    pub const fn catalogue_name(self) -> Option<&'static str> {
        Some(match self {
            Self::Controller => "CONTROLLER",
            Self::Node => "NODE",
            Self::StoragePoolDefinition => "STORAGEPOOL_DEFINITION",
            Self::StoragePool => "STORAGEPOOL",
            Self::ResourceGroup | Self::ResourceDefinition => "RESOURCE_DEFINITION",
            Self::Resource => "RESOURCE",
            Self::VolumeGroup | Self::VolumeDefinition => "VOLUME_DEFINITION",
            Self::Volume => "VOLUME",
            Self::NodeConnection => "NODE_CONN",
            Self::ResourceConnection => "RSC_CONN",
            Self::DrbdProxy => "DRBD_PROXY",
            Self::DrbdProxyLz4 => "DRBD_PROXY_LZ4",
            Self::DrbdProxyZlib => "DRBD_PROXY_ZLIB",
            Self::DrbdProxyLzma => "DRBD_PROXY_LZMA",
            Self::DrbdProxyZstd => "DRBD_PROXY_ZSTD",
            Self::Snapshot | Self::KeyValueStore => return None,
        })
    }

    /// The class's letter in the catalogue's table.
    const fn letter(self) -> Option<char> {
        Some(match self {
            Self::Controller => 'C',
            Self::Node => 'N',
            Self::StoragePoolDefinition => 'D',
            Self::StoragePool => 'P',
            Self::ResourceGroup | Self::ResourceDefinition => 'R',
            Self::Resource => 'r',
            Self::VolumeGroup | Self::VolumeDefinition => 'V',
            Self::Volume => 'v',
            Self::NodeConnection => 'n',
            Self::ResourceConnection => 'c',
            Self::DrbdProxy => 'X',
            Self::DrbdProxyLz4 => '4',
            Self::DrbdProxyZlib => 'Z',
            Self::DrbdProxyLzma => 'L',
            Self::DrbdProxyZstd => 'S',
            Self::Snapshot | Self::KeyValueStore => return None,
        })
    }

    /// Prefixes below which the class may carry anything, beside the catalogue.
    pub(super) const fn free_prefixes(self) -> &'static [&'static str] {
        match self {
            Self::ResourceGroup | Self::ResourceDefinition => {
                &["Aux/", "EBS/Tags/", "files/", "Satellite/Device/Symlinks/"]
            }
            // Paths are given as Paths/<path>/<node> = <network interface>.
            Self::NodeConnection | Self::ResourceConnection => &["Aux/", "Paths/"],
            Self::KeyValueStore => &[""],
            _ => &["Aux/"],
        }
    }
}

impl fmt::Display for PropertyOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owners(u16);

impl Owners {
    /// From the table's letters; `None` when one is unknown.
    pub(super) fn parse(letters: &str) -> Option<Self> {
        let mut places = letters.chars().map(|letter| LETTERS.find(letter));
        places.try_fold(0, |bits, place| Some(bits | 1 << place?)).map(Self)
    }

    pub(super) fn contains(self, owner: PropertyOwner) -> bool {
        let place = owner.letter().and_then(|letter| LETTERS.find(letter));
        place.is_some_and(|place| self.0 & (1 << place) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_classes_agree() {
        let all = Owners::parse(LETTERS).expect("the letters themselves");
        for owner in PropertyOwner::ALL {
            assert_eq!(all.contains(owner), owner.catalogue_name().is_some(), "{owner}");
        }
        let groups = Owners::parse("RV").expect("known letters");
        assert!(groups.contains(PropertyOwner::ResourceGroup) && groups.contains(PropertyOwner::VolumeDefinition));
        assert!(!groups.contains(PropertyOwner::Resource) && !groups.contains(PropertyOwner::Volume));
        assert_eq!(Owners::parse("Cq"), None);
    }
}
