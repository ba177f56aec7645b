//! The contract of `trait Store`, the same against every store.

use std::path::Path;

use redb::{Database, ReadableTable, TableDefinition};
use zea::store::{
    Found, Journaled, Memory, MemoryObjects, Record, RecordKey, RecordKind, Redb, Schema, SharedAreas, Store,
    StoreError, Write,
};

use super::{content, delete, key, of, put};

/// A store that can be closed, opened again, and damaged while it is closed.
trait Rig {
    fn open(&self, schema: Schema) -> Box<dyn Store>;
    fn damage(&self, key: &str, damage: fn(&mut Vec<u8>));
}

struct InMemory(SharedAreas);
struct InJournaled(SharedAreas);
struct InFile(tempfile::TempDir);

fn damage_shared(areas: &SharedAreas, key: &str, damage: fn(&mut Vec<u8>)) {
    damage(areas.lock().records.get_mut(key.as_bytes()).expect("the record is there"));
}

impl Rig for InMemory {
    fn open(&self, schema: Schema) -> Box<dyn Store> {
        Box::new(Memory::over(self.0.clone(), schema))
    }
    fn damage(&self, key: &str, damage: fn(&mut Vec<u8>)) {
        damage_shared(&self.0, key, damage);
    }
}

impl Rig for InJournaled {
    fn open(&self, schema: Schema) -> Box<dyn Store> {
        Box::new(Journaled::new(MemoryObjects::over(self.0.clone(), None), schema))
    }
    fn damage(&self, key: &str, damage: fn(&mut Vec<u8>)) {
        damage_shared(&self.0, key, damage);
    }
}

impl Rig for InFile {
    fn open(&self, schema: Schema) -> Box<dyn Store> {
        Box::new(Redb::open_with(self.0.path(), schema).unwrap())
    }
    fn damage(&self, key: &str, damage: fn(&mut Vec<u8>)) {
        damage_file(&self.0.path().join(zea::store::FILE_NAME), key, damage);
    }
}

