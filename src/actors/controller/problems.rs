//! Problems that nodes report, as incidents: each once, however often it is reported again. Decides nothing, and does
//! not record what is no fault, such as a device that somebody has mounted.

use std::collections::BTreeMap;

use super::rest::error_reports::{Incident, SATELLITE};
use crate::model::names::{NodeName, PoolName, RscName, SnapName};
use crate::model::report::{PoolReport, Problem, Report, ResourceReport};

/// Objects whose problem is remembered; beyond that all are forgotten, and may be recorded a second time.
const REMEMBERED_AT_MOST: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Object {
    Pool(PoolName),
    Resource(RscName),
    Snapshot(RscName, SnapName),
}

/// What is known to be wrong.
#[derive(Debug, Default)]
pub struct Problems(BTreeMap<(NodeName, Object), Problem>);

impl Problems {
    /// What is new in a node's reports.
    pub fn heard(&mut self, node: &NodeName, reports: &[Report]) -> Vec<Incident> {
        if self.0.len() > REMEMBERED_AT_MOST {
            self.0.clear();
        }
        reports.iter().flat_map(|report| self.heard_one(node, report)).collect()
    }

    fn heard_one(&mut self, node: &NodeName, report: &Report) -> Vec<Incident> {
        match report {
            Report::Pool(PoolReport { pool, capacity, .. }) => {
                let doing = format!("storage pool {pool}");
                self.note((node, Object::Pool(pool.clone())), capacity.as_ref().err(), doing).into_iter().collect()
            }
            Report::Resource(report) => self.heard_resource(node, report),
        }
    }

    fn heard_resource(&mut self, node: &NodeName, report: &ResourceReport) -> Vec<Incident> {
        let rsc = &report.rsc;
        let own = report.problem.as_ref().filter(|_| report.in_use != Some(true));
        let mut new = Vec::from_iter(self.note((node, Object::Resource(rsc.clone())), own, format!("resource {rsc}")));
        for snapshot in &report.snapshots {
            let object = Object::Snapshot(rsc.clone(), snapshot.name.clone());
            let doing = format!("snapshot {} of resource {rsc}", snapshot.name);
            new.extend(self.note((node, object), snapshot.problem.as_ref(), doing));
        }
        new
    }

    fn note(&mut self, of: (&NodeName, Object), problem: Option<&Problem>, doing: String) -> Option<Incident> {
        let (node, object) = of;
        let key = (node.clone(), object);
        let Some(problem) = problem else {
            self.0.remove(&key);
            return None;
        };
        if self.0.get(&key).is_some_and(|known| same(known, problem)) {
            return None;
        }
        self.0.insert(key, problem.clone());
        Some(Incident {
            node: Some(node.to_string()),
            module: SATELLITE,
            kind: "storage problem".to_owned(),
            message: problem.message.clone(),
            cause: problem.cause.clone(),
            correction: problem.correction.clone(),
            details: problem.details.clone(),
            doing,
            ..Incident::default()
        })
    }
}

/// The details of a command that failed again differ in figures.
fn same(one: &Problem, other: &Problem) -> bool {
    one.message == other.message && one.cause == other.cause
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::size::Kib;
    use crate::model::testkit::{node, pool, rsc};

    fn problem(cause: &str) -> Problem {
        let text = |text: &str| text.to_owned();
        Problem { message: text("It failed"), cause: text(cause), correction: text("Mend it"), details: text("exit 1") }
    }

    fn of_pool(problem: Option<Problem>) -> Report {
        let room = crate::model::report::Capacity { free: Kib(1), total: Kib(1) };
        let capacity = problem.map_or(Ok(room), Err);
        Report::Pool(PoolReport { pool: pool("data"), capacity, supports_snapshots: true, granularity: Kib(1) })
    }

    fn of_resource(problem: Option<Problem>, in_use: Option<bool>) -> Report {
        Report::Resource(ResourceReport {
            rsc: rsc("web"),
            generation: 1,
            gone: false,
            volumes: Vec::new(),
            snapshots: Vec::new(),
            rolled_back: None,
            in_use,
            problem,
            refused: Vec::new(),
        })
    }

    #[test]
    fn a_problem_is_told_once_until_it_is_another_or_was_over() {
        let mut problems = Problems::default();
        let mut heard = |on: &str, report: Report| problems.heard(&node(on), &[report]);
        let first = heard("alpha", of_pool(Some(problem("no disk")))).remove(0);
        assert_eq!(
            (first.node.as_deref(), first.module, first.doing.as_str()),
            (Some("alpha"), SATELLITE, "storage pool data")
        );
        assert_eq!(
            (first.cause.as_str(), first.correction.as_str(), first.details.as_str()),
            ("no disk", "Mend it", "exit 1")
        );
        assert!(heard("alpha", of_pool(Some(problem("no disk")))).is_empty(), "a retry");
        assert_eq!(heard("beta", of_pool(Some(problem("no disk")))).len(), 1, "another node");
        assert_eq!(heard("alpha", of_pool(Some(problem("no room")))).len(), 1, "another cause");
        assert_eq!(heard("alpha", of_resource(Some(problem("no room")), None)).len(), 1, "another object");
        assert!(heard("alpha", of_pool(None)).is_empty());
        assert_eq!(heard("alpha", of_pool(Some(problem("no room")))).len(), 1, "it was over");
    }

    #[test]
    fn a_mounted_device_is_no_fault() {
        let mut problems = Problems::default();
        assert!(problems.heard(&node("alpha"), &[of_resource(Some(problem("is mounted")), Some(true))]).is_empty());
    }
}
