//! The storage pools of this node: prepared when they are told, each with its own driver and its own problem.
//!
//! A pool that is sick harms nobody else; it is prepared again whenever somebody needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use super::driver::{self, Driver};
use super::drivers::{Diskless, FileDriver, Lvm, LvmDriver, Preparation, Zfs, ZfsDriver, zfs};
use super::exec::Exec;
use super::loops::Loops;
use super::problem::problem;
use super::simulated::{Disk, SimulatedDriver};
use crate::model::desired::DesiredPool;
use crate::model::kinds::{ProviderKind, Provisioning};
use crate::model::names::PoolName;
use crate::model::report::{PoolReport, Problem};
use crate::model::size::Kib;

/// What stands behind the pools.
#[derive(Debug)]
enum Ground {
    Real {
        loops: Arc<Loops>,
        lvm: Arc<Lvm>,
        /// Backings of LVM that were prepared once in this process.
        seen_lvm: Mutex<BTreeSet<String>>,
        /// Folders that were prepared once in this process.
        seen: Mutex<BTreeSet<PathBuf>>,
        zfs: Zfs,
    },
    /// A simulated disk, and the life of its satellite.
    Simulated(Disk, u64),
}

/// All pools of the node.
#[derive(Debug)]
pub struct Pools {
    by_name: RwLock<BTreeMap<PoolName, Arc<Pool>>>,
    ground: Ground,
}

#[derive(Debug)]
struct Pool {
    desired: DesiredPool,
    driver: Mutex<Result<Arc<dyn Driver>, Problem>>,
    /// Held by whoever prepares it again.
    preparing: Mutex<()>,
}

impl Pools {
    /// Pools on this machine.
    #[must_use]
    pub fn real(loops: Arc<Loops>, exec: &Arc<Exec>) -> Self {
        let lvm = Arc::new(Lvm::new(Arc::clone(exec)));
        let zfs = Zfs::new(Arc::clone(exec));
        Self::on(Ground::Real { loops, lvm, seen_lvm: Mutex::default(), seen: Mutex::default(), zfs })
    }

    /// Pools in memory, for the satellite that the disk has now.
    #[must_use]
    pub fn simulated(disk: Disk) -> Self {
        let life = disk.life();
        Self::on(Ground::Simulated(disk, life))
    }

    fn on(ground: Ground) -> Self {
        Self { by_name: RwLock::default(), ground }
    }

    /// Takes over the whole set of pools: prepares new, changed and sick ones, forgets those that are not named.
    /// Blocks.
    pub fn apply(&self, desired: &[DesiredPool]) -> Vec<PoolReport> {
        let known = self.by_name.read().unwrap_or_else(PoisonError::into_inner).clone();
        let next: BTreeMap<PoolName, Arc<Pool>> = desired
            .iter()
            .map(|pool| {
                let kept = known.get(&pool.name).filter(|known| same_ground(&known.desired, pool));
                let pool = kept.cloned().unwrap_or_else(|| self.prepare(pool));
                (pool.desired.name.clone(), pool)
            })
            .collect();
        let reports = next.values().map(|pool| self.report(pool)).collect();
        *self.by_name.write().unwrap_or_else(PoisonError::into_inner) = next;
        reports
    }

    /// Room of the pools named, or of all when none is named. Blocks.
    pub fn capacities(&self, names: &[PoolName]) -> Vec<PoolReport> {
        let known = self.by_name.read().unwrap_or_else(PoisonError::into_inner).clone();
        let wanted = |pool: &&Arc<Pool>| names.is_empty() || names.contains(&pool.desired.name);
        known.values().filter(wanted).map(|pool| self.report(pool)).collect()
    }

    /// Names of backing objects that turn out, by a new listing, to have changed without us. Blocks.
    pub fn look_around(&self) -> Vec<String> {
        match &self.ground {
            Ground::Real { lvm, zfs, .. } => {
                let mut changed = lvm.look_around();
                changed.extend(zfs.look_around());
                changed
            }
            Ground::Simulated(..) => Vec::new(),
        }
    }

