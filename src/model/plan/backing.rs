//! Names of backing objects, as LINSTOR gives them (facts: `satellite.md` §1.2), so that a node's volumes are found.

use std::fmt;

use crate::model::names::{RscName, SnapName, VolumeNumber};
use crate::model::stack::{Layer, Leaf};

/// Longest name of a backing object: a file name has 255 bytes, of which a snapshot's name, dots and endings take 64.
const ID_BYTES_MAX: usize = 190;

/// Name of a volume's backing object in its pool, without an ending: `<resource>_<number, 5 digits>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackingId(String);

/// A name in `StorDriver/OverrideVlmId` that cannot be one of a backing object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' cannot name a backing object: letters, digits and any of _ - . + are allowed, not a dot in front, up to {ID_BYTES_MAX} bytes"
)]
pub struct BackingError(pub String);

impl BackingId {
    /// Name of a volume; `override_id` replaces it wholly.
    pub fn of(rsc: &RscName, number: VolumeNumber, override_id: Option<&str>) -> Result<Self, BackingError> {
        match override_id {
            None => Ok(Self(format!("{rsc}_{:05}", number.get()))),
            Some(id) if is_plain(id) => Ok(Self(id.to_owned())),
            Some(id) => Err(BackingError(id.chars().take(ID_BYTES_MAX).collect())),
        }
    }

    /// Name of a backing object of a volume; an override is for the data's alone.
    ///
    /// # Errors
    /// The override can be no name.
    pub fn of_leaf(
        rsc: &RscName,
        number: VolumeNumber,
        leaf: Leaf,
        override_id: Option<&str>,
    ) -> Result<Self, BackingError> {
        match leaf {
            Leaf::Data => Self::of(rsc, number, override_id),
            other => Ok(Self(format!("{rsc}{}_{:05}", other.suffix(), number.get()))),
        }
    }

    /// Name of a layer's device; of an encryption by its own backing object, of others by the data's.
    #[must_use]
    pub fn device_name(&self, layer: Layer) -> String {
        match layer {
            Layer::Luks(_) => format!("Linstor-Crypt-{}", self.0),
            Layer::Writecache => format!("linstor_writecache_{}", self.0),
            Layer::Cache => format!("linstor_cache_{}", self.0),
            Layer::Bcache => format!("linstor_bcache_{}", self.0),
        }
    }

    /// Name of the volume's part in a snapshot.
    #[must_use]
    pub fn snapshot(&self, snapshot: &SnapName) -> String {
        format!("{}_{snapshot}", self.0)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_plain(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= ID_BYTES_MAX
        && !id.starts_with(['.', '-'])
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.+".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(override_id: Option<&str>) -> Result<BackingId, BackingError> {
        let rsc = RscName::parse("Web-1").expect("legal");
        BackingId::of(&rsc, VolumeNumber::new(7).expect("legal"), override_id)
    }

    #[test]
    fn names_are_linstors() {
        let id = of(None).expect("legal");
        assert_eq!(id.as_str(), "Web-1_00007");
        let snap = SnapName::parse("before").expect("legal");
        assert_eq!(id.snapshot(&snap), "Web-1_00007_before");
        assert_eq!(of(Some("old.data")).expect("legal").as_str(), "old.data");
        let rsc = RscName::parse("Web-1").expect("legal");
        let number = VolumeNumber::new(7).expect("legal");
        let cache = BackingId::of_leaf(&rsc, number, Leaf::Writecache, Some("old.data")).expect("legal");
        assert_eq!(cache.as_str(), "Web-1.cache_00007");
        assert_eq!(cache.device_name(Layer::Luks(Leaf::Writecache)), "Linstor-Crypt-Web-1.cache_00007");
        assert_eq!(id.device_name(Layer::Writecache), "linstor_writecache_Web-1_00007");
    }

    #[test]
    fn an_override_cannot_leave_its_pool() {
        for bad in ["", "../x", "a/b", ".hidden", "-rf", "a b", "a\0"] {
            assert!(of(Some(bad)).is_err(), "{bad:?}");
        }
        assert!(of(Some(&"x".repeat(ID_BYTES_MAX + 1))).is_err());
    }
}
