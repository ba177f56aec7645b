//! Resource definitions: names, layer stacks, and what changes with them.

use super::*;
use crate::model::definition::{DEFAULT_PEER_SLOTS, DrbdDefinition};
use crate::model::group::DEFAULT_GROUP;
use crate::model::secret::Secret;

const TWO: &str = "
    node alpha\npool alpha data FILE_THIN 9000/9000
    node bravo\npool bravo data FILE_THIN 8000/9000
";

fn create(name: Naming) -> Command {
    Command::Definition(DefinitionCommand::Create(NewDefinition {
        name,
        group: None,
        layers: None,
        props: PropsModify::default(),
        peer_slots: None,
        secret: None,
    }))
}

fn external(text: &str) -> Command {
    create(Naming::External(text.to_owned()))
}

/// Name of the definition that has the external one.
fn name_of(world: &World, text: &str) -> String {
    world.cluster.external_names[text].to_string()
}

#[test]
fn a_legal_name_is_made_from_any_text() {
    let uuid = "51611c65-528f-4793-a87a-866d09e6733a";
    let long = "x".repeat(60);
    let table = [
        ("web", "web".to_owned()),
        ("my volume/1", "my_volume_1".to_owned()),
        ("1st", "_1st".to_owned()),
        (long.as_str(), "x".repeat(48)),
        (uuid, format!("LS_{}", uuid.to_uppercase())),
    ];
    for (text, name) in table {
        let mut world = World::with(&[]);
        world.ask(external(text));
        assert_eq!(name_of(&world, text), name);
        world.refuses(&[(external(text), FAIL_EXISTS_EXT_NAME)]);
    }
    World::with(&[]).refuses(&[(external(""), FAIL_MISSING_EXT_NAME)]);
}

#[test]
fn a_name_that_is_taken_makes_way_for_another() {
    let mut world = World::with(&[]);
    world.ask(create(Naming::Name(rsc_name("my_volume"))));
    world.ask(external("my volume"));
    let name = name_of(&world, "my volume");
    assert!(name.starts_with("LS_") && name.len() == "LS_".len() + 36, "{name}");
    assert_eq!(world.cluster.definitions.len(), 2);
    assert_eq!(world.definition("my_volume").external_name, None);
    world.refuses(&[(create(Naming::Name(rsc_name("MY_volume"))), FAIL_EXISTS_RSC_DFN)]);
}

/// A change of `web`: group, layers, slots.
fn modify(group: Option<&str>, layers: Option<&[LayerKind]>, peer_slots: Option<u8>) -> Command {
    Command::Definition(DefinitionCommand::Modify {
        name: rsc_name("web"),
        props: PropsModify::default(),
        group: group.map(group_name),
        layers: layers.map(<[LayerKind]>::to_vec),
        peer_slots,
    })
}

fn delete() -> Command {
    Command::Definition(DefinitionCommand::Delete { name: rsc_name("web") })
}

fn drbd(world: &World) -> Option<&DrbdDefinition> {
    world.definition("web").drbd.as_ref()
}

