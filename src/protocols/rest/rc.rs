//! Entries of an answer: what was done, what was not and why. Every mutation and every failure is answered by a list of
//! them that is never empty. Never reads a clock: the time is handed in as text.

use std::collections::BTreeMap;

use super::body::BodyError;
use crate::model::code::{self, Kind};

/// Keys of [`ApiCallRc::obj_refs`].
pub mod obj_ref {
    /// The object's uuid.
    pub const UUID: &str = "UUID";
    /// A node.
    pub const NODE: &str = "Node";
    /// A network interface.
    pub const NET_IF: &str = "NetIf";
    /// A resource definition.
    pub const RSC_DFN: &str = "RscDfn";
    /// A resource group.
    pub const RSC_GRP: &str = "RscGrp";
    /// A volume number.
    pub const VLM_NR: &str = "VlmNr";
    /// A volume group.
    pub const VLM_GRP: &str = "VlmGrp";
    /// A snapshot. Answers that create or ship a backup have to carry it.
    pub const SNAPSHOT: &str = "Snapshot";
    /// A storage pool definition.
    pub const STOR_POOL_DFN: &str = "StorPoolDfn";
    /// A storage pool.
    pub const STOR_POOL: &str = "StorPool";
    /// The one end of a connection.
    pub const FIRST_NODE: &str = "FirstNode";
    /// The other end of a connection.
    pub const SECOND_NODE: &str = "SecondNode";
    /// A remote.
    pub const REMOTE: &str = "Remote";
    /// An external file.
    pub const EXT_FILE: &str = "ExtFile";
    /// Where a file was written.
    pub const PATH: &str = "path";
}

/// HTTP status of a call that is known but not built. Never 404: clients take that for "the object is not there".
pub const STATUS_NOT_BUILT: u16 = 501;
/// HTTP status of a path that nobody serves.
pub const STATUS_UNKNOWN_PATH: u16 = 404;
/// HTTP status of a path that is served, but not with this method.
pub const STATUS_WRONG_METHOD: u16 = 405;

shapes! {
    /// One entry of an answer.
    ApiCallRc {
        must {
            /// Signed return code: kind, operation, object and code in one number.
            ret_code: i64,
            /// ISO 8601 with offset.
            created_at: String,
        }
        may {
            /// What happened, in one sentence.
            message: String,
            /// Why.
            cause: String,
            /// More about it, of any length.
            details: String,
            /// What to do about it.
            correction: String,
            /// Error reports that tell more.
            error_report_ids: Vec<String>,
            /// The objects that it is about, by kind.
            obj_refs: BTreeMap<String, String>,
        }
    }
}

impl ApiCallRc {
    /// An entry with its three parts that always are there.
    pub fn new(ret_code: i64, message: impl Into<String>, created_at: &str) -> ApiCallRc {
        let created_at = created_at.to_owned();
        ApiCallRc { ret_code, created_at, message: message.into(), ..ApiCallRc::default() }
    }

    /// A failure that belongs to no operation and no object.
    pub fn failure(code: u16, message: impl Into<String>, created_at: &str) -> ApiCallRc {
        ApiCallRc::new(code::ret_code(Kind::Error, None, None, code), message, created_at)
    }

    /// Says why.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> ApiCallRc {
        self.cause = cause.into();
        self
    }

    /// Says more.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> ApiCallRc {
        self.details = details.into();
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn correction(mut self, correction: impl Into<String>) -> ApiCallRc {
        self.correction = correction.into();
        self
    }

    /// Names an error report.
    #[must_use]
    pub fn error_report(mut self, id: impl Into<String>) -> ApiCallRc {
        self.error_report_ids.push(id.into());
        self
    }

    /// Names an object; `key` is one of [`obj_ref`].
    #[must_use]
    pub fn object(mut self, key: &str, name: impl Into<String>) -> ApiCallRc {
        self.obj_refs.insert(key.to_owned(), name.into());
        self
    }

    /// How grave the entry is.
    pub fn kind(&self) -> Kind {
        Kind::of(self.ret_code)
    }

    /// The code without kind, operation and object.
    pub fn code(&self) -> u16 {
        code::code_of(self.ret_code)
    }
}

/// The HTTP status of an answer: that of its first error entry, or `success` when there is none.
pub fn http_status(entries: &[ApiCallRc], success: u16) -> u16 {
    let first_error = entries.iter().find(|entry| entry.kind() == Kind::Error);
    first_error.map_or(success, |entry| code::http_status(entry.code()))
}