    /// The driver of a pool.
    pub fn driver(&self, name: &PoolName, provider: ProviderKind) -> Result<Arc<dyn Driver>, Problem> {
        let pools = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let pool = pools.get(name).cloned();
        drop(pools);
        match pool {
            Some(pool) => self.driver_of(&pool),
            None if provider == ProviderKind::Diskless => Ok(Arc::new(Diskless)),
            None => Err(problem(
                format!("Storage pool {name} cannot be used"),
                "this node has no storage pool of that name",
                "Make the storage pool on this node, or place the resource elsewhere.",
            )),
        }
    }

    /// The same with the options of one volume.
    pub fn driver_with(
        &self,
        (name, provider): (&PoolName, ProviderKind),
        options: &BTreeMap<String, String>,
    ) -> Result<Arc<dyn Driver>, Problem> {
        let driver = self.driver(name, provider)?;
        Ok(driver.with_options(options).unwrap_or(driver))
    }

    fn prepare(&self, desired: &DesiredPool) -> Arc<Pool> {
        let driver = self.driver_for(desired);
        if let Err(problem) = &driver {
            tracing::warn!(pool = %desired.name, %problem, "a storage pool cannot be used");
        }
        Arc::new(Pool { desired: desired.clone(), driver: Mutex::new(driver), preparing: Mutex::default() })
    }

    /// The pool's driver; a sick pool is tried again. Whoever comes meanwhile is told what was wrong before: the command that
    /// is tried may hang.
    fn driver_of(&self, pool: &Pool) -> Result<Arc<dyn Driver>, Problem> {
        let known = || pool.driver.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let _preparing = match (known(), pool.preparing.try_lock()) {
            (Ok(driver), _) => return Ok(driver),
            (sick, Err(TryLockError::WouldBlock)) => return sick,
            (_, Ok(guard)) => guard,
            (_, Err(TryLockError::Poisoned(guard))) => guard.into_inner(),
        };
        // Somebody may have been quicker.
        if let Ok(driver) = known() {
            return Ok(driver);
        }
        let driver = self.driver_for(&pool.desired);
        *pool.driver.lock().unwrap_or_else(PoisonError::into_inner) = driver.clone();
        driver
    }

    fn driver_for(&self, pool: &DesiredPool) -> Result<Arc<dyn Driver>, Problem> {
        let (loops, lvm, seen_lvm, seen, zfs) = match &self.ground {
            Ground::Simulated(disk, life) => {
                return Ok(match pool.provider {
                    ProviderKind::Diskless => Arc::new(Diskless),
                    kind => Arc::new(SimulatedDriver::prepare((disk.clone(), *life), kind, &pool.backing)?),
                });
            }
            Ground::Real { loops, lvm, seen_lvm, seen, zfs } => (loops, lvm, seen_lvm, seen, zfs),
        };
        if pool.shared {
            return Err(shared(&pool.name));
        }
        let provisioning = match pool.provider {
            ProviderKind::Diskless => return Ok(Arc::new(Diskless)),
            ProviderKind::File => Provisioning::Fat,
            ProviderKind::FileThin => Provisioning::Thin,
            ProviderKind::Zfs => return Ok(Arc::new(ZfsDriver::prepare(pool, Provisioning::Fat, zfs)?)),
            ProviderKind::ZfsThin => return Ok(Arc::new(ZfsDriver::prepare(pool, Provisioning::Thin, zfs)?)),
            ProviderKind::Lvm | ProviderKind::LvmThin => return lvm_driver(pool, lvm, seen_lvm),
            other => return Err(driver::not_built(other)),
        };
        let folder = PathBuf::from(&pool.backing);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = folder.canonicalize().is_ok_and(|folder| seen.contains(&folder));
        let preparation = if known { Preparation::Again } else { Preparation::First };
        let driver = FileDriver::prepare(&pool.backing, provisioning, loops.clone(), preparation)?;
        seen.insert(driver.folder().to_owned());
        Ok(Arc::new(driver))
    }

