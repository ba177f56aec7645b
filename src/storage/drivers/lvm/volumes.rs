//! Volumes: found, made, resized, activated, removed. Each function looks before it does anything.

use super::names::{self, COMPLETE};
use super::prepare::damaged;
use super::{CREATE_OPTIONS, DISK_SELECTION, DISK_SELECTION_DEFAULT, LvmDriver, commands, device};
use crate::model::plan::{BackingId, ObservedDevice, ObservedVolume};
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::protocols::lvm::{Group, Listed, Role, Volume};
use crate::storage::driver::{Driver, Owner};
use crate::storage::problem::{io_problem, problem};
use commands::{New, Options};

/// A volume that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// What it is called now; in the middle of a rollback not yet what it will be.
    pub(super) name: String,
    pub(super) volume: Volume,
    pub(super) group: Group,
    /// Snapshots that need its extents.
    pub(super) dependents: Vec<String>,
    /// Size of what it is a snapshot of, where it has extents of its own for that.
    pub(super) origin_size: Option<Kib>,
}

/// What is under a name, or will be when it is put in place.
pub(super) fn resolve(listed: &Listed, name: &str) -> Option<Found> {
    let staged = names::staged(name);
    let complete = || listed.volumes.get(&staged).filter(|volume| volume.has_tag(COMPLETE));
    let (name, volume) = match listed.volumes.get(name) {
        Some(volume) => (name.to_owned(), volume),
        None => (staged.clone(), complete()?),
    };
    let needs = |other: &Volume| other.role == Role::CowSnapshot && other.origin.as_ref() == Some(&name);
    let dependents = listed.volumes.iter().filter(|(_, other)| needs(other)).map(|(name, _)| name.clone()).collect();
    let origin = volume.origin.as_ref().filter(|_| volume.role == Role::CowSnapshot);
    let origin_size = origin.and_then(|origin| listed.volumes.get(origin)).map(|origin| origin.size);
    Some(Found { name, volume: volume.clone(), group: listed.group.clone(), dependents, origin_size })
}

impl LvmDriver {
    /// The volume of a name; an error for something else under it.
    pub(super) fn find(&self, name: &str) -> Result<Option<Found>, Problem> {
        let found = self.read(|listed| resolve(listed, name))?;
        match found {
            Some(found) if !self.is_volume(&found.volume) => Err(self.something_else(&found.name)),
            found => Ok(found),
        }
    }

    /// The same, of one that must be there.
    pub(super) fn get(&self, name: &str) -> Result<Found, Problem> {
        self.find(name)?.ok_or_else(|| {
            problem(
                format!("Volume {name} is not there"),
                format!("volume group {} has no volume of that name", self.group()),
                "It is looked at anew; the next pass says what is to be done.",
            )
        })
    }

    fn is_volume(&self, volume: &Volume) -> bool {
        match self.is_thin() {
            true => volume.role == Role::Thin && volume.pool == self.place.thin,
            false => volume.role == Role::Plain,
        }
    }

    pub(super) fn something_else(&self, name: &str) -> Problem {
        problem(
            "The storage pool holds something else under a volume's name",
            format!("{} is of another kind, or in another pool", self.full(name)),
            format!("Move it away: lvrename {} {name} ANOTHER_NAME.", self.group()),
        )
    }

    pub(super) fn look(&self, id: &BackingId) -> Result<ObservedVolume, Problem> {
        let Some(found) = self.find(id.as_str())? else {
            let granularity = self.read(|listed| listed.group.extent)?;
            return Ok(ObservedVolume { granularity, has_device: true, ..ObservedVolume::default() });
        };
        if let Some(damage) = found.volume.damage {
            return Err(damaged(&self.full(&found.name), damage));
        }
        Ok(ObservedVolume {
            backing: Some(found.volume.size),
            allocated: allocated(&found.volume),
            device: self.device_of(&found),
            granularity: found.group.extent,
            has_device: true,
            ..ObservedVolume::default()
        })
    }

    pub(super) fn device_of(&self, found: &Found) -> Option<ObservedDevice> {
        device::find((self.group(), &found.group), &found.name, &found.volume)
    }

    pub(super) fn device(&self, name: &str) -> Result<Option<ObservedDevice>, Problem> {
        Ok(self.find(name)?.and_then(|found| self.device_of(&found)))
    }

    pub(super) fn refuse_stranger(&self, id: &BackingId, owner: Owner) -> Result<(), Problem> {
        match self.stranger(id, owner)? {
            None => Ok(()),
            Some(stranger) => Err(problem(
                "The volume cannot be made",
                format!("{} is there already and is not this volume's", stranger.place),
                format!("Move it away (lvrename), or take it over: {}", stranger.adopt),
            )),
        }
    }

