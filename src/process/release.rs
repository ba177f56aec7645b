//! `zead release`: gives the loop devices and the mount of a standalone's data folder back to the machine. Deletes nothing.

use super::StartError;
use crate::config::Config;
use crate::storage::release as storage;
use crate::store::{Redb, StoreError};

/// Detaches and unmounts what a standalone with this configuration left when it ended; lines for people tell what.
///
/// # Errors
/// The daemon runs, or something is in use: named, and nothing was done.
pub fn release(config: &Config) -> Result<Vec<String>, StartError> {
    // Held to the end, so that no daemon starts meanwhile.
    let _store = lock(config)?;
    let folder = config.pool_dir();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(StartError::io("starting to wait for commands"))?;
    let released = runtime.block_on(storage::release(&folder))?;
    let mut lines: Vec<String> =
        released.detached.iter().map(|file| format!("detached the loop device of {}", file.display())).collect();
    if released.unmounted {
        lines.push(format!("unmounted {}", folder.display()));
    }
    if lines.is_empty() {
        lines.push(format!("nothing of {} is attached or mounted", folder.display()));
    }
    Ok(lines)
}

fn lock(config: &Config) -> Result<Option<Redb>, StartError> {
    let path = config.store_path();
    let folder = path.parent().unwrap_or(std::path::Path::new("."));
    match Redb::open_existing(folder) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(StoreError::Locked { path }) => Err(StartError::Machine {
            message: "Nothing was given back: the daemon runs".to_owned(),
            cause: format!("{} is open in another process", path.display()),
            cure: "Stop zead, then try again".to_owned(),
        }),
        Err(error) => Err(error.into()),
    }
}
