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
    text.lines().enumerate().map(line).collect()
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
