//! Single replicas: made, changed, taken out of service, removed.

use super::*;
use crate::model::node::{DEFAULT_POOL, DISKLESS_POOL};

const FOUR: &str = "
    node alpha\npool alpha data FILE_THIN 9000/9000\npool alpha DfltStorPool FILE_THIN 9000/9000\npool alpha more FILE_THIN 9000/9000
    node bravo\npool bravo data FILE_THIN 8000/9000
    node charlie offline\npool charlie data FILE_THIN 7000/9000
    node delta layers=STORAGE\npool delta data FILE_THIN 6000/9000
";

fn wish(at: &str, flags: ResourceFlags, props: &[(&str, &str)]) -> NewResource {
    NewResource { node: node_name(at), flags, props: set(props), layers: None, node_id: None }
}

fn create(wish: NewResource) -> Command {
    Command::Resource(ResourceCommand::Create { rsc: rsc_name("web"), wishes: vec![wish] })
}

fn in_data(at: &str) -> Command {
    create(wish(at, ResourceFlags::NONE, &[("StorPoolName", "data")]))
}

fn delete(at: &str) -> Command {
    let (rsc, node) = (rsc_name("web"), node_name(at));
    Command::Resource(ResourceCommand::Delete { rsc, node, keep_tiebreaker: false })
}

fn modify(at: &str, props: PropsModify) -> Command {
    Command::Resource(ResourceCommand::Modify { rsc: rsc_name("web"), node: node_name(at), props })
}

fn active(at: &str, active: bool) -> Command {
    let (rsc, node) = (rsc_name("web"), node_name(at));
    Command::Resource(match active {
        true => ResourceCommand::Activate { rsc, node },
        false => ResourceCommand::Deactivate { rsc, node },
    })
}

fn web(places: &str) -> World {
    World::of(&format!("{FOUR}rsc web 10 {places}"))
}

fn flags(world: &World, at: &str) -> ResourceFlags {
    world.resource("web", at).flags
}

#[test]
fn no_disk_is_drbds_or_nvmes_by_the_stack() {
    use LayerKind::{Drbd, Nvme, Storage};
    let none = ResourceFlags::DISKLESS;
    for (layers, asked, made) in [
        (&[Drbd, Storage][..], none, Some(ResourceFlags::DRBD_DISKLESS)),
        (&[Nvme, Storage], none, Some(ResourceFlags::NVME_INITIATOR)),
        (&[Drbd, Nvme, Storage], none, None),
        (&[Storage], none, None),
        (&[Drbd, Storage], ResourceFlags::DRBD_DISKLESS, Some(ResourceFlags::DRBD_DISKLESS)),
    ] {
        let mut world = web("bravo/data");
        world.alter("web", |web| web.layers = layers.to_vec());
        let command = create(wish("alpha", asked, &[]));
        let Some(made) = made else {
            world.refuses(&[(command, FAIL_INVLD_LAYER_STACK)]);
            continue;
        };
        world.ask(command);
        assert_eq!(flags(&world, "alpha"), made, "{layers:?}");
        let pools = world.resource("web", "alpha").volumes.values().map(|volume| volume.pool.to_string());
        assert_eq!(pools.collect::<Vec<_>>(), [DISKLESS_POOL]);
    }
}

#[test]
fn the_nearest_name_of_a_pool_wins() {
    let key = "StorPoolName";
    let table: [(&[&str], &str); 5] = [
        (&[], DEFAULT_POOL),
        (&["node"], "more"),
        (&["group", "node"], "data"),
        (&["definition", "group", "node"], "more"),
        (&["resource", "definition", "group", "node"], "data"),
    ];
    for (levels, expected) in table {
        let mut world = web("");
        world.ask(group_create(crate::model::group::DEFAULT_GROUP, SelectFilter::default()));
        let has = |level: &str| levels.contains(&level);
        if has("node") {
            let (kind, props) = (None, set(&[(key, "more")]));
            world.ask(Command::Node(NodeCommand::Modify { name: node_name("alpha"), kind, props }));
        }
        if has("group") {
            world.ask(Command::Group(GroupCommand::Modify {
                name: group_name(crate::model::group::DEFAULT_GROUP),
                description: None,
                props: set(&[(key, "data")]),
                filter: SelectFilter::default(),
                peer_slots: None,
            }));
        }
        if has("definition") {
            world.alter("web", |web| drop(web.props.set(key, "more")));
        }
        let own: &[(&str, &str)] = if has("resource") { &[(key, "data")] } else { &[] };
        world.ask(create(wish("alpha", ResourceFlags::NONE, own)));
        let volume = world.resource("web", "alpha").volumes.values().next().expect("one");
        assert_eq!(volume.pool.as_str(), expected, "{levels:?}");
    }
}

