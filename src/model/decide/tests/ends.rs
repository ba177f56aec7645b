//! What ends though something beside it cannot be as it is wanted, and what is not begun because it could never end.

use super::lives::{THREE, clone, delete, delete_snapshot, snap_name, snapshot, spawn};
use super::puppet::Puppet;
use crate::model::code::*;
use crate::model::command::*;
use crate::model::kinds::{ConnectionStatus, DefinitionFlags, ResourceFlags, VolumeDefinitionFlags};
use crate::model::names::NodeName;
use crate::model::observed::{NodeStatus, Sighting};
use crate::model::props::PropsModify;
use crate::model::report::{Problem, ResourceReport, VolumeReport, VolumeState};
use crate::model::size::Kib;
use crate::model::testkit::{cluster, rsc, volume};

fn problem() -> Problem {
    let [message, cause, correction, details] = ["volume 0 is missing", "gone", "bring it back", ""].map(str::to_owned);
    Problem { message, cause, correction, details }
}

fn add_volume() -> Command {
    Command::Definition(DefinitionCommand::VolumeCreate(NewVolume {
        rsc: rsc("web"),
        number: None,
        size: Kib(2048),
        flags: VolumeDefinitionFlags::NONE,
        props: PropsModify::default(),
        minor: None,
        passphrase: None,
    }))
}

fn delete_volume(number: u32) -> Command {
    Command::Definition(DefinitionCommand::VolumeDelete { rsc: rsc("web"), number: volume(number) })
}

/// The only node that was told carries its order out, but its volume 0 is as given: `missing`, `attached` or `unseen`.
fn answer(puppet: &mut Puppet, how: &str) {
    let (node, desired) = puppet.told.remove(0);
    assert!(puppet.told.is_empty());
    let found = VolumeReport {
        number: volume(0),
        state: VolumeState::Failed,
        device_path: None,
        backing_path: (how == "attached").then(|| "/dev/loop0".to_owned()),
        allocated: None,
        usable: None,
        luks: None,
    };
    let whole = puppet.carry_out(&desired);
    let others = whole.volumes.iter().filter(|volume| volume.number != found.number).cloned();
    let volumes = std::iter::once(found.clone()).chain(others).collect();
    puppet.report(&node, ResourceReport { volumes, problem: Some(problem()), seen: how != "unseen", ..whole });
}

#[test]
fn what_is_not_attached_is_inactive_whatever_else_is_wrong() {
    for (how, ends) in [("missing", true), ("attached", false), ("unseen", false)] {
        let mut puppet = Puppet::new(cluster(THREE));
        puppet.done(spawn("web", 1));
        let at = puppet.cluster.definitions[&rsc("web")].resources.keys().next().expect("one").clone();
        puppet.ask(Command::Resource(ResourceCommand::Deactivate { rsc: rsc("web"), node: at.clone() })).expect("idle");
        answer(&mut puppet, how);
        let flags = puppet.cluster.definitions[&rsc("web")].resources[&at].flags;
        let wanted = if ends { ResourceFlags::INACTIVE } else { ResourceFlags::INACTIVATING };
        assert_eq!(flags, wanted, "{how}");
    }
}

#[test]
fn a_volume_goes_though_another_one_is_missing() {
    for (how, left) in [("missing", 1), ("unseen", 2)] {
        let mut puppet = Puppet::new(cluster(THREE));
        puppet.done(spawn("web", 1));
        puppet.done(add_volume());
        puppet.ask(delete_volume(1)).expect("idle");
        answer(&mut puppet, how);
        assert_eq!(puppet.cluster.definitions[&rsc("web")].volumes.len(), left, "{how}");
    }
}

