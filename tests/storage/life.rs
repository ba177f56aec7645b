//! Volumes made, found again, grown, cut, deactivated, formatted and removed.

use std::sync::Arc;

use zea::model::desired::{DesiredResource, FileSystem, Order};
use zea::model::kinds::{LayerKind, ProviderKind};
use zea::model::report::{Refused, VolumeState};
use zea::model::size::Kib;
use zea::storage::node::ResourceMemory;

use super::rig::{Ground, Rig, SIZE, device, fill, keep, nr, ok, resource, sum, text};

#[tokio::test]
async fn made_found_again_and_removed() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 2);
    let report = rig.settle(&web).await;
    assert_eq!(rig.files(), ["web_00000.img", "web_00001.img"]);
    for volume in &report.volumes {
        assert_eq!(volume.state, VolumeState::Created);
        assert_eq!(volume.usable, Some(SIZE));
        assert!(volume.allocated.expect("known") < Kib(64), "thin: {volume:?}");
    }
    fill(&device(&report, 1), 7);
    let before = sum(&device(&report, 1));
    keep(&mut web);
    rig.restart().await;
    let again = rig.settle(&web).await;
    assert_eq!(device(&again, 1), device(&report, 1), "the device is found, not made anew");
    assert_eq!(sum(&device(&again, 1)), before);
    let filled = again.volumes[1].allocated.expect("known");
    assert!(filled >= Kib(32), "of the file, not of the device: {filled}");
    web.order = Order::Remove;
    let gone = rig.settle(&web).await;
    assert!(gone.gone && gone.volumes.is_empty(), "{gone:?}");
    assert!(rig.files().is_empty() && rig.loops().is_empty());
    assert!(rig.settle(&web).await.gone, "already gone is success");
    assert!(rig.node.command_counts().is_empty(), "all of it ran no process");
}

#[tokio::test]
async fn nothing_to_do_is_an_empty_plan() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let web = resource("web", 1);
    rig.settle(&web).await;
    let plan = rig.node.preview(&ResourceMemory::default(), Arc::new(web)).await;
    assert!(plan.is_empty(), "{plan:?}");
}

#[tokio::test]
async fn what_losetup_attached_is_adopted() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    let file = rig.pool.join("old_00000.img");
    assert!(ok("truncate", &["-s", "16M", text(&file)]));
    assert!(ok("losetup", &["-f", text(&file)]));
    let devices = rig.loops();
    rig.restart().await;
    let report = rig.settle(&resource("old", 1)).await;
    assert_eq!(device(&report, 0), devices[0]);
    assert_eq!(rig.loops(), devices);
}

#[tokio::test]
async fn a_file_of_somebody_else_is_neither_taken_nor_removed() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    let file = rig.pool.join("zz_00000.img");
    assert!(ok("truncate", &["-s", "16M", text(&file)]) && ok("mkfs.ext4", &["-q", "-F", text(&file)]));
    let before = sum(text(&file));
    let mut zz = resource("zz", 1);
    for attached in [false, true] {
        if attached {
            assert!(ok("losetup", &["-f", text(&file)]));
            rig.restart().await;
        }
        let report = rig.reconcile(&zz).await;
        assert_eq!((report.volumes[0].state, &report.volumes[0].device_path), (VolumeState::Failed, &None));
        let problem = report.problem.expect("theirs");
        assert!(problem.cause.contains("zz_00000.img is there already"), "{problem:?}");
        assert!(problem.correction.contains("Move it away") && problem.correction.contains("setfattr"), "{problem:?}");
        assert_eq!(rig.loops().len(), usize::from(attached));
        zz.order = Order::Remove;
        assert!(rig.settle(&zz).await.gone);
        assert_eq!(sum(text(&file)), before);
        zz.order = Order::Make;
    }
    assert!(ok("losetup", &["-d", &rig.loops()[0]]));
    std::fs::rename(&file, rig.pool.join("theirs")).expect("moved away");
    assert_eq!(rig.settle(&zz).await.volumes[0].state, VolumeState::Created);
}