#[test]
fn a_replica_has_all_volumes_that_stay_and_the_lowest_free_node_id() {
    let mut world = web("");
    world.ask(in_data("alpha"));
    world.ask(in_data("bravo"));
    let ids = |world: &World| world.definition("web").resources.values().map(|r| r.node_id).collect::<Vec<_>>();
    assert_eq!(ids(&world), [Some(0), Some(1)]);
    world.alter("web", |web| drop(web.resources.remove(&node_name("alpha"))));
    world.ask(create(NewResource { node_id: Some(7), ..wish("alpha", ResourceFlags::DISKLESS, &[]) }));
    assert_eq!(ids(&world), [Some(7), Some(1)]);
    world.alter("web", |web| {
        web.resources.remove(&node_name("alpha"));
        web.volumes.values_mut().for_each(|volume| volume.flags = VolumeDefinitionFlags::DELETE);
    });
    world.ask(in_data("alpha"));
    assert_eq!(ids(&world), [Some(0), Some(1)]);
    assert!(world.resource("web", "alpha").volumes.is_empty());
}

#[test]
fn node_ids_end_with_drbds_last() {
    let mut world = web("bravo/data");
    let other = world.resource("web", "bravo").clone();
    world.alter("web", |web| {
        for id in 0..32_u8 {
            let name = node_name(&format!("other{id}"));
            web.resources.insert(name, Resource { node_id: Some(id), ..other.clone() });
        }
    });
    world.refuses(&[(in_data("alpha"), FAIL_POOL_EXHAUSTED_NODE_ID)]);
    world.alter("web", |web| drop(web.resources.remove(&node_name("other31"))));
    world.ask(in_data("alpha"));
    assert_eq!(world.resource("web", "alpha").node_id, Some(31));
}

#[test]
fn what_cannot_be_made_is_refused() {
    let disk = |pool| create(wish("alpha", ResourceFlags::NONE, &[("StorPoolName", pool)]));
    let empty = World::of(&format!("{FOUR}rsc web 180001"));
    empty.refuses(&[(in_data("alpha"), FAIL_NOT_ENOUGH_FREE_SPACE)]);
    let again = create(wish("bravo", ResourceFlags::DRBD_DISKLESS, &[]));
    let world = web("bravo/data charlie/data:deleting");
    for (command, code) in [
        (disk("ghost"), FAIL_NOT_FOUND_STOR_POOL),
        (disk(DISKLESS_POOL), FAIL_INVLD_STOR_DRIVER),
        (in_data("bravo"), FAIL_EXISTS_RSC),
        (again, FAIL_EXISTS_RSC),
        (in_data("charlie"), FAIL_EXISTS_RSC),
        (in_data("delta"), FAIL_STLT_DOES_NOT_SUPPORT_LAYER),
        (in_data("ghost"), FAIL_NOT_FOUND_NODE),
        (
            create(NewResource { layers: Some(vec![LayerKind::Drbd]), ..wish("alpha", ResourceFlags::NONE, &[]) }),
            FAIL_INVLD_LAYER_STACK,
        ),
        (create(wish("alpha", ResourceFlags::NONE, &[("Nonsense", "1")])), FAIL_INVLD_PROP),
    ] {
        assert_eq!(world.code(&command), code, "{command:?}");
    }
    let note = web("").refuse(&in_data("delta"));
    assert_eq!(note.cause.as_deref(), Some("module drbd is not loaded"));
    for (mark, code) in
        [("evacuate", FAIL_EVACUATING), ("deleting", FAIL_EVACUATING), ("kind=AUXILIARY", FAIL_INVLD_NODE_TYPE)]
    {
        let text = FOUR.replace("node alpha", &format!("node alpha {mark}"));
        assert_eq!(World::of(&format!("{text}rsc web 10")).code(&in_data("alpha")), code, "{mark}");
    }
    for going in [DefinitionFlags::DELETE, DefinitionFlags::CLONING] {
        let mut world = web("");
        world.alter("web", |web| web.flags = going);
        assert_eq!(world.code(&in_data("alpha")), FAIL_IN_USE, "{going:?}");
    }
}