#[test]
fn a_volume_goes_though_its_replica_gets_a_disk() {
    let text = "rsc web 10 alpha/data:made bravo/-:made";
    let mut puppet = Puppet::new(cluster(&format!("{THREE}\n{text}")));
    puppet.ask(delete_volume(0)).expect("idle");
    let bravo = crate::model::testkit::node("bravo");
    let toggle = ResourceCommand::ToggleDisk {
        rsc: rsc("web"),
        node: bravo,
        diskful: true,
        pool: Some(crate::model::testkit::pool("data")),
        migrate_from: None,
    };
    puppet.ask(Command::Resource(toggle)).expect("it may have one");
    puppet.settle();
    let web = &puppet.cluster.definitions[&rsc("web")];
    assert!(web.volumes.is_empty(), "{:?}", web.volumes);
    assert!(web.resources.values().all(|resource| resource.volumes.is_empty()), "{:?}", web.resources);
}

#[test]
fn a_snapshot_is_of_the_volumes_that_stay() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    puppet.done(add_volume());
    puppet.ask(delete_volume(0)).expect("idle");
    // Of two nodes one has lost its volume already.
    let (first, desired) = puppet.told.remove(0);
    let report = puppet.carry_out(&desired);
    puppet.report(&first, report);
    puppet.ask(snapshot("web", "one")).expect("one volume stays");
    puppet.settle();
    let taken = puppet.cluster.snapshots.values().next().expect("taken").clone();
    assert!(taken.nodes.values().all(|part| part.taken && part.volumes.keys().eq(taken.volumes.keys())), "{taken:?}");
    assert_eq!(taken.volumes.keys().copied().collect::<Vec<_>>(), [volume(1)]);
    puppet.ask(delete_volume(1)).expect("idle");
    let refused = puppet.ask(snapshot("web", "two")).expect_err("nothing stays");
    assert_eq!(refused.note.code, FAIL_NOT_FOUND_VLM_DFN);
}

/// `web` has the snapshot `one` on two nodes, of which the last one is away; a replica of `db` is to be made there.
fn half_restored() -> (Puppet, NodeName) {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    puppet.done(snapshot("web", "one"));
    let away = puppet.cluster.definitions[&rsc("web")].resources.keys().next_back().expect("two").clone();
    let offline = NodeStatus { status: ConnectionStatus::Offline, ..NodeStatus::unknown() };
    puppet.cluster.sight(Sighting::Node(away.clone(), offline));
    puppet.done(Command::Node(NodeCommand::Evict { name: away.clone() }));
    puppet.done(Command::Definition(DefinitionCommand::Create(NewDefinition {
        name: Naming::Name(rsc("db")),
        group: None,
        layers: Some(vec![crate::model::kinds::LayerKind::Storage]),
        props: PropsModify::default(),
        peer_slots: None,
        secret: None,
    })));
    let (from, name) = (rsc("web"), snap_name("one"));
    puppet.done(Command::Snapshot(SnapshotCommand::RestoreVolumes { rsc: from, name, to: rsc("db") }));
    (puppet, away)
}

fn restore_to_db(nodes: &[NodeName]) -> Command {
    let (rsc_name, name, nodes) = (rsc("web"), snap_name("one"), nodes.to_vec());
    Command::Snapshot(SnapshotCommand::RestoreResources {
        rsc: rsc_name,
        name,
        to: rsc("db"),
        nodes,
        pools: Default::default(),
    })
}

fn bring_back(name: &NodeName) -> Command {
    Command::Node(NodeCommand::Restore { name: name.clone(), delete_resources: true, delete_snapshots: true })
}

fn parts(puppet: &Puppet) -> usize {
    puppet.cluster.snapshots.values().flat_map(|snapshot| snapshot.nodes.values()).filter(|part| part.stays()).count()
}

