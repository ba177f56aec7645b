//! Cached volumes for real: dm-writecache, dm-cache and bcache over loop devices, alone and over LUKS. On a kernel without
//! them it says so and passes; the rig of user-mode Linux nodes has them.

use std::process::Command;
use std::sync::Arc;

use zea::model::desired::{DesiredResource, Order};
use zea::model::kinds::LayerKind;
use zea::model::report::VolumeState;
use zea::model::size::Kib;
use zea::storage::node::ResourceMemory;

use super::luks::{TURN, encrypt, mappings};
use super::rig::{Ground, Rig, SIZE, device, fill, keep, resource, restored, rollback, sum, with_snapshot};

/// More steps than any plan here has.
const STEPS: usize = 26;

/// A stack, by the layers above the storage, and the properties that it needs.
struct Cached {
    layers: &'static [LayerKind],
    props: &'static [(&'static str, &'static str)],
}

const WRITECACHE: Cached = Cached {
    layers: &[LayerKind::Writecache, LayerKind::Storage],
    props: &[("Writecache/PoolName", "files"), ("Writecache/Size", "50%")],
};
const OVER_LUKS: Cached = Cached {
    layers: &[LayerKind::Writecache, LayerKind::Luks, LayerKind::Storage],
    props: &[("Writecache/PoolName", "files"), ("Writecache/Size", "50%")],
};
const WRITEBACK: Cached = Cached {
    layers: &[LayerKind::Cache, LayerKind::Storage],
    props: &[
        ("Cache/CachePool", "files"),
        ("Cache/OpMode", "writeback"),
        ("Cache/Cachesize", "50%"),
        ("Cache/Blocksize", "64"),
    ],
};
const BOTH: Cached = Cached {
    layers: &[LayerKind::Writecache, LayerKind::Cache, LayerKind::Storage],
    props: &[
        ("Writecache/PoolName", "files"),
        ("Writecache/Size", "50%"),
        ("Cache/CachePool", "files"),
        ("Cache/Cachesize", "50%"),
        ("Cache/Blocksize", "64"),
    ],
};
const BCACHE: Cached = Cached {
    layers: &[LayerKind::Bcache, LayerKind::Storage],
    props: &[("BCache/PoolName", "files"), ("BCache/Writeback", "True")],
};

type Turn = tokio::sync::MutexGuard<'static, ()>;

async fn rig(what: &str, modules: &[&str]) -> Option<(Rig, Turn)> {
    if let Some(reason) = modules.iter().find_map(|module| crate::rigs::no_module(module)) {
        crate::rigs::not_run(what, reason);
        return None;
    }
    let turn = TURN.lock().await;
    Some((Rig::new(Ground::Plain).await?, turn))
}

impl Cached {
    fn give(&self, desired: &mut DesiredResource) {
        if self.layers.contains(&LayerKind::Luks) {
            encrypt(desired);
        }
        desired.layers = self.layers.to_vec();
        desired.props.extend(self.props.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    }

    fn resource(&self, name: &str, volumes: u32) -> DesiredResource {
        let mut made = resource(name, volumes);
        self.give(&mut made);
        made
    }
}

fn status(name: &str) -> String {
    let output = Command::new("dmsetup").args(["status", name]).output().expect("dmsetup");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn lives(stack: &Cached, rig: &mut Rig) {
    let mut web = stack.resource("web", 1);
    let report = rig.settle(&web).await;
    assert_eq!((report.volumes[0].state, report.volumes[0].usable), (VolumeState::Created, Some(SIZE)));
    fill(&device(&report, 0), 7);
    let before = sum(&device(&report, 0));
    keep(&mut web);
    rig.restart().await;
    let at_start = rig.node.command_counts();
    assert!(at_start.values().sum::<u64>() <= 1, "what an earlier process left is asked for once: {at_start:?}");
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before);
    assert_eq!(rig.node.command_counts(), at_start, "nothing to do runs no process");
    web.volumes[0].size = Kib(SIZE.0 * 2);
    let grown = rig.settle(&web).await;
    assert_eq!((grown.volumes[0].usable, sum(&device(&grown, 0))), (Some(Kib(SIZE.0 * 2)), before));
    with_snapshot(&mut web, "then", Order::Make);
    rig.settle(&web).await;
    let mut copy = restored("copy", 1, "web", "then");
    copy.volumes[0].size = Kib(SIZE.0 * 2);
    stack.give(&mut copy);
    assert_eq!(sum(&device(&rig.settle(&copy).await, 0)), before, "what was in the cache is in the snapshot");
    fill(&device(&grown, 0), 9);
    let after = sum(&device(&grown, 0));
    assert_ne!(after, before, "nothing stays suspended");
    web.active = false;
    assert_eq!(rig.settle(&web).await.volumes[0].state, VolumeState::Attachable);
    web.active = true;
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), after, "after it was inactive");
    keep(&mut web);
    rollback(&mut web, "then", 1);
    let back = rig.settle(&web).await;
    assert_eq!(sum(&device(&back, 0)), before, "nothing of the cache shines through");
    for desired in [&mut web, &mut copy] {
        desired.order = Order::Remove;
        desired.snapshots.iter_mut().for_each(|snapshot| snapshot.order = Order::Remove);
        assert!(rig.settle(desired).await.gone);
    }
    assert_eq!((mappings(), rig.files(), rig.loops()), (Vec::new(), Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_write_cache_lives() {
    let Some((mut rig, _turn)) = rig("write caches", &["dm_writecache"]).await else { return };
    lives(&WRITECACHE, &mut rig).await;
}

#[tokio::test]
async fn an_encrypted_write_cache_lives() {
    let Some((mut rig, _turn)) = rig("write caches over LUKS", &["dm_writecache", "dm_crypt"]).await else { return };
    lives(&OVER_LUKS, &mut rig).await;
    let web = OVER_LUKS.resource("web", 1);
    rig.settle(&web).await;
    let open = mappings().join(" ");
    assert!(open.contains("Linstor-Crypt-web.cache_00000"), "the cache is encrypted, too: {open}");
    let mut gone = web;
    gone.order = Order::Remove;
    assert!(rig.settle(&gone).await.gone);
}

#[tokio::test]
async fn a_cache_that_writes_back_lives() {
    let Some((mut rig, _turn)) = rig("caches", &["dm_cache", "dm_cache_smq"]).await else { return };
    lives(&WRITEBACK, &mut rig).await;
}

#[tokio::test]
async fn two_caches_over_each_other_live() {
    let Some((mut rig, _turn)) = rig("two caches", &["dm_cache", "dm_writecache"]).await else { return };
    lives(&BOTH, &mut rig).await;
}

#[tokio::test]
async fn what_is_written_lies_in_the_write_cache_until_it_is_closed() {
    let Some((rig, _turn)) = rig("write caches", &["dm_writecache"]).await else { return };
    let mut web = WRITECACHE.resource("web", 1);
    web.props.insert("Writecache/Options/HighWatermark".to_owned(), "90".to_owned());
    let report = rig.settle(&web).await;
    fill(&device(&report, 0), 7);
    let fields = status("linstor_writecache_web_00000");
    assert!(fields.contains(" writecache 0 "), "{fields}");
    let before = sum(&device(&report, 0));
    keep(&mut web);
    web.active = false;
    rig.settle(&web).await;
    // Without its cache the volume is whole.
    web.layers = vec![LayerKind::Storage];
    web.active = true;
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before);
    web.layers = WRITECACHE.layers.to_vec();
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone && rig.files().is_empty());
}

