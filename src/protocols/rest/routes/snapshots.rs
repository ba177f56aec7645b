//! Rows of the table of routes: snapshots. Never more than rows.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {
    Three Get "/v1/view/snapshots" viewSnapshots ?"nodes* resources* limit offset"
        Nothing => 200 Many("Snapshot")
        "Lists the snapshots of all resources.";
    Three Get "/v1/resource-definitions/{rd}/snapshots" resourceSnapshotsList ?"limit offset"
        Nothing => 200 Many("Snapshot")
        "Lists a resource's snapshots.";
    Three Post "/v1/resource-definitions/{rd}/snapshots" resourceSnapshotCreate
        One("SnapshotCreate") => 201 Entries
        "Takes a snapshot.";
    Three Get "/v1/resource-definitions/{rd}/snapshots/{snap}" resourceSnapshotList
        Nothing => 200 One("Snapshot")
        "Shows a snapshot.";
    Three Put "/v1/resource-definitions/{rd}/snapshots/{snap}" snapshotModify
        One("PropsModify") => 200 Entries
        "Changes a snapshot's properties.";
    Three Delete "/v1/resource-definitions/{rd}/snapshots/{snap}" resourceSnapshotDelete ?"nodes*"
        Nothing => 200 Entries
        "Removes a snapshot, everywhere or from some nodes.";
    Three Post "/v1/resource-definitions/{rd}/snapshot-restore-volume-definition/{snap}"
        resourceSnapshotsRestoreVolumeDefinition
        One("SnapshotRestore") => 200 Entries
        "Gives another resource the volumes that a snapshot has.";
    Three Post "/v1/resource-definitions/{rd}/snapshot-restore-resource/{snap}" resourceSnapshotRestore
        One("SnapshotRestore") => 200 Entries
        "Creates replicas out of a snapshot's data.";
    Three Post "/v1/resource-definitions/{rd}/snapshot-rollback/{snap}" resourceSnapshotRollback
        Optional("SnapshotRollback") => 200 Entries
        "Takes a resource back to a snapshot.";
    Three Post "/v1/actions/snapshot/multi" createMultiSnapshot
        One("CreateMultiSnapshotRequest") => 201 Entries
        "Takes snapshots of several resources at one moment, all or none.";
};
