//! The raw content of a store, as a disk may give it back: lines `area key<TAB>schema<TAB>body`, the areas `r`, `j` and `q`
//! sealed as the store seals them, `R`, `J` and `Q` as they stand. A load never fails on damage and leaves nothing to repair;
//! what it gives can be exported and imported. Stores with and without transactions give the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::store::admin::{Existing, export, import};
use zea::store::{Area, Areas, Journaled, Loaded, Memory, MemoryObjects, Schema, SharedAreas, Store, StoreError};

/// Most that a content of 4 KiB may make the program hold.
const MAX_BYTES: usize = 8 << 20;

/// A value with its trailer: schema, CRC-32 over key length, key, body and schema, the form.
fn sealed(key: &[u8], schema: u32, body: &[u8]) -> Vec<u8> {
    let mut crc = crc32fast::Hasher::new();
    for part in [&(key.len() as u64).to_le_bytes(), key, body, &schema.to_le_bytes()] {
        crc.update(part);
    }
    [body, &schema.to_le_bytes(), &crc.finalize().to_le_bytes(), &[1]].concat()
}

fn content(data: &[u8]) -> Areas {
    let mut areas = Areas::default();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((mark, rest)) = line.split_first() else { continue };
        let mut parts = rest.splitn(3, |byte| *byte == b'\t');
        let (Some(key), Some(schema), Some(body)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let schema = zea_fuzz::text(schema).and_then(|text| text.parse().ok()).unwrap_or(1);
        let area = match mark.to_ascii_lowercase() {
            b'r' => Area::Records,
            b'j' => Area::Journal,
            b'q' => Area::Quarantine,
            _ => continue,
        };
        let value = if mark.is_ascii_lowercase() { sealed(key, schema, body) } else { body.to_vec() };
        areas.area_mut(area).insert(key.to_vec(), value);
    }
    areas
}

fn shared(areas: &Areas) -> SharedAreas {
    let shared = SharedAreas::default();
    *shared.lock() = areas.clone();
    shared
}

fn is_in_order(store: &dyn Store, loaded: &Loaded) {
    let again = store.load().expect("what was loaded once is loaded again");
    assert_eq!(again.records, loaded.records);
    assert_eq!((again.replayed_journals, again.migrated), (0, 0), "nothing is left to repair");
    let keys = |loaded: &Loaded| loaded.quarantined.iter().map(|bad| bad.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&again), keys(loaded));
    let mut text = Vec::new();
    export(store, &mut text).expect("what was loaded can be exported");
    let other = Memory::new();
    let imported = import(&other, &mut text.as_slice(), Existing::Refuse);
    imported.unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&text)));
    // A body's white space is no part of the record.
    assert_eq!(other.peek().expect("it reads").records.len(), loaded.records.len());
}

fuzz_target!(|data: &[u8]| {
    let areas = content(data);
    let (whole, single) = (shared(&areas), shared(&areas));
    let store = Memory::over(whole.clone(), Schema::default());
    let objects = Journaled::new(MemoryObjects::over(single.clone(), None), Schema::default());
    let peeked = store.peek();
    let loaded = zea_fuzz::memory::within(MAX_BYTES, || store.load());
    match (loaded, objects.load()) {
        (Ok(loaded), Ok(other)) => {
            assert_eq!(peeked.expect("what loads can be looked at").records, loaded.records);
            assert_eq!(loaded, other);
            is_in_order(&store, &loaded);
            assert_eq!(*whole.lock(), *single.lock());
        }
        (Err(StoreError::Newer { .. }), Err(StoreError::Newer { .. })) => assert_eq!(*whole.lock(), areas),
        (one, other) => panic!("{one:?} {other:?}"),
    }
});
