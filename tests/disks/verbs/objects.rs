//! Verbs of pools, groups, resources and snapshots, by REST. Each ends when its nodes have done it, as the API and the nodes'
//! kernels say, so that it may be carried out again when it was cut off.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::Done;
use super::states::{device, gone, nodes_of, size_on};
use crate::disks::script::size_of;
use crate::disks::stage::{Stage, wait_for};

/// Where all errors say that something is there already: their numbers.
const EXISTS: std::ops::RangeInclusive<i64> = 500..=530;
const NUMBER_MASK: i64 = 0xFFFF;

/// Posts; what is there already was made by the first time that this verb was carried out, if this is another.
fn make(stage: &Stage, path: &str, body: &Value) -> Done {
    let made = stage.rest.post(path, body).map(drop);
    match made {
        Err(why) if stage.again.load(Ordering::SeqCst) && exists(&why) => Ok(()),
        made => made,
    }
}

/// Whether an error's text has an answer that says so.
fn exists(why: &str) -> bool {
    let answer = why.find('[').and_then(|at| serde_json::from_str::<Value>(&why[at..]).ok()).unwrap_or_default();
    let entries = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    entries
        .iter()
        .any(|entry| entry["ret_code"].as_i64().is_some_and(|code| code < 0 && EXISTS.contains(&(code & NUMBER_MASK))))
}

pub fn pool(stage: &Stage, words: &[&str]) -> Done {
    let [pool, node, kind, backing] = words else { unreachable!("the pattern has four") };
    let body = json!({"storage_pool_name": pool, "provider_kind": kind, "props": {"StorDriver/StorPoolName": backing}});
    make(stage, &format!("/v1/nodes/{node}/storage-pools"), &body)?;
    super::states::pool_well(stage, &[pool, node])
}

pub fn group(stage: &Stage, words: &[&str]) -> Done {
    let (name, count, pool) = (words[0], words[1], words[2]);
    let count: u32 = count.parse().map_err(|_| format!("'{count}' is no number of replicas"))?;
    let layers: Vec<&str> = words[3].split(',').collect();
    let filter = json!({"place_count": count, "storage_pool_list": [pool], "layer_stack": layers});
    make(stage, "/v1/resource-groups", &json!({"name": name, "select_filter": filter}))?;
    make(stage, &format!("/v1/resource-groups/{name}/volume-groups"), &json!({}))
}

/// Waits until every replica has its device.
fn attached(stage: &Stage, rsc: &str) -> Done {
    let nodes = nodes_of(stage, rsc)?;
    if nodes.is_empty() {
        return Err(format!("{rsc} is on no node"));
    }
    nodes.iter().try_for_each(|node| device(stage, rsc, node).map(drop))
}

pub fn spawn(stage: &Stage, words: &[&str]) -> Done {
    let kib = size_of(words[1])? >> 10;
    let body = json!({"resource_definition_name": words[0], "volume_sizes": [kib]});
    make(stage, &format!("/v1/resource-groups/{}/spawn", words[2]), &body)?;
    attached(stage, words[0])
}

