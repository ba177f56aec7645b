//! Arms that no run can reach, each with its reason. One that is reached all the same fails the test: it has no excuse.

const DRBD: &str = "set by what DRBD says, which no node has here";
const NOT_BUILT: &str = "no decision sets it yet";
const NVME: &str = "needs NVMe in the stack";
const ONE_CLUSTER: &str = "a satellite meets one cluster and one version here";
const LIMIT: &str = "takes more objects than a script makes";

/// Table, arm, reason.
pub const EXCUSED: &[(&str, &str, &str)] = &[
    ("ConnectionStatus", "AUTHENTICATION_ERROR", NOT_BUILT),
    ("ConnectionStatus", "FULL_SYNC_FAILED", ONE_CLUSTER),
    ("ConnectionStatus", "HOSTNAME_MISMATCH", NOT_BUILT),
    ("ConnectionStatus", "NO_STLT_CONN", "decisions give every active interface a port"),
    ("ConnectionStatus", "OTHER_CONTROLLER", NOT_BUILT),
    ("ConnectionStatus", "UNKNOWN", NOT_BUILT),
    ("ConnectionStatus", "VERSION_MISMATCH", ONE_CLUSTER),
    ("DefinitionFlags", "RESTORE_TARGET", NOT_BUILT),
    ("NodeFlags", "QIGNORE", NOT_BUILT),
    ("ResourceFlags", "AUTO_DISKFUL", NOT_BUILT),
    ("ResourceFlags", "BACKUP_RESTORE", NOT_BUILT),
    ("ResourceFlags", "CLEAN", NOT_BUILT),
    ("ResourceFlags", "DISK_ADDING", DRBD),
    ("ResourceFlags", "DISK_ADD_REQUESTED", DRBD),
    ("ResourceFlags", "DRBD_DELETE", DRBD),
    ("ResourceFlags", "EBS_INITIATOR", NOT_BUILT),
    ("ResourceFlags", "NVME_INITIATOR", NVME),
    ("ResourceFlags", "REACTIVATE", NOT_BUILT),
    ("ResourceFlags", "TIE_BREAKER", DRBD),
    ("SnapshotFlags", "AUTO_SNAPSHOT", NOT_BUILT),
    ("SnapshotFlags", "SAFETY_SNAPSHOT", NOT_BUILT),
    ("VolumeDefinitionFlags", "DRBD_INITIALIZED", DRBD),
    ("VolumeDefinitionFlags", "ENCRYPTED", NOT_BUILT),
    ("VolumeFlags", "CLONING", DRBD),
    ("VolumeFlags", "CLONING_FINISHED", DRBD),
    ("VolumeFlags", "CLONING_START", DRBD),
    ("VolumeFlags", "DRBD_DELETE", DRBD),
    ("VolumeFlags", "DRBD_RESIZE", DRBD),
    ("VolumeFlags", "RESIZE", DRBD),
    ("VolumeState", "Cloning", DRBD),
    ("refusal", "FAIL_CRYPT_INIT", "the controller's record would have to be damaged in part"),
    ("refusal", "FAIL_INVLD_EXT_NAME", "eight random names in a row would have to be taken"),
    ("refusal", "FAIL_NOT_FOUND_SNAPSHOT_VLM_DFN", "no snapshot is taken of a definition without volumes"),
    ("refusal", "FAIL_POOL_EXHAUSTED_MINOR_NR", LIMIT),
    ("refusal", "FAIL_POOL_EXHAUSTED_NODE_ID", LIMIT),
    ("refusal", "FAIL_POOL_EXHAUSTED_VLM_NR", LIMIT),
];
