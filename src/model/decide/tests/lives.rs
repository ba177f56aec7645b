//! Whole lives: definitions, volumes, snapshots and clones from their making to their end, on nodes that carry out
//! everything, or fail, or are slow.

use super::puppet::Puppet;
use crate::model::code::FAIL_IN_USE;
use crate::model::command::*;
use crate::model::group::SelectFilter;
use crate::model::kinds::{DefinitionFlags, ResourceFlags, SnapshotFlags, VolumeDefinitionFlags};
use crate::model::names::{GroupName, SnapName};
use crate::model::props::PropsModify;
use crate::model::report::{Problem, ResourceReport};
use crate::model::size::Kib;
use crate::model::testkit::{cluster, node, pool, rsc, volume};
use crate::model::wait::{Goal, Standing};

pub(super) const THREE: &str = "
    grp store layers=STORAGE
    node alpha
    pool alpha data FILE_THIN 9000000/9000000
    node bravo
    pool bravo data FILE_THIN 8000000/9000000
    node charlie
    pool charlie data FILE_THIN 7000000/9000000
";

pub(super) fn spawn(name: &str, count: u32) -> Command {
    let filter = SelectFilter {
        place_count: Some(count),
        layers: Some(vec![crate::model::kinds::LayerKind::Storage]),
        ..SelectFilter::default()
    };
    Command::Group(GroupCommand::Spawn(Spawn {
        group: GroupName::parse("DfltRscGrp").expect("legal"),
        name: Naming::Name(rsc(name)),
        sizes: vec![Kib(1024)],
        filter,
        partial: false,
        definitions_only: false,
        peer_slots: None,
        props: PropsModify::default(),
        passphrases: Vec::new(),
    }))
}

pub(super) fn snapshot(name: &str, snap: &str) -> Command {
    Command::Snapshot(SnapshotCommand::Create {
        snapshots: vec![NewSnapshot {
            rsc: rsc(name),
            name: snap_name(snap),
            nodes: Vec::new(),
            props: PropsModify::default(),
        }],
    })
}

pub(super) fn snap_name(text: &str) -> SnapName {
    SnapName::parse(text).expect("legal")
}

pub(super) fn delete(name: &str) -> Command {
    Command::Definition(DefinitionCommand::Delete { name: rsc(name) })
}

pub(super) fn delete_snapshot(name: &str, snap: &str) -> Command {
    Command::Snapshot(SnapshotCommand::Delete { rsc: rsc(name), name: snap_name(snap), nodes: Vec::new() })
}

pub(super) fn clone(from: &str, to: &str) -> Command {
    Command::Definition(DefinitionCommand::Clone(CloneOrder {
        source: rsc(from),
        name: Naming::Name(rsc(to)),
        group: None,
        layers: None,
        props: PropsModify::default(),
        passphrases: Vec::new(),
    }))
}

#[test]
fn spawned_made_and_deleted_nothing_is_left() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    let web = puppet.cluster.definitions[&rsc("web")].clone();
    assert_eq!(web.resources.len(), 2);
    assert!(web.resources.values().all(|resource| resource.volumes[&volume(0)].made));
    assert_eq!(puppet.cluster.pool_usage.len(), 2);
    puppet.done(delete("web"));
    assert!(puppet.cluster.definitions.is_empty());
    assert!(puppet.cluster.pool_usage.is_empty());
    assert!(puppet.cluster.on_node.is_empty());
    assert!(puppet.cluster.resource_status.is_empty());
}

#[test]
fn telling_everything_again_changes_nothing() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    puppet.done(snapshot("web", "one"));
    let before = puppet.cluster.clone();
    puppet.resync();
    assert_eq!(before.definitions, puppet.cluster.definitions);
    assert_eq!(before.snapshots, puppet.cluster.snapshots);
}

