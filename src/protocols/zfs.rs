//! What `zfs` and `zpool` print (facts: `satellite.md` §1.6): the listing of datasets, local properties, pools, and what they
//! complain of. It reads; which of it is whose is not its matter.

use std::collections::BTreeMap;

/// Columns of [`parse_list`], in order. Those that anybody may set freely stand last.
pub const LIST_COLUMNS: &str = "name,type,volsize,volblocksize,referenced,origin,creation,volmode,\
                                linstor:marked_for_deletion,zea:remains-of,zea:volume";
/// How many they are.
const LIST_WIDTH: usize = 11;
/// Columns of [`parse_pools`].
pub const POOL_COLUMNS: &str = "name,size,health";
/// Columns of [`parse_properties`].
pub const PROPERTY_COLUMNS: &str = "property,value";
/// How a value is printed that there is none of.
const NONE: &str = "-";

/// What a dataset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file system: what holds volumes.
    FileSystem,
    /// A zvol.
    Volume,
    /// A snapshot of either.
    Snapshot,
}

/// One line of the listing. User properties are inherited by what lies below, and by snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// What it is.
    pub kind: Kind,
    /// Bytes that a zvol offers, or offered when its snapshot was taken.
    pub volsize: Option<u64>,
    /// Bytes of a zvol's blocks.
    pub volblocksize: Option<u64>,
    /// Bytes that it reaches in its pool.
    pub referenced: u64,
    /// The snapshot that it is a clone of.
    pub origin: Option<String>,
    /// Seconds since the epoch.
    pub created: Option<i64>,
    /// Whether it shall have no device (`volmode=none`).
    pub hidden: bool,
    /// Deleted for everyone, and kept for what depends on it.
    pub marked: bool,
    /// Name of the volume that it is a remainder of.
    pub remains_of: Option<String>,
    /// The mark of whom it was made for.
    pub owner: Option<String>,
}

/// Datasets by name.
pub type Datasets = BTreeMap<String, Dataset>;

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {number} cannot be read: '{line}'")]
pub struct BadLine {
    /// Its number, from 1 on.
    pub number: usize,
    /// The line.
    pub line: String,
}

/// A zpool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zpool {
    /// Its name.
    pub name: String,
    /// Bytes of its disks.
    pub size: Option<u64>,
    /// `ONLINE`, `DEGRADED`, `SUSPENDED` and so on.
    pub health: String,
}

/// Why a command failed, by its own words in the locale C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No room, or a quota.
    Full,
    /// Somebody holds it; udev does so for a moment.
    Busy,
    /// It is not there.
    Missing,
    /// It is there already.
    Exists,
    /// Others depend on it.
    HasDependents,
    /// There are later snapshots.
    NotNewest,
    /// The pool waits for its disks.
    Suspended,
    /// The kernel has no ZFS.
    NoModule,
    /// What it says has no name here.
    Other,
}

/// What `zfs list -H -p -o LIST_COLUMNS` prints.
pub fn parse_list(text: &str) -> Result<Datasets, BadLine> {
    lines(text, dataset)
}

/// What `zpool list -H -p -o POOL_COLUMNS` prints.
pub fn parse_pools(text: &str) -> Result<Vec<Zpool>, BadLine> {
    lines(text, |line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, size, health] = fields.as_slice() else { return None };
        Some(Zpool { name: (*name).to_owned(), size: number(size)?, health: (*health).to_owned() })
    })
}

/// What `zfs get -H -p -o PROPERTY_COLUMNS` prints for one dataset; a value may have several lines.
#[must_use]
pub fn parse_properties(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('\t'));
    pairs.map(|(property, value)| (property.to_owned(), value.to_owned())).collect()
}

/// Room in a dataset, `zfs list -H -p -o available,quota`: bytes that are available, and its quota where it has one.
#[must_use]
pub fn parse_room(text: &str) -> Option<(u64, Option<u64>)> {
    let (available, quota) = text.trim_end().split_once('\t')?;
    Some((number(available)??, number(quota)?.filter(|quota| *quota > 0)))
}

