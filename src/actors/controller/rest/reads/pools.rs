//! Storage pools and their definitions.

use std::time::Duration;

use super::super::answer::now_text;
use super::super::dispatch::Call;
use super::super::{Api, Listing, Reply};
use super::{Read, json, missing, name, node, page};
use crate::actors::controller::api::ClusterMessage;
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::names::{NodeName, PoolName};
use crate::model::props::PropertyOwner;
use crate::protocols::rest::render::pool::{pool_definition, storage_pool};
use crate::protocols::rest::render::props::catalogue;

/// How long a list waits for fresh figures; then it shows those that are known.
const REFRESH_DEADLINE: Duration = Duration::from_secs(5);

/// Asks nodes for the room of their pools, where the call wants it fresh. That no node answers is no failure.
pub async fn refresh(api: &Api, call: &Call<'_>) {
    let nodes: Vec<&str> = match call.route.operation {
        "viewStoragePools" => call.query.all("nodes").collect(),
        "nodeStoragePoolList" | "nodeStoragePoolGet" => vec![call.param("node")],
        _ => return,
    };
    if call.query.flag("cached", false) {
        return;
    }
    let known = api.view.load();
    let wanted: Vec<NodeName> = nodes.iter().filter_map(|text| NodeName::parse(text).ok()).collect();
    // An empty list means all; a name that nobody has must not.
    let named = !nodes.is_empty();
    let wanted: Vec<NodeName> = wanted.into_iter().filter(|name| known.nodes.contains_key(name)).collect();
    if named && wanted.is_empty() {
        return;
    }
    let answer = api.cluster.ask(ClusterMessage::RefreshCapacity(wanted), REFRESH_DEADLINE.min(api.deadline)).await;
    if let Err(error) = answer {
        tracing::debug!(%error, "no fresh figures of storage pools");
    }
}

pub fn read(cluster: &Cluster, call: &Call) -> Option<Read> {
    Some(match call.route.operation {
        "viewStoragePools" => view(cluster, call),
        "nodeStoragePoolList" => list(cluster, call),
        "nodeStoragePoolGet" => one(cluster, call),
        "storagePoolPropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::StoragePool))),
        "storagePoolDfnList" => definitions(cluster, call),
        "storagePoolDfnGet" => definition(cluster, call),
        "storagePoolDfnPropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::StoragePoolDefinition))),
        _ => return None,
    })
}

fn view(cluster: &Cluster, call: &Call) -> Read {
    let (nodes, pools, props) = (call.query.names("nodes"), call.query.names("storage_pools"), call.query.props());
    let (view, now, page) = (cluster.clone(), now_text(), page(call)?);
    Ok(Reply::list(Listing::of(cluster.nodes.clone(), page, move |json, name, record, window| {
        if !nodes.admits(name.as_str()) {
            return;
        }
        for pool in record.pools.values() {
            let fits = pools.admits(pool.name.as_str()) && props.admits(|key| pool.props.get(key));
            if fits && window.admit() {
                storage_pool(json, &view, (record, pool), &now);
            }
        }
    })))
}

fn list(cluster: &Cluster, call: &Call) -> Read {
    let (record, now) = (node(cluster, call.param("node"))?, now_text());
    let part = page(call)?.cut(record.pools.values());
    Ok(json(|json| json.list(|json| part.for_each(|pool| storage_pool(json, cluster, (record, pool), &now)))))
}

fn one(cluster: &Cluster, call: &Call) -> Read {
    let record = node(cluster, call.param("node"))?;
    let wanted = name(PoolName::parse(call.param("sp")), code::FAIL_NOT_FOUND_STOR_POOL)?;
    let Some(pool) = record.pools.get(&wanted) else {
        let message = format!("Node {} has no storage pool {wanted}", record.name);
        return Err(missing(code::FAIL_NOT_FOUND_STOR_POOL, message));
    };
    Ok(json(|json| storage_pool(json, cluster, (record, pool), &now_text())))
}

fn definitions(cluster: &Cluster, call: &Call) -> Read {
    let page = page(call)?;
    Ok(Reply::list(Listing::of(cluster.pool_definitions.clone(), page, |json, _, record, window| {
        if window.admit() {
            pool_definition(json, record);
        }
    })))
}

fn definition(cluster: &Cluster, call: &Call) -> Read {
    let wanted = name(PoolName::parse(call.param("sp")), code::FAIL_NOT_FOUND_STOR_POOL_DFN)?;
    let Some(found) = cluster.pool_definitions.get(&wanted) else {
        let message = format!("There is no storage pool definition {wanted}");
        return Err(missing(code::FAIL_NOT_FOUND_STOR_POOL_DFN, message));
    };
    Ok(json(|json| pool_definition(json, found)))
}
