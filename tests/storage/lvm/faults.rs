//! Faults by name: each fails alone with cause and cure, the rest of the node goes on, and it heals when the cause is gone.

use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use zea::model::desired::{DesiredPool, Order};
use zea::model::kinds::ProviderKind;
use zea::model::names::PoolName;
use zea::model::report::VolumeState;
use zea::model::size::Kib;
use zea::storage::exec::Limits;
use zea::storage::node::{NodeStorage, ResourceMemory, Setup};

use super::rig::{KINDS, Rig, lvm, volumes};
use crate::storage::rig::{device, fill, keep, ok, resource, sum, with_snapshot};

#[tokio::test(flavor = "multi_thread")]
async fn faults() {
    if super::sent_to_a_node("faults::faults") {
        return;
    }
    no_such_pools().await;
    thin_pool_nearly_full().await;
    disk_gone().await;
    for kind in KINDS {
        hung_command(kind).await;
        killed_between_commands(kind).await;
    }
}

async fn no_such_pools() {
    let rig = Rig::new(ProviderKind::LvmThin).await;
    let table = [
        (ProviderKind::Lvm, "nope", "volume group nope"),
        (ProviderKind::LvmThin, "vg/nope", "has no thin pool nope"),
        (ProviderKind::LvmThin, "vg", "does not name a volume group and a thin pool"),
        (ProviderKind::Lvm, "vg/thin", "does not name a volume group"),
    ];
    let mut pools = vec![rig.desired_pool()];
    for (at, (kind, backing, _)) in table.iter().enumerate() {
        let name = PoolName::parse(&format!("bad{at}")).expect("legal");
        pools.push(DesiredPool { name, provider: *kind, backing: (*backing).to_owned(), ..rig.desired_pool() });
    }
    pools.push(DesiredPool { name: PoolName::parse("shared").expect("legal"), shared: true, ..rig.desired_pool() });
    let reports = rig.node.apply_pools(pools).await;
    for (at, (_, _, cause)) in table.iter().enumerate() {
        let name = format!("bad{at}");
        let report = reports.iter().find(|report| report.pool.as_str() == name).expect("reported");
        let problem = report.capacity.clone().expect_err("none");
        assert!(problem.cause.contains(cause) && !problem.correction.is_empty(), "{problem:?}");
    }
    let shared = reports.iter().find(|report| report.pool.as_str() == "shared").expect("reported");
    assert!(shared.capacity.clone().expect_err("refused").cause.contains("share"), "{shared:?}");
    rig.settle(&resource("web", 1)).await;
}

async fn thin_pool_nearly_full() {
    let rig = Rig::new(ProviderKind::LvmThin).await;
    let mut web = resource("web", 1);
    web.volumes[0].size = Kib(520 << 10);
    let path = device(&rig.settle(&web).await, 0);
    assert_eq!(rig.apply().await.warning, None);
    assert!(ok("dd", &["if=/dev/zero", &format!("of={path}"), "bs=1M", "count=500", "oflag=direct"]));
    rig.node.look_around().await;
    let report = rig.apply().await;
    let warning = report.warning.expect("nearly full");
    assert!(warning.cause.contains("data is filled to 83"), "{warning:?}");
    assert!(warning.correction.contains("lvextend -L +SIZE vg/thin"), "{warning:?}");
    assert!(report.capacity.expect("works").free < Kib(110 << 10));
    lvm("lvextend -L +400M vg/thin");
    rig.node.look_around().await;
    assert_eq!(rig.apply().await.warning, None, "it heals");
}

