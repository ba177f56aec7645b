//! What lies on a node: logical volumes, mappings, loop devices, caches, datasets of ZFS, files. Counted, and compared with what was noted.

use zea::store::{Frozen, RecordKind, Store, admin};

use super::Done;
use crate::disks::stage::{Stage, wait_for};

/// One line for each thing, its kind first. The node's own disk is not meant, nor a thin pool's own mapping, which LVM keeps. Bash alone where that is possible, for programs
/// are slow to start there.
const LIST: &str = "\
    shopt -s nullglob globstar dotglob extglob\n\
    lvs --noheadings -a -o vg_name,lv_name 2>/dev/null | while read -r vg lv; do echo \"lv $vg/$lv\"; done; \
    for file in /sys/block/dm-*/dm/name; do read -r name <$file; [[ $name == *-tpool ]] || echo \"dm $name\"; done; \
    for file in /sys/block/loop*/loop/backing_file; do read -r name <$file; echo \"loop $name\"; done; \
    zfs list -H -o name -t filesystem,volume,snapshot 2>/dev/null | while read -r name; do echo \"zfs $name\"; done; \
    for set in /sys/fs/bcache/*-*; do echo \"bcache $set\"; done; \
    for file in /mnt/!(own)/**; do [[ $file == */.filler* ]] || echo \"file $file\"; done";

fn list(stage: &Stage, node: &str) -> Result<String, String> {
    let text = stage.on(node, LIST)?;
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    Ok(lines.join("\n"))
}

/// `2 lv, 0 dm`.
fn count(list: &str) -> String {
    let number = |kind: &str| list.lines().filter(|line| line.starts_with(kind)).count();
    ["lv ", "dm ", "loop ", "bcache ", "zfs ", "file "].map(|kind| format!("{kind}{}", number(kind))).join(", ")
}

pub fn note(stage: &Stage, words: &[&str]) -> Done {
    let found = list(stage, words[0])?;
    stage.folder.tell(&format!("    {}", count(&found)));
    stage.ground.lock().unwrap().insert(words[0].to_owned(), found);
    Ok(())
}

pub fn nothing(stage: &Stage, words: &[&str]) -> Done {
    let node = words[0];
    let ground = stage.ground.lock().unwrap().get(node).cloned();
    let ground = ground.ok_or_else(|| format!("what lies on {node} was not noted"))?;
    let mut found = String::new();
    let same = wait_for("nothing left", || {
        found = list(stage, node)?;
        Ok(difference(&ground, &found).is_none())
    });
    stage.folder.tell(&format!("    {}", count(&found)));
    same.map_err(|why| difference(&ground, &found).map_or(why, |what| format!("on {node}: {what}")))?;
    for path in ["/v1/resource-definitions", "/v1/view/resources", "/v1/view/snapshots"] {
        let objects = stage.rest.get(path)?;
        if objects.as_array().is_none_or(|objects| !objects.is_empty()) {
            return Err(format!("the controller still has {path}: {objects}"));
        }
    }
    Ok(())
}

/// What is there more, and what is missing. A mapping may be missing: a pool of LVM is there and not active after a boot.
fn difference(before: &str, now: &str) -> Option<String> {
    let without = |one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|found| found == *line));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let more = without(now, before);
    let mut less = without(before, now);
    less.retain(|line| !line.starts_with("dm "));
    (!more.is_empty() || !less.is_empty()).then(|| format!("left over: {more:?}; missing: {less:?}"))
}

/// Ends the controller and looks into its store: it is sound, and has no record of a volume.
pub fn store_clean(stage: &Stage, _: &[&str]) -> Done {
    stage.kill_controller()?;
    let store = Frozen::read(&stage.folder.logs().join("controller")).map_err(|error| format!("the store: {error}"))?;
    let report = admin::check(&store).map_err(|error| format!("the store: {error}"))?;
    if !report.is_clean() {
        return Err(format!("the store is not sound: {report:?}"));
    }
    let records = store.peek().map_err(|error| format!("the store: {error}"))?.records;
    let of_volumes = [RecordKind::ResourceDefinition, RecordKind::Snapshot];
    let left: Vec<_> =
        records.into_iter().map(|record| record.key).filter(|key| of_volumes.contains(&key.kind)).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("records are left over: {left:?}")) }
}

#[test]
fn differences_are_named() {
    let found = difference("dm a\nfile b\n", "dm a\nfile c\n").unwrap();
    assert_eq!(found, "left over: [\"file c\"]; missing: [\"file b\"]");
    assert_eq!(difference("dm a\nfile b\n", "file b\n"), None);
    assert_eq!(difference("file b\n", "dm a\nfile b\n").unwrap(), "left over: [\"dm a\"]; missing: []");
    assert_eq!(count("dm a\nfile b\nfile c\n"), "lv 0, dm 1, loop 0, bcache 0, zfs 0, file 2");
}
