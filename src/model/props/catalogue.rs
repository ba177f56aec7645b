//! The catalogue of keys, read once from the table beside this file. Never changes at run time.

use std::sync::LazyLock;

use super::owner::{Owners, PropertyOwner};
use super::rule::Rule;

const TABLE: &str = include_str!("catalogue.tsv");

/// How alike a suggested key must be: edits allowed per character of the longer key. More would suggest at random.
const MAX_EDITS_PER_CHAR: f64 = 0.4;

/// One line of the table.
#[derive(Debug)]
pub(super) struct Entry {
    owners: Owners,
    pub(super) key: &'static str,
    pub(super) rule: Rule,
    pub(super) default: Option<&'static str>,
    pub(super) unit: Option<&'static str>,
    pub(super) info: Option<&'static str>,
}

/// Sorted by key; a key with different rules for different owners stands there once for each rule.
static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let parsed = lines.map(|line| parse_line(line).expect("the table is part of the source and tested"));
    let mut entries: Vec<_> = parsed.collect();
    entries.sort_by_key(|entry| entry.key);
    entries
});

fn parse_line(line: &'static str) -> Option<Entry> {
    let columns: Vec<_> = line.split('\t').collect();
    let &[owners, key, kind, rule, default, unit, info] = columns.as_slice() else { return None };
    let given = |column: &'static str| (column != "-").then_some(column);
    Some(Entry {
        owners: Owners::parse(owners)?,
        key,
        rule: Rule::parse(kind, rule, unit)?,
        default: given(default),
        unit: given(unit),
        info: given(info),
    })
}

/// The entry of a key (in its canonical form) for a class of objects.
pub(super) fn find(owner: PropertyOwner, key: &str) -> Option<&'static Entry> {
    lines_of(key).find(|entry| entry.owners.contains(owner))
}

/// Every entry of a class, by key.
pub(super) fn entries(owner: PropertyOwner) -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter().filter(move |entry| entry.owners.contains(owner))
}

/// The classes that may carry the key.
pub(super) fn owners_of(key: &str) -> Vec<PropertyOwner> {
    let carries = |owner: &PropertyOwner| lines_of(key).any(|entry| entry.owners.contains(*owner));
    PropertyOwner::ALL.into_iter().filter(carries).collect()
}

/// The allowed key that a misspelled one most likely meant.
pub(super) fn nearest(owner: PropertyOwner, key: &str) -> Option<&'static str> {
    let wanted = key.to_ascii_lowercase();
    let edits = |entry: &&'static Entry| edits_per_char(&wanted, entry.key);
    let rated = entries(owner).map(|entry| (edits(&entry), entry.key));
    let (edits, nearest) = rated.min_by(|a, b| a.0.total_cmp(&b.0))?;
    (edits <= MAX_EDITS_PER_CHAR).then_some(nearest)
}

/// 0 is the same but for case. A key without its namespace is taken for a near miss too.
fn edits_per_char(wanted: &str, candidate: &str) -> f64 {
    let candidate = candidate.to_ascii_lowercase();
    let whole = 1.0 - strsim::normalized_damerau_levenshtein(wanted, &candidate);
    let same_end = candidate.rsplit('/').next() == wanted.rsplit('/').next();
    // Among several keys of one name the most alike namespace wins.
    if same_end { whole * MAX_EDITS_PER_CHAR } else { whole }
}

