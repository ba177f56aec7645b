//! A pool made usable: its group is there and nobody else's, its thin pool zeroes what it gives out, and what a crashed run
//! left half made is removed. Also its room, and how full it may become.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::commands;
use super::failure::About;
use super::host::Lvm;
use super::{LISTING_AGE, LISTING_AGE_MS, LvmDriver, Place, names};
use crate::model::report::{Capacity, Problem};
use crate::model::size::Kib;
use crate::protocols::lvm::{Damage, Listed, Role, Volume};
use crate::storage::drivers::Preparation;
use crate::storage::problem::problem;

/// A thin pool that is filled so far, data or metadata, is worth a warning. In hundredths of a percent.
const WARN_AT: u32 = 8_000;
/// Metadata filled so far: no new volume or snapshot. What is left is for the writes of those that are there.
const METADATA_FULL_AT: u32 = 9_500;
/// All of it.
const WHOLE: u64 = 10_000;
/// Longest name of a group, of LVM's.
const NAME_BYTES_MAX: usize = 127;

const CANNOT: &str = "The storage pool cannot be used";

impl LvmDriver {
    /// Makes sure of the group and of the thin pool in `backing`, which is `group` or `group/pool`.
    pub fn prepare(
        (backing, thin): (&str, bool),
        options: &BTreeMap<String, String>,
        lvm: &Arc<Lvm>,
        preparation: Preparation,
    ) -> Result<Self, Problem> {
        let (group, pool) = parse(backing, thin)?;
        lvm.add(&group);
        let place = Place { lvm: Arc::clone(lvm), group, thin: pool, warned: AtomicBool::new(false) };
        let driver = Self { place: Arc::new(place), options: Arc::new(options.clone()) };
        driver.read(|listed| driver.check(listed))??;
        driver.let_pool_zero()?;
        if preparation == Preparation::First {
            driver.sweep();
        }
        Ok(driver)
    }

    /// Reads what is known of the group.
    pub(super) fn read<R>(&self, read: impl FnOnce(&Listed) -> R) -> Result<R, Problem> {
        self.lvm().read(self.group(), self.millis(LISTING_AGE, LISTING_AGE_MS), read)
    }

    fn check(&self, listed: &Listed) -> Result<(), Problem> {
        let group = self.group();
        if let Some(reason) = &listed.group.shared {
            return Err(problem(
                CANNOT,
                format!("volume group {group} is shared with other nodes: {reason}"),
                "Use a group of this node alone; this version of Zea does not take part in locks of shared groups.",
            ));
        }
        let Some(pool) = &self.place.thin else { return Ok(()) };
        match listed.volumes.get(pool).map(|found| (found.role, found.damage)) {
            Some((Role::ThinPool, None)) => Ok(()),
            Some((Role::ThinPool, Some(damage))) => Err(damaged(&self.full(pool), damage)),
            Some(_) => Err(problem(
                CANNOT,
                format!("{group}/{pool} is no thin pool"),
                "Set StorDriver/StorPoolName to the group and the thin pool in it: GROUP/POOL.",
            )),
            None => Err(problem(
                CANNOT,
                format!("volume group {group} has no thin pool {pool}"),
                format!("Make it (lvcreate -T -l 95%FREE {group}/{pool}), or correct StorDriver/StorPoolName."),
            )),
        }
    }

    /// A new block of a volume must read as zeros.
    fn let_pool_zero(&self) -> Result<(), Problem> {
        let Some(pool) = &self.place.thin else { return Ok(()) };
        if self.read(|listed| listed.volumes.get(pool).is_none_or(|found| found.zeroes))? {
            return Ok(());
        }
        let full = self.full(pool);
        self.run((pool, "The thin pool cannot be told to zero new blocks"), |config| commands::zero(config, &full))?;
        self.lvm().look_at(self.group(), &[pool])
    }

