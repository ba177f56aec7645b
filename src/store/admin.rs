//! What an admin does with a store: check it, export it, import into it. It never opens a store nor prints: the caller
//! brings readers, writers and the store, and shows the values.
//!
//! An export is text, one JSON value a line: a header, then every record in the order of the keys, then what is in
//! quarantine (for people; an import passes it over).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::record::{MAX_BODY_BYTES, RecordText};
use super::{Found, Loaded, Record, RecordKey, RecordKind, Schema, Store, StoreError, Write};

const FORMAT: &str = "zea-store-export";
const VERSION: u32 = 1;

/// Longest line of an export, in bytes: the largest body, its key with every byte escaped, and room for the names.
const MAX_LINE_BYTES: u64 = MAX_BODY_BYTES as u64 + (64 << 10);

/// What is wrong with an export, an import or the store under it.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The export cannot be written.
    #[error("cannot write the export: {0}")]
    Write(#[source] io::Error),
    /// The export cannot be read.
    #[error("cannot read the export: {0}")]
    Read(#[source] io::Error),
    /// A line of the export is not what it should be. Nothing was imported.
    #[error("line {line} of the export: {why}; nothing was imported")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The store holds records, and the caller did not ask to replace them.
    #[error(
        "the store holds {records} records: import into an empty data folder, or have them replaced with --replace"
    )]
    NotEmpty {
        /// How many.
        records: usize,
    },
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The schema that this version writes.
    pub schema: u32,
    /// Readable records of each kind.
    pub records: BTreeMap<RecordKind, usize>,
    /// What is wrong, or will be done at the next start.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Whether there is nothing to tell.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The record, `kind/name`; empty for the store as a whole.
    pub key: String,
    /// What is wrong.
    pub cause: String,
    /// What to do, or what will be done.
    pub cure: String,
}

/// What an export wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Records.
    pub records: usize,
    /// Unreadable records, written for people only.
    pub quarantined: usize,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Records that are in the store now.
    pub records: usize,
    /// Records that were in the store before and are not in the export.
    pub removed: usize,
    /// Records that were brought to the current schema.
    pub migrated: usize,
    /// Unreadable records of the export, which were passed over.
    pub passed_over: usize,
}

/// What an import does with records that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse, with nothing changed.
    Refuse,
    /// Replace all of them.
    Replace,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    schema: u32,
    records: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuarantinedText {
    quarantined: String,
    reason: String,
    base64: String,
}

/// Lists what is wrong with a store; changes nothing.
pub fn check(store: &dyn Store) -> Result<CheckReport, StoreError> {
    let loaded = store.peek()?;
    let mut records = BTreeMap::new();
    for record in &loaded.records {
        *records.entry(record.key.kind).or_insert(0) += 1;
    }
    Ok(CheckReport { schema: store.schema().current(), records, findings: findings(&loaded) })
}

fn findings(loaded: &Loaded) -> Vec<Finding> {
    let of_store = |count: usize, cause: &str, cure: &str| {
        let finding = Finding { key: String::new(), cause: format!("{count} {cause}"), cure: cure.to_owned() };
        (count > 0).then_some(finding)
    };
    let whole = [
        of_store(loaded.replayed_journals, "decisions were cut off half-way", "the next start completes them"),
        of_store(loaded.migrated, "records have an older schema", "the next start migrates them after a backup"),
    ];
    let single = loaded.quarantined.iter().map(|q| Finding {
        key: q.key.clone(),
        cause: q.reason.clone(),
        cure: match q.found {
            Found::Now => "the next start puts it in quarantine; make the object again, or import an older export",
            Found::Earlier => "it is in quarantine; make the object again, or import an older export",
        }
        .to_owned(),
    });
    whole.into_iter().flatten().chain(single).collect()
}

/// Writes everything that a store holds; changes nothing in it.
pub fn export(store: &dyn Store, out: &mut dyn io::Write) -> Result<Exported, AdminError> {
    let loaded = store.peek()?;
    let records = loaded.records.len();
    let header = Header { format: FORMAT.to_owned(), version: VERSION, schema: store.schema().current(), records };
    let mut out = io::BufWriter::new(out);
    write_line(&mut out, &header)?;
    for record in &loaded.records {
        let text = RecordText::of(record).map_err(|why| StoreError::Refused { key: record.key.to_string(), why })?;
        write_line(&mut out, &text)?;
    }
    for q in &loaded.quarantined {
        let base64 = BASE64.encode(&q.bytes);
        write_line(&mut out, &QuarantinedText { quarantined: q.key.clone(), reason: q.reason.clone(), base64 })?;
    }
    out.flush().map_err(AdminError::Write)?;
    Ok(Exported { records, quarantined: loaded.quarantined.len() })
}