/// The size that a zvol would have, of `zfs create -n -P -V`.
#[must_use]
pub fn parse_dry_run(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("property\tvolsize\t")).and_then(|size| size.trim().parse().ok())
}

/// What a command that failed complained of.
#[must_use]
pub fn failure(stderr: &str) -> Failure {
    use Failure as F;
    const WORDS: [(&str, Failure); 15] = [
        ("modules are not loaded", F::NoModule),
        ("modules cannot be auto-loaded", F::NoModule),
        ("I/O is currently suspended", F::Suspended),
        ("out of space", F::Full),
        ("No space left on device", F::Full),
        ("quota exceeded", F::Full),
        ("greater than available space", F::Full),
        ("has children", F::HasDependents),
        ("has dependent clones", F::HasDependents),
        ("more recent snapshots", F::NotNewest),
        ("already exists", F::Exists),
        ("does not exist", F::Missing),
        ("no such pool", F::Missing),
        ("could not find any snapshots to destroy", F::Missing),
        ("is busy", F::Busy),
    ];
    WORDS.iter().find(|(words, _)| stderr.contains(words)).map_or(F::Other, |(_, failure)| *failure)
}

fn lines<T, C: FromIterator<T>>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<C, BadLine> {
    let line = |(at, line): (usize, &str)| parse(line).ok_or_else(|| BadLine { number: at + 1, line: line.to_owned() });
    // A carriage return is a letter of the last column.
    text.split_terminator('\n').enumerate().map(line).collect()
}

fn dataset(line: &str) -> Option<(String, Dataset)> {
    // A tab in the last column belongs to it.
    let fields: Vec<&str> = line.splitn(LIST_WIDTH, '\t').collect();
    let [name, kind, volsize, blocks, referenced, origin, creation, volmode, marked, remains_of, owner] =
        fields.as_slice()
    else {
        return None;
    };
    let kind = match *kind {
        "filesystem" => Kind::FileSystem,
        "volume" => Kind::Volume,
        "snapshot" => Kind::Snapshot,
        _ => return None,
    };
    let found = Dataset {
        kind,
        volsize: number(volsize)?,
        volblocksize: number(blocks)?,
        referenced: number(referenced)??,
        origin: word(origin),
        created: word(creation).map(|seconds| seconds.parse().ok()).map_or(Some(None), |known| known.map(Some))?,
        hidden: *volmode == "none",
        marked: *marked == "true",
        remains_of: word(remains_of),
        owner: word(owner),
    };
    (!name.is_empty()).then(|| ((*name).to_owned(), found))
}

fn word(field: &str) -> Option<String> {
    (field != NONE && !field.is_empty()).then(|| field.to_owned())
}

