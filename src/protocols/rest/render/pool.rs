//! Storage pools and their definitions.

use super::entries::entry;
use super::json::Json;
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::kinds::{ProviderKind, Provisioning};
use crate::model::node::{Node, PoolDefinition, StoragePool};
use crate::model::observed::PoolStatus;
use crate::model::refusal::Note;
use crate::protocols::rest::pool::DISKLESS_CAPACITY_KIB;

/// A pool of a node; `now` dates its reports.
pub fn storage_pool(json: &mut Json, cluster: &Cluster, (node, pool): (&Node, &StoragePool), now: &str) {
    let key = (node.name.clone(), pool.name.clone());
    let status = cluster.pool_status.get(&key).filter(|_| cluster.is_online(&node.name));
    let snapshots = status.map_or(pool.provider.supports_snapshots(), |status| status.supports_snapshots);
    json.object(|json| {
        json.must("storage_pool_name", pool.name.as_str());
        json.must("node_name", node.name.as_str());
        json.must("provider_kind", pool.provider.as_str());
        json.props("props", &pool.props);
        json.key("static_traits");
        json.object(|json| traits(json, pool.provider, snapshots));
        capacity(json, pool, status.map(AsRef::as_ref));
        match &pool.shared_space {
            Some(shared) => json.must("free_space_mgr_name", shared.as_str()),
            None => json.must("free_space_mgr_name", &format!("{};{}", node.name, pool.name)),
        }
        json.uuid(pool.uuid);
        json.filled_list("reports", |json| {
            let note = trouble(cluster, node, pool, status.map(AsRef::as_ref));
            note.iter().for_each(|note| json.value(&entry(None, note, now)));
        });
        json.flag("supports_snapshots", snapshots);
        json.flag("external_locking", pool.external_locking);
    });
}

fn traits(json: &mut Json, provider: ProviderKind, snapshots: bool) {
    match provider.provisioning() {
        Provisioning::Fat => json.must("Provisioning", "Fat"),
        Provisioning::Thin => json.must("Provisioning", "Thin"),
        Provisioning::Without => {}
    }
    json.must("SupportsSnapshots", if snapshots { "true" } else { "false" });
}

fn capacity(json: &mut Json, pool: &StoragePool, status: Option<&PoolStatus>) {
    if pool.provider == ProviderKind::Diskless {
        json.int("free_capacity", DISKLESS_CAPACITY_KIB);
        json.int("total_capacity", DISKLESS_CAPACITY_KIB);
        return;
    }
    if let Some(Ok(room)) = status.map(|status| &status.capacity) {
        json.size("free_capacity", room.free.0);
        json.size("total_capacity", room.total.0);
    }
}

/// Why the pool cannot be used, or cannot be asked, or may not be used soon.
fn trouble(cluster: &Cluster, node: &Node, pool: &StoragePool, status: Option<&PoolStatus>) -> Option<Note> {
    if pool.provider == ProviderKind::Diskless {
        return None;
    }
    if !cluster.is_online(&node.name) {
        let status = cluster.status_of(&node.name);
        let note = Note::warning(code::WARN_NOT_CONNECTED, format!("No connection to node {}", node.name));
        return Some(note.because(status.reason.clone().unwrap_or_default()).about("Node", &node.name));
    }
    let status = status?;
    let (problem, note) = match (&status.capacity, &status.warning) {
        (Err(problem), _) => {
            let code = code::FAIL_STOR_POOL_CONFIGURATION_ERROR;
            (problem, Note::new(code::Kind::Error, code, problem.message.clone()))
        }
        (Ok(_), Some(problem)) => (problem, Note::warning(code::WARN_STORAGE_ERROR, problem.message.clone())),
        (Ok(_), None) => return None,
    };
    let note = note.because(problem.cause.clone()).cure(problem.correction.clone()).details(problem.details.clone());
    Some(note.about("Node", &node.name).about("StorPool", &pool.name))
}

/// A pool definition.
pub fn pool_definition(json: &mut Json, definition: &PoolDefinition) {
    json.object(|json| {
        json.must("storage_pool_name", definition.name.as_str());
        json.props("props", &definition.props);
    });
}
