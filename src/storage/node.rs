//! A node's storage, whole: pools, and one pass over one resource. The entry for whoever drives it.
//!
//! A pass observes, plans, carries out and reports. One that finds nothing to do runs at most one process for each kind of
//! pool, which lists what all of them have for the passes of some seconds.
//! Passes of different resources may run at once; of one resource only one at a time: a second one waits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once, PoisonError};

use super::exec::{Breaker, Exec, Limits};
use super::execute::{Execution, Outcome};
use super::loops::Loops;
use super::observe::observe;
use super::pool::Pools;
use super::problem::problem;
use super::simulated::{Disk, Simulation};
use super::targets::Targets;
use super::turns::Turns;
use super::{layer, layers, report, tools};
use crate::model::conduct::Rules;
use crate::model::desired::{DesiredPool, DesiredResource, LuksKey, Order};
use crate::model::kinds::LayerKind;
use crate::model::names::{PoolName, VolumeNumber};
use crate::model::plan::{ObservedResource, Plan, Subject};
use crate::model::report::{PoolReport, Problem, ResourceReport, SatelliteFacts};
use crate::model::secret::Secret;

/// How a real node is set up.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Time limits of external commands.
    pub limits: Limits,
    /// Folder of LINSTOR's file `loop_device_mapping`, where one shall be kept.
    pub mapping_folder: Option<PathBuf>,
}

/// The storage of one node; clones are the same node.
#[derive(Debug, Clone)]
pub struct NodeStorage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pools: Pools,
    ground: Ground,
    rules: Rules,
}

#[derive(Debug)]
enum Ground {
    Real(Real),
    Simulated(Disk, u64),
}

#[derive(Debug)]
struct Real {
    exec: Arc<Exec>,
    loops: Arc<Loops>,
    turns: Turns,
    /// What an earlier process left suspended was let go.
    resumed: Once,
}

/// What is remembered of one resource between passes; losing it costs a look, nothing else. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct ResourceMemory(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    formatted: BTreeSet<VolumeNumber>,
    breaker: Breaker,
}

impl NodeStorage {
    /// This machine.
    #[must_use]
    pub fn real(setup: &Setup) -> Self {
        let loops = Arc::new(Loops::new(setup.mapping_folder.as_deref()));
        let exec = Arc::new(Exec::new(setup.limits));
        Self(Arc::new(Inner {
            pools: Pools::real(loops.clone(), &exec),
            ground: Ground::Real(Real { exec, loops, turns: Turns::default(), resumed: Once::new() }),
            rules: Rules::default(),
        }))
    }

    /// A node without devices, which answers as a real one would: to try everything else without root.
    #[must_use]
    pub fn simulated(simulation: Simulation) -> Self {
        Disk::new(simulation).start()
    }

    /// The satellite that the disk has now.
    pub(super) fn on_disk(disk: Disk) -> Self {
        let (life, rules) = (disk.life(), disk.simulation().rules);
        Self(Arc::new(Inner { pools: Pools::simulated(disk.clone()), ground: Ground::Simulated(disk, life), rules }))
    }

