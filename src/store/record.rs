//! The record: what a store keeps. It never looks into a body beyond asking whether it is JSON.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::StoreError;
use super::migrate::SCHEMA;

/// Longest name of a record, in bytes: a path (PATH_MAX is 4096) is the longest thing that names one.
pub const MAX_NAME_BYTES: usize = 4096;

/// Largest body of a record, in bytes. Ten thousand properties of the longest kind are 43 MB; what is larger is a bug
/// of the writer, and would stall every commit behind it.
pub const MAX_BODY_BYTES: usize = 64 << 20;

/// What a record is about. Its text name is part of the file format: it may be added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// A node with its interfaces and storage pools.
    Node,
    /// The properties of a pair of nodes.
    NodeConnection,
    /// A storage pool definition.
    PoolDefinition,
    /// A resource group with its volume groups.
    ResourceGroup,
    /// A resource definition with its volumes and placements.
    ResourceDefinition,
    /// A snapshot with its places.
    Snapshot,
    /// One instance of the key-value store.
    KeyValueStore,
    /// A remote to ship to.
    Remote,
    /// A schedule of backups.
    Schedule,
    /// A file that is laid out on the nodes.
    ExternalFile,
    /// The properties of the controller.
    ControllerProperties,
    /// An error report.
    ErrorReport,
}

impl RecordKind {
    /// Every kind, in the order of its text name in a store's listing.
    pub const ALL: [RecordKind; 12] = [
        RecordKind::Node,
        RecordKind::NodeConnection,
        RecordKind::PoolDefinition,
        RecordKind::ResourceGroup,
        RecordKind::ResourceDefinition,
        RecordKind::Snapshot,
        RecordKind::KeyValueStore,
        RecordKind::Remote,
        RecordKind::Schedule,
        RecordKind::ExternalFile,
        RecordKind::ControllerProperties,
        RecordKind::ErrorReport,
    ];

    /// The stable name, as it stands in keys and exports.
    pub fn as_str(self) -> &'static str {
        match self {
            RecordKind::Node => "node",
            RecordKind::NodeConnection => "node-connection",
            RecordKind::PoolDefinition => "pool-definition",
            RecordKind::ResourceGroup => "resource-group",
            RecordKind::ResourceDefinition => "resource-definition",
            RecordKind::Snapshot => "snapshot",
            RecordKind::KeyValueStore => "key-value-store",
            RecordKind::Remote => "remote",
            RecordKind::Schedule => "schedule",
            RecordKind::ExternalFile => "external-file",
            RecordKind::ControllerProperties => "controller-properties",
            RecordKind::ErrorReport => "error-report",
        }
    }

    /// The kind of that stable name.
    pub fn from_name(name: &str) -> Option<RecordKind> {
        RecordKind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What names a record: unique in the store. The name is compared byte by byte; whoever writes folds the case first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// What the record is about.
    pub kind: RecordKind,
    /// Its name among those of its kind: 1 to [`MAX_NAME_BYTES`] bytes, no control characters.
    pub name: String,
}

impl RecordKey {
    /// A key; its name is judged when it is committed.
    pub fn new(kind: RecordKind, name: impl Into<String>) -> Self {
        RecordKey { kind, name: name.into() }
    }

    /// `kind/name`, the form in which stores hold it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    /// Reads `kind/name`; the error says what is wrong with it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<RecordKey, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "its key is not UTF-8".to_owned())?;
        let (kind, name) = text.split_once('/').ok_or("its key has no kind")?;
        let kind = RecordKind::from_name(kind).ok_or_else(|| format!("its kind {kind:?} is not known"))?;
        Ok(RecordKey::new(kind, name))
    }

    /// Refuses a name that no store could hold faithfully.
    pub(crate) fn judge(&self) -> Result<(), String> {
        match &self.name {
            name if name.is_empty() => Err("its name is empty".to_owned()),
            name if name.len() > MAX_NAME_BYTES => Err(format!("its name is longer than {MAX_NAME_BYTES} bytes")),
            name if name.chars().any(char::is_control) => Err("its name has control characters".to_owned()),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// One thing that is kept: a key, the schema version of its body, and the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What names it.
    pub key: RecordKey,
    /// The schema version in which the body is written.
    pub schema: u32,
    /// JSON text.
    pub body: Vec<u8>,
}

impl Record {
    /// A record in the current schema.
    pub fn new(key: RecordKey, body: impl Into<Vec<u8>>) -> Self {
        Record { key, schema: SCHEMA, body: body.into() }
    }

    /// Refuses what could not be read back.
    pub(crate) fn judge(&self, schema: u32) -> Result<(), String> {
        self.key.judge()?;
        if self.schema != schema {
            return Err(format!("its schema is {}, this store writes schema {schema}", self.schema));
        }
        if self.body.len() > MAX_BODY_BYTES {
            return Err(format!("its body is larger than {MAX_BODY_BYTES} bytes"));
        }
        judge_json(&self.body)
    }
}

/// Refuses what is not JSON, texts that are not UTF-8 among it: what passes can be written into an export.
pub(crate) fn judge_json(body: &[u8]) -> Result<(), String> {
    serde_json::from_slice::<&RawValue>(body).map(drop).map_err(|e| format!("its body is not JSON: {e}"))
}

/// One change of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Makes the record, or replaces the one of the same key.
    Put(Record),
    /// Removes it; a record that is not there is success.
    Delete(RecordKey),
}

