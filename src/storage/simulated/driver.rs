//! The driver of a simulated pool. It does what the file driver does, in the same order, so that a fault or an end between
//! any two operations leaves what it would leave there.

use std::io;
use std::path::PathBuf;

use super::folder::{Role, Work};
use super::{Disk, Op};
use crate::model::desired::FileSystem;
use crate::model::kinds::{ProviderKind, Provisioning};
use crate::model::moment::Uuid;
use crate::model::names::{RscName, SnapName};
use crate::model::plan::{BackingId, Content, Extent, ObservedDevice, ObservedPart, ObservedVolume, Stranger};
use crate::model::report::{Capacity, Problem};
use crate::model::size::Kib;
use crate::storage::driver::{Driver, Owner, PartId};
use crate::storage::problem::io_problem;
use crate::storage::usage;

/// Which part of its size a thin volume takes.
const THIN_SHARE: u64 = 64;
/// What a device in use is used by; nothing more is known of a simulated one.
const USER: &str = "is opened by a process";

/// A volume that is made or put back: its name, its size, and whom it is for.
type Wanted<'a> = (&'a str, Kib, Owner);

/// The driver of a simulated pool.
#[derive(Debug)]
pub struct SimulatedDriver {
    kind: ProviderKind,
    backing: String,
    disk: Disk,
    life: u64,
}

impl SimulatedDriver {
    /// Makes the pool usable for a satellite of this life. The first time in it, unfinished files of earlier ones go.
    pub(in crate::storage) fn prepare(
        (disk, life): (Disk, u64),
        kind: ProviderKind,
        backing: &str,
    ) -> Result<Self, Problem> {
        let driver = Self { kind, backing: backing.to_owned(), disk, life };
        let prepared = driver.work(|work| work.prepare(backing));
        prepared.map_err(|error| driver.problem("The storage pool's folder cannot be used", None, &error))?;
        Ok(driver)
    }

    pub(super) fn work<T>(&self, act: impl FnOnce(&mut Work<'_>) -> T) -> T {
        self.disk.work((&self.backing, self.life), act)
    }

    fn room(&self, size: Kib) -> Kib {
        match self.kind.provisioning() {
            Provisioning::Fat => size,
            _ => Kib(size.0.div_ceil(THIN_SHARE)),
        }
    }

    /// The problem of an error with a file, or with the pool.
    pub(super) fn problem(&self, message: impl Into<String>, id: Option<&str>, error: &io::Error) -> Problem {
        let folder = PathBuf::from(&self.backing);
        io_problem(message, &id.map_or(folder.clone(), |id| folder.join(format!("{id}.img"))), error)
    }

    fn make_blank(&self, id: &str, size: Kib, owner: Owner) -> io::Result<()> {
        self.work(|work| {
            if !work.create(id, owner)? {
                return Ok(());
            }
            let made = work.resize(id, size, self.room(size)).and_then(|()| work.ask(Op::Sync, id));
            if made.is_err() {
                work.remove(id)?;
            }
            made
        })
    }

    /// Makes a volume's content ready beside it.
    fn fill_aside(&self, work: &mut Work<'_>, part: PartId<'_>, (id, size, owner): Wanted<'_>) -> io::Result<()> {
        let from = part.of.snapshot(part.snapshot);
        let room = self.room(size);
        let filled = work
            .fill_aside(&from, (id, Role::Volume), room)
            .and_then(|()| work.mark_aside(id, owner))
            .and_then(|()| work.resize_aside(id, size, room))
            .and_then(|()| work.ask(Op::Sync, id));
        if filled.is_err() {
            work.drop_aside(id)?;
        }
        filled
    }

    fn restore(&self, part: PartId<'_>, wanted: Wanted<'_>) -> io::Result<()> {
        let id = wanted.0;
        self.work(|work| {
            if work.folder.files.contains_key(id) {
                return Ok(());
            }
            self.fill_aside(work, part, wanted)?;
            work.put_in_place(id)?;
            work.ask(Op::Sync, id)
        })
    }

    /// Fails for a device in use, and with it whatever wants to take it.
    fn assert_free(&self, work: &mut Work<'_>, op: Op, id: &str) -> Result<(), Problem> {
        if work.file(id).map_or(true, |file| file.device.is_none()) {
            return Ok(());
        }
        work.ask(op, id).map_err(|error| match usage::is_busy(&error) {
            true => usage::in_use_by(&device_path(id), USER),
            false => io_problem(format!("{} cannot be opened", device_path(id)), device_path(id).as_ref(), &error),
        })
    }

    fn take_down(&self, work: &mut Work<'_>, id: &str) -> Result<(), Problem> {
        self.assert_free(work, Op::Detach, id)?;
        if let Ok(file) = work.file(id) {
            if let Some((layer, _)) = file.layers.first_key_value() {
                return Err(usage::in_use_by(&device_path(id), &format!("is held by its layer {layer}")));
            }
            file.device = None;
        }
        Ok(())
    }
}

pub(super) fn device_path(id: &str) -> String {
    format!("/dev/zea-sim/{id}")
}

/// All parts are made aside, and get their names one after another.
fn take_parts(work: &mut Work<'_>, pairs: &[(&str, String)]) -> io::Result<()> {
    let taken = fill_parts(work, pairs);
    if taken.is_err() {
        for (_, part) in pairs {
            // What cannot be removed now is removed when the pool is prepared.
            let _ = work.drop_aside(part);
        }
    }
    taken
}

fn fill_parts(work: &mut Work<'_>, pairs: &[(&str, String)]) -> io::Result<()> {
    for (volume, part) in pairs {
        work.fill_aside(volume, (part, Role::Part), Kib(0))?;
    }
    for (_, part) in pairs {
        work.ask(Op::Sync, part)?;
    }
    for (_, part) in pairs {
        work.put_in_place(part)?;
    }
    work.ask(Op::Sync, "")
}

fn format(work: &mut Work<'_>, id: &str, kind: &str) -> io::Result<()> {
    work.ask(Op::Format, id)?;
    let file = work.file(id)?;
    // Whatever is on it counts as a signature.
    if file.file_system.is_none() && file.content == 0 {
        (file.file_system, file.needs) = (Some(kind.to_owned()), file.size);
    }
    Ok(())
}

impl Driver for SimulatedDriver {
    fn capacity(&self) -> Result<Capacity, Problem> {
        let used = self.work(|work| work.ask(Op::Room, &self.backing).map(|()| (work.total, work.folder.used)));
        let room = used.map(|(total, used)| Capacity { free: Kib(total.0.saturating_sub(used)), total });
        room.map_err(|error| self.problem("The room of the storage pool cannot be asked", None, &error))
    }

