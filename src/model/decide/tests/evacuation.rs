//! Evacuation, eviction and the way back.

use super::*;
use VolumeState::UpToDate;

const DRBD: &[LayerKind] = &[LayerKind::Drbd, LayerKind::Storage];

fn evacuate(name: &str, targets: &[&str], not_targets: &[&str]) -> Command {
    let names = |list: &[&str]| list.iter().map(|name| node_name(name)).collect();
    let (targets, not_targets) = (names(targets), names(not_targets));
    Command::Node(NodeCommand::Evacuate { name: node_name(name), targets, not_targets })
}

fn evict(name: &str) -> Command {
    Command::Node(NodeCommand::Evict { name: node_name(name) })
}

fn restore(name: &str, all: bool) -> Command {
    Command::Node(NodeCommand::Restore { name: node_name(name), delete_resources: all, delete_snapshots: all })
}

/// Four nodes, and a volume whose replicas on the first two are up to date.
fn replicated() -> World {
    let mut world = World::with(&["alpha", "bravo", "charlie", "delta"]);
    world.volume("vol", DRBD, &["alpha", "bravo"]);
    for node in ["alpha", "bravo"] {
        world.tell("vol", node, UpToDate, false);
    }
    world
}

fn has(world: &World, node: &str, flag: ResourceFlags) -> bool {
    world.resource("vol", node).flags.has(flag)
}

fn nodes(world: &World) -> Vec<&str> {
    world.definition("vol").resources.keys().map(NodeName::as_str).collect()
}

#[test]
fn a_replica_gets_one_successor_however_often_it_is_asked_for() {
    let mut world = replicated();
    world.ask(evacuate("alpha", &[], &["charlie"]));
    assert!(world.node("alpha").flags.has(NodeFlags::EVACUATE));
    assert_eq!(nodes(&world), ["alpha", "bravo", "delta"]);
    assert!(has(&world, "alpha", ResourceFlags::EVACUATE) && !has(&world, "alpha", ResourceFlags::DELETE));
    assert_eq!(world.resource("vol", "delta").props.get("MigrateFrom"), Some("alpha"));
    world.ask_in_vain(&evacuate("alpha", &[], &["charlie"]));
}

#[test]
fn only_targets_are_used() {
    let mut world = replicated();
    world.ask(evacuate("alpha", &["charlie"], &[]));
    assert_eq!(nodes(&world), ["alpha", "bravo", "charlie"]);
    let mut world = replicated();
    let notes = world.ask(evacuate("alpha", &[], &["charlie", "delta"]));
    let warning = notes.iter().find(|note| note.code == WARN_NOT_EVACUATING).expect("no place");
    assert!(warning.details.as_deref().is_some_and(|details| details.contains("bravo")), "{warning:?}");
    assert_eq!(nodes(&world), ["alpha", "bravo"]);
    assert!(!has(&world, "alpha", ResourceFlags::DELETE));
}

#[test]
fn what_is_complete_elsewhere_goes_at_once() {
    // Told of alpha; in use there; does it go?
    for (state, complete, in_use, goes) in [
        (UpToDate, &["alpha", "bravo", "charlie"][..], false, true),
        (UpToDate, &["alpha", "bravo", "charlie"], true, false),
        (VolumeState::Failed, &["bravo"], false, true),
        (VolumeState::Failed, &[], false, false),
        (UpToDate, &["alpha"], false, false),
    ] {
        let mut world = World::with(&["alpha", "bravo", "charlie", "delta"]);
        world.volume("vol", DRBD, &["alpha", "bravo", "charlie"]);
        for node in complete {
            world.tell("vol", node, UpToDate, false);
        }
        world.tell("vol", "alpha", state, in_use);
        world.ask(evacuate("alpha", &[], &[]));
        assert_eq!(has(&world, "alpha", ResourceFlags::DELETE), goes, "{state:?} {complete:?} {in_use}");
        assert_ne!(has(&world, "alpha", ResourceFlags::EVACUATE), goes, "{state:?} {complete:?} {in_use}");
    }
}

