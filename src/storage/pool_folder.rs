//! A folder for a file pool whose snapshots cost nothing: the folder itself where its file system shares blocks, else an
//! xfs of its own in an image file beside it. Never touches an image that holds something else than xfs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::drivers::file::probe_reflink;
use super::exec::{Breaker, CommandLine, Exec, Limits};
use crate::model::report::Problem;

/// Smallest image that mkfs.xfs accepts.
const MIN_IMAGE_BYTES: u64 = 320 << 20;
/// Share of what is free that an image of no given size may grow to: the rest is left for the store and for others.
const FREE_SHARE: f64 = 0.9;
/// How long mount and mkfs may take on a slow disk.
const LIMIT: Duration = Duration::from_secs(120);

/// Where the pool's files go, and how that came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolFolder {
    /// The folder's own file system shares blocks.
    Plain,
    /// An image is mounted on the folder.
    Image(PathBuf),
}

/// Prepares `folder`. `size` bounds the image where one is needed.
///
/// # Errors
/// The folder cannot be made, or the image cannot be made or mounted; then it is as it was before.
pub async fn prepare(folder: &Path, size: Option<u64>) -> Result<PoolFolder, Problem> {
    let is_new = !folder.exists();
    std::fs::create_dir_all(folder)
        .map_err(|error| problem(format!("The folder {} cannot be made", folder.display()), error.to_string()))?;
    let prepared = prepare_made(folder, size).await;
    if prepared.is_err() && is_new {
        // It is empty, or somebody else put something in: then it stays.
        let _ = std::fs::remove_dir(folder);
    }
    prepared
}

async fn prepare_made(folder: &Path, size: Option<u64>) -> Result<PoolFolder, Problem> {
    let image = folder.with_extension("xfs");
    if is_mount_point(folder) {
        return Ok(PoolFolder::Image(image));
    }
    if !image.exists() && probe_reflink(folder).unwrap_or(false) {
        return Ok(PoolFolder::Plain);
    }
    let exec = Exec::new(Limits { wait: LIMIT, ..Limits::default() });
    if !image.exists() {
        make_image(&exec, &image, folder, size).await?;
    }
    mount(&exec, &image, folder).await?;
    Ok(PoolFolder::Image(image))
}

/// Whether something is mounted on the folder; not when there is no such folder.
#[must_use]
pub fn is_mount_point(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let parent = folder.parent().and_then(|parent| std::fs::metadata(parent).ok());
    let own = std::fs::metadata(folder).ok();
    matches!((own, parent), (Some(own), Some(parent)) if own.dev() != parent.dev())
}

async fn make_image(exec: &Exec, image: &Path, folder: &Path, size: Option<u64>) -> Result<(), Problem> {
    let bytes = match size {
        Some(bytes) => bytes,
        None => free_bytes(folder)?,
    };
    if bytes < MIN_IMAGE_BYTES {
        return Err(problem(
            format!("An image of {bytes} bytes is too small for a storage pool"),
            format!(
                "xfs needs at least {MIN_IMAGE_BYTES} bytes; free some room, or name a larger size or another folder"
            ),
        ));
    }
    let partial = image.with_extension("xfs.partial");
    let made = fill_image(exec, &partial, bytes).await.and_then(|()| {
        std::fs::rename(&partial, image)
            .map_err(|error| problem(format!("The image {} cannot be made", image.display()), error.to_string()))
    });
    if made.is_err() {
        // Half an image is of no use, and the next start makes it anew.
        let _ = std::fs::remove_file(&partial);
    }
    made
}

async fn fill_image(exec: &Exec, partial: &Path, bytes: u64) -> Result<(), Problem> {
    let path = partial.display().to_string();
    let made = std::fs::File::create(partial).and_then(|file| file.set_len(bytes));
    made.map_err(|error| problem(format!("The image {path} cannot be made"), error.to_string()))?;
    run(exec, "mkfs.xfs", &["-q", "-f", "-K", "-m", "reflink=1", &path]).await
}

fn free_bytes(folder: &Path) -> Result<u64, Problem> {
    let found = nix::sys::statvfs::statvfs(folder)
        .map_err(|error| problem(format!("The room in {} cannot be told", folder.display()), error.to_string()))?;
    let free = found.blocks_available() as f64 * found.fragment_size() as f64;
    Ok((free * FREE_SHARE) as u64)
}

async fn mount(exec: &Exec, image: &Path, folder: &Path) -> Result<(), Problem> {
    let (image, folder) = (image.display().to_string(), folder.display().to_string());
    run(exec, "mount", &["-t", "xfs", "-o", "loop,nouuid,discard", &image, &folder]).await
}

async fn run(exec: &Exec, program: &str, arguments: &[&str]) -> Result<(), Problem> {
    let line = CommandLine::new(program, arguments.iter().copied());
    let done = exec.run(&line, &Breaker::default()).await;
    done.map(|_| ()).map_err(|error| error.into_problem("The storage pool's image cannot be used"))
}

fn problem(message: String, cause: String) -> Problem {
    let correction = "Use another data folder, or name a pool folder in the configuration".to_owned();
    Problem { message, cause, correction, details: String::new() }
}
