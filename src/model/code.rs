//! The numbers by which the REST API tells its callers what happened: how a return code is put together, every code
//! there is, and which HTTP status an outcome gets. Never holds a text for people: who refuses says why.
//!
//! A return code is 64 bits wide and travels as a *signed* integer:
//!
//! ```text
//! 63 62 | … | 25 24     | 22 … 18 | 14 … 0
//! kind  |   | operation | object  | code
//! ```

/// Bits of the kind of entry.
pub const KIND_MASK: u64 = 0xC000_0000_0000_0000;
/// Bits of the operation that was asked for.
pub const OPERATION_MASK: u64 = 0x0300_0000;
/// Bits of the kind of object that the operation was for.
pub const OBJECT_MASK: u64 = 0x007C_0000;
/// Bits of the code itself.
pub const CODE_MASK: u64 = 0x7FFF;

/// The request's body could not be read.
pub const API_CALL_PARSE_ERROR: i64 = 0xCFFF_FFFF_FFFF_FFFD_u64.cast_signed();
/// The caller has to prove first who it is.
pub const API_CALL_AUTH_REQ: i64 = 0xCFFF_FFFF_FFFF_FFFE_u64.cast_signed();
/// No such call.
pub const UNKNOWN_API_CALL: i64 = 0xCFFF_FFFF_FFFF_FFFF_u64.cast_signed();

/// How grave an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It was done.
    Success,
    /// A notice beside what was done.
    Info,
    /// It was done, or there was nothing to do, but somebody should look.
    Warn,
    /// It was not done.
    Error,
}

impl Kind {
    /// The kind's bits in a return code.
    pub const fn bits(self) -> u64 {
        match self {
            Kind::Success => 0,
            Kind::Info => 0x4000_0000_0000_0000,
            Kind::Warn => 0x8000_0000_0000_0000,
            Kind::Error => KIND_MASK,
        }
    }

    /// The kind of a return code.
    pub const fn of(ret_code: i64) -> Kind {
        match ret_code.cast_unsigned() >> 62 {
            0 => Kind::Success,
            1 => Kind::Info,
            2 => Kind::Warn,
            _ => Kind::Error,
        }
    }
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Make an object.
    Create,
    /// Change an object.
    Modify,
    /// Remove an object.
    Delete,
}

impl Operation {
    /// Every operation, in the order of its bits.
    pub const ALL: [Operation; 3] = [Operation::Create, Operation::Modify, Operation::Delete];

    /// The operation's bits in a return code.
    pub const fn bits(self) -> u64 {
        match self {
            Operation::Create => 0x0100_0000,
            Operation::Modify => 0x0200_0000,
            Operation::Delete => 0x0300_0000,
        }
    }

    /// The operation in a return code, if it names one; [`API_CALL_PARSE_ERROR`] and its like name none.
    pub fn of(ret_code: i64) -> Option<Operation> {
        let bits = ret_code.cast_unsigned() & OPERATION_MASK;
        Operation::ALL.into_iter().find(|operation| operation.bits() == bits && !is_whole(ret_code))
    }
}

/// What kind of object it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A node.
    Node,
    /// A resource definition.
    ResourceDefinition,
    /// A resource: one replica on one node.
    Resource,
    /// A volume definition.
    VolumeDefinition,
    /// A volume of a resource.
    Volume,
    /// A pair of nodes.
    NodeConnection,
    /// A pair of resources.
    ResourceConnection,
    /// A pair of volumes.
    VolumeConnection,
    /// A node's network interface.
    NetInterface,
    /// A storage pool definition.
    StoragePoolDefinition,
    /// A storage pool on a node.
    StoragePool,
    /// The controller's own configuration.
    ControllerConfig,
    /// A snapshot.
    Snapshot,
    /// A backup.
    Backup,
    /// A remote.
    Remote,
    /// A key-value store.
    KeyValueStore,
    /// A resource group.
    ResourceGroup,
    /// A volume group.
    VolumeGroup,
    /// A disk that belongs to nobody yet.
    PhysicalDevice,
    /// A file that the controller keeps for the nodes.
    ExternalFile,
    /// A schedule of backups.
    Schedule,
}

