//! Snapshots: where they are taken, who reads from them, and where they may be put back or restored.

use super::*;
use crate::model::desired::Origin;
use crate::model::snapshot::{Snapshot, SnapshotKey};

const THREE: &str = "
    node alpha\npool alpha data FILE_THIN 9000/9000\npool alpha other FILE_THIN 9000/9000
    node bravo\npool bravo data FILE_THIN 8000/9000
    node charlie offline\npool charlie data FILE_THIN 7000/9000
";

fn snap_name(name: &str) -> SnapName {
    SnapName::parse(name).expect("a legal name")
}

fn take(name: &str, nodes: &[&str]) -> Command {
    let nodes = nodes.iter().map(|name| node_name(name)).collect();
    let new = NewSnapshot { rsc: rsc_name("web"), name: snap_name(name), nodes, props: PropsModify::default() };
    Command::Snapshot(SnapshotCommand::Create { snapshots: vec![new] })
}

fn rollback(name: &str) -> Command {
    Command::Snapshot(SnapshotCommand::Rollback { rsc: rsc_name("web"), name: snap_name(name) })
}

fn delete(name: &str, nodes: &[&str]) -> Command {
    let nodes = nodes.iter().map(|name| node_name(name)).collect();
    Command::Snapshot(SnapshotCommand::Delete { rsc: rsc_name("web"), name: snap_name(name), nodes })
}

fn restore_volumes(name: &str, to: &str) -> Command {
    let (rsc, to) = (rsc_name("web"), rsc_name(to));
    Command::Snapshot(SnapshotCommand::RestoreVolumes { rsc, name: snap_name(name), to })
}

fn restore(name: &str, to: &str, nodes: &[&str], pools: &[(&str, &str)]) -> Command {
    Command::Snapshot(SnapshotCommand::RestoreResources {
        rsc: rsc_name("web"),
        name: snap_name(name),
        to: rsc_name(to),
        nodes: nodes.iter().map(|name| node_name(name)).collect(),
        pools: pools.iter().map(|(from, to)| (pool_name(from), pool_name(to))).collect(),
    })
}

fn with(text: &str) -> World {
    World::of(&format!("{THREE}{text}"))
}

/// The only snapshot of that name.
fn find<'a>(world: &'a World, name: &str) -> &'a Snapshot {
    &world.cluster.snapshots[&key(name)]
}

fn key(name: &str) -> SnapshotKey {
    SnapshotKey { rsc: rsc_name("web"), name: snap_name(name) }
}

fn alter_snapshot(world: &mut World, name: &str, change: impl FnOnce(&mut Snapshot)) {
    let mut snapshot = find(world, name).clone();
    change(&mut snapshot);
    world.cluster.apply(&Change::Snapshot(key(name), Some(Arc::new(snapshot))));
}

#[test]
fn a_snapshot_is_taken_on_the_nodes_named_or_on_all_that_answer() {
    for (places, named, on) in [
        ("alpha/data:made bravo/data:made", &[][..], &["alpha", "bravo"][..]),
        ("alpha/data:made bravo/data:made", &["bravo"], &["bravo"]),
        ("alpha/data:made bravo/-", &[], &["alpha"]),
        ("alpha/data:made charlie/data:made", &[], &["alpha"]),
    ] {
        let mut world = with(&format!("rsc web 10 {places}"));
        let notes = world.ask(take("one", named));
        let snapshot = find(&world, "one");
        assert_eq!(snapshot.nodes.keys().map(NodeName::as_str).collect::<Vec<_>>(), on, "{places}");
        assert_eq!(codes(&notes).contains(&WARN_NOT_CONNECTED), places.contains("charlie"), "{places}");
    }
    let mut world = with("rsc web 10 alpha/data:made bravo/data:made");
    let mut node = world.node("bravo").clone();
    node.flags = NodeFlags::EVACUATE;
    world.cluster.apply(&Change::Node(node.name.clone(), Some(Arc::new(node))));
    world.ask(take("one", &[]));
    assert_eq!(find(&world, "one").nodes.len(), 1, "bravo is being emptied");
}

#[test]
fn snapshots_are_numbered_on() {
    let mut world = with("rsc web 10 alpha/data:made");
    for (name, sequence) in [("one", 1), ("two", 2)] {
        world.ask(take(name, &[]));
        let snapshot = find(&world, name);
        assert_eq!((snapshot.sequence, snapshot.props.get("SequenceNumber")), (sequence, Some(&*sequence.to_string())));
    }
    world.cluster.apply(&Change::Snapshot(key("one"), None));
    world.ask(take("three", &[]));
    assert_eq!(find(&world, "three").sequence, 3);
}

