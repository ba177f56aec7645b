//! A pool without devices: volumes are numbers in memory, everything else goes the way of a real one.
//!
//! The simulated node uses the same observation, plan and execution as a real one (`node`); only the driver is this.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::driver::{Driver, PartId};
use super::problem::problem;
use crate::model::kinds::{ProviderKind, Provisioning};
use crate::model::moment::Uuid;
use crate::model::names::{RscName, SnapName};
use crate::model::plan::{BackingId, ObservedDevice, ObservedPart, ObservedVolume};
use crate::model::report::{Capacity, Problem};
use crate::model::size::Kib;

/// Which part of its size a thin volume takes.
const THIN_SHARE: u64 = 64;

/// What a simulated node is like.
#[derive(Debug, Clone, Copy)]
pub struct Simulation {
    /// Room of each of its pools.
    pub pool_size: Kib,
}

impl Default for Simulation {
    fn default() -> Self {
        Self { pool_size: Kib(100 << 30) }
    }
}

#[derive(Debug, Clone, Copy)]
struct Volume {
    size: Kib,
    attached: bool,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    size: Kib,
    taken_ms: i64,
}

#[derive(Debug, Default)]
struct State {
    volumes: BTreeMap<BackingId, Volume>,
    parts: BTreeMap<String, Part>,
    rolled_back: BTreeMap<RscName, Uuid>,
    used: u64,
}

/// The driver of a simulated pool.
#[derive(Debug)]
pub struct SimulatedDriver {
    kind: ProviderKind,
    total: Kib,
    state: Mutex<State>,
}