    /// Removes what a crashed run left. What cannot be removed now is removed another time: it stands in nobody's way.
    fn sweep(&self) {
        let Ok(leftovers) = self.read(|listed| self.leftovers(listed)) else { return };
        for name in leftovers {
            let removed = self.lvremove(&name, "What a crashed run left cannot be removed");
            tracing::warn!(volume = %self.full(&name), problem = ?removed.err(), "removing what a crashed run left");
        }
    }

    fn leftovers(&self, listed: &Listed) -> Vec<String> {
        let of_pool = |volume: &Volume| volume.pool == self.place.thin;
        let left = |(name, volume): &(&String, &Volume)| {
            let in_place = |name: &str| listed.volumes.contains_key(name.strip_prefix(names::NEW).unwrap_or(name));
            let half = names::is_staged(name)
                && names::is_ours(volume)
                && (!volume.has_tag(names::COMPLETE) || in_place(name));
            let needed = listed
                .volumes
                .values()
                .any(|other| other.role == Role::CowSnapshot && other.origin.as_ref() == Some(*name));
            of_pool(volume) && (half || (names::is_remains(name, volume) && !needed))
        };
        listed.volumes.iter().filter(left).map(|(name, _)| name.clone()).collect()
    }

    /// Room of the pool; an error where nothing can be made in it though there is room.
    pub(super) fn room(&self) -> Result<Capacity, Problem> {
        self.renew_room()?;
        let (group, pool) = self.read(|listed| {
            (listed.group.clone(), self.place.thin.as_ref().map(|pool| listed.volumes.get(pool).cloned()))
        })?;
        let Some(pool) = pool else { return Ok(Capacity { free: group.free, total: group.size }) };
        let pool = pool.ok_or_else(|| self.pool_gone())?;
        self.warn(&pool);
        let filled = u64::from(pool.data.unwrap_or(0)).min(WHOLE);
        let free = u128::from(pool.size.0) * u128::from(WHOLE - filled) / u128::from(WHOLE);
        Ok(Capacity { free: Kib(u64::try_from(free).unwrap_or(pool.size.0)), total: pool.size })
    }

    fn renew_room(&self) -> Result<(), Problem> {
        match &self.place.thin {
            Some(pool) if self.lvm().is_room_stale(self.group()) => self.lvm().look_at(self.group(), &[pool]),
            Some(_) => Ok(()),
            None => self.lvm().renew_room(self.group()),
        }
    }

    fn pool_gone(&self) -> Problem {
        let pool = self.place.thin.as_deref().unwrap_or_default();
        problem(
            CANNOT,
            format!("volume group {} has no thin pool {pool} any more", self.group()),
            "Bring it back (vgcfgrestore), or correct StorDriver/StorPoolName.",
        )
    }

    /// Tells once that the pool is nearly full, and again when it was not for a while.
    fn warn(&self, pool: &Volume) {
        let warning = self.fullness(pool);
        let told = self.place.warned.swap(warning.is_some(), Ordering::Relaxed);
        if let Some(problem) = warning.filter(|_| !told) {
            tracing::warn!(pool = %self.full(self.place.thin.as_deref().unwrap_or_default()), %problem, "a thin pool is nearly full");
        }
    }

    /// What is to be said of a thin pool that is nearly full.
    pub(super) fn nearly_full(&self) -> Option<Problem> {
        let pool = self.place.thin.as_ref()?;
        let found = self.read(|listed| listed.volumes.get(pool).cloned()).ok()??;
        self.fullness(&found)
    }

    fn fullness(&self, pool: &Volume) -> Option<Problem> {
        let name = self.full(self.place.thin.as_deref()?);
        let high = |filled: Option<u32>| filled.filter(|filled| *filled >= WARN_AT);
        let text = |what: &str, filled: u32| format!("its {what} is filled to {}.{:02} %", filled / 100, filled % 100);
        let (metadata, data) = (high(pool.metadata), high(pool.data));
        let (cause, cure) = match (metadata, data) {
            (Some(filled), _) => (text("metadata", filled), format!("lvextend --poolmetadatasize +SIZE {name}")),
            (None, Some(filled)) => (text("data", filled), format!("lvextend -L +SIZE {name}")),
            (None, None) => return None,
        };
        Some(problem(
            format!("Thin pool {name} is nearly full"),
            cause,
            format!("Enlarge it before writes fail: {cure}; or remove volumes or snapshots."),
        ))
    }

