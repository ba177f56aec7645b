//! What counts as a copy of the data, volume by volume, and what a report says of it.

use super::*;

#[test]
fn the_only_copy_of_one_volume_stays_though_another_was_never_made() {
    let mut world = World::with(&["alpha", "bravo"]);
    world.volume("vol", &[LayerKind::Drbd, LayerKind::Storage], &["alpha"]);
    world.made("vol");
    world.ask(Command::Definition(DefinitionCommand::VolumeCreate(NewVolume {
        rsc: rsc_name("vol"),
        number: None,
        size: Kib(4096),
        flags: VolumeDefinitionFlags::NONE,
        props: PropsModify::default(),
        minor: None,
        passphrase: None,
    })));
    let wish = NewResource {
        node: node_name("bravo"),
        flags: ResourceFlags::NONE,
        props: set(&[("StorPoolName", "data")]),
        layers: None,
        node_id: None,
    };
    world.ask(Command::Resource(ResourceCommand::Create { rsc: rsc_name("vol"), wishes: vec![wish] }));
    let delete = |node: &str| {
        let (rsc, node) = (rsc_name("vol"), node_name(node));
        Command::Resource(ResourceCommand::Delete { rsc, node, keep_tiebreaker: false })
    };
    let note = world.refuse(&delete("alpha"));
    assert_eq!(note.code, FAIL_INSUFFICIENT_REPLICA_COUNT);
    assert!(note.message.contains("volume 0"), "{note:?}");
    world.made("vol");
    world.ask(delete("alpha"));
}

#[test]
fn a_replica_has_no_disk_by_what_its_node_said_when_it_had_none() {
    let mut world = World::with(&["alpha"]);
    world.volume("vol", &[LayerKind::Drbd, LayerKind::Storage], &["alpha"]);
    let definition = world.definition("vol");
    let (now, ordered) = (definition.generation, definition.resources[&node_name("alpha")].ordered);
    let made = |state, generation| {
        let volume = VolumeReport {
            number: VolumeNumber::new(0).expect("a legal number"),
            state,
            device_path: None,
            backing_path: None,
            allocated: None,
            usable: None,
            luks: None,
        };
        let report = ResourceReport {
            rsc: rsc_name("vol"),
            generation,
            gone: false,
            volumes: vec![volume],
            snapshots: Vec::new(),
            rolled_back: None,
            in_use: None,
            problem: None,
            refused: Vec::new(),
            seen: true,
        };
        let moment = Moment::repeatable(EpochMs(1), 1);
        !observe(&world.cluster, &node_name("alpha"), &Report::Resource(report), moment).changes.is_empty()
    };
    let table = [
        (VolumeState::Diskless, now, false),
        (VolumeState::Failed, now, false),
        (VolumeState::UpToDate, ordered - 1, false),
        (VolumeState::UpToDate, now, true),
        (VolumeState::Attachable, now, true),
    ];
    for (state, generation, wanted) in table {
        assert_eq!(made(state, generation), wanted, "{state:?} {generation}");
    }
}
