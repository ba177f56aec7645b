//! Resource groups, their filters and volume groups.

use super::*;
use crate::model::group::DEFAULT_GROUP;

fn modify(name: &str, filter: SelectFilter) -> GroupCommand {
    GroupCommand::Modify {
        name: group_name(name),
        description: None,
        props: PropsModify::default(),
        filter,
        peer_slots: None,
    }
}

fn delete(name: &str) -> Command {
    Command::Group(GroupCommand::Delete { name: group_name(name) })
}

fn number(number: u32) -> VolumeNumber {
    VolumeNumber::new(number).expect("a legal number")
}

fn volume_create(group: &str, of: Option<u32>) -> Command {
    Command::Group(GroupCommand::VolumeCreate {
        group: group_name(group),
        number: of.map(number),
        flags: VolumeGroupFlags::NONE,
        props: PropsModify::default(),
    })
}

fn volume_modify(of: u32, set: VolumeGroupFlags, clear: VolumeGroupFlags) -> Command {
    let props = PropsModify::default();
    Command::Group(GroupCommand::VolumeModify { group: group_name("gold"), number: number(of), set, clear, props })
}

fn volume_delete(group: &str, of: u32) -> Command {
    Command::Group(GroupCommand::VolumeDelete { group: group_name(group), number: number(of) })
}

fn texts(list: &[&str]) -> Option<Vec<String>> {
    Some(list.iter().map(|text| (*text).to_owned()).collect())
}

#[test]
fn a_filter_field_stays_changes_or_is_cleared() {
    let mut world = World::with(&["alpha"]);
    let first = SelectFilter {
        place_count: Some(2),
        same: texts(&["Aux/zone"]),
        pools: Some(vec![pool_name("data")]),
        not_with_regex: Some("db-.*".into()),
        nodes: Some(Vec::new()),
        diskless_on_remaining: Some(false),
        ..SelectFilter::default()
    };
    let notes = world.ask(group_create("gold", first.clone()));
    assert_eq!(codes(&notes), [CREATED]);
    let filter = |world: &World| world.cluster.groups[&group_name("gold")].filter.clone();
    assert_eq!(filter(&world), SelectFilter { nodes: None, ..first.clone() });
    world.ask_in_vain(&Command::Group(modify("gold", SelectFilter::default())));
    let clear = SelectFilter {
        same: texts(&[]),
        not_with_regex: Some(String::new()),
        diskless_on_remaining: Some(true),
        ..SelectFilter::default()
    };
    world.ask(Command::Group(modify("gold", clear)));
    let expected =
        SelectFilter { same: None, not_with_regex: None, nodes: None, diskless_on_remaining: Some(true), ..first };
    assert_eq!(filter(&world), expected);
}

#[test]
fn description_slots_and_properties_change() {
    let mut world = World::with(&[]);
    let command = Command::Group(GroupCommand::Modify {
        name: group_name(DEFAULT_GROUP),
        description: Some("for all".into()),
        props: set(&[("Aux/a", "1")]),
        filter: SelectFilter::default(),
        peer_slots: Some(31),
    });
    assert_eq!(codes(&world.ask_twice(&command)), [MODIFIED, CREATED]);
    let group = &world.cluster.groups[&group_name(DEFAULT_GROUP)];
    assert_eq!((group.description.as_deref(), group.peer_slots), (Some("for all"), Some(31)));
    world.ask_in_vain(&command);
}

#[test]
fn bad_groups_are_refused() {
    let mut world = World::with(&[]);
    world.ask(group_create("gold", place_count(1)));
    let with = |filter: SelectFilter| group_create("new", filter);
    let stack = Some(vec![LayerKind::Storage, LayerKind::Drbd]);
    let none = SelectFilter::default;
    let limits = Some(BTreeMap::from([("Aux/zone".to_owned(), 0)]));
    let slots = |peer_slots| {
        let filter = none();
        let props = PropsModify::default();
        let name = group_name("new");
        Command::Group(GroupCommand::Create { name, description: None, props, filter, peer_slots })
    };
    world.refuses(&[
        (group_create("GOLD", none()), FAIL_EXISTS_RSC_GRP),
        (with(place_count(0)), FAIL_INVLD_PLACE_COUNT),
        (with(SelectFilter { layers: stack, ..none() }), FAIL_INVLD_LAYER_STACK),
        (with(SelectFilter { not_with_regex: Some("(".into()), ..none() }), FAIL_INVLD_REQUEST),
        (with(SelectFilter { not_with_regex: Some("(a{1000}){1000}".into()), ..none() }), FAIL_INVLD_REQUEST),
        (with(SelectFilter { same: texts(&["=x"]), ..none() }), FAIL_INVLD_PROP),
        (with(SelectFilter { different: texts(&[""]), ..none() }), FAIL_INVLD_PROP),
        (with(SelectFilter { x_different: limits, ..none() }), FAIL_INVLD_PLACE_COUNT),
        (slots(Some(0)), FAIL_INSUFFICIENT_PEER_SLOTS),
        (slots(Some(32)), FAIL_INSUFFICIENT_PEER_SLOTS),
        (Command::Group(modify("ghost", none())), FAIL_NOT_FOUND_RSC_GRP),
        (Command::Group(modify("gold", place_count(0))), FAIL_INVLD_PLACE_COUNT),
    ]);
}