/// A number of bytes: `Some(None)` where there is none, `None` where it cannot be read.
fn number(field: &str) -> Option<Option<u64>> {
    match field {
        NONE | "none" | "" => Some(None),
        digits => digits.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixture without its first line, which tells where it comes from.
    fn body(text: &'static str) -> &'static str {
        text.split_once('\n').expect("an origin").1
    }

    fn listed() -> Datasets {
        parse_list(body(include_str!("../../tests/fixtures/zfs/list.txt"))).expect("as zfs prints it")
    }

    #[test]
    fn a_listing() {
        let known = listed();
        assert_eq!(known.len(), 8);
        let thin = Dataset {
            kind: Kind::Volume,
            volsize: Some(104_857_600),
            volblocksize: Some(8192),
            referenced: 5_308_416,
            origin: None,
            created: Some(1_795_598_425),
            hidden: false,
            marked: false,
            remains_of: None,
            owner: Some("000000ab".to_owned()),
        };
        assert_eq!(known["tank/zea/thin_00000"], thin);
        let snapshot = Dataset { kind: Kind::Snapshot, volblocksize: None, created: Some(1_795_598_434), ..thin };
        assert_eq!(known["tank/zea/thin_00000@one"], snapshot);
        assert_eq!(known["tank/zea/copy_00000"].origin.as_deref(), Some("tank/zea/thin_00000@one"));
        let (pool, remains) = (&known["tank/zea"], &known["tank/zea/_deleted_thick_00000_18f0"]);
        assert_eq!((pool.kind, pool.volsize, pool.owner.as_ref()), (Kind::FileSystem, None, None));
        assert!(remains.marked && remains.remains_of.as_deref() == Some("thick_00000"));
        assert!(known["tank/zea/_deleted_thick_00000_18f0@one"].marked, "snapshots inherit");
    }

    #[test]
    fn a_listing_is_read_wholly_or_not_at_all() {
        let good = "t/v\tvolume\t8192\t8192\t100\t-\t5\tnone\t-\t-\t-";
        assert!(parse_list(good).expect("read")["t/v"].hidden);
        assert_eq!(parse_list("").expect("empty"), Datasets::new());
        let of_many_words = "t/v\tvolume\t8192\t8192\t100\t-\t5\tnone\t-\t-\ta\tb";
        assert_eq!(parse_list(of_many_words).expect("read")["t/v"].owner.as_deref(), Some("a\tb"));
        for bad in
            ["t/v", "t/v\tbookmark\t-\t-\t0\t-\t5\t-\t-\t-\t-", "t/v\tvolume\tx\t8192\t1\t-\t5\t-\t-\t-\t-", "\n"]
        {
            let error = parse_list(&format!("{good}\n{bad}")).expect_err("refused");
            assert_eq!(error.number, 2, "{bad:?}");
        }
    }

    #[test]
    fn zpools_room_and_properties() {
        let zpools = parse_pools(body(include_str!("../../tests/fixtures/zfs/zpool.txt"))).expect("read");
        let seen: Vec<_> =
            zpools.iter().map(|zpool| (zpool.name.as_str(), zpool.size, zpool.health.as_str())).collect();
        assert_eq!(seen, [("sick", Some(1_006_632_960), "SUSPENDED"), ("tank", Some(1_006_632_960), "ONLINE")]);
        assert!(parse_pools("tank\t1\n").is_err());
        let quota = body(include_str!("../../tests/fixtures/zfs/room-quota.txt"));
        assert_eq!(parse_room(quota), Some((303_119_360, Some(524_288_000))));
        assert_eq!(parse_room(body(include_str!("../../tests/fixtures/zfs/room.txt"))), Some((650_982_400, None)));
        assert_eq!((parse_room("1"), parse_room("-\t0"), parse_room("5\tnone")), (None, None, Some((5, None))));
        let properties = parse_properties(body(include_str!("../../tests/fixtures/zfs/properties.txt")));
        assert_eq!(properties["zea:rolled-back:web-1"], "51611c66-528f-4a4a-9a7c-7ac2a45c2bfa");
        assert_eq!(parse_dry_run(body(include_str!("../../tests/fixtures/zfs/dry-run.txt"))), Some(16_384));
        assert_eq!(parse_dry_run("create\tt/x\n"), None);
    }

    #[test]
    fn every_complaint_has_its_meaning() {
        let blocks = body(include_str!("../../tests/fixtures/zfs/failures.txt")).split("== ").skip(1);
        let mut count = 0;
        for block in blocks {
            let (head, stderr) = block.split_once('\n').expect("a head");
            let (meaning, command) = head.split_once(": ").expect("a meaning");
            assert_eq!(format!("{:?}", failure(stderr)), meaning, "{command}");
            count += 1;
        }
        assert_eq!(count, 16);
        assert_eq!(failure("The ZFS modules are not loaded.\nTry running '/sbin/modprobe zfs'"), Failure::NoModule);
        assert_eq!(failure(""), Failure::Other);
    }
}