#[tokio::test]
async fn a_lost_cache_is_not_made_anew() {
    let Some((rig, _turn)) = rig("write caches", &["dm_writecache"]).await else { return };
    let mut web = WRITECACHE.resource("web", 1);
    rig.settle(&web).await;
    keep(&mut web);
    web.active = false;
    rig.settle(&web).await;
    web.active = true;
    std::fs::remove_file(rig.pool.join("web.cache_00000.img")).expect("there");
    let problem = rig.reconcile(&web).await.problem.expect("its cache is lost");
    assert!(problem.cause.contains(".cache is not there any more"), "{problem:?}");
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone, "it can be removed");
}

#[tokio::test]
async fn bcache_lives_and_has_no_snapshots() {
    let Some((mut rig, _turn)) = rig("bcache", &["bcache"]).await else { return };
    let mut web = BCACHE.resource("web", 1);
    let report = rig.settle(&web).await;
    assert!(device(&report, 0).starts_with("/dev/bcache"), "{report:?}");
    assert_eq!(report.volumes[0].usable, Some(SIZE));
    fill(&device(&report, 0), 7);
    let before = sum(&device(&report, 0));
    keep(&mut web);
    rig.restart().await;
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before);
    assert!(rig.node.command_counts().is_empty(), "nothing to do runs no process");
    web.volumes[0].size = Kib(SIZE.0 * 2);
    let grown = rig.settle(&web).await;
    assert_eq!((grown.volumes[0].usable, sum(&device(&grown, 0))), (Some(Kib(SIZE.0 * 2)), before));
    with_snapshot(&mut web, "then", Order::Make);
    let problem = rig.reconcile(&web).await.snapshots[0].problem.clone().expect("refused");
    assert!(problem.cause.contains("bcache"), "{problem:?}");
    web.snapshots.clear();
    web.active = false;
    rig.settle(&web).await;
    web.active = true;
    assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before, "after it was inactive");
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone);
    assert_eq!((rig.files(), rig.loops()), (Vec::new(), Vec::new()));
}

async fn cut_off(rig: &mut Rig, desired: &DesiredResource, steps: usize) {
    let memory = ResourceMemory::default();
    rig.node.reconcile_steps(&memory, Arc::new(desired.clone()), steps).await;
    rig.restart().await;
}

#[tokio::test]
async fn every_cut_converges() {
    let Some((mut rig, _turn)) = rig("write caches over LUKS", &["dm_writecache", "dm_crypt"]).await else { return };
    for steps in 0..STEPS {
        let mut web = OVER_LUKS.resource("web", 1);
        cut_off(&mut rig, &web, steps).await;
        let report = rig.settle(&web).await;
        fill(&device(&report, 0), 1);
        let before = sum(&device(&report, 0));
        with_snapshot(&mut web, "then", Order::Make);
        rig.settle(&web).await;
        keep(&mut web);
        fill(&device(&report, 0), 2);
        rollback(&mut web, "then", steps as u128 + 1);
        cut_off(&mut rig, &web, steps).await;
        assert_eq!(sum(&device(&rig.settle(&web).await, 0)), before, "rolled back, {steps} steps");
        web.order = Order::Remove;
        with_snapshot(&mut web, "then", Order::Remove);
        cut_off(&mut rig, &web, steps).await;
        assert!(rig.settle(&web).await.gone, "removed, {steps} steps");
        assert_eq!((rig.files(), rig.loops(), mappings()), (Vec::new(), Vec::new(), Vec::new()), "{steps} steps");
    }
}