    /// Whether the process of this storage has ended, which only a simulated one survives: nothing that it does has any
    /// effect, and nothing that it says is to be believed.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(&self.0.ground, Ground::Simulated(disk, life) if disk.life() != *life)
    }

    /// What works here and what does not, and why. Looks anew each time: call it once per connection.
    pub async fn facts(&self, version: &str) -> SatelliteFacts {
        let version = version.to_owned();
        self.blocking(move |storage| storage.facts_now(&version)).await
    }

    /// The same at once. Blocks, but on a simulated node.
    #[must_use]
    pub fn facts_now(&self, version: &str) -> SatelliteFacts {
        match &self.0.ground {
            Ground::Real(real) => tools::facts(version, &real.exec),
            Ground::Simulated(disk, _) => tools::simulated_facts(version, disk.simulation().uname),
        }
    }

    /// Takes over the whole set of pools. A sick pool is reported as such and harms no other.
    pub async fn apply_pools(&self, pools: Vec<DesiredPool>) -> Vec<PoolReport> {
        self.blocking(move |storage| storage.apply_pools_now(&pools)).await
    }

    /// The same at once. Blocks, but on a simulated node.
    pub fn apply_pools_now(&self, pools: &[DesiredPool]) -> Vec<PoolReport> {
        if let Some(real) = self.0.real() {
            real.resumed.call_once(|| layers::resume_leftovers(&real.exec));
        }
        self.0.pools.apply(pools)
    }

    /// Room of the pools named, or of all when none is named. Also brings the mapping file up to date.
    pub async fn capacities(&self, pools: Vec<PoolName>) -> Vec<PoolReport> {
        self.blocking(move |storage| storage.capacities_now(&pools)).await
    }

    /// The same at once. Blocks, but on a simulated node.
    pub fn capacities_now(&self, pools: &[PoolName]) -> Vec<PoolReport> {
        if let Some(Err(error)) = self.0.real().map(|real| real.loops.write_mapping()) {
            tracing::warn!(%error, "the mapping of loop devices cannot be written");
        }
        self.0.pools.capacities(pools)
    }

    /// One pass over a resource. Never fails: what went wrong stands in the report.
    pub async fn reconcile(&self, memory: &ResourceMemory, desired: Arc<DesiredResource>) -> ResourceReport {
        self.reconcile_steps(memory, desired, usize::MAX).await
    }

    /// A pass at once, which ends after so many steps. Blocks, but on a simulated node.
    #[must_use]
    pub fn pass(&self, memory: &ResourceMemory, desired: &DesiredResource, steps: usize) -> ResourceReport {
        self.0.pass(memory, desired, steps)
    }

    /// Whether this is a node without devices.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.0.real().is_none()
    }

    /// A pass that ends after so many steps: how a crash in the middle is tried out.
    pub async fn reconcile_steps(
        &self,
        memory: &ResourceMemory,
        desired: Arc<DesiredResource>,
        steps: usize,
    ) -> ResourceReport {
        let memory = memory.clone();
        self.blocking(move |storage| storage.pass(&memory, &desired, steps)).await
    }

    /// What the next pass would do. Changes nothing.
    pub async fn preview(&self, memory: &ResourceMemory, desired: Arc<DesiredResource>) -> Plan {
        let memory = memory.clone();
        self.blocking(move |storage| {
            let targets = Targets::of(&desired, &storage.0.pools);
            (storage.0.rules.plan)(&desired, &observe(&desired, &targets, &memory.formatted()))
        })
        .await
    }

    /// How often each external program was started so far, by name.
    #[must_use]
    pub fn command_counts(&self) -> BTreeMap<String, u64> {
        self.0.real().map(|real| real.exec.counts()).unwrap_or_default()
    }

    /// Backing objects that turned out, since this was asked last, to have lost their devices to others. Costs nothing.
    #[must_use]
    pub fn take_lost(&self) -> Vec<String> {
        self.0.real().map(|real| ids(real.loops.take_lost())).unwrap_or_default()
    }

    /// Backing objects that have changed without us: their devices are gone, or they take more or less room than was last
    /// reported. Looks at every device that is attached, and lists anew what is listed at all: call it at intervals, never per operation.
    pub async fn look_around(&self) -> Vec<String> {
        self.blocking(|storage| {
            let mut changed = storage.0.real().map(|real| ids(real.loops.look_around())).unwrap_or_default();
            changed.extend(storage.0.pools.look_around());
            changed
        })
        .await
    }

    /// How many loop devices of this node's pools are known.
    #[must_use]
    pub fn loop_devices(&self) -> usize {
        self.0.real().map_or(0, |real| real.loops.count())
    }

    /// Runs on a thread that may block; in place on a simulated node, where nothing blocks.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> T {
        if self.is_simulated() {
            return work(self);
        }
        let storage = self.clone();
        match tokio::task::spawn_blocking(move || work(&storage)).await {
            Ok(result) => result,
            // The panic belongs to the caller, whose supervisor knows what to do.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// Names of backing objects out of their files'.
fn ids(files: Vec<PathBuf>) -> Vec<String> {
    files.iter().filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned())).collect()
}

impl ResourceMemory {
    fn formatted(&self) -> BTreeSet<VolumeNumber> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).formatted.clone()
    }

    fn breaker(&self) -> Breaker {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).breaker.clone()
    }

    /// Keeps what was learned about volumes that are still there.
    fn learn(&self, outcome: &Outcome, observed: &ObservedResource) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.formatted.extend(&outcome.formatted);
        let there = |number: &VolumeNumber| {
            let found = observed.volumes.get(number);
            found.is_some_and(|found| found.as_ref().is_ok_and(|found| found.backing.is_some()))
        };
        known.formatted.retain(there);
    }
}

impl Inner {
    fn real(&self) -> Option<&Real> {
        match &self.ground {
            Ground::Real(real) => Some(real),
            Ground::Simulated(..) => None,
        }
    }

    fn pass(&self, memory: &ResourceMemory, desired: &DesiredResource, steps: usize) -> ResourceReport {
        let keyed = self.with_keys(desired);
        let desired = keyed.as_ref().unwrap_or(desired);
        let _turn = self.real().map(|real| real.turns.take(&desired.rsc));
        let targets = Targets::of(desired, &self.pools);
        let mut observed = observe(desired, &targets, &memory.formatted());
        let mut outcome = Outcome::default();
        if let Err(problem) = self.check_layers(desired) {
            outcome.problems.push((Subject::Resource, problem));
        } else {
            let plan = (self.rules.plan)(desired, &observed);
            let breaker = memory.breaker();
            let execution =
                Execution { desired, targets: &targets, exec: self.real().map(|real| &*real.exec), breaker: &breaker };
            outcome = execution.run(&plan, steps);
            if !plan.steps.is_empty() {
                observed = observe(desired, &targets, &memory.formatted());
            }
            memory.learn(&outcome, &observed);
        }
        let simulated = self.real().is_none();
        report::report(desired, &observed, outcome, simulated)
    }

    /// On a simulated node nothing is secret: an encrypted volume that its controller has no key for gets one of no letters.
    fn with_keys(&self, desired: &DesiredResource) -> Option<DesiredResource> {
        let encrypted = self.real().is_none() && desired.layers.contains(&LayerKind::Luks);
        encrypted.then(|| {
            let mut keyed = desired.clone();
            for volume in keyed.volumes.iter_mut().filter(|volume| volume.luks.is_none()) {
                volume.luks = Some(LuksKey::Known { passphrase: Secret::new(""), previous: None });
            }
            keyed
        })
    }

    /// A removal needs no layer: what is in use by one is refused as such.
    fn check_layers(&self, desired: &DesiredResource) -> Result<(), Problem> {
        if self.real().is_none() || desired.order == Order::Remove {
            return Ok(());
        }
        layer::check(&desired.layers)?;
        if desired.diskless {
            return Err(problem(
                format!("Resource {} cannot be on this node without a disk", desired.rsc),
                "no layer of its stack brings the data from another node",
                "Place it with a disk.",
            ));
        }
        Ok(())
    }
}
