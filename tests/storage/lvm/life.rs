//! Volumes made, found again, adopted, grown, cut, deactivated and removed; how many processes that takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use zea::model::desired::{DesiredPool, FileSystem, Order};
use zea::model::kinds::ProviderKind;
use zea::model::report::VolumeState;
use zea::model::size::Kib;
use zea::storage::node::ResourceMemory;

use super::rig::{CONFIG, KINDS, Rig, devices, lvm, volumes};
use crate::storage::rig::{SIZE, device, fill, keep, ok, pool_name, resource, sum};

const EXTENT: Kib = Kib(4096);

#[tokio::test(flavor = "multi_thread")]
async fn life() {
    if super::sent_to_a_node("life::life") {
        return;
    }
    for kind in KINDS {
        made_found_again_and_removed(kind).await;
        sizes(kind).await;
        inactive_and_hidden_paths(kind).await;
        adopted_and_refused(kind).await;
        stale_data_is_not_seen(kind).await;
        file_systems(kind).await;
    }
    options().await;
}

async fn made_found_again_and_removed(kind: ProviderKind) {
    let mut rig = Rig::new(kind).await;
    let mut web = resource("web", 2);
    let report = rig.settle(&web).await;
    assert_eq!(volumes(), ["web_00000", "web_00001"]);
    for (number, volume) in report.volumes.iter().enumerate() {
        assert_eq!((volume.state, volume.usable), (VolumeState::Created, Some(SIZE)));
        assert_eq!(volume.device_path.as_deref(), Some(format!("/dev/vg/web_0000{number}").as_str()));
        assert_eq!(volume.allocated.expect("known") >= SIZE, kind == ProviderKind::Lvm, "{volume:?}");
    }
    assert!(lvm("lvs --noheadings -o lv_tags vg/web_00000").contains("zea.volume.00000000"));
    fill(&device(&report, 1), 7);
    let before = sum(&device(&report, 1));
    keep(&mut web);
    rig.restart().await;
    assert_eq!(sum(&device(&rig.settle(&web).await, 1)), before);
    let commands = rig.commands();
    for _ in 0..50 {
        rig.settle(&web).await;
    }
    assert!(rig.commands() <= commands + 10, "{:?}", rig.node.command_counts());
    assert!(rig.node.look_around().await.is_empty(), "nothing has changed");
    if kind == ProviderKind::LvmThin {
        fill(&device(&report, 0), 1);
        assert_eq!(rig.node.look_around().await, ["thin", "web_00000"]);
    }
    lvm("lvchange -an vg/web_00000");
    assert!(rig.node.look_around().await.contains(&"web_00000".to_owned()));
    rig.settle(&web).await;
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone && volumes().is_empty() && devices().is_empty());
    assert!(rig.settle(&web).await.gone, "already gone is success");
    let room = rig.apply().await.capacity.expect("healthy");
    assert!(room.free <= room.total && room.free > Kib(500 << 10), "{room:?}");
}

async fn sizes(kind: ProviderKind) {
    let rig = Rig::new(kind).await;
    let mut web = resource("web", 1);
    web.volumes[0].size = Kib(SIZE.0 + 1);
    let path = device(&rig.settle(&web).await, 0);
    let report = rig.settle(&web).await;
    assert_eq!(report.volumes[0].usable, Some(Kib(SIZE.0 + EXTENT.0)), "rounded up to extents");
    fill(&path, 3);
    let before = sum(&path);
    keep(&mut web);
    web.volumes[0].size = Kib(SIZE.0 * 2);
    let open = std::fs::File::open(&path).expect("in use");
    assert_eq!(rig.settle(&web).await.volumes[0].usable, Some(Kib(SIZE.0 * 2)));
    drop(open);
    assert_eq!(sum(&path), before);
    web.volumes[0].size = SIZE;
    web.volumes[0].shrink = true;
    let refused = rig.fail(&web).await;
    assert!(refused.cause.contains("cannot be told"), "{refused:?}");
    assert!(ok("mkfs.ext4", &["-q", "-F", &path, "8M"]));
    assert_eq!(rig.settle(&web).await.volumes[0].usable, Some(SIZE));
    assert!(ok("e2fsck", &["-fn", &path]), "the file system is whole");
    web.volumes[0].shrink = false;
    web.volumes[0].size = Kib(1 << 40);
    let full = rig.reconcile(&web).await;
    if kind == ProviderKind::Lvm {
        let problem = full.problem.expect("no room");
        assert!(
            problem.cause.contains("not enough free extents") && problem.correction.contains("vgextend"),
            "{problem:?}"
        );
        assert_eq!(full.volumes[0].state, VolumeState::Created, "the old size still serves");
    }
}

