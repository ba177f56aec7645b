//! Every command line of ZFS and ZFS_THIN (facts: `satellite.md` §1.6). It builds them and runs none.

use crate::model::kinds::Provisioning;
use crate::model::size::Kib;
use crate::protocols::zfs::{LIST_COLUMNS, POOL_COLUMNS, PROPERTY_COLUMNS};
use crate::storage::driver::Owner;
use crate::storage::exec::CommandLine;

/// Whose a volume is.
pub(super) const OWNER: &str = "zea:volume";
/// Which volume something is a remainder of.
pub(super) const REMAINS_OF: &str = "zea:remains-of";
/// LINSTOR's mark of what is deleted for everyone; it goes when nothing depends on it any more.
pub(super) const MARKED: &str = "linstor:marked_for_deletion";
/// What every property of a rollback's token begins with.
pub(super) const ROLLED_BACK: &str = "zea:rolled-back:";
/// Kinds that are listed.
const LISTED: &str = "filesystem,volume,snapshot";
/// A volume that is never made: only its size is asked.
const DRY_RUN: &str = "zea_dry_run";

fn zfs<const N: usize>(args: [&str; N]) -> CommandLine {
    CommandLine::new("zfs", args)
}

fn with(mut line: CommandLine, more: impl IntoIterator<Item = String>) -> CommandLine {
    line.args.extend(more);
    line
}

/// Datasets, the volumes right below them, and those volumes' snapshots.
pub(super) fn list(datasets: impl IntoIterator<Item = String>) -> CommandLine {
    with(zfs(["list", "-H", "-p", "-d", "2", "-t", LISTED, "-o", LIST_COLUMNS]), datasets)
}

/// These volumes with their snapshots, or these snapshots.
pub(super) fn list_again(names: &[String]) -> CommandLine {
    with(zfs(["list", "-H", "-p", "-d", "1", "-t", LISTED, "-o", LIST_COLUMNS]), names.iter().cloned())
}

/// Room in a dataset.
pub(super) fn room(dataset: &str) -> CommandLine {
    zfs(["list", "-H", "-p", "-o", "available,quota", dataset])
}

/// Size and health of a zpool.
pub(super) fn zpool(name: &str) -> CommandLine {
    CommandLine::new("zpool", ["list", "-H", "-p", "-o", POOL_COLUMNS, name])
}

/// The size that the smallest volume would have, and with it the pool's granularity.
pub(super) fn dry_run(dataset: &str, options: &[String]) -> CommandLine {
    let line = with(zfs(["create", "-s", "-n", "-P", "-V", "1KB"]), options.iter().cloned());
    with(line, [format!("{dataset}/{DRY_RUN}")])
}

/// A new volume, the owner's from the first moment on.
pub(super) fn create(
    name: &str,
    (size, provisioning): (Kib, Provisioning),
    owner: Owner,
    options: &[String],
) -> CommandLine {
    let sparse = (provisioning == Provisioning::Thin).then(|| "-s".to_owned());
    let line = with(zfs(["create"]), sparse);
    let line = with(line, ["-V".to_owned(), kilobytes(size), "-o".to_owned(), format!("{OWNER}={owner}")]);
    with(with(line, options.iter().cloned()), [name.to_owned()])
}

/// A new volume with a snapshot's content. A clone has room of its own only where it is reserved.
pub(super) fn clone(
    (snapshot, name): (&str, &str),
    provisioning: Provisioning,
    owner: Owner,
    properties: &[(&str, &str)],
) -> CommandLine {
    let line = with(zfs(["clone", "-o"]), [format!("{OWNER}={owner}")]);
    let reserved = (provisioning == Provisioning::Fat).then_some(&("refreservation", "auto"));
    let properties = reserved.into_iter().chain(properties);
    let pairs = properties.flat_map(|(name, value)| ["-o".to_owned(), format!("{name}={value}")]);
    with(with(line, pairs), [snapshot.to_owned(), name.to_owned()])
}

/// A volume's size.
pub(super) fn resize(name: &str, size: Kib) -> CommandLine {
    with(zfs(["set"]), [format!("volsize={}", kilobytes(size)), name.to_owned()])
}

/// Properties of a dataset, all at once.
pub(super) fn set(name: &str, properties: &[(&str, &str)]) -> CommandLine {
    let pairs = properties.iter().map(|(name, value)| format!("{name}={value}"));
    with(with(zfs(["set"]), pairs), [name.to_owned()])
}

/// Takes a property away, so that it is inherited.
pub(super) fn inherit(name: &str, property: &str) -> CommandLine {
    zfs(["inherit", property, name])
}

