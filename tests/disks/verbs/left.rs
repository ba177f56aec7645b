//! What lies on a node: logical volumes, mappings, loop devices, caches, datasets of ZFS, files. Counted, and compared with what was noted.

use super::Done;
use crate::disks::stage::{Stage, wait_for};

/// One line for each thing, its kind first. The node's own disk is not meant. Bash alone where that is possible, for programs
/// are slow to start there.
const LIST: &str = "\
    shopt -s nullglob globstar dotglob extglob\n\
    lvs --noheadings -a -o vg_name,lv_name 2>/dev/null | while read -r vg lv; do echo \"lv $vg/$lv\"; done; \
    for file in /sys/block/dm-*/dm/name; do read -r name <$file; echo \"dm $name\"; done; \
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
        Ok(found == ground)
    });
    stage.folder.tell(&format!("    {}", count(&found)));
    same.map_err(|_| difference(node, &ground, &found))?;
    for path in ["/v1/resource-definitions", "/v1/view/resources", "/v1/view/snapshots"] {
        let objects = stage.rest.get(path)?;
        if objects.as_array().is_none_or(|objects| !objects.is_empty()) {
            return Err(format!("the controller still has {path}: {objects}"));
        }
    }
    Ok(())
}

fn difference(node: &str, before: &str, now: &str) -> String {
    let more = now.lines().filter(|line| !before.lines().any(|other| other == *line));
    let less = before.lines().filter(|line| !now.lines().any(|other| other == *line));
    let more: Vec<&str> = more.collect();
    let less: Vec<&str> = less.collect();
    format!("left over on {node}: {more:?}; missing there: {less:?}")
}

#[test]
fn differences_are_named() {
    assert_eq!(difference("n1", "dm a\nfile b\n", "dm a\nfile c\n"), "left over on n1: [\"file c\"]; missing there: [\"file b\"]");
    assert_eq!(count("dm a\nfile b\nfile c\n"), "lv 0, dm 1, loop 0, bcache 0, zfs 0, file 2");
}
