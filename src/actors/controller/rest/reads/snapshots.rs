//! Snapshots.

use super::super::dispatch::Call;
use super::super::{Listing, Reply};
use super::{Read, definition as find, json, missing, name, page};
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::names::SnapName;
use crate::model::snapshot::SnapshotKey;
use crate::protocols::rest::render::snapshot::snapshot;

pub fn read(cluster: &Cluster, call: &Call) -> Option<Read> {
    Some(match call.route.operation {
        "viewSnapshots" => view(cluster, call),
        "resourceSnapshotsList" => list(cluster, call),
        "resourceSnapshotList" => one(cluster, call),
        _ => return None,
    })
}

fn view(cluster: &Cluster, call: &Call) -> Read {
    let (nodes, resources) = (call.query.names("nodes"), call.query.names("resources"));
    let (view, page) = (cluster.clone(), page(call)?);
    Ok(Reply::list(Listing::of(cluster.snapshots.clone(), page, move |json, key, record, window| {
        let fits =
            resources.admits(key.rsc.as_str()) && nodes.admits_any(record.nodes.keys().map(|node| node.as_str()));
        if fits && window.admit() {
            snapshot(json, &view, record);
        }
    })))
}

fn list(cluster: &Cluster, call: &Call) -> Read {
    let definition = find(cluster, call.param("rd"))?;
    let part = page(call)?.cut(cluster.snapshots_of(&definition.name));
    Ok(json(|json| json.list(|json| part.for_each(|record| snapshot(json, cluster, record)))))
}

fn one(cluster: &Cluster, call: &Call) -> Read {
    let definition = find(cluster, call.param("rd"))?;
    let wanted = name(SnapName::parse(call.param("snap")), code::FAIL_NOT_FOUND_SNAPSHOT)?;
    let key = SnapshotKey { rsc: definition.name.clone(), name: wanted };
    let Some(found) = cluster.snapshots.get(&key) else {
        let message = format!("Resource definition {} has no snapshot {}", definition.name, key.name);
        return Err(missing(code::FAIL_NOT_FOUND_SNAPSHOT, message));
    };
    Ok(json(|json| snapshot(json, cluster, found)))
}
