//! What `lvs`, `vgs` and `pvs` print for machines, what LVM says when it fails, and the arguments that make them print it
//! (facts: `satellite.md` §1.4, §1.5). Never guesses: a line that cannot be read spoils the listing that it is of.

use std::collections::BTreeMap;

use crate::model::size::Kib;

/// Columns of [`parse_volumes`].
pub const VOLUME_COLUMNS: &str = "vg_name,lv_name,lv_size,lv_attr,pool_lv,origin,data_percent,metadata_percent,chunk_size,\
stripes,lv_time,lv_uuid,lv_tags,vg_uuid,vg_extent_size,vg_size,vg_free,vg_attr,vg_missing_pv_count,vg_lock_type";
/// Columns of [`parse_groups`].
pub const GROUP_COLUMNS: &str =
    "vg_name,vg_uuid,vg_extent_size,vg_size,vg_free,vg_attr,vg_missing_pv_count,vg_lock_type,vg_tags";
/// Columns of [`parse_disks`].
pub const DISK_COLUMNS: &str = "pv_name,vg_name";
/// Makes all of them print what the parsers read: bytes as whole numbers.
pub const FORMAT: [&str; 6] = ["--separator", ";", "--units", "b", "--noheadings", "--nosuffix"];
/// Makes `lv_time` seconds since the epoch.
pub const TIME_CONFIG: &str = r#"report{time_format="%s"}"#;

/// How a disk that is gone is called.
const UNKNOWN_DISK: &str = "[unknown]";

/// A volume group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Its identity, as the device mapper writes it: without hyphens.
    pub uuid: String,
    /// Unit of allocation.
    pub extent: Kib,
    /// Of all its disks.
    pub size: Kib,
    /// Of all its disks, not allocated.
    pub free: Kib,
    /// Disks that are gone.
    pub disks_missing: u32,
    /// Why nobody but the locker that guards it may use it.
    pub shared: Option<String>,
    /// Tags; only `vgs` tells them.
    pub tags: Vec<String>,
}

/// Which kind of logical volume it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A thin volume, or a snapshot in a thin pool.
    Thin,
    /// A thin pool.
    ThinPool,
    /// A snapshot with extents of its own for what was overwritten since; of another volume, its origin.
    CowSnapshot,
    /// Any other: its data lies in extents of its own.
    Plain,
}

/// A logical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// What its device offers; of a [`Role::CowSnapshot`], its own extents.
    pub size: Kib,
    /// Its kind.
    pub role: Role,
    /// Whether it can be written.
    pub writable: bool,
    /// Whether it was active when it was listed.
    pub active: bool,
    /// A snapshot that overflowed, or whatever else LVM calls invalid, or a disk under it is gone.
    pub damage: Option<Damage>,
    /// Whether new blocks of a thin pool are zeroed.
    pub zeroes: bool,
    /// Thin pool that it lies in.
    pub pool: Option<String>,
    /// Volume that it is a snapshot of.
    pub origin: Option<String>,
    /// Filled part of a thin pool, mapped part of a thin volume, in hundredths of a percent.
    pub data: Option<u32>,
    /// Filled part of a thin pool's metadata, in hundredths of a percent.
    pub metadata: Option<u32>,
    /// Chunk size of a thin pool.
    pub chunk: Kib,
    /// Stripes of its last segment.
    pub stripes: u32,
    /// When it was made, seconds since the epoch.
    pub made_s: Option<i64>,
    /// Its identity, without hyphens.
    pub uuid: String,
    /// Tags.
    pub tags: Vec<String>,
}

/// What LVM tells of a volume that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// A disk that it lies on is gone.
    DiskMissing,
    /// A snapshot that was full, whose content is lost.
    Invalid,
}

impl Volume {
    /// Whether it carries this tag.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|found| found == tag)
    }
}

/// A volume group with its volumes by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The group.
    pub group: Group,
    /// Its volumes.
    pub volumes: BTreeMap<String, Volume>,
}

/// Output that is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a line of its output cannot be read: {0:?}")]
pub struct Unreadable(pub String);

/// Longest part of a line that [`Unreadable`] repeats, in characters.
const REPEATED_CHARS: usize = 300;

