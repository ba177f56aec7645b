//! Snapshots of both kinds: taken as close together as can be, restored, rolled back by putting what was staged in the
//! volume's place. What a crash interrupts is either not there yet, or is found under its other name and put in place.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use nix::unistd::syncfs;

use super::commands::{self, New, Options};
use super::names::{self, COMPLETE, SNAPSHOT};
use super::prepare::damaged;
use super::volumes::{Found, allocated, resolve};
use super::{LvmDriver, SNAPSHOT_OPTIONS};
use crate::model::names::SnapName;
use crate::model::plan::{BackingId, ObservedPart};
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::protocols::lvm::{Role, Volume, cow_size};
use crate::storage::driver::{Owner, PartId};
use crate::storage::problem::problem;
use crate::storage::usage;

impl LvmDriver {
    pub(super) fn look_at_part(&self, part: PartId<'_>) -> Result<ObservedPart, Problem> {
        let Some(found) = self.find_part(&name_of(part))? else { return Ok(ObservedPart::default()) };
        if let Some(damage) = found.volume.damage {
            return Err(damaged(&self.full(&found.name), damage));
        }
        Ok(ObservedPart {
            size: Some(size_of(&found)),
            allocated: allocated(&found.volume),
            taken_ms: names::taken_s(&found.volume).map(|seconds| seconds.saturating_mul(1000)),
        })
    }

    /// A snapshot's part; something else under its name is none.
    pub(super) fn find_part(&self, name: &str) -> Result<Option<Found>, Problem> {
        let found = self.read(|listed| resolve(listed, name))?;
        Ok(found.filter(|found| self.is_part(&found.volume)))
    }

    fn get_part(&self, name: &str) -> Result<Found, Problem> {
        self.find_part(name)?.ok_or_else(|| {
            problem(
                "The snapshot cannot be read",
                format!("volume group {} has no snapshot {name}", self.group()),
                "Choose a snapshot that is there.",
            )
        })
    }

    /// LINSTOR's snapshots have no tags, and cannot be written.
    fn is_part(&self, volume: &Volume) -> bool {
        match (volume.role, &self.place.thin) {
            (Role::Thin, Some(_)) => volume.pool == self.place.thin && (!volume.writable || volume.has_tag(SNAPSHOT)),
            (Role::CowSnapshot, None) => true,
            (Role::Plain, None) => volume.has_tag(SNAPSHOT) && volume.has_tag(COMPLETE),
            _ => false,
        }
    }