impl ObjectKind {
    /// Every kind of object.
    pub const ALL: [ObjectKind; 21] = [
        ObjectKind::Node,
        ObjectKind::ResourceDefinition,
        ObjectKind::Resource,
        ObjectKind::VolumeDefinition,
        ObjectKind::Volume,
        ObjectKind::NodeConnection,
        ObjectKind::ResourceConnection,
        ObjectKind::VolumeConnection,
        ObjectKind::NetInterface,
        ObjectKind::StoragePoolDefinition,
        ObjectKind::StoragePool,
        ObjectKind::ControllerConfig,
        ObjectKind::Snapshot,
        ObjectKind::Backup,
        ObjectKind::Remote,
        ObjectKind::KeyValueStore,
        ObjectKind::ResourceGroup,
        ObjectKind::VolumeGroup,
        ObjectKind::PhysicalDevice,
        ObjectKind::ExternalFile,
        ObjectKind::Schedule,
    ];

    /// The kind's bits in a return code.
    pub const fn bits(self) -> u64 {
        match self {
            ObjectKind::Node => 0x3C_0000,
            ObjectKind::ResourceDefinition => 0x38_0000,
            ObjectKind::Resource => 0x34_0000,
            ObjectKind::VolumeDefinition => 0x30_0000,
            ObjectKind::Volume => 0x2C_0000,
            ObjectKind::NodeConnection => 0x28_0000,
            ObjectKind::ResourceConnection => 0x24_0000,
            ObjectKind::VolumeConnection => 0x20_0000,
            ObjectKind::NetInterface => 0x1C_0000,
            ObjectKind::StoragePoolDefinition => 0x18_0000,
            ObjectKind::StoragePool => 0x14_0000,
            ObjectKind::ControllerConfig => 0x10_0000,
            ObjectKind::Snapshot => 0x0C_0000,
            ObjectKind::Backup => 0x08_0000,
            ObjectKind::Remote => 0x04_0000,
            ObjectKind::KeyValueStore => 0x40_0000,
            ObjectKind::ResourceGroup => 0x44_0000,
            ObjectKind::VolumeGroup => 0x48_0000,
            ObjectKind::PhysicalDevice => 0x4C_0000,
            ObjectKind::ExternalFile => 0x50_0000,
            ObjectKind::Schedule => 0x54_0000,
        }
    }

    /// The kind of object in a return code, if it names one.
    pub fn of(ret_code: i64) -> Option<ObjectKind> {
        let bits = ret_code.cast_unsigned() & OBJECT_MASK;
        ObjectKind::ALL.into_iter().find(|object| object.bits() == bits && !is_whole(ret_code))
    }
}

/// Puts a return code together. `code` is one of this file's constants; bits of it above [`CODE_MASK`] are cut off.
pub const fn ret_code(kind: Kind, op: Option<Operation>, object: Option<ObjectKind>, code: u16) -> i64 {
    let operation = match op {
        Some(operation) => operation.bits(),
        None => 0,
    };
    let object = match object {
        Some(object) => object.bits(),
        None => 0,
    };
    (kind.bits() | operation | object | (code as u64 & CODE_MASK)).cast_signed()
}

/// The code in a return code, without kind, operation and object.
pub const fn code_of(ret_code: i64) -> u16 {
    (ret_code.cast_unsigned() & CODE_MASK) as u16
}

/// Gives a return code the operation and object of the running call, each only if it names none yet.
pub fn with_context(code: i64, op: Operation, object: ObjectKind) -> i64 {
    if is_whole(code) {
        return code;
    }
    let mut bits = code.cast_unsigned();
    if bits & OPERATION_MASK == 0 {
        bits |= op.bits();
    }
    if bits & OBJECT_MASK == 0 {
        bits |= object.bits();
    }
    bits.cast_signed()
}

/// The HTTP status of an answer whose first error entry carries `first_error_code` (see [`code_of`]): what is missing
/// is 404, what is forbidden 403, who is unknown 401, what cannot be read 400, and all else, also "exists" and
/// "invalid", is 500.
pub const fn http_status(first_error_code: u16) -> u16 {
    const PARSE_ERROR: u16 = code_of(API_CALL_PARSE_ERROR);
    const AUTH_REQUIRED: u16 = code_of(API_CALL_AUTH_REQ);
    match first_error_code {
        300..=399 => 404,
        400..=499 | FAIL_SIGN_IN => 403,
        FAIL_SIGN_IN_MISSING_CREDENTIALS | AUTH_REQUIRED => 401,
        PARSE_ERROR => 400,
        _ => 500,
    }
}