#[test]
fn without_drbd_nothing_moves() {
    let mut world = World::with(&["alpha", "bravo"]);
    world.volume("vol", &[LayerKind::Storage], &["alpha"]);
    let notes = world.ask(evacuate("alpha", &[], &[]));
    assert_eq!(codes(&notes), [MODIFIED, WARN_NOT_EVACUATING]);
    assert_eq!(world.resource("vol", "alpha").flags, ResourceFlags::NONE);
    world.refuses(&[
        (evacuate("ghost", &[], &[]), FAIL_NOT_FOUND_NODE),
        (evacuate("bravo", &["ghost"], &[]), FAIL_NOT_FOUND_NODE),
        (evacuate("bravo", &["bravo"], &[]), FAIL_INVLD_REQUEST),
        (evict("bravo"), FAIL_EXISTS_NODE_CONN),
        (restore("bravo", false), 0),
    ]);
}

#[test]
fn an_evicted_node_is_replaced_and_its_replica_stays_known() {
    let mut world = replicated();
    world.link("alpha", ConnectionStatus::Offline);
    world.ask(evict("alpha"));
    let node = world.node("alpha");
    assert!(node.flags.has(NodeFlags::EVICTED));
    assert_eq!(node.evicted_at, Some(EpochMs(1000)));
    assert!(has(&world, "alpha", ResourceFlags::EVICTED));
    assert_eq!(nodes(&world).len(), 3);
    world.ask_in_vain(&evict("alpha"));
    world.refuses(&[(evacuate("alpha", &[], &[]), FAIL_INVLD_REQUEST)]);

    world.ask(restore("alpha", false));
    assert_eq!((world.node("alpha").flags, world.node("alpha").evicted_at), (NodeFlags::NONE, None));
    assert_eq!(world.resource("vol", "alpha").flags, ResourceFlags::NONE);
}

#[test]
fn no_more_is_replaced_than_is_wanted_and_can_be_filled() {
    let least = |count: &str| {
        let props = set(&[("DrbdOptions/AutoEvictMinReplicaCount", count)]);
        Command::Controller(ControllerCommand::Modify { props })
    };
    // Least count of replicas, whether the other replica's node answers, replicas afterwards.
    for (count, bravo, replicas) in
        [("1", ConnectionStatus::Online, 2), ("9", ConnectionStatus::Online, 3), ("2", ConnectionStatus::Offline, 2)]
    {
        let mut world = replicated();
        world.ask(least(count));
        world.link("alpha", ConnectionStatus::Offline);
        world.link("bravo", bravo);
        world.ask(evict("alpha"));
        assert_eq!(nodes(&world).len(), replicas, "{count} {bravo}");
    }
}

#[test]
fn inactive_before_is_inactive_after() {
    let mut world = replicated();
    world.ask(Command::Resource(ResourceCommand::Deactivate { rsc: rsc_name("vol"), node: node_name("alpha") }));
    let mut definition = world.definition("vol").clone();
    let resource = definition.resources.get_mut(&node_name("alpha")).expect("made");
    resource.flags = ResourceFlags::INACTIVE;
    world.cluster.apply(&Change::Definition(rsc_name("vol"), Some(Arc::new(definition))));
    world.link("alpha", ConnectionStatus::Offline);
    world.ask(evict("alpha"));
    assert!(has(&world, "alpha", ResourceFlags::INACTIVE_BEFORE_EVICTION));
    world.ask(restore("alpha", false));
    assert_eq!(world.resource("vol", "alpha").flags, ResourceFlags::INACTIVE);
}

