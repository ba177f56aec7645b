//! A simulated disk: what lies on it outlives its satellites, and whatever goes wrong, passes get there in the end.

use std::sync::{Arc, Mutex};

use zea::model::desired::{DesiredPool, DesiredResource, FileSystem, Order};
use zea::model::kinds::ProviderKind;
use zea::model::moment::Uuid;
use zea::model::report::{Refused, ResourceReport, VolumeState};
use zea::model::size::Kib;
use zea::storage::node::{NodeStorage, ResourceMemory};
use zea::storage::simulated::{Disk, Fault, Op, Role, Simulation};

use super::rig::{SIZE, keep, nr, pool_name, resource, restored, rollback, with_snapshot};

const ALL_STEPS: usize = usize::MAX;

fn start(disk: &Disk) -> NodeStorage {
    let node = disk.start();
    let pool = DesiredPool {
        name: pool_name(),
        provider: ProviderKind::FileThin,
        backing: "/pool".to_owned(),
        shared: false,
        props: std::collections::BTreeMap::new(),
    };
    node.apply_pools_now(&[pool]);
    node
}

fn settle(node: &NodeStorage, desired: &DesiredResource) -> ResourceReport {
    let report = node.pass(&ResourceMemory::default(), desired, ALL_STEPS);
    assert_eq!(report.problem, None, "{report:?}");
    report
}

/// At the operation of this number, this goes wrong; the operations are counted on, and the one that was hit is told.
fn at(disk: &Disk, number: usize, fault: Fault) -> Arc<Mutex<Option<Op>>> {
    let hit = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&hit);
    let mut left = number;
    let faults = move |op: Op, _: &str| {
        if left == 0 {
            tell.lock().unwrap().get_or_insert(op);
        }
        let now = left == 0;
        left = left.wrapping_sub(1);
        now.then_some(fault)
    };
    disk.set_faults(Some(Box::new(faults)));
    hit
}

/// A pass in which the operation of this number goes wrong, and then what a new satellite makes of it. False when the pass
/// has fewer operations.
fn through(disk: &Disk, desired: &DesiredResource, (number, fault): (usize, Fault)) -> bool {
    let node = start(disk);
    let hit = at(disk, number, fault);
    let report = node.pass(&ResourceMemory::default(), desired, ALL_STEPS);
    disk.set_faults(None);
    assert_eq!(node.has_ended(), fault == Fault::Crash && hit.lock().unwrap().is_some());
    if fault != Fault::Crash && report.problem.is_none() {
        // Nothing was hit, or an answer that nobody needed.
        settle(&node, desired);
    }
    let hit = hit.lock().unwrap().is_some();
    settle(&start(disk), desired);
    hit
}

/// One life of two resources, hit at the same place in each of its passes. False when no pass was.
fn live(hit: (usize, Fault)) -> bool {
    let disk = Disk::new(Simulation { pool_size: Kib(1 << 20), ..Simulation::default() });
    let mut web = resource("web", 2);
    let mut any = through(&disk, &web, hit);
    assert!(disk.write("web_00000", 10) && disk.write("web_00001", 11));
    with_snapshot(&mut web, "then", Order::Make);
    any |= through(&disk, &web, hit);
    keep(&mut web);
    assert!(disk.write("web_00000", 20) && disk.write("web_00001", 21));
    let contents = |name: &str| [0, 1].map(|number| disk.content(&format!("{name}_0000{number}")));
    let mut copy = restored("copy", 2, "web", "then");
    any |= through(&disk, &copy, hit);
    assert_eq!(contents("copy"), [Some(10), Some(11)], "{hit:?}");
    assert_eq!(contents("web"), [Some(20), Some(21)], "{hit:?}");
    web.volumes[1].size = Kib(SIZE.0 + 4096);
    rollback(&mut web, "then", 7);
    any |= through(&disk, &web, hit);
    assert_eq!(contents("web"), [Some(10), Some(11)], "{hit:?}");
    assert!(disk.write("web_00000", 30));
    any |= through(&disk, &web, hit);
    let again = settle(&start(&disk), &web);
    assert_eq!(again.rolled_back, Some(Uuid(7)));
    assert_eq!(contents("web")[0], Some(30), "an order is carried out once");
    let sizes: Vec<_> = again.volumes.iter().map(|volume| volume.usable).collect();
    assert_eq!(sizes, [Some(SIZE), Some(Kib(SIZE.0 + 4096))]);
    web.order = Order::Remove;
    with_snapshot(&mut web, "then", Order::Remove);
    copy.order = Order::Remove;
    for desired in [&web, &copy] {
        any |= through(&disk, desired, hit);
        assert!(settle(&start(&disk), desired).gone);
    }
    assert_eq!((disk.files(), disk.markers()), (Vec::new(), Vec::new()), "{hit:?}");
    assert_eq!(disk.used()["/pool"], Kib(0));
    any
}

