//! Model changes as records of the store, and back. Does no I/O.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::change::Change;
use crate::model::names::NodeName;
use crate::model::snapshot::SnapshotKey;
use crate::store::{Batch, Record, RecordKey, RecordKind, Write};

/// Separates the parts of a composed record name; no name may contain it.
const SEPARATOR: char = '/';
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
    match change {
        Change::Controller(record) => write(RecordKind::ControllerProperties, CONTROLLER.to_owned(), Some(record)),
        Change::Node(name, record) => write(RecordKind::Node, name.key(), record.as_ref()),
        Change::NodeConnection(a, b, record) => write(RecordKind::NodeConnection, pair_key(a, b), record.as_ref()),
        Change::PoolDefinition(name, record) => write(RecordKind::PoolDefinition, name.key(), record.as_ref()),
        Change::Group(name, record) => write(RecordKind::ResourceGroup, name.key(), record.as_ref()),
        Change::Definition(name, record) => write(RecordKind::ResourceDefinition, name.key(), record.as_ref()),
        Change::Snapshot(key, record) => write(RecordKind::Snapshot, snapshot_key(key), record.as_ref()),
        Change::KeyValueStore(name, record) => write(RecordKind::KeyValueStore, name.key(), record.as_ref()),
    }
}

fn pair_key(a: &NodeName, b: &NodeName) -> String {
    format!("{}{SEPARATOR}{}", a.key(), b.key())
}

fn snapshot_key(key: &SnapshotKey) -> String {
    format!("{}{SEPARATOR}{}", key.rsc.key(), key.name.key())
}

fn write<T: Serialize>(kind: RecordKind, name: String, record: Option<&Arc<T>>) -> Result<Write, serde_json::Error> {
    let key = RecordKey::new(kind, name);
    Ok(match record {
        Some(record) => Write::Put(Record::new(key, serde_json::to_vec(&**record)?)),
        None => Write::Delete(key),
    })
}

/// The change that brings a stored record back. `Ok(None)`: a kind that is not the model's.
///
/// # Errors
/// The record's body is none of its kind.
pub fn change_of(record: &Record) -> Result<Option<Change>, serde_json::Error> {
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