/// The properties that a dataset has of its own.
pub(super) fn properties(dataset: &str) -> CommandLine {
    zfs(["get", "-H", "-p", "-s", "local", "-o", PROPERTY_COLUMNS, "all", dataset])
}

/// Snapshots of several volumes, all of one moment.
pub(super) fn snapshot(names: &[String], options: &[String]) -> CommandLine {
    with(with(zfs(["snapshot"]), options.iter().cloned()), names.iter().cloned())
}

/// Puts a volume back to its newest snapshot.
pub(super) fn rollback(snapshot: &str) -> CommandLine {
    zfs(["rollback", snapshot])
}

/// Gives a dataset or a snapshot another name.
pub(super) fn rename(from: &str, to: &str) -> CommandLine {
    zfs(["rename", from, to])
}

/// Destroys a volume without snapshots, or a snapshot without clones; refused by ZFS where there are some.
pub(super) fn destroy(name: &str) -> CommandLine {
    zfs(["destroy", name])
}

/// Writes what a device's cache holds.
pub(super) fn sync_devices(devices: &[String]) -> CommandLine {
    CommandLine::new("sync", devices.iter().cloned()).by_progress()
}

/// Writes what file systems hold back.
pub(super) fn sync_file_systems(mount_points: &[String]) -> CommandLine {
    with(CommandLine::new("sync", ["-f"]), mount_points.iter().cloned()).by_progress()
}

fn kilobytes(size: Kib) -> String {
    format!("{}KB", size.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::conduct::tests::desired;

    fn owner() -> Owner {
        Owner::of(&desired("web", 0xab << 32))
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn command_lines() {
        let fat = (Kib(102_400), Provisioning::Fat);
        let thin = (Kib(102_400), Provisioning::Thin);
        let none: &[String] = &[];
        let blocks = words(&["-o", "volblocksize=16k"]);
        let columns = "name,type,volsize,volblocksize,referenced,origin,creation,volmode,linstor:marked_for_deletion,\
                       zea:remains-of,zea:volume";
        let kinds = "filesystem,volume,snapshot";
        let table = [
            (list(words(&["t/a", "t/b"])), format!("zfs list -H -p -d 2 -t {kinds} -o {columns} t/a t/b")),
            (
                list_again(&words(&["t/a/v", "t/a/w@s"])),
                format!("zfs list -H -p -d 1 -t {kinds} -o {columns} t/a/v t/a/w@s"),
            ),
            (room("t/a"), "zfs list -H -p -o available,quota t/a".to_owned()),
            (zpool("t"), "zpool list -H -p -o name,size,health t".to_owned()),
            (dry_run("t/a", none), "zfs create -s -n -P -V 1KB t/a/zea_dry_run".to_owned()),
            (create("t/v", fat, owner(), none), "zfs create -V 102400KB -o zea:volume=000000ab t/v".to_owned()),
            (
                create("t/v", thin, owner(), &blocks),
                "zfs create -s -V 102400KB -o zea:volume=000000ab -o volblocksize=16k t/v".to_owned(),
            ),
            (
                clone(("t/v@s", "t/w"), Provisioning::Thin, owner(), &[]),
                "zfs clone -o zea:volume=000000ab t/v@s t/w".to_owned(),
            ),
            (
                clone(("t/v@s", "t/w"), Provisioning::Fat, owner(), &[("volmode", "none")]),
                "zfs clone -o zea:volume=000000ab -o refreservation=auto -o volmode=none t/v@s t/w".to_owned(),
            ),
            (resize("t/v", Kib(16)), "zfs set volsize=16KB t/v".to_owned()),
            (set("t/v", &[("a:b", "c"), ("volmode", "none")]), "zfs set a:b=c volmode=none t/v".to_owned()),
            (inherit("t/v", "volmode"), "zfs inherit volmode t/v".to_owned()),
            (properties("t"), "zfs get -H -p -s local -o property,value all t".to_owned()),
            (
                snapshot(&words(&["t/v@s", "t/w@s"]), &words(&["-o", "a:b=c"])),
                "zfs snapshot -o a:b=c t/v@s t/w@s".to_owned(),
            ),
            (rollback("t/v@s"), "zfs rollback t/v@s".to_owned()),
            (rename("t/v", "t/w"), "zfs rename t/v t/w".to_owned()),
            (destroy("t/v@s"), "zfs destroy t/v@s".to_owned()),
            (sync_devices(&words(&["/dev/zd0"])), "sync /dev/zd0".to_owned()),
            (sync_file_systems(&words(&["/mnt/a b"])), "sync -f '/mnt/a b'".to_owned()),
        ];
        for (line, text) in table {
            assert_eq!(line.to_string(), text);
        }
    }
}
