//! What can go wrong on a simulated disk, and when: asked before every single operation on it.

use std::io;

use nix::libc::{EBUSY, EIO, ENOSPC};

/// An operation on the disk. Those that take time in a real driver, and between which it can be cut off, stand alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// Making a pool usable.
    Prepare,
    /// Asking for a pool's room.
    Room,
    /// Looking at a file.
    Look,
    /// Reading the token of a resource's last rollback.
    ReadMarker,
    /// Asking whether a device is in use.
    AssertUnused,
    /// Making an empty file, of no size yet.
    Create,
    /// Giving a file its size.
    Resize,
    /// Filling a file aside from another one.
    FillAside,
    /// Giving a file aside its size.
    ResizeAside,
    /// Giving a file aside its name; what had it is gone.
    PutInPlace,
    /// Removing a file aside.
    DropAside,
    /// Removing a file.
    Remove,
    /// Making a device.
    Attach,
    /// Removing a device.
    Detach,
    /// Giving a device its file's size.
    RefreshSize,
    /// Making a file system.
    Format,
    /// Writing the token of a resource's rollback.
    WriteMarker,
    /// Removing it.
    DropMarker,
    /// Making durable what was done: an error here comes after the effect.
    Sync,
}

impl Op {
    /// Whether the operation leaves everything as it is.
    #[must_use]
    pub fn only_looks(self) -> bool {
        matches!(self, Self::Room | Self::Look | Self::ReadMarker | Self::AssertUnused)
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The disk fails.
    Io,
    /// There is no room.
    Full,
    /// Somebody uses it.
    Busy,
    /// The satellite's process ends here: nothing that it does from now on has any effect, nor what it would clean up.
    Crash,
}

impl Fault {
    pub(super) fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::Full => ENOSPC,
            Self::Busy => EBUSY,
            Self::Io | Self::Crash => EIO,
        })
    }
}

/// Decides what goes wrong. It is called while the disk is locked, and may not call the disk.
pub trait Faults: Send {
    /// Asked before an operation; `id` is the backing object's name, the resource's for markers, the backing for pools.
    fn before(&mut self, op: Op, id: &str) -> Option<Fault>;
}

impl<F: FnMut(Op, &str) -> Option<Fault> + Send> Faults for F {
    fn before(&mut self, op: Op, id: &str) -> Option<Fault> {
        self(op, id)
    }
}