    fn report(&self, pool: &Pool) -> PoolReport {
        let driver = self.driver_of(pool);
        let supports_snapshots = driver.as_ref().is_ok_and(|driver| driver.supports_snapshots());
        let granularity = driver.as_ref().map_or(Kib(1), |driver| driver.granularity());
        let warning = driver.as_ref().ok().and_then(|driver| driver.warning());
        PoolReport {
            pool: pool.desired.name.clone(),
            capacity: driver.and_then(|driver| driver.capacity()),
            supports_snapshots,
            granularity,
            warning,
        }
    }
}

/// Whether the driver of the one serves the other, too. What a pool's properties say comes with each volume's.
fn same_ground(one: &DesiredPool, other: &DesiredPool) -> bool {
    let same_option = |key: &&str| one.props.get(*key) == other.props.get(*key);
    (one.provider, &one.backing, one.shared) == (other.provider, &other.backing, other.shared)
        && zfs::OPTION_KEYS.iter().all(same_option)
}

fn lvm_driver(pool: &DesiredPool, lvm: &Arc<Lvm>, seen: &Mutex<BTreeSet<String>>) -> Result<Arc<dyn Driver>, Problem> {
    // Not held while the pool is prepared: one that hangs holds up nobody else.
    let known = seen.lock().unwrap_or_else(PoisonError::into_inner).contains(&pool.backing);
    let preparation = if known { Preparation::Again } else { Preparation::First };
    let thin = pool.provider == ProviderKind::LvmThin;
    let driver = LvmDriver::prepare((&pool.backing, thin), &pool.props, lvm, preparation)?;
    seen.lock().unwrap_or_else(PoisonError::into_inner).insert(pool.backing.clone());
    Ok(Arc::new(driver))
}

/// The error for a pool that other nodes use, too.
fn shared(name: &PoolName) -> Problem {
    problem(
        format!("Storage pool {name} cannot be used"),
        "it is in a space that several nodes share, or is guarded by an external lock, and this version of Zea does not \
         coordinate nodes on one storage",
        "Make the pool without a shared space (free_space_mgr_name) and without external locking, on storage of this node \
         alone.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(name: &str, provider: ProviderKind, backing: &str) -> DesiredPool {
        DesiredPool {
            name: PoolName::parse(name).expect("legal"),
            provider,
            backing: backing.to_owned(),
            shared: false,
            props: BTreeMap::new(),
        }
    }

    #[test]
    fn a_sick_pool_harms_nobody_and_heals() {
        let base = tempfile::tempdir().expect("folder");
        let late = base.path().join("not/yet");
        let pools = Pools::real(Arc::default(), &Arc::default());
        let reports = pools.apply(&[
            pool("good", ProviderKind::FileThin, &base.path().to_string_lossy()),
            pool("late", ProviderKind::FileThin, &late.to_string_lossy()),
            pool("spdk", ProviderKind::Spdk, "x"),
            DesiredPool { shared: true, ..pool("shared", ProviderKind::FileThin, &base.path().to_string_lossy()) },
            pool("none", ProviderKind::Diskless, ""),
        ]);
        let healthy: Vec<(&str, bool)> = reports.iter().map(|r| (r.pool.as_str(), r.capacity.is_ok())).collect();
        assert_eq!(healthy, [("good", true), ("late", false), ("none", true), ("shared", false), ("spdk", false)]);
        std::fs::create_dir(base.path().join("not")).expect("made");
        let name = PoolName::parse("late").expect("legal");
        assert!(pools.driver(&name, ProviderKind::FileThin).is_ok());
        assert!(pools.capacities(&[name])[0].capacity.is_ok());
    }

    #[test]
    fn what_is_not_named_any_more_is_forgotten() {
        let base = tempfile::tempdir().expect("folder");
        let pools = Pools::real(Arc::default(), &Arc::default());
        pools.apply(&[pool("good", ProviderKind::FileThin, &base.path().to_string_lossy())]);
        pools.apply(&[]);
        let name = PoolName::parse("good").expect("legal");
        let error = pools.driver(&name, ProviderKind::FileThin).expect_err("gone");
        assert!(error.message.contains("good"), "{error}");
        assert!(pools.driver(&name, ProviderKind::Diskless).is_ok());
        assert!(pools.capacities(&[]).is_empty());
    }
}