#[test]
fn an_end_or_a_fault_at_any_operation_does_no_lasting_harm() {
    for fault in [Fault::Crash, Fault::Io, Fault::Full, Fault::Busy] {
        let passes = (0..).take_while(|number| live((*number, fault))).count();
        assert!(passes > 20, "{fault:?}: only {passes} operations");
    }
}

#[test]
fn what_was_written_is_not_cut_off() {
    let disk = Disk::new(Simulation::default());
    let mut web = resource("web", 1);
    let node = start(&disk);
    settle(&node, &web);
    assert!(disk.write("web_00000", 7));
    keep(&mut web);
    web.volumes[0].size = Kib(SIZE.0 / 2);
    web.volumes[0].shrink = true;
    let refused = node.pass(&ResourceMemory::default(), &web, ALL_STEPS);
    assert_eq!((refused.refused, refused.volumes[0].usable), (vec![Refused::Shrink(nr(0))], Some(SIZE)));
    assert_eq!(disk.content("web_00000"), Some(7));
    assert!(disk.write("web_00000", 0));
    disk.set_faults(Some(Box::new(|op: Op, _: &str| (op == Op::AssertUnused).then_some(Fault::Busy))));
    let busy = node.pass(&ResourceMemory::default(), &web, ALL_STEPS);
    assert_eq!((busy.refused, busy.in_use), (vec![Refused::Shrink(nr(0))], Some(true)));
    disk.set_faults(None);
    assert_eq!(settle(&node, &web).volumes[0].usable, Some(Kib(SIZE.0 / 2)));
}

#[test]
fn what_lies_there_of_somebody_else_is_neither_taken_nor_removed() {
    let disk = Disk::new(Simulation::default());
    disk.leave("/pool", "web_00000", (SIZE, 7));
    disk.leave("/pool", "web_00001", (SIZE, 0));
    let node = start(&disk);
    let mut web = resource("web", 2);
    let refused = node.pass(&ResourceMemory::default(), &web, ALL_STEPS);
    assert!(refused.problem.expect("theirs").cause.contains("/pool/web_00000.img"));
    let states: Vec<_> = refused.volumes.iter().map(|volume| volume.state).collect();
    assert_eq!(states, [VolumeState::Failed, VolumeState::Created], "an empty one is taken");
    web.order = Order::Remove;
    assert!(settle(&node, &web).gone);
    assert_eq!((disk.content("web_00000"), disk.content("web_00001")), (Some(7), None));
    assert!(disk.lose("web_00000"));
    web.order = Order::Make;
    settle(&node, &web);
    assert!(disk.write("web_00000", 8));
    settle(&start(&disk), &web);
    assert_eq!(disk.content("web_00000"), Some(8), "what was made and not reported is known again");
    let mut later = web.clone();
    later.generation = 9 << 32;
    assert!(node.pass(&ResourceMemory::default(), &later, ALL_STEPS).problem.is_some());
    web.order = Order::Remove;
    settle(&start(&disk), &web);
    assert!(disk.files().is_empty());
}

#[test]
fn a_pass_can_be_cut_after_any_step() {
    for steps in 0..6 {
        let disk = Disk::new(Simulation::default());
        let web = resource("web", 2);
        let _ = start(&disk).pass(&ResourceMemory::default(), &web, steps);
        let devices = disk.files().iter().filter(|file| file.device.is_some()).count();
        let volumes = disk.files().len();
        assert_eq!((volumes, devices), ([0, 1, 1, 2, 2, 2][steps], [0, 0, 1, 1, 2, 2][steps]));
        assert_eq!(settle(&start(&disk), &web).volumes.len(), 2);
    }
}