    fn granularity(&self) -> Kib {
        Kib(1)
    }

    fn simulated(&self) -> Option<&SimulatedDriver> {
        Some(self)
    }

    fn supports_snapshots(&self) -> bool {
        self.kind.supports_snapshots()
    }

    fn observe(&self, id: &BackingId) -> Result<ObservedVolume, Problem> {
        let id = id.as_str();
        let look = |work: &mut Work<'_>| {
            work.ask(Op::Look, id)?;
            Ok(work.folder.files.get(id).map(|file| (file.size, file.device)))
        };
        let found = self.work(look);
        let found = found.map_err(|error| self.problem("The storage pool cannot be read", Some(id), &error))?;
        let device = found.and_then(|(_, device)| device);
        Ok(ObservedVolume {
            backing: found.map(|(size, _)| size),
            allocated: found.map(|(size, _)| self.room(size)),
            device: device.map(|size| ObservedDevice { path: device_path(id), size }),
            granularity: Kib(1),
            has_device: true,
            ..ObservedVolume::default()
        })
    }

    fn stranger(&self, id: &BackingId, owner: Owner) -> Result<Option<Stranger>, Problem> {
        let id = id.as_str();
        let asked = self.work(|work| {
            work.ask(Op::Look, id)?;
            let file = work.file(id)?;
            Ok(file.owner != Some(owner) && file.needs > Kib(0))
        });
        let foreign =
            asked.map_err(|error| self.problem("Whose the volume's file is cannot be told", Some(id), &error))?;
        let stranger = || Stranger { place: format!("{}/{id}.img", self.backing), adopt: format!("mark it {owner}") };
        Ok(foreign.then(stranger))
    }

    fn content(&self, id: &BackingId) -> Content {
        let found = self.work(|work| work.file(id.as_str()).ok().and_then(|file| file.file_system.clone()));
        found.map_or(Content::Unknown, Content::Known)
    }

    fn extent(&self, id: &BackingId) -> Result<Extent, Problem> {
        let id = id.as_str();
        let found = self.work(|work| {
            work.ask(Op::Look, id)?;
            let file = work.file(id)?;
            Ok(match &file.file_system {
                Some(kind) => Extent::Content { kind: kind.clone(), needs: Some(file.needs) },
                None => Extent::Data { end: file.needs },
            })
        });
        found.map_err(|error| self.problem("The volume's content cannot be read", Some(id), &error))
    }

