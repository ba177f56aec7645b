//! What follows from a node's report: every fact by table, and what a report that is late, doubtful or of something else
//! tells.

use super::puppet::Puppet;
use super::*;
use crate::model::decide::node_went_away;
use crate::model::definition::{CloneSource, Cut};
use crate::model::derive::desired_resource;
use crate::model::desired::{Origin, Rollback};
use crate::model::moment::Uuid;
use crate::model::node::DISKLESS_POOL;
use crate::model::report::{Problem, Refused, ResourceReport, SnapshotReport};
use crate::model::snapshot::Snapshot;
use crate::model::testkit::{node, rsc, volume};

/// Generation of `web` and of the orders in it; reports are told of this one, or of the one before.
const NOW: u64 = 5;

const TWO: &str = "
    node alpha\npool alpha data FILE_THIN 9000/9000
    node bravo\npool bravo data FILE_THIN 8000/9000
    rsc web 10 alpha/data:made bravo/data:made
";

fn problem() -> Problem {
    let [message, cause, correction, details] = ["it failed", "no room", "make some", ""].map(str::to_owned);
    Problem { message, cause, correction, details }
}

/// The cluster of `TWO`, with `web` changed.
fn with(change: impl FnOnce(&mut ResourceDefinition)) -> Puppet {
    let mut puppet = Puppet::new(testkit::cluster(TWO));
    alter(&mut puppet, |web| {
        web.generation = NOW;
        web.resources.values_mut().for_each(|resource| resource.ordered = NOW);
        change(web);
    });
    puppet
}

fn alter(puppet: &mut Puppet, change: impl FnOnce(&mut ResourceDefinition)) {
    let mut definition = web(puppet).clone();
    change(&mut definition);
    puppet.cluster.apply(&Change::Definition(rsc("web"), Some(Arc::new(definition))));
}

fn web(puppet: &Puppet) -> &ResourceDefinition {
    &puppet.cluster.definitions[&rsc("web")]
}

fn replica<'a>(puppet: &'a Puppet, at: &str) -> &'a Resource {
    &web(puppet).resources[&node(at)]
}

/// What the node would say when all is done, changed.
fn report(puppet: &mut Puppet, at: &str, change: impl FnOnce(&mut ResourceReport)) {
    let desired = desired_resource(&puppet.cluster, &rsc("web"), &node(at)).expect("it has a part");
    let mut report = puppet.carry_out(&desired);
    change(&mut report);
    puppet.report(&node(at), report);
}

fn flag(flags: ResourceFlags) -> impl FnOnce(&mut ResourceDefinition) {
    move |web| web.resources.get_mut(&node("alpha")).expect("there").flags = flags
}

#[test]
fn a_volume_that_is_usable_is_made_from_then_on() {
    use VolumeState::{Attachable, Cloning, Created, Failed, UpToDate};
    for (state, made) in [(Created, true), (UpToDate, true), (Attachable, true), (Cloning, false), (Failed, false)] {
        let origin = Origin::Snapshot { rsc: rsc("old"), snapshot: super::lives::snap_name("then"), volume: volume(0) };
        let mut puppet = with(|web| {
            let own = web.resources.get_mut(&node("alpha")).expect("there").volumes.get_mut(&volume(0)).expect("one");
            (own.made, own.origin) = (false, origin.clone());
        });
        report(&mut puppet, "alpha", |report| report.volumes[0].state = state);
        let own = &replica(&puppet, "alpha").volumes[&volume(0)];
        assert_eq!((own.made, own.origin == origin), (made, !made), "{state:?}");
    }
}

