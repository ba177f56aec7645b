//! What was found on a node for one resource: the input of [`plan`](super::plan()).

use std::collections::BTreeMap;

use crate::model::moment::Uuid;
use crate::model::names::{SnapName, VolumeNumber};
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::model::stack::{Base, Layer, Leaf, Stack};

/// Everything about one resource that its desired state asks about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedResource {
    /// Volumes by number: those of the desired state. An error where the pool cannot be asked.
    pub volumes: BTreeMap<VolumeNumber, Result<ObservedVolume, Problem>>,
    /// Snapshots' parts by snapshot and volume: those of the desired state.
    pub snapshots: BTreeMap<SnapName, BTreeMap<VolumeNumber, Result<ObservedPart, Problem>>>,
    /// Size of the snapshot's part that a volume is to be made from, where it is there.
    pub origins: BTreeMap<VolumeNumber, Kib>,
    /// Whether the resource has parts of the snapshot that a rollback goes back to, by volume.
    pub rollback_parts: BTreeMap<VolumeNumber, Kib>,
    /// Token of the last rollback that was carried out wholly.
    pub rolled_back: Option<Uuid>,
    /// Why it cannot be told whether a rollback was carried out, or of which volumes the snapshot has parts.
    pub rollback_unknown: Option<Problem>,
}

/// One volume's storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedVolume {
    /// Size of the backing object; `None` when there is none.
    pub backing: Option<Kib>,
    /// Room that it takes in its pool.
    pub allocated: Option<Kib>,
    /// The device on it; `None` when it is not attached.
    pub device: Option<ObservedDevice>,
    /// Granularity of sizes in this pool.
    pub granularity: Kib,
    /// Whether the kind has devices that are attached and detached; DISKLESS has none at all.
    pub has_device: bool,
    /// What is on it.
    pub content: Content,
    /// What is there under its name and is not the volume's; then there is none.
    pub stranger: Option<Stranger>,
    /// How far its content reaches; looked for where it is to be made smaller.
    pub extent: Extent,
    /// Backing objects beside the data's, those that are there.
    pub caches: BTreeMap<Leaf, ObservedLeaf>,
    /// The layers of its stack.
    pub layers: BTreeMap<Layer, ObservedLayer>,
}

impl ObservedVolume {
    /// The device that its user gets.
    #[must_use]
    pub fn top(&self, stack: &Stack) -> Option<&ObservedDevice> {
        self.device_of(stack.top())
    }

    /// The device that something stands on.
    #[must_use]
    pub fn device_of(&self, base: Base) -> Option<&ObservedDevice> {
        match base {
            Base::Storage(Leaf::Data) => self.device.as_ref(),
            Base::Storage(leaf) => self.caches.get(&leaf)?.device.as_ref(),
            Base::Layer(layer) => self.layers.get(&layer)?.device.as_ref(),
        }
    }

    /// Whether nothing of it is there any more.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.backing.is_none() && self.caches.is_empty() && !self.is_attached()
    }

    /// Whether any of its devices is there.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.device.is_some()
            || self.caches.values().any(|leaf| leaf.device.is_some())
            || self.layers.values().any(|layer| layer.device.is_some())
    }

    /// Where the data begins on the backing object of an encrypted volume, as its header says.
    #[must_use]
    pub fn header(&self, leaf: Leaf) -> Option<Kib> {
        match self.layers.get(&Layer::Luks(leaf))?.header {
            Header::Own { offset } => offset,
            _ => None,
        }
    }
}

/// A backing object beside the data's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedLeaf {
    /// Its size.
    pub size: Kib,
    /// The device on it; `None` when it is not attached.
    pub device: Option<ObservedDevice>,
}

/// One layer of a volume's stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedLayer {
    /// Its device; `None` when it is not open.
    pub device: Option<ObservedDevice>,
    /// Whether nothing goes through it at the moment.
    pub suspended: bool,
    /// What is at the beginning of what it stands on, or of its cache.
    pub header: Header,
}

/// What is where a layer keeps its header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Header {
    /// Nobody could look: the device is not attached, or cannot be read.
    #[default]
    Unknown,
    /// Zeros.
    Blank,
    /// Something that is not the layer's, by its name.
    Foreign(String),
    /// The layer's.
    Own {
        /// Where the data begins behind it, where it is known.
        offset: Option<Kib>,
    },
}

/// The device of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedDevice {
    /// Its path.
    pub path: String,
    /// Its size, as the kernel says.
    pub size: Kib,
}

/// What is known of a volume's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Content {
    /// Nobody has looked, or looking cheaply found nothing.
    #[default]
    Unknown,
    /// A signature was found: the name that `blkid` gives it.
    Known(String),
}

/// A backing object with data that is nobody's whom we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Where it is.
    pub place: String,
    /// The command that makes it the volume's.
    pub adopt: String,
}

/// How far a volume's content reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Extent {
    /// Nobody has looked, or it cannot be told.
    #[default]
    Unknown,
    /// Something that was recognised, and what it needs, where that can be told.
    Content {
        /// Its name.
        kind: String,
        /// From the beginning on, rounded up.
        needs: Option<Kib>,
    },
    /// Nothing that was recognised; nothing was ever written behind this, or it was discarded.
    Data {
        /// Rounded up.
        end: Kib,
    },
}

/// One volume's part in a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedPart {
    /// Its size; `None` when it is not there. One that is there is complete.
    pub size: Option<Kib>,
    /// Room that it takes in its pool.
    pub allocated: Option<Kib>,
    /// When it was taken, milliseconds since the epoch.
    pub taken_ms: Option<i64>,
}