fn lines_of(key: &str) -> impl Iterator<Item = &'static Entry> + use<'_> {
    let start = ENTRIES.partition_point(|entry| entry.key < key);
    ENTRIES[start..].iter().take_while(move |entry| entry.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_line_parses_and_stands_once() {
        let mut seen = BTreeSet::new();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let entry = parse_line(line).unwrap_or_else(|| panic!("senseless line: {line}"));
            assert_eq!(super::super::key::squeeze(entry.key), entry.key);
            for owner in PropertyOwner::ALL.into_iter().filter(|owner| entry.owners.contains(*owner)) {
                assert!(seen.insert((owner, entry.key)), "twice: {owner} {}", entry.key);
            }
        }
        assert!(TABLE.starts_with('#') && TABLE.contains("Facts (keys, owners, kinds, bounds, defaults) from"));
    }

    #[test]
    fn defaults_obey_their_own_rule_or_are_prose() {
        const PROSE: [&str; 4] = ["place count", "unlimited", "64 for pmem, 65536 for ssd", "thread count"];
        for entry in ENTRIES.iter() {
            let Some(default) = entry.default.filter(|default| !PROSE.contains(default)) else { continue };
            assert_eq!(entry.rule.normalise(default).as_deref(), Some(default), "{}", entry.key);
        }
    }

    #[test]
    fn every_pattern_compiles() {
        for entry in ENTRIES.iter() {
            let _ = entry.rule.normalise("x");
            if let Rule::Regex { compiled, .. } = &entry.rule {
                assert!(compiled.get().is_some_and(Option::is_some), "{}", entry.key);
            }
        }
    }

    /// Keys that are not DRBD's own options: one release later than the count that other documents give (controller 119,
    /// node 68, resource 19, resource definition 81; a few timeouts and clean-up switches came since). The second number
    /// holds the DRBD options too; it grows with DRBD, Debian 12's 9.22 has twelve options fewer.
    #[test]
    fn counts_per_class() {
        use PropertyOwner as Owner;
        const SECTIONS: [&str; 7] = ["Disk", "Net", "PeerDevice", "Resource", "Handlers", "Proxy", "ProxyCompression"];
        let drbd = |key: &str| {
            let section = key.strip_prefix("DrbdOptions/").and_then(|rest| rest.split_once('/'));
            section.is_some_and(|(section, _)| SECTIONS.contains(&section))
        };
        for (owner, own, all) in [
            (Owner::Controller, 121, 212),
            (Owner::Node, 70, 97),
            (Owner::StoragePoolDefinition, 8, 8),
            (Owner::StoragePool, 37, 37),
            (Owner::ResourceGroup, 82, 173),
            (Owner::ResourceDefinition, 82, 173),
            (Owner::Resource, 20, 20),
            (Owner::VolumeGroup, 54, 72),
            (Owner::VolumeDefinition, 54, 72),
            (Owner::Volume, 6, 24),
            (Owner::NodeConnection, 0, 47),
            (Owner::ResourceConnection, 0, 47),
            (Owner::Snapshot, 0, 0),
            (Owner::DrbdProxy, 0, 5),
            (Owner::DrbdProxyLz4, 0, 0),
            (Owner::DrbdProxyZlib, 0, 1),
            (Owner::DrbdProxyLzma, 0, 12),
            (Owner::DrbdProxyZstd, 0, 1),
            (Owner::KeyValueStore, 0, 0),
        ] {
            assert_eq!(entries(owner).filter(|entry| !drbd(entry.key)).count(), own, "{owner}");
            assert_eq!(entries(owner).count(), all, "{owner}");
        }
        assert_eq!(
            entries(Owner::Controller).filter(|entry| entry.key.starts_with("DrbdOptions/Handlers/")).count(),
            13
        );
    }

    #[test]
    fn one_key_may_have_a_rule_per_owner() {
        let key = "DrbdOptions/ProxyCompression/level";
        let default = |owner| find(owner, key).and_then(|entry| entry.default);
        assert_eq!(default(PropertyOwner::DrbdProxyLzma), Some("4"));
        assert_eq!(default(PropertyOwner::DrbdProxyZlib), Some("2"));
        assert_eq!(default(PropertyOwner::DrbdProxyZstd), Some("3"));
        assert_eq!(default(PropertyOwner::Node), None);
    }

    #[test]
    fn nearest_keys() {
        use PropertyOwner as Owner;
        for (owner, wrong, right) in [
            (Owner::ResourceDefinition, "DrbdOptions/auto-quorom", Some("DrbdOptions/auto-quorum")),
            (Owner::ResourceDefinition, "drbdoptions/resource/QUORUM", Some("DrbdOptions/Resource/quorum")),
            (Owner::ResourceDefinition, "protocol", Some("DrbdOptions/Net/protocol")),
            (Owner::Node, "PrefNIC", Some("PrefNic")),
            (Owner::Node, "StorPool", Some("StorPoolName")),
            (Owner::StoragePool, "StorDriver/LvmVG", Some("StorDriver/LvmVg")),
            (Owner::Volume, "something/else/entirely", None),
            (Owner::Snapshot, "PrefNic", None),
        ] {
            assert_eq!(nearest(owner, wrong), right, "{wrong}");
        }
    }

    #[test]
    fn owners_of_a_key() {
        use PropertyOwner as Owner;
        assert_eq!(owners_of("TcpPortsBlocked"), vec![Owner::Node]);
        assert_eq!(owners_of("DrbdCurrentGi"), vec![Owner::VolumeGroup, Owner::VolumeDefinition]);
        assert!(owners_of("nothing").is_empty());
    }
}