#[test]
fn an_order_is_over_when_a_report_of_it_knows_no_problem() {
    let removing = ResourceFlags::DISK_REMOVING.with(ResourceFlags::DISK_REMOVE_REQUESTED);
    let table = [
        (ResourceFlags::INACTIVATING, ResourceFlags::INACTIVE),
        (removing, ResourceFlags::DRBD_DISKLESS),
        (ResourceFlags::NONE, ResourceFlags::NONE),
    ];
    for (before, after) in table {
        for (generation, fails, over) in [(NOW, false, true), (NOW - 1, false, false), (NOW, true, false)] {
            let mut puppet = with(flag(before));
            report(&mut puppet, "alpha", |report| {
                report.generation = generation;
                report.problem = fails.then(problem);
                if fails {
                    // What could not be carried out is still there.
                    report.volumes = vec![VolumeReport { backing_path: Some("/dev/loop1".to_owned()), ..usable(10) }];
                }
            });
            let own = replica(&puppet, "alpha");
            assert_eq!(own.flags, if over { after } else { before }, "{before:?} {generation} {fails}");
            let volume = &own.volumes[&volume(0)];
            let diskless = over && before == removing;
            assert_eq!((volume.pool.as_str() == DISKLESS_POOL, volume.made), (diskless, !diskless), "{before:?}");
        }
    }
}

#[test]
fn a_replica_goes_when_a_report_of_its_removal_says_so() {
    let delete = ResourceFlags::DELETE;
    for (flags, generation, gone, goes) in [
        (delete, NOW, true, true),
        (delete, NOW, false, false),
        (delete, NOW - 1, true, false),
        (ResourceFlags::NONE, NOW, true, false),
    ] {
        let mut puppet = with(flag(flags));
        report(&mut puppet, "alpha", |report| {
            report.generation = generation;
            report.gone = gone;
        });
        assert_eq!(!web(&puppet).resources.contains_key(&node("alpha")), goes, "{flags:?} {generation} {gone}");
    }
}

#[test]
fn the_latest_report_of_a_node_is_the_one_that_counts() {
    let mut puppet = with(flag(ResourceFlags::INACTIVATING));
    report(&mut puppet, "alpha", |report| report.problem = Some(problem()));
    report(&mut puppet, "alpha", |report| report.generation = NOW - 1);
    let known = |puppet: &Puppet| puppet.cluster.resource_status_of(&rsc("web"), &node("alpha")).cloned();
    assert!(known(&puppet).expect("told").problem.is_some(), "what was told before came later");
    report(&mut puppet, "alpha", |report| report.refused = vec![Refused::Shrink(volume(0))]);
    let status = known(&puppet).expect("told");
    assert!(status.problem.is_none() && status.taken_back, "of the same orders the last one counts");
    assert!(!replica(&puppet, "alpha").flags.has(ResourceFlags::INACTIVATING));
    report(&mut puppet, "alpha", |report| report.snapshots = vec![part_report(false, true)]);
    let status = known(&puppet).expect("told");
    assert!(status.problem.is_some() && !status.taken_back, "a snapshot's problem is one of the resource");
}

#[test]
fn a_rollback_is_over_when_its_own_token_is_told() {
    let order = |token| Rollback { snapshot: super::lives::snap_name("then"), token: Uuid(token) };
    for (told, over) in [(Some(7), true), (Some(8), false), (None, false)] {
        let mut puppet = with(|web| {
            web.resources.get_mut(&node("alpha")).expect("there").rollback = Some(order(7));
            let first = web.volumes.get_mut(&volume(0)).expect("one");
            first.cut = Some(Cut { from: Kib(20), ordered: NOW });
        });
        report(&mut puppet, "alpha", |report| report.rolled_back = told.map(Uuid));
        assert_eq!(replica(&puppet, "alpha").rollback.is_none(), over, "{told:?}");
        assert_eq!(web(&puppet).volumes[&volume(0)].cut.is_none(), over, "{told:?}");
    }
}

