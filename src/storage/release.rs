//! Gives a pool's folder back to the machine: detaches the loop devices on its files and unmounts its image. Removes no
//! data, and does nothing at all while something of it is in use.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exec::{Breaker, CommandLine, Exec, Limits};
use super::loops::Loops;
use super::pool_folder::is_mount_point;
use super::problem::{io_problem, problem};
use crate::model::report::Problem;

/// Tries to unmount, with [`UNMOUNT_PAUSE`] between them: two seconds. Looks of others at a device take milliseconds; what
/// is in use for longer is in use.
const UNMOUNT_TRIES: u32 = 20;
const UNMOUNT_PAUSE: Duration = Duration::from_millis(100);

/// What was given back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Released {
    /// Files whose loop devices were detached.
    pub detached: Vec<PathBuf>,
    /// Whether an image was unmounted from the folder.
    pub unmounted: bool,
}

/// Detaches and unmounts what belongs to `folder`. A folder that is not there has nothing to give back.
///
/// # Errors
/// Something is in use, which the error names, and nothing was done; or the kernel refused.
pub async fn release(folder: &Path) -> Result<Released, Problem> {
    let failed = |error: std::io::Error| io_problem("The pool cannot be given back", folder, &error);
    if !folder.try_exists().map_err(failed)? {
        return Ok(Released::default());
    }
    let folder = folder.canonicalize().map_err(failed)?;
    let loops = Loops::default();
    loops.adopt(&folder).map_err(|error| io_problem("Loop devices cannot be looked for", &folder, &error))?;
    let files = loops.files();
    refuse_used(&loops, &files)?;
    for file in &files {
        loops.detach(file)?;
    }
    let unmounted = is_mount_point(&folder);
    if unmounted {
        unmount(&folder).await?;
    }
    Ok(Released { detached: files, unmounted })
}

fn refuse_used(loops: &Loops, files: &[PathBuf]) -> Result<(), Problem> {
    let used: Vec<String> = files
        .iter()
        .filter_map(|file| loops.assert_unused(file).err().map(|why| format!("{} ({})", why.cause, file.display())))
        .collect();
    if used.is_empty() {
        return Ok(());
    }
    Err(problem(
        "Volumes are in use: nothing was given back",
        used.join("; "),
        "Unmount them, or stop what uses them, and try again",
    ))
}

/// Tries again for a while: a device that somebody had a look at while it was detached gives its file back a moment later.
async fn unmount(folder: &Path) -> Result<(), Problem> {
    let exec = Exec::new(Limits::default());
    let line = CommandLine::new("umount", [folder.display().to_string()]);
    let mut left = UNMOUNT_TRIES;
    loop {
        left -= 1;
        match exec.run(&line, &Breaker::default()).await {
            Ok(_) => return Ok(()),
            Err(error) if left == 0 => return Err(error.into_problem("The pool's image cannot be unmounted")),
            Err(_) => tokio::time::sleep(UNMOUNT_PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn what_holds_nothing_gives_nothing_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(block_on(release(&folder.path().join("none"))), Ok(Released::default()));
        std::fs::write(folder.path().join("web_00000.img"), "x").unwrap();
        assert_eq!(block_on(release(folder.path())), Ok(Released::default()));
        assert!(folder.path().join("web_00000.img").exists());
    }
}