#[test]
fn what_cannot_be_taken_is_refused() {
    let table = [
        ("rsc web 10", &[][..], FAIL_NOT_CONNECTED),
        ("rsc web 10 charlie/data:made", &[], FAIL_NOT_CONNECTED),
        ("rsc web 10 charlie/data:made", &["charlie"], FAIL_NOT_CONNECTED),
        ("rsc web 10 alpha/data", &[], FAIL_SNAPSHOT_NOT_UPTODATE),
        ("rsc web 10 alpha/data:made:deleting", &["alpha"], FAIL_SNAPSHOT_NOT_UPTODATE),
        ("rsc web 10 alpha/data:made", &["bravo"], FAIL_NOT_FOUND_RSC),
        ("rsc web 10 alpha/data:made bravo/-", &["bravo"], FAIL_SNAPSHOTS_NOT_SUPPORTED),
        ("rsc web 10 alpha/data:made\nsnap web one alpha/data", &[], FAIL_EXISTS_SNAPSHOT_DFN),
        ("pool alpha thick LVM unseen\nrsc web 10 alpha/thick:made", &[], FAIL_SNAPSHOTS_NOT_SUPPORTED),
    ];
    for (text, nodes, expected) in table {
        assert_eq!(with(text).code(&take("one", nodes)), expected, "{text}");
    }
    let mut world = with("rsc web 10 alpha/data:made");
    for going in [DefinitionFlags::DELETE, DefinitionFlags::CLONING] {
        world.alter("web", |web| web.flags = going);
        assert_eq!(world.code(&take("one", &[])), FAIL_IN_USE, "{going:?}");
    }
    world.alter("web", |web| {
        web.flags = DefinitionFlags::NONE;
        web.volumes = Default::default();
    });
    assert_eq!(world.code(&take("one", &[])), FAIL_NOT_FOUND_VLM_DFN);
}

#[test]
fn a_pool_that_says_so_makes_no_snapshots() {
    let mut world = with("rsc web 10 alpha/data:made");
    let capacity = Ok(Capacity { free: Kib(9), total: Kib(9) });
    let status = PoolStatus { capacity, supports_snapshots: false, granularity: Kib(4), warning: None };
    world.cluster.sight(Sighting::Pool(node_name("alpha"), pool_name("data"), status));
    assert_eq!(world.code(&take("one", &[])), FAIL_SNAPSHOTS_NOT_SUPPORTED);
}

#[test]
fn volumes_on_their_way_out_are_in_no_snapshot() {
    let mut world = with("rsc web 10 alpha/data:made");
    world.alter("web", |web| {
        let number = VolumeNumber::new(1).expect("a legal number");
        let mut going = web.volumes.values().next().expect("one").clone();
        (going.number, going.flags) = (number, VolumeDefinitionFlags::DELETE);
        web.volumes.insert(number, going);
    });
    world.ask(take("one", &[]));
    assert_eq!(find(&world, "one").volumes.len(), 1);
}

#[test]
fn a_snapshot_goes_on_the_nodes_named_or_wholly() {
    let text = "rsc web 10 alpha/data:made bravo/data:made\nsnap web one alpha/data bravo/data";
    for (nodes, parts, whole) in
        [(&[][..], [true, true], true), (&["bravo"], [false, true], false), (&["alpha", "bravo"], [true, true], true)]
    {
        let mut world = with(text);
        world.ask(delete("one", nodes));
        let snapshot = find(&world, "one");
        let going: Vec<bool> = snapshot.nodes.values().map(|part| part.flags.has(SnapshotNodeFlags::DELETE)).collect();
        assert_eq!((going, snapshot.flags.has(SnapshotFlags::DELETE)), (parts.to_vec(), whole), "{nodes:?}");
    }
    let mut world = with(text);
    assert_eq!(codes(&world.ask_in_vain(&delete("ghost", &[]))), [WARN_NOT_FOUND]);
}

