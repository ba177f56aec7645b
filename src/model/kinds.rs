//! Kinds and flags: provider kinds, layer kinds, node types, and the flag words of every noun.
//!
//! Bit values are LINSTOR's (facts: `controller.md` §1, `satellite.md` §2.15), so that records can be compared
//! and imported. A compound flag is set only when all its bits are.

use serde::{Deserialize, Serialize};

macro_rules! kind {
    ($(#[$doc:meta])* $ty:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $ty {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant),+
        }

        impl $ty {
            /// Every kind, in order.
            pub const ALL: &'static [$ty] = &[$($ty::$variant),+];

            /// The name on the wire, upper case.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($ty::$variant => $text),+ }
            }

            /// Reads a name in any case.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str().eq_ignore_ascii_case(text))
            }
        }

        impl std::fmt::Display for $ty {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

kind!(
    /// What makes the volumes of a storage pool.
    ProviderKind {
        Diskless = "DISKLESS",
        Lvm = "LVM",
        LvmThin = "LVM_THIN",
        Zfs = "ZFS",
        ZfsThin = "ZFS_THIN",
        File = "FILE",
        FileThin = "FILE_THIN",
        Spdk = "SPDK",
        RemoteSpdk = "REMOTE_SPDK",
        EbsInit = "EBS_INIT",
        EbsTarget = "EBS_TARGET",
        StorageSpaces = "STORAGE_SPACES",
        StorageSpacesThin = "STORAGE_SPACES_THIN",
    }
);

kind!(
    /// A layer of a resource's device stack.
    LayerKind {
        Drbd = "DRBD",
        Writecache = "WRITECACHE",
        Cache = "CACHE",
        Bcache = "BCACHE",
        Luks = "LUKS",
        Nvme = "NVME",
        Storage = "STORAGE",
    }
);

kind!(
    /// What a node is for.
    NodeKind {
        Controller = "CONTROLLER",
        Satellite = "SATELLITE",
        Combined = "COMBINED",
        Auxiliary = "AUXILIARY",
        RemoteSpdk = "REMOTE_SPDK",
        EbsTarget = "EBS_TARGET",
    }
);

kind!(
    /// State of the link to a node's satellite, with the names that clients know.
    ConnectionStatus {
        Offline = "OFFLINE",
        Connected = "CONNECTED",
        Online = "ONLINE",
        VersionMismatch = "VERSION_MISMATCH",
        FullSyncFailed = "FULL_SYNC_FAILED",
        AuthenticationError = "AUTHENTICATION_ERROR",
        Unknown = "UNKNOWN",
        HostnameMismatch = "HOSTNAME_MISMATCH",
        OtherController = "OTHER_CONTROLLER",
        NoSatelliteConnection = "NO_STLT_CONN",
    }
);

impl ConnectionStatus {
    /// The number that the metric `linstor_node_state` shows.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Offline => 0,
            Self::Connected => 1,
            Self::Online => 2,
            Self::VersionMismatch => 3,
            Self::FullSyncFailed => 4,
            Self::AuthenticationError => 5,
            Self::Unknown => 6,
            Self::HostnameMismatch => 7,
            Self::OtherController => 8,
            Self::NoSatelliteConnection => 10,
        }
    }
}

kind!(
    /// Protection of the path to a satellite.
    EncryptionKind { Plain = "PLAIN", Ssl = "SSL" }
);

/// Whether a provider allocates at creation or at the first write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provisioning {
    /// Everything is allocated at creation.
    Fat,
    /// Blocks are allocated when they are written.
    Thin,
    /// There is no storage at all.
    Without,
}

impl ProviderKind {
    /// Fat, thin, or no storage (facts: `satellite.md` §1.1).
    #[must_use]
    pub fn provisioning(self) -> Provisioning {
        match self {
            Self::Diskless | Self::EbsInit => Provisioning::Without,
            Self::LvmThin | Self::ZfsThin | Self::FileThin | Self::StorageSpacesThin => Provisioning::Thin,
            _ => Provisioning::Fat,
        }
    }

    /// Whether the kind can make snapshots at all; FILE kinds need what their file system offers.
    #[must_use]
    pub fn supports_snapshots(self) -> bool {
        !matches!(self, Self::Diskless | Self::Lvm | Self::EbsInit | Self::StorageSpaces | Self::StorageSpacesThin)
    }

    /// Whether a pool of this kind needs `StorDriver/StorPoolName`.
    #[must_use]
    pub fn needs_backing(self) -> bool {
        !matches!(self, Self::Diskless | Self::EbsInit | Self::EbsTarget)
    }

