//! Putting a volume back to a snapshot: by `zfs rollback` where it is the newest one, else by a clone in the volume's place
//! (facts: `satellite.md` §1.6, `RollbackStrategy` Dynamic). Later snapshots stay.
//!
//! The clone is made aside, `_rollback_<id>`; then the volume is marked and renamed, and the clone gets its name. Interrupted at
//! any point, what is there under either name is the volume: before the mark the old content, after it the new one. A token on the
//! dataset tells that it was done.

use std::collections::BTreeMap;

use super::commands::{self, ROLLED_BACK};
use super::zpool::{lock, snapshots, volume_of};
use super::{ZfsDriver, Zpool};
use crate::model::moment::Uuid;
use crate::model::names::{RscName, SnapName};
use crate::model::plan::BackingId;
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::protocols::zfs::{Datasets, Failure, Kind, parse_properties};
use crate::storage::driver::{Owner, PartId};
use crate::storage::problem::problem;

/// What a volume is to be put back to.
#[derive(Debug, Clone)]
pub(super) struct Staged {
    snapshot: SnapName,
    size: Kib,
    owner: Owner,
}

/// What is staged, kept from being swept as given up.
struct UnderWay<'a>(&'a Zpool, String);

impl<'a> UnderWay<'a> {
    fn begin(zpool: &'a Zpool, staging: &str) -> Self {
        lock(&zpool.under_way).insert(staging.to_owned());
        Self(zpool, staging.to_owned())
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        lock(&self.0.under_way).remove(&self.1);
    }
}

