//! What is deleted: destroyed at once, or, where something depends on it, marked and renamed as LINSTOR does and destroyed when
//! the last dependent is gone (facts: `satellite.md` §1.6). A volume is marked before it is renamed: interrupted between the two
//! it is gone all the same. Only what is marked, or renamed as deleted, is ever destroyed here without being asked for.

use std::time::{SystemTime, UNIX_EPOCH};

use super::ZfsDriver;
use super::commands::{self, MARKED, REMAINS_OF};
use super::names::NAME_BYTES_MAX;
use super::zpool::{Failed, Zpool, lock, snapshots, volume_of};
use crate::model::plan::BackingId;
use crate::model::report::Problem;
use crate::protocols::zfs::{Dataset, Datasets, Failure, Kind};
use crate::storage::driver::PartId;
use crate::storage::problem::problem;

/// What the names of deleted volumes and snapshots begin with.
const DELETED: &str = "_deleted_";
/// What the names of volumes begin with that a rollback will put in place.
const STAGED: &str = "_rollback_";
/// Most remains that one look destroys one after another: a chain of clones of clones is no longer.
const CHAIN_MAX: usize = 64;

impl ZfsDriver {
    /// Name of what a rollback will put in a volume's place.
    pub(super) fn staging(&self, id: &BackingId) -> String {
        format!("{}/{STAGED}{id}", self.dataset)
    }

    /// A snapshot's part under the volume's name, or under that of what remains of a volume that had it.
    pub(super) fn locate<'a>(&self, part: PartId<'_>, known: &'a Datasets) -> Option<(String, &'a Dataset)> {
        let direct = format!("{}@{}", self.name(part.of), part.snapshot);
        if let Some(found) = known.get(&direct).filter(|found| found.kind == Kind::Snapshot) {
            return Some((direct, found));
        }
        let begins = format!("{}/{DELETED}{}_", self.dataset, part.of);
        let ends = format!("@{}", part.snapshot);
        // LINSTOR's say by their name alone which volume they are of.
        let is_of = |found: &Dataset| found.remains_of.as_deref().is_none_or(|of| of == part.of.as_str());
        let remains = known.range(begins.clone()..).take_while(|(name, _)| name.starts_with(&begins));
        let mut fitting = remains.filter(|(name, found)| name.ends_with(&ends) && found.marked && is_of(found));
        fitting.next().map(|(name, found)| (name.clone(), found))
    }

    /// The same, where it has to be there.
    pub(super) fn located(&self, part: PartId<'_>, message: &str) -> Result<(String, Dataset), Problem> {
        self.zpool.check()?;
        let found = self.zpool.read(|known| self.locate(part, known).map(|(name, found)| (name, found.clone())))?;
        found.ok_or_else(|| {
            problem(
                message,
                format!("{} has no snapshot {} of volume {}", self.dataset, part.snapshot, part.of),
                "Choose a snapshot that this node has.",
            )
        })
    }

    /// Removes a volume that has no device.
    pub(super) fn remove_volume(&self, id: &BackingId) -> Result<(), Problem> {
        let (name, staging) = (self.name(id), self.staging(id));
        let message = format!("Volume {name} cannot be removed");
        let seen = |known: &Datasets, name: &str| known.get(name).cloned();
        let (volume, staged) = self.zpool.read(|known| (seen(known, &name), seen(known, &staging)))?;
        if staged.is_some() {
            self.zpool.destroy(&staging, &message)?;
        }
        let Some(volume) = volume.filter(|volume| volume.kind == Kind::Volume) else {
            return Ok(());
        };
        self.zvols().forget(&name);
        let has_snapshots = self.zpool.read(|known| snapshots(known, &name).next().is_some())?;
        let destroyed = match has_snapshots {
            true => false,
            false => self.zpool.try_destroy(&name, &message)?,
        };
        if destroyed {
            self.zpool.sweep_origin(volume.origin);
            return Ok(());
        }
        // The listing may not know yet what depends on it.
        self.look_again(id)?;
        self.put_aside(id, &message)
    }

    /// Marks a volume as deleted and takes its name away.
    pub(super) fn put_aside(&self, id: &BackingId, message: &str) -> Result<(), Problem> {
        let name = self.name(id);
        let marks = [(MARKED, "true"), (REMAINS_OF, id.as_str())];
        self.change(id, message, &commands::set(&name, &marks))?;
        self.look_again(id)?;
        self.rename_aside(id, message)
    }

    fn rename_aside(&self, id: &BackingId, message: &str) -> Result<(), Problem> {
        let name = self.name(id);
        let remains = format!("{}/{DELETED}{id}_{:x}", self.dataset, moment());
        self.change(id, message, &commands::rename(&name, &remains))?;
        self.zvols().forget(&name);
        self.zpool.renamed(&name, &remains)
    }

    /// Lets a new volume have its name: what was deleted and not yet renamed when it was interrupted is renamed now.
    pub(super) fn make_way(&self, id: &BackingId) -> Result<(), Problem> {
        let name = self.name(id);
        let in_the_way = self.zpool.read(|known| known.get(&name).is_some_and(|found| found.marked))?;
        match in_the_way {
            true => self.rename_aside(id, &format!("What is left of an earlier volume {name} cannot be put aside")),
            false => Ok(()),
        }
    }

    /// Removes a part of a snapshot; its name is free afterwards, also where clones hold its content.
    pub(super) fn remove_snapshot(&self, part: PartId<'_>) -> Result<(), Problem> {
        self.zpool.check()?;
        let Some(name) = self.zpool.read(|known| self.locate(part, known).map(|(name, _)| name))? else {
            return Ok(());
        };
        let message = format!("Snapshot {name} cannot be removed");
        if self.zpool.try_destroy(&name, &message)? {
            self.zpool.sweep_volume(volume_of(&name));
            return Ok(());
        }
        let aside = aside(&name, part.snapshot.as_str(), moment());
        self.change(part.of, &message, &commands::set(&name, &[(MARKED, "true")]))?;
        self.change(part.of, &message, &commands::rename(&name, &aside))?;
        self.zpool.renamed(&name, &aside)
    }
}