#[test]
fn a_volume_added_grown_and_removed() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 1));
    puppet.done(Command::Definition(DefinitionCommand::VolumeCreate(NewVolume {
        rsc: rsc("web"),
        number: None,
        size: Kib(2048),
        flags: VolumeDefinitionFlags::NONE,
        props: PropsModify::default(),
        minor: None,
        passphrase: None,
    })));
    let grow = |size| {
        Command::Definition(DefinitionCommand::VolumeModify {
            rsc: rsc("web"),
            number: volume(1),
            size: Some(Kib(size)),
            props: PropsModify::default(),
            set: VolumeDefinitionFlags::NONE,
            clear: VolumeDefinitionFlags::NONE,
        })
    };
    puppet.ask(grow(4096)).expect("there is room");
    let resizing = |puppet: &Puppet| {
        puppet.cluster.definitions[&rsc("web")].volumes[&volume(1)].flags.has(VolumeDefinitionFlags::RESIZE)
    };
    assert!(resizing(&puppet));
    puppet.settle();
    assert!(!resizing(&puppet));
    puppet.done(grow(1024));
    assert!(!resizing(&puppet), "a shrink ends as well");
    puppet.done(Command::Definition(DefinitionCommand::VolumeDelete { rsc: rsc("web"), number: volume(1) }));
    let web = &puppet.cluster.definitions[&rsc("web")];
    assert_eq!(web.volumes.len(), 1);
    assert!(web.resources.values().all(|resource| resource.volumes.len() == 1));
}

#[test]
fn a_snapshot_is_taken_restored_rolled_back_and_deleted() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    puppet.done(snapshot("web", "one"));
    let key = puppet.cluster.snapshots.keys().next().expect("one").clone();
    assert!(puppet.cluster.snapshots[&key].flags.has(SnapshotFlags::SUCCESSFUL));
    let refused = puppet.ask(delete("web")).expect_err("has a snapshot");
    assert_eq!(refused.note.code, crate::model::code::FAIL_EXISTS_SNAPSHOT_DFN);
    puppet.done(Command::Definition(DefinitionCommand::Create(NewDefinition {
        name: Naming::Name(rsc("copy")),
        group: None,
        layers: Some(vec![crate::model::kinds::LayerKind::Storage]),
        props: PropsModify::default(),
        peer_slots: None,
        secret: None,
    })));
    let (from, to) = (rsc("web"), rsc("copy"));
    puppet.done(Command::Snapshot(SnapshotCommand::RestoreVolumes {
        rsc: from.clone(),
        name: snap_name("one"),
        to: to.clone(),
    }));
    let restore = SnapshotCommand::RestoreResources {
        rsc: from.clone(),
        name: snap_name("one"),
        to,
        nodes: Vec::new(),
        pools: Default::default(),
    };
    puppet.ask(Command::Snapshot(restore)).expect("fits");
    let busy = puppet.ask(delete_snapshot("web", "one")).expect_err("is being read");
    assert_eq!(busy.note.code, crate::model::code::FAIL_IN_USE);
    puppet.settle();
    assert_eq!(puppet.cluster.definitions[&rsc("copy")].resources.len(), 2);
    puppet.done(Command::Snapshot(SnapshotCommand::Rollback { rsc: from, name: snap_name("one") }));
    let web = &puppet.cluster.definitions[&rsc("web")];
    assert!(web.resources.values().all(|resource| resource.rollback.is_none()));
    puppet.done(delete_snapshot("web", "one"));
    assert!(puppet.cluster.snapshots.is_empty());
    puppet.done(delete("web"));
    puppet.done(delete("copy"));
    assert!(puppet.cluster.definitions.is_empty() && puppet.cluster.pool_usage.is_empty());
}