/// The entry for a body that could not be read; goes out with status 400.
pub fn unreadable_body(error: &BodyError, created_at: &str) -> ApiCallRc {
    ApiCallRc::new(code::API_CALL_PARSE_ERROR, error.to_string(), created_at)
        .correction("Compare the request with the schema that GET /v1/zea/openapi.json gives for this call.")
}

/// The entry for a path that nobody serves; goes out with [`STATUS_UNKNOWN_PATH`].
pub fn unknown_path(path: &str, created_at: &str) -> ApiCallRc {
    ApiCallRc::failure(code::FAIL_UNKNOWN_ERROR, format!("There is nothing at {path}"), created_at)
        .correction("GET /v1/zea/openapi.json lists every call.")
}

/// The entry for a path that takes other methods; goes out with [`STATUS_WRONG_METHOD`].
pub fn wrong_method(path: &str, allowed: &str, created_at: &str) -> ApiCallRc {
    ApiCallRc::failure(code::FAIL_UNKNOWN_ERROR, format!("{path} does not take this method"), created_at)
        .correction(format!("Use one of: {allowed}."))
}

/// The entry for a call that is known but not built; goes out with [`STATUS_NOT_BUILT`].
pub fn not_built(operation: &str, created_at: &str) -> ApiCallRc {
    ApiCallRc::failure(code::FAIL_UNKNOWN_ERROR, format!("{operation} is not built yet"), created_at)
        .cause("This call belongs to the API, but this release does not carry it out.")
        .correction("Nothing was changed. Do without this call, or use a release that has it.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::code::{ObjectKind, Operation};

    const NOW: &str = "2026-01-01T00:00:00.123+00:00";

    fn entry(kind: Kind, code: u16) -> ApiCallRc {
        ApiCallRc::new(code::ret_code(kind, None, None, code), "x", NOW)
    }

    #[test]
    fn a_success_as_clients_know_it() {
        let created = code::ret_code(Kind::Success, Some(Operation::Create), Some(ObjectKind::Node), code::CREATED);
        let rc = ApiCallRc::new(created, "node alpha added", NOW)
            .details("uuid 5e4d")
            .object(obj_ref::UUID, "5e4d")
            .object(obj_ref::NODE, "alpha");
        let expected = json!({"ret_code":20709377,"message":"node alpha added","details":"uuid 5e4d",
            "obj_refs":{"UUID":"5e4d","Node":"alpha"},"created_at":NOW});
        assert_eq!(serde_json::to_value(&rc).unwrap(), expected);
    }

    #[test]
    fn a_failure_as_clients_know_it() {
        let exists = code::ret_code(
            Kind::Error,
            Some(Operation::Create),
            Some(ObjectKind::ResourceDefinition),
            code::FAIL_EXISTS_RSC_DFN,
        );
        let rc = ApiCallRc::new(exists, "res1 is taken", NOW)
            .error_report("69559B80-00000-000003")
            .object(obj_ref::RSC_DFN, "res1");
        let expected = json!({"ret_code":-4611686018406940171i64,"message":"res1 is taken",
            "error_report_ids":["69559B80-00000-000003"],"obj_refs":{"RscDfn":"res1"},"created_at":NOW});
        assert_eq!(serde_json::to_value(&rc).unwrap(), expected);
        assert_eq!(http_status(&[rc], 201), 500);
    }

    #[test]
    fn the_first_error_decides_the_status() {
        let warn = entry(Kind::Warn, code::WARN_NOT_FOUND);
        let missing = entry(Kind::Error, code::FAIL_NOT_FOUND_NODE);
        let in_use = entry(Kind::Error, code::FAIL_IN_USE);
        assert_eq!(http_status(std::slice::from_ref(&warn), 200), 200);
        assert_eq!(http_status(&[entry(Kind::Info, 300), warn.clone()], 201), 201);
        assert_eq!(http_status(&[warn.clone(), missing.clone(), in_use.clone()], 201), 404);
        assert_eq!(http_status(&[warn, in_use, missing], 201), 500);
    }

    #[test]
    fn ready_made_entries_carry_their_codes() {
        let unreadable = unreadable_body(&BodyError::Missing, NOW);
        assert_eq!(unreadable.ret_code, -3458764513820540931);
        assert_eq!(http_status(&[unreadable], 200), 400);
        for entry in
            [unknown_path("/v2", NOW), wrong_method("/v1/nodes", "GET, POST", NOW), not_built("nodeAddEbs", NOW)]
        {
            assert_eq!((entry.kind(), entry.code()), (Kind::Error, code::FAIL_UNKNOWN_ERROR));
            assert!(!entry.message.is_empty() && !entry.correction.is_empty());
        }
    }
}