    /// Refuses something new in a thin pool whose metadata is nearly full.
    pub(super) fn refuse_full(&self, message: &str) -> Result<(), Problem> {
        let Some(pool) = &self.place.thin else { return Ok(()) };
        let filled = self.read(|listed| listed.volumes.get(pool).and_then(|found| found.metadata))?;
        match filled.filter(|filled| *filled >= METADATA_FULL_AT) {
            None => Ok(()),
            Some(filled) => Err(problem(
                message,
                format!(
                    "the metadata of thin pool {} is filled to {}.{:02} %; when it is full, writes to all volumes fail",
                    self.full(pool),
                    filled / 100,
                    filled % 100
                ),
                format!(
                    "Enlarge it: lvextend --poolmetadatasize +SIZE {}; or remove volumes or snapshots.",
                    self.full(pool)
                ),
            )),
        }
    }

    /// Granularity of the pool: chunks of a thin pool, else extents.
    pub(super) fn unit(&self) -> Kib {
        let unit = self.read(|listed| match &self.place.thin {
            Some(pool) => listed.volumes.get(pool).map(|found| found.chunk),
            None => Some(listed.group.extent),
        });
        unit.ok().flatten().filter(|unit| unit.0 > 0).unwrap_or(Kib(1))
    }

    /// Removes a logical volume, and those that depend on it.
    pub(super) fn lvremove(&self, name: &str, message: &str) -> Result<(), Problem> {
        let full = self.full(name);
        let about = About { group: self.group(), volume: name, message };
        let removed = self.lvm().run_unless_gone(about, |config| commands::remove(config, &full));
        removed.map(|()| self.lvm().removed(self.group(), &[name]))
    }

    /// How long the device of a volume is waited for.
    pub(super) fn patience(&self) -> Duration {
        self.device_wait()
    }
}

/// The error for a volume that is there and cannot be used.
pub(super) fn damaged(place: &str, damage: Damage) -> Problem {
    let (cause, cure) = match damage {
        Damage::DiskMissing => (
            format!("a disk that {place} lies on is gone"),
            "Bring the disk back (pvs shows which is missing). If it is lost for good, delete the resource on this node; another \
             node's copy, or a backup, has its data.",
        ),
        Damage::Invalid => (
            format!("LVM calls {place} invalid: it was a snapshot that became full"),
            "Its content is lost: delete the snapshot.",
        ),
    };
    problem(format!("{place} cannot be used"), cause, cure)
}

fn parse(backing: &str, thin: bool) -> Result<(String, Option<String>), Problem> {
    let (group, pool) = match backing.split_once('/') {
        Some((group, pool)) => (group, Some(pool)),
        None => (backing, None),
    };
    if is_name(group) && pool.is_none_or(is_name) && pool.is_some() == thin {
        return Ok((group.to_owned(), pool.map(str::to_owned)));
    }
    let (what, example) =
        if thin { ("a volume group and a thin pool in it", "vg/thin") } else { ("a volume group", "vg") };
    Err(problem(
        CANNOT,
        format!("'{backing}' does not name {what}"),
        format!("Set StorDriver/StorPoolName to {what}, as in {example}."),
    ))
}

