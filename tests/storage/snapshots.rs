//! Snapshots, restores, clones and rollbacks, compared by checksum, with and without reflinks.

use zea::model::desired::Order;
use zea::model::moment::Uuid;
use zea::model::size::Kib;

use super::rig::{Ground, Rig, SIZE, device, fill, keep, ok, resource, restored, rollback, sum, text, with_snapshot};

const GROUNDS: [Ground; 2] = [Ground::Plain, Ground::Reflink];

#[tokio::test]
async fn snapshot_overwrite_restore_and_clone() {
    for ground in GROUNDS {
        let Some(rig) = Rig::new(ground).await else { continue };
        let mut web = resource("web", 2);
        let report = rig.settle(&web).await;
        let devices = [device(&report, 0), device(&report, 1)];
        fill(&devices[0], 1);
        fill(&devices[1], 2);
        let before = [sum(&devices[0]), sum(&devices[1])];
        with_snapshot(&mut web, "then", Order::Make);
        let taken = rig.settle(&web).await;
        let snapshot = &taken.snapshots[0];
        assert!(snapshot.present && snapshot.taken.is_some(), "{snapshot:?}");
        assert_eq!(snapshot.remark.is_some(), ground == Ground::Plain, "{snapshot:?}");
        fill(&devices[0], 3);
        fill(&devices[1], 4);
        let after = [sum(&devices[0]), sum(&devices[1])];
        let again = rig.settle(&web).await;
        assert_eq!(again.snapshots[0].taken, snapshot.taken, "never taken again");
        let mut copy = restored("copy", 2, "web", "then");
        copy.volumes[1].size = Kib(SIZE.0 + 1024);
        let made = rig.settle(&copy).await;
        assert_eq!([sum(&device(&made, 0)), sum(&device(&made, 1))], before, "{ground:?}");
        assert_eq!(made.volumes[1].usable, Some(Kib(SIZE.0 + 1024)));
        assert_eq!([sum(&devices[0]), sum(&devices[1])], after);
        fill(&device(&made, 0), 9);
        assert_eq!([sum(&devices[0]), sum(&devices[1])], after, "the copy is its own");
        web.order = Order::Remove;
        web.snapshots[0].order = Order::Keep;
        let gone = rig.settle(&web).await;
        assert!(gone.gone && gone.snapshots[0].present, "snapshots outlive their resource");
        let third = rig.settle(&restored("third", 2, "web", "then")).await;
        assert_eq!([sum(&device(&third, 0)), sum(&device(&third, 1))], before);
        web.snapshots[0].order = Order::Remove;
        let removed = rig.settle(&web).await;
        assert!(!removed.snapshots[0].present);
        let left = ["copy_00000.img", "copy_00001.img", "third_00000.img", "third_00001.img"];
        assert_eq!(rig.files(), left);
    }
}

#[tokio::test]
async fn a_restore_of_what_is_not_there_makes_nothing() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let report = rig.reconcile(&restored("copy", 1, "web", "then")).await;
    let problem = report.problem.expect("no snapshot");
    assert!(problem.cause.contains("snapshot then of web"), "{problem:?}");
    assert!(rig.files().is_empty());
}

#[tokio::test]
async fn rollback_once_per_token() {
    for ground in GROUNDS {
        let Some(mut rig) = Rig::new(ground).await else { continue };
        let mut web = resource("web", 2);
        let report = rig.settle(&web).await;
        fill(&device(&report, 0), 1);
        let before = sum(&device(&report, 0));
        with_snapshot(&mut web, "then", Order::Make);
        rig.settle(&web).await;
        keep(&mut web);
        fill(&device(&report, 0), 5);
        web.volumes[0].size = Kib(SIZE.0 + 2048);
        rig.settle(&web).await;
        rollback(&mut web, "then", 7);
        let back = rig.settle(&web).await;
        assert_eq!(back.rolled_back, Some(Uuid(7)));
        assert_eq!(sum(&device(&back, 0)), before, "{ground:?}");
        assert_eq!(back.volumes[0].usable, Some(Kib(SIZE.0 + 2048)), "as large as desired");
        fill(&device(&back, 0), 6);
        let newer = sum(&device(&back, 0));
        rig.restart().await;
        let again = rig.settle(&web).await;
        assert_eq!(again.rolled_back, Some(Uuid(7)));
        assert_eq!(sum(&device(&again, 0)), newer, "an executed order is not done again");
        rollback(&mut web, "then", 8);
        assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before);
        web.order = Order::Remove;
        web.rollback = None;
        with_snapshot(&mut web, "then", Order::Remove);
        assert!(rig.settle(&web).await.gone);
        assert!(rig.files().is_empty(), "{:?}", rig.files());
        assert!(rig.loops().is_empty());
    }
}

#[tokio::test]
async fn mounted_file_systems_are_snapshotted_with_what_was_written_and_not_rolled_back() {
    for ground in GROUNDS {
        let Some(mut rig) = Rig::new(ground).await else { continue };
        let mut web = resource("web", 1);
        let report = rig.settle(&web).await;
        assert!(ok("mkfs.ext4", &["-q", &device(&report, 0)]));
        let point = rig.mount(&device(&report, 0));
        std::fs::write(point.join("word"), "before").expect("written");
        with_snapshot(&mut web, "then", Order::Make);
        let taken = rig.settle(&web).await;
        let frozen = taken.snapshots[0].remark.as_deref().is_some_and(|r| r.contains("frozen for that time"));
        assert_eq!(frozen, ground == Ground::Plain, "{:?}", taken.snapshots[0].remark);
        std::fs::write(point.join("word"), "after").expect("not frozen any more");
        let copy = rig.settle(&restored("copy", 1, "web", "then")).await;
        let copy_point = rig.mount(&device(&copy, 0));
        let word = std::fs::read_to_string(copy_point.join("word")).expect("there");
        assert_eq!(word, "before");
        rollback(&mut web, "then", 7);
        let refused = rig.reconcile(&web).await;
        assert_eq!((refused.rolled_back, refused.in_use), (None, Some(true)));
        let problem = refused.problem.expect("mounted");
        assert!(problem.cause.contains(text(&point)), "{problem:?}");
        assert!(!rig.files().iter().any(|name| name.starts_with('.')), "{:?}", rig.files());
        assert!(ok("umount", &[text(&point)]));
        assert_eq!(rig.settle(&web).await.rolled_back, Some(Uuid(7)));
    }
}

#[tokio::test]
async fn what_a_crashed_run_froze_is_thawed() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    let web = resource("web", 1);
    let report = rig.settle(&web).await;
    assert!(ok("mkfs.ext4", &["-q", &device(&report, 0)]));
    let point = rig.mount(&device(&report, 0));
    let marker = rig.pool.join(".web_00000.img.frozen");
    std::fs::write(&marker, format!("{}\n", text(&point))).expect("written");
    assert!(ok("fsfreeze", &["-f", text(&point)]));
    rig.restart().await;
    assert!(!marker.exists());
    assert!(!ok("fsfreeze", &["-u", text(&point)]), "it was thawed already");
}