#[test]
fn a_node_may_come_back_empty_where_others_are_complete() {
    // Whether bravo is complete; does alpha's replica go?
    for (complete, goes) in [(true, true), (false, false)] {
        let mut world = World::with(&["alpha", "bravo"]);
        world.volume("vol", DRBD, &["alpha", "bravo"]);
        world.snapshot("vol", "snap");
        if complete {
            world.tell("vol", "bravo", UpToDate, false);
        }
        world.link("alpha", ConnectionStatus::Offline);
        world.ask(evict("alpha"));
        let notes = world.ask(restore("alpha", true));
        assert_eq!(has(&world, "alpha", ResourceFlags::DELETE), goes, "{complete}");
        assert_ne!(codes(&notes).contains(&WARN_NO_EFFECT), goes, "{complete}");
        let snapshot = world.cluster.snapshots.values().next().expect("taken");
        let parts: Vec<bool> = snapshot.nodes.values().map(|part| part.flags.has(SnapshotNodeFlags::DELETE)).collect();
        assert_eq!(parts, [true, false]);
    }
}

#[test]
fn a_move_that_is_taken_back_ends() {
    let mut world = replicated();
    world.ask(evacuate("alpha", &["charlie"], &[]));
    world.ask(restore("alpha", false));
    assert_eq!(world.resource("vol", "alpha").flags, ResourceFlags::NONE);
    assert_eq!(world.resource("vol", "charlie").props.get("MigrateFrom"), None);
    world.refuses(&[(restore("alpha", false), 0)]);
}

#[test]
fn a_move_of_which_only_the_successor_knows_ends_too() {
    let mut world = replicated();
    world.ask(evacuate("alpha", &["charlie"], &[]));
    world.alter("vol", |vol| vol.resources.get_mut(&node_name("alpha")).expect("there").flags = ResourceFlags::NONE);
    world.ask(restore("alpha", false));
    assert_eq!(world.resource("vol", "charlie").props.get("MigrateFrom"), None);
}

#[test]
fn a_successor_stands_where_the_request_or_else_the_group_says() {
    for (of_group, targets, expected) in [
        (&["alpha", "bravo", "delta"][..], &[][..], "delta"),
        (&["alpha", "bravo", "charlie"], &[], "charlie"),
        (&["alpha", "bravo", "charlie"], &["delta"], "delta"),
        (&[], &["charlie"], "charlie"),
    ] {
        let mut world = replicated();
        let of_group_nodes = Some(of_group.iter().map(|name| node_name(name)).collect());
        world.ask(Command::Group(GroupCommand::Modify {
            name: group_name(crate::model::group::DEFAULT_GROUP),
            description: None,
            props: PropsModify::default(),
            filter: SelectFilter { nodes: of_group_nodes, ..SelectFilter::default() },
            peer_slots: None,
        }));
        world.ask(evacuate("alpha", targets, &[]));
        assert_eq!(nodes(&world), ["alpha", "bravo", expected], "{of_group:?} {targets:?}");
    }
}

#[test]
fn a_copy_counts_when_it_stays_serves_and_its_node_answers() {
    type Flags = ResourceFlags;
    // What is with bravo's and charlie's copies; whether alpha's may go at once, two being wanted.
    type Row<'a> = (&'a str, &'a dyn Fn(&mut World), bool);
    let table: [Row<'_>; 8] = [
        ("nothing", &|_| {}, true),
        ("leaves", &|world| mark(world, "charlie", Flags::EVACUATE), false),
        ("given up", &|world| mark(world, "charlie", Flags::EVICTED), false),
        ("gives up its disk", &|world| mark(world, "charlie", Flags::DISK_REMOVING), false),
        ("out of service", &|world| mark(world, "charlie", Flags::INACTIVE), false),
        ("going", &|world| mark(world, "charlie", Flags::DELETE), false),
        ("its node is away", &|world| world.link("charlie", ConnectionStatus::Offline), false),
        ("not current", &|world| world.tell("vol", "charlie", VolumeState::Created, false), false),
    ];
    for (what, change, goes) in table {
        let mut world = World::with(&["alpha", "bravo", "charlie", "delta"]);
        world.volume("vol", DRBD, &["alpha", "bravo", "charlie"]);
        for node in ["alpha", "bravo", "charlie"] {
            world.tell("vol", node, UpToDate, false);
        }
        change(&mut world);
        world.ask(evacuate("alpha", &[], &[]));
        assert_eq!(has(&world, "alpha", Flags::DELETE), goes, "{what}");
    }
}

