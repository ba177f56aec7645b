//! What the API and the nodes say of resources and pools.

use serde_json::Value;

use super::Done;
use crate::disks::script::size_of;
use crate::disks::stage::{PATIENCE, Stage, wait_for};

/// The nodes that a resource is on.
pub fn nodes_of(stage: &Stage, rsc: &str) -> Result<Vec<String>, String> {
    let found = stage.rest.get(&format!("/v1/resource-definitions/{rsc}/resources"))?;
    let names = found.as_array().into_iter().flatten().filter_map(|one| one["node_name"].as_str());
    Ok(names.map(str::to_owned).collect())
}

fn path_of(stage: &Stage, rsc: &str, node: &str) -> Result<String, String> {
    let all = stage.rest.get(&format!("/v1/view/resources?resources={rsc}&nodes={node}"))?;
    let volume = &all[0]["volumes"][0];
    let path = volume["device_path"].as_str().filter(|path| !path.is_empty());
    path.map(str::to_owned).ok_or_else(|| format!("{rsc} has no device on {node}: {volume}"))
}

/// The device of a resource's volume 0 and its bytes, once it is there: with a size, and, a loop device, with a file of that
/// name behind it. What the API says may be older than the node's last boot.
pub fn sized_device(stage: &Stage, rsc: &str, node: &str) -> Result<(String, u64), String> {
    let mut found = (String::new(), 0);
    wait_for(&format!("the device of {rsc} on {node}"), || {
        let path = path_of(stage, rsc, node)?;
        let loops = path.strip_prefix("/dev/loop").map_or_else(String::new, |number| {
            format!(" && read -r file </sys/block/loop{number}/loop/backing_file && [[ ${{file##*/}} == {rsc}_* ]]")
        });
        let output = stage.run(node, &format!("[ -b {path} ]{loops} && blockdev --getsize64 {path}"), PATIENCE)?;
        let size = output.text.trim().parse().ok().filter(|size| output.code == 0 && *size > 0);
        found = (path, size.unwrap_or_default());
        Ok(size.is_some())
    })?;
    Ok(found)
}

pub fn device(stage: &Stage, rsc: &str, node: &str) -> Result<String, String> {
    sized_device(stage, rsc, node).map(|(path, _)| path)
}

/// Bytes of the device, as the kernel says.
pub fn size_on(stage: &Stage, rsc: &str, node: &str) -> Result<u64, String> {
    sized_device(stage, rsc, node).map(|(_, bytes)| bytes)
}

/// Waits until the API knows an object no more.
pub fn gone(stage: &Stage, path: &str) -> Done {
    wait_for(&format!("the end of {path}"), || match stage.rest.get(path) {
        Err(why) if why.contains(": 404 ") => Ok(true),
        other => other.map(|_| false),
    })
}

pub fn there(stage: &Stage, words: &[&str]) -> Done {
    device(stage, words[0], words[1]).map(drop)
}

fn unquoted(words: &str) -> Vec<&str> {
    words.split('"').skip(1).step_by(2).collect()
}

/// Waits until a text has all of these words.
fn says(what: &str, words: &str, text: impl Fn() -> Result<String, String>) -> Done {
    let words = unquoted(words);
    if words.is_empty() {
        return Err("what it says stands in quotation marks".to_owned());
    }
    let mut last = String::new();
    wait_for(what, || {
        last = text()?;
        Ok(words.iter().all(|word| last.contains(word)))
    })
    .map_err(|why| format!("{why}; it says {last}"))
}

pub fn fails(stage: &Stage, words: &[&str]) -> Done {
    let (rsc, node) = (words[0], words[1]);
    says(&format!("{rsc} on {node} saying {}", words[2]), words[2], || {
        let all = stage.rest.get(&format!("/v1/view/resources?resources={rsc}&nodes={node}"))?;
        Ok(all[0]["volumes"].to_string())
    })
}

fn pool_state(stage: &Stage, pool: &str, node: &str) -> Result<Value, String> {
    let pools = stage.rest.get(&format!("/v1/view/storage-pools?nodes={node}"))?;
    let found = pools.as_array().into_iter().flatten().find(|found| found["storage_pool_name"] == *pool);
    found.cloned().ok_or_else(|| format!("there is no pool {pool} on {node}"))
}

pub fn pool_fails(stage: &Stage, words: &[&str]) -> Done {
    let (pool, node) = (words[0], words[1]);
    says(&format!("pool {pool} on {node} saying {}", words[2]), words[2], || {
        pool_state(stage, pool, node).map(|state| state.to_string())
    })
}

/// Waits until the API says of a pool that there is less room than that.
pub fn pool_short(stage: &Stage, words: &[&str]) -> Done {
    let (pool, node, limit) = (words[0], words[1], size_of(words[2])? >> 10);
    wait_for(&format!("less than {} in pool {pool} on {node}", words[2]), || {
        Ok(pool_state(stage, pool, node)?["free_capacity"].as_u64().is_some_and(|free| free < limit))
    })
}

/// Its room is known, and it reports nothing.
pub fn pool_well(stage: &Stage, words: &[&str]) -> Done {
    wait_for(&format!("room in pool {} on {}", words[0], words[1]), || {
        let state = pool_state(stage, words[0], words[1])?;
        let quiet = state["reports"].as_array().is_none_or(Vec::is_empty);
        Ok(quiet && state["free_capacity"].as_i64() > Some(0))
    })
}