#[test]
fn a_volume_is_gone_when_no_node_has_it() {
    // Deleted?, generation, seen by alpha; is alpha's gone, and the definition's?
    for (deleted, generation, seen, gone) in
        [(true, NOW, false, true), (true, NOW, true, false), (true, NOW - 1, false, false), (false, NOW, false, false)]
    {
        let mut puppet = with(|web| {
            if deleted {
                web.volumes.get_mut(&volume(0)).expect("one").flags = VolumeDefinitionFlags::DELETE;
                for resource in web.resources.values_mut() {
                    resource.volumes.get_mut(&volume(0)).expect("one").flags = VolumeFlags::DELETE;
                }
            }
        });
        let tell = |puppet: &mut Puppet, at| {
            report(puppet, at, |report| {
                report.generation = generation;
                report.volumes.truncate(0);
                if seen {
                    report.volumes.push(usable(10));
                }
            });
        };
        tell(&mut puppet, "alpha");
        let own = !replica(&puppet, "alpha").volumes.contains_key(&volume(0));
        assert_eq!((own, web(&puppet).volumes.len()), (gone, 1), "{deleted} {generation} {seen}");
        alter(&mut puppet, |web| web.generation = NOW);
        tell(&mut puppet, "bravo");
        assert_eq!(web(&puppet).volumes.is_empty(), gone, "{deleted} {generation} {seen}");
    }
}

fn usable(kib: u64) -> VolumeReport {
    VolumeReport {
        number: volume(0),
        state: VolumeState::UpToDate,
        device_path: None,
        backing_path: None,
        allocated: None,
        usable: Some(Kib(kib)),
        luks: None,
    }
}

#[test]
fn a_resize_is_over_when_every_disk_has_the_new_size() {
    let (grow, shrink) = (VolumeDefinitionFlags::RESIZE, VolumeDefinitionFlags::RESIZE_SHRINK);
    let table = [
        // Flags, usable on alpha and bravo, over
        (grow, 10, Some(10), true),
        (grow, 11, Some(12), true),
        (grow, 9, Some(10), false),
        (grow, 10, Some(9), false),
        (grow, 10, None, false),
        (shrink, 10, Some(10), true),
        (shrink, 9, Some(8), true),
        (shrink, 11, Some(10), false),
        (shrink, 10, Some(11), false),
        (shrink, 10, None, false),
    ];
    for (flags, alpha, bravo, over) in table {
        let mut puppet = with(|web| {
            let first = web.volumes.get_mut(&volume(0)).expect("one");
            (first.flags, first.cut) = (flags, Some(Cut { from: Kib(20), ordered: NOW }));
        });
        for (at, kib) in [("bravo", bravo), ("alpha", Some(alpha))] {
            if let Some(kib) = kib {
                report(&mut puppet, at, |report| report.volumes = vec![usable(kib)]);
            }
        }
        let now = &web(&puppet).volumes[&volume(0)];
        assert_eq!(now.flags, if over { VolumeDefinitionFlags::NONE } else { flags }, "{flags:?} {alpha} {bravo:?}");
        assert_eq!(now.cut.is_none(), over || flags == grow, "{flags:?} {alpha} {bravo:?}");
    }
    // One without a disk has nothing to resize.
    let mut puppet = with(|web| {
        web.volumes.get_mut(&volume(0)).expect("one").flags = grow;
        web.resources.get_mut(&node("bravo")).expect("there").flags = ResourceFlags::DRBD_DISKLESS;
    });
    report(&mut puppet, "alpha", |report| report.volumes = vec![usable(10)]);
    assert_eq!(web(&puppet).volumes[&volume(0)].flags, VolumeDefinitionFlags::NONE);
}

fn part_report(present: bool, fails: bool) -> SnapshotReport {
    SnapshotReport {
        name: super::lives::snap_name("one"),
        present,
        taken: present.then_some(EpochMs(77)),
        allocated: None,
        problem: fails.then(problem),
        remark: None,
    }
}