    /// Puts what is complete in its place, where a crash has left it beside it.
    pub(super) fn finish(&self, name: &str) -> Result<(), Problem> {
        let staged = self.read(|listed| resolve(listed, name))?.filter(|found| found.name != name);
        match staged {
            Some(found) => self.rename((&found.name, name), "The volume cannot be put in place"),
            None => Ok(()),
        }
    }

    pub(super) fn rename(&self, (from, to): (&str, &str), message: &str) -> Result<(), Problem> {
        self.run((from, message), |config| commands::rename(config, self.group(), (from, to)))?;
        self.lvm().removed(self.group(), &[from]);
        self.look_at(&[to])
    }

    /// Looks at volumes anew, and at the thin pool that they fill.
    pub(super) fn look_at(&self, names: &[&str]) -> Result<(), Problem> {
        let all: Vec<&str> = names.iter().copied().chain(self.place.thin.as_deref()).collect();
        self.lvm().look_at(self.group(), &all)
    }

    pub(super) fn make(&self, id: &BackingId, size: Kib, owner: Owner) -> Result<(), Problem> {
        let name = id.as_str();
        if self.find(name)?.is_some() {
            return self.refuse_stranger(id, owner);
        }
        let message = format!("A volume of {size} cannot be made");
        self.refuse_full(&message)?;
        let (tag, options) = (names::owner_tag(owner), self.options_of(CREATE_OPTIONS));
        if let Some(pool) = &self.place.thin {
            let new = New { group: self.group(), name, tags: &[&tag], options: &options };
            self.run((name, &message), |config| commands::create_thin(config, new, size, pool))?;
            return self.look_at(&[name]);
        }
        // Nothing of what stood in its extents before is under its name, not for a moment.
        let staged = names::staged(name);
        let path = self.make_thick((&staged, &message), size, &[&tag])?;
        let wiped = device::size(&path).and_then(|size| device::wipe_ends(&path, size));
        if let Err(error) = wiped {
            self.drop_leftover(&staged)?;
            return Err(io_problem(message, &path, &error));
        }
        self.rename((&staged, name), &message)
    }

    /// Makes a volume with extents of its own, anew if something half made is there, and waits for its device.
    pub(super) fn make_thick(
        &self,
        (name, message): (&str, &str),
        size: Kib,
        tags: &[&str],
    ) -> Result<std::path::PathBuf, Problem> {
        self.drop_leftover(name)?;
        let options = self.options_of(CREATE_OPTIONS);
        let selection = self.option(DISK_SELECTION).unwrap_or(DISK_SELECTION_DEFAULT);
        let disks = self.lvm().disks_in_order(self.about(name, message), selection)?;
        let new = New { group: self.group(), name, tags, options: &options };
        self.run((name, message), |config| commands::create_thick(config, new, size, &disks))?;
        let path = device::path(self.group(), name);
        if !device::wait_for(&path, self.patience()) {
            self.drop_leftover(name)?;
            return Err(device::did_not_come(&path, self.patience()));
        }
        self.lvm().look_at(self.group(), &[name])?;
        Ok(path)
    }

    pub(super) fn options_of(&self, key: &str) -> Options {
        Options::parse(self.option(key).unwrap_or_default())
    }

    /// Removes something half made of ours.
    pub(super) fn drop_leftover(&self, name: &str) -> Result<(), Problem> {
        let found = self.read(|listed| listed.volumes.get(name).cloned())?;
        match found {
            None => Ok(()),
            Some(volume) if names::is_ours(&volume) => self.lvremove(name, "What is half made cannot be removed"),
            Some(_) => Err(self.something_else(name)),
        }
    }

    pub(super) fn change_size(&self, id: &BackingId, size: Kib) -> Result<(), Problem> {
        let name = id.as_str();
        self.finish(name)?;
        let found = self.get(name)?;
        let rounded = size.ceil_to(found.group.extent).unwrap_or(size);
        if found.volume.size == rounded {
            return Ok(());
        }
        let device = self.device_of(&found);
        // Held until the end, so that nobody mounts it in between.
        let _held = match device.filter(|_| rounded < found.volume.size) {
            Some(device) => Some(device::exclusive(device.path.as_ref())?),
            None => None,
        };
        for part in &found.dependents {
            self.make_independent(part)?;
        }
        let full = self.full(name);
        let message = format!("The volume cannot be resized to {size}");
        self.run((name, &message), |config| commands::resize(config, &full, size))?;
        self.look_at(&[name])
    }

    pub(super) fn reload(&self, id: &BackingId) -> Result<(), Problem> {
        let found = self.get(id.as_str())?;
        match self.device_of(&found) {
            Some(device) if device.size != found.volume.size => {
                let full = self.full(&found.name);
                let message = "The device cannot take its volume's size";
                self.run((&found.name, message), |config| commands::refresh(config, &full))
            }
            _ => Ok(()),
        }
    }

