//! Problems that nodes report, as incidents: each once, however often it is reported again. Decides nothing, and does
//! not record what is no fault, such as a device that somebody has mounted. Of many at once, as when a node has lost a disk, it
//! tells some one by one and the others by name.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::rest::error_reports::{Incident, SATELLITE};
use crate::model::names::{NodeName, PoolName, RscName, SnapName};
use crate::model::report::{PoolReport, Problem, Report, ResourceReport};

/// Objects whose problem is remembered, in 16 bytes each; beyond that all are forgotten, and may be recorded a second time.
const REMEMBERED_AT_MOST: usize = 200_000;
/// Incidents that one message of a node makes; more are told together in the last one. A disk that is lost with a thousand
/// volumes would push everything else out of the reports.
const TOLD_AT_MOST: usize = 20;

/// What a problem is of.
enum Object<'a> {
    Pool(&'a PoolName),
    Resource(&'a RscName),
    Snapshot(&'a RscName, &'a SnapName),
}

impl Object<'_> {
    fn digest(&self, node: &NodeName) -> u64 {
        let (kind, name, part) = match self {
            Self::Pool(pool) => ("pool", pool.key(), None),
            Self::Resource(rsc) => ("resource", rsc.key(), None),
            Self::Snapshot(rsc, snapshot) => ("snapshot", rsc.key(), Some(snapshot.key())),
        };
        digest(&(node.key(), kind, name, part))
    }
}

/// What is known to be wrong: a digest of each object's problem, by a digest of the object.
#[derive(Debug, Default)]
pub struct Problems(HashMap<u64, u64>);

impl Problems {
    /// What is new in a node's reports.
    pub fn heard(&mut self, node: &NodeName, reports: &[Report]) -> Vec<Incident> {
        if self.0.len() > REMEMBERED_AT_MOST {
            self.0.clear();
        }
        let all = reports.iter().flat_map(|report| self.heard_one(node, report)).collect();
        at_most(TOLD_AT_MOST, all)
    }

    fn heard_one(&mut self, node: &NodeName, report: &Report) -> Vec<Incident> {
        match report {
            Report::Pool(PoolReport { pool, capacity, .. }) => {
                let doing = format!("storage pool {pool}");
                self.note((node, Object::Pool(pool)), capacity.as_ref().err(), doing).into_iter().collect()
            }
            Report::Resource(report) => self.heard_resource(node, report),
        }
    }

    /// What a snapshot could not is the resource's problem as well: it is told once, of the snapshot.
    fn heard_resource(&mut self, node: &NodeName, report: &ResourceReport) -> Vec<Incident> {
        let rsc = &report.rsc;
        let mut new = Vec::new();
        for snapshot in &report.snapshots {
            let object = Object::Snapshot(rsc, &snapshot.name);
            let doing = format!("snapshot {} of resource {rsc}", snapshot.name);
            new.extend(self.note((node, object), snapshot.problem.as_ref(), doing));
        }
        let own = report.problem.as_ref().filter(|_| report.in_use != Some(true));
        let told = report.snapshots.iter().filter_map(|snapshot| snapshot.problem.as_ref());
        let is_told = own.is_some_and(|own| told.map(what).any(|told| told == what(own)));
        let own = self.note((node, Object::Resource(rsc)), own, format!("resource {rsc}"));
        new.extend(own.filter(|_| !is_told));
        new
    }