#[test]
fn what_is_made_is_told_with_what_it_waits_for() {
    let mut world = web("");
    assert_eq!(codes(&world.ask(in_data("alpha"))), [CREATED, CREATED]);
    assert_eq!(codes(&world.ask(in_data("charlie"))), [CREATED, WARN_NOT_CONNECTED, CREATED]);
    world.alter("web", |web| web.volumes = Default::default());
    let notes = world.ask(in_data("bravo"));
    assert_eq!(codes(&notes), [CREATED, INFO_NOOP, CREATED]);
    assert!(notes[0].message.ends_with("in storage pool 'data'"), "{notes:?}");
}

#[test]
fn a_tie_breaker_that_is_asked_for_stays_as_it_is() {
    let mut world = web("bravo/data alpha/-:tiebreaker");
    world.refuses(&[(in_data("alpha"), FAIL_EXISTS_RSC)]);
    world.ask(create(wish("alpha", ResourceFlags::DISKLESS, &[])));
    assert_eq!(flags(&world, "alpha"), ResourceFlags::DRBD_DISKLESS);
}

#[test]
fn properties_of_replicas_and_their_volumes_change_once() {
    let mut world = web("bravo/data");
    let of_volume = |number, props| {
        let number = VolumeNumber::new(number).expect("a legal number");
        let (rsc, node) = (rsc_name("web"), node_name("bravo"));
        Command::Resource(ResourceCommand::VolumeModify { rsc, node, number, props })
    };
    for command in [modify("bravo", set(&[("Aux/a", "1")])), of_volume(0, set(&[("Aux/a", "1")]))] {
        let (changes, notes) = world.decided(&command);
        assert_eq!((changes.len(), codes(&notes)), (1, vec![MODIFIED, CREATED]), "{command:?}");
        world.ask_in_vain(&command);
    }
    let made = world.resource("web", "bravo");
    let volume = made.volumes.values().next().expect("one");
    assert_eq!((made.props.get("Aux/a"), volume.props.get("Aux/a")), (Some("1"), Some("1")));
    for (command, code) in [
        (modify("alpha", PropsModify::default()), FAIL_NOT_FOUND_RSC),
        (modify("ghost", PropsModify::default()), FAIL_NOT_FOUND_NODE),
        (of_volume(1, PropsModify::default()), FAIL_NOT_FOUND_VLM),
        (modify("bravo", set(&[("Nonsense", "1")])), FAIL_INVLD_PROP),
    ] {
        assert_eq!(world.code(&command), code, "{command:?}");
    }
}

#[test]
fn a_connection_is_there_from_its_first_property_to_its_last() {
    let mut world = web("alpha/data bravo/data charlie/data");
    let link = |a: &str, b: &str, props| {
        let (a, b) = (node_name(a), node_name(b));
        Command::Resource(ResourceCommand::ConnectionModify { rsc: rsc_name("web"), a, b, props })
    };
    world.ask_in_vain(&link("alpha", "bravo", PropsModify::default()));
    world.ask(link("bravo", "alpha", set(&[("Aux/a", "1")])));
    world.ask(link("bravo", "charlie", set(&[("Aux/a", "2")])));
    world.ask(link("alpha", "charlie", set(&[("Aux/a", "3")])));
    world.ask(link("alpha", "bravo", set(&[("Aux/b", "4")])));
    let pairs = |world: &World| {
        let all = world.definition("web").connections.iter();
        all.map(|link| format!("{} {} {}", link.a, link.b, link.props.len())).collect::<Vec<_>>()
    };
    assert_eq!(pairs(&world), ["alpha bravo 2", "bravo charlie 1", "alpha charlie 1"]);
    world.ask_in_vain(&link("charlie", "bravo", set(&[("Aux/a", "2")])));
    world.ask(link("charlie", "bravo", unset(&["Aux/a"])));
    assert_eq!(pairs(&world), ["alpha bravo 2", "alpha charlie 1"]);
    for (a, b, code) in [
        ("alpha", "alpha", FAIL_INVLD_NODE_NAME),
        ("alpha", "delta", FAIL_NOT_FOUND_RSC),
        ("delta", "alpha", FAIL_NOT_FOUND_RSC),
    ] {
        assert_eq!(world.code(&link(a, b, PropsModify::default())), code, "{a} {b}");
    }
}

