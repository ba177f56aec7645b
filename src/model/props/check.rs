//! Whether an object may carry a property, and the form in which its value is stored. Never changes an object.

use std::borrow::Cow;

use super::catalogue;
use super::error::PropError;
use super::key::{is_secret, key_path};
use super::owner::PropertyOwner;

/// Longest value in bytes. Databases of the field hold 4096; graphical clients store whole settings as one value of a
/// key-value store, so there is room for those; an object of the store must stay well below 1.5 MiB.
pub const MAX_VALUE_BYTES: usize = 128 * 1024;
/// How much of a refused value an error repeats: enough to recognise it.
const SHOWN_VALUE_CHARS: usize = 64;

/// Judges one property and returns the value to store: normalised by the catalogue, or untouched where the key is free
/// (`Aux/…`, key-value stores).
///
/// # Errors
/// The key's form, `UnknownKey`, `InvalidValue`, `ValueTooLong`.
pub fn check<'a>(owner: PropertyOwner, key: &str, value: &'a str) -> Result<Cow<'a, str>, PropError> {
    let key = key_path(key)?;
    if value.len() > MAX_VALUE_BYTES {
        return Err(PropError::ValueTooLong { key: key.into_owned(), bytes: value.len() });
    }
    if is_free(owner, &key) {
        return Ok(Cow::Borrowed(value));
    }
    let entry = catalogue::find(owner, &key).ok_or_else(|| unknown(owner, &key))?;
    entry.rule.normalise(value).ok_or_else(|| PropError::InvalidValue {
        value: shown(&key, value),
        rule: entry.rule.describe(),
        key: key.into_owned(),
    })
}

/// Whether people may change the key on such an object.
pub(super) fn is_allowed(owner: PropertyOwner, key: &str) -> bool {
    is_free(owner, key) || catalogue::find(owner, key).is_some()
}

/// Keys that still work and that an answer warns about (WARN_DEPRECATED).
#[must_use]
pub fn is_deprecated(key: &str) -> bool {
    const DEPRECATED: [&str; 5] = [
        "DrbdOptions/auto-quorum",
        "StorDriver/LvcreateType",
        "ExtCmdWaitTimeout",
        "Autoplacer/PreSelectScript",
        "Autoplacer/PreSelectScriptTimeout",
    ];
    DEPRECATED.contains(&key)
}

fn is_free(owner: PropertyOwner, key: &str) -> bool {
    owner.free_prefixes().iter().any(|prefix| key.starts_with(prefix))
}

pub(super) fn unknown(owner: PropertyOwner, key: &str) -> PropError {
    PropError::UnknownKey {
        owner,
        key: key.to_owned(),
        nearest: catalogue::nearest(owner, key),
        elsewhere: catalogue::owners_of(key),
    }
}

