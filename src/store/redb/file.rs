//! The database file: making, opening, looking at, and copying it. It never makes an empty store where a file was.

use std::cell::Cell;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;

use ::redb::backends::{FileBackend, InMemoryBackend};
use ::redb::{Builder, Database, DatabaseError, StorageBackend};

use super::{CACHE_BYTES, FILE_NAME, TABLES, read};
use crate::store::error::StoreError;
use crate::store::survey::Areas;

/// Whoever may read the data folder may read every secret of the cluster.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Path of the file in that folder, both made if they are not there.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf, StoreError> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(io("make the folder", folder))?;
    let path = folder.join(FILE_NAME);
    if !path.try_exists().map_err(io("look for", &path))? {
        create(folder, &path)?;
    }
    Ok(path)
}

/// Path of the file in that folder, which must be there.
pub(super) fn must_exist(folder: &Path) -> Result<PathBuf, StoreError> {
    let path = folder.join(FILE_NAME);
    if path.try_exists().map_err(io("look for", &path))? { Ok(path) } else { Err(StoreError::Missing { path }) }
}

/// Makes an empty store under another name first: a file of that name is always whole, and an empty one is damage.
fn create(folder: &Path, path: &Path) -> Result<(), StoreError> {
    let held = File::open(folder).map_err(io("open the folder", folder))?;
    held.lock().map_err(io("lock the folder", folder))?;
    if path.try_exists().map_err(io("look for", path))? {
        return Ok(());
    }
    let new = beside(path, ".new");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(FILE_MODE).open(&new);
    let file = file.map_err(io("make", &new))?;
    guarded(path, || empty(&new, file))?;
    settle(&new, path)
}

fn empty(path: &Path, file: File) -> Result<(), StoreError> {
    let failed = |e: ::redb::Error| engine("make", path)(e);
    let backend = FileBackend::new(file).map_err(|e| failed(e.into()))?;
    let database = Builder::new().create_with_backend(backend).map_err(|e| failed(e.into()))?;
    let transaction = database.begin_write().map_err(|e| failed(e.into()))?;
    for (_, table) in TABLES {
        transaction.open_table(table).map_err(|e| failed(e.into()))?;
    }
    transaction.commit().map_err(|e| failed(e.into()))?;
    database.close().map_err(|e| failed(e.into()))
}

/// Opens a file for reading and writing; one whose process was killed is repaired by the engine.
pub(super) fn open(path: &Path) -> Result<Database, StoreError> {
    not_empty(path)?;
    guarded(path, || Builder::new().set_cache_size(CACHE_BYTES).open(path).map_err(|e| engine("open", path)(e.into())))
}

/// Reads a file without changing it.
pub(super) fn look(path: &Path) -> Result<Areas, StoreError> {
    not_empty(path)?;
    match Builder::new().set_cache_size(CACHE_BYTES).open_read_only(path) {
        Ok(database) => read(&database, path),
        Err(DatabaseError::RepairAborted) => read(&repaired_copy(path)?, path),
        Err(e) => Err(engine("open", path)(e.into())),
    }
}

/// The file as it will be once it is repaired: the repair is made in memory.
fn repaired_copy(path: &Path) -> Result<Database, StoreError> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(io("read", path))?;
    let copy = InMemoryBackend::new();
    copy.set_len(bytes.len() as u64).and_then(|()| copy.write(0, &bytes)).map_err(io("copy", path))?;
    Builder::new()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(copy)
        .map_err(|e| engine("repair a copy of", path)(e.into()))
}

/// The engine would make an empty store of an empty file, which can only be one that lost its content.
fn not_empty(path: &Path) -> Result<(), StoreError> {
    let length = fs::metadata(path).map_err(io("read", path))?.len();
    if length == 0 {
        Err(StoreError::Damaged { path: path.to_owned(), what: "it is empty".to_owned() })
    } else {
        Ok(())
    }
}

/// Copies the file to `<file>.before-schema-N`, N being the schema that is left: only the retry of a migration that was
/// cut off finds one there, and makes the same again.
pub(super) fn backup(path: &Path, schema: u32) -> Result<(), StoreError> {
    let target = beside(path, &format!(".before-schema-{schema}"));
    let part = beside(&target, ".part");
    let copied = fs::copy(path, &part).map_err(io("copy the file to", &part)).and_then(|_| settle(&part, &target));
    if copied.is_err() {
        // Half a copy is of no use to anybody, and takes the room that is missing.
        let _ = fs::remove_file(&part);
    }
    copied
}

/// Renames a finished file, and waits until name and content are on the disk.
fn settle(from: &Path, to: &Path) -> Result<(), StoreError> {
    File::open(from).and_then(|file| file.sync_all()).map_err(io("sync", from))?;
    fs::rename(from, to).map_err(io("rename to", to))?;
    let folder = to.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("sync", folder))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Turns an I/O error into ours.
pub(super) fn io<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |source| StoreError::Io { doing, path: path.to_owned(), source }
}

/// Turns an error of the engine into ours: what says that the file is not sound is damage.
pub(super) fn engine<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(::redb::Error) -> StoreError + 'a {
    use ::redb::Error as E;
    move |error| match error {
        E::DatabaseAlreadyOpen | E::LockProtocolMismatch => StoreError::Locked { path: path.to_owned() },
        E::Corrupted(what) => StoreError::Damaged { path: path.to_owned(), what },
        E::Io(e) if matches!(e.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
            StoreError::Damaged { path: path.to_owned(), what: e.to_string() }
        }
        E::TableTypeMismatch { .. } | E::TypeDefinitionChanged { .. } | E::TableIsMultimap(_) | E::RepairAborted => {
            StoreError::Damaged { path: path.to_owned(), what: error.to_string() }
        }
        E::Io(source) => StoreError::Io { doing, path: path.to_owned(), source },
        source => StoreError::Engine { doing, path: path.to_owned(), source: Box::new(source) },
    }
}

thread_local! {
    /// Whether this thread is in a call of the engine.
    static IN_ENGINE: Cell<bool> = const { Cell::new(false) };
}
/// Keeps what the engine says in a panic off the terminal: the error tells it in one line. Other panics are printed as before.
static QUIET: Once = Once::new();

fn quietly<T>(call: impl FnOnce() -> T) -> T {
    QUIET.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IN_ENGINE.get() {
                before(panic);
            }
        }));
    });
    let outer = IN_ENGINE.replace(true);
    let result = call();
    IN_ENGINE.set(outer);
    result
}

/// Runs a call of the engine; a panic in it means that the file is not what the engine wrote.
pub(super) fn guarded<T>(path: &Path, call: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    // Whatever was under way in the engine is thrown away by the caller.
    quietly(|| catch_unwind(AssertUnwindSafe(call))).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().cloned();
        let what = what.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        let what = format!("the database engine stumbled: {}", what.unwrap_or_default());
        Err(StoreError::Damaged { path: path.to_owned(), what })
    })
}
