//! Snapshots, restores, clones and rollbacks, compared by checksum; passes that are cut off after any number of steps.

use zea::model::desired::Order;
use zea::model::kinds::ProviderKind;
use zea::model::moment::Uuid;
use zea::model::size::Kib;

use super::rig::{KINDS, Rig, devices, lvm, volumes};
use crate::storage::rig::{SIZE, device, fill, keep, ok, resource, restored, rollback, sum, with_snapshot};

/// More steps than any plan here has.
const STEPS: usize = 12;
/// So many of them are drawn in `make test`: a round takes a minute or two, for its commands. `make soak` takes all.
const STEPS_SHORT: usize = 2;

/// The steps after which passes are cut off.
fn cuts(kind: ProviderKind) -> Vec<usize> {
    let mut steps: Vec<usize> = (0..STEPS).collect();
    let seed = super::seed().unwrap_or_default();
    if !super::is_soak() {
        fastrand::Rng::with_seed(seed).shuffle(&mut steps);
        steps.truncate(STEPS_SHORT);
    }
    let figures = format!("after {steps:?} of {STEPS} steps, seed {seed} (ZEA_SEED={seed} repeats it)");
    super::series(&format!("{kind:?}: passes cut off"), figures);
    steps
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots() {
    if super::sent_to_a_node("snapshots::snapshots") {
        return;
    }
    for kind in KINDS {
        overwrite_restore_clone_and_outlive(kind).await;
        rolled_back_once(kind).await;
        grown_with_snapshots(kind).await;
        mounted(kind).await;
        linstors(kind).await;
    }
}

async fn overwrite_restore_clone_and_outlive(kind: ProviderKind) {
    let rig = Rig::new(kind).await;
    let mut web = resource("web", 2);
    let report = rig.settle(&web).await;
    let devices_of = [device(&report, 0), device(&report, 1)];
    fill(&devices_of[0], 1);
    fill(&devices_of[1], 2);
    let sums = || [sum(&devices_of[0]), sum(&devices_of[1])];
    let before = sums();
    with_snapshot(&mut web, "then", Order::Make);
    let taken = rig.settle(&web).await;
    let snapshot = &taken.snapshots[0];
    assert!(snapshot.present && snapshot.taken.is_some(), "{snapshot:?}");
    assert!(snapshot.remark.as_deref().is_some_and(|remark| remark.contains("within")), "{snapshot:?}");
    fill(&devices_of[0], 3);
    fill(&devices_of[1], 4);
    let after = sums();
    assert_eq!(rig.settle(&web).await.snapshots[0].taken, snapshot.taken, "never taken again");
    let mut copy = restored("copy", 2, "web", "then");
    copy.volumes[1].size = Kib(SIZE.0 + 4096);
    let made = rig.settle(&copy).await;
    assert_eq!([sum(&device(&made, 0)), sum(&device(&made, 1))], before, "{kind:?}");
    assert_eq!(made.volumes[1].usable, Some(Kib(SIZE.0 + 4096)));
    let bytes = std::fs::read(device(&made, 1)).expect("device");
    assert!(bytes[usize::try_from(SIZE.bytes()).expect("small")..].iter().all(|byte| *byte == 0), "zeros behind it");
    assert_eq!(sums(), after);
    fill(&device(&made, 0), 9);
    assert_eq!(sums(), after, "the copy is its own");
    web.order = Order::Remove;
    web.snapshots[0].order = Order::Keep;
    let gone = rig.settle(&web).await;
    assert!(gone.gone && gone.snapshots[0].present, "snapshots outlive their resource: {:?}", volumes());
    let third = rig.settle(&restored("third", 2, "web", "then")).await;
    assert_eq!([sum(&device(&third, 0)), sum(&device(&third, 1))], before);
    let again = resource("web", 1);
    assert_eq!(sum(&device(&rig.settle(&again).await, 0)), sum("/dev/vg/web_00000"), "the name is free again");
    let mut again = again;
    again.order = Order::Remove;
    rig.settle(&again).await;
    web.snapshots[0].order = Order::Remove;
    assert!(!rig.settle(&web).await.snapshots[0].present);
    assert_eq!(volumes(), ["copy_00000", "copy_00001", "third_00000", "third_00001"], "{kind:?}");
}

async fn rolled_back_once(kind: ProviderKind) {
    let mut rig = Rig::new(kind).await;
    let mut web = resource("web", 2);
    let report = rig.settle(&web).await;
    fill(&device(&report, 0), 1);
    let before = sum(&device(&report, 0));
    with_snapshot(&mut web, "then", Order::Make);
    with_snapshot(&mut web, "later", Order::Make);
    rig.settle(&web).await;
    keep(&mut web);
    fill(&device(&report, 0), 5);
    rollback(&mut web, "then", 7);
    let back = rig.settle(&web).await;
    assert_eq!(back.rolled_back, Some(Uuid(7)));
    assert_eq!(sum(&device(&back, 0)), before, "{kind:?}");
    assert!(back.snapshots.iter().all(|snapshot| snapshot.present), "{back:?}");
    fill(&device(&back, 0), 6);
    let newer = sum(&device(&back, 0));
    rig.restart().await;
    let again = rig.settle(&web).await;
    assert_eq!((again.rolled_back, sum(&device(&again, 0))), (Some(Uuid(7)), newer), "not done again");
    rollback(&mut web, "then", 8);
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before);
    assert_eq!(lvm("vgs --noheadings -o vg_tags vg").matches("zea.rollback:web").count(), 1);
    web.order = Order::Remove;
    web.rollback = None;
    with_snapshot(&mut web, "then", Order::Remove);
    with_snapshot(&mut web, "later", Order::Remove);
    assert!(rig.settle(&web).await.gone);
    assert_eq!((volumes(), devices(), lvm("vgs --noheadings -o vg_tags vg")), (Vec::new(), Vec::new(), String::new()));
}