fn shown(key: &str, value: &str) -> String {
    if is_secret(key) {
        return "(not shown)".to_owned();
    }
    let mut start: String = value.chars().take(SHOWN_VALUE_CHARS).collect();
    if start.len() < value.len() {
        start.push('…');
    }
    format!("{start:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use PropertyOwner as Owner;

    #[test]
    fn good_values_are_normalised() {
        for (owner, key, value, stored) in [
            (Owner::ResourceGroup, "DrbdOptions/Net/allow-two-primaries", "YES", "yes"),
            (Owner::ResourceDefinition, "DrbdOptions/auto-add-quorum-tiebreaker", "True", "true"),
            (Owner::ResourceDefinition, "DrbdOptions/Net/protocol", "C", "C"),
            (Owner::NodeConnection, "DrbdOptions/PeerDevice/c-max-rate", "720M", "720M"),
            (Owner::NodeConnection, "Paths/path1/node-a", "nic2", "nic2"),
            (Owner::StoragePool, "StorDriver/StorPoolName", "vg/thin", "vg/thin"),
            (Owner::StoragePool, "StorDriver/StorPoolName", "/srv/zea.d/pool", "/srv/zea.d/pool"),
            (Owner::StoragePool, "MaxOversubscriptionRatio", "2.5", "2.5"),
            (Owner::Node, "//PrefNic", "data-net", "data-net"),
            (Owner::Node, "Aux/zone", "TRUE", "TRUE"),
            (Owner::Snapshot, "Aux/why", "before\nupgrade", "before\nupgrade"),
            (Owner::ResourceDefinition, "files/etc/x", "True", "True"),
            (Owner::ResourceGroup, "EBS/Tags/team", "a", "a"),
            (Owner::KeyValueStore, "any/thing", "{\"a\":1}", "{\"a\":1}"),
            (Owner::Controller, "TcpPortAutoRange", "7000-7999,8100", "7000-7999,8100"),
            (Owner::Controller, "Autoplacer/MinThinFreeSpace", "10 GiB", "10 GiB"),
            (Owner::VolumeDefinition, "StorPoolNameDrbdMeta", ".internal", ".internal"),
            (Owner::VolumeGroup, "FileSystem/Type", "XFS", "xfs"),
            (Owner::Controller, "Writecache/Size", "5.5%", "5.5%"),
        ] {
            assert_eq!(check(owner, key, value).as_deref(), Ok(stored), "{owner} {key}");
        }
    }

    #[test]
    fn bad_values_name_key_and_rule() {
        for (owner, key, value, words) in [
            (Owner::Resource, "PeerSlots", "32", "from 1 to 31"),
            (Owner::Controller, "TcpPortAutoRange", "7000-", "pattern"),
            (Owner::ResourceDefinition, "DrbdOptions/Net/protocol", "D", "one of A, B, C"),
            (Owner::Controller, "AutoplaceTarget", "perhaps", "true or false"),
            (Owner::VolumeDefinition, "DrbdCurrentGi", "123", "[a-fA-F0-9]{16}"),
            (Owner::VolumeDefinition, "StorPoolNameDrbdMeta", ".external", "pattern"),
        ] {
            let error = check(owner, key, value).expect_err(key);
            let text = error.to_string();
            assert!(text.contains(key) && text.contains(words) && text.contains(value), "{text}");
        }
    }

    #[test]
    fn the_same_key_depends_on_the_owner() {
        assert!(check(Owner::Node, "TcpPortsBlocked", "7000").is_ok());
        let error = check(Owner::Resource, "TcpPortsBlocked", "7000").expect_err("a node's");
        assert!(error.to_string().contains("belongs to: node"), "{error}");
        assert!(check(Owner::Resource, "files/etc/x", "True").is_err());
        assert!(check(Owner::Node, "Aux", "x").is_err());
        assert!(check(Owner::Node, "Paths/a/b", "x").is_err());
        assert!(check(Owner::Node, "Internal/Drbd/QuorumSetBy", "user").is_err());
    }

    #[test]
    fn errors_keep_secrets_and_stay_short() {
        let secret =
            check(Owner::VolumeDefinition, "Encryption/Passphrase", "hunter2\n").expect_err("a control character");
        assert!(!secret.to_string().contains("hunter2"), "{secret}");
        let long = check(Owner::Controller, "SearchDomain", &format!("\n{}", "x".repeat(5000))).expect_err("control");
        assert!(long.to_string().len() < 300);
    }

    #[test]
    fn values_have_a_limit() {
        let value = "x".repeat(MAX_VALUE_BYTES);
        assert!(check(Owner::Node, "Aux/a", &value).is_ok());
        let error = check(Owner::KeyValueStore, "a", &format!("{value}x")).expect_err("one too many");
        assert_eq!(error, PropError::ValueTooLong { key: "a".into(), bytes: MAX_VALUE_BYTES + 1 });
    }

    #[test]
    fn deprecated_keys_are_known_ones() {
        assert!(is_deprecated("DrbdOptions/auto-quorum") && !is_deprecated("DrbdOptions/Resource/quorum"));
    }
}