#[test]
fn pools_that_do_not_fit_are_warned_of() {
    let mut world = World::with(&["alpha"]);
    let filter = SelectFilter {
        pools: Some(vec![pool_name("data"), pool_name("ghost"), pool_name("dfltdisklessstorpool")]),
        diskless_pools: Some(vec![pool_name("nowhere")]),
        ..SelectFilter::default()
    };
    let notes = world.ask(group_create("gold", filter));
    let warnings: Vec<&Note> = notes.iter().filter(|note| note.kind == Kind::Warn).collect();
    let named: Vec<&str> = warnings.iter().map(|note| refs(note)["StorPoolDfn"]).collect();
    assert_eq!(named, ["ghost", "nowhere", "dfltdisklessstorpool"]);
}

#[test]
fn a_raised_count_is_placed_as_far_as_there_is_room() {
    let mut world = World::with(&["alpha", "bravo", "charlie"]);
    world.volume("vol", &[LayerKind::Drbd, LayerKind::Storage], &["alpha", "bravo"]);
    world.ask(Command::Group(modify(DEFAULT_GROUP, place_count(3))));
    assert_eq!(world.definition("vol").resources.len(), 3);
    let notes = world.ask(Command::Group(modify(DEFAULT_GROUP, place_count(4))));
    let warning = notes.iter().find(|note| note.code == WARN_NO_EFFECT).expect("no fourth node");
    assert!(warning.details.as_deref().is_some_and(|details| details.contains("charlie")), "{warning:?}");
    let group = &world.cluster.groups[&group_name(DEFAULT_GROUP)];
    assert_eq!((world.definition("vol").resources.len(), group.filter.place_count), (3, Some(4)));
    world.ask(Command::Group(modify(DEFAULT_GROUP, place_count(1))));
    assert_eq!(world.definition("vol").resources.len(), 3);
}

#[test]
fn a_property_that_goes_out_of_use_is_warned_of_on_whatever_it_is_set() {
    let mut world = World::with(&["alpha"]);
    world.volume("vol", &[LayerKind::Storage], &["alpha"]);
    let notes = world.ask(Command::Definition(DefinitionCommand::Modify {
        name: rsc_name("vol"),
        props: set(&[("DrbdOptions/auto-quorum", "io-error")]),
        group: None,
        layers: None,
        peer_slots: None,
    }));
    assert_eq!(codes(&notes), [MODIFIED, CREATED, WARN_DEPRECATED]);
}

#[test]
fn adjusting_places_what_has_no_replica_yet_and_takes_none_away() {
    let mut world = World::with(&["alpha", "bravo"]);
    for (name, nodes) in [("bare", &[][..]), ("full", &["alpha", "bravo"])] {
        world.volume(name, &[LayerKind::Drbd, LayerKind::Storage], nodes);
    }
    let adjust = |count| Command::Group(GroupCommand::Adjust { group: None, filter: place_count(count) });
    let notes = world.ask(adjust(1));
    let surplus: Vec<&Note> = notes.iter().filter(|note| note.code == WARN_RSC_ALREADY_DEPLOYED).collect();
    assert_eq!(surplus.iter().map(|note| refs(note)["RscDfn"]).collect::<Vec<_>>(), ["full"]);
    let replicas = |world: &World, rsc| world.definition(rsc).resources.len();
    assert_eq!((replicas(&world, "bare"), replicas(&world, "full")), (1, 2));
    world.ask(Command::Group(modify(DEFAULT_GROUP, place_count(2))));
    assert_eq!(replicas(&world, "bare"), 2);
}

