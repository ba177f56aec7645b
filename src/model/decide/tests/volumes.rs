//! Volumes of definitions: made, grown, cut and removed with all replicas.

use super::*;
use crate::model::definition::Cut;
use crate::model::desired::Rollback;
use crate::model::moment::Uuid;

const TWO: &str = "
    node alpha\npool alpha data FILE_THIN 9000/9000\npool alpha other LVM 50/100
    node bravo\npool bravo data FILE_THIN 8000/9000
";

fn number(number: u32) -> VolumeNumber {
    VolumeNumber::new(number).expect("a legal number")
}

fn create(of: Option<u32>, size: u64) -> NewVolume {
    NewVolume {
        rsc: rsc_name("web"),
        number: of.map(number),
        size: Kib(size),
        flags: VolumeDefinitionFlags::NONE,
        props: PropsModify::default(),
        minor: None,
        passphrase: None,
    }
}

fn make(new: NewVolume) -> Command {
    Command::Definition(DefinitionCommand::VolumeCreate(new))
}

fn modify(of: u32, size: Option<u64>, props: PropsModify) -> Command {
    Command::Definition(DefinitionCommand::VolumeModify {
        rsc: rsc_name("web"),
        number: number(of),
        size: size.map(Kib),
        props,
        set: VolumeDefinitionFlags::NONE,
        clear: VolumeDefinitionFlags::NONE,
    })
}

fn resize(size: u64) -> Command {
    modify(0, Some(size), PropsModify::default())
}

fn delete(of: u32) -> Command {
    Command::Definition(DefinitionCommand::VolumeDelete { rsc: rsc_name("web"), number: number(of) })
}

fn web(places: &str) -> World {
    World::of(&format!("{TWO}rsc web 10 {places}"))
}

/// Without DRBD, which makes nothing smaller.
fn plain(places: &str) -> World {
    let mut world = web(places);
    world.alter("web", |web| web.layers = vec![LayerKind::Storage]);
    world
}

fn numbers(world: &World) -> Vec<u16> {
    world.definition("web").volumes.keys().map(|number| number.get()).collect()
}

#[test]
fn sizes_have_limits() {
    let max = 1 << 40;
    let world = web("");
    for command in [make(create(None, 3)), make(create(None, max + 1)), resize(3), resize(max + 1)] {
        world.refuses(&[(command, FAIL_INVLD_VLM_SIZE)]);
    }
    for size in [4, max] {
        web("").ask(make(create(None, size)));
        web("").ask(resize(size));
    }
}

#[test]
fn a_volume_gets_the_lowest_free_number_and_minor() {
    let mut world = web("");
    world.ask(make(create(Some(2), 8)));
    world.ask(make(NewVolume { minor: Some(1005), ..create(None, 8) }));
    world.ask(make(create(None, 8)));
    assert_eq!(numbers(&world), [0, 1, 2, 3]);
    let minors: Vec<Option<u32>> = world.definition("web").volumes.values().map(|volume| volume.minor).collect();
    assert_eq!(minors, [Some(1000), Some(1005), Some(1001), Some(1002)]);
    assert_eq!(world.code(&make(create(Some(1), 8))), FAIL_EXISTS_VLM_DFN);
    assert_eq!(world.code(&make(NewVolume { minor: Some(1005), ..create(None, 8) })), FAIL_INVLD_MINOR_NR);
    let mut world = plain("");
    world.ask(make(create(None, 8)));
    assert!(world.definition("web").volumes.values().all(|volume| volume.minor.is_none()), "DRBD alone has minors");
}

