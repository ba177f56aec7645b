//! A pass that is cut off after any number of steps: the next one, of a new process, gets there all the same.

use std::sync::Arc;

use zea::model::desired::{DesiredResource, Order};
use zea::model::size::Kib;
use zea::storage::node::ResourceMemory;

use super::rig::{Ground, Rig, SIZE, device, fill, keep, resource, restored, rollback, sum, with_snapshot};

/// More steps than any plan here has.
const STEPS: usize = 12;

async fn cut_off(rig: &mut Rig, desired: &DesiredResource, steps: usize) {
    let memory = ResourceMemory::default();
    rig.node.reconcile_steps(&memory, Arc::new(desired.clone()), steps).await;
    rig.restart().await;
}

#[tokio::test]
async fn every_cut_converges() {
    let Some(mut rig) = Rig::new(Ground::Plain).await else { return };
    for steps in 0..STEPS {
        let mut web = resource("web", 2);
        cut_off(&mut rig, &web, steps).await;
        let report = rig.settle(&web).await;
        fill(&device(&report, 0), 1);
        let before = sum(&device(&report, 0));
        with_snapshot(&mut web, "then", Order::Make);
        cut_off(&mut rig, &web, steps).await;
        rig.settle(&web).await;
        keep(&mut web);
        fill(&device(&report, 0), 2);
        let copy = restored("copy", 2, "web", "then");
        cut_off(&mut rig, &copy, steps).await;
        assert_eq!(sum(&device(&rig.settle(&copy).await, 0)), before, "restored, {steps} steps");
        web.volumes[1].size = Kib(SIZE.0 + 4096);
        rollback(&mut web, "then", steps as u128 + 1);
        cut_off(&mut rig, &web, steps).await;
        let back = rig.settle(&web).await;
        assert_eq!(sum(&device(&back, 0)), before, "rolled back, {steps} steps");
        assert_eq!(back.volumes[1].usable, Some(Kib(SIZE.0 + 4096)));
        web.order = Order::Remove;
        with_snapshot(&mut web, "then", Order::Remove);
        let mut copy = copy;
        copy.order = Order::Remove;
        for desired in [&web, &copy] {
            cut_off(&mut rig, desired, steps).await;
            assert!(rig.settle(desired).await.gone, "removed, {steps} steps");
        }
        assert_eq!((rig.files(), rig.loops()), (Vec::new(), Vec::new()), "{steps} steps");
    }
}