async fn inactive_and_hidden_paths(kind: ProviderKind) {
    let rig = Rig::new(kind).await;
    let mut web = resource("web", 1);
    let path = device(&rig.settle(&web).await, 0);
    fill(&path, 3);
    let before = sum(&path);
    web.active = false;
    let off = rig.settle(&web).await;
    assert_eq!((off.volumes[0].state, &off.volumes[0].device_path), (VolumeState::Attachable, &None));
    assert!(devices().is_empty(), "{:?}", devices());
    web.active = true;
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before);
    // The node of an active volume is gone: it is made anew before it is reported.
    std::fs::remove_file(&path).expect("a link");
    assert_eq!(device(&rig.settle(&web).await, 0), path);
    assert_eq!(sum(&path), before);
    let held = std::fs::OpenOptions::new().read(true).open(&path).expect("open");
    web.order = Order::Remove;
    // Opened, but not exclusively: LVM says that it is in use.
    let busy = rig.fail(&web).await;
    assert!(busy.cause.contains("is in use"), "{busy:?}");
    drop(held);
    assert!(rig.settle(&web).await.gone);
}

/// By hand, with LINSTOR's name and without any tag.
fn by_hand(kind: ProviderKind, name: &str) {
    match kind {
        ProviderKind::LvmThin => lvm(&format!("lvcreate -y -V 16M --thinpool thin -n {name} vg")),
        _ => lvm(&format!("lvcreate -y -L 16M -n {name} vg")),
    };
    fill(&format!("/dev/vg/{name}"), 9);
}

async fn adopted_and_refused(kind: ProviderKind) {
    let mut rig = Rig::new(kind).await;
    by_hand(kind, "web_00000");
    let before = sum("/dev/vg/web_00000");
    rig.restart().await;
    let mut web = resource("web", 1);
    let report = rig.reconcile(&web).await;
    assert_eq!((report.volumes[0].state, &report.volumes[0].device_path), (VolumeState::Failed, &None));
    let problem = report.problem.expect("theirs");
    assert!(problem.cause.contains("/dev/vg/web_00000 is there already"), "{problem:?}");
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone);
    assert_eq!(sum("/dev/vg/web_00000"), before, "neither taken nor removed");
    web.order = Order::Make;
    let command = problem.correction.rsplit(": ").next().expect("a command").to_owned();
    lvm(&command);
    rig.restart().await;
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before, "taken over by {command}");
    by_hand(kind, "theirs.data");
    rig.restart().await;
    let mut named = resource("named", 1);
    named.volumes[0].override_id = Some("theirs.data".to_owned());
    assert_eq!(device(&rig.settle(&named).await, 0), "/dev/vg/theirs.data");
    assert_eq!(sum("/dev/vg/theirs.data"), before, "named, so it is taken over as it is");
    by_hand(kind, "kept_00000");
    rig.restart().await;
    let mut kept = resource("kept", 1);
    keep(&mut kept);
    assert_eq!(sum(&device(&rig.settle(&kept).await, 0)), before, "known from records: no word is needed");
    let other = if kind == ProviderKind::Lvm { ProviderKind::LvmThin } else { ProviderKind::Lvm };
    by_hand(other, "odd_00000");
    rig.restart().await;
    let odd = rig.fail(&resource("odd", 1)).await;
    assert!(odd.cause.contains("of another kind"), "{odd:?}");
}

