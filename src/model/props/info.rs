//! The catalogue as clients read it (`…/properties/info`). Never judges a value.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::catalogue::{self, Entry};
use super::owner::PropertyOwner;

/// What clients are told about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropInfo {
    /// What the property does.
    pub info: Option<&'static str>,
    /// `regex`, `symbol`, `boolean`, `boolean_true_false`, `range`, `range_float`, `string`, `numeric_or_symbol`, `long`.
    pub prop_type: &'static str,
    /// Pattern or alternatives.
    pub value: Option<Cow<'static, str>>,
    /// Default.
    pub dflt: Option<&'static str>,
    /// Unit of the value.
    pub unit: Option<&'static str>,
}

/// Every allowed key of a class, beside its free prefixes.
#[must_use]
pub fn info(owner: PropertyOwner) -> BTreeMap<&'static str, PropInfo> {
    catalogue::entries(owner).map(|entry| (entry.key, PropInfo::from(entry))).collect()
}

/// The catalogues of all classes by the names that clients know; groups share their definition's.
#[must_use]
pub fn info_all() -> BTreeMap<&'static str, BTreeMap<&'static str, PropInfo>> {
    let named = PropertyOwner::ALL.into_iter().filter_map(|owner| Some((owner.catalogue_name()?, owner)));
    named.map(|(name, owner)| (name, info(owner))).collect()
}

impl From<&Entry> for PropInfo {
    fn from(entry: &Entry) -> Self {
        Self {
            info: entry.info,
            prop_type: entry.rule.kind(),
            value: entry.rule.alternatives(),
            dflt: entry.default,
            unit: entry.unit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_kind() {
        let controller = info(PropertyOwner::Controller);
        for (key, prop_type, value, dflt, unit) in [
            ("PeerSlotsNewResource", "range", Some("(1 - 31)"), None, None),
            ("MaxOversubscriptionRatio", "range_float", Some("(0 - 1000)"), None, None),
            ("DrbdOptions/Resource/quorum", "numeric_or_symbol", Some("(1 - 32)|off|majority|all"), Some("off"), None),
            ("DrbdOptions/Net/protocol", "symbol", Some("A|B|C"), None, None),
            ("DrbdOptions/Net/tcp-cork", "boolean", Some("yes|no"), Some("yes"), None),
            ("AutoplaceTarget", "boolean_true_false", Some("true|false"), None, None),
            ("MinorNrAutoRange", "regex", Some("[0-9]+-[0-9]+"), None, None),
            ("UpdateCacheInterval", "long", None, Some("180"), Some("seconds")),
            ("SearchDomain", "string", None, None, None),
            ("DrbdOptions/PeerDevice/c-max-rate", "range", Some("(0 - 4194304)"), Some("102400"), Some("KiB/s")),
        ] {
            let told = &controller[key];
            let seen = (told.prop_type, told.value.as_deref(), told.dflt, told.unit);
            assert_eq!(seen, (prop_type, value, dflt, unit), "{key}");
        }
    }

    #[test]
    fn keys_that_are_not_drbds_are_described() {
        for (owner, keys) in info_all() {
            for (key, told) in keys.iter().filter(|(key, _)| !key.starts_with("DrbdOptions/")) {
                assert!(told.info.is_some(), "{owner} {key}");
            }
        }
    }

    #[test]
    fn all_classes_by_name() {
        let names: Vec<_> = info_all().into_keys().collect();
        assert_eq!(names.len(), 15);
        assert!(names.contains(&"STORAGEPOOL_DEFINITION") && names.contains(&"RSC_CONN"));
        assert!(info(PropertyOwner::Snapshot).is_empty() && info(PropertyOwner::DrbdProxyLz4).is_empty());
    }
}
