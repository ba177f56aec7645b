//! Errors of the operating system as [`Problem`]s for people: with path, cause and cure.

use std::io;
use std::path::Path;

use crate::model::report::Problem;

/// What an operation on a path that failed means, and what helps.
pub(super) fn io_problem(message: impl Into<String>, path: &Path, error: &io::Error) -> Problem {
    Problem {
        message: message.into(),
        cause: format!("{}: {error}", path.display()),
        correction: cure(error).to_owned(),
        details: String::new(),
    }
}

/// A problem of fixed words.
pub(super) fn problem(message: impl Into<String>, cause: impl Into<String>, correction: impl Into<String>) -> Problem {
    Problem { message: message.into(), cause: cause.into(), correction: correction.into(), details: String::new() }
}

fn cure(error: &io::Error) -> &'static str {
    use io::ErrorKind as K;
    match error.kind() {
        K::StorageFull | K::QuotaExceeded => {
            "The storage pool is full: remove volumes or snapshots, or enlarge the file system that it lies on."
        }
        K::ReadOnlyFilesystem => {
            "The file system is read-only: look at the kernel log for its reason, repair it and mount it for writing."
        }
        K::PermissionDenied => "The satellite needs root, and in a container the privileged mode with the host's /dev.",
        K::NotFound => "Check that the path exists, and that the file system which holds it is mounted.",
        K::FileTooLarge => "The file system cannot hold files of this size: use xfs, or make a smaller volume.",
        K::ResourceBusy => "End whatever uses it; it is tried again.",
        _ => "Look at the kernel log of the node; it is tried again.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cure_fits_the_cause() {
        for (errno, word) in [(28, "full"), (30, "read-only"), (13, "root"), (2, "mounted"), (5, "kernel log")] {
            let error = io::Error::from_raw_os_error(errno);
            let problem = io_problem("Making it failed", Path::new("/x/y"), &error);
            assert!(problem.correction.contains(word), "{problem:?}");
            assert!(problem.cause.starts_with("/x/y: "), "{problem:?}");
        }
    }
}