/// Whether LVM takes it for a name.
fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+_.-".contains(&byte);
    !text.is_empty()
        && text.len() <= NAME_BYTES_MAX
        && !text.starts_with('-')
        && text != "."
        && text != ".."
        && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::lvm::parse_volumes;
    use crate::storage::exec::Exec;

    fn driver(thin: bool) -> LvmDriver {
        let lvm = Arc::new(Lvm::new(Arc::new(Exec::default())));
        let thin = thin.then(|| "thin".to_owned());
        let place = Place { lvm, group: "vg".to_owned(), thin, warned: AtomicBool::new(false) };
        LvmDriver { place: Arc::new(place), options: Arc::default() }
    }

    fn listed(lines: &[&str]) -> Listed {
        let rest = ";v;4194304;41943040;4194304;wz--n-;0;\n";
        let text: String = lines.iter().map(|line| format!("vg;{line}{rest}")).collect();
        parse_volumes(&text).expect("readable").remove("vg").expect("listed")
    }

    #[test]
    fn what_names_a_pool() {
        assert_eq!(parse("vg", false), Ok(("vg".to_owned(), None)));
        assert_eq!(parse("vg/thin", true), Ok(("vg".to_owned(), Some("thin".to_owned()))));
        for (bad, thin) in [
            ("", false),
            ("vg/thin", false),
            ("vg", true),
            ("vg/", true),
            ("a/b/c", true),
            ("-x", false),
            ("a b", false),
        ] {
            let error = parse(bad, thin).expect_err("bad");
            assert!(error.correction.contains("StorPoolName"), "{error:?}");
        }
    }

    #[test]
    fn pools_that_are_none_are_said_so() {
        let thin = driver(true);
        let pool = "thin;4096;twi-aotz--;;;0.00;10.00;65536;1;1;u;";
        assert_eq!(thin.check(&listed(&[pool])), Ok(()));
        let table = [
            (vec!["thin;4096;-wi-a-----;;;;;0;1;1;u;"], "no thin pool"),
            (vec!["other;4096;-wi-a-----;;;;;0;1;1;u;"], "has no thin pool thin"),
            (vec!["thin;4096;twi---tzp-;;;;;65536;1;1;u;"], "disk"),
        ];
        for (lines, cause) in table {
            let error = thin.check(&listed(&lines)).expect_err("none");
            assert!(error.cause.contains(cause), "{error:?}");
        }
        let mut shared = listed(&[pool]);
        shared.group.shared = Some("lvmlockd guards it".to_owned());
        let error = driver(false).check(&shared).expect_err("shared");
        assert!(error.cause.contains("lvmlockd"), "{error:?}");
    }

    #[test]
    fn fullness_names_what_to_enlarge() {
        let thin = driver(true);
        let pool = |data: &str, metadata: &str| {
            let line = format!("thin;4096;twi-aotz--;;;{data};{metadata};65536;1;1;u;");
            thin.fullness(&listed(&[&line]).volumes["thin"])
        };
        assert_eq!(pool("79.99", "79.99"), None);
        let data = pool("80.00", "10.94").expect("data");
        assert!(
            data.cause.contains("data is filled to 80.00 %") && data.correction.contains("lvextend -L +SIZE vg/thin")
        );
        let metadata = pool("99.00", "81.05").expect("metadata");
        assert!(metadata.cause.contains("81.05") && metadata.correction.contains("--poolmetadatasize"), "{metadata:?}");
    }

    #[test]
    fn leftovers_are_what_is_ours_and_half_made_or_not_needed() {
        let line =
            |name: &str, attr: &str, origin: &str, tags: &str| format!("{name};4096;{attr};;{origin};;;0;1;1;u;{tags}");
        let lines = [
            line(".new_a", "-wi-a-----", "", "zea.volume.1"),
            line(".new_b", "-wi-a-----", "", "zea.volume.1,zea.complete"),
            line("c", "-wi-a-----", "", "zea.volume.1"),
            line(".new_c", "-wi-a-----", "", "zea.volume.1,zea.complete"),
            line(".new_d", "-wi-a-----", "", ""),
            line(".old_1_e", "owi-a-s---", "", "zea.remains"),
            line("e_s", "swi-a-s---", ".old_1_e", "zea.snapshot"),
            line(".old_2_f", "-wi-a-----", "", "zea.remains"),
            line(".old_3_g", "-wi-a-----", "", ""),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(driver(false).leftovers(&listed(&lines)), [".new_a", ".new_c", ".old_2_f"]);
        assert!(driver(true).leftovers(&listed(&lines)).is_empty(), "of another pool");
    }
}