    /// Whether pools of several nodes may name the same space.
    #[must_use]
    pub fn may_be_shared(self) -> bool {
        matches!(self, Self::Diskless | Self::Lvm | Self::RemoteSpdk)
    }

    /// Whether replicas of the two kinds may always stand beside one another in one resource
    /// (facts: `controller.md` §1.4).
    #[must_use]
    pub fn mixes_with(self, other: Self) -> bool {
        use ProviderKind as P;
        let family = |kind: P| match kind {
            P::File | P::FileThin => 1,
            P::Zfs | P::ZfsThin => 2,
            P::EbsInit | P::EbsTarget => 3,
            _ => 0,
        };
        let windows = |kind: P| matches!(kind, P::StorageSpaces | P::StorageSpacesThin);
        let block = |kind: P| matches!(kind, P::Lvm | P::LvmThin | P::Zfs | P::ZfsThin);
        self == other
            || self == P::Diskless
            || other == P::Diskless
            || (family(self) != 0 && family(self) == family(other))
            || (windows(self) && (windows(other) || block(other)))
            || (windows(other) && block(self))
    }
}

impl LayerKind {
    /// Whether `below` may stand directly under this layer.
    #[must_use]
    pub fn may_stand_on(self, below: Self) -> bool {
        self.may_have_below().contains(&below)
    }

    /// What may stand directly under this layer (facts: `controller.md` §1.5).
    #[must_use]
    pub fn may_have_below(self) -> &'static [Self] {
        use LayerKind as L;
        match self {
            L::Drbd => &[L::Nvme, L::Luks, L::Storage, L::Writecache, L::Cache, L::Bcache],
            L::Luks => &[L::Storage],
            L::Nvme => &[L::Luks, L::Storage, L::Writecache, L::Cache, L::Bcache],
            L::Writecache => &[L::Nvme, L::Luks, L::Storage, L::Cache, L::Bcache],
            L::Cache => &[L::Nvme, L::Luks, L::Storage, L::Writecache, L::Bcache],
            L::Bcache => &[L::Nvme, L::Luks, L::Storage, L::Writecache],
            L::Storage => &[],
        }
    }
}

/// Why a list of layers is no stack; `Ok` when it is one: each once, STORAGE last, allowed neighbours.
pub fn check_stack(stack: &[LayerKind]) -> Result<(), String> {
    if stack.last() != Some(&LayerKind::Storage) {
        return Err("a layer stack ends with STORAGE".to_owned());
    }
    for (at, layer) in stack.iter().enumerate() {
        if stack[at + 1..].contains(layer) {
            return Err(format!("layer {layer} stands twice in the stack"));
        }
        if let Some(below) = stack.get(at + 1)
            && !layer.may_stand_on(*below)
        {
            let below_it: Vec<&str> = layer.may_have_below().iter().map(|kind| kind.as_str()).collect();
            let possible = if below_it.is_empty() { "nothing".to_owned() } else { below_it.join(", ") };
            return Err(format!("layer {layer} may not stand on {below}: it stands on {possible}"));
        }
    }
    Ok(())
}

macro_rules! flags {
    ($(#[$doc:meta])* $ty:ident { $($(#[$fdoc:meta])* $name:ident = $bits:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $ty(pub u64);

        #[allow(missing_docs)]
        impl $ty {
            $($(#[$fdoc])* pub const $name: $ty = $ty($bits);)+

            const NAMED: &'static [(&'static str, $ty)] = &[$((stringify!($name), $ty::$name)),+];

            /// No flag at all.
            pub const NONE: $ty = $ty(0);

            /// Whether every bit of `flag` is set.
            #[must_use]
            pub fn has(self, flag: $ty) -> bool {
                self.0 & flag.0 == flag.0
            }

            /// With these bits set too.
            #[must_use]
            pub fn with(self, flag: $ty) -> $ty {
                $ty(self.0 | flag.0)
            }

            /// Without any of these bits.
            #[must_use]
            pub fn without(self, flag: $ty) -> $ty {
                $ty(self.0 & !flag.0)
            }

            /// Names of all flags whose bits are set, compound ones and their parts alike.
            #[must_use]
            pub fn names(self) -> Vec<&'static str> {
                Self::NAMED
                    .iter()
                    .filter(|(_, flag)| self.has(*flag))
                    .map(|(name, _)| *name)
                    .collect()
            }

            /// The flag of a name in any case.
            #[must_use]
            pub fn parse(name: &str) -> Option<$ty> {
                Self::NAMED
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(name))
                    .map(|(_, flag)| *flag)
            }
        }
    };
}