async fn stale_data_is_not_seen(kind: ProviderKind) {
    let rig = Rig::new(kind).await;
    let mut old = resource("old", 1);
    let path = device(&rig.settle(&old).await, 0);
    assert!(ok("mkfs.ext4", &["-q", &path]));
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("device");
    std::os::unix::fs::FileExt::write_all_at(&file, &[7; 4096], SIZE.bytes() - 4096).expect("written");
    drop(file);
    old.order = Order::Remove;
    rig.settle(&old).await;
    let path = device(&rig.settle(&resource("new", 1)).await, 0);
    let bytes = std::fs::read(&path).expect("device");
    assert!(bytes[..65_536].iter().chain(&bytes[bytes.len() - 65_536..]).all(|byte| *byte == 0));
    assert!(!ok("blkid", &["-p", &path]), "no signature");
}

async fn file_systems(kind: ProviderKind) {
    let rig = Rig::new(kind).await;
    let mut web = resource("web", 1);
    let ext4 = FileSystem { kind: "ext4".to_owned(), mkfs_params: Vec::new(), user: None, group: None };
    web.volumes[0].file_system = Some(ext4);
    let path = device(&rig.settle(&web).await, 0);
    std::fs::create_dir_all("/run/mnt").expect("folder");
    assert!(ok("mount", &[&path, "/run/mnt"]));
    web.order = Order::Remove;
    let refused = rig.reconcile(&web).await;
    assert!(!refused.gone && refused.in_use == Some(true), "{refused:?}");
    let problem = refused.problem.expect("in use");
    assert!(problem.cause.contains("is mounted at /run/mnt"), "{problem:?}");
    assert!(ok("umount", &["/run/mnt"]));
    assert!(rig.settle(&web).await.gone && volumes().is_empty());
}

async fn options() {
    let rig = Rig::new(ProviderKind::Lvm).await;
    let mut web = resource("web", 1);
    let told = [("StorDriver/LvcreateOptions", "-i 2 -I 64"), ("StorDriver/LvcreatePvSelection", "")];
    web.volumes[0].options = BTreeMap::from(told.map(|(key, value)| (key.to_owned(), value.to_owned())));
    web.volumes[0].size = Kib(SIZE.0 + 1);
    rig.settle(&web).await;
    assert_eq!(lvm("lvs --noheadings -o stripes vg/web_00000"), "2");
    assert_eq!(
        lvm("lvs --noheadings -o lv_size --units k --nosuffix vg/web_00000"),
        "24576.00",
        "a multiple of the stripes"
    );
    let one = resource("one", 1);
    rig.settle(&one).await;
    let used = lvm("pvs --noheadings -o pv_name --sort pv_used -S vg_name=vg");
    rig.settle(&resource("two", 1)).await;
    let least = used.lines().next().expect("a disk").trim();
    assert!(lvm("lvs --noheadings -o devices vg/two_00000").starts_with(least), "the disk that is used least");
    let both: Vec<DesiredPool> = KINDS
        .iter()
        .map(|kind| {
            let thin = *kind == ProviderKind::LvmThin;
            let name = zea::model::names::PoolName::parse(if thin { "thin" } else { "thick" }).expect("legal");
            let backing = if thin { "vg/thin" } else { "vg" };
            DesiredPool { name, provider: *kind, backing: backing.to_owned(), shared: false, props: BTreeMap::new() }
        })
        .collect();
    let node = zea::storage::node::NodeStorage::real(&zea::storage::node::Setup::default());
    node.apply_pools(both.clone()).await;
    let memory = ResourceMemory::default();
    for pool in &both {
        let mut web = resource(pool.name.as_str(), 1);
        web.volumes[0].pool = pool.name.clone();
        assert_eq!(node.reconcile(&memory, Arc::new(web)).await.problem, None);
    }
    assert_eq!(pool_name().as_str(), "files");
    assert!(CONFIG.contains("udev_sync=0"));
}
