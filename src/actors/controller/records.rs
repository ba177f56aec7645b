//! Model changes as records of the store, and back. Does no I/O.

use std::sync::Arc;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

use crate::model::change::Change;
use crate::model::names::NodeName;
use crate::model::snapshot::SnapshotKey;
use crate::store::{Batch, Record, RecordKey, RecordKind, Write};

/// Separates the parts of a composed record name; no name may contain it.
const SEPARATOR: char = '/';
/// Highest generation that is believed: the first one of a definition has its highest bit clear, and counting never gets
/// there. A higher one came in from outside, and what counts on from it would overflow.
const GENERATION_MAX: u64 = u64::MAX >> 1;
/// Name of the controller's record.
const CONTROLLER: &str = "controller";

/// The record writes of a decision.
///
/// # Errors
/// A record cannot be serialised: a fault of the program.
pub fn batch_of(changes: &[Change]) -> Result<Batch, serde_json::Error> {
    changes.iter().map(write_of).collect()
}

fn write_of(change: &Change) -> Result<Write, serde_json::Error> {
    let key = key_of(change);
    match change {
        Change::Controller(record) => write(key, Some(record)),
        Change::Node(_, record) => write(key, record.as_ref()),
        Change::NodeConnection(_, _, record) => write(key, record.as_ref()),
        Change::PoolDefinition(_, record) => write(key, record.as_ref()),
        Change::Group(_, record) => write(key, record.as_ref()),
        Change::Definition(_, record) => write(key, record.as_ref()),
        Change::Snapshot(_, record) => write(key, record.as_ref()),
        Change::KeyValueStore(_, record) => write(key, record.as_ref()),
    }
}

/// The key under which the object of a change is kept.
fn key_of(change: &Change) -> RecordKey {
    let (kind, name) = match change {
        Change::Controller(_) => (RecordKind::ControllerProperties, CONTROLLER.to_owned()),
        Change::Node(name, _) => (RecordKind::Node, name.key()),
        Change::NodeConnection(a, b, _) => (RecordKind::NodeConnection, pair_key(a, b)),
        Change::PoolDefinition(name, _) => (RecordKind::PoolDefinition, name.key()),
        Change::Group(name, _) => (RecordKind::ResourceGroup, name.key()),
        Change::Definition(name, _) => (RecordKind::ResourceDefinition, name.key()),
        Change::Snapshot(key, _) => (RecordKind::Snapshot, snapshot_key(key)),
        Change::KeyValueStore(name, _) => (RecordKind::KeyValueStore, name.key()),
    };
    RecordKey::new(kind, name)
}

fn pair_key(a: &NodeName, b: &NodeName) -> String {
    format!("{}{SEPARATOR}{}", a.key(), b.key())
}

fn snapshot_key(key: &SnapshotKey) -> String {
    format!("{}{SEPARATOR}{}", key.rsc.key(), key.name.key())
}

fn write<T: Serialize>(key: RecordKey, record: Option<&Arc<T>>) -> Result<Write, serde_json::Error> {
    Ok(match record {
        Some(record) => Write::Put(Record::new(key, serde_json::to_vec(&**record)?)),
        None => Write::Delete(key),
    })
}

/// The change that brings a stored record back. `Ok(None)`: a kind that is not the model's.
///
/// # Errors
/// The record's body is none of its kind, or that of an object which is kept under another key: both would be kept from
/// its next change on, and nobody knows which one a load takes.
pub fn change_of(record: &Record) -> Result<Option<Change>, serde_json::Error> {
    let Some(change) = read_change(record)? else { return Ok(None) };
    let own = key_of(&change);
    if own != record.key {
        return Err(serde_json::Error::custom(format!("its body is that of {own}")));
    }
    Ok(Some(change))
}

fn read_change(record: &Record) -> Result<Option<Change>, serde_json::Error> {
    let body = &record.body;
    Ok(Some(match record.key.kind {
        RecordKind::ControllerProperties => Change::Controller(read(body)?),
        RecordKind::Node => {
            let node: Arc<crate::model::node::Node> = read(body)?;
            Change::Node(node.name.clone(), Some(node))
        }
        RecordKind::NodeConnection => {
            let connection: Arc<crate::model::node::NodeConnection> = read(body)?;
            Change::NodeConnection(connection.a.clone(), connection.b.clone(), Some(connection))
        }
        RecordKind::PoolDefinition => {
            let pool: Arc<crate::model::node::PoolDefinition> = read(body)?;
            Change::PoolDefinition(pool.name.clone(), Some(pool))
        }
        RecordKind::ResourceGroup => {
            let group: Arc<crate::model::group::ResourceGroup> = read(body)?;
            Change::Group(group.name.clone(), Some(group))
        }
        RecordKind::ResourceDefinition => {
            let definition: Arc<crate::model::definition::ResourceDefinition> = read(body)?;
            if definition.generation > GENERATION_MAX {
                return Err(serde_json::Error::custom("its generation is higher than any that is given"));
            }
            Change::Definition(definition.name.clone(), Some(definition))
        }
        RecordKind::Snapshot => {
            let snapshot: Arc<crate::model::snapshot::Snapshot> = read(body)?;
            Change::Snapshot(snapshot.key.clone(), Some(snapshot))
        }
        RecordKind::KeyValueStore => {
            let store: Arc<crate::model::kvs::KeyValueStore> = read(body)?;
            Change::KeyValueStore(store.name.clone(), Some(store))
        }
        _ => return Ok(None),
    }))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<Arc<T>, serde_json::Error> {
    serde_json::from_slice(body).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::node::PoolDefinition;
    use crate::model::testkit::pool;

    #[test]
    fn a_record_gives_its_change_back_under_its_own_key_only() {
        let definition = PoolDefinition { name: pool("Data"), uuid: Default::default(), props: Default::default() };
        let change = Change::PoolDefinition(pool("Data"), Some(Arc::new(definition)));
        let batch = batch_of(std::slice::from_ref(&change)).unwrap();
        let [Write::Put(record)] = batch.as_slice() else { panic!("{batch:?}") };
        assert_eq!(record.key.to_string(), "pool-definition/DATA");
        assert_eq!(change_of(record).unwrap(), Some(change));
        for name in ["OTHER", "Data"] {
            let moved = Record { key: RecordKey::new(RecordKind::PoolDefinition, name), ..record.clone() };
            let error = change_of(&moved).unwrap_err().to_string();
            assert!(error.contains("that of pool-definition/DATA"), "{error}");
        }
    }

    #[test]
    fn a_generation_that_nobody_gives_is_not_believed() {
        let with = |generation: u64| {
            let body = format!(
                r#"{{"name":"web","uuid":"f51611c6-528f-4793-a87a-866d09e6733a","group":"grp","layers":["STORAGE"],
                "volumes":{{}},"resources":{{}},"generation":{generation}}}"#
            );
            change_of(&Record::new(RecordKey::new(RecordKind::ResourceDefinition, "WEB"), body))
        };
        assert!(matches!(with(GENERATION_MAX), Ok(Some(Change::Definition(..)))));
        assert!(with(GENERATION_MAX + 1).unwrap_err().to_string().contains("generation"));
    }
}
