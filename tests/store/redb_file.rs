//! What the embedded store has of its own: the file, its lock, its damage, its backup and its size.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zea::store::{Batch, FILE_NAME, Frozen, RecordKind, Redb, Schema, Store, StoreError};

use super::{content, delete, of, put};

fn filled(folder: &Path) -> PathBuf {
    let store = Redb::open(folder).unwrap();
    store.load().unwrap();
    let batch: Batch = (0..200).map(|n| put(&format!("r{n}"), &format!("\"{}\"", "x".repeat(2000)))).collect();
    store.commit(&[batch]).unwrap();
    store.path().to_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn open_and_load(folder: &Path) -> Result<usize, StoreError> {
    Ok(Redb::open(folder)?.load()?.records.len())
}

#[test]
fn folder_and_file_are_made_for_the_owner_alone() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("var/lib/zea");
    let store = Redb::open(&folder).unwrap();
    assert_eq!((mode(&folder), mode(store.path())), (0o700, 0o600));
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [FILE_NAME], "nothing else is left in the folder");
}

#[test]
fn what_a_killed_creation_left_does_not_hinder_the_next() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(format!("{FILE_NAME}.new")), "half a file").unwrap();
    assert_eq!(open_and_load(folder.path()).unwrap(), 0);
}

#[test]
fn a_file_in_use_says_who_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = Redb::open(folder.path()).unwrap();
    for error in [Redb::open(folder.path()).unwrap_err(), Frozen::read(folder.path()).unwrap_err()] {
        assert!(matches!(error, StoreError::Locked { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(FILE_NAME) && text.contains("stop zead"), "{text}");
    }
    drop(store);
    Redb::open(folder.path()).unwrap();
}

#[test]
fn a_store_that_is_not_there_is_named_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    for error in [Redb::open_existing(folder.path()).unwrap_err(), Frozen::read(folder.path()).unwrap_err()] {
        assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[test]
fn garbage_is_damage_with_a_cure_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let page = vec![0xa5; 1 << 16];
    for garbage in [&b""[..], b"x", b"not a database at all, just text", &page] {
        fs::write(&path, garbage).unwrap();
        for error in [open_and_load(folder.path()).unwrap_err(), Frozen::read(folder.path()).unwrap_err()] {
            assert!(matches!(error, StoreError::Damaged { .. }), "{} bytes: {error}", garbage.len());
            assert!(error.to_string().contains("zea store import"), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), garbage);
    }
}

#[test]
fn a_file_cut_off_anywhere_is_damage_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    let whole = fs::read(&path).unwrap();
    let mut refused = 0;
    for part in 0..32 {
        fs::write(&path, &whole[..whole.len() * part / 32]).unwrap();
        match open_and_load(folder.path()) {
            Ok(records) => assert_eq!(records, 200, "cut to {part}/32 and not noticed"),
            Err(StoreError::Damaged { .. }) => refused += 1,
            Err(other) => panic!("cut to {part}/32: {other}"),
        }
    }
    assert!(refused > 16, "only {refused} cuts were noticed");
}

#[test]
fn scribbled_pages_never_panic_nor_change_a_record_silently() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    let whole = fs::read(&path).unwrap();
    let body = format!("\"{}\"", "x".repeat(2000));
    crate::rigs::series("a store's file overwritten anywhere", "seeds 0 to 95");
    for seed in 0..96 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = whole.clone();
        // From a few bytes to some on every page.
        for _ in 0..(1 + seed) * 4 {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        fs::write(&path, &bytes).unwrap();
        let looked = Frozen::read(folder.path()).and_then(|store| store.peek());
        let opened = Redb::open(folder.path()).and_then(|store| store.load());
        for outcome in [looked, opened] {
            match outcome {
                Ok(loaded) => assert!(loaded.records.iter().all(|r| r.body == body.as_bytes()), "seed {seed}"),
                Err(StoreError::Damaged { .. }) => {}
                Err(other) => panic!("seed {seed}: {other}"),
            }
        }
    }
}

#[test]
fn looking_sees_the_records_and_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    super::contract::damage_file(&path, "resource-definition/r7", |value| value[3] ^= 1);
    let before = fs::read(&path).unwrap();
    let frozen = Frozen::read(folder.path()).unwrap();
    let peeked = frozen.peek().unwrap();
    assert_eq!((peeked.records.len(), peeked.quarantined.len()), (199, 1));
    for refusal in [frozen.load().map(drop), frozen.commit(&[vec![put("a", "1")]]).map(drop)] {
        assert!(matches!(refusal, Err(StoreError::ReadOnly { .. })));
    }
    assert!(fs::read(&path).unwrap() == before);
}

fn third(_: RecordKind, from: u32, body: Vec<u8>) -> Result<Vec<u8>, String> {
    Ok([b"[", body.as_slice(), b",", from.to_string().as_bytes(), b"]"].concat())
}

#[test]
fn a_migration_leaves_a_backup_that_the_older_version_opens() {
    let folder = tempfile::tempdir().unwrap();
    let store = Redb::open(folder.path()).unwrap();
    store.load().unwrap();
    store.commit(&[vec![put("a", "1")]]).unwrap();
    drop(store);

    let store = Redb::open_with(folder.path(), Schema::of(&[third, third])).unwrap();
    assert_eq!(content(&store), of(&[("a", "[[1,1],2]")]));
    let backup = folder.path().join(format!("{FILE_NAME}.before-schema-1"));
    let made = fs::metadata(&backup).unwrap().modified().unwrap();
    store.load().unwrap();
    assert_eq!(fs::metadata(&backup).unwrap().modified().unwrap(), made, "no backup where nothing migrates");
    drop(store);

    let older = tempfile::tempdir().unwrap();
    fs::copy(&backup, older.path().join(FILE_NAME)).unwrap();
    assert_eq!(content(&Redb::open(older.path()).unwrap()), of(&[("a", "1")]));
}

#[test]
fn a_migration_without_room_for_its_backup_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path());
    // A folder in the place of the copy stands for a disk that does not take it.
    fs::create_dir(folder.path().join(format!("{FILE_NAME}.before-schema-1.part"))).unwrap();
    let error = Redb::open_with(folder.path(), Schema::of(&[third])).unwrap().load().unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert_eq!(open_and_load(path.parent().unwrap()).unwrap(), 200, "still in the older schema");
}

#[test]
fn a_file_that_is_mostly_waste_shrinks_at_its_load() {
    let folder = tempfile::tempdir().unwrap();
    let store = Redb::open(folder.path()).unwrap();
    store.load().unwrap();
    let body = format!("\"{}\"", "x".repeat(16 << 10));
    store.commit(&[(0..1500).map(|n| put(&format!("r{n}"), &body)).collect()]).unwrap();
    store.commit(&[(10..1500).map(|n| delete(&format!("r{n}"))).collect()]).unwrap();
    drop(store);
    let path = folder.path().join(FILE_NAME);
    let before = fs::metadata(&path).unwrap().len();
    assert_eq!(open_and_load(folder.path()).unwrap(), 10);
    let after = fs::metadata(&path).unwrap().len();
    assert!(after < before / 4, "{before} bytes became {after}");
    assert_eq!(open_and_load(folder.path()).unwrap(), 10);
}