    pub(super) fn snapshot(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<Option<String>, Problem> {
        let message = format!("Snapshot {snapshot} cannot be taken");
        self.refuse_full(&message)?;
        let mut pairs: Vec<(Found, String)> = Vec::new();
        for id in ids {
            self.finish(id.as_str())?;
            let part = id.snapshot(snapshot);
            self.drop_old_part(&part, &message)?;
            pairs.push((self.get(id.as_str())?, part));
        }
        // The devices are suspended for a moment each: the less is to be written down then, the better.
        pairs.iter().filter_map(|(found, _)| self.device_of(found)).for_each(|device| sync(device.path.as_ref()));
        let started = Instant::now();
        let taken = self.take_all(&pairs, &message);
        let seconds = started.elapsed().as_secs_f64();
        let names: Vec<&str> = pairs.iter().map(|(_, part)| part.as_str()).collect();
        if taken.is_err() {
            for name in &names {
                // What cannot be removed now is removed before it is taken again.
                let _ = self.look_at(&[name]).and_then(|()| self.drop_leftover(name));
            }
        }
        taken?;
        self.look_at(&names)?;
        Ok((pairs.len() > 1).then(|| {
            format!(
                "LVM takes one volume at a time: the parts of the {} volumes were taken within {seconds:.1} s of one another",
                pairs.len()
            )
        }))
    }

    fn take_all(&self, pairs: &[(Found, String)], message: &str) -> Result<(), Problem> {
        let options = self.options_of(SNAPSHOT_OPTIONS);
        for (found, part) in pairs {
            let own = (!self.is_thin()).then(|| cow_size(found.volume.size, found.group.extent));
            let new = New { group: self.group(), name: part, tags: &[SNAPSHOT], options: &options };
            // What is suspended, if it fails, is the volume.
            self.run((&found.name, message), |config| commands::snapshot(config, new, &found.name, own))?;
        }
        Ok(())
    }

    /// Removes a part that was taken for the same snapshot, which was never reported as taken.
    fn drop_old_part(&self, part: &str, message: &str) -> Result<(), Problem> {
        let found = self.read(|listed| resolve(listed, part))?;
        match found {
            None => Ok(()),
            Some(found) if found.volume.has_tag(SNAPSHOT) => self.drop_found(&found),
            Some(found) => Err(problem(
                message,
                format!("{} is there already, and was not made here", self.full(&found.name)),
                format!("Move it away: lvrename {} {part} ANOTHER_NAME.", self.group()),
            )),
        }
    }

    pub(super) fn drop_part(&self, part: PartId<'_>) -> Result<(), Problem> {
        match self.find_part(&name_of(part))? {
            Some(found) => self.drop_found(&found),
            None => Ok(()),
        }
    }

    fn drop_found(&self, found: &Found) -> Result<(), Problem> {
        let message = "The snapshot cannot be removed";
        let remains = self.read(|listed| {
            let origin = found.volume.origin.as_ref().filter(|_| found.volume.role == Role::CowSnapshot)?;
            let is_remains = names::is_remains(origin, listed.volumes.get(origin)?);
            let last = resolve(listed, origin)?.dependents.len() == 1;
            (is_remains && last).then(|| origin.clone())
        })?;
        let Some(origin) = remains else { return self.lvremove(&found.name, message) };
        // Nobody needs its extents any more.
        self.lvremove(&origin, message)?;
        self.lvm().removed(self.group(), &[&found.name]);
        Ok(())
    }

    /// Makes a volume with a snapshot's content.
    pub(super) fn restore(&self, id: &BackingId, part: PartId<'_>, wanted: (Kib, Owner)) -> Result<(), Problem> {
        let message = "The volume cannot be made from the snapshot";
        self.refuse_full(message)?;
        let found = self.get_part(&name_of(part))?;
        let name = id.as_str();
        if self.is_thin() {
            return self.branch((name, message), &found, wanted, &[]);
        }
        let staged = names::staged(name);
        self.fill((&staged, message), &found, wanted)?;
        self.rename((&staged, name), message)
    }

    /// Makes a snapshot's content ready beside its volume.
    pub(super) fn stage(&self, part: PartId<'_>, wanted: (Kib, Owner)) -> Result<(), Problem> {
        let message = "The rollback cannot be prepared";
        let name = part.of.as_str();
        self.finish(name)?;
        let found = self.get_part(&name_of(part))?;
        let staged = names::staged(name);
        if self.is_thin() {
            self.drop_leftover(&staged)?;
            return self.branch((&staged, message), &found, wanted, &[COMPLETE]);
        }
        self.fill((&staged, message), &found, wanted)?;
        let full = self.full(&staged);
        self.run((&staged, message), |config| commands::tag(config, &full, &[COMPLETE]))?;
        self.look_at(&[&staged])
    }

    /// A thin volume that shares a snapshot's blocks.
    fn branch(
        &self,
        (name, message): (&str, &str),
        part: &Found,
        (size, owner): (Kib, Owner),
        tags: &[&str],
    ) -> Result<(), Problem> {
        let owner = names::owner_tag(owner);
        let (options, tags) = (Options::default(), [&[owner.as_str()][..], tags].concat());
        let new = New { group: self.group(), name, tags: &tags, options: &options };
        self.run((name, message), |config| commands::restore_thin(config, new, &part.name))?;
        if size > part.volume.size {
            let full = self.full(name);
            self.run((name, message), |config| commands::resize(config, &full, size))?;
        }
        self.look_at(&[name])
    }

    /// Puts what was staged in the place of the volume.
    pub(super) fn swap(&self, id: &BackingId) -> Result<(), Problem> {
        let (name, staged) = (id.as_str(), names::staged(id.as_str()));
        let (is_there, is_staged) = self.read(|listed| {
            let complete = listed.volumes.get(&staged).is_some_and(|volume| volume.has_tag(COMPLETE));
            (listed.volumes.contains_key(name), complete)
        })?;
        if !is_staged {
            return Err(problem(
                "The rolled back volume cannot be put in place",
                format!("{} is not there, or not complete", self.full(&staged)),
                "It is prepared anew.",
            ));
        }
        if is_there {
            self.deactivate(name)?;
            let found = self.get(name)?;
            match found.dependents.is_empty() {
                true => self.lvremove(name, "The volume cannot be rolled back")?,
                false => self.leave_remains(&found)?,
            }
        }
        self.finish(name)?;
        // It is attached when all volumes are done.
        self.deactivate(name)
    }
}

pub(super) fn name_of(part: PartId<'_>) -> String {
    part.of.snapshot(part.snapshot)
}

/// What a snapshot offers.
pub(super) fn size_of(found: &Found) -> Kib {
    found.origin_size.unwrap_or(found.volume.size)
}

/// Writes down what the file system on a device holds back, where it is mounted.
fn sync(device: &Path) {
    for point in usage::mount_points(device).iter().take(1) {
        let synced = File::open(point).and_then(|point| syncfs(point).map_err(Into::into));
        // The snapshot is of one moment all the same; taking it only takes longer.
        if let Err(error) = synced {
            tracing::debug!(mount_point = %point, %error, "a file system cannot be synced");
        }
    }
}