#[test]
fn a_snapshot_stays_while_a_volume_is_made_from_it() {
    let mut world =
        with("rsc web 10 alpha/data:made\nsnap web one alpha/data\nsnap web two alpha/data\nrsc copy 10 alpha/data");
    let origin = |of: &str, name: &str| Origin::Snapshot {
        rsc: rsc_name(of),
        snapshot: snap_name(name),
        volume: VolumeNumber::new(0).expect("a legal number"),
    };
    for (made_from, stays) in [
        (origin("web", "one"), true),
        (origin("web", "two"), false),
        (origin("other", "one"), false),
        (Origin::Blank, false),
    ] {
        world.alter("copy", |copy| {
            let volumes = copy.resources.values_mut().flat_map(|resource| resource.volumes.values_mut());
            volumes.for_each(|volume| volume.origin = made_from.clone());
        });
        let refused = decide(&world.cluster, &delete("one", &[]), Moment::repeatable(EpochMs(1), 1)).is_err();
        assert_eq!(refused, stays, "{made_from:?}");
    }
}

#[test]
fn only_what_was_taken_and_stays_can_be_used() {
    let mut world = with("rsc web 10 alpha/data:made\nsnap web one alpha/data\nrsc copy 10");
    world.alter("copy", |copy| copy.volumes = Default::default());
    type Flags = SnapshotFlags;
    for flags in [Flags::NONE, Flags::FAILED_DEPLOYMENT, Flags::DELETE, Flags::SUCCESSFUL.with(Flags::DELETE)] {
        alter_snapshot(&mut world, "one", |snapshot| snapshot.flags = flags);
        for command in [rollback("one"), restore_volumes("one", "copy"), restore("one", "copy", &[], &[])] {
            assert_eq!(world.code(&command), FAIL_SNAPSHOT_NOT_UPTODATE, "{flags:?}");
        }
    }
    assert_eq!(world.code(&rollback("ghost")), FAIL_NOT_FOUND_SNAPSHOT);
}

#[test]
fn a_restored_definition_has_the_volumes_and_their_content() {
    let text = "rsc web 10 alpha/data:made bravo/data:made\nsnap web one alpha/data bravo/data\nrsc copy 7";
    let mut world = with(text);
    assert_eq!(world.code(&restore_volumes("one", "copy")), FAIL_EXISTS_VLM_DFN);
    assert_eq!(world.code(&restore("one", "copy", &[], &[])), FAIL_INVLD_VLM_SIZES, "smaller than the snapshot");
    world.alter("copy", |copy| copy.volumes = Default::default());
    assert_eq!(world.code(&restore("one", "copy", &[], &[])), FAIL_INVLD_VLM_SIZES, "no volumes");
    world.ask(restore_volumes("one", "copy"));
    let first = world.definition("copy").volumes.values().next().expect("restored").clone();
    assert_eq!((first.size, first.flags), (Kib(10), VolumeDefinitionFlags::NONE));
    assert_eq!(world.code(&restore("one", "copy", &["charlie"], &[])), FAIL_NOT_FOUND_SNAPSHOT);
    world.ask(restore("one", "copy", &["alpha"], &[("data", "other")]));
    let volume = world.resource("copy", "alpha").volumes.values().next().expect("one").clone();
    let number = VolumeNumber::new(0).expect("a legal number");
    let origin = Origin::Snapshot { rsc: rsc_name("web"), snapshot: snap_name("one"), volume: number };
    assert_eq!((volume.pool.as_str(), volume.origin, volume.made), ("other", origin, false));
    assert_eq!(world.code(&restore("one", "copy", &[], &[])), FAIL_EXISTS_RSC);
    world.ask(restore("one", "copy", &["bravo"], &[]));
    assert_eq!(world.definition("copy").resources.len(), 2);
    // Grown volumes take the content, too; another one more does not.
    let mut world = with(text);
    world.alter("copy", |copy| copy.volumes.values_mut().for_each(|volume| volume.size = Kib(11)));
    world.ask(restore("one", "copy", &[], &[]));
    let mut world = with(text);
    world.alter("copy", |copy| {
        let number = VolumeNumber::new(1).expect("a legal number");
        let mut more = copy.volumes.values_mut().next().expect("one").clone();
        copy.volumes.values_mut().for_each(|volume| volume.size = Kib(10));
        more.number = number;
        copy.volumes.insert(number, more);
    });
    assert_eq!(world.code(&restore("one", "copy", &[], &[])), FAIL_INVLD_VLM_SIZES);
    world.alter("copy", |copy| copy.flags = DefinitionFlags::DELETE);
    assert_eq!(world.code(&restore("one", "copy", &[], &[])), FAIL_IN_USE);
}