#[test]
fn what_is_in_use_is_neither_removed_nor_taken_out_of_service() {
    let mut world = web("alpha/data:made bravo/data:made");
    for command in [delete("alpha"), active("alpha", false)] {
        world.tell("web", "alpha", VolumeState::UpToDate, true);
        world.refuses(&[(command.clone(), FAIL_IN_USE)]);
        world.tell("web", "alpha", VolumeState::UpToDate, false);
        let mut world = world.clone();
        world.ask(command.clone());
        world.tell("web", "alpha", VolumeState::UpToDate, true);
        // Its node refused before: asked again, it tries again.
        let generation = world.definition("web").generation;
        assert!(!world.decided(&command).0.is_empty());
        let own = world.resource("web", "alpha");
        assert_eq!(own.ordered, generation + 1, "{command:?}");
    }
    assert_eq!(codes(&world.ask_in_vain(&delete("charlie"))), [WARN_NOT_FOUND]);
    let (rsc, node) = (rsc_name("ghost"), node_name("alpha"));
    let ghost = Command::Resource(ResourceCommand::Delete { rsc, node, keep_tiebreaker: false });
    assert_eq!(codes(&world.ask_in_vain(&ghost)), [WARN_NOT_FOUND]);
}

#[test]
fn the_last_disk_stays_while_others_need_it() {
    let table = [
        // Replicas; may alpha's go?
        ("alpha/data:made", true),
        ("alpha/data:made bravo/data:made", true),
        ("alpha/data:made bravo/data", false),
        ("alpha/data bravo/data", true),
        ("alpha/data bravo/data:made", true),
        ("alpha/data:made bravo/-", false),
        ("alpha/- bravo/data:made", true),
        ("alpha/- bravo/-", true),
        ("alpha/data:made bravo/data:made:deleting", true),
        ("alpha/data:made bravo/data:made:deleting charlie/-", false),
        ("alpha/data:made bravo/-:deleting", true),
    ];
    for (places, goes) in table {
        let mut world = web(places);
        if goes {
            world.ask(delete("alpha"));
            assert!(world.resource("web", "alpha").is_deleting(), "{places}");
        } else {
            world.refuses(&[(delete("alpha"), FAIL_INSUFFICIENT_REPLICA_COUNT)]);
        }
    }
    // Without DRBD replicas are filled from nothing.
    let mut world = web("alpha/data:made bravo/data");
    world.alter("web", |web| web.layers = vec![LayerKind::Storage]);
    world.ask(delete("alpha"));
}

#[test]
fn a_replica_goes_out_of_service_and_comes_back() {
    type Flags = ResourceFlags;
    let both = Flags::INACTIVE.with(Flags::INACTIVATING);
    for (before, wanted, after) in [
        (Flags::NONE, false, Some(Flags::INACTIVATING)),
        (Flags::INACTIVE, false, Some(Flags::INACTIVE)),
        (Flags::INACTIVE, true, Some(Flags::NONE)),
        (Flags::INACTIVATING, true, Some(Flags::NONE)),
        (both, true, Some(Flags::NONE)),
        (Flags::NONE, true, Some(Flags::NONE)),
        (Flags::INACTIVE_PERMANENTLY, true, None),
        (Flags::INACTIVE_PERMANENTLY, false, Some(Flags::INACTIVE_PERMANENTLY)),
    ] {
        let mut world = web("alpha/data:made bravo/data:made");
        world.alter("web", |web| web.resources.get_mut(&node_name("alpha")).expect("there").flags = before);
        let command = active("alpha", wanted);
        let Some(after) = after else {
            assert_eq!(world.code(&command), FAIL_INVLD_RSC_STATE);
            continue;
        };
        let (changes, _) = world.decided(&command);
        assert_eq!((flags(&world, "alpha"), changes.is_empty()), (after, before == after), "{before:?} {wanted}");
    }
}
