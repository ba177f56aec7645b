//! What volumes with extents of their own need beside: content is copied, and a snapshot depends on its volume, which
//! therefore lives on under another name when it is removed or replaced, and lets it go before it grows.

use super::commands;
use super::names::{self, COMPLETE, REMAINS, SNAPSHOT};
use super::snapshots::size_of;
use super::volumes::Found;
use super::{LvmDriver, device};
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::protocols::lvm::Role;
use crate::storage::driver::Owner;
use crate::storage::problem::io_problem;

impl LvmDriver {
    /// Makes a volume with a snapshot's content, anew where half of one is there.
    pub(super) fn fill(
        &self,
        (name, message): (&str, &str),
        part: &Found,
        (size, owner): (Kib, Owner),
    ) -> Result<(), Problem> {
        let tag = names::owner_tag(owner);
        self.copy_to((name, message), part, size, &[&tag])
    }

    fn copy_to(&self, (name, message): (&str, &str), part: &Found, size: Kib, tags: &[&str]) -> Result<(), Problem> {
        let was_active = self.device_of(part).is_some();
        let target = self.make_thick((name, message), size.max(size_of(part)), tags)?;
        let copied = self.activate(&part.name).and_then(|source| {
            let done = device::size(&target).and_then(|size| device::copy(&source, &target, size_of(part), size));
            done.map_err(|error| io_problem(message, &source, &error))
        });
        if copied.is_err() {
            // What cannot be removed now is removed before it is made again.
            let _ = self.drop_leftover(name);
        }
        // The device of a snapshot goes and comes with its volume's; one that stands alone needs none.
        if !was_active && part.volume.role == Role::Plain {
            self.deactivate(&part.name)?;
        }
        copied
    }

    /// Gives a snapshot extents of its own for all its content, so that its volume is free of it.
    pub(super) fn make_independent(&self, part: &str) -> Result<(), Problem> {
        let message = "A snapshot cannot be made independent of its volume, which is to be resized";
        let Some(found) = self.find_part(part)? else { return Ok(()) };
        let staged = names::staged(part);
        let taken = names::taken_s(&found.volume).map(names::taken_tag);
        let tags: Vec<&str> = [SNAPSHOT].into_iter().chain(taken.as_deref()).collect();
        self.copy_to((&staged, message), &found, Kib(0), &tags)?;
        let full = self.full(&staged);
        self.run((&staged, message), |config| commands::seal(config, &full, &[COMPLETE]))?;
        self.look_at(&[&staged])?;
        self.lvremove(part, message)?;
        self.finish(part)?;
        self.deactivate(part)
    }

    /// Takes a volume's name away and leaves its extents to the snapshots that need them.
    pub(super) fn leave_remains(&self, found: &Found) -> Result<(), Problem> {
        let message = "The volume cannot be removed from above its snapshots";
        let full = self.full(&found.name);
        self.run((&found.name, message), |config| commands::tag(config, &full, &[REMAINS]))?;
        let remains = names::remains(&found.name, &found.volume);
        self.run((&found.name, message), |config| commands::rename(config, self.group(), (&found.name, &remains)))?;
        self.lvm().removed(self.group(), &[&found.name]);
        // Snapshots say whose they are by its name.
        let names: Vec<&str> = found.dependents.iter().map(String::as_str).chain([remains.as_str()]).collect();
        self.look_at(&names)
    }
}
