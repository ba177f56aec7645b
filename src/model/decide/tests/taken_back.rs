//! Orders that take data away and that a node refuses: they are taken back, and nothing of them is done later.

use super::lives::{THREE, delete, delete_snapshot, snap_name, snapshot, spawn};
use super::puppet::Puppet;
use crate::model::code::*;
use crate::model::command::*;
use crate::model::definition::{ResourceDefinition, VolumeDefinition};
use crate::model::desired::DesiredResource;
use crate::model::kinds::VolumeDefinitionFlags;
use crate::model::names::NodeName;
use crate::model::observed::{NodeStatus, Sighting};
use crate::model::props::PropsModify;
use crate::model::report::{Problem, Refused, ResourceReport};
use crate::model::size::Kib;
use crate::model::testkit::{cluster, rsc, volume};
use crate::model::wait::{Goal, Standing};

fn resize(size: u64) -> Command {
    Command::Definition(DefinitionCommand::VolumeModify {
        rsc: rsc("web"),
        number: volume(0),
        size: Some(Kib(size)),
        props: PropsModify::default(),
        set: VolumeDefinitionFlags::NONE,
        clear: VolumeDefinitionFlags::NONE,
    })
}

fn rollback(name: &str) -> Command {
    Command::Snapshot(SnapshotCommand::Rollback { rsc: rsc("web"), name: snap_name(name) })
}

fn definition(puppet: &Puppet) -> &ResourceDefinition {
    &puppet.cluster.definitions[&rsc("web")]
}

fn first_volume(puppet: &Puppet) -> &VolumeDefinition {
    &definition(puppet).volumes[&volume(0)]
}

/// What a node says that does not begin with an order because of a user.
fn refusal(puppet: &Puppet, desired: &DesiredResource, refused: Refused) -> ResourceReport {
    let [message, cause, correction, details] = ["it is in use", "it is mounted", "unmount it", ""].map(str::to_owned);
    ResourceReport {
        in_use: Some(true),
        problem: Some(Problem { message, cause, correction, details }),
        refused: vec![refused],
        rolled_back: None,
        ..puppet.carry_out(desired)
    }
}

/// The first node that was told answers with a refusal.
fn refuse(puppet: &mut Puppet, refused: Refused) -> Goal {
    let (node, desired) = puppet.told.remove(0);
    let report = refusal(puppet, &desired, refused);
    puppet.report(&node, report);
    Goal { rsc: desired.rsc, node, generation: desired.generation }
}

fn web(replicas: u32) -> Puppet {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", replicas));
    puppet
}

#[test]
fn a_shrink_that_a_node_refuses_is_taken_back_and_can_be_asked_again() {
    let mut puppet = web(1);
    puppet.ask(resize(512)).expect("decided");
    assert_eq!(puppet.told[0].1.volumes[0].size, Kib(512));
    let goal = refuse(&mut puppet, Refused::Shrink(volume(0)));
    assert!(goal.is_taken_back(&puppet.cluster));
    assert!(matches!(goal.standing(&puppet.cluster), Standing::InUse(_)));
    let now = first_volume(&puppet);
    assert_eq!((now.size, now.cut), (Kib(1024), None));
    assert!(!now.flags.has(VolumeDefinitionFlags::RESIZE_SHRINK));
    let told = &puppet.told[0].1.volumes[0];
    assert_eq!((told.size, told.shrink), (Kib(1024), false), "the node is told that nothing is to be done");
    puppet.settle();
    assert!(!goal.is_taken_back(&puppet.cluster));
    puppet.done(resize(512));
    let now = first_volume(&puppet);
    assert_eq!((now.size, now.cut), (Kib(512), None));
    assert!(!now.flags.has(VolumeDefinitionFlags::RESIZE_SHRINK));
}