#[test]
fn what_has_no_volume_yet_is_not_placed() {
    let mut world = World::with(&["alpha"]);
    world.ask(Command::Definition(DefinitionCommand::Create(NewDefinition {
        name: Naming::Name(rsc_name("empty")),
        group: None,
        layers: None,
        props: PropsModify::default(),
        peer_slots: None,
        secret: None,
    })));
    world.ask(Command::Group(GroupCommand::Adjust { group: None, filter: place_count(1) }));
    assert!(world.definition("empty").resources.is_empty());
}

#[test]
fn a_refused_placement_is_about_resources_whatever_was_asked_for() {
    let mut world = World::with(&["alpha"]);
    world.volume("vol", &[LayerKind::Storage], &[]);
    let spawn = Command::Group(GroupCommand::Spawn(Spawn {
        group: group_name(DEFAULT_GROUP),
        name: Naming::Name(rsc_name("web")),
        sizes: vec![Kib(4096)],
        filter: place_count(9),
        partial: false,
        definitions_only: false,
        peer_slots: None,
        props: PropsModify::default(),
        passphrases: Vec::new(),
    }));
    let autoplace = Command::Resource(ResourceCommand::Autoplace { rsc: rsc_name("vol"), filter: place_count(9) });
    for command in [spawn, autoplace] {
        let note = world.refuse(&command);
        let bits = ret_code(note.kind, note.operation, note.object, note.code);
        assert_eq!(bits, -4_611_686_018_407_201_820, "{note:?}");
    }
}

#[test]
fn a_group_goes_with_its_last_definition() {
    let mut world = World::with(&["alpha"]);
    world.volume("vol", &[LayerKind::Storage], &["alpha"]);
    let note = world.refuse(&delete(DEFAULT_GROUP));
    assert_eq!(note.code, FAIL_EXISTS_RSC_DFN);
    assert_eq!(note.details.as_deref(), Some("Resource definitions: vol"));
    world.ask(group_create("gold", place_count(1)));
    assert_eq!(codes(&world.ask(delete("gold"))), [DELETED]);
    assert_eq!(codes(&world.ask_in_vain(&delete("gold"))), [WARN_NOT_FOUND]);
}

#[test]
fn volume_groups() {
    let mut world = World::with(&[]);
    world.ask(group_create("gold", place_count(1)));
    world.ask(volume_create("gold", Some(1)));
    let notes = world.ask(volume_create("gold", None));
    assert_eq!(refs(&notes[0])["VlmGrp"], "0");
    world.ask(volume_create("gold", None));
    let volumes = |world: &World| world.cluster.groups[&group_name("gold")].volumes.clone();
    assert_eq!(volumes(&world).keys().map(|number| number.get()).collect::<Vec<_>>(), [0, 1, 2]);
    let (gross, none) = (VolumeGroupFlags::GROSS_SIZE, VolumeGroupFlags::NONE);
    world.ask_twice(&volume_modify(1, gross, none));
    let props = set(&[("Aux/a", "1")]);
    let (group, number_of) = (group_name("gold"), number(1));
    world.ask_twice(&Command::Group(GroupCommand::VolumeModify {
        group,
        number: number_of,
        set: none,
        clear: none,
        props,
    }));
    assert!(volumes(&world)[&number(1)].flags.has(gross));
    world.ask(volume_modify(1, none, gross));
    assert_eq!(volumes(&world)[&number(1)].flags, none);
    world.refuses(&[
        (volume_create("gold", Some(1)), FAIL_EXISTS_VLM_GRP),
        (volume_create("ghost", None), FAIL_NOT_FOUND_RSC_GRP),
        (volume_modify(9, none, none), FAIL_NOT_FOUND_VLM_GRP),
    ]);
    assert_eq!(codes(&world.ask(volume_delete("gold", 1))), [DELETED]);
    for command in [volume_delete("gold", 1), volume_delete("ghost", 0)] {
        assert_eq!(codes(&world.ask_in_vain(&command)), [WARN_NOT_FOUND]);
    }
}

#[test]
fn deleting_the_default_group_says_that_it_comes_back() {
    let mut world = World::with(&["alpha"]);
    world.ask(group_create("gold", SelectFilter::default()));
    let details = |notes: &[Note]| notes[0].details.clone().unwrap_or_default();
    assert_eq!(details(&world.ask(delete("gold"))), "");
    let told = details(&world.ask(delete(DEFAULT_GROUP)));
    assert!(told.contains("makes it anew, with place count 2"), "{told}");
    assert!(!world.cluster.groups.contains_key(&group_name(DEFAULT_GROUP)));
}
