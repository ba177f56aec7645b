//! `zea resource` and `zea pool`.

use super::{change, show};
use crate::cli::args::{PoolCommand, ResourceCommand};
use crate::cli::call::Call;
use crate::cli::session::Step;
use crate::cli::views;
use crate::protocols::rest::pool::StoragePoolCreate;
use crate::protocols::rest::resource::{AutoPlaceRequest, ResourceCreate, ResourceMakeAvailable, ResourceSpec};
use crate::protocols::rest::shape::Props;

const VIEW: &str = "/v1/view/resources";
const RESOURCES: &str = "/v1/resource-definitions/{}/resources";
const RESOURCE: &str = "/v1/resource-definitions/{}/resources/{}";
const POOL: &str = "/v1/nodes/{}/storage-pools/{}";

/// The property by which a replica says its pool.
const POOL_PROPERTY: &str = "StorPoolName";
/// The property by which a pool says what backs it.
const BACKING_PROPERTY: &str = "StorDriver/StorPoolName";

/// Reads replicas with their volumes.
pub fn view(resources: &[String]) -> Call {
    Call::get(VIEW, &[]).query("resources", resources)
}

/// The steps of `zea resource`.
pub fn steps(command: &ResourceCommand) -> Vec<Step> {
    match command {
        ResourceCommand::List { resources, nodes, pools } => {
            show(view(resources).query("nodes", nodes).query("storage_pools", pools), views::replicas)
        }
        ResourceCommand::Volumes { resources, nodes } => {
            show(view(resources).query("nodes", nodes), views::replica_volumes)
        }
        ResourceCommand::Create { resource, nodes, pool, diskless, layers, properties } => {
            let mut props = properties.props();
            props.extend(pool.iter().map(|pool| (POOL_PROPERTY.to_owned(), pool.clone())));
            let flags = if *diskless { vec!["DISKLESS".to_owned()] } else { Vec::new() };
            change(create(resource, nodes, &ResourceSpec { flags, props, ..Default::default() }, layers))
        }
        ResourceCommand::Autoplace { resource, additional, filter } => {
            let mut select_filter = filter.select();
            if let Some(count) = additional {
                select_filter.get_or_insert_default().additional_place_count = Some(*count);
            }
            let body = AutoPlaceRequest { select_filter, ..Default::default() };
            change(Call::post("/v1/resource-definitions/{}/autoplace", &[resource]).with(&body))
        }
        ResourceCommand::Delete { resource, nodes, keep_tiebreaker } => {
            let keep = keep_tiebreaker.then_some("true");
            let call = |node: &String| Call::delete(RESOURCE, &[resource, node]).query("keep_tiebreaker", keep);
            nodes.iter().map(|node| Step::Change(call(node))).collect()
        }
        ResourceCommand::MakeAvailable { resource, node, diskful } => {
            let body = ResourceMakeAvailable { diskful: *diskful, ..Default::default() };
            change(Call::post("/v1/resource-definitions/{}/resources/{}/make-available", &[resource, node]).with(&body))
        }
        ResourceCommand::Activate { resource, node } => {
            change(Call::post("/v1/resource-definitions/{}/resources/{}/activate", &[resource, node]))
        }
        ResourceCommand::Deactivate { resource, node } => {
            change(Call::post("/v1/resource-definitions/{}/resources/{}/deactivate", &[resource, node]))
        }
        ResourceCommand::SetProperty { resource, node, property } => {
            change(Call::put(RESOURCE, &[resource, node]).with_property(&property.key, property.value.as_deref()))
        }
    }
}

/// One call for one node, and one call too for several: all or none.
fn create(resource: &str, nodes: &[String], spec: &ResourceSpec, layers: &Option<Vec<String>>) -> Call {
    let body = |node: &String| {
        let spec = ResourceSpec { node_name: Some(node.clone()), ..spec.clone() };
        ResourceCreate { resource: Some(spec), layer_list: layers.clone(), ..Default::default() }
    };
    match nodes {
        [node] => Call::post(RESOURCE, &[resource, node]).with(&body(node)),
        nodes => Call::post(RESOURCES, &[resource]).with(&nodes.iter().map(body).collect::<Vec<_>>()),
    }
}

/// The steps of `zea pool`.
pub fn pool_steps(command: &PoolCommand) -> Vec<Step> {
    match command {
        PoolCommand::List { pools, nodes } => {
            let call = Call::get("/v1/view/storage-pools", &[]).query("storage_pools", pools);
            show(call.query("nodes", nodes), views::pools)
        }
        PoolCommand::Create { kind, node, name, backing, shared_space, external_locking, properties } => {
            let mut props: Props = properties.props();
            props.extend(backing.iter().map(|backing| (BACKING_PROPERTY.to_owned(), backing.clone())));
            let body = StoragePoolCreate {
                storage_pool_name: name.clone(),
                provider_kind: kind.clone(),
                node_name: None,
                props,
                free_space_mgr_name: shared_space.clone(),
                external_locking: external_locking.then_some(true),
            };
            change(Call::post("/v1/nodes/{}/storage-pools", &[node]).with(&body))
        }
        PoolCommand::Delete { node, name } => change(Call::delete(POOL, &[node, name])),
        PoolCommand::SetProperty { node, name, property } => {
            change(Call::put(POOL, &[node, name]).with_property(&property.key, property.value.as_deref()))
        }
    }
}