    /// Makes the device of what is under a name, volume or snapshot; its path.
    pub(super) fn activate(&self, name: &str) -> Result<std::path::PathBuf, Problem> {
        let found = self.read(|listed| resolve(listed, name))?;
        let Some(found) = found else { return self.get(name).map(|found| device::path(self.group(), &found.name)) };
        let (name, path) = (found.name.as_str(), device::path(self.group(), &found.name));
        if self.device_of(&found).is_some() {
            return Ok(path);
        }
        let (full, message) = (self.full(name), format!("The device of {name} cannot be made"));
        self.run((name, &message), |config| commands::activate(config, &full))?;
        if !device::wait_for(&path, self.patience()) {
            // It was active already, and its nodes were missing.
            self.run((name, &message), |config| commands::make_nodes(config, &full))?;
        }
        match device::wait_for(&path, self.patience()) {
            true => self.lvm().look_at(self.group(), &[name]).map(|()| path),
            false => Err(device::did_not_come(&path, self.patience())),
        }
    }

    /// Removes the device of what is under a name; an error naming the user when it is in use.
    pub(super) fn deactivate(&self, name: &str) -> Result<(), Problem> {
        let Some(found) = self.read(|listed| resolve(listed, name))? else { return Ok(()) };
        let Some(device) = self.device_of(&found) else { return Ok(()) };
        drop(device::exclusive(device.path.as_ref())?);
        let (full, message) = (self.full(&found.name), format!("The device of {name} cannot be removed"));
        self.run((&found.name, &message), |config| commands::deactivate(config, &full))?;
        self.lvm().look_at(self.group(), &[&found.name])
    }

    /// Removes a volume, with what may be staged for it. Snapshots that need its extents keep them.
    pub(super) fn drop_volume(&self, name: &str) -> Result<(), Problem> {
        let staged = names::staged(name);
        if self.read(|listed| listed.volumes.contains_key(name) && listed.volumes.contains_key(&staged))? {
            self.drop_leftover(&staged)?;
        }
        match self.find(name)? {
            None => Ok(()),
            Some(found) if found.dependents.is_empty() => self.lvremove(&found.name, "The volume cannot be removed"),
            Some(found) => self.leave_remains(&found),
        }
    }
}

/// Room that a volume takes; of a thin one only where LVM knows, which is while it is active.
pub(super) fn allocated(volume: &Volume) -> Option<Kib> {
    if volume.role != Role::Thin {
        return Some(volume.size);
    }
    let mapped = u128::from(volume.size.0) * u128::from(volume.data?) / 10_000;
    u64::try_from(mapped).ok().map(Kib)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::lvm::parse_volumes;

    fn listed() -> Listed {
        let text = include_str!("../../../../tests/fixtures/lvm/lvs.txt").split_once('\n').expect("an origin").1;
        parse_volumes(text).expect("readable").remove("vg").expect("listed")
    }

    #[test]
    fn volumes_with_their_dependents() {
        let listed = listed();
        let tiny = resolve(&listed, "tiny_00000").expect("there");
        assert_eq!(tiny.dependents, ["tiny_s"]);
        let part = resolve(&listed, "tiny_s").expect("there");
        assert_eq!((part.origin_size, part.volume.size), (Some(Kib(4096)), Kib(8192)));
        let web = resolve(&listed, "web_00000").expect("there");
        assert!(web.dependents.is_empty(), "thin snapshots stand alone");
        assert!(resolve(&listed, "nope").is_none());
    }

    #[test]
    fn what_is_complete_stands_for_a_volume_that_is_not_there() {
        let mut listed = listed();
        let mut volume = listed.volumes["web_00000"].clone();
        listed.volumes.insert(".new_x_00000".to_owned(), volume.clone());
        assert!(resolve(&listed, "x_00000").is_none(), "half made");
        volume.tags.push(COMPLETE.to_owned());
        for name in [".new_x_00000", ".new_web_00000"] {
            listed.volumes.insert(name.to_owned(), volume.clone());
        }
        assert_eq!(resolve(&listed, "x_00000").expect("complete").name, ".new_x_00000");
        assert_eq!(resolve(&listed, "web_00000").expect("there").name, "web_00000");
    }

    #[test]
    fn what_volumes_take() {
        let listed = listed();
        assert_eq!(allocated(&listed.volumes["web_00000"]), Some(Kib(53_248 * 962 / 10_000)));
        assert_eq!(allocated(&listed.volumes["thick_00000"]), Some(Kib(53_248)));
        let mut inactive = listed.volumes["web_00000"].clone();
        inactive.data = None;
        assert_eq!(allocated(&inactive), None);
    }
}
