//! Words of `zea property`, and how every kind of object is named there. Never carries one out.

use clap::Subcommand;

use super::values::given;
use crate::cli::call::Call;
use crate::protocols::rest::routes::Method;

/// `zea property`.
#[derive(Debug, Subcommand)]
#[command(after_help = OBJECTS_HELP)]
pub enum PropertyCommand {
    /// List an object's properties.
    #[command(visible_alias = "l", after_help = OBJECTS_HELP)]
    List {
        /// The object, such as node/alpha, also in words of their own: node alpha.
        #[arg(required = true, value_name = "OBJECT")]
        object: Vec<String>,
    },
    /// Set a property.
    #[command(visible_alias = "s", after_help = OBJECTS_HELP)]
    Set {
        /// The object, such as node/alpha.
        object: ObjectPath,
        /// The property's full key.
        #[arg(value_parser = given)]
        key: String,
        /// Its value.
        value: String,
    },
    /// Remove properties.
    #[command(visible_alias = "u", after_help = OBJECTS_HELP)]
    Unset {
        /// The object, such as node/alpha.
        object: ObjectPath,
        /// Their full keys.
        #[arg(required = true, value_parser = given)]
        keys: Vec<String>,
    },
    /// List the keys that a kind of object may have, with what they mean and take.
    #[command(visible_alias = "k", after_help = OBJECTS_HELP)]
    Keys {
        /// The kind of object, such as node.
        #[arg(value_parser = kind)]
        kind: &'static ObjectRow,
        /// Only keys that contain this.
        contains: Option<String>,
    },
}

const OBJECTS_HELP: &str = "Objects: controller, node/NODE, pool/NODE/POOL, pool-definition/POOL, group/GROUP, \
    group-volume/GROUP/NUMBER, definition/RESOURCE, volume/RESOURCE/NUMBER, resource/RESOURCE/NODE, \
    resource-volume/RESOURCE/NODE/NUMBER, snapshot/RESOURCE/SNAPSHOT, node-connection/NODE/NODE, \
    resource-connection/RESOURCE/NODE/NODE, kvs/STORE";

/// A kind of object that has properties.
#[derive(Debug, PartialEq, Eq)]
pub struct ObjectRow {
    /// Its word.
    pub kind: &'static str,
    /// What names one of them, for people.
    parts: &'static str,
    /// Where it is read and changed.
    path: &'static str,
    /// Where its keys are listed, if anywhere.
    pub info: Option<&'static str>,
}

const fn row(kind: &'static str, parts: &'static str, path: &'static str, info: &'static str) -> ObjectRow {
    ObjectRow { kind, parts, path, info: Some(info) }
}

const fn free(kind: &'static str, parts: &'static str, path: &'static str) -> ObjectRow {
    ObjectRow { kind, parts, path, info: None }
}

const CONTROLLER: &str = "/v1/controller/properties";

/// Every kind of object that has properties. The `-` in paths of keys stands for any object: all have the same keys.
pub static OBJECTS: [ObjectRow; 14] = [
    row("controller", "", CONTROLLER, "/v1/controller/properties/info"),
    row("node", "NODE", "/v1/nodes/{}", "/v1/nodes/properties/info"),
    row("pool", "NODE/POOL", "/v1/nodes/{}/storage-pools/{}", "/v1/nodes/-/storage-pools/properties/info"),
    row("pool-definition", "POOL", "/v1/storage-pool-definitions/{}", "/v1/storage-pool-definitions/properties/info"),
    row("group", "GROUP", "/v1/resource-groups/{}", "/v1/resource-groups/properties/info"),
    row(
        "group-volume",
        "GROUP/NUMBER",
        "/v1/resource-groups/{}/volume-groups/{}",
        "/v1/resource-groups/-/volume-groups/properties/info",
    ),
    row("definition", "RESOURCE", "/v1/resource-definitions/{}", "/v1/resource-definitions/properties/info"),
    row(
        "volume",
        "RESOURCE/NUMBER",
        "/v1/resource-definitions/{}/volume-definitions/{}",
        "/v1/resource-definitions/-/volume-definitions/properties/info",
    ),
    row(
        "resource",
        "RESOURCE/NODE",
        "/v1/resource-definitions/{}/resources/{}",
        "/v1/resource-definitions/-/resources/properties/info",
    ),
    row(
        "resource-volume",
        "RESOURCE/NODE/NUMBER",
        "/v1/resource-definitions/{}/resources/{}/volumes/{}",
        "/v1/resource-definitions/-/resources/-/volumes/properties/info",
    ),
    free("snapshot", "RESOURCE/SNAPSHOT", "/v1/resource-definitions/{}/snapshots/{}"),
    free("node-connection", "NODE/NODE", "/v1/node-connections/{}/{}"),
    row(
        "resource-connection",
        "RESOURCE/NODE/NODE",
        "/v1/resource-definitions/{}/resource-connections/{}/{}",
        "/v1/resource-definitions/-/resource-connections/properties/info",
    ),
    free("kvs", "STORE", "/v1/key-value-store/{}"),
];

