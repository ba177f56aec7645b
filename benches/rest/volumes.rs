//! Real FILE_THIN volumes on loop devices, one after another, up to a thousand on one node; then all are deleted. Needs
//! root and loop devices.

use std::path::Path;

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

struct Cost {
    /// Milliseconds.
    median: f64,
    own: f64,
    children: f64,
}

fn make(zead: &Zead, from: usize, count: usize) -> Cost {
    let before = zead.cpu();
    let made = load::run(zead.address, 1, count, |number| {
        let body = format!(r#"{{"resource_definition_name":"{}","volume_sizes":[{SIZE_KIB}]}}"#, name(from + number));
        ("POST", "/v1/resource-groups/local/spawn".to_owned(), body)
    });
    let after = zead.cpu();
    #[allow(clippy::cast_precision_loss)]
    let each = |seconds: f64| seconds * 1e3 / count as f64;
    Cost {
        median: made.percentile(50),
        own: each(after.own - before.own),
        children: each(after.children - before.children),
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
    {
        let zead = Zead::start(&data.0, &["standalone"], &[("ZEA_STANDALONE__POOL_SIZE", "8GiB")]);
        measure(&zead, scale, report);
    }
    // The pool is a file system of its own where the folder has no reflink.
    let pool = data.0.join("pool");
    let _ = std::process::Command::new("umount").arg(&pool).stderr(std::process::Stdio::null()).status();
}

fn measure(zead: &Zead, scale: &Scale, report: &mut Report) {
    let edge = scale.volumes / EDGE_SHARE;
    let first = make(zead, 0, edge);
    make(zead, edge, scale.volumes - 2 * edge);
    let last = make(zead, scale.volumes - edge, edge);
    report.figure("our own CPU a volume, the first ones", (first.own, "ms"), Target::AtMost(5.0), "");
    report.figure("our own CPU a volume, the last ones", (last.own, "ms"), Target::AtMost(5.0), "");
    report.figure("    of the first ones'", (last.own / first.own, ""), Target::AtMost(1.1), "");
    report.figure("commands' CPU a volume, first", (first.children, "ms"), Target::None, "");
    report.figure("commands' CPU a volume, last", (last.children, "ms"), Target::None, "");
    report.figure("time a volume, first, p50", (first.median, "ms"), Target::None, "156 ms");
    report.figure("time a volume, last, p50", (last.median, "ms"), Target::None, "2800 ms");
    report.figure("    of the first ones'", (last.median / first.median, ""), Target::AtMost(1.1), "");
    report.figure("resident with all of them", (zead.resident(), "MiB"), Target::None, "");
    let deleted = load::run(zead.address, 1, scale.volumes, |number| {
        ("DELETE", format!("/v1/resource-definitions/{}", name(number)), String::new())
    });
    report.figure("delete, p50", (deleted.percentile(50), "ms"), Target::None, "593 ms");
}