/// `web` with a snapshot on both nodes, changed; bravo's part was taken.
fn with_snapshot(change: impl FnOnce(&mut Snapshot)) -> Puppet {
    let text = format!("{TWO}snap web one alpha/data bravo/data");
    let mut puppet = Puppet::new(testkit::cluster(&text));
    alter(&mut puppet, |web| web.generation = NOW);
    let (key, old) = puppet.cluster.snapshots.iter().next().expect("one");
    let (key, mut snapshot) = (key.clone(), Snapshot::clone(old));
    (snapshot.ordered, snapshot.flags) = (NOW, SnapshotFlags::NONE);
    snapshot.nodes.get_mut(&node("alpha")).expect("there").taken = false;
    change(&mut snapshot);
    puppet.cluster.apply(&Change::Snapshot(key, Some(Arc::new(snapshot))));
    puppet
}

fn the_snapshot(puppet: &Puppet) -> &Snapshot {
    puppet.cluster.snapshots.values().next().expect("one")
}

/// Flags, and what became of alpha's part.
fn told(puppet: &Puppet) -> (SnapshotFlags, &'static str) {
    let snapshot = the_snapshot(puppet);
    let part = match snapshot.nodes.get(&node("alpha")) {
        None => "gone",
        Some(part) if part.taken => "taken",
        Some(_) => "asked",
    };
    (snapshot.flags, part)
}

#[test]
fn a_part_of_a_snapshot_is_taken_fails_or_goes() {
    type Flags = SnapshotFlags;
    let (none, done) = (Flags::NONE, Flags::SUCCESSFUL);
    let (failed, away, delete) = (Flags::FAILED_DEPLOYMENT, Flags::FAILED_DISCONNECT, Flags::DELETE);
    let going = done.with(delete);
    let table = [
        // Flags and taken before, there, a problem, generation, flags and part afterwards
        (none, false, true, false, NOW, done, "taken"),
        (none, false, true, false, NOW - 1, done, "taken"),
        (none, false, false, false, NOW, none, "asked"),
        (none, false, false, true, NOW, failed, "asked"),
        (failed, false, true, false, NOW, failed, "asked"),
        (away, false, true, false, NOW, away, "asked"),
        (away, false, false, true, NOW, away, "asked"),
        (delete, false, true, false, NOW, delete, "asked"),
        (delete, false, false, true, NOW, delete, "asked"),
        (done, true, false, false, NOW, done, "taken"),
        (done, true, false, true, NOW, done, "taken"),
        (going, true, true, false, NOW, going, "taken"),
        (going, true, false, false, NOW, going, "gone"),
        (going, true, false, true, NOW, going, "taken"),
        (going, true, false, false, NOW - 1, going, "taken"),
        (delete, false, false, false, NOW, delete, "gone"),
    ];
    for (before, taken, there, fails, generation, after, part) in table {
        let mut puppet = with_snapshot(|snapshot| {
            snapshot.flags = before;
            snapshot.nodes.get_mut(&node("alpha")).expect("there").taken = taken;
        });
        report(&mut puppet, "alpha", |report| {
            report.generation = generation;
            report.snapshots = vec![part_report(there, fails)];
        });
        assert_eq!(told(&puppet), (after, part), "{before:?} {taken} {there} {fails} {generation}");
    }
}

#[test]
fn a_snapshot_is_complete_with_its_last_part_and_gone_with_it() {
    let mut puppet = with_snapshot(|snapshot| snapshot.nodes.values_mut().for_each(|part| part.taken = false));
    report(&mut puppet, "alpha", |report| report.snapshots = vec![part_report(true, false)]);
    assert_eq!(told(&puppet), (SnapshotFlags::NONE, "taken"));
    assert_eq!(the_snapshot(&puppet).nodes[&node("alpha")].created, EpochMs(77));
    report(&mut puppet, "bravo", |report| report.snapshots = vec![part_report(true, false)]);
    assert_eq!(told(&puppet), (SnapshotFlags::SUCCESSFUL, "taken"));
    // A part that is deleted alone goes alone.
    let mut puppet = with_snapshot(|snapshot| {
        snapshot.nodes.get_mut(&node("alpha")).expect("there").flags = SnapshotNodeFlags::DELETE;
    });
    report(&mut puppet, "alpha", |report| report.snapshots = vec![part_report(false, false)]);
    assert_eq!(told(&puppet).1, "gone");
    alter(&mut puppet, |web| {
        web.flags = DefinitionFlags::DELETE;
        web.resources = Default::default();
    });
    let mut last = the_snapshot(&puppet).clone();
    last.flags = SnapshotFlags::DELETE;
    puppet.cluster.apply(&Change::Snapshot(last.key.clone(), Some(Arc::new(last))));
    report(&mut puppet, "bravo", |report| report.snapshots = vec![part_report(false, false)]);
    assert!(puppet.cluster.snapshots.is_empty() && puppet.cluster.definitions.is_empty());
}

