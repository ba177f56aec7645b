//! Real FILE_THIN volumes on loop devices, one after another, up to a thousand on one node; then all are deleted. Needs
//! root and loop devices.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Scale;
use crate::load;
use crate::report::{Report, Target};
use crate::zead::{Folder, Zead};

/// Size of a volume in KiB.
const SIZE_KIB: u32 = 64 << 10;
/// The first and the last so many volumes are compared.
const EDGE_SHARE: usize = 10;

fn name(number: usize) -> String {
    format!("vol-{number:04}")
}

/// What a volume took, in milliseconds.
struct Cost {
    median: f64,
    /// What the quickest tenth took at most: what others do on the machine meanwhile shows least in it.
    undisturbed: f64,
    own: f64,
    commands: f64,
}

fn make(zead: &Zead, from: usize, count: usize) -> Cost {
    let (own, commands) = (zead.fine_cpu(), zead.cpu().children);
    let made = load::run(zead.address, 1, count, |number| {
        let body = format!(r#"{{"resource_definition_name":"{}","volume_sizes":[{SIZE_KIB}]}}"#, name(from + number));
        ("POST", "/v1/resource-groups/local/spawn".to_owned(), body)
    });
    #[allow(clippy::cast_precision_loss)]
    let each = |seconds: f64| seconds * 1e3 / count as f64;
    Cost {
        median: made.percentile(50),
        undisturbed: made.percentile(10),
        own: each(zead.fine_cpu() - own),
        commands: each(zead.cpu().children - commands),
    }
}

pub fn run(scale: &Scale, report: &mut Report) {
    report.part("Real volumes: FILE_THIN on loop devices, 1 in flight");
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !root || !Path::new("/dev/loop-control").exists() {
        println!("  not run: needs root and loop devices");
        return;
    }
    let data = Folder::new("volumes");
    let _pool = Pool(data.0.join("pool"));
    let zead = Zead::start(&data.0, &["standalone"], &[("ZEA_STANDALONE__POOL_SIZE", "8GiB")]);
    measure(&zead, scale, report);
}

/// The pool's folder; at its end, which is after that of the daemon, nothing of it stays, not even when a call failed.
struct Pool(PathBuf);

impl Drop for Pool {
    fn drop(&mut self) {
        let listed = Command::new("losetup").args(["-nlO", "NAME,BACK-FILE"]).output();
        let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let folder = format!("{}/", self.0.display());
        let devices = listed.lines().filter_map(|line| line.split_once(' '));
        for (device, _) in devices.filter(|(_, file)| file.trim().starts_with(&folder)) {
            quietly("losetup", &["-d", device]);
        }
        // The pool is a file system of its own where the folder has no reflink.
        quietly("umount", &[&self.0.display().to_string()]);
    }
}

/// What fails here had nothing to do.
fn quietly(program: &str, arguments: &[&str]) {
    let _ = Command::new(program).args(arguments).stderr(Stdio::null()).status();
}

fn measure(zead: &Zead, scale: &Scale, report: &mut Report) {
    let edge = scale.volumes / EDGE_SHARE;
    let first = make(zead, 0, edge);
    make(zead, edge, scale.volumes - 2 * edge);
    let last = make(zead, scale.volumes - edge, edge);
    report.figure("our own CPU a volume, the first tenth", (first.own, "ms"), Target::AtMost(5.0), "");
    report.figure("our own CPU a volume, the last tenth", (last.own, "ms"), Target::AtMost(5.0), "");
    report.figure("    of the first ones'", (last.own / first.own, ""), Target::AtMost(1.2), "");
    report.figure("CPU of external commands a volume", (last.commands, "ms"), Target::None, "");
    report.figure("time a volume, first, p50", (first.median, "ms"), Target::None, "156 ms");
    report.figure("time a volume, last, p50", (last.median, "ms"), Target::None, "2800 ms");
    report.figure("time a volume, first, p10", (first.undisturbed, "ms"), Target::None, "");
    report.figure("time a volume, last, p10", (last.undisturbed, "ms"), Target::None, "");
    report.figure("    of the first ones'", (last.undisturbed / first.undisturbed, ""), Target::None, "");
    report.figure("resident with all of them", (zead.resident(), "MiB"), Target::None, "");
    let deleted = load::run(zead.address, 1, scale.volumes, |number| {
        ("DELETE", format!("/v1/resource-definitions/{}", name(number)), String::new())
    });
    report.figure("delete, p50", (deleted.percentile(50), "ms"), Target::None, "593 ms");
}
