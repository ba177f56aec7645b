//! The master key against vectors that other programs computed, and by itself.

use super::*;
use crate::model::encryption::Sealed;
use crate::model::secret_seed::SecretSeed;

const VECTORS: &str = include_str!("../../../../tests/fixtures/encryption/vectors.txt");

/// The fields of the vectors of a kind.
fn vectors(kind: &str) -> Vec<Vec<&'static str>> {
    let rows = VECTORS.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|fields| fields[0] == kind).map(|fields| fields[1..].to_vec()).collect()
}

fn kept(hash: &str, key: &str, salt: &str) -> Props {
    let mut props = Props::new();
    for (name, value) in [(MASTER_HASH, hash), (MASTER_KEY, key), (PASSPHRASE_SALT, salt)] {
        props.set(name, value).unwrap();
    }
    props
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_database_of_another_program_is_opened() {
    let master = vectors("master").remove(0);
    let wrapped = vectors("wrapped");
    assert_eq!(wrapped.len(), 4);
    for fields in &wrapped {
        let [passphrase, hash, key, salt] = fields[..] else { panic!("{fields:?}") };
        let props = kept(hash, key, salt);
        let wrapped = WrappedKey::kept_in(&props).unwrap();
        let opened = wrapped.unwrap_with(&Secret::new(passphrase)).unwrap();
        assert_eq!((hex(opened.bytes()).as_str(), hex(&opened.0.padded).as_str()), (master[0], master[1]));
        assert!(opened.is_kept_in(&props));
        let wrong = Secret::new(format!("{passphrase} "));
        assert_eq!(wrapped.unwrap_with(&wrong).unwrap_err(), NotOpened::Passphrase);
        for sealed in vectors("sealed") {
            let [secret, text] = sealed[..] else { panic!("{sealed:?}") };
            assert_eq!(Sealed::from_text(text).open(&opened), Some(Secret::new(secret)));
        }
    }
}

#[test]
fn a_key_may_come_under_another_passphrase_and_stays_what_it_is() {
    let mut dice = SecretSeed::repeatable(9).dice();
    let key = MasterKey::draw(&mut dice);
    let (first, second) = (Secret::new("first"), Secret::new("zweites, ä"));
    let (before, after) = (key.wrap(&first, &mut dice), key.wrap(&second, &mut dice));
    assert_eq!(before.hash, after.hash);
    assert_ne!((&before.key, &before.salt), (&after.key, &after.salt));
    assert_eq!(after.unwrap_with(&second).unwrap().bytes(), key.bytes());
    assert_eq!(after.unwrap_with(&first).unwrap_err(), NotOpened::Passphrase);
    let other = MasterKey::draw(&mut dice);
    let [hash, master, salt] = before.props().map(|(_, value)| value);
    assert!(key.is_kept_in(&kept(hash, master, salt)) && !other.is_kept_in(&kept(hash, master, salt)));
}

#[test]
fn what_is_damaged_is_told_from_a_wrong_passphrase() {
    let mut dice = SecretSeed::repeatable(9).dice();
    let passphrase = Secret::new("x");
    let whole = MasterKey::draw(&mut dice).wrap(&passphrase, &mut dice);
    let damaged = |change: fn(&mut WrappedKey)| {
        let mut wrapped = whole.clone();
        change(&mut wrapped);
        wrapped.unwrap_with(&passphrase).unwrap_err()
    };
    assert_eq!(damaged(|wrapped| wrapped.key = "?".to_owned()), NotOpened::Damaged);
    assert_eq!(damaged(|wrapped| wrapped.salt = "?".to_owned()), NotOpened::Damaged);
    assert_eq!(damaged(|wrapped| wrapped.key = "AAAA".to_owned()), NotOpened::Damaged);
    assert_eq!(damaged(|wrapped| wrapped.hash.clear()), NotOpened::Passphrase);
}

#[test]
fn nothing_of_it_is_printed() {
    let mut dice = SecretSeed::repeatable(9).dice();
    let key = MasterKey::draw(&mut dice);
    let wrapped = key.wrap(&Secret::new("x"), &mut dice);
    assert_eq!(format!("{key:?} {wrapped:?}"), "*** (wrapped)");
}
