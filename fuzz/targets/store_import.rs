//! An export that is brought into a store. What is taken is exported again as records that another store takes and exports
//! the same; what is refused leaves the store as it was and names a line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::store::admin::{AdminError, Existing, export, import};
use zea::store::{Memory, Record, RecordKey, RecordKind, Store, Write};

/// Most that an export of 2 KiB may make the program hold.
const MAX_BYTES: usize = 4 << 20;

fn with_one_record() -> Memory {
    let store = Memory::new();
    store.load().expect("an empty store loads");
    let record = Record::new(RecordKey::new(RecordKind::Remote, "there"), "{}");
    store.commit(&[vec![Write::Put(record)]]).expect("a legal record");
    store
}

fn exported(store: &Memory) -> Vec<u8> {
    let mut text = Vec::new();
    export(store, &mut text).expect("what a store holds can be exported");
    text
}

fn taken(store: &Memory) {
    let text = exported(store);
    let other = Memory::new();
    import(&other, &mut text.as_slice(), Existing::Refuse).expect("what was exported can be imported");
    assert_eq!(other.peek().expect("it reads").records, store.peek().expect("it reads").records);
    assert_eq!(exported(&other), text);
}

fuzz_target!(|data: &[u8]| {
    let fresh = Memory::new();
    let result = zea_fuzz::memory::within(MAX_BYTES, || import(&fresh, &mut &*data, Existing::Refuse));
    let full = with_one_record();
    let before = full.peek().expect("it reads");
    match result {
        Ok(imported) => {
            assert_eq!(fresh.peek().expect("it reads").records.len(), imported.records);
            taken(&fresh);
            let refused = import(&full, &mut &*data, Existing::Refuse);
            assert!(matches!(refused, Err(AdminError::NotEmpty { records: 1 })));
            assert_eq!(full.peek().expect("it reads"), before);
            import(&full, &mut &*data, Existing::Replace).expect("what a store takes, another takes");
            assert_eq!(full.peek().expect("it reads").records, fresh.peek().expect("it reads").records);
        }
        Err(error) => {
            assert!(matches!(error, AdminError::Line { .. }), "{error}");
            assert!(import(&full, &mut &*data, Existing::Replace).is_err());
            assert_eq!(full.peek().expect("it reads"), before, "a refusal changes nothing");
        }
    }
});