async fn grown_with_snapshots(kind: ProviderKind) {
    let rig = Rig::new(kind).await;
    let mut web = resource("web", 1);
    let path = device(&rig.settle(&web).await, 0);
    fill(&path, 1);
    let before = sum(&path);
    with_snapshot(&mut web, "then", Order::Make);
    let taken = rig.settle(&web).await.snapshots[0].taken;
    keep(&mut web);
    fill(&path, 2);
    let after = sum(&path);
    let open = std::fs::File::open(&path).expect("in use");
    web.volumes[0].size = Kib(SIZE.0 * 2);
    let grown = rig.settle(&web).await;
    drop(open);
    assert_eq!((grown.volumes[0].usable, sum(&path)), (Some(Kib(SIZE.0 * 2)), after), "{kind:?}");
    assert!(grown.snapshots[0].present && grown.snapshots[0].taken == taken, "{grown:?}");
    let copy = rig.settle(&restored("copy", 1, "web", "then")).await;
    assert_eq!((sum(&device(&copy, 0)), copy.volumes[0].usable), (before, Some(SIZE)));
    rollback(&mut web, "then", 3);
    let back = rig.settle(&web).await;
    assert_eq!((back.volumes[0].usable, sum(&device(&back, 0))), (Some(Kib(SIZE.0 * 2)), before));
}

async fn mounted(kind: ProviderKind) {
    let rig = Rig::new(kind).await;
    let mut web = resource("web", 1);
    let path = device(&rig.settle(&web).await, 0);
    assert!(ok("mkfs.ext4", &["-q", &path]));
    std::fs::create_dir_all("/run/mnt").expect("folder");
    assert!(ok("mount", &[&path, "/run/mnt"]));
    std::fs::write("/run/mnt/word", "before").expect("written");
    with_snapshot(&mut web, "then", Order::Make);
    rig.settle(&web).await;
    std::fs::write("/run/mnt/word", "after").expect("not suspended any more");
    let copy = device(&rig.settle(&restored("copy", 1, "web", "then")).await, 0);
    std::fs::create_dir_all("/run/copy").expect("folder");
    assert!(ok("mount", &[&copy, "/run/copy"]));
    assert_eq!(std::fs::read_to_string("/run/copy/word").expect("there"), "before");
    rollback(&mut web, "then", 7);
    let refused = rig.reconcile(&web).await;
    assert_eq!((refused.rolled_back, refused.in_use), (None, Some(true)), "{refused:?}");
    assert!(ok("umount", &["/run/mnt"]) && ok("umount", &["/run/copy"]));
    assert_eq!(rig.settle(&web).await.rolled_back, Some(Uuid(7)));
}