/// Name of a snapshot that clones depend on, out of the way; its own is cut where there is no room for all of it.
fn aside(name: &str, snapshot: &str, moment: u64) -> String {
    let volume = volume_of(name);
    let end = format!("_{moment:x}");
    let room = NAME_BYTES_MAX.saturating_sub(volume.len() + "@".len() + DELETED.len() + end.len());
    let kept: String = snapshot.chars().take(room).collect();
    format!("{volume}@{DELETED}{kept}{end}")
}

/// Sets names apart that are put aside one after the other, in milliseconds.
fn moment() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn is_deleted_snapshot(name: &str) -> bool {
    name.split_once('@').is_some_and(|(_, snapshot)| snapshot.starts_with(DELETED))
}

impl Zpool {
    /// Destroys; already gone is success.
    pub(super) fn destroy(&self, name: &str, message: &str) -> Result<(), Problem> {
        match self.try_destroy(name, message)? {
            true => Ok(()),
            false => Err(problem(
                message,
                format!("{name} has snapshots or clones"),
                format!("Look at zfs list -r -t all {}, and remove what depends on it.", volume_of(name)),
            )),
        }
    }

    /// The same; `false` where something depends on it.
    pub(super) fn try_destroy(&self, name: &str, message: &str) -> Result<bool, Failed> {
        match self.run_patiently(volume_of(name), message, &commands::destroy(name)) {
            Err(failed) if failed.failure == Failure::HasDependents => return Ok(false),
            Err(failed) if failed.failure == Failure::Missing => {}
            Err(failed) => return Err(failed),
            Ok(_) => {}
        }
        self.gone(name);
        Ok(true)
    }

    /// After the last clone of a deleted snapshot: the snapshot goes, and so on up the chain.
    pub(super) fn sweep_origin(&self, origin: Option<String>) {
        if let Some(snapshot) = origin.filter(|snapshot| is_deleted_snapshot(snapshot))
            && self.is_swept(&snapshot)
        {
            self.sweep_volume(volume_of(&snapshot));
        }
    }

    /// After the last snapshot of a deleted volume: the volume goes, and so on up the chain.
    pub(super) fn sweep_volume(&self, volume: &str) {
        let mut next = Some(volume.to_owned());
        for _ in 0..CHAIN_MAX {
            let Some(volume) = next.take() else { return };
            let origin = self.read(|known| {
                let found = known.get(&volume).filter(|found| found.kind == Kind::Volume && found.marked);
                found.filter(|_| snapshots(known, &volume).next().is_none()).map(|found| found.origin.clone())
            });
            let Ok(Some(origin)) = origin else { return };
            if !self.is_swept(&volume) {
                return;
            }
            next = origin
                .filter(|snapshot| is_deleted_snapshot(snapshot) && self.is_swept(snapshot))
                .map(|snapshot| volume_of(&snapshot).to_owned());
        }
    }

    /// Destroys everything that is deleted and has no dependents any more, whoever took them away; and what a rollback staged
    /// that was given up.
    pub(super) fn sweep(&self) {
        let under_way = lock(&self.under_way).clone();
        let idle = self.read(|known| {
            let is_origin = |name: &str| known.values().any(|found| found.origin.as_deref() == Some(name));
            let is_idle = |name: &String, found: &Dataset| match found.kind {
                Kind::Snapshot => is_deleted_snapshot(name) && !is_origin(name),
                Kind::Volume if given_up(name, known) => !under_way.contains(name),
                Kind::Volume => found.marked && snapshots(known, name).next().is_none(),
                Kind::FileSystem => false,
            };
            known.iter().filter(|(name, found)| is_idle(name, found)).map(|(name, _)| name.clone()).collect::<Vec<_>>()
        });
        for name in idle.unwrap_or_default() {
            let origin = self.read(|known| known.get(&name).and_then(|found| found.origin.clone()));
            if self.is_swept(&name) {
                match name.contains('@') {
                    true => self.sweep_volume(volume_of(&name)),
                    false => self.sweep_origin(origin.ok().flatten()),
                }
            }
        }
    }