#[test]
fn a_clone_runs_through_its_steps_and_leaves_no_snapshot() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    puppet.ask(clone("web", "twin")).expect("source is ready");
    assert!(puppet.cluster.definitions[&rsc("twin")].flags.has(DefinitionFlags::CLONING));
    puppet.settle();
    let twin = &puppet.cluster.definitions[&rsc("twin")];
    assert_eq!(twin.flags, DefinitionFlags::NONE);
    assert_eq!(twin.resources.len(), 2);
    assert!(twin.clone_source.is_none() && twin.is_clone);
    assert!(puppet.cluster.snapshots.is_empty());
}

#[test]
fn a_clone_that_cannot_be_made_is_marked_and_leaves_no_snapshot() {
    for culprit in ["web", "twin"] {
        let mut puppet = Puppet::new(cluster(THREE));
        puppet.done(spawn("web", 1));
        puppet.failing = vec![culprit.to_owned()];
        puppet.ask(clone("web", "twin")).expect("source is ready");
        puppet.settle();
        puppet.failing.clear();
        puppet.resync();
        assert!(puppet.cluster.definitions[&rsc("twin")].flags.has(DefinitionFlags::FAILED), "{culprit}");
        assert!(puppet.cluster.snapshots.is_empty(), "{culprit}: {:?}", puppet.cluster.snapshots);
        puppet.done(delete("twin"));
        assert_eq!(puppet.cluster.definitions.len(), 1);
    }
}

#[test]
fn a_failed_making_is_told_and_mended_later() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.failing = vec!["web".to_owned()];
    puppet.ask(spawn("web", 1)).expect("decided");
    let (node, desired) = puppet.told[0].clone();
    puppet.settle();
    let goal = Goal { rsc: rsc("web"), node, generation: desired.generation };
    assert!(matches!(goal.standing(&puppet.cluster), Standing::Failed(_)));
    puppet.failing.clear();
    puppet.resync();
    assert_eq!(goal.standing(&puppet.cluster), Standing::Reached);
}

#[test]
fn what_was_in_use_goes_when_asked_again() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 1));
    puppet.ask(delete("web")).expect("nobody knows of a user");
    let (node, desired) = puppet.told.remove(0);
    puppet.failing = vec!["web".to_owned()];
    let busy = ResourceReport { in_use: Some(true), ..puppet.carry_out(&desired) };
    puppet.failing.clear();
    puppet.report(&node, busy);
    let goal = |generation| Goal { rsc: rsc("web"), node: node.clone(), generation };
    let standing = goal(desired.generation).standing(&puppet.cluster);
    assert!(matches!(standing, Standing::InUse(_)), "{standing:?}");
    let note = goal(desired.generation).note(&standing).expect("told");
    assert_eq!(note.code, FAIL_IN_USE);
    puppet.ask(delete("web")).expect("the node decides, not what it said before");
    let again = puppet.told[0].1.generation;
    assert_eq!(goal(again).standing(&puppet.cluster), Standing::Pending);
    puppet.settle();
    assert!(puppet.cluster.definitions.is_empty());
}

/// The node says that the snapshot, whose removal it was told, stays.
fn refuses_removal(puppet: &mut Puppet) -> (Goal, Standing) {
    let (node, desired) = puppet.told.remove(0);
    let mut report = puppet.carry_out(&desired);
    let [message, cause, correction, details] = ["it stays", "it is being read", "ask again", ""].map(str::to_owned);
    let problem = Problem { message, cause, correction, details };
    for snapshot in &mut report.snapshots {
        (snapshot.present, snapshot.problem) = (true, Some(problem.clone()));
    }
    puppet.report(&node, report);
    let goal = Goal { rsc: desired.rsc, node, generation: desired.generation };
    let standing = goal.standing(&puppet.cluster);
    (goal, standing)
}

