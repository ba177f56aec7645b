//! Values that the tests of the satellite's machines are about.

use std::collections::BTreeMap;

use crate::model::desired::{DesiredResource, DesiredVolume, Order, Origin};
use crate::model::kinds::{LayerKind, ProviderKind};
use crate::model::names::{PoolName, RscName, SnapName, VolumeNumber};
use crate::model::report::{Capacity, PoolReport, Problem, ResourceReport, SnapshotReport};
use crate::model::size::Kib;

/// A resource that shall be there, without volumes.
pub(crate) fn desired(name: &str, generation: u64) -> DesiredResource {
    DesiredResource {
        rsc: RscName::parse(name).expect("legal"),
        generation,
        order: Order::Make,
        active: true,
        layers: vec![LayerKind::Storage],
        diskless: false,
        volumes: Vec::new(),
        snapshots: Vec::new(),
        rollback: None,
        props: BTreeMap::new(),
    }
}

/// A volume of number 0.
pub(crate) fn volume(override_id: Option<&str>) -> DesiredVolume {
    DesiredVolume {
        number: VolumeNumber::new(0).expect("legal"),
        pool: PoolName::parse("ppp").expect("legal"),
        provider: ProviderKind::FileThin,
        size: Kib(8),
        order: Order::Make,
        made: false,
        origin: Origin::Blank,
        file_system: None,
        options: BTreeMap::new(),
        shrink: false,
        minor: None,
        override_id: override_id.map(str::to_owned),
        luks: None,
    }
}

/// A report that all is well.
pub(super) fn report(name: &str, generation: u64) -> ResourceReport {
    ResourceReport {
        rsc: RscName::parse(name).expect("legal"),
        generation,
        gone: false,
        volumes: Vec::new(),
        snapshots: Vec::new(),
        rolled_back: None,
        in_use: None,
        problem: None,
        refused: Vec::new(),
        seen: true,
    }
}

pub(super) fn problem() -> Problem {
    Problem { message: "no".to_owned(), cause: String::new(), correction: String::new(), details: String::new() }
}

pub(super) fn snapshot(present: bool, problem_text: Option<&str>) -> SnapshotReport {
    SnapshotReport {
        name: SnapName::parse("then").expect("legal"),
        present,
        taken: None,
        allocated: None,
        problem: problem_text.map(|text| Problem { message: text.to_owned(), ..problem() }),
        remark: None,
    }
}

pub(super) fn pool_report(name: &str, free: u64) -> PoolReport {
    PoolReport {
        pool: PoolName::parse(name).expect("legal"),
        capacity: Ok(Capacity { free: Kib(free), total: Kib(100) }),
        supports_snapshots: true,
        granularity: Kib(1),
        warning: None,
    }
}