#[test]
fn several_shrinks_go_back_to_where_the_first_began_and_an_old_refusal_tells_nothing() {
    let mut puppet = web(1);
    puppet.ask(resize(800)).expect("decided");
    puppet.ask(resize(512)).expect("decided");
    let (first, second) = (puppet.told.remove(0), puppet.told.remove(0));
    let stale = refusal(&puppet, &first.1, Refused::Shrink(volume(0)));
    puppet.report(&first.0, stale);
    assert_eq!(first_volume(&puppet).size, Kib(512), "of an order that is no more");
    let fresh = refusal(&puppet, &second.1, Refused::Shrink(volume(0)));
    puppet.report(&second.0, fresh.clone());
    assert_eq!(first_volume(&puppet).size, Kib(1024));
    puppet.settle();
    puppet.done(resize(2048));
    puppet.report(&second.0, fresh);
    assert_eq!(first_volume(&puppet).size, Kib(2048), "nothing is to be taken back");
}

#[test]
fn a_growth_ends_a_shrink() {
    let mut puppet = web(1);
    puppet.ask(resize(512)).expect("decided");
    puppet.ask(resize(900)).expect("decided");
    let now = first_volume(&puppet);
    assert_eq!((now.size, now.cut), (Kib(900), None));
}

#[test]
fn a_rollback_that_one_node_refuses_is_taken_back_on_all() {
    let mut puppet = web(2);
    puppet.done(snapshot("web", "one"));
    puppet.done(resize(2048));
    puppet.ask(rollback("one")).expect("decided");
    assert_eq!((puppet.told.len(), first_volume(&puppet).size), (2, Kib(1024)));
    let token = puppet.told[0].1.rollback.as_ref().expect("ordered").token;
    let late = puppet.told[1].clone();
    let goal = refuse(&mut puppet, Refused::Rollback(token));
    assert!(goal.is_taken_back(&puppet.cluster));
    assert!(definition(&puppet).resources.values().all(|resource| resource.rollback.is_none()));
    assert_eq!((first_volume(&puppet).size, first_volume(&puppet).cut), (Kib(2048), None));
    puppet.told.remove(0);
    let told: Vec<&NodeName> = puppet.told.iter().map(|(node, _)| node).collect();
    assert_eq!(told.len(), 2, "both are told of no rollback any more: {told:?}");
    assert!(puppet.told.iter().all(|(_, desired)| desired.rollback.is_none()));
    let done = puppet.carry_out(&late.1);
    puppet.report(&late.0, done);
    puppet.settle();
    assert_eq!(first_volume(&puppet).size, Kib(2048));
    puppet.done(rollback("one"));
    assert_eq!((first_volume(&puppet).size, first_volume(&puppet).cut), (Kib(1024), None));
}

fn away(puppet: &mut Puppet, node: &NodeName) {
    puppet.told.clear();
    puppet.cluster.sight(Sighting::Node(node.clone(), NodeStatus::unknown()));
    puppet.cluster.sight(Sighting::Resource(rsc("web"), node.clone(), None));
}

/// A resource whose rollback was ordered, and then its node went.
fn stuck() -> (Puppet, NodeName) {
    let mut puppet = web(1);
    puppet.done(snapshot("web", "one"));
    puppet.done(resize(2048));
    puppet.ask(rollback("one")).expect("decided");
    let refusal = puppet.ask(delete_snapshot("web", "one")).expect_err("under way");
    assert_eq!(refusal.note.code, FAIL_SNAPSHOT_ROLLBACK_IN_PROGRESS);
    let node = puppet.told[0].0.clone();
    away(&mut puppet, &node);
    (puppet, node)
}

#[test]
fn a_rollback_whose_node_is_away_ends_with_its_snapshot() {
    let (mut puppet, _) = stuck();
    let refusal = puppet.ask(snapshot("web", "two")).expect_err("not over");
    assert!(refusal.note.correction.as_deref().expect("a cure").contains("delete snapshot 'one'"));
    puppet.done(delete_snapshot("web", "one"));
    assert!(definition(&puppet).resources.values().all(|resource| resource.rollback.is_none()));
    assert_eq!((first_volume(&puppet).size, first_volume(&puppet).cut), (Kib(2048), None));
    assert!(puppet.cluster.snapshots.is_empty());
}

fn delete_volume(number: u32) -> Command {
    Command::Definition(DefinitionCommand::VolumeDelete { rsc: rsc("web"), number: volume(number) })
}

