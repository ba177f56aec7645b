//! From the raw content of a store to its records, and the raw changes that mend what is not in order. Pure: it never
//! touches the store, so that looking and repairing see the same.

use std::collections::{BTreeMap, BTreeSet};

use super::error::StoreError;
use super::migrate::Schema;
use super::record::{Record, RecordKey, Write, judge_json};
use super::{Found, Loaded, Quarantined, envelope, journal};

/// One of the three parts of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// `kind/name` to sealed body.
    Records,
    /// Sequence number to the writes of a decision that is under way.
    Journal,
    /// What could not be read.
    Quarantine,
}

/// Keys and values of one area, as they lie in the store.
pub type RawMap = BTreeMap<Vec<u8>, Vec<u8>>;

/// The raw content of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Areas {
    /// See [`Area::Records`].
    pub records: RawMap,
    /// See [`Area::Journal`].
    pub journal: RawMap,
    /// See [`Area::Quarantine`].
    pub quarantine: RawMap,
}

impl Areas {
    /// One area.
    pub fn area(&self, area: Area) -> &RawMap {
        match area {
            Area::Records => &self.records,
            Area::Journal => &self.journal,
            Area::Quarantine => &self.quarantine,
        }
    }

    /// One area, to change it.
    pub fn area_mut(&mut self, area: Area) -> &mut RawMap {
        match area {
            Area::Records => &mut self.records,
            Area::Journal => &mut self.journal,
            Area::Quarantine => &mut self.quarantine,
        }
    }

    pub(crate) fn apply(&mut self, change: RawChange) {
        let map = self.area_mut(change.area);
        match change.value {
            Some(value) => map.insert(change.key, value),
            None => map.remove(&change.key),
        };
    }
}

/// One change of the raw content; without a value it is a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawChange {
    pub area: Area,
    pub key: Vec<u8>,
    pub value: Option<Vec<u8>>,
}

impl RawChange {
    pub fn put(area: Area, key: Vec<u8>, value: Vec<u8>) -> Self {
        RawChange { area, key, value: Some(value) }
    }

    pub fn remove(area: Area, key: Vec<u8>) -> Self {
        RawChange { area, key, value: None }
    }

    /// What a write means for the records.
    pub fn of(write: &Write) -> Self {
        let key = write.key().to_bytes();
        match write {
            Write::Put(record) => {
                let value = envelope::seal(&key, record.schema, &record.body);
                RawChange::put(Area::Records, key, value)
            }
            Write::Delete(_) => RawChange::remove(Area::Records, key),
        }
    }

    /// Moves an entry of an area into quarantine. The copy comes first, under a key that depends on the content only:
    /// cut off in between and repeated, it gives the same.
    pub fn quarantine(area: Area, key: &[u8], value: &[u8], reason: &str) -> [RawChange; 2] {
        let mut label = if area == Area::Journal { b"journal/".to_vec() } else { Vec::new() };
        label.extend_from_slice(key);
        label.extend_from_slice(format!("\0{:016x}", digest(value)).as_bytes());
        let mut content = reason.replace('\0', " ").into_bytes();
        content.push(0);
        content.extend_from_slice(value);
        [RawChange::put(Area::Quarantine, label, content), RawChange::remove(area, key.to_vec())]
    }
}

/// FNV-1a. Not the CRC of the seal: a value's CRC together with that is one and the same for all that are damaged in the
/// same place, and the second would take the place of the first.
fn digest(value: &[u8]) -> u64 {
    value.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// What a store holds, and what a load has to change in it.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub loaded: Loaded,
    /// In this order, each safe to repeat: whatever prefix of them was made, the next survey asks for the rest.
    pub repairs: Vec<RawChange>,
    /// The schema of the oldest record that is migrated: a backup is due before the repairs.
    pub migrates_from: Option<u32>,
}

/// Reads the raw content.
pub(crate) fn survey(areas: Areas, schema: Schema) -> Result<Survey, StoreError> {
    let mut surveyor =
        Surveyor { schema, survey: Survey::default(), quarantine: areas.quarantine, now: BTreeSet::new() };
    let mut records = areas.records;
    for (key, value) in areas.journal {
        surveyor.replay(key, value, &mut records)?;
    }
    for (key, value) in records {
        surveyor.read(key, value)?;
    }
    Ok(surveyor.finish())
}

struct Surveyor {
    schema: Schema,
    survey: Survey,
    quarantine: RawMap,
    /// Labels of what is put aside by this survey.
    now: BTreeSet<Vec<u8>>,
}

impl Surveyor {
    /// Completes the decision of a journal: its writes, then the journal goes.
    fn replay(&mut self, key: Vec<u8>, value: Vec<u8>, records: &mut RawMap) -> Result<(), StoreError> {
        let (schema, writes) = match journal::read(&key, value) {
            Ok(read) => read,
            Err((why, value)) => {
                let reason = format!("{why}; the decision in it may be half done");
                self.put_aside(Area::Journal, &key, &value, &reason);
                return Ok(());
            }
        };
        self.not_newer(&format!("journal/{}", key.escape_ascii()), schema)?;
        for change in writes.iter().map(RawChange::of) {
            match &change.value {
                Some(value) => records.insert(change.key.clone(), value.clone()),
                None => records.remove(&change.key),
            };
            self.survey.repairs.push(change);
        }
        self.survey.repairs.push(RawChange::remove(Area::Journal, key));
        self.survey.loaded.replayed_journals += 1;
        Ok(())
    }