#[test]
fn every_replica_that_stays_gets_the_volume_in_its_pool() {
    let mut world = web("alpha/other bravo/data:deleting");
    world.refuses(&[(make(create(None, 41)), FAIL_NOT_ENOUGH_FREE_SPACE)]);
    world.ask(make(create(None, 40)));
    let pools = |world: &World, node| {
        let volumes = world.resource("web", node).volumes.values();
        volumes.map(|volume| volume.pool.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(pools(&world, "alpha"), ["other", "other"]);
    assert_eq!(pools(&world, "bravo"), ["data"]);
    // The property goes before what stands.
    let mut world = web("alpha/other bravo/-");
    world.alter("web", |web| {
        let own = web.resources.get_mut(&node_name("alpha")).expect("there");
        own.props.set("StorPoolName", "data").expect("short");
    });
    world.ask(make(create(None, 1 << 16)));
    assert_eq!(pools(&world, "alpha"), ["other", "data"]);
    for going in [DefinitionFlags::DELETE, DefinitionFlags::CLONING] {
        world.alter("web", |web| web.flags = going);
        assert_eq!(world.code(&make(create(None, 8))), FAIL_IN_USE, "{going:?}");
    }
}

#[test]
fn a_volume_grows_where_there_is_room_for_the_rest() {
    let mut world = web("alpha/other bravo/data");
    // 10 of 50 are ordered.
    world.refuses(&[(resize(51), FAIL_NOT_ENOUGH_FREE_SPACE)]);
    world.ask(resize(50));
    let volume = world.definition("web").volumes[&number(0)].clone();
    assert_eq!((volume.size, volume.flags, volume.cut), (Kib(50), VolumeDefinitionFlags::RESIZE, None));
    assert_eq!(codes(&world.ask_in_vain(&resize(50))), [WARN_VLMDFN_RESIZE_SAME_SIZE, MODIFIED]);
    let mut nowhere = web("");
    nowhere.ask(resize(1 << 30));
    assert_eq!(nowhere.definition("web").volumes[&number(0)].flags, VolumeDefinitionFlags::NONE);
}

#[test]
fn a_volume_shrinks_where_nothing_would_grow_it_again() {
    web("alpha/data").refuses(&[(resize(8), FAIL_INVLD_VLM_SIZE)]);
    for (mut world, flags, from) in [
        (plain("alpha/data"), VolumeDefinitionFlags::RESIZE_SHRINK, Some(Kib(10))),
        (plain(""), VolumeDefinitionFlags::NONE, None),
        (web(""), VolumeDefinitionFlags::NONE, None),
        (web("alpha/-"), VolumeDefinitionFlags::NONE, None),
    ] {
        world.ask(resize(8));
        let volume = world.definition("web").volumes[&number(0)].clone();
        assert_eq!((volume.size, volume.flags, volume.cut.map(|cut| cut.from)), (Kib(8), flags, from));
        let generation = world.definition("web").generation;
        assert!(volume.cut.is_none_or(|cut| cut == Cut { from: Kib(10), ordered: generation }));
    }
}

#[test]
fn nothing_shrinks_while_it_is_rolled_back() {
    let mut world = plain("alpha/data");
    world.alter("web", |web| {
        let snapshot = SnapName::parse("then").expect("a legal name");
        let order = Some(Rollback { snapshot, token: Uuid(7) });
        web.resources.get_mut(&node_name("alpha")).expect("there").rollback = order;
    });
    world.refuses(&[(resize(8), FAIL_SNAPSHOT_ROLLBACK_IN_PROGRESS)]);
    world.ask(resize(12));
}

#[test]
fn flags_and_properties_change_once() {
    let mut world = web("alpha/data");
    let gross = VolumeDefinitionFlags::GROSS_SIZE;
    let flagged = |set, clear| {
        let (rsc, number, props) = (rsc_name("web"), number(0), PropsModify::default());
        Command::Definition(DefinitionCommand::VolumeModify { rsc, number, size: None, props, set, clear })
    };
    for command in [modify(0, None, set(&[("Aux/a", "1")])), flagged(gross, VolumeDefinitionFlags::NONE)] {
        assert_eq!(world.decided(&command).0.len(), 1, "{command:?}");
        world.ask_in_vain(&command);
    }
    world.ask(flagged(VolumeDefinitionFlags::NONE, gross));
    let volume = &world.definition("web").volumes[&number(0)];
    assert_eq!((volume.flags, volume.props.get("Aux/a")), (VolumeDefinitionFlags::NONE, Some("1")));
    assert_eq!(world.code(&modify(9, None, PropsModify::default())), FAIL_NOT_FOUND_VLM_DFN);
}

#[test]
fn a_volume_goes_at_once_where_no_replica_has_it() {
    let mut world = web("");
    world.ask(delete(0));
    assert_eq!(numbers(&world), [0_u16; 0]);
    assert_eq!(codes(&world.ask_in_vain(&delete(0))), [WARN_NOT_FOUND]);
    let mut world = web("alpha/data bravo/data");
    world.tell("web", "bravo", VolumeState::UpToDate, true);
    world.refuses(&[(delete(0), FAIL_IN_USE)]);
    world.tell("web", "bravo", VolumeState::UpToDate, false);
    world.ask(delete(0));
    world.tell("web", "bravo", VolumeState::UpToDate, true);
    let generation = world.definition("web").generation;
    world.ask(delete(0));
    let web = world.definition("web");
    assert!(web.volumes[&number(0)].flags.has(VolumeDefinitionFlags::DELETE));
    for resource in web.resources.values() {
        assert!(resource.volumes[&number(0)].flags.has(VolumeFlags::DELETE));
        assert_eq!(resource.ordered, generation + 1, "asked again, nodes try again");
    }
}