#[test]
fn a_node_that_goes_away_fails_what_it_had_not_taken() {
    type Flags = SnapshotFlags;
    for (flags, taken, at, after) in [
        (Flags::NONE, false, "alpha", Some(Flags::FAILED_DISCONNECT)),
        (Flags::NONE, true, "alpha", None),
        (Flags::NONE, false, "bravo", None),
        (Flags::DELETE, false, "alpha", None),
        (Flags::FAILED_DEPLOYMENT, false, "alpha", None),
        (Flags::FAILED_DISCONNECT, false, "alpha", None),
    ] {
        let mut puppet = with_snapshot(|snapshot| {
            snapshot.flags = flags;
            snapshot.nodes.get_mut(&node("alpha")).expect("there").taken = taken;
        });
        let changes = node_went_away(&puppet.cluster, &node(at), Moment::repeatable(EpochMs(9), 1));
        assert_eq!(changes.is_empty(), after.is_none(), "{flags:?} {taken} {at}");
        changes.iter().for_each(|change| puppet.cluster.apply(change));
        assert_eq!(told(&puppet).0, after.unwrap_or(flags), "{flags:?} {taken} {at}");
    }
}

#[test]
fn a_clone_is_over_when_all_of_it_is_made_and_failed_when_a_part_cannot_be() {
    // Made on alpha and bravo beforehand, what alpha says now; flags afterwards.
    let cloning = DefinitionFlags::CLONING;
    for (alpha, bravo, fails, after) in [
        (false, true, false, DefinitionFlags::NONE),
        (false, false, false, cloning),
        (false, true, true, DefinitionFlags::FAILED),
        (true, false, true, cloning),
        (true, true, true, DefinitionFlags::NONE),
    ] {
        let mut puppet = with(|web| {
            web.flags = cloning;
            web.clone_source = Some(CloneSource { rsc: rsc("old"), snapshot: super::lives::snap_name("CF_1") });
            for (at, made) in [("alpha", alpha), ("bravo", bravo)] {
                web.resources.get_mut(&node(at)).expect("there").volumes.get_mut(&volume(0)).expect("one").made = made;
            }
        });
        report(&mut puppet, "alpha", |report| {
            report.problem = fails.then(problem);
            if fails {
                report.volumes[0].state = VolumeState::Failed;
            }
        });
        assert_eq!(web(&puppet).flags, after, "{alpha} {bravo} {fails}");
        assert_eq!(web(&puppet).clone_source.is_none(), after != cloning, "{alpha} {bravo} {fails}");
    }
}

#[test]
fn nothing_is_concluded_about_what_is_not_there() {
    let mut puppet = with(|_| {});
    let before = puppet.cluster.definitions.clone();
    let desired = desired_resource(&puppet.cluster, &rsc("web"), &node("alpha")).expect("there");
    let mut report = puppet.carry_out(&desired);
    report.gone = true;
    report.snapshots = vec![part_report(true, false)];
    puppet.report(&node("charlie"), report.clone());
    report.rsc = rsc("ghost");
    puppet.report(&node("alpha"), report);
    assert_eq!(before, puppet.cluster.definitions);
    assert!(puppet.cluster.resource_status_of(&rsc("ghost"), &node("alpha")).is_none());
}