#[test]
fn a_snapshot_that_a_node_kept_goes_when_asked_again() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 1));
    puppet.done(snapshot("web", "one"));
    puppet.ask(delete_snapshot("web", "one")).expect("nothing reads it");
    let (first, standing) = refuses_removal(&mut puppet);
    assert!(matches!(standing, Standing::Failed(_)), "{standing:?}");
    assert!(puppet.told.is_empty(), "nobody asked again yet");
    puppet.ask(delete_snapshot("web", "one")).expect("asked again");
    assert_eq!(puppet.told.len(), 1, "the node is told again");
    let again = Goal { generation: puppet.told[0].1.generation, ..first };
    assert_eq!(again.standing(&puppet.cluster), Standing::Pending);
    puppet.settle();
    assert!(puppet.cluster.snapshots.is_empty());
}

#[test]
fn only_nodes_that_remove_a_snapshot_are_told_again() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    puppet.done(snapshot("web", "one"));
    let on_alpha = || {
        Command::Snapshot(SnapshotCommand::Delete {
            rsc: rsc("web"),
            name: snap_name("one"),
            nodes: vec![node("alpha")],
        })
    };
    puppet.ask(on_alpha()).expect("first");
    refuses_removal(&mut puppet);
    puppet.ask(on_alpha()).expect("second");
    let told: Vec<&str> = puppet.told.iter().map(|(node, _)| node.as_str()).collect();
    assert_eq!(told, ["alpha"]);
    puppet.settle();
    let left: Vec<&str> =
        puppet.cluster.snapshots.values().flat_map(|one| one.nodes.keys()).map(|n| n.as_str()).collect();
    assert_eq!(left, ["bravo"]);
}

#[test]
fn stale_and_foreign_reports_are_not_believed() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 1));
    let (at, old) = {
        let web = &puppet.cluster.definitions[&rsc("web")];
        let at = web.resources.keys().next().expect("one").clone();
        (at.clone(), crate::model::derive::desired_resource(&puppet.cluster, &rsc("web"), &at).expect("there"))
    };
    let mut gone = puppet.carry_out(&old);
    gone.gone = true;
    gone.volumes.clear();
    puppet.report(&at, gone.clone());
    assert!(puppet.cluster.definitions[&rsc("web")].resources.contains_key(&at), "nobody asked for its removal");
    puppet.ask(delete("web")).expect("not in use");
    puppet.report(&at, gone.clone());
    assert!(puppet.cluster.definitions.contains_key(&rsc("web")), "the report is older than the order");
    puppet.settle();
    assert!(puppet.cluster.definitions.is_empty());
    puppet.done(spawn("web", 1));
    gone.generation += 100;
    puppet.ask(delete("web")).expect("not in use");
    puppet.report(&at, gone);
    assert!(puppet.cluster.definitions.contains_key(&rsc("web")), "a report of an earlier definition of that name");
}

#[test]
fn a_second_deletion_while_the_first_runs_is_success() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    puppet.ask(delete("web")).expect("first");
    puppet.ask(delete("web")).expect("second");
    puppet.settle();
    assert!(puppet.cluster.definitions.is_empty());
}

#[test]
fn inactive_keeps_its_data_and_comes_back() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 1));
    let at = puppet.cluster.definitions[&rsc("web")].resources.keys().next().expect("one").clone();
    let command = |active: bool| {
        let (rsc, node) = (rsc("web"), at.clone());
        Command::Resource(match active {
            true => ResourceCommand::Activate { rsc, node },
            false => ResourceCommand::Deactivate { rsc, node },
        })
    };
    puppet.done(command(false));
    let flags = |puppet: &Puppet| puppet.cluster.definitions[&rsc("web")].resources[&at].flags;
    assert_eq!(flags(&puppet), ResourceFlags::INACTIVE);
    puppet.done(command(true));
    assert_eq!(flags(&puppet), ResourceFlags::NONE);
}