#[test]
fn stack_and_slots_come_from_the_request_then_the_group() {
    use LayerKind::{Drbd, Luks, Storage};
    let luks = &[Drbd, Luks, Storage][..];
    type Row<'a> =
        (Option<&'a [LayerKind]>, Option<u8>, Option<&'a [LayerKind]>, Option<u8>, &'a [LayerKind], Option<u8>);
    let table: [Row<'_>; 7] = [
        // Of the request, of the group, of the definition
        (None, None, None, None, &[Drbd, Storage], Some(DEFAULT_PEER_SLOTS)),
        (None, None, Some(luks), Some(3), luks, Some(3)),
        (Some(&[Drbd, Storage]), Some(5), Some(luks), Some(3), &[Drbd, Storage], Some(5)),
        (Some(&[]), None, Some(luks), None, luks, Some(DEFAULT_PEER_SLOTS)),
        (Some(&[]), None, Some(&[]), None, &[Drbd, Storage], Some(DEFAULT_PEER_SLOTS)),
        (Some(&[Storage]), Some(5), None, None, &[Storage], None),
        (None, None, Some(&[Storage]), Some(3), &[Storage], None),
    ];
    for (layers, slots, of_group, group_slots, stack, expected) in table {
        let mut world = World::with(&[]);
        let filter = SelectFilter { layers: of_group.map(<[LayerKind]>::to_vec), ..SelectFilter::default() };
        world.ask(group_create("gold", filter));
        let mut gold = world.cluster.groups[&group_name("gold")].as_ref().clone();
        (gold.peer_slots, gold.filter.layers) = (group_slots, of_group.map(<[LayerKind]>::to_vec));
        world.cluster.apply(&Change::Group(group_name("gold"), Some(Arc::new(gold))));
        world.ask(Command::Definition(DefinitionCommand::Create(NewDefinition {
            name: Naming::Name(rsc_name("web")),
            group: Some(group_name("gold")),
            layers: layers.map(<[LayerKind]>::to_vec),
            props: PropsModify::default(),
            peer_slots: slots,
            secret: None,
        })));
        assert_eq!(world.definition("web").layers, stack, "{layers:?} {of_group:?}");
        assert_eq!(drbd(&world).map(|drbd| drbd.peer_slots), expected, "{layers:?} {slots:?} {group_slots:?}");
    }
    let bad = Command::Definition(DefinitionCommand::Create(NewDefinition {
        name: Naming::Name(rsc_name("web")),
        group: None,
        layers: Some(vec![Storage, Drbd]),
        props: PropsModify::default(),
        peer_slots: None,
        secret: None,
    }));
    World::with(&[]).refuses(&[(bad, FAIL_INVLD_LAYER_STACK)]);
}

#[test]
fn a_secret_is_made_up_where_none_is_given_and_never_twice() {
    let mut world = World::with(&[]);
    let make = |name: &str, secret: Option<&str>| {
        Command::Definition(DefinitionCommand::Create(NewDefinition {
            name: Naming::Name(rsc_name(name)),
            group: None,
            layers: None,
            props: PropsModify::default(),
            peer_slots: None,
            secret: secret.map(|text| Secret::new(text.to_owned())),
        }))
    };
    for (name, secret) in [("one", None), ("two", None), ("own", Some("hush"))] {
        world.ask(make(name, secret));
    }
    let secret = |name| world.definition(name).drbd.as_ref().expect("under DRBD").secret.expose().to_owned();
    let (one, two) = (secret("one"), secret("two"));
    assert_eq!((one.len(), two.len(), secret("own").as_str()), (20, 20, "hush"));
    let legal = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    assert!(one != two && legal(&one) && legal(&two));
    let kinds: std::collections::BTreeSet<u8> = one.bytes().collect();
    assert!(kinds.len() > 5, "{one}");
}

#[test]
fn group_stack_and_slots_change_once_and_not_under_replicas() {
    use LayerKind::{Drbd, Luks, Storage};
    let luks = &[Drbd, Luks, Storage][..];
    let mut world = World::of(&format!("{TWO}rsc web 10"));
    world.ask(group_create("gold", place_count(1)));
    world.ask(group_create(DEFAULT_GROUP, place_count(1)));
    world.refuses(&[
        (modify(Some("ghost"), None, None), FAIL_NOT_FOUND_RSC_GRP),
        (modify(None, Some(&[Storage, Drbd]), None), FAIL_INVLD_LAYER_STACK),
    ]);
    world.ask(modify(Some("gold"), Some(&[Storage]), None));
    assert!(drbd(&world).is_none() && world.definition("web").group == group_name("gold"));
    world.ask_in_vain(&modify(None, Some(&[Storage]), Some(9)));
    world.ask(modify(None, Some(luks), Some(9)));
    let fresh = drbd(&world).expect("under DRBD").clone();
    assert_eq!((fresh.peer_slots, fresh.secret.expose().len()), (9, 20));
    assert_eq!(world.definition("web").volumes.values().next().expect("one").minor, Some(1000));
    world.ask(modify(None, Some(&[Drbd, Storage]), None));
    assert_eq!(drbd(&world), Some(&fresh), "what DRBD knew before it knows still");
    world.ask_in_vain(&modify(Some("gold"), Some(&[Drbd, Storage]), Some(9)));
    let taken = world.definition("web").clone();
    let mut used = World::of(&format!("{TWO}rsc web 10 alpha/data"));
    used.alter("web", |web| web.drbd = taken.drbd);
    used.ask_in_vain(&modify(None, Some(&[Drbd, Storage]), None));
    for command in [modify(None, Some(luks), None), modify(None, None, Some(9))] {
        assert_eq!(used.code(&command), FAIL_EXISTS_RSC, "{command:?}");
    }
}

#[test]
fn a_definition_goes_when_nobody_uses_it_and_no_snapshot_stays() {
    let mut world = World::of(&format!("{TWO}rsc web 10"));
    world.ask(delete());
    assert!(world.cluster.definitions.is_empty(), "nothing was on any node");
    assert_eq!(codes(&world.ask_in_vain(&delete())), [WARN_NOT_FOUND]);

    let mut world = World::of(&format!("{TWO}rsc web 10 alpha/data:made bravo/data:made\nsnap web one alpha/data"));
    assert_eq!(world.refuse(&delete()).details.as_deref(), Some("Snapshots: one"));
    let key = world.cluster.snapshots.keys().next().expect("one").clone();
    let mut going = world.cluster.snapshots[&key].as_ref().clone();
    going.flags = going.flags.with(SnapshotFlags::DELETE);
    world.cluster.apply(&Change::Snapshot(key, Some(Arc::new(going))));
    world.tell("web", "bravo", VolumeState::UpToDate, true);
    world.refuses(&[(delete(), FAIL_IN_USE)]);
    world.tell("web", "bravo", VolumeState::UpToDate, false);
    world.ask(delete());
    world.tell("web", "bravo", VolumeState::UpToDate, true);
    let generation = world.definition("web").generation;
    world.ask(delete());
    let web = world.definition("web");
    assert!(web.flags.has(DefinitionFlags::DELETE));
    for resource in web.resources.values() {
        assert!(resource.is_deleting() && resource.ordered == generation + 1, "asked again, nodes try again");
    }
}