    fn observe_part(&self, part: PartId<'_>) -> Result<ObservedPart, Problem> {
        let id = part.of.snapshot(part.snapshot);
        let look = |work: &mut Work<'_>| {
            work.ask(Op::Look, &id)?;
            Ok(work.folder.files.get(&id).map(|file| (file.size, file.made_ms)))
        };
        let found = self.work(look);
        let found = found.map_err(|error| self.problem("The storage pool cannot be read", Some(&id), &error))?;
        Ok(ObservedPart {
            size: found.map(|(size, _)| size),
            allocated: found.map(|(size, _)| Kib(size.0.div_ceil(THIN_SHARE))),
            taken_ms: found.map(|(_, made_ms)| made_ms),
        })
    }

    fn assert_unused(&self, id: &BackingId) -> Result<(), Problem> {
        self.work(|work| self.assert_free(work, Op::AssertUnused, id.as_str()))
    }

    fn create(&self, id: &BackingId, size: Kib, owner: Owner) -> Result<(), Problem> {
        let made = self.make_blank(id.as_str(), size, owner);
        made.map_err(|error| self.problem(format!("A volume of {size} cannot be made"), Some(id.as_str()), &error))
    }

    fn create_from(&self, id: &BackingId, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem> {
        let made = self.restore(part, (id.as_str(), size, owner));
        made.map_err(|error| self.problem("The volume cannot be made from the snapshot", Some(id.as_str()), &error))
    }

    fn resize(&self, id: &BackingId, size: Kib) -> Result<(), Problem> {
        if self.work(|work| work.file(id.as_str()).is_ok_and(|file| file.size > size)) {
            self.assert_unused(id)?;
        }
        let id = id.as_str();
        let done = self.work(|work| work.resize(id, size, self.room(size)).and_then(|()| work.ask(Op::Sync, id)));
        done.map_err(|error| self.problem(format!("The volume cannot be resized to {size}"), Some(id), &error))
    }

    fn refresh_size(&self, id: &BackingId) -> Result<(), Problem> {
        let id = id.as_str();
        let done = self.work(|work| {
            work.ask(Op::RefreshSize, id)?;
            if let Ok(file) = work.file(id) {
                file.device = file.device.map(|_| file.size);
            }
            Ok(())
        });
        let path = device_path(id);
        done.map_err(|error| io_problem(format!("{path} cannot be resized"), path.as_ref(), &error))
    }

    fn attach(&self, id: &BackingId) -> Result<(), Problem> {
        let id = id.as_str();
        let done = self.work(|work| {
            if work.file(id).is_ok_and(|file| file.device.is_some()) {
                return Ok(());
            }
            work.ask(Op::Attach, id)?;
            let file = work.file(id)?;
            file.device = Some(file.size);
            Ok(())
        });
        done.map_err(|error| self.problem(format!("A device for {id} cannot be made"), Some(id), &error))
    }

    fn detach(&self, id: &BackingId) -> Result<(), Problem> {
        self.work(|work| self.take_down(work, id.as_str()))
    }

    fn remove(&self, id: &BackingId) -> Result<(), Problem> {
        let id = id.as_str();
        let removed = self.work(|work| {
            work.drop_aside(id)?;
            work.remove(id)?;
            work.ask(Op::Sync, id)
        });
        removed.map_err(|error| self.problem("The volume cannot be removed", Some(id), &error))
    }

    fn format(&self, id: &BackingId, wanted: &FileSystem) -> Result<(), Problem> {
        let path = device_path(id.as_str());
        self.work(|work| format(work, id.as_str(), &wanted.kind)).map_err(|error| {
            io_problem(format!("A file system {} on {path} cannot be made", wanted.kind), path.as_ref(), &error)
        })
    }

    fn take_snapshot(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<Option<String>, Problem> {
        let pairs: Vec<(&str, String)> = ids.iter().map(|id| (id.as_str(), id.snapshot(snapshot))).collect();
        let taken = self.work(|work| take_parts(work, &pairs));
        taken.map(|()| None).map_err(|error| self.problem(format!("Snapshot {snapshot} cannot be taken"), None, &error))
    }

    fn remove_part(&self, part: PartId<'_>) -> Result<(), Problem> {
        let id = part.of.snapshot(part.snapshot);
        let removed = self.work(|work| work.remove(&id).and_then(|()| work.ask(Op::Sync, &id)));
        removed.map_err(|error| self.problem("The snapshot cannot be removed", Some(&id), &error))
    }

    fn stage_rollback(&self, part: PartId<'_>, size: Kib, owner: Owner) -> Result<(), Problem> {
        let id = part.of.as_str();
        let staged = self.work(|work| self.fill_aside(work, part, (id, size, owner)));
        staged.map_err(|error| self.problem("The volume cannot be rolled back", Some(id), &error))
    }

    fn swap_rollback(&self, id: &BackingId) -> Result<(), Problem> {
        let id = id.as_str();
        self.work(|work| {
            self.take_down(work, id)?;
            let swapped = work.put_in_place(id).and_then(|()| work.ask(Op::Sync, id));
            swapped.map_err(|error| self.problem("The rolled back volume cannot be put in place", Some(id), &error))
        })
    }

    fn rolled_back(&self, rsc: &RscName) -> Result<Option<Uuid>, Problem> {
        let read = self.work(|work| {
            work.ask(Op::ReadMarker, rsc.as_str())?;
            Ok(work.folder.markers.get(rsc).copied())
        });
        let id = Some(rsc.as_str());
        read.map_err(|error| self.problem("The record of the last rollback cannot be read", id, &error))
    }

    fn record_rollback(&self, rsc: &RscName, token: Option<Uuid>) -> Result<(), Problem> {
        let done = self.work(|work| {
            let name = rsc.as_str();
            work.ask(if token.is_some() { Op::WriteMarker } else { Op::DropMarker }, name)?;
            match token {
                Some(token) => work.folder.markers.insert(rsc.clone(), token),
                None => work.folder.markers.remove(rsc),
            };
            work.ask(Op::Sync, name)
        });
        done.map_err(|error| self.problem("The rollback cannot be recorded", Some(rsc.as_str()), &error))
    }
}

#[cfg(test)]
mod tests;
