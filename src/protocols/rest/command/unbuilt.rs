//! What this release does not carry out: whole calls, and wishes inside of requests. Each comes with what to do instead.
//! Never lets a wish fall silently.

use crate::model::code::FAIL_INVLD_REQUEST;
use crate::model::refusal::Refusal;

const LOG_LEVELS: &str = "Set the log filter in the configuration file of the node's daemon and restart it.";
const PROXY: &str = "Connect the replicas directly, or through a tunnel of your own.";
const BACKUPS: &str = "Take a snapshot, restore it into another resource and copy that with a tool of yours.";
const SCHEDULES: &str =
    "Take snapshots at the times that you want with a timer of yours, such as cron: zea snapshot create.";
const REPORTS: &str = "Read the error reports (GET /v1/error-reports, or zea errors list), the daemons' logs on their nodes, and \
                       export the records with 'zea store export'.";
const FILES: &str = "Distribute the file with the configuration management of your nodes.";
const TOKENS: &str = "Use TLS client certificates to tell who may call.";
const DATABASE: &str = "Use 'zea store export' on the controller's machine.";
const NOTHING: &str = "Do without this call, or use a release that has it.";
const REACTOR: &str = "Run drbd-reactorctl on the node itself.";

/// What to do instead of a call that nothing carries out; `operation` is its name in the table of routes.
#[must_use]
pub fn instead_of(operation: &str) -> &'static str {
    match operation {
        "satelliteSetConfig" => LOG_LEVELS,
        "controllerBackupDB" | "controllerExportDB" => DATABASE,
        "createDevicePool" => {
            "Make the volume group, thin pool or zpool on the node with its own tools, then create the storage pool with \
             POST /v1/nodes/{node}/storage-pools."
        }
        "nodeAddEbs" => "Register nodes of type Satellite or Combined with POST /v1/nodes.",
        "resourceTruncate" => "Delete each replica with DELETE /v1/resource-definitions/{rd}/resources/{node}.",
        "resourceUnmakeAvailable" => {
            "Delete a replica without a disk with DELETE /v1/resource-definitions/{rd}/resources/{node}."
        }
        "resourceDeploy" | "resourceUndeploy" => FILES,
        _ => instead_of_family(operation),
    }
}

fn instead_of_family(operation: &str) -> &'static str {
    const FAMILIES: [(&str, &str); 14] = [
        ("controllerAuthToken", TOKENS),
        ("nodeExecDrbdReactor", REACTOR),
        ("resourceDrbdProxy", PROXY),
        ("internalRequest", BACKUPS),
        ("backupSchedule", SCHEDULES),
        ("backup", BACKUPS),
        ("viewBackup", BACKUPS),
        ("createSOSReport", REPORTS),
        ("downloadSOSReport", REPORTS),
        ("remote", BACKUPS),
        ("schedule", SCHEDULES),
        ("viewSchedules", SCHEDULES),
        ("drbdProxy", PROXY),
        ("file", FILES),
    ];
    let family = FAMILIES.iter().find(|(prefix, _)| operation.starts_with(prefix));
    family.map_or(NOTHING, |(_, instead)| instead)
}

/// A wish inside of a request: whether it is there, the field, and what to do instead.
pub(super) type Wish = (bool, &'static str, &'static str);

/// Refuses the first wish that is there: to pass it over would be to lie.
pub(super) fn refuse_wishes(wishes: &[Wish]) -> Result<(), Refusal> {
    let Some((_, field, instead)) = wishes.iter().find(|(asked, ..)| *asked) else { return Ok(()) };
    Err(Refusal::new(FAIL_INVLD_REQUEST, format!("The field {field} asks for something that is not built yet"))
        .because("This release would have to pass it over, and the result would not be what was asked for")
        .cure(*instead))
}

/// Whether a list was given and names something.
pub(super) fn names_something<T>(list: Option<&Vec<T>>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}

/// The two wishes of every request that makes replicas: give them snapshots too.
pub(super) fn snapshot_wishes(snap_names: Option<&Vec<String>>, copy_all_snaps: Option<bool>) -> [Wish; 2] {
    const INSTEAD: &str = "Leave it out: new replicas come without the snapshots of others.";
    [(names_something(snap_names), "snap_names", INSTEAD), (copy_all_snaps == Some(true), "copy_all_snaps", INSTEAD)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::rest::routes;

    #[test]
    fn every_call_that_is_not_built_says_what_to_do_instead() {
        for route in routes::all().filter(|route| !route.is_built()) {
            assert_ne!(instead_of(route.operation), NOTHING, "{}", route.operation);
        }
        assert_eq!(instead_of("backupScheduleEnable"), SCHEDULES, "the longer name comes first");
    }
}