fn snapshot_flags(stage: &Stage, rsc: &str, snap: &str) -> Result<Vec<String>, String> {
    let found = stage.rest.get(&format!("/v1/resource-definitions/{rsc}/snapshots/{snap}"))?;
    let flags = found["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    Ok(flags.collect())
}

pub fn snapshot(stage: &Stage, words: &[&str]) -> Done {
    let (rsc, snap) = (words[0], words[1]);
    let path = format!("/v1/resource-definitions/{rsc}/snapshots");
    let failed = |flags: &[String]| flags.iter().any(|flag| flag.starts_with("FAILED"));
    if stage.again.load(Ordering::SeqCst) && snapshot_flags(stage, rsc, snap).is_ok_and(|flags| failed(&flags)) {
        delete_snapshot(stage, &[snap, rsc])?;
    }
    make(stage, &path, &json!({"name": snap}))?;
    let mut flags = Vec::new();
    wait_for(&format!("snapshot {snap} of {rsc}"), || {
        flags = snapshot_flags(stage, rsc, snap)?;
        Ok(failed(&flags) || flags.iter().any(|flag| flag == "SUCCESSFUL"))
    })?;
    if failed(&flags) { Err(format!("snapshot {snap} of {rsc} has failed: {flags:?}")) } else { Ok(()) }
}

pub fn restore(stage: &Stage, words: &[&str]) -> Done {
    let (snap, rsc, new) = (words[0], words[1], words[2]);
    let definition = stage.rest.get(&format!("/v1/resource-definitions/{rsc}"))?;
    let group = &definition["resource_group_name"];
    let body = json!({"resource_definition": {"name": new, "resource_group_name": group}});
    make(stage, "/v1/resource-definitions", &body)?;
    let (base, target) = (format!("/v1/resource-definitions/{rsc}"), json!({"to_resource": new}));
    make(stage, &format!("{base}/snapshot-restore-volume-definition/{snap}"), &target)?;
    make(stage, &format!("{base}/snapshot-restore-resource/{snap}"), &target)?;
    attached(stage, new)
}

pub fn roll_back(stage: &Stage, words: &[&str]) -> Done {
    stage.rest.post(&format!("/v1/resource-definitions/{}/snapshot-rollback/{}", words[0], words[1]), &json!({}))?;
    attached(stage, words[0])
}

pub fn clone(stage: &Stage, words: &[&str]) -> Done {
    let (rsc, new) = (words[0], words[1]);
    let path = format!("/v1/resource-definitions/{rsc}/clone");
    let status = || stage.rest.get(&format!("{path}/{new}")).map(|status| status["status"].clone());
    let again = stage.again.load(Ordering::SeqCst);
    if again && status().is_ok_and(|status| status == "FAILED") {
        delete(stage, &[new])?;
    }
    match stage.rest.post(&path, &json!({"name": new})) {
        Err(why) if !(again && why.contains("exists")) => return Err(why),
        _ => {}
    }
    let mut last = Value::Null;
    wait_for(&format!("the clone {new} of {rsc}"), || {
        last = status()?;
        Ok(last == "COMPLETE" || last == "FAILED")
    })?;
    if last == "FAILED" { Err(format!("the clone {new} of {rsc} has failed")) } else { attached(stage, new) }
}

pub fn grow(stage: &Stage, words: &[&str]) -> Done {
    let (rsc, bytes) = (words[0], size_of(words[1])?);
    let path = format!("/v1/resource-definitions/{rsc}/volume-definitions/0");
    stage.rest.ask("PUT", &path, &json!({"size_kib": bytes >> 10}))?;
    for node in nodes_of(stage, rsc)? {
        wait_for(&format!("{rsc} on {node} with {bytes} bytes"), || Ok(size_on(stage, rsc, &node)? >= bytes))?;
    }
    Ok(())
}

pub fn delete_snapshot(stage: &Stage, words: &[&str]) -> Done {
    let path = format!("/v1/resource-definitions/{}/snapshots/{}", words[1], words[0]);
    stage.rest.delete(&path)?;
    gone(stage, &path)
}

pub fn delete(stage: &Stage, words: &[&str]) -> Done {
    let path = format!("/v1/resource-definitions/{}", words[0]);
    stage.rest.delete(&path)?;
    gone(stage, &path)
}

/// Any call, with a body of JSON.
pub fn call(stage: &Stage, words: &[&str]) -> Done {
    let body = serde_json::from_str(words[2]).map_err(|error| format!("'{}' is no JSON: {error}", words[2]))?;
    stage.rest.ask(words[0], words[1], &body).map(drop)
}

#[test]
fn an_answer_says_that_something_exists() {
    let answer = |code: i64| format!("POST /x: 500 {}", json!([{"ret_code": code, "message": "m"}]));
    assert!(exists(&answer(-4_611_686_018_407_202_314)));
    assert!(!exists(&answer(-4_611_686_018_407_202_314 - 200)) && !exists("no answer") && !exists(&answer(502)));
}