    fn read(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreError> {
        let (schema, body) = match envelope::open(&key, value) {
            Ok(opened) => opened,
            Err((why, value)) => {
                self.put_aside(Area::Records, &key, &value, &why);
                return Ok(());
            }
        };
        self.not_newer(&key.escape_ascii().to_string(), schema)?;
        match self.understand(&key, schema, &body) {
            Ok((key, migrated)) => {
                self.survey.loaded.records.push(Record {
                    key,
                    schema: self.schema.current(),
                    body: migrated.unwrap_or(body),
                });
            }
            Err(why) => {
                let value = envelope::seal(&key, schema, &body);
                self.put_aside(Area::Records, &key, &value, &why);
            }
        }
        Ok(())
    }

    /// The key, and the body if a migration gave another one.
    fn understand(&mut self, key: &[u8], schema: u32, body: &[u8]) -> Result<(RecordKey, Option<Vec<u8>>), String> {
        let record_key = RecordKey::from_bytes(key)?;
        // An export that holds it could not be imported.
        record_key.judge()?;
        judge_json(body)?;
        if schema == self.schema.current() {
            return Ok((record_key, None));
        }
        let migrated = self.schema.migrate(record_key.kind, schema, body.to_vec())?;
        judge_json(&migrated).map_err(|why| format!("after its migration {why}"))?;
        let value = envelope::seal(key, self.schema.current(), &migrated);
        self.survey.repairs.push(RawChange::put(Area::Records, key.to_vec(), value));
        self.survey.loaded.migrated += 1;
        self.survey.migrates_from = Some(self.survey.migrates_from.map_or(schema, |oldest| oldest.min(schema)));
        Ok((record_key, Some(migrated)))
    }

    fn not_newer(&self, key: &str, found: u32) -> Result<(), StoreError> {
        let ours = self.schema.current();
        if found > ours { Err(StoreError::Newer { key: key.to_owned(), found, ours }) } else { Ok(()) }
    }

    fn put_aside(&mut self, area: Area, key: &[u8], value: &[u8], reason: &str) {
        for change in RawChange::quarantine(area, key, value, reason) {
            if let (Area::Quarantine, Some(content)) = (change.area, &change.value) {
                self.quarantine.insert(change.key.clone(), content.clone());
                self.now.insert(change.key.clone());
            }
            self.survey.repairs.push(change);
        }
    }

    fn finish(mut self) -> Survey {
        self.survey.loaded.records.sort_by(|a, b| a.key.cmp(&b.key));
        for (label, content) in self.quarantine {
            let found = if self.now.contains(&label) { Found::Now } else { Found::Earlier };
            self.survey.loaded.quarantined.push(quarantined(&label, content, found));
        }
        self.survey
    }
}

fn quarantined(label: &[u8], content: Vec<u8>, found: Found) -> Quarantined {
    let key = label.rsplitn(2, |b| *b == 0).nth(1).unwrap_or(label);
    let (reason, bytes) = match content.iter().position(|b| *b == 0) {
        Some(end) => (String::from_utf8_lossy(&content[..end]).into_owned(), content[end + 1..].to_vec()),
        None => ("its reason cannot be read either".to_owned(), content),
    };
    let key = match std::str::from_utf8(key) {
        Ok(text) => text.to_owned(),
        Err(_) => key.escape_ascii().to_string(),
    };
    Quarantined { key, reason, bytes, found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::RecordKind;

    fn put(areas: &mut Areas, name: &str, schema: u32, body: &str) -> Vec<u8> {
        let key = RecordKey::new(RecordKind::Node, name);
        areas.apply(RawChange::of(&Write::Put(Record { key: key.clone(), schema, body: body.into() })));
        key.to_bytes()
    }

    fn mend(mut areas: Areas, schema: Schema) -> (Loaded, Areas) {
        let survey = survey(areas.clone(), schema).unwrap();
        survey.repairs.into_iter().for_each(|change| areas.apply(change));
        (survey.loaded, areas)
    }

    fn second(_: RecordKind, _: u32, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let text = String::from_utf8(body).unwrap();
        if text == "0" { Err("zero".to_owned()) } else { Ok(text.replace('1', "2").into_bytes()) }
    }

    #[test]
    fn sound_content_needs_no_repair() {
        let mut areas = Areas::default();
        put(&mut areas, "b", 1, "1");
        put(&mut areas, "a", 1, "{}");
        let survey = survey(areas, Schema::default()).unwrap();
        assert!(survey.repairs.is_empty() && survey.migrates_from.is_none());
        let names: Vec<_> = survey.loaded.records.iter().map(|r| r.key.to_string()).collect();
        assert_eq!(names, ["node/a", "node/b"]);
    }

    #[test]
    fn each_kind_of_damage_is_put_aside_once_with_its_bytes() {
        let mut areas = Areas::default();
        put(&mut areas, "good", 1, "{}");
        let flipped = put(&mut areas, "flipped", 1, "{}");
        areas.records.get_mut(&flipped).unwrap()[0] ^= 1;
        put(&mut areas, "no-json", 1, "{");
        areas.records.insert(b"node/short".to_vec(), b"x".to_vec());
        areas.records.insert(b"toaster/a".to_vec(), envelope::seal(b"toaster/a", 1, b"{}"));
        areas.records.insert(b"\xff/a".to_vec(), envelope::seal(b"\xff/a", 1, b"{}"));
        areas.records.insert(b"node/a\tb".to_vec(), envelope::seal(b"node/a\tb", 1, b"{}"));
        areas.journal.insert(b"1".to_vec(), b"garbage in a journal".to_vec());
        let bytes = areas.records[&flipped].clone();
        let (loaded, mended) = mend(areas, Schema::default());
        assert_eq!(loaded.records.len(), 1);
        let reason = |key: &str| loaded.quarantined.iter().find(|q| q.key == key).map(|q| q.reason.as_str());
        for (key, why) in [
            ("node/flipped", "checksum"),
            ("node/no-json", "JSON"),
            ("node/short", "cut off"),
            ("toaster/a", "not known"),
            ("\\xff/a", "UTF-8"),
            ("node/a\tb", "control"),
            ("journal/1", "half done"),
        ] {
            assert!(reason(key).is_some_and(|r| r.contains(why)), "{key}: {:?}", reason(key));
        }
        assert!(loaded.quarantined.iter().all(|q| q.found == Found::Now));
        assert!(loaded.quarantined.iter().any(|q| q.bytes == bytes));
        let (again, same) = mend(mended.clone(), Schema::default());
        assert_eq!(same, mended, "a second load has nothing to mend");
        assert_eq!(again.quarantined.len(), 7);
        assert!(again.quarantined.iter().all(|q| q.found == Found::Earlier));
    }

    #[test]
    fn what_is_damaged_alike_later_is_put_aside_beside_the_first() {
        let mut areas = Areas::default();
        for body in ["{\"uuid\":1111}", "{\"uuid\":2222}", "{\"uuid\":1111}"] {
            let key = put(&mut areas, "twice", 1, body);
            areas.records.get_mut(&key).unwrap()[3] ^= 0x40;
            let (loaded, mended) = mend(areas, Schema::default());
            assert_eq!(loaded.quarantined.iter().filter(|bad| bad.found == Found::Now).count(), 1, "{body}");
            areas = mended;
        }
        let kept: Vec<_> = areas.quarantine.values().map(|content| content[content.len() - 14..].to_vec()).collect();
        assert_eq!(areas.quarantine.len(), 2, "{kept:?}");
    }

    #[test]
    fn a_repair_cut_off_anywhere_and_repeated_gives_the_same() {
        let mut areas = Areas::default();
        put(&mut areas, "old", 1, "1");
        put(&mut areas, "zero", 1, "0");
        areas.records.insert(b"node/short".to_vec(), b"x".to_vec());
        let schema = Schema::of(&[second]);
        let (loaded, mended) = mend(areas.clone(), schema);
        let repairs = survey(areas.clone(), schema).unwrap().repairs;
        assert_eq!(repairs.len(), 5);
        for cut in 0..=repairs.len() {
            let mut half = areas.clone();
            repairs[..cut].iter().cloned().for_each(|change| half.apply(change));
            let (again, whole) = mend(half, schema);
            assert_eq!(whole, mended, "cut after {cut}");
            assert_eq!(again.records, loaded.records, "cut after {cut}");
        }
    }

    #[test]
    fn older_records_are_migrated_and_one_that_cannot_be_is_put_aside() {
        let mut areas = Areas::default();
        put(&mut areas, "old", 1, "1");
        put(&mut areas, "new", 2, "1");
        put(&mut areas, "zero", 1, "0");
        let survey = survey(areas, Schema::of(&[second])).unwrap();
        assert_eq!(survey.migrates_from, Some(1));
        assert_eq!(survey.loaded.migrated, 1);
        let bodies: Vec<_> = survey.loaded.records.iter().map(|r| (r.key.name.as_str(), r.body.as_slice())).collect();
        assert_eq!(bodies, [("new", &b"1"[..]), ("old", b"2")]);
        assert!(survey.loaded.quarantined[0].reason.ends_with("from schema 1 to 2: zero"));
    }

    #[test]
    fn a_newer_record_refuses_the_load_but_a_damaged_schema_does_not() {
        let mut areas = Areas::default();
        let key = put(&mut areas, "new", 2, "{}");
        let refusal = survey(areas.clone(), Schema::default()).unwrap_err();
        assert!(matches!(&refusal, StoreError::Newer { key, found: 2, ours: 1 } if key == "node/new"), "{refusal}");
        let value = areas.records.get_mut(&key).unwrap();
        let schema_byte = value.len() - 9;
        value[schema_byte] = 200;
        assert_eq!(survey(areas, Schema::default()).unwrap().loaded.quarantined.len(), 1);
    }
}