fn unreadable(line: &str) -> Unreadable {
    Unreadable(line.chars().take(REPEATED_CHARS).collect())
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Groups with the volumes that `lvs` prints. A group without a volume is not among them.
///
/// # Errors
/// A line is none of a volume.
pub fn parse_volumes(text: &str) -> Result<BTreeMap<String, Listed>, Unreadable> {
    let mut groups: BTreeMap<String, Listed> = BTreeMap::new();
    for line in lines(text) {
        let fields: Vec<&str> = line.split(';').map(str::trim).collect();
        let (group, name, volume) = volume(&fields).ok_or_else(|| unreadable(line))?;
        let listed = groups.entry(fields[0].to_owned()).or_default();
        listed.group = group;
        listed.volumes.insert(name, volume);
    }
    Ok(groups)
}

fn volume(fields: &[&str]) -> Option<(Group, String, Volume)> {
    let [vg, name, size, attr, pool, origin, data, metadata, chunk, stripes, time, uuid, tags, rest @ ..] = fields
    else {
        return None;
    };
    let [vg_uuid, extent, vg_size, vg_free, vg_attr, missing, lock] = rest else { return None };
    let group = group(&[vg, vg_uuid, extent, vg_size, vg_free, vg_attr, missing, lock, ""])?;
    let attr = attr.as_bytes();
    let at = |place: usize| attr.get(place).copied();
    let volume = Volume {
        size: kib(size)?,
        role: match at(0)? {
            b'V' => Role::Thin,
            b't' => Role::ThinPool,
            b's' | b'S' => Role::CowSnapshot,
            _ => Role::Plain,
        },
        writable: at(1)? == b'w',
        active: at(4)? == b'a',
        damage: match (at(0)?, at(4)?, at(8)) {
            (b'S', ..) | (_, b'I' | b'S', _) => Some(Damage::Invalid),
            (_, _, Some(b'p')) => Some(Damage::DiskMissing),
            _ => None,
        },
        zeroes: at(7)? == b'z',
        pool: some(pool),
        origin: some(origin),
        data: percent(data)?,
        metadata: percent(metadata)?,
        chunk: kib(chunk)?,
        stripes: stripes.parse().ok()?,
        made_s: time.parse().ok(),
        uuid: plain(uuid),
        tags: list(tags),
    };
    Some((group, (*name).to_owned(), volume))
}

/// Groups that `vgs` prints.
///
/// # Errors
/// A line is none of a group.
pub fn parse_groups(text: &str) -> Result<BTreeMap<String, Group>, Unreadable> {
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split(';').map(str::trim).collect();
        Some((fields.first().copied()?.to_owned(), group(&fields)?))
    };
    lines(text).map(|line| parse(line).ok_or_else(|| unreadable(line))).collect()
}

fn group(fields: &[&str]) -> Option<Group> {
    let [name, uuid, extent, size, free, attr, missing, lock, tags] = fields else { return None };
    let attr = attr.as_bytes();
    let shared = match (attr.get(5), *lock) {
        _ if name.is_empty() || attr.len() < 6 => return None,
        (Some(b's'), lock) => {
            Some(format!("lvmlockd guards it (lock type {})", if lock.is_empty() { "?" } else { lock }))
        }
        (Some(b'c'), _) => Some("clvmd guards it (it is clustered)".to_owned()),
        (_, lock) if !matches!(lock, "" | "none") => Some(format!("lvmlockd guards it (lock type {lock})")),
        _ => None,
    };
    Some(Group {
        uuid: plain(uuid),
        extent: kib(extent)?,
        size: kib(size)?,
        free: kib(free)?,
        disks_missing: missing.parse().ok()?,
        shared,
        tags: list(tags),
    })
}

/// Disks by the group that they belong to, as `pvs` prints them; those of no group are left out.
///
/// # Errors
/// A line is none of a disk.
pub fn parse_disks(text: &str) -> Result<BTreeMap<String, Vec<String>>, Unreadable> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines(text) {
        let (disk, group) = line.split_once(';').ok_or_else(|| unreadable(line))?;
        let (disk, group) = (disk.trim(), group.trim());
        if disk.starts_with('/') && !group.is_empty() {
            groups.entry(group.to_owned()).or_default().push(disk.to_owned());
        } else if !disk.starts_with('/') && disk != UNKNOWN_DISK {
            return Err(unreadable(line));
        }
    }
    Ok(groups)
}

