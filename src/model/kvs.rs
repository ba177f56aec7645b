//! Key-value stores, and the controller's own record.

use serde::{Deserialize, Serialize};

use super::moment::Uuid;
use super::names::KvsName;
use super::props::Props;

/// A named bag of properties; it is gone when its last one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValueStore {
    /// Its name.
    pub name: KvsName,
    /// Identity.
    pub uuid: Uuid,
    /// Content.
    pub props: Props,
}

/// What the cluster as a whole has: its identity and the controller's properties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerRecord {
    /// Identity of the cluster (`Cluster/LocalID`).
    pub cluster: Uuid,
    /// Properties of the controller and defaults of all satellites.
    #[serde(default)]
    pub props: Props,
}