#[test]
fn a_rollback_whose_node_is_away_ends_with_a_volume_that_goes() {
    let mut puppet = web(1);
    puppet.done(snapshot("web", "one"));
    puppet.ask(rollback("one")).expect("decided");
    let refusal = puppet.ask(delete_volume(0)).expect_err("under way");
    assert_eq!(refusal.note.code, FAIL_SNAPSHOT_ROLLBACK_IN_PROGRESS);
    let node = puppet.told[0].0.clone();
    away(&mut puppet, &node);
    puppet.ask(delete_volume(0)).expect("it ends the rollback");
    assert!(definition(&puppet).resources.values().all(|resource| resource.rollback.is_none()));
    puppet.settle();
    assert!(definition(&puppet).volumes.is_empty());
}

#[test]
fn nothing_goes_back_while_a_volume_goes() {
    let mut puppet = web(1);
    puppet.done(snapshot("web", "one"));
    puppet.ask(delete_volume(0)).expect("idle");
    let refusal = puppet.ask(rollback("one")).expect_err("there will be nothing to go back");
    assert_eq!(refusal.note.code, FAIL_RSC_BUSY);
}

#[test]
fn a_replica_goes_back_only_in_the_pool_that_has_the_snapshot() {
    let mut puppet = web(2);
    puppet.done(snapshot("web", "one"));
    puppet.done(rollback("one"));
    let mut moved = definition(&puppet).clone();
    let (node, resource) = moved.resources.iter_mut().next().expect("two");
    resource.volumes.get_mut(&volume(0)).expect("one").pool = crate::model::testkit::pool("other");
    let node = node.clone();
    let name = moved.name.clone();
    puppet.cluster.apply(&crate::model::change::Change::Definition(name, Some(std::sync::Arc::new(moved))));
    let refusal = puppet.ask(rollback("one")).expect_err("it could never be done");
    assert_eq!(refusal.note.code, FAIL_NOT_FOUND_SNAPSHOT);
    assert!(refusal.note.message.contains(node.as_str()), "{:?}", refusal.note);
    assert!(refusal.note.cause.as_deref().is_some_and(|cause| cause.contains("'other'")), "{:?}", refusal.note);
}

#[test]
fn a_removal_wins_over_a_rollback_and_over_snapshots_that_are_going() {
    let (mut puppet, node) = stuck();
    let refusal = puppet.ask(delete("web")).expect_err("a snapshot stays");
    assert_eq!(refusal.note.code, FAIL_EXISTS_SNAPSHOT_DFN);
    puppet.ask(delete_snapshot("web", "one")).expect("it ends the rollback");
    puppet.ask(delete("web")).expect("the snapshot is going");
    assert!(definition(&puppet).resources.values().all(|r| r.rollback.is_none() && r.is_deleting()));
    puppet.told.clear();
    puppet.cluster.sight(Sighting::Node(node, NodeStatus::unknown()));
    puppet.resync();
    assert!(puppet.cluster.definitions.is_empty() && puppet.cluster.snapshots.is_empty());
}

#[test]
fn a_removal_takes_a_pending_rollback_with_it() {
    let (mut puppet, _) = stuck();
    let key = puppet.cluster.snapshots.keys().next().expect("one").clone();
    puppet.cluster.apply(&crate::model::change::Change::Snapshot(key, None));
    puppet.ask(delete("web")).expect("it wins");
    assert!(puppet.told.iter().all(|(_, desired)| desired.rollback.is_none()), "{:?}", puppet.told);
    assert!(definition(&puppet).resources.values().all(|resource| resource.rollback.is_none()));
}

#[test]
fn a_refusal_of_what_was_not_ordered_takes_nothing_back() {
    let mut puppet = web(2);
    puppet.done(snapshot("web", "one"));
    puppet.done(resize(2048));
    puppet.ask(rollback("one")).expect("decided");
    // The cut is the rollback's: no node was told to shrink.
    let (node, desired) = puppet.told[0].clone();
    let report = refusal(&puppet, &desired, Refused::Shrink(volume(0)));
    puppet.report(&node, report);
    assert_eq!(first_volume(&puppet).size, Kib(1024));
    let report = refusal(&puppet, &desired, Refused::Rollback(crate::model::moment::Uuid(1)));
    puppet.report(&node, report);
    assert!(
        definition(&puppet).resources.values().all(|resource| resource.rollback.is_some()),
        "another order's token"
    );
}
