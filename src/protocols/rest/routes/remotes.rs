//! Rows of the table of routes: remotes, backups, schedules and external files. Never more than rows.

use super::{Route, routes};

pub(super) const ROUTES: &[Route] = routes! {
    Four Get "/v1/remotes" remoteList Nothing => 200 One("RemoteList")
        "Lists the remotes of every kind.";
    NotBuilt Delete "/v1/remotes" remoteDelete ?"remote_name" Nothing => 200 Entries
        "Removes a remote.";
    Four Get "/v1/remotes/s3" remoteS3List Nothing => 200 Many("S3Remote")
        "Lists the buckets.";
    NotBuilt Post "/v1/remotes/s3" remoteS3Create Any => 200 Entries
        "Creates a bucket as remote.";
    NotBuilt Put "/v1/remotes/s3/{remote}" remoteS3Modify Any => 200 Entries
        "Changes a bucket.";
    Four Get "/v1/remotes/linstor" remoteLinstorList Nothing => 200 Many("LinstorRemote")
        "Lists the other clusters.";
    NotBuilt Post "/v1/remotes/linstor" remoteLinstorCreate Any => 200 Entries
        "Makes another cluster known.";
    NotBuilt Put "/v1/remotes/linstor/{remote}" remoteLinstorModify Any => 200 Entries
        "Changes what is known of another cluster.";
    Four Get "/v1/remotes/ebs" remoteEbsList Nothing => 200 Many("EbsRemote")
        "Lists the zones of a cloud.";
    NotBuilt Post "/v1/remotes/ebs" remoteEbsCreate Any => 200 Entries
        "Makes a zone of a cloud known.";
    NotBuilt Put "/v1/remotes/ebs/{remote}" remoteEbsModify Any => 200 Entries
        "Changes what is known of a zone.";
    NotBuilt Get "/v1/remotes/{remote}/backups" backupList ?"rsc_name snap_name" Nothing => 200 Json
        "Lists the backups at a remote.";
    NotBuilt Post "/v1/remotes/{remote}/backups" backupCreate Any => 201 Entries
        "Makes a backup.";
    NotBuilt Delete "/v1/remotes/{remote}/backups" backupDelete
        ?"id id_prefix cascading timestamp resource_name node_name all_local_cluster all s3key dryrun keep_snaps"
        Nothing => 200 Entries
        "Deletes the backups that fit.";
    NotBuilt Post "/v1/remotes/{remote}/backups/restore" backupRestore Any => 201 Entries
        "Makes a resource out of a backup.";
    NotBuilt Post "/v1/remotes/{remote}/backups/abort" backupAbort Any => 200 Entries
        "Stops a backup that is under way.";
    NotBuilt Post "/v1/remotes/{remote}/backups/ship" backupShip Any => 201 Entries
        "Sends a resource to another cluster.";
    NotBuilt Post "/v1/remotes/{remote}/backups/info" backupInfo Any => 200 Json
        "Tells what restoring a backup would take.";
    NotBuilt Put "/v1/remotes/{remote}/backups/schedule/{sched}/enable" backupScheduleEnable
        Any => 200 Entries
        "Turns a schedule on.";
    NotBuilt Put "/v1/remotes/{remote}/backups/schedule/{sched}/disable" backupScheduleDisable
        Any => 200 Entries
        "Turns a schedule off.";
    NotBuilt Delete "/v1/remotes/{remote}/backups/schedule/{sched}/delete" backupScheduleDelete
        ?"rsc_dfn_name rsc_grp_name" Nothing => 200 Entries
        "Forgets whether a schedule is on.";
    NotBuilt Get "/v1/view/backup/queue" viewBackupQueue
        ?"nodes* snapshots* resources* remotes* snap_to_node" Nothing => 200 Json
        "Lists the backups that wait.";
    NotBuilt Get "/v1/schedules" scheduleList Nothing => 200 Json
        "Lists the schedules.";
    NotBuilt Post "/v1/schedules" scheduleCreate Any => 200 Entries
        "Creates a schedule.";
    NotBuilt Put "/v1/schedules/{sched}" scheduleModify Any => 200 Entries
        "Changes a schedule.";
    NotBuilt Delete "/v1/schedules/{sched}" scheduleDelete Nothing => 200 Entries
        "Removes a schedule.";
    NotBuilt Get "/v1/view/schedules-by-resource" viewSchedulesByResource
        ?"rsc remote schedule active-only" Nothing => 200 Json
        "Lists which schedules are on for which resources.";
    NotBuilt Get "/v1/view/schedules-by-resource/{rd}" viewSchedulesOfResource Nothing => 200 Json
        "Tells where a resource's schedules are set.";
    NotBuilt Get "/v1/files" fileList ?"content" Nothing => 200 Json
        "Lists the external files.";
    NotBuilt Get "/v1/files/{file}" fileGet Nothing => 200 Json
        "Shows an external file with its content.";
    NotBuilt Put "/v1/files/{file}" fileModify Any => 200 Entries
        "Creates or changes an external file.";
    NotBuilt Delete "/v1/files/{file}" fileDelete Nothing => 200 Entries
        "Removes an external file.";
    NotBuilt Get "/v1/files/{file}/check/{node}" fileCheck Nothing => 200 Json
        "Tells whether a node would take a file.";
    NotBuilt Get "/v1/files/{file}/status/{node}" fileStatus Nothing => 200 Json
        "Tells what a node has of a file.";
};