#[tokio::test]
async fn what_was_made_and_written_but_never_reported_is_known_again() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    let web = resource("web", 1);
    let path = device(&rig.settle(&web).await, 0);
    fill(&path, 5);
    let before = sum(&path);
    rig.restart().await;
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before);
    let mut later = web.clone();
    later.generation = (7 << 32) + 1;
    let report = rig.reconcile(&later).await;
    assert!(report.problem.expect("of an earlier definition").cause.contains("web_00000.img"));
    later.order = Order::Remove;
    assert!(rig.settle(&later).await.gone);
    assert_eq!(rig.files(), ["web_00000.img"]);
}

#[tokio::test]
async fn a_device_that_somebody_detached_is_made_anew() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let web = resource("web", 1);
    let report = rig.settle(&web).await;
    assert!(ok("losetup", &["-d", &device(&report, 0)]));
    rig.settle(&web).await;
    assert_eq!(rig.loops().len(), 1);
}

/// Makes volumes until one gets that device; false when others were faster.
async fn takes_over(rig: &Rig, path: &str) -> bool {
    for n in 0..40 {
        let report = rig.settle(&resource(&format!("new{n}"), 1)).await;
        if device(&report, 0) == path {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_device_that_somebody_detached_and_another_volume_got_is_nobodys_any_more() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    let web = resource("web", 1);
    let path = device(&rig.settle(&web).await, 0);
    // A process that knows of no number that is likely free: it takes the kernel's.
    rig.restart().await;
    assert!(ok("losetup", &["-d", &path]));
    if !takes_over(&rig, &path).await {
        crate::rigs::not_run("a lost loop device that another volume got", format!("others took {path} each time"));
        return;
    }
    assert_eq!(rig.node.take_lost(), ["web_00000"], "it is to have a pass");
    assert!(rig.node.take_lost().is_empty());
    let again = device(&rig.settle(&web).await, 0);
    assert_ne!(again, path);
}

#[tokio::test]
async fn the_look_finds_devices_that_are_gone_and_volumes_that_filled_up() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let (web, db) = (resource("web", 1), resource("db", 1));
    let paths = [rig.settle(&web).await, rig.settle(&db).await].map(|report| device(&report, 0));
    assert!(rig.node.look_around().await.is_empty(), "nothing has changed");
    fill(&paths[0], 1);
    assert_eq!(rig.node.look_around().await, ["web_00000"]);
    assert!(rig.settle(&web).await.volumes[0].allocated >= Some(Kib(32)));
    assert!(rig.node.look_around().await.is_empty(), "it was told");
    assert!(ok("losetup", &["-d", &paths[1]]));
    assert_eq!(rig.node.look_around().await, ["db_00000"]);
    rig.settle(&db).await;
    assert!(rig.node.look_around().await.is_empty());
}

#[tokio::test]
async fn thick_volumes_take_their_room() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    rig.node.apply_pools(vec![rig.desired_pool(ProviderKind::File)]).await;
    let mut web = resource("web", 1);
    web.volumes[0].provider = ProviderKind::File;
    let report = rig.settle(&web).await;
    assert!(report.volumes[0].allocated >= Some(SIZE), "{report:?}");
    web.volumes[0].size = Kib(1 << 50);
    let full = rig.reconcile(&web).await;
    let problem = full.problem.expect("no room");
    assert!(problem.cause.contains("web_00000.img"), "{problem:?}");
    assert_eq!(full.volumes[0].state, VolumeState::Created, "the old size still serves");
}

#[tokio::test]
async fn grown_while_attached_and_cut_only_when_asked() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 1);
    let report = rig.settle(&web).await;
    fill(&device(&report, 0), 3);
    let before = sum(&device(&report, 0));
    keep(&mut web);
    web.volumes[0].size = Kib(SIZE.0 * 2 + 1);
    let grown = rig.settle(&web).await;
    assert_eq!(grown.volumes[0].usable, Some(Kib(SIZE.0 * 2 + 1)));
    assert_eq!(sum(&device(&grown, 0)), before);
    web.volumes[0].size = SIZE;
    assert_eq!(rig.settle(&web).await.volumes[0].usable, Some(Kib(SIZE.0 * 2 + 1)));
    web.volumes[0].shrink = true;
    let cut = rig.settle(&web).await;
    assert_eq!(cut.volumes[0].usable, Some(SIZE));
    assert_eq!(sum(&device(&cut, 0)), before);
}