impl ZfsDriver {
    /// Remembers what a volume is to be put back to. Nothing is made yet: the order may still be refused.
    pub(super) fn stage(&self, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem> {
        self.located(part, &format!("Volume {} cannot be rolled back", part.of))?;
        lock(&self.staged).insert(part.of.clone(), Staged { snapshot: part.snapshot.clone(), size, owner });
        Ok(())
    }

    /// Puts a volume back to what was staged.
    pub(super) fn swap(&self, id: &BackingId) -> Result<(), Problem> {
        let name = self.name(id);
        let message = format!("Volume {name} cannot be rolled back");
        let staged = lock(&self.staged).get(id).cloned();
        let staged = staged.ok_or_else(|| problem(&message, "no snapshot was staged for it", "Report this error."))?;
        let _under_way = UnderWay::begin(&self.zpool, &self.staging(id));
        let (snapshot, _) = self.located(PartId { of: id, snapshot: &staged.snapshot }, &message)?;
        if !self.roll_back(id, &snapshot, &message)? {
            self.replace(id, (&snapshot, &staged), &message)?;
        }
        self.give_size(id, &name, staged.size)?;
        lock(&self.staged).remove(id);
        Ok(())
    }

    /// `zfs rollback`, where ZFS does it; whether it did.
    fn roll_back(&self, id: &BackingId, snapshot: &str, message: &str) -> Result<bool, Problem> {
        let name = self.name(id);
        if !self.zpool.read(|known| is_newest(known, &name, snapshot))? {
            return Ok(false);
        }
        let line = commands::rollback(snapshot);
        let done = self.zpool.run_patiently(&name, message, &line);
        self.look_again(id)?;
        match done {
            // A snapshot that somebody else took.
            Err(failed) if failed.failure == Failure::NotNewest => Ok(false),
            done => done.map(|_| true).map_err(Problem::from),
        }
    }

    /// A clone in the volume's place.
    fn replace(&self, id: &BackingId, (snapshot, staged): (&str, &Staged), message: &str) -> Result<(), Problem> {
        let staging = self.staging(id);
        let ready =
            self.zpool.read(|known| known.get(&staging).map(|found| found.origin.as_deref() == Some(snapshot)))?;
        if ready == Some(false) || (ready.is_some() && !self.is_half_swapped(id)?) {
            self.zpool.destroy(&staging, message)?;
        }
        if !(ready == Some(true) && self.is_half_swapped(id)?) {
            let names = (snapshot, staging.as_str());
            let line = commands::clone(names, self.provisioning, staged.owner, &[("volmode", "none")]);
            self.change(id, message, &line)?;
            self.zpool.look_again(std::slice::from_ref(&staging))?;
            self.give_size(id, &staging, staged.size)?;
        }
        if self.zpool.read(|known| known.get(&self.name(id)).is_some_and(|found| !found.marked))? {
            self.put_aside(id, message)?;
        }
        self.finish_swap(id)
    }

    /// Whether the volume is what was staged for it, and has not got its name yet.
    fn is_half_swapped(&self, id: &BackingId) -> Result<bool, Problem> {
        let (name, staging) = (self.name(id), self.staging(id));
        self.zpool.read(|known| known.contains_key(&staging) && known.get(&name).is_none_or(|found| found.marked))
    }

    /// Ends a rollback that was interrupted after the volume had been put aside: from there on there is no way back.
    pub(super) fn finish_swap(&self, id: &BackingId) -> Result<(), Problem> {
        self.zpool.check()?;
        if !self.is_half_swapped(id)? {
            return Ok(());
        }
        self.make_way(id)?;
        let (name, staging) = (self.name(id), self.staging(id));
        let message = format!("The rolled back volume {name} cannot be put in place");
        self.change(id, &message, &commands::rename(&staging, &name))?;
        self.zvols().forget(&name);
        self.zpool.renamed(&staging, &name)
    }

    /// Token of the last rollback of a resource. All of the pool are read at once, the first time that one is asked for.
    pub(super) fn token(&self, rsc: &RscName) -> Result<Option<Uuid>, Problem> {
        let known = lock(&self.tokens).clone();
        let tokens = match known {
            Some(tokens) => tokens,
            None => self.ask_tokens()?,
        };
        Ok(tokens.get(&property(rsc)).and_then(|token| token.parse().ok()))
    }

    fn ask_tokens(&self) -> Result<BTreeMap<String, String>, Problem> {
        let message = "The record of rollbacks cannot be read";
        let said = self.zpool.run(&self.dataset, message, &commands::properties(&self.dataset))?;
        let mut tokens = parse_properties(&said.stdout);
        tokens.retain(|property, _| property.starts_with(ROLLED_BACK));
        // What was recorded meanwhile counts.
        Ok(lock(&self.tokens).get_or_insert(tokens).clone())
    }

    /// Remembers a token, or forgets it.
    pub(super) fn record(&self, rsc: &RscName, token: Option<Uuid>) -> Result<(), Problem> {
        let property = property(rsc);
        let line = match token {
            Some(token) => commands::set(&self.dataset, &[(property.as_str(), token.to_string().as_str())]),
            None => commands::inherit(&self.dataset, &property),
        };
        let whom = format!("{}/{rsc}", self.dataset);
        let done = self.zpool.run(&whom, "The rollback cannot be recorded", &line);
        let mut tokens = lock(&self.tokens);
        match (&done, token) {
            (Ok(_), Some(token)) => drop(tokens.as_mut().map(|known| known.insert(property, token.to_string()))),
            (Ok(_), None) => drop(tokens.as_mut().map(|known| known.remove(&property))),
            // Nobody knows: it is asked anew.
            (Err(_), _) => *tokens = None,
        }
        drop(tokens);
        done.map(drop).map_err(Problem::from)
    }
}

/// Whether `zfs rollback` can go back to a snapshot: it is the volume's own, and none is later.
fn is_newest(known: &Datasets, volume: &str, snapshot: &str) -> bool {
    let is_own = volume_of(snapshot) == volume
        && known.get(volume).is_some_and(|found| found.kind == Kind::Volume && !found.marked);
    let of = known.get(snapshot).and_then(|found| found.created);
    is_own && snapshots(known, volume).all(|(name, found)| name == snapshot || found.created < of)
}

/// Names of properties have no capitals; of resources none differ by them alone.
fn property(rsc: &RscName) -> String {
    format!("{ROLLED_BACK}{}", rsc.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::zfs::Dataset;

    fn dataset(kind: Kind, created: i64) -> Dataset {
        Dataset {
            kind,
            volsize: Some(1 << 20),
            volblocksize: Some(8192),
            referenced: 0,
            origin: None,
            created: Some(created),
            hidden: true,
            marked: false,
            remains_of: None,
            owner: None,
        }
    }

    #[test]
    fn only_the_newest_of_its_own_is_rolled_back_to() {
        let known: Datasets = [
            ("t/v", Kind::Volume, 1),
            ("t/v@a", Kind::Snapshot, 5),
            ("t/v@b", Kind::Snapshot, 7),
            ("t/vA@z", Kind::Snapshot, 9),
            ("t/_deleted_v_1@old", Kind::Snapshot, 3),
        ]
        .into_iter()
        .map(|(name, kind, created)| (name.to_owned(), dataset(kind, created)))
        .collect();
        let newest: Vec<&str> =
            known.keys().map(String::as_str).filter(|name| is_newest(&known, "t/v", name)).collect();
        assert_eq!(newest, ["t/v@b"]);
    }

    #[test]
    fn a_second_in_common_is_not_later() {
        let known: Datasets = ["t/v@a", "t/v@b"].map(|name| (name.to_owned(), dataset(Kind::Snapshot, 5))).into();
        assert!(!is_newest(&known, "t/v", "t/v@a") && !is_newest(&known, "t/v", "t/v@b"));
    }

    #[test]
    fn a_resource_has_one_property() {
        let rsc = RscName::parse("Web-1").expect("legal");
        assert_eq!(property(&rsc), "zea:rolled-back:web-1");
    }
}