pub(super) fn damage_file(path: &Path, key: &str, damage: fn(&mut Vec<u8>)) {
    let database = Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(TableDefinition::<&[u8], &[u8]>::new("records")).unwrap();
        let mut value = table.get(key.as_bytes()).unwrap().expect("the record is there").value().to_vec();
        damage(&mut value);
        table.insert(key.as_bytes(), value.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

fn rigs() -> [(&'static str, Box<dyn Rig>); 3] {
    [
        ("memory", Box::new(InMemory(SharedAreas::default()))),
        ("journaled memory", Box::new(InJournaled(SharedAreas::default()))),
        ("redb", Box::new(InFile(tempfile::tempdir().unwrap()))),
    ]
}

/// Runs a part of the contract against every store; the store's name goes into the panic message of a failure.
fn against_all(part: impl Fn(&dyn Rig)) {
    for (name, rig) in rigs() {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| part(rig.as_ref())));
        assert!(outcome.is_ok(), "the contract does not hold for: {name}");
    }
}

fn opened(rig: &dyn Rig) -> Box<dyn Store> {
    let store = rig.open(Schema::default());
    store.load().unwrap();
    store
}

#[test]
fn an_empty_store_loads_empty() {
    against_all(|rig| assert_eq!(rig.open(Schema::default()).load().unwrap(), Default::default()));
}

#[test]
fn what_is_committed_is_there_after_reopening() {
    against_all(|rig| {
        let store = opened(rig);
        store.commit(&[vec![put("a", "1"), put("b", "2")], vec![put("c", "{\"x\":[1,2]}")]]).unwrap();
        store.commit(&[vec![put("a", "3"), delete("b"), delete("never-there")]]).unwrap();
        let expected = of(&[("a", "3"), ("c", "{\"x\":[1,2]}")]);
        assert_eq!(content(store.as_ref()), expected);
        drop(store);
        assert_eq!(content(rig.open(Schema::default()).as_ref()), expected);
    });
}

#[test]
fn writes_of_one_commit_happen_in_their_order() {
    against_all(|rig| {
        let store = opened(rig);
        store.commit(&[vec![put("a", "1"), delete("a"), put("b", "1"), put("b", "2")], vec![put("b", "3")]]).unwrap();
        assert_eq!(content(store.as_ref()), of(&[("b", "3")]));
    });
}

#[test]
fn a_commit_tells_what_it_did() {
    against_all(|rig| {
        let store = opened(rig);
        let first = store.commit(&[vec![put("a", "123"), delete("b")], vec![put("c", "4")]]).unwrap();
        assert_eq!((first.sequence, first.writes, first.bytes), (1, 3, 4));
        let empty = store.commit(&[vec![], vec![]]).unwrap();
        assert_eq!((empty.sequence, empty.writes, empty.bytes), (1, 0, 0));
        assert_eq!(store.commit(&[vec![delete("a")]]).unwrap().sequence, 2);
    });
}

#[test]
fn records_come_in_the_order_of_their_keys_whatever_their_names() {
    against_all(|rig| {
        let store = opened(rig);
        let names = ["z", "a/b", "ü", "a", "pvc-1 2", "A"];
        let keys = |kind| names.map(|name| RecordKey::new(kind, name));
        let mut all: Vec<_> = RecordKind::ALL.into_iter().rev().flat_map(keys).collect();
        store.commit(&[all.iter().map(|key| Write::Put(Record::new(key.clone(), "null"))).collect()]).unwrap();
        all.sort();
        let loaded: Vec<_> = store.load().unwrap().records.into_iter().map(|r| r.key).collect();
        assert_eq!(loaded, all);
    });
}

#[test]
fn a_commit_before_the_load_is_refused() {
    against_all(|rig| {
        let store = rig.open(Schema::default());
        assert!(matches!(store.commit(&[vec![put("a", "1")]]), Err(StoreError::NotLoaded)));
        assert_eq!(content(store.as_ref()), of(&[]));
        store.commit(&[vec![put("a", "1")]]).unwrap();
    });
}

#[test]
fn what_could_not_be_read_back_refuses_the_whole_commit_and_harms_nothing() {
    against_all(|rig| {
        let store = opened(rig);
        let newer = Write::Put(Record { key: key("b"), schema: 2, body: b"1".to_vec() });
        for bad in [put("b", "{"), put("", "1"), put("b\n", "1"), put("b", ""), delete(""), newer] {
            let refusal = store.commit(&[vec![put("a", "1")], vec![put("c", "1"), bad]]).unwrap_err();
            assert!(matches!(refusal, StoreError::Refused { .. }), "{refusal}");
        }
        store.commit(&[vec![put("d", "1")]]).unwrap();
        assert_eq!(content(store.as_ref()), of(&[("d", "1")]));
    });
}

#[test]
fn large_bodies_and_many_records_survive() {
    against_all(|rig| {
        let store = opened(rig);
        let large = format!("\"{}\"", "x".repeat(3 << 20));
        let batches: Vec<_> = (0..500).map(|n| vec![put(&format!("r{n}"), "{}"), put(&format!("s{n}"), "1")]).collect();
        store.commit(&batches).unwrap();
        store.commit(&[vec![put("large", &large)]]).unwrap();
        drop(store);
        let content = content(rig.open(Schema::default()).as_ref());
        assert_eq!(content.len(), 1001);
        assert!(content["large"] == large);
    });
}

#[test]
fn a_damaged_record_is_quarantined_and_the_rest_loads() {
    let damages: [fn(&mut Vec<u8>); 4] = [
        |value| value[0] ^= 0x20,
        |value| value.truncate(3),
        Vec::clear,
        |value| value.iter_mut().for_each(|byte| *byte = 0xff),
    ];
    against_all(|rig| {
        for damage in damages {
            let store = opened(rig);
            store.commit(&[vec![put("sound", "1"), put("hurt", "{\"a\":1}")]]).unwrap();
            drop(store);
            rig.damage("resource-definition/hurt", damage);

            let store = rig.open(Schema::default());
            let peeked = store.peek().unwrap();
            let loaded = store.load().unwrap();
            assert_eq!(peeked, loaded, "peek foretells the load");
            assert_eq!(loaded.records.len(), 1);
            let now: Vec<_> = loaded.quarantined.iter().filter(|q| q.found == Found::Now).collect();
            assert_eq!(now.len(), 1);
            assert_eq!(now[0].key, "resource-definition/hurt");
            assert!(!now[0].reason.is_empty());

            store.commit(&[vec![put("hurt", "2")]]).unwrap();
            drop(store);
            let again = rig.open(Schema::default()).load().unwrap();
            assert_eq!(again.records.len(), 2, "the name is free for a new record");
            assert!(again.quarantined.iter().all(|q| q.found == Found::Earlier));
        }
        assert_eq!(opened(rig).load().unwrap().quarantined.len(), damages.len(), "each damage is kept");
    });
}

#[test]
fn a_record_that_its_reader_cannot_understand_is_quarantined_on_demand() {
    against_all(|rig| {
        let store = opened(rig);
        store.commit(&[vec![put("odd", "{\"layer\":\"magic\"}"), put("sound", "1")]]).unwrap();
        store.quarantine(&key("odd"), "unknown layer magic").unwrap();
        store.quarantine(&key("never-there"), "x").unwrap();
        store.commit(&[vec![put("next", "1")]]).unwrap();
        let loaded = store.load().unwrap();
        assert_eq!(loaded.records.len(), 2);
        assert_eq!(loaded.quarantined.len(), 1);
        let odd = &loaded.quarantined[0];
        assert_eq!((odd.key.as_str(), odd.reason.as_str()), ("resource-definition/odd", "unknown layer magic"));
        assert!(odd.bytes.starts_with(b"{\"layer\":\"magic\"}"));
    });
}

fn second(kind: RecordKind, from: u32, body: Vec<u8>) -> Result<Vec<u8>, String> {
    assert_eq!((kind, from), (RecordKind::ResourceDefinition, 1));
    match body.as_slice() {
        b"\"hopeless\"" => Err("hopeless".to_owned()),
        body => Ok([b"[", body, b"]"].concat()),
    }
}

#[test]
fn older_records_are_migrated_once_and_newer_ones_refuse_the_load() {
    against_all(|rig| {
        let store = opened(rig);
        store.commit(&[vec![put("a", "1"), put("bad", "\"hopeless\"")]]).unwrap();
        drop(store);

        let two = Schema::of(&[second]);
        let store = rig.open(two);
        assert_eq!(store.peek().unwrap().migrated, 1);
        let loaded = store.load().unwrap();
        assert_eq!((loaded.migrated, loaded.quarantined.len()), (1, 1));
        assert!(loaded.quarantined[0].reason.contains("hopeless"));
        assert_eq!((loaded.records[0].schema, loaded.records[0].body.as_slice()), (2, &b"[1]"[..]));
        drop(store);
        assert_eq!(rig.open(two).load().unwrap().migrated, 0, "the second load finds it done");

        let refusal = rig.open(Schema::default()).load().unwrap_err();
        let text = refusal.to_string();
        assert!(matches!(refusal, StoreError::Newer { found: 2, ours: 1, .. }), "{text}");
        assert!(text.contains("resource-definition/a") && text.contains("newer version"), "{text}");
        assert_eq!(content(rig.open(two).as_ref()), of(&[("a", "[1]")]), "the refused load changed nothing");
    });
}