/// A snapshot as LINSTOR makes it is found, restored and removed; what is no snapshot is left alone.
async fn linstors(kind: ProviderKind) {
    if kind != ProviderKind::LvmThin {
        return;
    }
    let mut rig = Rig::new(kind).await;
    lvm("lvcreate -y -V 16M --thinpool thin -n web_00000 vg");
    fill("/dev/vg/web_00000", 4);
    let before = sum("/dev/vg/web_00000");
    lvm(
        "lvcreate --snapshot --setactivationskip y --ignoreactivationskip --activate y --name web_00000_then vg/web_00000 -pr",
    );
    fill("/dev/vg/web_00000", 5);
    rig.restart().await;
    let mut web = resource("web", 1);
    with_snapshot(&mut web, "then", Order::Keep);
    keep(&mut web);
    let report = rig.settle(&web).await;
    assert!(report.snapshots[0].present, "{report:?}");
    let copy = rig.settle(&restored("copy", 1, "web", "then")).await;
    assert_eq!(sum(&device(&copy, 0)), before);
    with_snapshot(&mut web, "then", Order::Remove);
    rig.settle(&web).await;
    assert_eq!(volumes(), ["copy_00000", "web_00000"]);
    lvm("lvcreate -y -V 16M --thinpool thin -n web_00000_mine vg");
    rig.restart().await;
    with_snapshot(&mut web, "mine", Order::Make);
    let problem = rig.fail(&web).await;
    assert!(problem.cause.contains("was not made here"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cut_converges_thin() {
    if !super::sent_to_a_node("snapshots::every_cut_converges_thin") {
        every_cut_converges(ProviderKind::LvmThin).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cut_converges_thick() {
    if !super::sent_to_a_node("snapshots::every_cut_converges_thick") {
        every_cut_converges(ProviderKind::Lvm).await;
    }
}

async fn every_cut_converges(kind: ProviderKind) {
    let mut rig = Rig::new(kind).await;
    for steps in cuts(kind) {
        let mut web = resource("web", 2);
        rig.cut_off(&web, steps).await;
        let report = rig.settle(&web).await;
        fill(&device(&report, 0), 1);
        let before = sum(&device(&report, 0));
        with_snapshot(&mut web, "then", Order::Make);
        rig.cut_off(&web, steps).await;
        rig.settle(&web).await;
        keep(&mut web);
        fill(&device(&report, 0), 2);
        let copy = restored("copy", 2, "web", "then");
        rig.cut_off(&copy, steps).await;
        assert_eq!(sum(&device(&rig.settle(&copy).await, 0)), before, "restored, {steps} steps");
        web.volumes[1].size = Kib(SIZE.0 + 4096);
        rollback(&mut web, "then", steps as u128 + 1);
        rig.cut_off(&web, steps).await;
        let back = rig.settle(&web).await;
        assert_eq!(sum(&device(&back, 0)), before, "rolled back, {steps} steps");
        assert_eq!(back.volumes[1].usable, Some(Kib(SIZE.0 + 4096)));
        web.order = Order::Remove;
        with_snapshot(&mut web, "then", Order::Remove);
        let mut copy = copy;
        copy.order = Order::Remove;
        for desired in [&web, &copy] {
            rig.cut_off(desired, steps).await;
            assert!(rig.settle(desired).await.gone, "removed, {steps} steps");
        }
        assert_eq!((volumes(), devices()), (Vec::new(), Vec::new()), "{steps} steps");
    }
}
