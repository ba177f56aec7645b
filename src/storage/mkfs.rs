//! File systems on new volumes (facts: `satellite.md` §2.12): made only where `blkid` finds nothing at all.

use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User};

use super::exec::{Breaker, CommandLine, Exec};
use super::problem::{io_problem, problem};
use crate::model::desired::FileSystem;
use crate::model::report::Problem;
use crate::protocols::blkid;

/// Exit code of blkid when it finds nothing.
const BLKID_NOTHING: i32 = 2;
/// User and group where the wanted one is unknown: nobody.
const NOBODY: u32 = 65534;

/// Makes the file system, unless the device carries any signature already. Blocks.
pub(super) fn make(wanted: &FileSystem, device: &str, exec: &Exec, breaker: &Breaker) -> Result<(), Problem> {
    let message = || format!("A file system {} on {device} cannot be made", wanted.kind);
    // Probing the device itself: blkid's cache may speak of an earlier volume on the same device.
    let look = CommandLine::new("blkid", ["-p", "-o", "export", device]);
    let found = exec.run_any_blocking(&look, breaker).map_err(|error| error.into_problem(message()))?;
    match (found.code, blkid::parse_export(&found.stdout)) {
        (0, Some(_)) => return Ok(()),
        (BLKID_NOTHING, _) => {}
        (code, _) => {
            return Err(problem(
                message(),
                format!("blkid cannot tell what is on it (exit code {code}): {}", found.stderr.trim()),
                "Look at the device with `wipefs` and wipe it if its content is not needed.",
            ));
        }
    }
    let owner = Owner::of(wanted);
    let proto = ProtoFile::write(wanted, owner.as_ref(), device)?;
    let line = command(wanted, owner.as_ref(), proto.as_ref().map(|p| p.0.as_path()), device)?;
    exec.run_blocking(&line, breaker).map_err(|error| error.into_problem(message()))?;
    Ok(())
}

/// Owner of the root folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    fn of(wanted: &FileSystem) -> Option<Self> {
        if wanted.user.is_none() && wanted.group.is_none() {
            return None;
        }
        let user = wanted.user.as_deref().and_then(|name| User::from_name(name).ok().flatten());
        let group = wanted.group.as_deref().and_then(|name| Group::from_name(name).ok().flatten());
        Some(Self {
            uid: user.map_or(NOBODY, |user| Uid::as_raw(user.uid)),
            gid: group.map_or(NOBODY, |group| Gid::as_raw(group.gid)),
        })
    }
}

/// The command line of mkfs.
fn command(
    wanted: &FileSystem,
    owner: Option<&Owner>,
    proto: Option<&Path>,
    device: &str,
) -> Result<CommandLine, Problem> {
    let kind = wanted.kind.to_ascii_lowercase();
    let mut args = vec!["-q".to_owned()];
    match kind.as_str() {
        "ext4" => {
            let (mut options, params) = extended_options(&wanted.mkfs_params);
            options.push("nodiscard".to_owned());
            options.extend(owner.map(|owner| format!("root_owner={}:{}", owner.uid, owner.gid)));
            args.extend(params);
            args.extend(["-F", "-E", &options.join(","), device].map(str::to_owned));
        }
        "xfs" => {
            args.extend(wanted.mkfs_params.iter().cloned());
            args.extend(["-f", "-K"].map(str::to_owned));
            if let Some(proto) = proto {
                args.extend(["-p".to_owned(), proto.to_string_lossy().into_owned()]);
            }
            args.push(device.to_owned());
        }
        other => {
            return Err(problem(
                "The file system cannot be made",
                format!("FileSystem/Type '{other}' is not known"),
                "Use ext4 or xfs.",
            ));
        }
    }
    Ok(CommandLine::new(&format!("mkfs.{kind}"), args).by_progress())
}

/// Takes `-E` options out of the arguments: mkfs.ext4 heeds only the last `-E`, so all go into one.
fn extended_options(params: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut options, mut rest) = (Vec::new(), Vec::new());
    let mut params = params.iter();
    while let Some(param) = params.next() {
        match param.strip_prefix("-E") {
            Some("") => options.extend(params.next().cloned()),
            Some(value) => options.push(value.to_owned()),
            None => rest.push(param.clone()),
        }
    }
    (options, rest)
}

/// The description of the root folder that mkfs.xfs reads; removed after use.
struct ProtoFile(PathBuf);

impl ProtoFile {
    fn write(wanted: &FileSystem, owner: Option<&Owner>, device: &str) -> Result<Option<Self>, Problem> {
        let Some(owner) = owner.filter(|_| wanted.kind.eq_ignore_ascii_case("xfs")) else {
            return Ok(None);
        };
        let name = device.replace('/', "-");
        let path = std::env::temp_dir().join(format!("zea-{}{name}.proto", std::process::id()));
        let text = format!("/dev/null\n13 42\nd--777 {} {}\n", owner.uid, owner.gid);
        std::fs::write(&path, text)
            .map_err(|error| io_problem("The root folder of the file system cannot be described", &path, &error))?;
        Ok(Some(Self(path)))
    }
}

impl Drop for ProtoFile {
    fn drop(&mut self) {
        // It is a temporary file; a later one of the same name replaces it.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(kind: &str, params: &[&str]) -> FileSystem {
        FileSystem {
            kind: kind.to_owned(),
            mkfs_params: params.iter().map(|param| (*param).to_owned()).collect(),
            user: None,
            group: None,
        }
    }

    #[test]
    fn command_lines() {
        let owner = Some(Owner { uid: 5, gid: 6 });
        let proto = Some(Path::new("/tmp/p"));
        let table = [
            ("ext4", &[][..], None, None, "mkfs.ext4 -q -F -E nodiscard /dev/x"),
            (
                "EXT4",
                &["-b", "4096", "-E", "lazy_itable_init=0"],
                owner,
                None,
                "mkfs.ext4 -q -b 4096 -F -E lazy_itable_init=0,nodiscard,root_owner=5:6 /dev/x",
            ),
            ("xfs", &["-i", "size=512"], None, None, "mkfs.xfs -q -i size=512 -f -K /dev/x"),
            ("xfs", &[], owner, proto, "mkfs.xfs -q -f -K -p /tmp/p /dev/x"),
        ];
        for (kind, params, owner, proto, line) in table {
            let made = command(&wanted(kind, params), owner.as_ref(), proto, "/dev/x").expect("known");
            assert_eq!(made.to_string(), line);
        }
        let error = command(&wanted("btrfs", &[]), None, None, "/dev/x").expect_err("unknown");
        assert!(error.cause.contains("btrfs"), "{error}");
    }

    #[test]
    fn owners() {
        assert_eq!(Owner::of(&wanted("ext4", &[])), None);
        let mut root = wanted("ext4", &[]);
        root.user = Some("root".to_owned());
        root.group = Some("no-such-group".to_owned());
        assert_eq!(Owner::of(&root), Some(Owner { uid: 0, gid: NOBODY }));
    }
}