#[test]
fn a_rollback_needs_every_disk_and_its_part() {
    let drbd = with("rsc web 10 alpha/data:made\nsnap web one alpha/data");
    assert_eq!(drbd.code(&rollback("one")), FAIL_SNAPSHOTS_NOT_SUPPORTED);
    let table = [
        ("alpha/data:made", "alpha/data", None),
        ("alpha/data:made bravo/data:made", "alpha/data bravo/data", None),
        ("alpha/data:made bravo/data:made", "alpha/data", Some(FAIL_NOT_FOUND_SNAPSHOT)),
        ("alpha/data:made charlie/data:made", "alpha/data charlie/data", Some(FAIL_NOT_CONNECTED)),
        ("alpha/data:made bravo/data", "alpha/data bravo/data", Some(FAIL_RSC_BUSY)),
        ("alpha/data:made bravo/data:made:deleting", "alpha/data bravo/data", Some(FAIL_RSC_BUSY)),
    ];
    for (places, parts, expected) in table {
        let mut world = with(&format!("rsc web 10 {places}\nsnap web one {parts}"));
        world.alter("web", |web| web.layers = vec![LayerKind::Storage]);
        if let Some(expected) = expected {
            assert_eq!(world.code(&rollback("one")), expected, "{places} {parts}");
            continue;
        }
        world.tell("web", "alpha", VolumeState::Created, true);
        assert_eq!(world.code(&rollback("one")), FAIL_IN_USE, "{places}");
        world.tell("web", "alpha", VolumeState::Created, false);
        world.alter("web", |web| web.volumes.values_mut().for_each(|volume| volume.size = Kib(20)));
        world.ask(rollback("one"));
        let web = world.definition("web");
        assert!(web.resources.values().all(|resource| resource.rollback.is_some()), "{places}");
        let volume = web.volumes.values().next().expect("one");
        let cut = volume.cut.expect("it can be taken back");
        assert_eq!((volume.size, cut.from, cut.ordered), (Kib(10), Kib(20), web.generation));
        for command in [rollback("one"), take("two", &[])] {
            assert_eq!(world.code(&command), FAIL_SNAPSHOT_ROLLBACK_IN_PROGRESS);
        }
    }
    let mut world = with("rsc web 10 alpha/data:made\nsnap web one alpha/data");
    world.alter("web", |web| {
        web.layers = vec![LayerKind::Storage];
        let number = VolumeNumber::new(1).expect("a legal number");
        let mut more = web.volumes.values().next().expect("one").clone();
        more.number = number;
        web.volumes.insert(number, more);
    });
    assert_eq!(world.code(&rollback("one")), FAIL_INVLD_VLM_COUNT);
}

#[test]
fn a_rollback_is_taken_back_with_its_snapshot_where_it_is_stuck() {
    let rolling = || {
        let mut world = with(
            "rsc web 10 alpha/data:made bravo/data:made\nsnap web one alpha/data bravo/data\nsnap web two alpha/data",
        );
        world.alter("web", |web| web.layers = vec![LayerKind::Storage]);
        world.ask(rollback("one"));
        world
    };
    let ends = |world: &mut World, name: &str| {
        let decided = decide(&world.cluster, &delete(name, &[]), Moment::repeatable(EpochMs(1), 1));
        let decision = decided.map_err(|refusal| refusal.note.code)?;
        decision.changes.iter().for_each(|change| world.cluster.apply(change));
        Ok::<bool, u16>(world.definition("web").resources.values().all(|resource| resource.rollback.is_none()))
    };
    let mut world = rolling();
    assert_eq!(ends(&mut world, "one"), Err(FAIL_SNAPSHOT_ROLLBACK_IN_PROGRESS));
    assert_eq!(ends(&mut world, "two"), Ok(false), "it is another one");
    world.link("alpha", ConnectionStatus::Offline);
    assert_eq!(ends(&mut world, "one"), Err(FAIL_SNAPSHOT_ROLLBACK_IN_PROGRESS), "bravo is under way");
    world.link("bravo", ConnectionStatus::Offline);
    assert_eq!(ends(&mut world, "one"), Ok(true));
    let mut world = rolling();
    world.alter("web", |web| web.flags = DefinitionFlags::DELETE);
    assert_eq!(ends(&mut world, "one"), Ok(true), "all of it goes");
}

#[test]
fn properties_change_once() {
    let mut world = with("rsc web 10 alpha/data:made\nsnap web one alpha/data");
    let command = Command::Snapshot(SnapshotCommand::Modify {
        rsc: rsc_name("web"),
        name: snap_name("one"),
        props: set(&[("Aux/a", "1")]),
    });
    world.ask(command.clone());
    assert_eq!(find(&world, "one").props.get("Aux/a"), Some("1"));
    world.ask_in_vain(&command);
}
