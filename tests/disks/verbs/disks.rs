//! Verbs of commands on nodes, file systems, and disks that are sick or full.

use super::Done;
use super::states::device;
use crate::disks::script::time_of;
use crate::disks::stage::Stage;

/// Puts paths in: `$name` of a disk of that node, `[web]` of a volume there.
fn resolved(stage: &Stage, node: &str, command: &str) -> Result<String, String> {
    let mut command = command.to_owned();
    let disks = stage.with_node(node, |node| node.disks.clone())?;
    for disk in disks {
        command = command.replace(&format!("${}", disk.name), &disk.path());
    }
    // `[ -b x ]` and `[[` are bash's own: a volume has no blank beside its brackets.
    let mut searched = 0;
    while let Some(open) = command[searched..].find('[').map(|at| at + searched) {
        let name: String =
            command[open + 1..].chars().take_while(|letter| letter.is_alphanumeric() || *letter == '-').collect();
        let close = open + 1 + name.len();
        if !name.is_empty() && command[close..].starts_with(']') && !command[..open].ends_with('$') {
            let path = device(stage, &name, node)?;
            command.replace_range(open..=close, &path);
        }
        searched = open + 1;
    }
    Ok(command)
}

pub fn command(stage: &Stage, words: &[&str]) -> Done {
    stage.on(words[0], &resolved(stage, words[0], words[1])?).map(drop)
}

pub fn every_boot(stage: &Stage, words: &[&str]) -> Done {
    let command = resolved(stage, words[0], words[1])?;
    stage.with_node(words[0], |node| node.at_boot.push(command))
}

/// Makes a zpool on a disk, and imports it at every boot.
pub fn keeps_zpool(stage: &Stage, words: &[&str]) -> Done {
    let (node, zpool) = (words[0], words[1]);
    let disk = stage.disk(node, words[2])?.path();
    stage.on(node, &format!("zpool create -f -o cachefile=none -O mountpoint=none {zpool} {disk}"))?;
    stage.with_node(node, |node| node.at_boot.push(format!("zpool import -d /dev -d /dev/mapper -N -f {zpool}")))
}

/// Runs the command that the error of a resource names for a zvol in its way.
pub fn take_over(stage: &Stage, words: &[&str]) -> Done {
    let (node, zvol, rsc) = (words[0], words[1], words[2]);
    let view = stage.rest.get(&format!("/v1/view/resources?resources={rsc}&nodes={node}"))?.to_string();
    let command = view.find("zfs set zea:volume=").and_then(|at| {
        let end = view[at..].find(zvol)? + at + zvol.len();
        Some(&view[at..end])
    });
    stage.on(node, command.ok_or_else(|| format!("no command for {zvol} in {view}"))?).map(drop)
}

/// Makes a file system on a disk, mounts it now and at every boot.
pub fn keeps(stage: &Stage, words: &[&str]) -> Done {
    let (node, kind, folder) = (words[0], words[1], words[3]);
    let disk = stage.disk(node, words[2])?.path();
    let mount = format!("mkdir -p {folder} && mount {disk} {folder}");
    stage.on(node, &format!("mkfs.{kind} -q {disk} && {mount}"))?;
    stage.with_node(node, |node| node.at_boot.push(mount))
}

/// Puts another table under a disk, in the middle of whatever it does.
fn remap(stage: &Stage, (node, name): (&str, &str), target: impl Fn(&str) -> String) -> Done {
    let disk = stage.disk(node, name)?;
    if !disk.faulty {
        return Err(format!("{name} of {node} was not made as a faulty disk"));
    }
    let (raw, target) = (&disk.raw, target(&disk.raw));
    stage
        .on(
            node,
            &format!(
                "export DM_DISABLE_UDEV=1; dmsetup suspend --noflush --nolockfs {name} && \
                dmsetup load {name} --table \"0 $(blockdev --getsz {raw}) {target}\" && dmsetup resume {name}"
            ),
        )
        .map(drop)
}

pub fn eio(stage: &Stage, words: &[&str]) -> Done {
    // Never up, always down.
    remap(stage, (words[1], words[0]), |raw| format!("flakey {raw} 0 0 1"))
}

pub fn gone(stage: &Stage, words: &[&str]) -> Done {
    remap(stage, (words[1], words[0]), |_| "error".to_owned())
}

/// Every request waits until the disk heals; what waits cannot be killed.
pub fn hang(stage: &Stage, words: &[&str]) -> Done {
    let (name, node) = (words[0], words[1]);
    stage.disk(node, name)?;
    stage.on(node, &format!("DM_DISABLE_UDEV=1 dmsetup suspend --noflush --nolockfs {name}")).map(drop)
}

pub fn slow(stage: &Stage, words: &[&str]) -> Done {
    let delay = time_of(words[2])?.as_millis();
    remap(stage, (words[1], words[0]), |raw| format!("delay {raw} 0 {delay}"))
}

pub fn heal(stage: &Stage, words: &[&str]) -> Done {
    remap(stage, (words[1], words[0]), |raw| format!("linear {raw} 0"))
}

/// Puts a script before a program, for satellites alone.
fn replace(stage: &Stage, (program, node): (&str, &str), script: &str) -> Done {
    let path = format!("/run/faults/{program}");
    stage
        .on(node, &format!("mkdir -p /run/faults; printf '#!/bin/bash\n%s\n' '{script}' >{path}; chmod +x {path}"))
        .map(drop)
}

pub fn program_hangs(stage: &Stage, words: &[&str]) -> Done {
    replace(stage, (words[0], words[1]), "exec sleep 1000")
}

pub fn program_fails(stage: &Stage, words: &[&str]) -> Done {
    let script = format!("echo {} >&2\nexit {}", words[3], words[1]);
    replace(stage, (words[0], words[2]), &script)
}

pub fn program_well(stage: &Stage, words: &[&str]) -> Done {
    stage.on(words[1], &format!("rm /run/faults/{}", words[0])).map(drop)
}

/// Takes all the room of a file system.
pub fn fill(stage: &Stage, words: &[&str]) -> Done {
    let (folder, node) = (words[0], words[1]);
    let command = format!(
        "f={folder}/.filler; fallocate -l $(($(stat -f -c '%a*%S' {folder}) * 98 / 100)) $f; \
        for size in 1M 64k 4k; do dd if=/dev/zero of=$f.$size bs=$size status=none; done; sync -f {folder}; \
        [ $(stat -f -c %a {folder}) -lt 64 ]"
    );
    stage.on(node, &command).map(drop)
}

pub fn room(stage: &Stage, words: &[&str]) -> Done {
    stage.on(words[1], &format!("rm -f {0}/.filler* && sync -f {0}", words[0])).map(drop)
}
