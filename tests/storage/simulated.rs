//! A node without devices answers as a real one; these run everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use zea::model::desired::{DesiredPool, DesiredResource, Order};
use zea::model::kinds::{LayerKind, ProviderKind};
use zea::model::moment::Uuid;
use zea::model::report::{ResourceReport, VolumeState};
use zea::model::size::Kib;
use zea::storage::node::{NodeStorage, ResourceMemory};
use zea::storage::simulated::Simulation;

use super::rig::{SIZE, keep, pool_name, resource, restored, rollback, with_snapshot};

async fn node() -> NodeStorage {
    let node = NodeStorage::simulated(Simulation { pool_size: Kib(1 << 20), ..Simulation::default() });
    let pool = DesiredPool {
        name: pool_name(),
        provider: ProviderKind::LvmThin,
        backing: "vg/thin".to_owned(),
        shared: false,
        props: BTreeMap::new(),
    };
    let reports = node.apply_pools(vec![pool]).await;
    assert!(reports[0].capacity.is_ok() && reports[0].supports_snapshots);
    node
}

async fn settle(node: &NodeStorage, desired: &DesiredResource) -> ResourceReport {
    let report = node.reconcile(&ResourceMemory::default(), Arc::new(desired.clone())).await;
    assert_eq!(report.problem, None);
    report
}

#[tokio::test]
async fn a_whole_life() {
    let node = node().await;
    let mut web = resource("web", 1);
    let made = settle(&node, &web).await;
    assert_eq!(made.volumes[0].state, VolumeState::Created);
    assert_eq!(made.volumes[0].device_path.as_deref(), Some("/dev/zea-sim/web_00000"));
    assert_eq!(made.volumes[0].usable, Some(SIZE));
    assert!(made.volumes[0].allocated < Some(SIZE));
    with_snapshot(&mut web, "then", Order::Make);
    assert!(settle(&node, &web).await.snapshots[0].present);
    keep(&mut web);
    web.volumes[0].size = Kib(SIZE.0 * 2);
    rollback(&mut web, "then", 7);
    let back = settle(&node, &web).await;
    assert_eq!((back.rolled_back, back.volumes[0].usable), (Some(Uuid(7)), Some(Kib(SIZE.0 * 2))));
    let copy = restored("copy", 1, "web", "then");
    assert_eq!(settle(&node, &copy).await.volumes[0].usable, Some(SIZE));
    for mut desired in [web, copy] {
        desired.order = Order::Remove;
        with_snapshot(&mut desired, "then", Order::Remove);
        assert!(settle(&node, &desired).await.gone);
    }
    let room = node.capacities(Vec::new()).await.remove(0).capacity.expect("healthy");
    assert_eq!(room.free, room.total);
}

#[tokio::test]
async fn replicas_are_up_to_date_or_diskless() {
    let node = node().await;
    let mut web = resource("web", 1);
    web.layers = vec![LayerKind::Drbd, LayerKind::Storage];
    web.volumes[0].minor = Some(1000);
    let made = settle(&node, &web).await;
    let volume = &made.volumes[0];
    assert_eq!(volume.state, VolumeState::UpToDate);
    assert_eq!(volume.device_path.as_deref(), Some("/dev/drbd1000"));
    assert_eq!(volume.backing_path.as_deref(), Some("/dev/zea-sim/web_00000"));
    let mut tie = web.clone();
    tie.rsc = super::rig::rsc("tie");
    tie.diskless = true;
    tie.volumes[0].provider = ProviderKind::Diskless;
    let made = settle(&node, &tie).await;
    assert_eq!(made.volumes[0].state, VolumeState::Diskless);
    assert_eq!(made.volumes[0].device_path.as_deref(), Some("/dev/drbd1000"));
    tie.order = Order::Remove;
    assert!(settle(&node, &tie).await.gone);
}

#[tokio::test]
async fn what_is_lost_or_does_not_fit_is_a_problem() {
    let node = node().await;
    let mut web = resource("web", 1);
    keep(&mut web);
    let report = node.reconcile(&ResourceMemory::default(), Arc::new(web)).await;
    assert!(report.problem.expect("missing").message.contains("missing"));
    let mut huge = resource("huge", 1);
    huge.volumes[0].size = Kib(1 << 40);
    let report = node.reconcile(&ResourceMemory::default(), Arc::new(huge)).await;
    assert_eq!(report.volumes[0].state, VolumeState::Failed);
    assert!(report.problem.expect("full").cause.contains("left"));
}

#[tokio::test]
async fn layers_are_opened_with_the_right_key_and_take_their_room() {
    use zea::model::desired::LuksKey;
    use zea::model::secret::Secret;
    let key = |text: &str| Some(LuksKey::Known { passphrase: Secret::new(text), previous: None });
    let node = node().await;
    let mut web = resource("web", 1);
    web.layers = vec![LayerKind::Writecache, LayerKind::Luks, LayerKind::Storage];
    web.props.insert("Writecache/PoolName".to_owned(), pool_name().to_string());
    web.volumes[0].luks = Some(LuksKey::Locked);
    let memory = ResourceMemory::default();
    let waiting = node.reconcile(&memory, Arc::new(web.clone())).await;
    assert!(waiting.problem.expect("locked").cause.contains("locked") && waiting.volumes[0].device_path.is_none());
    web.volumes[0].luks = key("one");
    let made = settle(&node, &web).await;
    assert_eq!((made.volumes[0].state, made.volumes[0].usable), (VolumeState::Created, Some(SIZE)));
    assert_eq!(made.volumes[0].backing_path.as_deref(), Some("/dev/zea-sim/web_00000"));
    with_snapshot(&mut web, "then", Order::Make);
    settle(&node, &web).await;
    keep(&mut web);
    web.active = false;
    assert_eq!(settle(&node, &web).await.volumes[0].state, VolumeState::Attachable);
    web.active = true;
    web.volumes[0].luks = key("two");
    let wrong = node.reconcile(&memory, Arc::new(web.clone())).await.problem.expect("another key");
    assert!(wrong.cause.contains("does not open"), "{wrong}");
    web.volumes[0].luks = Some(LuksKey::Known { passphrase: Secret::new("two"), previous: Some(Secret::new("one")) });
    settle(&node, &web).await;
    let mut copy = restored("copy", 1, "web", "then");
    (copy.layers, copy.props) = (web.layers.clone(), web.props.clone());
    copy.volumes[0].luks = key("one");
    assert_eq!(settle(&node, &copy).await.volumes[0].usable, Some(SIZE), "the key of its origin");
    for mut desired in [web, copy] {
        desired.order = Order::Remove;
        with_snapshot(&mut desired, "then", Order::Remove);
        assert!(settle(&node, &desired).await.gone);
    }
    let room = node.capacities(Vec::new()).await.remove(0).capacity.expect("healthy");
    assert_eq!(room.free, room.total);
}