fn kib(bytes: &str) -> Option<Kib> {
    bytes.parse().ok().map(Kib::from_bytes_floor)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Names of what LVM hides are in brackets; identities are without hyphens in the kernel.
fn plain(uuid: &str) -> String {
    uuid.replace('-', "")
}

fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// `12.34` in hundredths; nothing where LVM does not know.
fn percent(text: &str) -> Option<Option<u32>> {
    if text.is_empty() {
        return Some(None);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit()).then_some(());
    digits(whole).and(digits(part))?;
    let part: u32 = format!("{part:0<2}").get(..2)?.parse().ok()?;
    let whole: u32 = whole.parse().ok()?;
    Some(Some(whole.checked_mul(100)?.checked_add(part)?))
}

/// Name of a volume's device in the device mapper: hyphens of the names are doubled.
#[must_use]
pub fn mapper_name(group: &str, volume: &str) -> String {
    format!("{}-{}", group.replace('-', "--"), volume.replace('-', "--"))
}

/// Identity of a volume's device in the device mapper.
#[must_use]
pub fn mapper_uuid(group: &Group, volume: &Volume) -> String {
    format!("LVM-{}{}", group.uuid, volume.uuid)
}

/// Extents that a snapshot of a volume needs so that it holds all of it overwritten: the data, 16 bytes for each chunk of
/// 4 KiB, and a header (`dm-snapshot`'s persistent store). LVM itself cuts what is more than it can use.
#[must_use]
pub fn cow_size(origin: Kib, extent: Kib) -> Kib {
    const CHUNK_KIB: u64 = 4;
    const EXCEPTIONS_PER_CHUNK: u64 = 256;
    let chunks = origin.0.div_ceil(CHUNK_KIB);
    let metadata = chunks.div_ceil(EXCEPTIONS_PER_CHUNK).saturating_add(2);
    let total = Kib(chunks.saturating_add(metadata).saturating_mul(CHUNK_KIB));
    total.ceil_to(extent).unwrap_or(total)
}

/// Why a command failed, where its words are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The group has not enough free extents.
    NoSpace,
    /// The thin pool is full, or its metadata.
    ThinFull,
    /// The thin pool's metadata and its kernel part do not agree.
    PoolBroken,
    /// The group is not there.
    NoGroup,
    /// The volume is not there.
    NoVolume,
    /// Something of that name is there.
    Exists,
    /// A disk of the group is gone.
    DiskMissing,
    /// The volume is in use.
    Busy,
    /// Its file system is frozen by somebody.
    Frozen,
    /// Somebody else holds a lock.
    Locked,
    /// The kernel lacks the device mapper or a target of it.
    NoKernel,
    /// There is nothing to resize.
    Unchanged,
    /// An active volume with snapshots is not resized.
    OriginActive,
    /// The group was exported.
    Exported,
    /// A disk does not read or write.
    Io,
}

/// Words by which failures are known; the first that is found counts.
const WORDS: [(&str, Failure); 29] = [
    ("unexpected transaction id", Failure::PoolBroken),
    ("transaction_id is", Failure::PoolBroken),
    ("needs check", Failure::PoolBroken),
    ("Check of pool", Failure::PoolBroken),
    ("reached threshold", Failure::ThinFull),
    ("out of data space", Failure::ThinFull),
    ("out of metadata space", Failure::ThinFull),
    ("while PVs are missing", Failure::DiskMissing),
    ("insufficient free space", Failure::NoSpace),
    ("Insufficient free space", Failure::NoSpace),
    ("Insufficient suitable", Failure::NoSpace),
    ("target(s) not detected", Failure::NoKernel),
    ("communicate with kernel device-mapper", Failure::NoKernel),
    ("already exists in volume group", Failure::Exists),
    ("matches existing size", Failure::Unchanged),
    ("resized only while inactive", Failure::OriginActive),
    ("is exported", Failure::Exported),
    ("Failed to find logical volume", Failure::NoVolume),
    ("not found in volume group", Failure::NoVolume),
    ("not found in Volume group", Failure::NoVolume),
    ("suspend ioctl on", Failure::Frozen),
    ("t get lock for", Failure::Locked),
    ("lock failed", Failure::Locked),
    ("contains a filesystem in use", Failure::Busy),
    ("in use", Failure::Busy),
    ("is used by another device", Failure::Busy),
    ("busy", Failure::Busy),
    ("Input/output error", Failure::Io),
    ("Couldn't find device with uuid", Failure::DiskMissing),
];

