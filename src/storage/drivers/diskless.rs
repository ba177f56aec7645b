//! DISKLESS: unlimited room and nothing to do (facts: `satellite.md` §1.8). Snapshots of nothing are refused.

use crate::model::moment::Uuid;
use crate::model::names::{RscName, SnapName};
use crate::model::plan::{BackingId, ObservedPart, ObservedVolume};
use crate::model::report::{Capacity, Problem};
use crate::model::size::Kib;
use crate::storage::driver::{Driver, Owner, PartId};
use crate::storage::problem::problem;

/// The driver of DISKLESS pools.
#[derive(Debug, Clone, Copy, Default)]
pub struct Diskless;

fn no_data(what: &str) -> Problem {
    problem(format!("{what} in a DISKLESS pool"), "a DISKLESS pool holds no data", "Name a pool with storage.")
}

impl Driver for Diskless {
    fn capacity(&self) -> Result<Capacity, Problem> {
        Ok(Capacity { free: Kib::UNLIMITED, total: Kib::UNLIMITED })
    }

    fn granularity(&self) -> Kib {
        Kib(1)
    }

    fn supports_snapshots(&self) -> bool {
        false
    }

    fn observe(&self, _: &BackingId) -> Result<ObservedVolume, Problem> {
        Ok(ObservedVolume { granularity: Kib(1), ..ObservedVolume::default() })
    }

    fn observe_part(&self, _: PartId<'_>) -> Result<ObservedPart, Problem> {
        Ok(ObservedPart::default())
    }

    fn assert_unused(&self, _: &BackingId) -> Result<(), Problem> {
        Ok(())
    }

    fn create(&self, _: &BackingId, _: Kib, _: Owner) -> Result<(), Problem> {
        Ok(())
    }

    fn create_from(&self, _: &BackingId, _: PartId<'_>, _: Kib, _: Owner) -> Result<(), Problem> {
        Err(no_data("A volume cannot be made from a snapshot"))
    }

    fn resize(&self, _: &BackingId, _: Kib) -> Result<(), Problem> {
        Ok(())
    }

    fn refresh_size(&self, _: &BackingId) -> Result<(), Problem> {
        Ok(())
    }

    fn attach(&self, _: &BackingId) -> Result<(), Problem> {
        Ok(())
    }

    fn detach(&self, _: &BackingId) -> Result<(), Problem> {
        Ok(())
    }

    fn remove(&self, _: &BackingId) -> Result<(), Problem> {
        Ok(())
    }

    fn take_snapshot(&self, _: &[BackingId], _: &SnapName) -> Result<Option<String>, Problem> {
        Err(no_data("A snapshot cannot be taken"))
    }

    fn remove_part(&self, _: PartId<'_>) -> Result<(), Problem> {
        Ok(())
    }

    fn stage_rollback(&self, _: PartId<'_>, _: Kib, _: Owner) -> Result<(), Problem> {
        Err(no_data("A volume cannot be rolled back"))
    }

    fn swap_rollback(&self, _: &BackingId) -> Result<(), Problem> {
        Err(no_data("A volume cannot be rolled back"))
    }

    fn rolled_back(&self, _: &RscName) -> Result<Option<Uuid>, Problem> {
        Ok(None)
    }

    fn record_rollback(&self, _: &RscName, _: Option<Uuid>) -> Result<(), Problem> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlimited_room_and_no_device() {
        let rsc = RscName::parse("web").expect("legal");
        let number = crate::model::names::VolumeNumber::new(0).expect("legal");
        let id = BackingId::of(&rsc, number, None).expect("legal");
        assert_eq!(Diskless.capacity().expect("known").free, Kib::UNLIMITED);
        assert!(!Diskless.observe(&id).expect("known").has_device);
        let snapshot = SnapName::parse("now").expect("legal");
        assert!(Diskless.take_snapshot(&[id], &snapshot).is_err());
    }
}
