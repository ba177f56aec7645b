//! Facts that are persisted: a record put, or dropped. Nothing else changes the durable part of a cluster.

use std::sync::Arc;

use super::definition::ResourceDefinition;
use super::group::ResourceGroup;
use super::kvs::{ControllerRecord, KeyValueStore};
use super::names::{GroupName, KvsName, NodeName, PoolName, RscName};
use super::node::{Node, NodeConnection, PoolDefinition};
use super::snapshot::{Snapshot, SnapshotKey};

/// One record, whole.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Change {
    /// The controller's own record.
    Controller(Arc<ControllerRecord>),
    /// A node.
    Node(NodeName, Option<Arc<Node>>),
    /// A connection of two nodes.
    NodeConnection(NodeName, NodeName, Option<Arc<NodeConnection>>),
    /// A pool definition.
    PoolDefinition(PoolName, Option<Arc<PoolDefinition>>),
    /// A resource group.
    Group(GroupName, Option<Arc<ResourceGroup>>),
    /// A resource definition.
    Definition(RscName, Option<Arc<ResourceDefinition>>),
    /// A snapshot.
    Snapshot(SnapshotKey, Option<Arc<Snapshot>>),
    /// A key-value store.
    KeyValueStore(KvsName, Option<Arc<KeyValueStore>>),
}