flags!(
    /// Flags of a node.
    NodeFlags { DELETE = 0x1, EVICTED = 0x3, EVACUATE = 0x4, QIGNORE = 0x10000 }
);
flags!(
    /// Flags of a resource definition.
    DefinitionFlags { DELETE = 0x1, RESTORE_TARGET = 0x2, CLONING = 0x4, FAILED = 0x8 }
);
flags!(
    /// Flags of a volume definition.
    VolumeDefinitionFlags {
        DELETE = 0x1, ENCRYPTED = 0x2, RESIZE = 0x4, GROSS_SIZE = 0x8,
        RESIZE_SHRINK = 0x14, DRBD_INITIALIZED = 0x20
    }
);
flags!(
    /// Flags of a volume group.
    VolumeGroupFlags { GROSS_SIZE = 0x1 }
);
flags!(
    /// Flags of a resource.
    ResourceFlags {
        CLEAN = 0x1, DELETE = 0x2, DISKLESS = 0x4, DISK_ADD_REQUESTED = 0x8, DISK_ADDING = 0x10,
        DISK_REMOVE_REQUESTED = 0x20, DISK_REMOVING = 0x40, DRBD_DISKLESS = 0x104, TIE_BREAKER = 0x184,
        NVME_INITIATOR = 0x204, INACTIVE = 0x400, REACTIVATE = 0x800, INACTIVE_PERMANENTLY = 0x1400,
        BACKUP_RESTORE = 0x2000, EVICTED = 0x4400, INACTIVE_BEFORE_EVICTION = 0x8000,
        RESTORE_FROM_SNAPSHOT = 0x10000, EVACUATE = 0x20000, DRBD_DELETE = 0x40000,
        INACTIVATING = 0x80000, EBS_INITIATOR = 0x100004, AUTO_DISKFUL = 0x200000
    }
);
flags!(
    /// Flags of a volume.
    VolumeFlags {
        DELETE = 0x2, RESIZE = 0x4, DRBD_RESIZE = 0x8, CLONING_START = 0x10, CLONING = 0x20,
        CLONING_FINISHED = 0x40, DRBD_DELETE = 0x80
    }
);
flags!(
    /// Flags of a snapshot definition.
    SnapshotFlags {
        SUCCESSFUL = 0x1, FAILED_DEPLOYMENT = 0x2, FAILED_DISCONNECT = 0x4, DELETE = 0x8,
        AUTO_SNAPSHOT = 0x100, SAFETY_SNAPSHOT = 0x2000
    }
);
flags!(
    /// Flags of a snapshot on one node.
    SnapshotNodeFlags { DELETE = 0x1 }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compound_flags_bring_their_parts() {
        assert_eq!(NodeFlags::EVICTED.names(), ["DELETE", "EVICTED"]);
        assert_eq!(ResourceFlags::TIE_BREAKER.names(), ["DISKLESS", "DRBD_DISKLESS", "TIE_BREAKER"]);
        assert!(!ResourceFlags::DISKLESS.has(ResourceFlags::DRBD_DISKLESS));
        assert_eq!(ResourceFlags::parse("tie_breaker"), Some(ResourceFlags::TIE_BREAKER));
    }

    #[test]
    fn stacks() {
        use LayerKind as L;
        for good in [&[L::Storage][..], &[L::Drbd, L::Storage], &[L::Drbd, L::Writecache, L::Luks, L::Storage]] {
            assert_eq!(check_stack(good), Ok(()), "{good:?}");
        }
        for (bad, why) in [
            (&[L::Drbd][..], "ends with"),
            (&[L::Storage, L::Storage], "may not|twice"),
            (&[L::Luks, L::Drbd, L::Storage], "may not stand"),
            (&[], "ends with"),
        ] {
            let text = check_stack(bad).expect_err("illegal");
            assert!(why.split('|').any(|part| text.contains(part)), "{text}");
        }
    }

    #[test]
    fn mixing() {
        use ProviderKind as P;
        assert!(P::File.mixes_with(P::FileThin));
        assert!(P::Zfs.mixes_with(P::ZfsThin));
        assert!(P::Diskless.mixes_with(P::Lvm));
        assert!(!P::Lvm.mixes_with(P::LvmThin));
        assert!(!P::Spdk.mixes_with(P::RemoteSpdk));
    }

    #[test]
    fn kinds_read_any_case() {
        assert_eq!(ProviderKind::parse("file_Thin"), Some(ProviderKind::FileThin));
        assert_eq!(NodeKind::parse("Satellite"), Some(NodeKind::Satellite));
        assert_eq!(LayerKind::parse("EXOS"), None);
    }
}