#[test]
fn half_a_snapshot_is_seen_and_taken_anew() {
    let disk = Disk::new(Simulation::default());
    let mut web = resource("web", 2);
    settle(&start(&disk), &web);
    keep(&mut web);
    with_snapshot(&mut web, "then", Order::Make);
    let node = start(&disk);
    let mut named = 0;
    disk.set_faults(Some(Box::new(move |op: Op, _: &str| {
        named += u32::from(op == Op::PutInPlace);
        (named == 2).then_some(Fault::Crash)
    })));
    let _ = node.pass(&ResourceMemory::default(), &web, ALL_STEPS);
    disk.set_faults(None);
    let parts = |in_place| {
        let parts = disk.files().into_iter().filter(|file| file.role == Role::Part && file.in_place == in_place);
        parts.map(|part| part.id).collect::<Vec<_>>()
    };
    assert_eq!((parts(true), parts(false)), (vec!["web_00000_then".to_owned()], vec!["web_00001_then".to_owned()]));
    let node = start(&disk);
    assert!(parts(false).is_empty(), "what lay aside goes with its life");
    assert!(!node.pass(&ResourceMemory::default(), &web, 0).snapshots[0].present);
    assert!(settle(&node, &web).snapshots[0].present);
}

#[test]
fn a_satellite_that_has_ended_has_no_effect() {
    let disk = Disk::new(Simulation::default());
    let old = start(&disk);
    let new = start(&disk);
    assert!(old.has_ended() && !new.has_ended());
    let report = old.pass(&ResourceMemory::default(), &resource("web", 1), ALL_STEPS);
    assert!(report.problem.is_some() && disk.files().is_empty());
    settle(&new, &resource("web", 1));
    assert_eq!(disk.files().len(), 1);
}

#[test]
fn a_reboot_takes_the_devices_and_leaves_the_data() {
    let disk = Disk::new(Simulation::default());
    let mut web = resource("web", 1);
    let first = settle(&start(&disk), &web);
    assert!(disk.write("web_00000", 9));
    keep(&mut web);
    disk.reboot();
    assert!(disk.files()[0].device.is_none() && !disk.write("web_00000", 8));
    assert_eq!(settle(&start(&disk), &web).volumes[0].device_path, first.volumes[0].device_path);
    assert_eq!(disk.content("web_00000"), Some(9));
    assert!(disk.lose("web_00000") && !disk.lose("web_00000"));
    let lost = start(&disk).pass(&ResourceMemory::default(), &web, ALL_STEPS);
    assert!(lost.problem.expect("lost").message.contains("missing"));
}

#[test]
fn a_pool_that_is_sick_heals_and_a_file_system_that_fails_is_made_later() {
    let disk = Disk::new(Simulation::default());
    disk.set_faults(Some(Box::new(|op: Op, _: &str| matches!(op, Op::Prepare | Op::Format).then_some(Fault::Io))));
    let node = start(&disk);
    assert!(node.capacities_now(&[])[0].capacity.is_err());
    disk.set_faults(Some(Box::new(|op: Op, _: &str| (op == Op::Format).then_some(Fault::Io))));
    assert!(node.capacities_now(&[])[0].capacity.is_ok());
    let mut web = resource("web", 1);
    let kind = "xfs".to_owned();
    web.volumes[0].file_system = Some(FileSystem { kind, mkfs_params: Vec::new(), user: None, group: None });
    let failed = node.pass(&ResourceMemory::default(), &web, ALL_STEPS);
    assert_eq!(failed.volumes[0].state, VolumeState::Failed);
    disk.set_faults(None);
    assert_eq!(settle(&node, &web).volumes[0].state, VolumeState::Created);
    assert_eq!(disk.files()[0].file_system.as_deref(), Some("xfs"));
    assert_eq!(node.facts_now("1").uname, "simulated");
}
