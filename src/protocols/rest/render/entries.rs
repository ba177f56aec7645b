//! Notes of the model as entries of an answer, with the bits of the call that they answer.

use crate::model::code::{self, ObjectKind, Operation};
use crate::model::refusal::Note;
use crate::protocols::rest::rc::ApiCallRc;
use crate::protocols::rest::routes::{Method, Route};

/// The bits of a running call: what it does, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// What it does.
    pub operation: Operation,
    /// To what kind of object.
    pub object: ObjectKind,
}

/// Kind of object by a part of the path; the first that fits.
const OBJECTS: &[(&str, ObjectKind)] = &[
    ("/net-interfaces", ObjectKind::NetInterface),
    ("/storage-pool-definitions", ObjectKind::StoragePoolDefinition),
    ("/storage-pools", ObjectKind::StoragePool),
    ("/node-connections", ObjectKind::NodeConnection),
    ("/physical-storage", ObjectKind::PhysicalDevice),
    ("/volume-groups", ObjectKind::VolumeGroup),
    ("/resource-groups", ObjectKind::ResourceGroup),
    ("/volume-definitions", ObjectKind::VolumeDefinition),
    ("/resource-connections", ObjectKind::ResourceConnection),
    ("/volumes", ObjectKind::Volume),
    ("/snapshot", ObjectKind::Snapshot),
    ("/resources", ObjectKind::Resource),
    ("/autoplace", ObjectKind::Resource),
    ("/resource-definitions", ObjectKind::ResourceDefinition),
    ("/nodes", ObjectKind::Node),
    ("/key-value-store", ObjectKind::KeyValueStore),
    ("/backups", ObjectKind::Backup),
    ("/remotes", ObjectKind::Remote),
    ("/schedules", ObjectKind::Schedule),
    ("/files", ObjectKind::ExternalFile),
    ("/controller", ObjectKind::ControllerConfig),
    ("/encryption", ObjectKind::ControllerConfig),
];

/// POSTs that make nothing.
const MODIFYING_POSTS: &[&str] = &[
    "controllerPropertyModify",
    "resourceActivate",
    "resourceDeactivate",
    "resourceGroupAdjust",
    "resourceGroupAdjustAll",
    "resourceSnapshotRollback",
];

impl Context {
    /// The bits of a route; reads have none.
    #[must_use]
    pub fn of(route: &Route) -> Option<Self> {
        let operation = match route.method {
            Method::Get | Method::Options => return None,
            Method::Post if MODIFYING_POSTS.contains(&route.operation) => Operation::Modify,
            Method::Post => Operation::Create,
            Method::Put | Method::Patch => Operation::Modify,
            Method::Delete => Operation::Delete,
        };
        let (_, object) = OBJECTS.iter().find(|(part, _)| route.path.contains(part))?;
        Some(Self { operation, object: *object })
    }

    /// The code that says that it was done.
    fn done(self) -> u16 {
        match self.operation {
            Operation::Create => code::CREATED,
            Operation::Modify => code::MODIFIED,
            Operation::Delete => code::DELETED,
        }
    }
}

/// The entries for notes, in their order; one that only says "done" when there are none.
#[must_use]
pub fn entries_of(context: Option<Context>, notes: &[Note], created_at: &str) -> Vec<ApiCallRc> {
    if notes.is_empty() {
        let done = Note::success(context.map_or(code::MODIFIED, Context::done), "Done");
        return vec![entry(context, &done, created_at)];
    }
    notes.iter().map(|note| entry(context, note, created_at)).collect()
}

/// One note as an entry. The call's bits hold for what the note leaves open.
#[must_use]
pub fn entry(context: Option<Context>, note: &Note, created_at: &str) -> ApiCallRc {
    let open = note.operation.is_none() && note.object.is_none();
    let context = context.filter(|_| open);
    let operation = note.operation.or(context.map(|context| context.operation));
    let object = note.object.or(context.map(|context| context.object));
    let ret_code = code::ret_code(note.kind, operation, object, note.code);
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    ApiCallRc {
        ret_code,
        created_at: created_at.to_owned(),
        message: note.message.clone(),
        cause: text(&note.cause),
        details: text(&note.details),
        correction: text(&note.correction),
        error_report_ids: Vec::new(),
        obj_refs: note.refs.iter().map(|(key, name)| ((*key).to_owned(), name.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::rest::routes;

    const NOW: &str = "2026-01-01T00:00:00.123+00:00";

    fn context(operation: &str) -> Option<Context> {
        Context::of(routes::all().find(|route| route.operation == operation).expect(operation))
    }

    #[test]
    fn every_mutation_has_bits() {
        let outside = ["/v1/zea", "/v1/error-reports", "/v1/internal", "/v1/queries"];
        for route in routes::all().filter(|route| route.is_built()) {
            let reads = matches!(route.method, Method::Get | Method::Options);
            let plain = reads || outside.iter().any(|prefix| route.path.starts_with(prefix));
            assert!(plain || Context::of(route).is_some(), "{}", route.operation);
        }
    }

    #[test]
    fn bits_by_route() {
        use ObjectKind as O;
        use Operation as P;
        for (name, operation, object) in [
            ("nodeAdd", P::Create, O::Node),
            ("netinterfaceModified", P::Modify, O::NetInterface),
            ("nodeStoragePoolDelete", P::Delete, O::StoragePool),
            ("storagePoolDfnAdd", P::Create, O::StoragePoolDefinition),
            ("resourceGroupSpawn", P::Create, O::ResourceGroup),
            ("volumeGroupModify", P::Modify, O::VolumeGroup),
            ("volumeDefinitionCreate", P::Create, O::VolumeDefinition),
            ("resourceAutoplace", P::Create, O::Resource),
            ("resourceActivate", P::Modify, O::Resource),
            ("createMultiSnapshot", P::Create, O::Snapshot),
            ("resourceSnapshotRollback", P::Modify, O::Snapshot),
            ("controllerPropertyModify", P::Modify, O::ControllerConfig),
            ("keyValueStoreDelete", P::Delete, O::KeyValueStore),
        ] {
            assert_eq!(context(name), Some(Context { operation, object }), "{name}");
        }
        assert_eq!(context("nodeGet"), None);
    }

    #[test]
    fn a_note_keeps_bits_of_its_own() {
        let note = Note::success(code::CREATED, "x").of(Operation::Create, ObjectKind::Resource).about("Node", "alpha");
        let made = entry(context("resourceGroupSpawn"), &note, NOW);
        assert_eq!(made.ret_code, 20_185_089);
        assert_eq!(made.obj_refs["Node"], "alpha");
        let open = entry(context("nodeAdd"), &Note::success(code::CREATED, "x"), NOW);
        assert_eq!(open.ret_code, 20_709_377);
    }

    #[test]
    fn never_an_empty_list() {
        let entries = entries_of(context("nodeDelete"), &[], NOW);
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].ret_code, 54_263_810);
    }
}
