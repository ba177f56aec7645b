//! The files of one simulated pool, and the single operations on them, as a real folder's: a name is given only to what is
//! complete, except to a new volume, which has no size for a moment.

use std::collections::BTreeMap;
use std::io;

use nix::libc::{ENOENT, ENOSPC};

use super::faults::{Fault, Faults, Op};
use crate::model::moment::{EpochMs, Uuid};
use crate::model::names::RscName;
use crate::model::secret::Secret;
use crate::model::size::Kib;
use crate::model::stack::Layer;
use crate::storage::driver::Owner;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A volume.
    Volume,
    /// A volume's part in a snapshot.
    Part,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) role: Role,
    pub(super) size: Kib,
    /// What it takes of its pool's room.
    pub(super) room: Kib,
    pub(super) content: u64,
    pub(super) file_system: Option<String>,
    /// Whom it was made for.
    pub(super) owner: Option<Owner>,
    /// What its content needs: all that was there when it was written.
    pub(super) needs: Kib,
    /// When it was filled or made, milliseconds since the epoch.
    pub(super) made_ms: i64,
    /// Size of the device on it.
    pub(super) device: Option<Kib>,
    /// Sizes of the open layers above that.
    pub(super) layers: BTreeMap<Layer, Kib>,
    /// What opens it, where it is encrypted.
    pub(super) key: Option<Secret>,
}

#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) files: BTreeMap<String, File>,
    /// Unfinished files, by the name that they are to get.
    pub(super) asides: BTreeMap<String, File>,
    pub(super) markers: BTreeMap<RscName, Uuid>,
    pub(super) used: u64,
    /// The life in which it was prepared last.
    pub(super) prepared_in: u64,
}

/// One driver at work in a folder.
pub(super) struct Work<'a> {
    pub(super) folder: &'a mut Folder,
    pub(super) faults: &'a mut Option<Box<dyn Faults>>,
    /// The disk's life, and the one that the driver belongs to.
    pub(super) life: &'a mut u64,
    pub(super) mine: u64,
    pub(super) clock: Option<fn() -> EpochMs>,
    /// What holds without a clock.
    pub(super) now: EpochMs,
    pub(super) total: Kib,
}

fn missing() -> io::Error {
    io::Error::from_raw_os_error(ENOENT)
}

impl Work<'_> {
    /// Whether an operation goes through.
    pub(super) fn ask(&mut self, op: Op, id: &str) -> io::Result<()> {
        if *self.life != self.mine {
            return Err(Fault::Crash.error());
        }
        match self.faults.as_mut().and_then(|faults| faults.before(op, id)) {
            None => Ok(()),
            Some(fault) => {
                *self.life += u64::from(fault == Fault::Crash);
                Err(fault.error())
            }
        }
    }

    pub(super) fn file(&mut self, id: &str) -> io::Result<&mut File> {
        self.folder.files.get_mut(id).ok_or_else(missing)
    }

    /// Makes an empty volume; false if it is there already.
    pub(super) fn create(&mut self, id: &str, owner: Owner) -> io::Result<bool> {
        self.ask(Op::Create, id)?;
        if self.folder.files.contains_key(id) {
            return Ok(false);
        }
        let file = File {
            role: Role::Volume,
            size: Kib(0),
            room: Kib(0),
            content: 0,
            file_system: None,
            needs: Kib(0),
            owner: Some(owner),
            made_ms: self.now_ms(),
            device: None,
            layers: BTreeMap::new(),
            key: None,
        };
        self.folder.files.insert(id.to_owned(), file);
        Ok(true)
    }

    fn now_ms(&self) -> i64 {
        self.clock.map_or(self.now, |clock| clock()).0
    }

    /// Gives a volume this size, of which `room` is taken.
    pub(super) fn resize(&mut self, id: &str, size: Kib, room: Kib) -> io::Result<()> {
        self.ask(Op::Resize, id)?;
        let file = self.folder.files.get_mut(id).ok_or_else(missing)?;
        self.folder.used = account(self.folder.used, (file.room, room), self.total)?;
        (file.size, file.room) = (size, room);
        Ok(())
    }

    /// Fills a file aside, named `to`, from `from`; whatever was begun there is begun anew.
    pub(super) fn fill_aside(&mut self, from: &str, (to, role): (&str, Role), room: Kib) -> io::Result<()> {
        self.ask(Op::FillAside, to)?;
        let mut file = self.file(from)?.clone();
        let old = self.folder.asides.get(to).map_or(Kib(0), |old| old.room);
        self.folder.used = account(self.folder.used, (old, room), self.total)?;
        (file.role, file.room, file.made_ms, file.device) = (role, room, self.now_ms(), None);
        file.layers.clear();
        self.folder.asides.insert(to.to_owned(), file);
        Ok(())
    }

    pub(super) fn mark_aside(&mut self, id: &str, owner: Owner) -> io::Result<()> {
        self.folder.asides.get_mut(id).ok_or_else(missing)?.owner = Some(owner);
        Ok(())
    }

    pub(super) fn resize_aside(&mut self, id: &str, size: Kib, room: Kib) -> io::Result<()> {
        self.ask(Op::ResizeAside, id)?;
        let file = self.folder.asides.get_mut(id).ok_or_else(missing)?;
        self.folder.used = account(self.folder.used, (file.room, room), self.total)?;
        (file.size, file.room) = (size, room);
        Ok(())
    }

    pub(super) fn put_in_place(&mut self, id: &str) -> io::Result<()> {
        self.ask(Op::PutInPlace, id)?;
        let file = self.folder.asides.remove(id).ok_or_else(missing)?;
        if let Some(old) = self.folder.files.insert(id.to_owned(), file) {
            self.folder.used -= old.room.0;
        }
        Ok(())
    }

    /// Removes a file aside; one that is gone already is fine.
    pub(super) fn drop_aside(&mut self, id: &str) -> io::Result<()> {
        self.ask(Op::DropAside, id)?;
        if let Some(file) = self.folder.asides.remove(id) {
            self.folder.used -= file.room.0;
        }
        Ok(())
    }

    /// Removes a file; one that is gone already is fine.
    pub(super) fn remove(&mut self, id: &str) -> io::Result<()> {
        self.ask(Op::Remove, id)?;
        if let Some(file) = self.folder.files.remove(id) {
            self.folder.used -= file.room.0;
        }
        Ok(())
    }

    /// Unfinished files of an earlier life go.
    pub(super) fn prepare(&mut self, backing: &str) -> io::Result<()> {
        self.ask(Op::Prepare, backing)?;
        if self.folder.prepared_in == self.mine {
            return Ok(());
        }
        for (_, file) in std::mem::take(&mut self.folder.asides) {
            self.folder.used -= file.room.0;
        }
        self.folder.prepared_in = self.mine;
        Ok(())
    }
}

/// What is used when a file that took `old` takes `new`.
fn account(used: u64, (old, new): (Kib, Kib), total: Kib) -> io::Result<u64> {
    let after = used.saturating_sub(old.0).saturating_add(new.0);
    if after > total.0 && new > old {
        return Err(io::Error::from_raw_os_error(ENOSPC));
    }
    Ok(after)
}
