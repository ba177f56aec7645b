//! Check, export and import, over every kind of store that they are used on.

use std::io::{self, Write as _};

use zea::store::admin::{AdminError, Existing, check, export, import};
use zea::store::{Memory, Record, RecordKey, RecordKind, Redb, Schema, SharedAreas, Store, Write};

use super::{content, key, of, put};

fn exported(store: &dyn Store) -> String {
    let mut out = Vec::new();
    export(store, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn filled() -> Memory {
    let store = Memory::new();
    store.load().unwrap();
    let node = Write::Put(Record::new(RecordKey::new(RecordKind::Node, "n\"1"), "{\"big\":18446744073709551615}"));
    store.commit(&[vec![put("b", "{\n  \"x\": \"ü\"\n}"), put("a", "[1]"), node]]).unwrap();
    store
}

fn empty() -> Memory {
    Memory::new()
}

fn import_text(store: &dyn Store, text: &str, existing: Existing) -> Result<usize, AdminError> {
    import(store, &mut text.as_bytes(), existing).map(|imported| imported.records)
}

#[test]
fn an_export_is_sorted_lines_with_bodies_as_json() {
    assert_eq!(
        exported(&filled()),
        concat!(
            "{\"format\":\"zea-store-export\",\"version\":1,\"schema\":1,\"records\":3}\n",
            "{\"kind\":\"node\",\"name\":\"n\\\"1\",\"schema\":1,\"body\":{\"big\":18446744073709551615}}\n",
            "{\"kind\":\"resource-definition\",\"name\":\"a\",\"schema\":1,\"body\":[1]}\n",
            "{\"kind\":\"resource-definition\",\"name\":\"b\",\"schema\":1,\"body\":{   \"x\": \"ü\" }}\n",
        )
    );
}

#[test]
fn what_is_exported_comes_back_the_same_from_another_store() {
    let text = exported(&filled());
    let folder = tempfile::tempdir().unwrap();
    let file = Redb::open(folder.path()).unwrap();
    assert_eq!(import_text(&file, &text, Existing::Refuse).unwrap(), 3);
    assert_eq!(exported(&file), text);
    assert_eq!(import_text(&empty(), &exported(&empty()), Existing::Refuse).unwrap(), 0, "an empty one too");
}

#[test]
fn a_store_with_records_is_only_replaced_when_told() {
    let text = exported(&filled());
    let store = empty();
    store.load().unwrap();
    store.commit(&[vec![put("mine", "1"), put("a", "2")]]).unwrap();
    let refusal = import_text(&store, &text, Existing::Refuse).unwrap_err();
    assert!(matches!(refusal, AdminError::NotEmpty { records: 2 }), "{refusal}");
    assert_eq!(content(&store), of(&[("a", "2"), ("mine", "1")]));
    let imported = import(&store, &mut text.as_bytes(), Existing::Replace).unwrap();
    assert_eq!((imported.records, imported.removed), (3, 1));
    assert_eq!(exported(&store), text);
}

#[test]
fn a_bad_export_is_refused_by_line_and_imports_nothing() {
    let good = exported(&filled());
    let lines: Vec<&str> = good.lines().collect();
    let with = |line: usize, text: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = text;
        lines.join("\n")
    };
    let record =
        |kind: &str, schema: u32| format!("{{\"kind\":\"{kind}\",\"name\":\"x\",\"schema\":{schema},\"body\":1}}");
    for (text, line, why) in [
        (String::new(), 1, "no header"),
        ("PK\u{3}\u{4}".to_owned(), 1, "no header"),
        (with(1, "{\"format\":\"other\",\"version\":1,\"schema\":1,\"records\":3}"), 1, "expected"),
        (with(1, &lines[0].replace("\"version\":1", "\"version\":2")), 1, "version 2"),
        (with(1, &lines[0].replace("\"schema\":1", "\"schema\":9")), 1, "newer version"),
        (with(1, &lines[0].replace("\"records\":3", "\"records\":4")), 4, "cut off"),
        (lines[..3].join("\n"), 3, "cut off"),
        (good[..good.len() - 4].to_owned(), 4, "no record"),
        (with(3, &record("toaster", 1)), 3, "toaster"),
        (with(3, &record("node", 9)), 3, "newer version"),
        (with(3, &record("node", 0)), 3, "schema is 0"),
        (with(3, lines[1]), 3, "twice"),
        (with(3, "{\"kind\":\"node\",\"name\":\"\",\"schema\":1,\"body\":1}"), 3, "empty"),
        (with(3, ""), 3, "no record"),
    ] {
        let store = empty();
        let error = import_text(&store, &text, Existing::Refuse).unwrap_err();
        let told = error.to_string();
        assert!(matches!(error, AdminError::Line { line: at, .. } if at == line), "{why}: {told}");
        assert!(told.contains(why) && told.contains("nothing was imported"), "{why}: {told}");
        assert_eq!(content(&store), of(&[]));
    }
    let mut bytes = good.into_bytes();
    bytes[120] = 0xff;
    let error = import(&empty(), &mut bytes.as_slice(), Existing::Refuse).unwrap_err();
    assert!(error.to_string().contains("UTF-8"), "{error}");
}

fn second(_: RecordKind, _: u32, body: Vec<u8>) -> Result<Vec<u8>, String> {
    Ok([b"[", body.as_slice(), b"]"].concat())
}

#[test]
fn an_export_of_an_older_schema_is_migrated_on_its_way_in() {
    let store = Memory::over(SharedAreas::default(), Schema::of(&[second]));
    let imported = import(&store, &mut exported(&filled()).as_bytes(), Existing::Refuse).unwrap();
    assert_eq!((imported.records, imported.migrated), (3, 3));
    assert_eq!(content(&store)["a"], "[[1]]");
    assert!(exported(&store).contains("\"schema\":2"));
}

#[test]
fn a_check_tells_what_is_wrong_before_and_after_the_load_and_changes_nothing() {
    let areas = SharedAreas::default();
    let store = Memory::over(areas.clone(), Schema::default());
    store.load().unwrap();
    store.commit(&[vec![put("a", "1"), put("b", "1")]]).unwrap();
    assert!(check(&store).unwrap().is_clean());

    areas.lock().records.get_mut("resource-definition/a".as_bytes()).unwrap()[0] ^= 1;
    let before = areas.lock().clone();
    let report = check(&store).unwrap();
    assert_eq!(*areas.lock(), before);
    assert_eq!(report.records, [(RecordKind::ResourceDefinition, 1)].into());
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!(finding.key, key("a").to_string());
    assert!(finding.cause.contains("checksum") && finding.cure.contains("next start"), "{finding:?}");

    store.load().unwrap();
    let report = check(&store).unwrap();
    assert!(report.findings[0].cure.starts_with("it is in quarantine"), "{report:?}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["records"]["resource-definition"], 1);

    let migrating = Memory::over(areas, Schema::of(&[second]));
    let report = check(&migrating).unwrap();
    assert!(report.findings[0].cause.contains("older schema") && report.findings[0].key.is_empty(), "{report:?}");
}

#[test]
fn quarantined_bytes_are_exported_for_people_and_passed_over_by_the_import() {
    let store = filled();
    store.quarantine(&key("a"), "odd").unwrap();
    let text = exported(&store);
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((last["quarantined"].as_str(), last["reason"].as_str()), (Some("resource-definition/a"), Some("odd")));
    assert!(last["base64"].as_str().unwrap().starts_with("WzFd"), "[1] in base64: {last}");
    let imported = import(&empty(), &mut text.as_bytes(), Existing::Refuse).unwrap();
    assert_eq!((imported.records, imported.passed_over), (2, 1));
}

struct FullDisk;

impl io::Write for FullDisk {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_export_to_a_full_disk_fails() {
    let error = export(&filled(), &mut FullDisk).unwrap_err();
    assert!(matches!(error, AdminError::Write(_)), "{error}");
    assert!(FullDisk.write_all(b"x").is_err());
}
