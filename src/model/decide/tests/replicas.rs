//! Placement by decision: which replicas count, how many are placed, where, and the account of it.

use super::*;
use crate::model::decide::explain;
use crate::model::group::DEFAULT_GROUP;
use crate::model::placement::{NotPlaced, Placed};

/// Rising room from the last to the first.
const FOUR: &str = "
    node alpha\npool alpha data FILE_THIN 9000/9000
    node bravo\npool bravo data FILE_THIN 8000/9000
    node charlie evacuate\npool charlie data FILE_THIN 7000/9000
    node delta\npool delta data FILE_THIN 6000/9000
";

fn autoplace(filter: SelectFilter) -> Command {
    Command::Resource(ResourceCommand::Autoplace { rsc: rsc_name("web"), filter })
}

fn more(count: u32) -> SelectFilter {
    SelectFilter { additional_place_count: Some(count), ..SelectFilter::default() }
}

/// Node of each replica of `web`, with a mark where it has no disk.
fn replicas(world: &World) -> String {
    let show = |(node, resource): (&NodeName, &Resource)| match resource.is_diskful() {
        true => node.to_string(),
        false => format!("{node}-"),
    };
    world.definition("web").resources.iter().map(show).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_leaves_or_stands_on_a_node_that_is_given_up_counts_for_nothing() {
    let table = [
        ("alpha/data", place_count(2), "alpha bravo"),
        ("alpha/data:evacuate", place_count(1), "alpha bravo"),
        ("alpha/data:evicted", place_count(1), "alpha bravo"),
        ("charlie/data", place_count(1), "alpha charlie"),
        ("alpha/data charlie/data", place_count(2), "alpha bravo charlie"),
        ("alpha/data bravo/data", place_count(1), "alpha bravo"),
        ("alpha/data", more(1), "alpha bravo"),
        ("alpha/data", more(2), "alpha bravo delta"),
        // One without a disk gets one where it stands best.
        ("delta/data alpha/-", place_count(2), "alpha delta"),
        ("delta/data alpha/-", place_count(1), "alpha- delta"),
        // Two are wanted where nobody says how many.
        ("", SelectFilter::default(), "alpha bravo"),
    ];
    for (places, filter, expected) in table {
        let mut world = World::of(&format!("{FOUR}rsc web 10 {places}"));
        world.ask(autoplace(filter.clone()));
        assert_eq!(replicas(&world), expected, "{places} {filter:?}");
    }
}

#[test]
fn no_replica_at_all_cannot_be_asked_for() {
    let mut world = World::of(&format!("{FOUR}rsc web 10"));
    world.ask(group_create(DEFAULT_GROUP, SelectFilter::default()));
    world.refuses(&[(autoplace(place_count(0)), FAIL_INVLD_PLACE_COUNT), (autoplace(more(0)), FAIL_INVLD_PLACE_COUNT)]);
    world.ask(autoplace(place_count(1)));
    let notes = world.ask_in_vain(&autoplace(more(0)));
    assert_eq!(codes(&notes), [WARN_RSC_ALREADY_DEPLOYED]);
}

#[test]
fn what_stands_already_is_told_and_none_is_removed() {
    let mut world = World::of(&format!("{FOUR}rsc web 10 alpha/data bravo/data"));
    world.ask(group_create(DEFAULT_GROUP, SelectFilter::default()));
    for (count, details) in [(2, "Nothing had to be placed"), (1, "1 more than asked for; none is removed")] {
        let notes = world.ask_in_vain(&autoplace(place_count(count)));
        assert_eq!((codes(&notes), notes[0].details.as_deref()), (vec![WARN_RSC_ALREADY_DEPLOYED], Some(details)));
    }
}

#[test]
fn a_placement_names_its_places_and_what_of_the_filter_means_nothing() {
    let mut world = World::of(&format!("{FOUR}rsc web 10"));
    let pools = Some(vec![pool_name("data"), pool_name("ghost")]);
    let notes = world.ask(autoplace(SelectFilter { pools, ..place_count(2) }));
    let placed = notes.iter().find(|note| note.message.contains("autoplaced on 2")).expect("the sum");
    assert_eq!(placed.details.as_deref(), Some("Used nodes (storage pool name): 'alpha (data)', 'bravo (data)'"));
    let warning = notes.iter().find(|note| note.code == WARN_INVLD_CONF).expect("no node has that pool");
    assert!(warning.message.contains("ghost"), "{warning:?}");
    assert_eq!(world.resource("web", "alpha").props.get("DiskfulBy"), Some("auto-placer"));
}

#[test]
fn every_other_node_in_service_gets_a_replica_without_a_disk() {
    let remaining = |count| SelectFilter { diskless_on_remaining: Some(true), ..place_count(count) };
    for (places, expected) in
        [("", "alpha bravo- delta-"), ("alpha/data", "alpha bravo- delta-"), ("bravo/-", "alpha bravo- delta-")]
    {
        let mut world = World::of(&format!("{FOUR}rsc web 10 {places}"));
        world.ask(autoplace(remaining(1)));
        assert_eq!(replicas(&world), expected, "{places}");
        assert_eq!(world.resource("web", "delta").flags, ResourceFlags::DRBD_DISKLESS);
    }
    // Nothing carries the data there without DRBD.
    let mut world = World::with(&["alpha", "bravo"]);
    world.volume("web", &[LayerKind::Storage], &["alpha"]);
    world.decided(&autoplace(remaining(1)));
    assert_eq!(replicas(&world), "alpha");
}

#[test]
fn an_account_tells_what_stands_what_is_wanted_and_where_the_next_would_go() {
    let places = |outcome: &Result<_, NotPlaced>| match outcome {
        Ok(Placed { choices, .. }) => {
            choices.iter().map(|choice| choice.node.to_string()).collect::<Vec<_>>().join(" ")
        }
        Err(not) => format!("{} of {}", not.possible, not.wanted),
    };
    for (text, expected) in [
        ("rsc web 10", (2, 0, "alpha bravo")),
        ("rsc web 10 alpha/data", (2, 1, "bravo")),
        ("rsc web 10 alpha/data bravo/data", (2, 2, "delta")),
        ("rsc web 10 alpha/data bravo/data delta/data", (2, 3, "0 of 1")),
        ("rsc web 10 alpha/data:evacuate", (2, 0, "bravo delta")),
    ] {
        let mut world = World::of(&format!("{FOUR}{text}"));
        assert_eq!(explain(&world.cluster, &rsc_name("web")), None, "there is no group yet");
        world.ask(group_create(DEFAULT_GROUP, SelectFilter::default()));
        let told = explain(&world.cluster, &rsc_name("web")).expect("it is there");
        assert_eq!((told.wanted, told.standing, places(&told.outcome).as_str()), expected, "{text}");
        assert_eq!(explain(&world.cluster, &rsc_name("ghost")), None);
    }
}

fn spawn(sizes: &[u64], partial: bool) -> Command {
    Command::Group(GroupCommand::Spawn(Spawn {
        group: group_name("gold"),
        name: Naming::Name(rsc_name("web")),
        sizes: sizes.iter().copied().map(Kib).collect(),
        filter: place_count(1),
        partial,
        definitions_only: false,
        peer_slots: None,
        props: PropsModify::default(),
        passphrases: Vec::new(),
    }))
}

/// Number, size and grossness of each volume of `web`.
fn volumes(world: &World) -> Vec<(u16, u64, bool)> {
    let gross = |flags: VolumeDefinitionFlags| flags.has(VolumeDefinitionFlags::GROSS_SIZE);
    let volumes = world.definition("web").volumes.values();
    volumes.map(|volume| (volume.number.get(), volume.size.0, gross(volume.flags))).collect()
}

#[test]
fn a_spawned_definition_has_its_volumes_from_the_volume_groups() {
    let mut gold = World::of(FOUR);
    gold.ask(group_create("gold", SelectFilter::default()));
    for (number, flags) in [(1, VolumeGroupFlags::NONE), (3, VolumeGroupFlags::GROSS_SIZE)] {
        let number = Some(VolumeNumber::new(number).expect("a legal number"));
        let (group, props) = (group_name("gold"), PropsModify::default());
        gold.ask(Command::Group(GroupCommand::VolumeCreate { group, number, flags, props }));
    }
    gold.refuses(&[(spawn(&[8], false), FAIL_INVLD_VLM_SIZES), (spawn(&[8, 8, 8], false), FAIL_INVLD_VLM_SIZES)]);
    let (one, three) = ((1, 8, false), (3, 12, true));
    let table = [
        (&[8, 12][..], false, vec![one, three]),
        (&[8], true, vec![one]),
        (&[8, 12, 16, 20], true, vec![(0, 16, false), one, (2, 20, false), three]),
    ];
    for (sizes, partial, expected) in table {
        let mut world = gold.clone();
        world.ask(spawn(sizes, partial));
        assert_eq!((volumes(&world), replicas(&world).as_str()), (expected, "alpha"), "{sizes:?}");
    }
}

#[test]
fn a_spawn_with_nothing_but_definitions_places_nothing() {
    let mut world = World::of(FOUR);
    world.ask(group_create("gold", SelectFilter::default()));
    let mut order = spawn(&[8], false);
    if let Command::Group(GroupCommand::Spawn(order)) = &mut order {
        order.definitions_only = true;
    }
    let notes = world.ask(order);
    assert!(codes(&notes).contains(&INFO_NO_RSC_SPAWNED));
    assert_eq!((volumes(&world), replicas(&world).as_str()), (vec![(0, 8, false)], ""));
}
