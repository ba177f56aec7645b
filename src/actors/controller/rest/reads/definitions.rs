//! Resource definitions, volume definitions, how far copies are, and why replicas are where they are.

use imbl::OrdMap;

use super::super::dispatch::Call;
use super::super::{Listing, Reply};
use super::{Read, definition as find, json, missing, page, volume_number};
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::decide::explain;
use crate::model::names::RscName;
use crate::model::placement::Choice;
use crate::model::props::PropertyOwner;
use crate::protocols::rest::query::NameFilter;
use crate::protocols::rest::render::definition::{
    Volumes, clone_status, definition, is_synced_on_all, volume_definition,
};
use crate::protocols::rest::render::json::Json;
use crate::protocols::rest::render::props::catalogue;

pub fn read(cluster: &Cluster, call: &Call) -> Option<Read> {
    Some(match call.route.operation {
        "resourceDefinitionList" => list(cluster, call),
        "resourceDefinitionGet" => one(cluster, call),
        "resourceDefinitionCloneStatus" => clone(cluster, call),
        "resourceDefinitionSyncStatus" => sync(cluster, call),
        "resourceDefinitionPropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::ResourceDefinition))),
        "volumeDefinitionList" => volumes(cluster, call),
        "volumeDefinitionGet" => volume(cluster, call),
        "volumeDefinitionPropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::VolumeDefinition))),
        "zeaExplain" => explanation(cluster, call),
        _ => return None,
    })
}

fn list(cluster: &Cluster, call: &Call) -> Read {
    let props = call.query.props();
    let volumes = match call.query.flag("with_volume_definitions", false) {
        true => Volumes::With,
        false => Volumes::Without,
    };
    let wanted = named(&cluster.definitions, &call.query.names("resource_definitions"));
    let page = page(call)?;
    Ok(Reply::list(Listing::of(wanted, page, move |json, _, record, window| {
        if props.admits(|key| record.props.get(key)) && window.admit() {
            definition(json, record, volumes);
        }
    })))
}

/// The records that a filter names, looked up one by one; all of them when it names none.
pub fn named<V: Clone>(all: &OrdMap<RscName, V>, filter: &NameFilter) -> OrdMap<RscName, V> {
    if filter.is_open() {
        return all.clone();
    }
    let names = filter.folded().filter_map(|text| RscName::parse(text).ok());
    names.filter_map(|name| all.get_key_value(&name).map(|(name, value)| (name.clone(), value.clone()))).collect()
}

fn one(cluster: &Cluster, call: &Call) -> Read {
    let record = find(cluster, call.param("rd"))?;
    Ok(json(|json| definition(json, record, Volumes::Without)))
}

fn clone(cluster: &Cluster, call: &Call) -> Read {
    find(cluster, call.param("rd"))?;
    let record = find(cluster, call.param("clone"))?;
    let Some(status) = clone_status(record) else {
        return Err(missing(code::FAIL_NOT_FOUND_RSC_DFN, format!("{} is not a clone", record.name)));
    };
    Ok(json(|json| json.object(|json| json.must("status", status))))
}

fn sync(cluster: &Cluster, call: &Call) -> Read {
    let record = find(cluster, call.param("rd"))?;
    Ok(json(|json| json.object(|json| json.flag("synced_on_all", is_synced_on_all(cluster, record)))))
}

fn volumes(cluster: &Cluster, call: &Call) -> Read {
    let record = find(cluster, call.param("rd"))?;
    let all = || record.volumes.values();
    Ok(json(|json| json.list(|json| all().for_each(|one| volume_definition(json, record, one)))))
}

fn volume(cluster: &Cluster, call: &Call) -> Read {
    let record = find(cluster, call.param("rd"))?;
    let number = volume_number(call.param("vn"), code::FAIL_NOT_FOUND_VLM_DFN)?;
    let Some(found) = record.volumes.get(&number) else {
        let message = format!("Resource definition {} has no volume {number}", record.name);
        return Err(missing(code::FAIL_NOT_FOUND_VLM_DFN, message));
    };
    Ok(json(|json| volume_definition(json, record, found)))
}

/// How many replicas are wanted and stand, where those that lack (or one more) would go, and for every node and pool
/// why, or why not.
fn explanation(cluster: &Cluster, call: &Call) -> Read {
    let record = find(cluster, call.param("rd"))?;
    let Some(found) = explain(cluster, &record.name) else {
        let message = format!("Resource definition {} has no resource group", record.name);
        return Err(missing(code::FAIL_NOT_FOUND_RSC_GRP, message));
    };
    let (choices, story) = match &found.outcome {
        Ok(placed) => (&placed.choices[..], &placed.story),
        Err(not_placed) => (&[][..], not_placed.story.as_ref()),
    };
    Ok(json(|json| {
        json.object(|json| {
            json.must("resource", record.name.as_str());
            json.must("resource_group", record.group.as_str());
            json.size("wanted", found.wanted as u64);
            json.size("standing", found.standing as u64);
            json.texts("stands_on", record.resources.keys().map(|node| node.as_str()));
            json.flag("possible", found.outcome.is_ok());
            if let Err(not_placed) = &found.outcome {
                json.must("reason", &not_placed.to_string());
            }
            json.filled_list("next", |json| choices.iter().for_each(|choice| next(json, choice)));
            json.key("lines");
            json.list(|json| story.lines().for_each(|line| json.string(&line)));
        });
    }))
}

fn next(json: &mut Json, choice: &Choice) {
    json.object(|json| {
        json.must("node", choice.node.as_str());
        json.must("storage_pool", choice.pool.as_str());
        json.float("score", choice.score);
    });
}