    /// Whether a remainder could be destroyed; one that could not is tried again with the next look.
    fn is_swept(&self, name: &str) -> bool {
        match self.run(volume_of(name), &format!("What remains of {name} cannot be removed"), &commands::destroy(name))
        {
            Ok(_) => {
                self.gone(name);
                true
            }
            Err(failed) => {
                tracing::debug!(name, problem = %failed.problem, "what is deleted stays for now");
                false
            }
        }
    }
}

/// Whether this was staged for a rollback of a volume that has its content all the same.
fn given_up(name: &str, known: &Datasets) -> bool {
    let Some((dataset, id)) = name.rsplit_once('/') else { return false };
    let Some(id) = id.strip_prefix(STAGED) else { return false };
    known.get(&format!("{dataset}/{id}")).is_some_and(|found| !found.marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_what_is_put_aside() {
        assert_eq!(aside("t/v_00000@before", "before", 0xabc), "t/v_00000@_deleted_before_abc");
        let long = format!("t/{}", "v".repeat(200));
        let name = aside(&format!("{long}@{}", "s".repeat(48)), &"s".repeat(48), u64::MAX);
        assert_eq!(name.len(), NAME_BYTES_MAX);
        assert!(is_deleted_snapshot(&name) && !is_deleted_snapshot("t/_deleted_v@s") && !is_deleted_snapshot("t/v"));
    }

    fn known(names: &[(&str, bool)]) -> Datasets {
        let dataset = |name: &str, marked: bool| Dataset {
            kind: if name.contains('@') { Kind::Snapshot } else { Kind::Volume },
            volsize: Some(8192),
            volblocksize: None,
            referenced: 0,
            origin: None,
            created: None,
            hidden: false,
            marked,
            remains_of: None,
            owner: None,
        };
        names.iter().map(|(name, marked)| ((*name).to_owned(), dataset(name, *marked))).collect()
    }

    #[test]
    fn what_was_staged_in_vain() {
        let all = known(&[
            ("t/_rollback_a", false),
            ("t/a", false),
            ("t/_rollback_b", false),
            ("t/_rollback_c", false),
            ("t/c", true),
        ]);
        let in_vain: Vec<&str> = all.keys().map(String::as_str).filter(|name| given_up(name, &all)).collect();
        assert_eq!(in_vain, ["t/_rollback_a"], "b and c are volumes in the middle of a rollback");
    }

    #[test]
    fn snapshots_are_found_where_their_volume_went() {
        let driver = ZfsDriver::unprepared("t");
        let rsc = crate::model::names::RscName::parse("web").expect("legal");
        let of = BackingId::of(&rsc, crate::model::names::VolumeNumber::new(0).expect("legal"), None).expect("legal");
        let find = |all: &Datasets, snapshot: &str| {
            let snapshot = crate::model::names::SnapName::parse(snapshot).expect("legal");
            driver.locate(PartId { of: &of, snapshot: &snapshot }, all).map(|(name, _)| name)
        };
        let mut all = known(&[
            ("t/web_00000@new", false),
            ("t/_deleted_web_00000_1@old", true),
            ("t/_deleted_web_00000_1@_deleted_older_2", true),
            ("t/_deleted_web_00000_3@unmarked", false),
            ("t/_deleted_web_00000_9_00000_4@theirs", true),
        ]);
        all.get_mut("t/_deleted_web_00000_9_00000_4@theirs").expect("there").remains_of =
            Some("web_00000_9_00000".to_owned());
        assert_eq!(find(&all, "new").as_deref(), Some("t/web_00000@new"));
        assert_eq!(find(&all, "old").as_deref(), Some("t/_deleted_web_00000_1@old"));
        for gone in ["older", "unmarked", "theirs"] {
            assert_eq!(find(&all, gone), None, "{gone}");
        }
    }

    #[test]
    fn a_marked_volume_is_gone_unless_it_is_being_rolled_back() {
        let driver = ZfsDriver::unprepared("t");
        let rsc = crate::model::names::RscName::parse("web").expect("legal");
        let id = BackingId::of(&rsc, crate::model::names::VolumeNumber::new(0).expect("legal"), None).expect("legal");
        for (names, there) in [
            (&[("t/web_00000", false)][..], true),
            (&[("t/web_00000", true)][..], false),
            (&[("t/web_00000", true), ("t/_rollback_web_00000", false)][..], true),
            (&[("t/_rollback_web_00000", false)][..], true),
            (&[("t/web_00000@s", false)][..], false),
        ] {
            assert_eq!(driver.find(&id, &known(names)).is_some(), there, "{names:?}");
        }
    }
}