/// A resource whose volume is to be half as large.
fn halved(mut web: DesiredResource) -> DesiredResource {
    keep(&mut web);
    web.volumes[0].size = Kib(SIZE.0 / 2);
    web.volumes[0].shrink = true;
    web
}

#[tokio::test]
async fn a_file_system_is_not_cut_before_it_was_made_smaller() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 1);
    web.volumes[0].file_system = Some(ext4());
    let path = device(&rig.settle(&web).await, 0);
    let before = sum(&path);
    let web = halved(web);
    let refused = rig.reconcile(&web).await;
    let problem = refused.problem.expect("refused");
    assert!(problem.cause.contains("ext4") && problem.correction.contains("resize2fs"), "{problem:?}");
    assert_eq!((refused.refused, refused.in_use), (vec![Refused::Shrink(nr(0))], None));
    assert_eq!((refused.volumes[0].usable, sum(&path)), (Some(SIZE), before));
    assert!(ok("e2fsck", &["-fy", &path]) && ok("resize2fs", &[&path, &format!("{}K", SIZE.0 / 2)]));
    let point = rig.mount(&path);
    let busy = rig.reconcile(&web).await;
    let problem = busy.problem.expect("in use");
    assert!(problem.correction.starts_with("Nothing was changed"), "{problem:?}");
    assert_eq!((busy.refused, busy.in_use), (vec![Refused::Shrink(nr(0))], Some(true)));
    assert!(ok("umount", &[text(&point)]));
    assert_eq!(rig.settle(&web).await.volumes[0].usable, Some(Kib(SIZE.0 / 2)));
    assert!(ok("e2fsck", &["-fn", &path]), "the file system is whole");
}

#[tokio::test]
async fn raw_data_is_cut_only_after_it_was_discarded() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let web = resource("web", 1);
    let path = device(&rig.settle(&web).await, 0);
    // Not written through: what the device still holds back counts, too.
    let raw = std::fs::OpenOptions::new().write(true).open(&path).expect("device");
    std::os::unix::fs::FileExt::write_all_at(&raw, b"data", (SIZE.bytes() / 4) * 3).expect("written");
    let web = halved(web);
    let refused = rig.reconcile(&web).await;
    let problem = refused.problem.expect("refused");
    assert!(problem.cause.contains("data is written up to"), "{problem:?}");
    assert!(problem.correction.contains("blkdiscard -f -o 8388608"), "{problem:?}");
    drop(raw);
    assert_eq!(rig.reconcile(&web).await.refused, [Refused::Shrink(nr(0))]);
    assert!(ok("blkdiscard", &["-f", "-o", "8388608", &path]));
    assert_eq!(rig.settle(&web).await.volumes[0].usable, Some(Kib(SIZE.0 / 2)));
}

#[tokio::test]
async fn inactive_keeps_its_data() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 1);
    let report = rig.settle(&web).await;
    fill(&device(&report, 0), 3);
    let before = sum(&device(&report, 0));
    web.active = false;
    let off = rig.settle(&web).await;
    assert_eq!((off.volumes[0].state, &off.volumes[0].device_path), (VolumeState::Attachable, &None));
    assert!(rig.loops().is_empty());
    web.active = true;
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before);
}

#[tokio::test]
async fn a_missing_volume_is_never_replaced_by_an_empty_one() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 1);
    rig.settle(&web).await;
    web.active = false;
    rig.settle(&web).await;
    web.active = true;
    keep(&mut web);
    std::fs::remove_file(rig.pool.join("web_00000.img")).expect("removed");
    let report = rig.reconcile(&web).await;
    assert_eq!(report.volumes[0].state, VolumeState::Failed);
    let problem = report.problem.expect("missing");
    assert!(problem.message.contains("missing"), "{problem:?}");
    assert!(rig.files().is_empty());
}