#[test]
fn a_node_that_comes_back_keeps_the_snapshot_that_it_is_to_read() {
    let (mut puppet, away) = half_restored();
    puppet.ask(restore_to_db(&[])).expect("both nodes have it");
    // What is told to the node that is away does not arrive.
    puppet.told.retain(|(node, _)| *node != away);
    puppet.settle();
    let notes = puppet.done(bring_back(&away));
    let kept = |note: &&crate::model::refusal::Note| note.code == WARN_NO_EFFECT && note.message.contains("Snapshot");
    assert_eq!(notes.iter().filter(kept).count(), 1, "{notes:?}");
    assert_eq!(parts(&puppet), 2);
    puppet.resync();
    let made =
        |puppet: &Puppet| puppet.cluster.definitions[&rsc("db")].resources.values().all(|db| db.holds(volume(0)));
    assert!(made(&puppet));
    puppet.done(delete_snapshot("web", "one"));
    assert!(puppet.cluster.snapshots.is_empty(), "nothing reads it any more");
}

#[test]
fn nothing_is_restored_from_a_part_that_goes() {
    let (mut puppet, away) = half_restored();
    puppet.ask(bring_back(&away)).expect("evicted");
    puppet.told.clear();
    assert_eq!(parts(&puppet), 1);
    let refused = puppet.ask(restore_to_db(std::slice::from_ref(&away))).expect_err("it goes there");
    assert_eq!(refused.note.code, FAIL_NOT_FOUND_SNAPSHOT);
    puppet.done(restore_to_db(&[]));
    assert!(!puppet.cluster.definitions[&rsc("db")].resources.contains_key(&away));
}

#[test]
fn a_snapshot_without_a_part_that_stays_goes() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 1));
    puppet.done(snapshot("web", "one"));
    let away = puppet.cluster.definitions[&rsc("web")].resources.keys().next().expect("one").clone();
    let offline = NodeStatus { status: ConnectionStatus::Offline, ..NodeStatus::unknown() };
    puppet.cluster.sight(Sighting::Node(away.clone(), offline));
    puppet.done(Command::Node(NodeCommand::Evict { name: away.clone() }));
    puppet.ask(bring_back(&away)).expect("evicted");
    let again = Command::Snapshot(SnapshotCommand::Rollback { rsc: rsc("web"), name: snap_name("one") });
    assert_eq!(puppet.ask(again).expect_err("it goes").note.code, FAIL_SNAPSHOT_NOT_UPTODATE);
}

#[test]
fn a_clone_that_is_deleted_takes_its_snapshot_along() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    puppet.ask(clone("web", "copy")).expect("ready");
    puppet.ask(delete("copy")).expect("nobody uses it");
    puppet.settle();
    assert!(puppet.cluster.snapshots.is_empty(), "{:?}", puppet.cluster.snapshots);
    puppet.done(delete("web"));
    assert!(puppet.cluster.definitions.is_empty());
}

#[test]
fn a_clone_whose_only_replica_is_deleted_has_failed() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 1));
    puppet.ask(clone("web", "copy")).expect("ready");
    let (node, desired) = puppet.told.remove(0);
    let taken = puppet.carry_out(&desired);
    puppet.report(&node, taken);
    let there = ResourceCommand::Delete { rsc: rsc("copy"), node, keep_tiebreaker: false };
    puppet.ask(Command::Resource(there)).expect("nobody uses it");
    // The newest order alone is carried out.
    puppet.told = puppet.told.split_off(puppet.told.len() - 1);
    puppet.settle();
    let copy = &puppet.cluster.definitions[&rsc("copy")];
    assert!(copy.flags.has(DefinitionFlags::FAILED) && !copy.flags.has(DefinitionFlags::CLONING), "{:?}", copy.flags);
    assert!(puppet.cluster.snapshots.is_empty(), "{:?}", puppet.cluster.snapshots);
}

#[test]
fn a_clone_whose_snapshot_is_deleted_has_failed() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 2));
    puppet.ask(clone("web", "copy")).expect("ready");
    let name = puppet.cluster.snapshots.keys().next().expect("the clone's").name.to_string();
    puppet.done(delete_snapshot("web", &name));
    let copy = &puppet.cluster.definitions[&rsc("copy")];
    assert!(copy.flags.has(DefinitionFlags::FAILED) && !copy.flags.has(DefinitionFlags::CLONING), "{:?}", copy.flags);
    assert!(puppet.cluster.snapshots.is_empty());
}