/// A disk that the kernel does not have any more, as far as LVM can see.
async fn disk_gone() {
    let mut rig = Rig::new(ProviderKind::Lvm).await;
    let mut on = Vec::new();
    for name in ["one", "two"] {
        let mut web = resource(name, 1);
        let order = if name == "one" { "--sort -pv_used" } else { "--sort pv_used" };
        web.volumes[0].options = [("StorDriver/LvcreatePvSelection".to_owned(), order.to_owned())].into();
        rig.settle(&web).await;
        on.push((web, lvm(&format!("lvs --noheadings -o devices vg/{name}_00000"))));
    }
    assert_ne!(on[0].1[..9], on[1].1[..9], "on two disks: {on:?}");
    let gone = on.iter().position(|(_, disk)| disk.starts_with("/dev/ubdb")).expect("there are two");
    let sums: Vec<u64> = ["/dev/vg/one_00000", "/dev/vg/two_00000"].iter().map(|path| sum(path)).collect();
    lvm("vgchange -an vg");
    assert!(ok("mv", &["/dev/ubdb", "/run/gone"]), "not where LVM looks");
    rig.node = NodeStorage::real(&Setup::default());
    assert!(rig.apply().await.capacity.is_ok(), "the pool is there");
    for (at, (web, _)) in on.iter_mut().enumerate() {
        keep(web);
        let report = rig.reconcile(web).await;
        if at == gone {
            let problem = report.problem.expect("its disk is gone");
            assert!(problem.cause.contains("a disk that vg/") && problem.correction.contains("pvs"), "{problem:?}");
        } else {
            assert_eq!((report.problem, report.volumes[0].state), (None, VolumeState::Created));
        }
    }
    let problem = rig.fail(&resource("new", 1)).await;
    assert!(problem.cause.contains("a disk of volume group vg is gone"), "{problem:?}");
    assert!(ok("mv", &["/run/gone", "/dev/ubdb"]));
    for (at, (web, _)) in on.iter().enumerate() {
        let until = Instant::now() + Duration::from_secs(30);
        let healed = loop {
            let report = rig.reconcile(web).await;
            if report.problem.is_none() || Instant::now() > until {
                break report;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        assert_eq!((healed.problem.clone(), sum(&device(&healed, 0))), (None, sums[at]), "it heals");
    }
}

/// Holds LVM's lock of the group, as a command that hangs would.
fn hold_the_lock() -> Child {
    let script = "exec 9>/run/lock/lvm/V_vg; flock 9; echo held >/run/held; exec sleep 600";
    let _ = std::fs::remove_file("/run/held");
    let child = Command::new("bash").args(["-c", script]).spawn().expect("bash");
    while !std::path::Path::new("/run/held").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

async fn hung_command(kind: ProviderKind) {
    let mut rig = Rig::new(kind).await;
    let disks = super::disks().expect("in a node");
    if !ok("vgs", &["other"]) {
        lvm(&format!("vgcreate -ff -y other {}", disks[2]));
    }
    let tick = Duration::from_secs(2);
    rig.limits = Limits { wait: tick * 4, term: tick, kill: tick, ..Limits::default() };
    rig.restart().await;
    let other = DesiredPool {
        name: PoolName::parse("other").expect("legal"),
        provider: ProviderKind::Lvm,
        backing: "other".to_owned(),
        ..rig.desired_pool()
    };
    rig.node.apply_pools(vec![rig.desired_pool(), other]).await;
    rig.settle(&resource("web", 1)).await;
    let mut beside = resource("beside", 1);
    beside.volumes[0].pool = PoolName::parse("other").expect("legal");
    let mut lock = hold_the_lock();
    let sick = {
        let (node, new) = (rig.node.clone(), Arc::new(resource("new", 1)));
        tokio::spawn(async move { node.reconcile(&ResourceMemory::default(), new).await })
    };
    let started = Instant::now();
    rig.settle(&beside).await;
    super::series("LVM: a group beside one whose lock is held", format!("{kind:?} {:?}", started.elapsed()));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let problem = sick.await.expect("no panic").problem.expect("it waits for the lock");
    assert!(!problem.correction.is_empty() && problem.cause.contains("was ended after"), "{problem:?}");
    lock.kill().and_then(|()| lock.wait().map(drop)).expect("killed");
    // A failed look is an answer for a moment.
    tokio::time::sleep(Duration::from_secs(3)).await;
    rig.settle(&resource("new", 1)).await;
    beside.order = Order::Remove;
    rig.settle(&beside).await;
}

/// What a command leaves that was killed before the next one: made without its name, taken in part, taken away in part.
async fn killed_between_commands(kind: ProviderKind) {
    let mut rig = Rig::new(kind).await;
    let mut web = resource("web", 2);
    let paths = {
        let report = rig.settle(&web).await;
        [device(&report, 0), device(&report, 1)]
    };
    fill(&paths[0], 1);
    with_snapshot(&mut web, "then", Order::Make);
    rig.settle(&web).await;
    // A part of a snapshot that was never reported: all of it is taken anew.
    lvm("lvremove -f vg/web_00001_then");
    fill(&paths[0], 2);
    let now = sum(&paths[0]);
    rig.restart().await;
    assert!(rig.settle(&web).await.snapshots[0].present);
    keep(&mut web);
    // What was staged stands for a volume that was taken away already.
    let mut back = web.clone();
    crate::storage::rig::rollback(&mut back, "then", 5);
    fill(&paths[0], 3);
    // Checked, both staged, detached; not restarted yet, which would remove what nobody needs.
    rig.node.reconcile_steps(&ResourceMemory::default(), Arc::new(back.clone()), 4).await;
    assert!(volumes().iter().any(|name| name == ".new_web_00000"), "{:?}", volumes());
    lvm("lvchange -an -y vg/web_00000");
    if kind == ProviderKind::LvmThin {
        lvm("lvremove -f vg/web_00000");
    } else {
        lvm("lvrename vg web_00000 .old_1_web_00000");
        lvm("lvchange --addtag zea.remains vg/.old_1_web_00000");
    }
    rig.restart().await;
    let done = rig.settle(&back).await;
    assert_eq!((done.rolled_back.is_some(), sum(&device(&done, 0))), (true, now), "{kind:?}");
    web.order = Order::Remove;
    with_snapshot(&mut web, "then", Order::Remove);
    rig.settle(&web).await;
    rig.restart().await;
    assert!(volumes().is_empty(), "{:?}", volumes());
}