#[tokio::test]
async fn what_is_mounted_is_not_removed_and_not_in_part() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 2);
    for volume in &mut web.volumes {
        volume.file_system = Some(ext4());
    }
    let report = rig.settle(&web).await;
    let point = rig.mount(&device(&report, 1));
    web.order = Order::Remove;
    let refused = rig.reconcile(&web).await;
    assert!(!refused.gone && refused.in_use == Some(true), "{refused:?}");
    let problem = refused.problem.expect("in use");
    assert!(problem.cause.contains(text(&point)), "{problem:?}");
    assert_eq!((rig.files().len(), rig.loops().len()), (2, 2));
    assert!(ok("umount", &[text(&point)]));
    assert!(rig.settle(&web).await.gone);
    assert!(rig.files().is_empty() && rig.loops().is_empty());
}

fn ext4() -> FileSystem {
    FileSystem {
        kind: "ext4".to_owned(),
        mkfs_params: vec!["-b".to_owned(), "1024".to_owned()],
        user: Some("root".to_owned()),
        group: None,
    }
}

#[tokio::test]
async fn file_systems_are_made_once_and_never_over_something() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 1);
    web.volumes[0].file_system = Some(ext4());
    let report = rig.settle(&web).await;
    let made = rig.node.command_counts();
    assert_eq!(made.get("mkfs.ext4"), Some(&1), "{made:?}");
    let before = sum(&device(&report, 0));
    rig.settle(&web).await;
    assert_eq!(rig.node.command_counts(), made, "the second pass runs no process");
    assert_eq!(sum(&device(&report, 0)), before);
    let mut swap = resource("swap", 1);
    let report = rig.settle(&swap).await;
    assert!(ok("mkswap", &[&device(&report, 0)]));
    let before = sum(&device(&report, 0));
    swap.volumes[0].file_system = Some(ext4());
    let memory = ResourceMemory::default();
    let swap = Arc::new(swap);
    for _ in 0..2 {
        let report = rig.node.reconcile(&memory, swap.clone()).await;
        assert_eq!(report.problem, None);
        assert_eq!(sum(&device(&report, 0)), before);
    }
    let counts = rig.node.command_counts();
    assert_eq!((counts["mkfs.ext4"], counts["blkid"]), (1, 2), "it looked once and remembers");
}

#[tokio::test]
async fn xfs_with_an_owner_of_its_root() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 1);
    web.volumes[0].size = Kib(320 << 10);
    web.volumes[0].file_system = Some(FileSystem {
        kind: "xfs".to_owned(),
        mkfs_params: Vec::new(),
        user: Some("daemon".to_owned()),
        group: Some("no-such-group".to_owned()),
    });
    let report = rig.settle(&web).await;
    let point = rig.mount(&device(&report, 0));
    let meta = std::fs::metadata(point).expect("mounted");
    let owner = std::os::unix::fs::MetadataExt::uid(&meta);
    assert_eq!((owner, std::os::unix::fs::MetadataExt::gid(&meta)), (1, 65534));
}

#[tokio::test]
async fn a_failed_mkfs_says_what_it_ran() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 1);
    web.volumes[0].file_system = Some(FileSystem { mkfs_params: vec!["--no-such-option".to_owned()], ..ext4() });
    let report = rig.reconcile(&web).await;
    assert_eq!(report.volumes[0].state, VolumeState::Failed);
    let problem = report.problem.expect("failed");
    assert!(problem.details.contains("command: mkfs.ext4 -q --no-such-option"), "{problem:?}");
}

#[tokio::test]
async fn layers_that_are_not_built_are_refused_and_make_nothing() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let mut web = resource("web", 1);
    web.layers.insert(0, LayerKind::Nvme);
    let report = rig.reconcile(&web).await;
    let problem = report.problem.expect("refused");
    assert!(problem.message.contains("NVME"), "{problem:?}");
    assert!(rig.files().is_empty());
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone);
}

#[tokio::test]
async fn sixteen_at_once_get_a_device_each() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let (node, web) = (rig.node.clone(), Arc::new(resource(&format!("web{n}"), 1)));
            tokio::spawn(async move { node.reconcile(&ResourceMemory::default(), web).await })
        })
        .collect();
    for task in tasks {
        let report = task.await.expect("no panic");
        assert_eq!(report.problem, None);
    }
    let mut devices = rig.loops();
    devices.dedup();
    assert_eq!((devices.len(), rig.node.loop_devices()), (16, 16));
}