fn kind(text: &str) -> Result<&'static ObjectRow, String> {
    let word = text.split('/').next().unwrap_or_default();
    let known = || OBJECTS.iter().map(|row| row.kind).collect::<Vec<_>>().join(", ");
    OBJECTS.iter().find(|row| row.kind == word).ok_or_else(|| format!("there are these kinds of object: {}", known()))
}

/// An object that has properties, as `kind/name/…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPath {
    row: &'static ObjectRow,
    names: Vec<String>,
}

impl std::str::FromStr for ObjectPath {
    type Err = String;

    fn from_str(text: &str) -> Result<ObjectPath, String> {
        let row = kind(text)?;
        let names: Vec<String> = text.split('/').skip(1).map(str::to_owned).collect();
        if names.len() == row.path.matches("{}").count() && names.iter().all(|name| !name.trim().is_empty()) {
            return Ok(ObjectPath { row, names });
        }
        let wanted = format!("{}/{}", row.kind, row.parts);
        Err(format!("write it as {}", wanted.trim_end_matches('/')))
    }
}

impl ObjectPath {
    /// Reads the object.
    pub fn read(&self) -> Call {
        if self.row.kind == "node-connection" {
            let [a, b] = [&self.names[0], &self.names[1]];
            return Call::get("/v1/node-connections", &[]).query("node_a", [a]).query("node_b", [b]);
        }
        self.call(Method::Get)
    }

    /// Changes the object; the body is still missing.
    pub fn change(&self) -> Call {
        // The controller's properties alone are changed by a POST.
        self.call(if self.row.path == CONTROLLER { Method::Post } else { Method::Put })
    }

    fn call(&self, method: Method) -> Call {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        Call::new(method, self.row.path, &names)
    }

    /// The field of the object that holds its properties; none means the object itself.
    pub fn field(&self) -> Option<&'static str> {
        match self.row.kind {
            "controller" => None,
            "snapshot" => Some("snapshot_definition_props"),
            _ => Some("props"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::rest::routes::{Match, find};

    fn path(text: &str) -> ObjectPath {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_kind_leads_to_routes_that_are_there() {
        for row in &OBJECTS {
            let object = path(format!("{}/{}", row.kind, row.parts).trim_end_matches('/'));
            for call in [object.read(), object.change()] {
                let bare = call.target.split('?').next().unwrap();
                assert!(matches!(find(call.method.as_str(), bare), Match::Found { .. }), "{call:?}");
            }
            if let Some(info) = row.info {
                let Match::Found { route, .. } = find("GET", info) else { panic!("{info} is no route") };
                assert!(route.operation.ends_with("PropertiesInfo"), "{info} is {}", route.operation);
            }
            assert!(OBJECTS_HELP.contains(row.parts) && OBJECTS_HELP.contains(row.kind), "{row:?}");
        }
    }

    #[test]
    fn objects_are_named_in_full() {
        assert_eq!(path("pool/a/b").change().target, "/v1/nodes/a/storage-pools/b");
        assert_eq!(path("controller").change().method, Method::Post);
        assert_eq!(path("node-connection/a/b").read().target, "/v1/node-connections?node_a=a&node_b=b");
        for (text, says) in [
            ("pool/a", "pool/NODE/POOL"),
            ("node/", "node/NODE"),
            ("node", "node/NODE"),
            ("node/a/b", "node/NODE"),
            ("controller/x", "write it as controller"),
            ("disk/x", "group-volume"),
            ("", "kinds of object"),
        ] {
            let error = text.parse::<ObjectPath>().expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
