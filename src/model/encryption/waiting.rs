//! What does not come to be, or is not opened, for want of a key. Looks at definitions with LUKS layers alone.

use std::fmt;

use super::Lock;
use crate::model::cluster::Cluster;
use crate::model::definition::{Resource, ResourceDefinition, Volume};
use crate::model::names::{NodeName, RscName, VolumeNumber};
use crate::model::report::LuksState;

/// Why a volume has no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The master passphrase was not entered.
    Locked,
    /// What is kept cannot be opened with the master key, or nothing is kept.
    Unreadable,
    /// The node was told a passphrase, and it does not fit.
    Wrong,
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => "the master passphrase was not entered",
            Self::Unreadable => "its passphrase cannot be read with the master key",
            Self::Wrong => "its passphrase does not fit what is on the disk",
        })
    }
}

/// A volume that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its resource.
    pub rsc: RscName,
    /// The node of its replica.
    pub node: NodeName,
    /// Its number.
    pub number: VolumeNumber,
    /// What it lacks.
    pub want: Want,
}

/// All volumes that wait, by name.
#[must_use]
pub fn waiting(cluster: &Cluster) -> Vec<Waiting> {
    let definitions = cluster.encrypted.iter().filter_map(|name| cluster.definitions.get(name));
    definitions.flat_map(|definition| waiting_of(cluster, definition)).collect()
}

/// Those of a definition.
#[must_use]
pub fn waiting_of(cluster: &Cluster, definition: &ResourceDefinition) -> Vec<Waiting> {
    let concerned =
        |resource: &Resource| resource.is_encrypted(definition) && resource.keeps_disk() && resource.is_active();
    let replicas = definition.resources.iter().filter(|(_, resource)| concerned(resource));
    let volumes = replicas.flat_map(|(node, resource)| resource.volumes.iter().map(move |volume| (node, volume)));
    let waiting = volumes.filter_map(|(node, (number, volume))| {
        let want = want(cluster, (&definition.name, node), (*number, volume))?;
        Some(Waiting { rsc: definition.name.clone(), node: node.clone(), number: *number, want })
    });
    waiting.collect()
}

/// What is open is used, whatever is known of its key.
fn want(cluster: &Cluster, at: (&RscName, &NodeName), (number, volume): (VolumeNumber, &Volume)) -> Option<Want> {
    let report = cluster.resource_status_of(at.0, at.1).and_then(|status| status.volume(number));
    if report.is_some_and(|report| report.device_path.is_some()) {
        return None;
    }
    if cluster.lock() != Lock::Unlocked {
        return Some(Want::Locked);
    }
    let master = cluster.master_key.as_ref()?;
    let readable = volume.key.as_ref().is_some_and(|key| key.current.open(master).is_some());
    match report.and_then(|report| report.luks) {
        _ if !readable => Some(Want::Unreadable),
        Some(LuksState::WrongKey) => Some(Want::Wrong),
        _ => None,
    }
}