/// The name of a code of this kind, for logs and people; `None` for a number that is not ours.
pub fn name(kind: Kind, code: u16) -> Option<&'static str> {
    let fits = |name: &str| match kind {
        Kind::Error => name.starts_with("FAIL_"),
        Kind::Warn => name.starts_with("WARN_"),
        Kind::Info => name.starts_with("INFO_"),
        Kind::Success => !["FAIL_", "WARN_", "INFO_"].iter().any(|prefix| name.starts_with(prefix)),
    };
    NAMES.iter().find(|(name, number)| *number == code && fits(name)).map(|(name, _)| *name)
}

/// Codes that are a whole return code by themselves and take no operation or object.
const fn is_whole(ret_code: i64) -> bool {
    matches!(ret_code, API_CALL_PARSE_ERROR | API_CALL_AUTH_REQ | UNKNOWN_API_CALL)
}

/// Declares each code as a `pub const NAME: u16` and lists all of them in [`NAMES`].
macro_rules! codes {
    ($($name:ident = $number:literal;)*) => {
        $(#[doc = concat!("Code ", stringify!($number), ".")] pub const $name: u16 = $number;)*

        /// Every code by its name. A number can stand twice: errors, notices and aliases share some.
        pub const NAMES: &[(&str, u16)] = &[$((stringify!($name), $number)),*];
    };
}

codes! {
    // Success.
    CREATED = 1; DELETED = 2; MODIFIED = 3; PASSPHRASE_ACCEPTED = 4;
    // SQL.
    FAIL_SQL = 100; FAIL_SQL_ROLLBACK = 101;
    // The request names something that cannot be.
    FAIL_INVLD_NODE_NAME = 200; FAIL_INVLD_NODE_TYPE = 201; FAIL_INVLD_RSC_NAME = 202;
    FAIL_INVLD_RSC_PORT = 203; FAIL_INVLD_NODE_ID = 204; FAIL_INVLD_VLM_NR = 205;
    FAIL_INVLD_VLM_SIZE = 206; FAIL_INVLD_MINOR_NR = 207; FAIL_INVLD_STOR_POOL_NAME = 208;
    FAIL_INVLD_NET_NAME = 209; FAIL_INVLD_NET_ADDR = 210; FAIL_INVLD_NET_PORT = 211;
    FAIL_INVLD_NET_TYPE = 212; FAIL_INVLD_PROP = 213; FAIL_INVLD_TRANSPORT_TYPE = 214;
    FAIL_INVLD_TCP_PORT = 215; FAIL_INVLD_CRYPT_PASSPHRASE = 216; FAIL_INVLD_ENCRYPT_TYPE = 217;
    FAIL_INVLD_SNAPSHOT_NAME = 218; FAIL_INVLD_PLACE_COUNT = 219;
    FAIL_INVLD_FREE_SPACE_MGR_NAME = 220; FAIL_INVLD_STOR_DRIVER = 221;
    FAIL_INVLD_DRBD_PROXY_COMPRESSION_TYPE = 222; FAIL_INVLD_KVS_NAME = 223;
    FAIL_INVLD_LAYER_KIND = 224; FAIL_INVLD_LAYER_STACK = 225; FAIL_INVLD_EXT_NAME = 226;
    FAIL_INVLD_PROVIDER = 227; FAIL_INVLD_VLM_SIZES = 228; FAIL_INVLD_VLM_COUNT = 229;
    FAIL_INVLD_CONF = 230; FAIL_INVLD_SNAPSHOT_SHIPPING_SOURCE = 231;
    FAIL_INVLD_SNAPSHOT_SHIPPING_TARGET = 232; FAIL_NODE_HAS_USED_RSC = 233;
    FAIL_INVLD_REQUEST = 234; FAIL_INVLD_EXT_FILE_NAME = 235; FAIL_INVLD_EXT_FILE = 236;
    FAIL_INVLD_RSC_GRP_NAME = 237; FAIL_INVLD_BACKUP_CONFIG = 238; FAIL_INVLD_REMOTE_NAME = 239;
    FAIL_INVLD_TIME_PARAM = 240; FAIL_INVLD_SCHEDULE_NAME = 241; FAIL_INVLD_DB_EXPORT_FILE = 242;
    FAIL_INVLD_RSC_STATE = 243; FAIL_INVLD_BLK_SIZE = 244;
    // A named object does not exist.
    FAIL_NOT_FOUND_NODE = 300; FAIL_NOT_FOUND_RSC_DFN = 301; FAIL_NOT_FOUND_RSC = 302;
    FAIL_NOT_FOUND_VLM_DFN = 303; FAIL_NOT_FOUND_VLM = 304; FAIL_NOT_FOUND_NET_IF = 305;
    FAIL_NOT_FOUND_NODE_CONN = 306; FAIL_NOT_FOUND_RSC_CONN = 307; FAIL_NOT_FOUND_VLM_CONN = 308;
    FAIL_NOT_FOUND_STOR_POOL_DFN = 309; FAIL_NOT_FOUND_STOR_POOL = 310;
    FAIL_NOT_FOUND_DFLT_STOR_POOL = 311; FAIL_NOT_FOUND_CRYPT_KEY = 312;
    FAIL_NOT_FOUND_SNAPSHOT_DFN = 313; FAIL_NOT_FOUND_SNAPSHOT_VLM_DFN = 314;
    FAIL_NOT_FOUND_SNAPSHOT = 315; FAIL_NOT_FOUND_KVS = 316; FAIL_NOT_FOUND_RSC_GRP = 317;
    FAIL_NOT_FOUND_VLM_GRP = 318; FAIL_NOT_FOUND_EXOS_ENCLOSURE = 319;
    FAIL_NOT_FOUND_EXT_FILE = 320; FAIL_NOT_FOUND_REMOTE = 321; FAIL_NOT_FOUND_BACKUP = 322;
    FAIL_NOT_FOUND_SCHEDULE = 323;
    // Access is denied.
    FAIL_ACC_DENIED_NODE = 400; FAIL_ACC_DENIED_RSC_DFN = 401; FAIL_ACC_DENIED_RSC = 402;
    FAIL_ACC_DENIED_VLM_DFN = 403; FAIL_ACC_DENIED_VLM = 404; FAIL_ACC_DENIED_STOR_POOL_DFN = 405;
    FAIL_ACC_DENIED_STOR_POOL = 406; FAIL_ACC_DENIED_NODE_CONN = 407;
    FAIL_ACC_DENIED_RSC_CONN = 408; FAIL_ACC_DENIED_VLM_CONN = 409;
    FAIL_ACC_DENIED_STLT_CONN = 410; FAIL_ACC_DENIED_CTRL_CFG = 411;
    FAIL_ACC_DENIED_COMMAND = 412; FAIL_ACC_DENIED_WATCH = 413;
    FAIL_ACC_DENIED_SNAPSHOT_DFN = 414; FAIL_ACC_DENIED_SNAPSHOT = 415;
    FAIL_ACC_DENIED_SNAPSHOT_VLM_DFN = 416; FAIL_ACC_DENIED_FREE_SPACE_MGR = 417;
    FAIL_ACC_DENIED_KVS = 418; FAIL_ACC_DENIED_RSC_GRP = 419; FAIL_ACC_DENIED_VLM_GRP = 420;
    FAIL_ACC_DENIED_SNAP_DFN = 421; FAIL_ACC_DENIED_EXT_FILE = 422; FAIL_ACC_DENIED_REMOTE = 423;
    FAIL_ACC_DENIED_SCHEDULE = 424;
    // The object exists already.
    FAIL_EXISTS_NODE = 500; FAIL_EXISTS_RSC_DFN = 501; FAIL_EXISTS_RSC = 502;
    FAIL_EXISTS_VLM_DFN = 503; FAIL_EXISTS_VLM = 504; FAIL_EXISTS_NET_IF = 505;
    FAIL_EXISTS_NODE_CONN = 506; FAIL_EXISTS_RSC_CONN = 507; FAIL_EXISTS_VLM_CONN = 508;
    FAIL_EXISTS_STOR_POOL_DFN = 509; FAIL_EXISTS_STOR_POOL = 510; FAIL_EXISTS_STLT_CONN = 511;
    FAIL_EXISTS_CRYPT_PASSPHRASE = 512; FAIL_EXISTS_WATCH = 513; FAIL_EXISTS_SNAPSHOT_DFN = 514;
    FAIL_EXISTS_SNAPSHOT = 516; FAIL_EXISTS_EXT_NAME = 517;
    FAIL_EXISTS_NVME_TARGET_PER_RSC_DFN = 518; FAIL_EXISTS_NVME_INITIATOR_PER_RSC_DFN = 519;
    FAIL_LOST_STOR_POOL = 521; FAIL_EXISTS_RSC_GRP = 522; FAIL_EXISTS_VLM_GRP = 523;
    FAIL_EXISTS_SNAPSHOT_SHIPPING = 525; FAIL_EXISTS_EXOS_ENCLOSURE = 526;
    FAIL_EXISTS_REMOTE = 527; FAIL_EXISTS_SCHEDULE = 528;
    // Something that is needed was not given.
    FAIL_MISSING_PROPS = 600; FAIL_MISSING_PROPS_NETCOM_TYPE = 601;
    FAIL_MISSING_PROPS_NETCOM_PORT = 602; FAIL_MISSING_NETCOM = 603;
    FAIL_MISSING_PROPS_NETIF_NAME = 604; FAIL_MISSING_STLT_CONN = 605;
    FAIL_MISSING_EXT_NAME = 606; FAIL_MISSING_NVME_TARGET = 608; FAIL_NO_STLT_CONN_DEFINED = 609;
    FAIL_MISSING_EBS_TARGET = 611;
    // Another incarnation of the object was meant.
    FAIL_UUID_NODE = 700; FAIL_UUID_RSC_DFN = 701; FAIL_UUID_RSC = 702; FAIL_UUID_VLM_DFN = 703;
    FAIL_UUID_VLM = 704; FAIL_UUID_NET_IF = 705; FAIL_UUID_NODE_CONN = 706;
    FAIL_UUID_RSC_CONN = 707; FAIL_UUID_VLM_CONN = 708; FAIL_UUID_STOR_POOL_DFN = 709;
    FAIL_UUID_STOR_POOL = 710; FAIL_UUID_KVS = 711;
    // A pool of numbers is used up.
    FAIL_POOL_EXHAUSTED_VLM_NR = 800; FAIL_POOL_EXHAUSTED_MINOR_NR = 801;
    FAIL_POOL_EXHAUSTED_TCP_PORT = 802; FAIL_POOL_EXHAUSTED_NODE_ID = 803;
    FAIL_POOL_EXHAUSTED_RSC_LAYER_ID = 804; FAIL_POOL_EXHAUSTED_SPECIAL_SATELLTE_TCP_PORT = 805;
    FAIL_POOL_EXHAUSTED_SNAPSHOT_SHIPPING_TCP_PORT = 806;
    FAIL_POOL_EXHAUSTED_BACKUP_SHIPPING_TCP_PORT = 807;
    // Live migration.
    FAIL_NOT_FOUND_LIVE_MIGRATE_SOURCE = 900; FAIL_EXISTS_LIVE_MIGRATE = 901;
    // Everything else that failed.
    FAIL_PORT_BLOCKED_DRBD_ADJUST = 970; FAIL_SNAPSHOT_ROLLBACK_IN_PROGRESS = 971;
    FAIL_SP_MIXING_NOT_ALLOWED = 972; FAIL_EBS_COOLDOWN = 973; FAIL_NOT_ALL_UPTODATE = 974;
    FAIL_EVACUATING = 975; FAIL_BACKUP_UNKNOWN_CLUSTER = 976; FAIL_DEPENDEND_BACKUP = 977;
    FAIL_BACKUP_INCOMPATIBLE_VERSION = 978; FAIL_SNAPSHOT_NOT_UPTODATE = 979;
    FAIL_NOT_ENOUGH_FREE_SPACE = 980; FAIL_ONLY_ONE_ACT_RSC_PER_SHARED_STOR_POOL_ALLOWED = 981;
    FAIL_CRYPT_INIT = 982; FAIL_SNAPSHOT_SHIPPING_NOT_SUPPORTED = 983;
    FAIL_SNAPSHOT_SHIPPING_IN_PROGRESS = 984; FAIL_UNDECIDABLE_AUTOPLACMENT = 985;
    FAIL_PRE_SELECT_SCRIPT_DID_NOT_TERMINATE = 986;
    FAIL_LINSTOR_MANAGED_SATELLITE_DID_NOT_START_PROPERLY = 987;
    FAIL_STLT_DOES_NOT_SUPPORT_LAYER = 988; FAIL_STLT_DOES_NOT_SUPPORT_PROVIDER = 989;
    FAIL_STOR_POOL_CONFIGURATION_ERROR = 990; FAIL_INSUFFICIENT_REPLICA_COUNT = 991;
    FAIL_RSC_BUSY = 992; FAIL_INSUFFICIENT_PEER_SLOTS = 993; FAIL_SNAPSHOTS_NOT_SUPPORTED = 994;
    FAIL_NOT_CONNECTED = 995; FAIL_NOT_ENOUGH_NODES = 996; FAIL_IN_USE = 997;
    FAIL_UNKNOWN_ERROR = 998; FAIL_IMPL_ERROR = 999;
    // Warnings.
    WARN_INVLD_OPT_PROP_NETCOM_ENABLED = 1001; WARN_NOT_CONNECTED = 1002;
    WARN_STLT_NOT_UPDATED = 1003; WARN_NO_STLT_CONN_DEFINED = 1004; WARN_DEL_UNSET_PROP = 1005;
    WARN_RSC_ALREADY_DEPLOYED = 1006; WARN_RSC_ALREADY_HAS_DISK = 1007;
    WARN_RSC_ALREADY_DISKLESS = 1008; WARN_ALL_DISKLESS = 1009; WARN_STORAGE_ERROR = 1010;
    WARN_NOT_FOUND_CRYPT_KEY = 1011; WARN_STORAGE_KIND_ADDED = 1012;
    WARN_NOT_ENOUGH_NODES_FOR_TIE_BREAKER = 1013; WARN_MIXED_PMEM_AND_NON_PMEM = 1014;
    WARN_UNEFFECTIVE_PROP = 1015; WARN_INVLD_SNAPSHOT_SHIPPING_PREFIX = 1016;
    WARN_NODE_EVICTED = 1017; WARN_RSC_DEACTIVATED = 1018; WARN_BACKUP_DL_ONLY = 1019;
    WARN_NOT_EVACUATING = 1020; WARN_INVLD_CONF = 1021; WARN_STORPOOL_RENAME_NOT_ALLOWED = 1022;
    WARN_VLMDFN_RESIZE_SAME_SIZE = 1023; WARN_CORRUPT_CRYPT_KEY = 1024;
    WARN_TIE_BREAKER_RULE_RELAXED = 1025; WARN_NOT_FOUND = 3000; WARN_NO_EFFECT = 3001;
    WARN_DEPRECATED = 4000;
    // Notices.
    INFO_NO_RSC_SPAWNED = 10000; INFO_NODE_NAME_MISMATCH = 10001; INFO_PROP_SET = 10002;
    INFO_TIE_BREAKER_CREATED = 10003; INFO_TIE_BREAKER_DELETING = 10004;
    INFO_PROP_REMOVED = 10005; INFO_TIE_BREAKER_TAKEOVER = 10006;
    INFO_AUTO_DRBD_PROXY_CREATED = 10007; INFO_NOOP = 10007; INFO_RSC_ALREADY_EXISTS = 10008;
    INFO_ABORTED_FAILED_SNAPSHOT_ROLLBACK = 10009;
    INFO_RECOVERING_FAILED_SNAPSHOT_ROLLBACK = 10010;
    // Signing in.
    FAIL_SIGN_IN = 10000; FAIL_SIGN_IN_MISSING_CREDENTIALS = 10001;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_examples_of_failures() {
        use Kind::{Error, Warn};
        use ObjectKind::{Node, Resource, ResourceDefinition, ResourceGroup, Snapshot, VolumeDefinition};
        use Operation::{Create, Delete};
        type Row = (Kind, Option<Operation>, Option<ObjectKind>, u16, u64, i64);
        let table: &[Row] = &[
            (Error, None, None, FAIL_NOT_FOUND_NODE, 0xC000_0000_0000_012C, -4611686018427387604),
            (Error, Some(Create), Some(Node), FAIL_EXISTS_NODE, 0xC000_0000_013C_01F4, -4611686018406678028),
            (
                Error,
                Some(Create),
                Some(ResourceDefinition),
                FAIL_EXISTS_RSC_DFN,
                0xC000_0000_0138_01F5,
                -4611686018406940171,
            ),
            (Error, Some(Create), Some(Resource), FAIL_EXISTS_RSC, 0xC000_0000_0134_01F6, -4611686018407202314),
            (
                Error,
                Some(Create),
                Some(VolumeDefinition),
                FAIL_EXISTS_VLM_DFN,
                0xC000_0000_0130_01F7,
                -4611686018407464457,
            ),
            (
                Error,
                Some(Create),
                Some(ResourceGroup),
                FAIL_EXISTS_RSC_GRP,
                0xC000_0000_0144_020A,
                -4611686018406153718,
            ),
            (
                Error,
                Some(Delete),
                Some(ResourceGroup),
                FAIL_EXISTS_RSC_DFN,
                0xC000_0000_0344_01F5,
                -4611686018372599307,
            ),
            (Error, Some(Delete), Some(Resource), FAIL_IN_USE, 0xC000_0000_0334_03E5, -4611686018373647387),
            (Error, Some(Create), Some(Resource), FAIL_NOT_ENOUGH_NODES, 0xC000_0000_0134_03E4, -4611686018407201820),
            (Warn, Some(Delete), Some(ResourceDefinition), WARN_NOT_FOUND, 0x8000_0000_0338_0BB8, -9223372036800771144),
            (Warn, Some(Delete), Some(Resource), WARN_NOT_FOUND, 0x8000_0000_0334_0BB8, -9223372036801033288),
            (Warn, Some(Delete), Some(Snapshot), WARN_NOT_FOUND, 0x8000_0000_030C_0BB8, -9223372036803654728),
            (Warn, None, Some(Node), WARN_NOT_CONNECTED, 0x8000_0000_003C_03EA, -9223372036850842646),
        ];
        for &(kind, op, object, code, hex, signed) in table {
            let built = ret_code(kind, op, object, code);
            assert_eq!(built.cast_unsigned(), hex, "{kind:?} {op:?} {object:?} {code}");
            assert_eq!(built, signed, "{kind:?} {op:?} {object:?} {code}");
            assert_eq!(
                (Kind::of(built), Operation::of(built), ObjectKind::of(built), code_of(built)),
                (kind, op, object, code)
            );
        }
        assert_eq!(API_CALL_PARSE_ERROR, -3458764513820540931);
        assert_eq!(API_CALL_AUTH_REQ, -3458764513820540930);
        assert_eq!(UNKNOWN_API_CALL, -3458764513820540929);
    }

    #[test]
    fn worked_examples_of_successes() {
        let table: &[(ObjectKind, i64, i64, i64)] = &[
            (ObjectKind::Node, 20709377, 37486595, 54263810),
            (ObjectKind::ResourceDefinition, 20447233, 37224451, 54001666),
            (ObjectKind::Resource, 20185089, 36962307, 53739522),
            (ObjectKind::VolumeDefinition, 19922945, 36700163, 53477378),
            (ObjectKind::Volume, 19660801, 36438019, 53215234),
            (ObjectKind::NodeConnection, 19398657, 36175875, 52953090),
            (ObjectKind::ResourceConnection, 19136513, 35913731, 52690946),
            (ObjectKind::VolumeConnection, 18874369, 35651587, 52428802),
            (ObjectKind::NetInterface, 18612225, 35389443, 52166658),
            (ObjectKind::StoragePoolDefinition, 18350081, 35127299, 51904514),
            (ObjectKind::StoragePool, 18087937, 34865155, 51642370),
            (ObjectKind::ControllerConfig, 17825793, 34603011, 51380226),
            (ObjectKind::Snapshot, 17563649, 34340867, 51118082),
            (ObjectKind::Backup, 17301505, 34078723, 50855938),
            (ObjectKind::Remote, 17039361, 33816579, 50593794),
            (ObjectKind::KeyValueStore, 20971521, 37748739, 54525954),
            (ObjectKind::ResourceGroup, 21233665, 38010883, 54788098),
            (ObjectKind::VolumeGroup, 21495809, 38273027, 55050242),
            (ObjectKind::PhysicalDevice, 21757953, 38535171, 55312386),
            (ObjectKind::ExternalFile, 22020097, 38797315, 55574530),
            (ObjectKind::Schedule, 22282241, 39059459, 55836674),
        ];
        assert_eq!(table.iter().map(|row| row.0).collect::<Vec<_>>(), ObjectKind::ALL);
        for &(object, created, modified, deleted) in table {
            let success = |op, code| ret_code(Kind::Success, Some(op), Some(object), code);
            assert_eq!(success(Operation::Create, CREATED), created, "{object:?}");
            assert_eq!(success(Operation::Modify, MODIFIED), modified, "{object:?}");
            assert_eq!(success(Operation::Delete, DELETED), deleted, "{object:?}");
        }
    }

    #[test]
    fn parts_of_whole_codes_are_not_taken_for_operation_and_object() {
        for code in [API_CALL_PARSE_ERROR, API_CALL_AUTH_REQ, UNKNOWN_API_CALL] {
            assert_eq!((Operation::of(code), ObjectKind::of(code)), (None, None));
            assert_eq!(with_context(code, Operation::Create, ObjectKind::Node), code);
            assert_eq!(Kind::of(code), Kind::Error);
        }
    }

    #[test]
    fn context_fills_only_what_is_missing() {
        let bare = ret_code(Kind::Error, None, None, FAIL_IN_USE);
        let filled = with_context(bare, Operation::Delete, ObjectKind::Resource);
        assert_eq!(filled, -4611686018373647387);
        assert_eq!(with_context(filled, Operation::Create, ObjectKind::Node), filled);
        let with_object = ret_code(Kind::Warn, None, Some(ObjectKind::Node), WARN_NOT_CONNECTED);
        let mixed = with_context(with_object, Operation::Modify, ObjectKind::Resource);
        assert_eq!((Operation::of(mixed), ObjectKind::of(mixed)), (Some(Operation::Modify), Some(ObjectKind::Node)));
    }

    #[test]
    fn a_code_wider_than_its_bits_does_not_reach_the_others() {
        assert_eq!(ret_code(Kind::Success, None, None, u16::MAX), 0x7FFF);
    }

    #[test]
    fn http_status_by_code() {
        for (code, status) in [
            (FAIL_NOT_FOUND_NODE, 404),
            (FAIL_NOT_FOUND_SCHEDULE, 404),
            (FAIL_NOT_FOUND_CRYPT_KEY, 404),
            (FAIL_NOT_FOUND_LIVE_MIGRATE_SOURCE, 500),
            (FAIL_ACC_DENIED_NODE, 403),
            (FAIL_ACC_DENIED_SCHEDULE, 403),
            (FAIL_SIGN_IN, 403),
            (FAIL_SIGN_IN_MISSING_CREDENTIALS, 401),
            (FAIL_INVLD_PROP, 500),
            (FAIL_EXISTS_NODE, 500),
            (FAIL_IN_USE, 500),
            (FAIL_UNKNOWN_ERROR, 500),
            (code_of(API_CALL_PARSE_ERROR), 400),
            (code_of(API_CALL_AUTH_REQ), 401),
            (code_of(UNKNOWN_API_CALL), 500),
            (0, 500),
        ] {
            assert_eq!(http_status(code), status, "{code}");
        }
    }

    #[test]
    fn names_by_kind() {
        assert_eq!(name(Kind::Error, 10000), Some("FAIL_SIGN_IN"));
        assert_eq!(name(Kind::Info, 10000), Some("INFO_NO_RSC_SPAWNED"));
        assert_eq!(name(Kind::Success, 1), Some("CREATED"));
        assert_eq!(name(Kind::Warn, 3000), Some("WARN_NOT_FOUND"));
        assert_eq!(name(Kind::Error, 299), None);
        assert_eq!(name(Kind::Warn, 300), None);
    }

    #[test]
    fn each_code_fits_its_bits_and_has_a_name_of_its_own() {
        let mut names: Vec<_> = NAMES.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
        assert!(NAMES.iter().all(|(_, number)| u64::from(*number) <= CODE_MASK && *number > 0));
    }
}