fn write_line(out: &mut impl io::Write, line: &impl Serialize) -> Result<(), AdminError> {
    serde_json::to_writer(&mut *out, line).map_err(|e| AdminError::Write(e.into()))?;
    out.write_all(b"\n").map_err(AdminError::Write)
}

/// Brings an export into a store: all of it, in one decision, or nothing.
pub fn import(store: &dyn Store, input: &mut dyn BufRead, existing: Existing) -> Result<Imported, AdminError> {
    let arrived = Arrival::read(input, store.schema())?;
    let there = store.load()?.records;
    if !there.is_empty() && existing == Existing::Refuse {
        return Err(AdminError::NotEmpty { records: there.len() });
    }
    let records = arrived.records.len();
    let removals: Vec<Write> =
        there.into_iter().filter(|r| !arrived.keys.contains(&r.key)).map(|r| Write::Delete(r.key)).collect();
    let removed = removals.len();
    let batch = removals.into_iter().chain(arrived.records.into_iter().map(Write::Put)).collect();
    store.commit(&[batch])?;
    Ok(Imported { records, removed, migrated: arrived.migrated, passed_over: arrived.passed_over })
}

/// An export as it is read, line by line.
struct Arrival {
    schema: Schema,
    records: Vec<Record>,
    keys: BTreeSet<RecordKey>,
    migrated: usize,
    passed_over: usize,
}

impl Arrival {
    fn read(input: &mut dyn BufRead, schema: Schema) -> Result<Self, AdminError> {
        let mut arrival = Arrival { schema, records: Vec::new(), keys: BTreeSet::new(), migrated: 0, passed_over: 0 };
        let first = next_line(input, 1)?.unwrap_or_default();
        let header = header(&first, schema).map_err(|why| AdminError::Line { line: 1, why })?;
        let mut line = 1;
        while let Some(text) = next_line(input, line + 1)? {
            line += 1;
            arrival.take(&text).map_err(|why| AdminError::Line { line, why })?;
        }
        let found = arrival.records.len();
        if found != header.records {
            let why = format!("the header promises {} records, {found} are there: it was cut off", header.records);
            return Err(AdminError::Line { line, why });
        }
        Ok(arrival)
    }

    fn take(&mut self, text: &str) -> Result<(), String> {
        let record = match serde_json::from_str::<RecordText<'static>>(text) {
            Ok(text) => text.into_record(),
            Err(_) if serde_json::from_str::<QuarantinedText>(text).is_ok() => {
                self.passed_over += 1;
                return Ok(());
            }
            Err(e) => return Err(format!("it is no record: {e}")),
        };
        let record = self.bring_up(record)?;
        record.judge(self.schema.current()).map_err(|why| format!("{}: {why}", record.key))?;
        if !self.keys.insert(record.key.clone()) {
            return Err(format!("{} stands there twice", record.key));
        }
        self.records.push(record);
        Ok(())
    }

    fn bring_up(&mut self, record: Record) -> Result<Record, String> {
        let current = self.schema.current();
        if record.schema == current {
            return Ok(record);
        }
        if record.schema > current {
            return Err(newer(record.schema, current));
        }
        self.migrated += 1;
        let body = self.schema.migrate(record.key.kind, record.schema, record.body);
        let body = body.map_err(|why| format!("{}: {why}", record.key))?;
        Ok(Record { key: record.key, schema: current, body })
    }
}

fn newer(found: u32, ours: u32) -> String {
    format!("it has schema {found}, this version knows schema {ours} at most: import it with the newer version")
}

fn header(text: &str, schema: Schema) -> Result<Header, String> {
    let header = serde_json::from_str::<Header>(text).map_err(|e| format!("it is no header of an export: {e}"))?;
    if header.format != FORMAT || header.version != VERSION {
        let Header { format, version, .. } = header;
        return Err(format!("it is {format:?} version {version}, expected {FORMAT:?} version {VERSION}"));
    }
    if header.schema > schema.current() {
        return Err(newer(header.schema, schema.current()));
    }
    Ok(header)
}

/// The next line; None at the end.
fn next_line(input: &mut dyn BufRead, line: usize) -> Result<Option<String>, AdminError> {
    let mut bytes = Vec::new();
    input.take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut bytes).map_err(AdminError::Read)?;
    if bytes.len() as u64 > MAX_LINE_BYTES {
        return Err(AdminError::Line { line, why: format!("it is longer than {MAX_LINE_BYTES} bytes") });
    }
    if bytes.is_empty() {
        return Ok(None);
    }
    String::from_utf8(bytes).map(Some).map_err(|_| AdminError::Line { line, why: "it is not UTF-8".to_owned() })
}