#[test]
fn replicas_under_drbd_move_without_losing_the_last_one() {
    let text = THREE.replace("grp store layers=STORAGE", "");
    let mut puppet = Puppet::new(cluster(&text));
    let mut order = spawn("web", 2);
    if let Command::Group(GroupCommand::Spawn(spawn)) = &mut order {
        spawn.filter.layers = None;
    }
    puppet.done(order);
    puppet.done(Command::Node(NodeCommand::Evacuate {
        name: node("alpha"),
        targets: Vec::new(),
        not_targets: Vec::new(),
    }));
    let web = &puppet.cluster.definitions[&rsc("web")];
    let names: Vec<String> = web.resources.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["bravo", "charlie"]);
    let toggle = |diskful: bool| {
        Command::Resource(ResourceCommand::ToggleDisk {
            rsc: rsc("web"),
            node: node("bravo"),
            diskful,
            pool: diskful.then(|| pool("data")),
            migrate_from: None,
        })
    };
    puppet.done(toggle(false));
    let bravo = |puppet: &Puppet| puppet.cluster.definitions[&rsc("web")].resources[&node("bravo")].clone();
    assert!(bravo(&puppet).flags.has(ResourceFlags::DRBD_DISKLESS));
    let refused = puppet.ask(Command::Resource(ResourceCommand::Delete {
        rsc: rsc("web"),
        node: node("charlie"),
        keep_tiebreaker: false,
    }));
    assert!(refused.is_err(), "the last disk stays");
    puppet.done(toggle(true));
    assert!(bravo(&puppet).is_diskful());
}

#[test]
fn nothing_is_placed_in_a_definition_that_goes() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 1));
    puppet.ask(delete("web")).expect("nobody uses it");
    let filter = SelectFilter { place_count: Some(2), ..SelectFilter::default() };
    let place = Command::Resource(ResourceCommand::Autoplace { rsc: rsc("web"), filter });
    let available =
        |at: &str| ResourceCommand::MakeAvailable { rsc: rsc("web"), node: node(at), diskful: true, layers: None };
    let more = ["alpha", "bravo", "charlie"].map(|at| Command::Resource(available(at)));
    for command in [place].into_iter().chain(more) {
        let refused = puppet.ask(command).expect_err("it goes");
        assert_eq!(refused.note.code, FAIL_IN_USE);
    }
    puppet.settle();
    assert!(puppet.cluster.definitions.is_empty());
}

#[test]
fn what_goes_is_not_resized() {
    let resize = || {
        Command::Definition(DefinitionCommand::VolumeModify {
            rsc: rsc("web"),
            number: volume(0),
            size: Some(Kib(4096)),
            props: PropsModify::default(),
            set: VolumeDefinitionFlags::NONE,
            clear: VolumeDefinitionFlags::NONE,
        })
    };
    let delete_volume = DefinitionCommand::VolumeDelete { rsc: rsc("web"), number: volume(0) };
    for deletion in [delete("web"), Command::Definition(delete_volume)] {
        let mut puppet = Puppet::new(cluster(THREE));
        puppet.done(spawn("web", 1));
        puppet.ask(deletion).expect("nobody uses it");
        let note = puppet.ask(resize()).expect_err("it goes").note;
        assert_eq!(note.code, FAIL_IN_USE);
        assert!(
            note.message.contains("being deleted") && note.cause.is_some() && note.correction.is_some(),
            "{note:?}"
        );
    }
}

#[test]
fn a_snapshot_that_failed_is_deleted() {
    for told_again in [false, true] {
        let mut puppet = Puppet::new(cluster(THREE));
        puppet.done(spawn("web", 2));
        puppet.failing = vec!["web".to_owned()];
        puppet.ask(snapshot("web", "one")).expect("ordered");
        puppet.settle();
        puppet.failing.clear();
        if told_again {
            puppet.resync();
        }
        let failed = puppet.cluster.snapshots.values().next().expect("it is kept, to be seen").clone();
        assert!(failed.flags.has(SnapshotFlags::FAILED_DEPLOYMENT));
        puppet.done(delete_snapshot("web", "one"));
        assert!(puppet.cluster.snapshots.is_empty(), "{:?}", puppet.cluster.snapshots);
    }
}