    fn note(&mut self, of: (&NodeName, Object<'_>), problem: Option<&Problem>, doing: String) -> Option<Incident> {
        let (node, key) = (of.0, of.1.digest(of.0));
        let Some(problem) = problem else {
            self.0.remove(&key);
            return None;
        };
        let now = digest(&what(problem));
        if self.0.insert(key, now) == Some(now) {
            return None;
        }
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

/// What makes a problem another one. The details of a command that failed again differ in figures.
fn what(problem: &Problem) -> (&str, &str) {
    (&problem.message, &problem.cause)
}

fn digest(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The first `most` incidents; where there are more, the last of them stands for the rest and names what they are about.
fn at_most(most: usize, mut incidents: Vec<Incident>) -> Vec<Incident> {
    if incidents.len() <= most {
        return incidents;
    }
    let rest = incidents.split_off(most.saturating_sub(1));
    let about: Vec<&str> = rest.iter().map(|incident| incident.doing.as_str()).collect();
    let together = Incident {
        message: format!("{} more storage problems, told at the same time", rest.len()),
        cause: "Most likely they have one cause with those that are recorded before this one".to_owned(),
        correction: "Mend those first; what is left then is told again at the objects themselves".to_owned(),
        details: about.join("\n"),
        ..rest[0].clone()
    };
    incidents.push(together);
    incidents
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::SnapshotReport;
    use crate::model::size::Kib;
    use crate::model::testkit::{node, pool, rsc};

    fn problem(cause: &str) -> Problem {
        let text = |text: &str| text.to_owned();
        Problem { message: text("It failed"), cause: text(cause), correction: text("Mend it"), details: text("exit 1") }
    }

    fn of_pool(problem: Option<Problem>) -> Report {
        let room = crate::model::report::Capacity { free: Kib(1), total: Kib(1) };
        let capacity = problem.map_or(Ok(room), Err);
        Report::Pool(PoolReport {
            pool: pool("data"),
            capacity,
            supports_snapshots: true,
            granularity: Kib(1),
            warning: None,
        })
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
            seen: false,
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
    fn of_very_many_some_are_told_and_the_others_are_named() {
        let mut problems = Problems::default();
        let report = |number: usize| {
            let Report::Resource(report) = of_resource(Some(problem("its disk is gone")), None) else { unreachable!() };
            Report::Resource(ResourceReport { rsc: rsc(&format!("web-{number}")), ..report })
        };
        for (count, told) in [(TOLD_AT_MOST, TOLD_AT_MOST), (500, TOLD_AT_MOST)] {
            let reports: Vec<Report> = (0..count).map(report).collect();
            let heard = problems.heard(&node(&format!("node-{count}")), &reports);
            assert_eq!(heard.len(), told);
            let last = heard.last().expect("one");
            assert_eq!(last.details.contains(&format!("resource web-{}", count - 1)), count > TOLD_AT_MOST, "{last:?}");
            let named: usize = last.details.lines().filter(|line| line.starts_with("resource")).count();
            assert_eq!(told - usize::from(named > 0) + named, count, "none is left out");
            assert!(problems.heard(&node(&format!("node-{count}")), &reports).is_empty(), "each is known");
        }
    }

    #[test]
    fn what_a_snapshot_could_not_is_told_once() {
        let of_snapshots = |own: Option<&str>, snapshot: Option<&str>| {
            let Report::Resource(mut report) = of_resource(own.map(problem), None) else { unreachable!() };
            let name = crate::model::names::SnapName::parse("monday").unwrap();
            let problem = snapshot.map(problem);
            let snapshot = SnapshotReport { name, present: false, taken: None, allocated: None, problem, remark: None };
            report.snapshots.push(snapshot);
            Report::Resource(report)
        };
        let mut problems = Problems::default();
        let mut heard = |own: Option<&str>, snapshot: Option<&str>| -> Vec<String> {
            let heard = problems.heard(&node("alpha"), &[of_snapshots(own, snapshot)]);
            heard.into_iter().map(|incident| incident.doing).collect()
        };
        assert_eq!(heard(Some("no room"), Some("no room")), ["snapshot monday of resource web"]);
        assert!(heard(Some("no room"), Some("no room")).is_empty(), "a retry");
        assert!(heard(Some("no room"), None).is_empty(), "known");
        assert_eq!(heard(Some("no disk"), None), ["resource web"]);
        assert_eq!(heard(Some("no tool"), Some("no room")).len(), 2, "two problems are two");
    }

    #[test]
    fn a_mounted_device_is_no_fault() {
        let mut problems = Problems::default();
        assert!(problems.heard(&node("alpha"), &[of_resource(Some(problem("is mounted")), Some(true))]).is_empty());
    }
}