fn mark(world: &mut World, at: &str, flags: ResourceFlags) {
    world.alter("vol", |vol| vol.resources.get_mut(&node_name(at)).expect("there").flags = flags);
}

#[test]
fn a_replica_without_a_disk_goes_unless_somebody_uses_it() {
    for (in_use, goes) in [(false, true), (true, false)] {
        let mut world = replicated();
        world.ask(Command::Resource(ResourceCommand::Create {
            rsc: rsc_name("vol"),
            wishes: vec![NewResource {
                node: node_name("delta"),
                flags: ResourceFlags::DISKLESS,
                props: PropsModify::default(),
                layers: None,
                node_id: None,
            }],
        }));
        world.tell("vol", "delta", VolumeState::Diskless, in_use);
        let mut restored = world.clone();
        world.ask(evacuate("delta", &[], &[]));
        assert_eq!(has(&world, "delta", ResourceFlags::DELETE), goes, "{in_use}");
        assert_eq!(has(&world, "delta", ResourceFlags::EVACUATE), !goes, "{in_use}");
        assert_eq!(nodes(&world), ["alpha", "bravo", "delta"], "it needs no successor");
        // The same when its node comes back empty, though no other copy is known to be complete.
        for node in ["alpha", "bravo"] {
            restored.tell("vol", node, VolumeState::Failed, false);
        }
        restored.link("delta", ConnectionStatus::Offline);
        restored.ask(evict("delta"));
        restored.ask(restore("delta", true));
        assert_eq!(has(&restored, "delta", ResourceFlags::DELETE), goes, "{in_use}");
    }
}

#[test]
fn what_goes_already_is_neither_moved_nor_replaced() {
    for whole in [false, true] {
        for command in [evacuate("alpha", &[], &[]), evict("alpha")] {
            let mut world = replicated();
            match whole {
                true => world.alter("vol", |vol| vol.flags = DefinitionFlags::DELETE),
                false => mark(&mut world, "alpha", ResourceFlags::DELETE),
            }
            if command == evict("alpha") {
                world.link("alpha", ConnectionStatus::Offline);
            }
            world.ask(command.clone());
            assert_eq!(nodes(&world), ["alpha", "bravo"], "{whole} {command:?}");
        }
    }
}

#[test]
fn the_least_count_after_an_eviction_is_the_nearest_and_never_more_than_the_place_count() {
    let key = "DrbdOptions/AutoEvictMinReplicaCount";
    // Of the definition, the group, the controller; replicas afterwards, alpha's with them.
    for (definition, group, controller, replicas) in [
        (None, None, None, 3),
        (None, None, Some("1"), 2),
        (None, Some("1"), Some("2"), 2),
        (Some("1"), Some("2"), Some("2"), 2),
        (Some("2"), Some("1"), Some("1"), 3),
        (None, None, Some("9"), 3),
    ] {
        let mut world = replicated();
        if let Some(count) = controller {
            world.ask(Command::Controller(ControllerCommand::Modify { props: set(&[(key, count)]) }));
        }
        if let Some(count) = group {
            let name = group_name(crate::model::group::DEFAULT_GROUP);
            let mut group = world.cluster.groups[&name].as_ref().clone();
            group.props.set(key, count).expect("short");
            world.cluster.apply(&Change::Group(name, Some(Arc::new(group))));
        }
        if let Some(count) = definition {
            world.alter("vol", |vol| drop(vol.props.set(key, count)));
        }
        world.link("alpha", ConnectionStatus::Offline);
        world.ask(evict("alpha"));
        assert_eq!(nodes(&world).len(), replicas, "{definition:?} {group:?} {controller:?}");
    }
}
