//! What a failed command of LVM means for people: cause and cure by what it says. Runs nothing.

use crate::model::report::Problem;
use crate::protocols::lvm::{Failure, Unreadable};
use crate::storage::exec::{CommandLine, ExecError, Output};
use crate::storage::problem::problem;

/// What a command is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// The group.
    pub(super) group: &'a str,
    /// The volume; empty where it is the group itself.
    pub(super) volume: &'a str,
    /// What was to be reached and was not, for people.
    pub(super) message: &'a str,
}

impl About<'_> {
    /// `group/volume`, or the group.
    pub(super) fn place(&self) -> String {
        if self.volume.is_empty() { self.group.to_owned() } else { format!("{}/{}", self.group, self.volume) }
    }
}

/// The problem of a command that failed.
pub(super) fn problem_of(about: About<'_>, known: Option<Failure>, line: &CommandLine, output: &Output) -> Problem {
    let mut told = ExecError::Exit { command: line.to_string(), output: output.clone() }.into_problem(about.message);
    let said = known_words(&output.stderr);
    if let Some((cause, cure)) = known.map(|failure| words(about, failure)) {
        told.cause = if said.is_empty() { cause } else { format!("{cause} (LVM says: {said})") };
        told.correction = cure;
    }
    told
}

/// The problem of output that is not understood.
pub(super) fn unreadable(about: About<'_>, line: &CommandLine, error: &Unreadable) -> Problem {
    problem(
        about.message,
        format!("{}: {error}", line.program),
        "Run it by hand and look at what it prints; this version of LVM may print something else than is known.",
    )
}

/// The last line that is no warning.
fn known_words(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim);
    let mut told = lines.filter(|line| !line.is_empty() && !line.starts_with("WARNING") && !line.starts_with("See "));
    told.rfind(|line| !line.starts_with("Cannot process")).unwrap_or_default().to_owned()
}

fn words(about: About<'_>, failure: Failure) -> (String, String) {
    let (group, place) = (about.group, about.place());
    let (cause, cure) = match failure {
        Failure::NoSpace => (
            format!("volume group {group} has not enough free extents"),
            format!("Remove volumes or snapshots, or give the group another disk: vgextend {group} DISK."),
        ),
        Failure::ThinFull => (
            format!("the thin pool in {group} is full, or its metadata is"),
            format!(
                "See `lvs {group}`. Remove volumes or snapshots, or enlarge it: lvextend -L +SIZE {group}/POOL for data, \
                 lvextend --poolmetadatasize +SIZE {group}/POOL for metadata."
            ),
        ),
        Failure::PoolBroken => (
            format!("the thin pool in {group} is damaged"),
            format!(
                "Deactivate its volumes and repair it: lvconvert --repair {group}/POOL. Nothing is written until then."
            ),
        ),
        Failure::NoGroup => (
            format!("volume group {group} is not there"),
            "Bring its disks back (lsblk, pvs), or correct the pool's StorDriver/StorPoolName.".to_owned(),
        ),
        Failure::NoVolume => (
            format!("{place} is not there any more"),
            "Somebody removed or renamed it: look with lvs. It is looked at anew.".to_owned(),
        ),
        Failure::Exists => (
            format!("something of that name is in {group} already"),
            "It is looked at anew; if it is not the volume's, move it away with lvrename.".to_owned(),
        ),
        Failure::DiskMissing => (
            format!("a disk of volume group {group} is gone"),
            format!(
                "Bring the disk back (pvs shows which is missing); or, if it is lost for good, remove it with what lay on \
                 it: vgreduce --removemissing --force {group}."
            ),
        ),
        Failure::Busy => {
            (format!("{place} is in use"), "Unmount it, or stop what uses it; then it is done by itself.".to_owned())
        }
        Failure::Frozen => (
            format!("{place} cannot be suspended: a file system on it is frozen, or it is in use otherwise"),
            "Thaw the file system (fsfreeze -u); it is tried again.".to_owned(),
        ),
        Failure::Locked => (
            format!("another LVM command holds the lock of {group}"),
            "Wait for it, or end it if it hangs (ps -C lvm,lvs,lvcreate,lvremove).".to_owned(),
        ),
        Failure::NoKernel => (
            "the kernel has no device mapper, or not the target that is needed".to_owned(),
            "Load the modules dm-mod, dm-thin-pool and dm-snapshot on the node (modprobe).".to_owned(),
        ),
        Failure::Unchanged => ("it has that size already".to_owned(), "Nothing is to be done.".to_owned()),
        Failure::OriginActive => (
            format!("{place} has snapshots and is active"),
            "Remove its snapshots, or stop what uses it; then it is done by itself.".to_owned(),
        ),
        Failure::Exported => (format!("volume group {group} is exported"), format!("Import it: vgimport {group}.")),
        Failure::Io => (
            format!("a disk of volume group {group} does not read or write"),
            "See the kernel log and the disk's health, and replace the disk; it is tried again.".to_owned(),
        ),
    };
    (cause, cure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::lvm::failure;

    const ABOUT: About<'static> = About { group: "vg", volume: "web_00000", message: "The volume cannot be made" };

    fn told(stderr: &str) -> Problem {
        let output = Output { code: 5, stdout: String::new(), stderr: stderr.to_owned() };
        problem_of(ABOUT, failure(stderr), &CommandLine::new("lvcreate", ["x"]), &output)
    }

    #[test]
    fn cause_and_cure_by_what_lvm_says() {
        let table = [
            (
                "  Volume group \"vg\" has insufficient free space (47 extents): 25600 required.",
                "47 extents",
                "vgextend vg",
            ),
            (
                "  Cannot create new thin volume, free space in thin pool vg/thin reached threshold.",
                "full",
                "--poolmetadatasize",
            ),
            (
                "  Cannot change VG vg while PVs are missing.\n  See vgreduce x.\n",
                "is gone (LVM says: Cannot change",
                "vgreduce",
            ),
            (
                "  Volume group \"vg\" not found\n  Cannot process volume group vg",
                "not there (LVM says: Volume",
                "StorPoolName",
            ),
            ("  Logical volume vg/web_00000 contains a filesystem in use.", "vg/web_00000 is in use", "Unmount"),
            ("  x: target(s) not detected in your kernel.", "no device mapper", "modprobe"),
        ];
        for (stderr, cause, cure) in table {
            let problem = told(stderr);
            assert!(problem.cause.contains(cause) && problem.correction.contains(cure), "{problem:?}");
            assert!(problem.details.contains("command: lvcreate x"), "{problem:?}");
            assert_eq!(problem.message, ABOUT.message);
        }
    }

    #[test]
    fn what_is_not_known_is_repeated() {
        let problem = told("  WARNING: a\n  Something new.");
        assert!(problem.cause.ends_with("failed with exit code 5:   Something new."), "{problem:?}");
    }

    #[test]
    fn every_failure_has_cause_and_cure() {
        use Failure as F;
        let all = [
            F::NoSpace,
            F::ThinFull,
            F::PoolBroken,
            F::NoGroup,
            F::NoVolume,
            F::Exists,
            F::DiskMissing,
            F::Busy,
            F::Frozen,
            F::Locked,
            F::NoKernel,
            F::Unchanged,
            F::OriginActive,
            F::Exported,
            F::Io,
        ];
        for failure in all {
            let (cause, cure) = words(ABOUT, failure);
            assert!(!cause.is_empty() && cure.ends_with('.'), "{failure:?}");
        }
        assert_eq!(About { volume: "", ..ABOUT }.place(), "vg");
    }
}