impl SimulatedDriver {
    pub(super) fn new(kind: ProviderKind, simulation: &Simulation) -> Self {
        Self { kind, total: simulation.pool_size, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn allocation(&self, size: Kib) -> u64 {
        match self.kind.provisioning() {
            Provisioning::Fat => size.0,
            _ => size.0.div_ceil(THIN_SHARE),
        }
    }

    /// Replaces a volume's share of the room.
    fn account(&self, state: &mut State, old: Kib, new: Kib) -> Result<(), Problem> {
        let rest = state.used.saturating_sub(self.allocation(old));
        let used = rest.saturating_add(self.allocation(new));
        if used > self.total.0 && new > old {
            return Err(problem(
                format!("A volume of {new} cannot be made"),
                format!("the pool has {} left", Kib(self.total.0.saturating_sub(rest))),
                "Remove volumes or snapshots.",
            ));
        }
        state.used = used;
        Ok(())
    }

    fn put(&self, id: &BackingId, size: Kib) -> Result<(), Problem> {
        let mut state = self.state();
        let old = state.volumes.get(id).copied();
        self.account(&mut state, old.map_or(Kib(0), |volume| volume.size), size)?;
        let attached = old.is_some_and(|volume| volume.attached);
        state.volumes.insert(id.clone(), Volume { size, attached });
        Ok(())
    }

    fn set_attached(&self, id: &BackingId, attached: bool) -> Result<(), Problem> {
        match self.state().volumes.get_mut(id) {
            Some(volume) => volume.attached = attached,
            None if attached => return Err(missing()),
            None => {}
        }
        Ok(())
    }

    fn part_size(&self, part: PartId<'_>) -> Result<Kib, Problem> {
        let state = self.state();
        state.parts.get(&part.of.snapshot(part.snapshot)).map(|part| part.size).ok_or_else(missing)
    }
}

fn missing() -> Problem {
    problem("The volume is missing", "the simulated pool has none of that name", "Make it first.")
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Driver for SimulatedDriver {
    fn capacity(&self) -> Result<Capacity, Problem> {
        Ok(Capacity { free: Kib(self.total.0.saturating_sub(self.state().used)), total: self.total })
    }

    fn granularity(&self) -> Kib {
        Kib(1)
    }

    fn supports_snapshots(&self) -> bool {
        self.kind.supports_snapshots()
    }

    fn observe(&self, id: &BackingId) -> Result<ObservedVolume, Problem> {
        let volume = self.state().volumes.get(id).copied();
        let device = volume
            .filter(|volume| volume.attached)
            .map(|volume| ObservedDevice { path: format!("/dev/zea-sim/{id}"), size: volume.size });
        Ok(ObservedVolume {
            backing: volume.map(|volume| volume.size),
            allocated: volume.map(|volume| Kib(self.allocation(volume.size))),
            device,
            granularity: Kib(1),
            has_device: true,
            ..ObservedVolume::default()
        })
    }

    fn observe_part(&self, part: PartId<'_>) -> Result<ObservedPart, Problem> {
        let found = self.state().parts.get(&part.of.snapshot(part.snapshot)).copied();
        Ok(ObservedPart {
            size: found.map(|part| part.size),
            allocated: found.map(|part| Kib(part.size.0.div_ceil(THIN_SHARE))),
            taken_ms: found.map(|part| part.taken_ms),
        })
    }

    fn assert_unused(&self, _: &BackingId) -> Result<(), Problem> {
        Ok(())
    }

    fn create(&self, id: &BackingId, size: Kib) -> Result<(), Problem> {
        self.put(id, size)
    }

    fn create_from(&self, id: &BackingId, part: PartId<'_>, size: Kib) -> Result<(), Problem> {
        let least = self.part_size(part)?;
        self.put(id, size.max(least))
    }

    fn resize(&self, id: &BackingId, size: Kib) -> Result<(), Problem> {
        self.put(id, size)
    }

    fn refresh_size(&self, _: &BackingId) -> Result<(), Problem> {
        Ok(())
    }

    fn attach(&self, id: &BackingId) -> Result<(), Problem> {
        self.set_attached(id, true)
    }

    fn detach(&self, id: &BackingId) -> Result<(), Problem> {
        self.set_attached(id, false)
    }

    fn remove(&self, id: &BackingId) -> Result<(), Problem> {
        let mut state = self.state();
        if let Some(volume) = state.volumes.remove(id) {
            self.account(&mut state, volume.size, Kib(0))?;
        }
        Ok(())
    }

    fn take_snapshot(&self, ids: &[BackingId], snapshot: &SnapName) -> Result<Option<String>, Problem> {
        let mut state = self.state();
        let taken_ms = now_ms();
        for id in ids {
            let size = state.volumes.get(id).ok_or_else(missing)?.size;
            state.parts.insert(id.snapshot(snapshot), Part { size, taken_ms });
        }
        Ok(None)
    }

    fn remove_part(&self, part: PartId<'_>) -> Result<(), Problem> {
        self.state().parts.remove(&part.of.snapshot(part.snapshot));
        Ok(())
    }

    fn stage_rollback(&self, part: PartId<'_>, _: Kib) -> Result<(), Problem> {
        self.part_size(part).map(drop)
    }

    fn swap_rollback(&self, id: &BackingId) -> Result<(), Problem> {
        self.set_attached(id, false)
    }

    fn rolled_back(&self, rsc: &RscName) -> Result<Option<Uuid>, Problem> {
        Ok(self.state().rolled_back.get(rsc).copied())
    }

    fn record_rollback(&self, rsc: &RscName, token: Option<Uuid>) -> Result<(), Problem> {
        let mut state = self.state();
        match token {
            Some(token) => state.rolled_back.insert(rsc.clone(), token),
            None => state.rolled_back.remove(rsc),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::VolumeNumber;

    #[test]
    fn room_is_counted() {
        let simulation = Simulation { pool_size: Kib(1000) };
        let rsc = RscName::parse("web").expect("legal");
        let id = |number| BackingId::of(&rsc, VolumeNumber::new(number).expect("legal"), None).expect("legal");
        let fat = SimulatedDriver::new(ProviderKind::File, &simulation);
        let free = || fat.capacity().expect("known").free;
        fat.create(&id(0), Kib(600)).expect("fits");
        assert_eq!(free(), Kib(400));
        assert!(fat.create(&id(1), Kib(600)).is_err());
        fat.resize(&id(0), Kib(1000)).expect("fits");
        assert_eq!(free(), Kib(0));
        fat.remove(&id(0)).expect("removed");
        assert_eq!(free(), Kib(1000));
        let thin = SimulatedDriver::new(ProviderKind::FileThin, &simulation);
        thin.create(&id(0), Kib(6400)).expect("thin");
        assert_eq!(thin.capacity().expect("known").free, Kib(900));
    }
}
