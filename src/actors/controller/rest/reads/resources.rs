//! Replicas with and without their volumes, and pairs of replicas.

use std::sync::Arc;

use imbl::OrdMap;

use super::super::answer::now_text;
use super::super::dispatch::Call;
use super::super::{Listing, Reply};
use super::definitions::named;
use super::{Failure, Read, definition as find, json, missing, name, page, volume_number};
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::definition::ResourceDefinition;
use crate::model::names::{NodeName, RscName};
use crate::model::props::PropertyOwner;
use crate::protocols::rest::query::NameFilter;
use crate::protocols::rest::render::definition::{pairs, resource_connection};
use crate::protocols::rest::render::layers::Replica;
use crate::protocols::rest::render::props::catalogue;
use crate::protocols::rest::render::resource::{Place, Volumes, resource, volume};

pub fn read(cluster: &Cluster, call: &Call) -> Option<Read> {
    Some(match call.route.operation {
        "viewResources" => view(cluster, call),
        "resourceList" => list(cluster, call),
        "resourceGet" => one(cluster, call),
        "resourceVolumeList" => volumes(cluster, call),
        "resourceVolumeGet" => one_volume(cluster, call),
        "resourceConnectionsList" => connections(cluster, call),
        "resourceConnectionList" => connection(cluster, call),
        "resourcePropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::Resource))),
        "volumePropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::Volume))),
        "resourceConnectionPropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::ResourceConnection))),
        _ => return None,
    })
}

/// Definitions that can have what is asked for: those that are named, or those that stand on the named nodes.
fn candidates(
    cluster: &Cluster,
    nodes: &NameFilter,
    resources: &NameFilter,
) -> OrdMap<RscName, Arc<ResourceDefinition>> {
    if !resources.is_open() || nodes.is_open() {
        return named(&cluster.definitions, resources);
    }
    let nodes = nodes.folded().filter_map(|text| NodeName::parse(text).ok());
    let names = nodes.filter_map(|node| cluster.on_node.get(&node).cloned()).flatten();
    names.filter_map(|name| cluster.definitions.get_key_value(&name)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn view(cluster: &Cluster, call: &Call) -> Read {
    let (nodes, pools, props) = (call.query.names("nodes"), call.query.names("storage_pools"), call.query.props());
    let wanted = candidates(cluster, &nodes, &call.query.names("resources"));
    let (view, now, page) = (cluster.clone(), now_text(), page(call)?);
    Ok(Reply::list(Listing::of(wanted, page, move |json, _, definition, window| {
        for (node, record) in &definition.resources {
            let fits = !record.volumes.is_empty()
                && nodes.admits(node.as_str())
                && pools.admits_any(record.volumes.values().map(|volume| volume.pool.as_str()))
                && props.admits(|key| record.props.get(key));
            if fits && window.admit() {
                let place = Place { cluster: &view, definition, node, resource: record };
                resource(json, place, Volumes::With(&now));
            }
        }
    })))
}

fn list(cluster: &Cluster, call: &Call) -> Read {
    let definition = find(cluster, call.param("rd"))?;
    let part = page(call)?.cut(definition.resources.iter());
    let place = |(node, resource)| Place { cluster, definition, node, resource };
    Ok(json(|json| json.list(|json| part.for_each(|one| resource(json, place(one), Volumes::Without)))))
}

fn place<'a>(cluster: &'a Cluster, call: &Call) -> Result<Place<'a>, Failure> {
    let definition = find(cluster, call.param("rd"))?;
    let node = name(NodeName::parse(call.param("node")), code::FAIL_NOT_FOUND_RSC)?;
    let Some((node, resource)) = definition.resources.get_key_value(&node) else {
        let message = format!("Resource {} is not on node {node}", definition.name);
        return Err(missing(code::FAIL_NOT_FOUND_RSC, message));
    };
    Ok(Place { cluster, definition, node, resource })
}

fn one(cluster: &Cluster, call: &Call) -> Read {
    let place = place(cluster, call)?;
    Ok(json(|json| resource(json, place, Volumes::Without)))
}

fn replica(place: Place<'_>) -> Replica<'_> {
    let status = place.cluster.resource_status_of(&place.definition.name, place.node);
    Replica { definition: place.definition, resource: place.resource, status }
}

fn volumes(cluster: &Cluster, call: &Call) -> Read {
    let (place, now) = (place(cluster, call)?, now_text());
    let part = page(call)?.cut(replica(place).volumes());
    Ok(json(|json| json.list(|json| part.for_each(|one| volume(json, place, one, &now)))))
}

fn one_volume(cluster: &Cluster, call: &Call) -> Read {
    let place = place(cluster, call)?;
    let number = volume_number(call.param("vn"), code::FAIL_NOT_FOUND_VLM)?;
    let Some(record) = place.resource.volumes.get(&number) else {
        let message = format!("Resource {} has no volume {number} on node {}", place.definition.name, place.node);
        return Err(missing(code::FAIL_NOT_FOUND_VLM, message));
    };
    let part = replica(place).volume(number);
    Ok(json(|json| volume(json, place, (part, record), &now_text())))
}

fn connections(cluster: &Cluster, call: &Call) -> Read {
    let definition = find(cluster, call.param("rd"))?;
    Ok(json(|json| {
        json.list(|json| pairs(definition).for_each(|(a, b)| resource_connection(json, cluster, definition, [a, b])));
    }))
}

fn connection(cluster: &Cluster, call: &Call) -> Read {
    let definition = find(cluster, call.param("rd"))?;
    let end = |param| -> Result<&NodeName, Failure> {
        let node = name(NodeName::parse(call.param(param)), code::FAIL_NOT_FOUND_RSC)?;
        let known = definition.resources.get_key_value(&node).map(|(node, _)| node);
        let message = || format!("Resource {} is not on node {node}", definition.name);
        known.ok_or_else(|| missing(code::FAIL_NOT_FOUND_RSC, message()))
    };
    let pair = [end("node_a")?, end("node_b")?];
    Ok(json(|json| resource_connection(json, cluster, definition, pair)))
}
