//! "I need this device on that node": what is made where, and what is left as it is.

use super::*;
use crate::model::node::DISKLESS_POOL;

const THREE: &str = "
    node alpha\npool alpha data FILE_THIN 9000/9000
    node bravo\npool bravo data FILE_THIN 8000/9000\npool bravo more FILE_THIN 9000/9000
    node charlie evacuate\npool charlie data FILE_THIN 7000/9000
";

fn available(at: &str, diskful: bool) -> Command {
    Command::Resource(ResourceCommand::MakeAvailable {
        rsc: rsc_name("web"),
        node: node_name(at),
        diskful,
        layers: None,
    })
}

#[test]
fn a_device_comes_to_a_node_as_it_is_asked_for() {
    let (disk, diskless) = (ResourceFlags::NONE, ResourceFlags::DRBD_DISKLESS);
    let table = [
        // Replicas, with a disk?, flags and pool of bravo's
        ("", false, disk, "more"),
        ("", true, disk, "more"),
        ("alpha/data", false, diskless, DISKLESS_POOL),
        ("alpha/data", true, disk, "more"),
        ("alpha/data:deleting", false, disk, "more"),
        ("alpha/data bravo/-", true, disk, "more"),
        ("alpha/data bravo/-:tiebreaker", true, disk, "more"),
        ("alpha/data bravo/-:tiebreaker", false, diskless, DISKLESS_POOL),
    ];
    for (places, diskful, flags, pool) in table {
        let mut world = World::of(&format!("{THREE}rsc web 10 {places}"));
        world.ask(available("bravo", diskful));
        let made = world.resource("web", "bravo");
        let volume = made.volumes.values().next().expect("of the definition");
        assert_eq!((made.flags, volume.pool.as_str()), (flags, pool), "{places} {diskful}");
        world.ask_in_vain(&available("bravo", diskful));
    }
    let mut world = World::of(&format!("{THREE}rsc web 10"));
    world.ask(available("bravo", true));
    assert_eq!(world.resource("web", "bravo").props.get("DiskfulBy"), Some("make-available"));
}

#[test]
fn what_serves_already_is_left_as_it_is() {
    for (places, diskful) in [("bravo/data", false), ("bravo/data", true), ("alpha/data bravo/-", false)] {
        let mut world = World::of(&format!("{THREE}rsc web 10 {places}"));
        world.ask_in_vain(&available("bravo", diskful));
    }
}

#[test]
fn a_node_or_replica_that_goes_serves_nobody() {
    let world = World::of(&format!("{THREE}rsc web 10 alpha/data bravo/data:deleting"));
    assert_eq!(world.code(&available("bravo", false)), FAIL_RSC_BUSY);
    world.refuses(&[(available("charlie", false), FAIL_EVACUATING), (available("ghost", false), FAIL_NOT_FOUND_NODE)]);
}

#[test]
fn without_drbd_the_data_stays_where_it_is() {
    let mut world = World::with(&["alpha", "bravo"]);
    world.volume("web", &[LayerKind::Storage], &["alpha"]);
    world.refuses(&[
        (available("bravo", false), FAIL_INVLD_LAYER_STACK),
        (available("bravo", true), FAIL_INVLD_LAYER_STACK),
    ]);
    world.ask_in_vain(&available("alpha", true));
}

#[test]
fn a_replica_that_stands_still_is_activated() {
    let mut world = World::of(&format!("{THREE}rsc web 10 alpha/data bravo/data"));
    let at = || (rsc_name("web"), node_name("bravo"));
    let (rsc, node) = at();
    world.ask(Command::Resource(ResourceCommand::Deactivate { rsc, node }));
    assert!(!world.resource("web", "bravo").is_active());
    world.ask(available("bravo", false));
    assert!(world.resource("web", "bravo").is_active());
}