impl Write {
    /// The key that is written.
    pub fn key(&self) -> &RecordKey {
        match self {
            Write::Put(record) => &record.key,
            Write::Delete(key) => key,
        }
    }

    /// Refuses what could not be read back.
    pub(crate) fn judge(&self, schema: u32) -> Result<(), StoreError> {
        match self {
            Write::Put(record) => record.judge(schema),
            Write::Delete(key) => key.judge(),
        }
        .map_err(|why| StoreError::Refused { key: self.key().to_string(), why })
    }
}

/// The writes of one decision: all of them are kept, or none.
pub type Batch = Vec<Write>;

/// A record as text, in journals and exports: the body stands as JSON, not as a string of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordText<'a> {
    pub kind: RecordKind,
    pub name: Cow<'a, str>,
    pub schema: u32,
    pub body: Cow<'a, RawValue>,
}

impl<'a> RecordText<'a> {
    /// The text of a record; the error says why its body is none.
    pub fn of(record: &'a Record) -> Result<Self, String> {
        let body =
            serde_json::from_slice::<&RawValue>(&record.body).map_err(|e| format!("its body is not JSON: {e}"))?;
        let one_line = body.get().bytes().all(|b| b != b'\n' && b != b'\r');
        let body = if one_line { Cow::Borrowed(body) } else { Cow::Owned(on_one_line(body)?) };
        Ok(RecordText { kind: record.key.kind, name: Cow::Borrowed(&record.key.name), schema: record.schema, body })
    }

    /// The record of that text.
    pub fn into_record(self) -> Record {
        Record {
            key: RecordKey::new(self.kind, self.name),
            schema: self.schema,
            body: self.body.get().as_bytes().to_vec(),
        }
    }
}

/// Line breaks in JSON text are always between tokens, never in a string: a space does as well.
fn on_one_line(body: &RawValue) -> Result<Box<RawValue>, String> {
    RawValue::from_string(body.get().replace(['\n', '\r'], " ")).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_names_are_the_same_everywhere_and_never_change() {
        let names: Vec<_> = RecordKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "node node-connection pool-definition resource-group resource-definition snapshot key-value-store remote \
             schedule external-file controller-properties error-report"
        );
        for kind in RecordKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("{:?}", kind.as_str()));
            assert_eq!(RecordKind::from_name(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn keys_survive_their_bytes() {
        for name in ["a", "pvc-1/0", "/etc/drbd.d/x", "ü", "a b"] {
            let key = RecordKey::new(RecordKind::Snapshot, name);
            assert_eq!(RecordKey::from_bytes(&key.to_bytes()), Ok(key));
        }
        for (bytes, why) in
            [(&b"node"[..], "no kind"), (b"nodes/a", "not known"), (b"node/\xff", "UTF-8"), (b"", "no kind")]
        {
            assert!(RecordKey::from_bytes(bytes).unwrap_err().contains(why), "{bytes:?}");
        }
    }

    #[test]
    fn what_could_not_be_read_back_is_refused() {
        let record = |name: &str, body: &str| Record::new(RecordKey::new(RecordKind::Node, name), body);
        assert_eq!(record("a", "{}").judge(SCHEMA), Ok(()));
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for (record, why) in [
            (record("", "{}"), "empty"),
            (record(&long, "{}"), "longer"),
            (record("a\0b", "{}"), "control"),
            (record("a", "{"), "not JSON"),
            (record("a", "{} {}"), "not JSON"),
            (record("a", "\"\u{0}\""), "not JSON"),
            (Record::new(RecordKey::new(RecordKind::Node, "a"), *b"\"\xff\""), "not JSON"),
        ] {
            assert!(record.judge(SCHEMA).unwrap_err().contains(why), "{:?}", record.key);
        }
        assert!(record("a", "{}").judge(SCHEMA + 1).unwrap_err().contains("schema"));
    }

    #[test]
    fn text_of_a_record_is_one_line_and_gives_the_record_back() {
        let body = "{\n \"a\": 18446744073709551615,\r\n \"b\": \"x\\ny\"\n}";
        let record = Record::new(RecordKey::new(RecordKind::Remote, "r"), body);
        let line = serde_json::to_string(&RecordText::of(&record).unwrap()).unwrap();
        assert!(!line.contains(['\n', '\r']), "{line}");
        let back = serde_json::from_str::<RecordText<'_>>(&line).unwrap().into_record();
        assert_eq!(back.key, record.key);
        let value = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).unwrap();
        assert_eq!(value(&back.body), value(&record.body));
        assert!(String::from_utf8(back.body).unwrap().contains("18446744073709551615"));
    }
}
