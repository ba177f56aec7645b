//! Which of the controller's properties the satellites get. Never sends anything.

use super::container::Props;

/// Where a controller property has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControllerScope {
    /// The controller alone; satellites never see it (the field's `/CTRL`).
    Controller,
    /// Pushed to every satellite (the field's `/STLT`); the default.
    Satellites,
    /// Pushed, and the controller obeys it as well.
    Both,
}

/// Single keys that only matter to the controller.
const CONTROLLER_KEYS: [&str; 18] = [
    "AllowMixingStoragePoolDriver",
    "Auth/TokenAuthenticationEnabled",
    "AutoplaceTarget",
    "Autoplacer/MinThinFreeSpace",
    "Clone/BalanceAfterClone",
    "DrbdOptions/Resource/quorum",
    "DrbdOptions/auto-add-quorum-tiebreaker",
    "DrbdOptions/auto-resync-after-disable",
    "DrbdOptions/auto-verify-algo-allowed-user-list",
    "DrbdProxy/AutoEnable",
    "Internal/Drbd/QuorumSetBy",
    "Linstor/Drbd/auto-block-size",
    "MinorNrAutoRange",
    "SearchDomain",
    "SnapshotShipping/TcpPortRange",
    "Snapshot/BalanceAfterRestore",
    "TcpPortAutoRange",
    "UpdateCacheInterval",
];

/// Beginnings of keys that only matter to the controller. `encrypted/` holds what unlocks the master key, `Cluster/` the
/// cluster's own identity: both stay at home.
const CONTROLLER_PREFIXES: [&str; 9] = [
    "BackupShipping/",
    "BalanceResources",
    "Cluster/",
    "DrbdOptions/AutoEvict",
    "MaxFreeCapacityOversubscriptionRatio",
    "MaxOversubscriptionRatio",
    "MaxTotalCapacityOversubscriptionRatio",
    "StorDriver/Zfs/",
    "encrypted/",
];

/// Where the key has its effect.
#[must_use]
pub fn controller_scope(key: &str) -> ControllerScope {
    if key == "DrbdOptions/auto-verify-algo-disable" || key.starts_with("ExtCmd/") {
        return ControllerScope::Both;
    }
    let prefixed = CONTROLLER_PREFIXES.iter().any(|prefix| key.starts_with(prefix));
    if prefixed || CONTROLLER_KEYS.contains(&key) { ControllerScope::Controller } else { ControllerScope::Satellites }
}

/// The controller properties that satellites get, by key.
pub fn for_satellites(controller: &Props) -> impl Iterator<Item = (&str, &str)> {
    controller.iter().filter(|(key, _)| controller_scope(key) != ControllerScope::Controller)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ControllerScope::{Both, Controller, Satellites};

    #[test]
    fn every_kind_of_key_has_its_scope() {
        for (key, scope) in [
            ("TcpPortAutoRange", Controller),
            ("DrbdOptions/Resource/quorum", Controller),
            ("DrbdOptions/Resource/on-no-quorum", Satellites),
            ("BalanceResourcesInterval", Controller),
            ("DrbdOptions/AutoEvictAfterTime", Controller),
            ("DrbdOptions/auto-diskful", Satellites),
            ("StorDriver/Zfs/DeleteStrategy", Controller),
            ("StorDriver/ZfscreateOptions", Satellites),
            ("DrbdOptions/auto-verify-algo-disable", Both),
            ("ExtCmd/WaitTimeout", Both),
            ("Aux/site", Satellites),
            ("Cluster/LocalID", Controller),
            ("encrypted/masterHash", Controller),
            ("DrbdOptions/Net/protocol", Satellites),
        ] {
            assert_eq!(controller_scope(key), scope, "{key}");
        }
    }

    #[test]
    fn satellites_get_theirs_and_no_secret() {
        let mut props = Props::new();
        for key in ["Aux/a", "TcpPortAutoRange", "ExtCmd/KillTimeout", "encrypted/salt"] {
            props.set(key, "1").expect("good key");
        }
        let sent: Vec<_> = for_satellites(&props).map(|(key, _)| key).collect();
        assert_eq!(sent, ["Aux/a", "ExtCmd/KillTimeout"]);
    }

    #[test]
    fn listed_keys_are_in_the_catalogue() {
        use super::super::{PropertyOwner, check::is_allowed};
        const NOT_FOR_PEOPLE: [&str; 2] = ["Internal/Drbd/QuorumSetBy", "SnapshotShipping/TcpPortRange"];
        for key in CONTROLLER_KEYS.iter().filter(|key| !NOT_FOR_PEOPLE.contains(key)) {
            assert!(is_allowed(PropertyOwner::Controller, key), "{key}");
        }
    }
}
