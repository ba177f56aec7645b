//! Whose a volume's file is: a mark on the file itself, an extended attribute, set before the file gets its name. A file
//! system without such attributes has no marks, which is no error.

use std::ffi::CStr;
use std::fmt;
use std::fs::File;
use std::io;

use nix::libc::{EOPNOTSUPP, EPERM};

use super::ioctl;
use crate::model::desired::{DesiredResource, GENERATION_COUNTER_BITS};

/// Name of the attribute.
const NAME: &CStr = c"user.zea.volume";

/// The definition that a volume is made for: of several that had the same name after one another, this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(u64);

impl Owner {
    /// The definition of a desired resource.
    #[must_use]
    pub fn of(desired: &DesiredResource) -> Self {
        Self(desired.generation >> GENERATION_COUNTER_BITS)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// Marks a file, where its file system can.
pub(super) fn set(file: &File, owner: Owner) -> io::Result<()> {
    match ioctl::set_attribute(file, NAME, owner.to_string().as_bytes()) {
        // EPERM: a kind of file system that has attributes and lets nobody set this one.
        Err(error) if matches!(error.raw_os_error(), Some(EOPNOTSUPP | EPERM)) => Ok(()),
        done => done,
    }
}

/// Whether a file carries this mark.
pub(super) fn is_of(file: &File, owner: Owner) -> io::Result<bool> {
    let found = ioctl::attribute(file, NAME)?;
    Ok(found.is_some_and(|found| found == owner.to_string().as_bytes()))
}

/// The command that marks a file by hand.
pub(super) fn command(path: &str, owner: Owner) -> String {
    format!("setfattr -n {} -v {owner} '{path}'", NAME.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_owner() {
        let file = tempfile::tempfile_in(".").expect("a file");
        assert!(!is_of(&file, Owner(7)).expect("none"));
        set(&file, Owner(7)).expect("set");
        if !is_of(&file, Owner(7)).expect("read") {
            println!("skipped: this file system has no extended attributes");
            return;
        }
        assert!(!is_of(&file, Owner(0x77)).expect("another"));
        set(&file, Owner(8)).expect("set anew");
        assert!(is_of(&file, Owner(8)).expect("read") && !is_of(&file, Owner(7)).expect("read"));
    }

    #[test]
    fn where_there_are_no_marks_nothing_is_marked() {
        let file = File::open("/proc/version").expect("proc");
        assert!(!is_of(&file, Owner(0)).expect("none"));
        assert_eq!(command("/pool/a b.img", Owner(0xAB)), "setfattr -n user.zea.volume -v 000000ab '/pool/a b.img'");
    }
}
