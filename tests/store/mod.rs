//! The store from outside: one contract for all of them, and what each has of its own.

mod admin;
mod contract;
mod cost;
mod journal;
mod kill;
mod redb_file;

use std::collections::BTreeMap;

use zea::store::{Record, RecordKey, RecordKind, Store, Write};

fn key(name: &str) -> RecordKey {
    RecordKey::new(RecordKind::ResourceDefinition, name)
}

fn put(name: &str, body: &str) -> Write {
    Write::Put(Record::new(key(name), body))
}

fn delete(name: &str) -> Write {
    Write::Delete(key(name))
}

/// Name to body of everything that a store holds.
type Content = BTreeMap<String, String>;

fn content(store: &dyn Store) -> Content {
    let loaded = store.load().expect("the store loads");
    loaded.records.into_iter().map(|r| (r.key.name, String::from_utf8(r.body).unwrap())).collect()
}

fn of(pairs: &[(&str, &str)]) -> Content {
    pairs.iter().map(|(name, body)| ((*name).to_owned(), (*body).to_owned())).collect()
}
