//! `zead release`: gives the loop devices and the mount of a standalone's data folder back to the machine. Deletes nothing.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::StartError;
use crate::config::Config;
use crate::storage::release as storage;
use crate::store::{Redb, StoreError};

/// Detaches and unmounts what a standalone with this configuration left when it ended; lines for people tell what.
///
/// # Errors
/// There is no such folder, the daemon runs, or something is in use: named, and nothing was done.
pub fn release(config: &Config) -> Result<Vec<String>, StartError> {
    let folder = config.pool_dir();
    refuse_missing(&config.node.data, &folder)?;
    // Held to the end, so that no daemon starts meanwhile.
    let held = lock(config)?;
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
    if let Held::Unread { why, .. } = &held {
        lines.push(format!("the store was left as it is: {why}"));
    }
    drop(held);
    Ok(lines)
}

fn refuse_missing(data: &Path, pool: &Path) -> Result<(), StartError> {
    if data.exists() || pool.exists() {
        return Ok(());
    }
    Err(StartError::Machine {
        message: "Nothing was given back: there is no such data folder".to_owned(),
        cause: format!("{} does not exist", data.display()),
        cure: "Name the folder that zead ran with: zead release --data folder".to_owned(),
    })
}

/// Who holds the store; a damaged one is held as well, only without being read.
enum Held {
    Nothing,
    Store { _store: Redb },
    Unread { _file: File, why: StoreError },
}

fn lock(config: &Config) -> Result<Held, StartError> {
    let path = config.store_path();
    match Redb::open_existing(path.parent().unwrap_or(Path::new("."))) {
        Ok(store) => Ok(Held::Store { _store: store }),
        Err(StoreError::Missing { .. }) => Ok(Held::Nothing),
        Err(StoreError::Locked { path }) => Err(runs(&path)),
        Err(why) => lock_unread(&path, why),
    }
}

fn lock_unread(path: &Path, why: StoreError) -> Result<Held, StartError> {
    let file = File::open(path).map_err(StartError::io(format!("opening {}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(Held::Unread { _file: file, why }),
        Err(TryLockError::WouldBlock) => Err(runs(path)),
        Err(TryLockError::Error(error)) => Err(StartError::io(format!("locking {}", path.display()))(error)),
    }
}

fn runs(path: &Path) -> StartError {
    StartError::Machine {
        message: "Nothing was given back: the daemon runs".to_owned(),
        cause: format!("{} is open in another process", path.display()),
        cure: "Stop zead, then try again".to_owned(),
    }
}
