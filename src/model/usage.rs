//! What volumes and snapshots take of a pool: sums that the cluster keeps, so that placement never walks over them.

use super::cluster::PoolKey;
use super::definition::ResourceDefinition;
use super::snapshot::Snapshot;

/// Sums over one pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolUsage {
    /// Usable sizes of all volumes, KiB.
    pub volumes_kib: u64,
    /// Those of volumes that are ordered and not yet made, KiB.
    pub pending_kib: u64,
    /// Sizes of snapshot volumes, KiB.
    pub snapshots_kib: u64,
    /// Resources with a volume in the pool.
    pub resources: u64,
    /// Snapshots with a volume in the pool.
    pub snapshots: u64,
}

impl PoolUsage {
    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.zip(other, u64::saturating_add)
    }

    /// The difference.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.zip(other, u64::saturating_sub)
    }

    /// Whether nothing is in the pool.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources == 0 && self.snapshots == 0
    }

    fn zip(self, other: Self, op: fn(u64, u64) -> u64) -> Self {
        Self {
            volumes_kib: op(self.volumes_kib, other.volumes_kib),
            pending_kib: op(self.pending_kib, other.pending_kib),
            snapshots_kib: op(self.snapshots_kib, other.snapshots_kib),
            resources: op(self.resources, other.resources),
            snapshots: op(self.snapshots, other.snapshots),
        }
    }
}

/// What a definition takes of each pool.
#[must_use]
pub fn definition_usage(definition: &ResourceDefinition) -> Vec<(PoolKey, PoolUsage)> {
    let mut sums: Vec<(PoolKey, PoolUsage)> = Vec::new();
    for (node, resource) in &definition.resources {
        let start = sums.len();
        for (number, volume) in &resource.volumes {
            let size = definition.volumes.get(number).map_or(0, |volume| volume.size.0);
            let size = if resource.is_diskful() { size } else { 0 };
            let usage = PoolUsage {
                volumes_kib: size,
                pending_kib: if volume.made { 0 } else { size },
                ..PoolUsage::default()
            };
            let known = sums[start..].iter().position(|((_, pool), _)| *pool == volume.pool);
            match known {
                Some(at) => sums[start + at].1 = sums[start + at].1.plus(usage),
                None => sums.push(((node.clone(), volume.pool.clone()), PoolUsage { resources: 1, ..usage })),
            }
        }
    }
    sums
}

/// What a snapshot takes of each pool.
#[must_use]
pub fn snapshot_usage(snapshot: &Snapshot) -> Vec<(PoolKey, PoolUsage)> {
    let mut sums: Vec<(PoolKey, PoolUsage)> = Vec::new();
    for (node, part) in &snapshot.nodes {
        for (number, volume) in &part.volumes {
            let size = snapshot.volumes.get(number).map_or(0, |volume| volume.size.0);
            let key = (node.clone(), volume.pool.clone());
            let usage = PoolUsage { snapshots_kib: size, snapshots: 1, ..PoolUsage::default() };
            sums.push((key, usage));
        }
    }
    sums
}