/// Why a command failed, by what it says on standard error.
#[must_use]
pub fn failure(stderr: &str) -> Option<Failure> {
    let group_gone = stderr.contains("Volume group \"") && stderr.contains("\" not found");
    let known = WORDS.iter().find(|(words, _)| stderr.contains(words)).map(|(_, failure)| *failure);
    known.or(group_gone.then_some(Failure::NoGroup))
}

/// Volumes, as `group/name`, that a command which was told their names says are not there.
#[must_use]
pub fn not_found(stderr: &str) -> Vec<&str> {
    let names = stderr.lines().filter_map(|line| line.trim().strip_prefix("Failed to find logical volume \""));
    names.filter_map(|rest| rest.strip_suffix('"')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(text: &str) -> &str {
        text.split_once('\n').expect("a line with the origin").1
    }

    fn listed() -> Listed {
        let text = captured(include_str!("../../tests/fixtures/lvm/lvs.txt"));
        parse_volumes(text).expect("readable").remove("vg").expect("listed")
    }

    #[test]
    fn captured_volumes() {
        let vg = listed();
        assert_eq!((vg.group.extent, vg.group.size), (Kib(4096), Kib(1_015_808)));
        assert_eq!((vg.group.free, vg.group.disks_missing, &vg.group.shared), (Kib(737_280), 0, &None));
        let web = &vg.volumes["web_00000"];
        assert_eq!((web.role, web.size, web.data), (Role::Thin, Kib(53_248), Some(962)));
        assert_eq!((web.pool.as_deref(), web.active, web.writable), (Some("thin"), true, true));
        assert!(web.has_tag("zea.volume.00000001") && !web.has_tag("zea.volume"));
        let then = &vg.volumes["web_00000_then"];
        assert_eq!((then.origin.as_deref(), then.writable), (Some("web_00000"), false));
        assert_eq!(then.made_s, Some(1_795_598_305));
        let pool = &vg.volumes["thin"];
        assert_eq!((pool.role, pool.metadata, pool.chunk, pool.zeroes), (Role::ThinPool, Some(1094), Kib(64), true));
        let cow = &vg.volumes["tiny_s"];
        assert_eq!((cow.role, cow.origin.as_deref(), cow.damage), (Role::CowSnapshot, Some("tiny_00000"), None));
        assert_eq!(vg.volumes["thick_00000"].role, Role::Plain);
        assert_eq!(mapper_uuid(&vg.group, web), "LVM-pKzjGpMb9p7L2Lh9sfgHcXWom5EibxdIs1MplhwbfNhGG7gsawSe1nZuSA05HiRT");
    }

    #[test]
    fn captured_groups_and_disks() {
        let groups = parse_groups(captured(include_str!("../../tests/fixtures/lvm/vgs.txt"))).expect("readable");
        assert_eq!(groups["empty"].free, Kib(507_904));
        assert_eq!(groups["vg"].tags, ["zea.rollback:web:0123-45", "other"]);
        let disks = parse_disks(captured(include_str!("../../tests/fixtures/lvm/pvs.txt"))).expect("readable");
        assert_eq!(disks["vg"], ["/dev/ubda"]);
        assert_eq!(disks.len(), 2);
    }

    #[test]
    fn a_line_that_cannot_be_read_spoils_the_listing() {
        let good = captured(include_str!("../../tests/fixtures/lvm/lvs.txt"));
        for bad in ["x", "vg;a;b", &good.replace("53248", "x").replace("54525952", "x")] {
            assert!(parse_volumes(&format!("{good}\n{bad}")).is_err(), "{bad}");
        }
        assert!(parse_groups("vg;;").is_err() && parse_disks("vg").is_err());
        assert!(parse_disks("sda;vg").is_err());
        assert_eq!(parse_volumes("\n"), Ok(BTreeMap::new()));
    }

    #[test]
    fn attributes_of_damaged_volumes() {
        let line = |attr: &str| {
            let text = format!("vg;a;4096;{attr};;;;;0;1;;u;;v;4096;4096;0;wz-pn-;1;");
            let vg = parse_volumes(&text).expect("readable").remove("vg").expect("listed");
            (vg.group.disks_missing, vg.volumes["a"].damage)
        };
        assert_eq!(line("-wi-----p-"), (1, Some(Damage::DiskMissing)));
        assert_eq!(line("Swi-I-s---"), (1, Some(Damage::Invalid)));
        assert_eq!(line("swi-I-s---"), (1, Some(Damage::Invalid)));
        assert_eq!(line("-wi-a-----"), (1, None));
    }

    #[test]
    fn groups_that_others_guard() {
        let shared = |attr: &str, lock: &str| {
            let text = format!("vg;u;4096;4096;0;{attr};0;{lock};");
            parse_groups(&text).expect("readable")["vg"].shared.clone()
        };
        assert_eq!(shared("wz--n-", ""), None);
        assert_eq!(shared("wz--n-", "none"), None);
        assert!(shared("wz--ns", "sanlock").expect("shared").contains("sanlock"));
        assert!(shared("wz--nc", "").expect("clustered").contains("clvmd"));
    }

    #[test]
    fn percents() {
        let table =
            [("", Some(None)), ("0.00", Some(Some(0))), ("9.62", Some(Some(962))), ("100.00", Some(Some(10_000)))];
        for (text, value) in table {
            assert_eq!(percent(text), value, "{text}");
        }
        assert_eq!(
            (percent("7"), percent("7.5"), percent("x"), percent("1.x")),
            (Some(Some(700)), Some(Some(750)), None, None)
        );
        assert_eq!(percent("+1.-2"), None);
    }

    #[test]
    fn names_in_the_device_mapper() {
        assert_eq!(mapper_name("my-vg", "pvc-1_00000"), "my--vg-pvc--1_00000");
    }

    #[test]
    fn a_snapshot_that_holds_all() {
        // LVM 2.03.16 cut a request for 112 MiB on a volume of 100 MiB down to 104 MiB, and one for 60 on 52 down to 56.
        assert_eq!(cow_size(Kib(100 << 10), Kib(4096)), Kib(104 << 10));
        assert_eq!(cow_size(Kib(52 << 10), Kib(4096)), Kib(56 << 10));
        assert!(cow_size(Kib(u64::MAX), Kib(4096)) >= Kib(u64::MAX - 4));
    }

    #[test]
    fn captured_errors() {
        let all = captured(include_str!("../../tests/fixtures/lvm/errors.txt"));
        let mut seen = 0;
        for line in all.lines() {
            let (class, text) = line.split_once(": ").expect("a class");
            let wanted = match class {
                "no_space" => Some(Failure::NoSpace),
                "thin_full" => Some(Failure::ThinFull),
                "pool_broken" => Some(Failure::PoolBroken),
                "no_group" => Some(Failure::NoGroup),
                "no_volume" => Some(Failure::NoVolume),
                "exists" => Some(Failure::Exists),
                "disk_missing" => Some(Failure::DiskMissing),
                "busy" => Some(Failure::Busy),
                "frozen" => Some(Failure::Frozen),
                "no_kernel" => Some(Failure::NoKernel),
                "unchanged" => Some(Failure::Unchanged),
                "origin_active" => Some(Failure::OriginActive),
                "exported" => Some(Failure::Exported),
                _ => None,
            };
            assert_eq!(failure(&text.replace("\\n", "\n")), wanted, "{line}");
            seen += 1;
        }
        assert_eq!(seen, 17);
    }

    #[test]
    fn names_that_were_not_found() {
        let text =
            "  Failed to find logical volume \"vg/nope\"\n  Failed to find logical volume \"vg/nope2\"\n  WARNING: x";
        assert_eq!(not_found(text), ["vg/nope", "vg/nope2"]);
    }
}
