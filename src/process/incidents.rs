//! Error reports of a process: where they lie, and that every failure of an actor becomes one. Writes on threads that
//! may block, never on that of the actors.

use std::time::UNIX_EPOCH;

use super::Start;
use crate::actors::controller::rest::ErrorReports;
use crate::actors::controller::rest::error_reports::{CONTROLLER, Incident, SATELLITE};
use crate::actors::system::System;

/// The process's error reports; actors that fail from now on are recorded.
pub(super) fn open(system: &System, start: &Start) -> ErrorReports {
    let seconds = start.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    let reports = ErrorReports::open(&start.config.error_reports_dir(), &start.node_name(), seconds);
    let (workers, kept) = (system.workers().clone(), reports.clone());
    system.registry().on_failure(move |path, reason| {
        let (reports, incident) = (kept.clone(), incident(path, reason));
        workers.spawn_blocking(move || reports.report(&incident));
    });
    reports
}

/// Simulated satellites are nodes of their own.
fn incident(path: &str, reason: &str) -> Incident {
    let mut parts = path.split('/');
    let (module, node) = match parts.next() {
        Some("simulated") => (SATELLITE, parts.next().map(str::to_owned)),
        Some("satellite") => (SATELLITE, None),
        _ => (CONTROLLER, None),
    };
    Incident {
        node,
        module,
        kind: "actor failure".to_owned(),
        message: reason.to_owned(),
        doing: format!("actor {path}"),
        cause: "A fault of the program, or something outside that it cannot go on without".to_owned(),
        correction: "The actor is started again by itself. If it comes back, hand this report on".to_owned(),
        ..Incident::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_module_and_node_of_its_actor() {
        let of = |path: &str| {
            let incident = incident(path, "boom");
            (incident.module, incident.node, incident.doing)
        };
        assert_eq!(of("controller/cluster"), (CONTROLLER, None, "actor controller/cluster".to_owned()));
        assert_eq!(of("satellite/resource/web").0, SATELLITE);
        assert_eq!(of("simulated/sim-3/reports").1.as_deref(), Some("sim-3"));
    }
}
