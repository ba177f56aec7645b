//! Storage pools and their definitions.

use super::*;
use crate::model::node::{DEFAULT_POOL, DISKLESS_POOL};

fn create(new: NewPool) -> Command {
    Command::Pool(PoolCommand::Create(new))
}

fn named(name: &str, provider: ProviderKind, backing: &str) -> NewPool {
    let props = if backing.is_empty() { PropsModify::default() } else { set(&[(BACKING_PROP, backing)]) };
    NewPool { name: pool_name(name), provider, props, ..file_pool("alpha") }
}

fn modify(name: &str, props: PropsModify) -> Command {
    Command::Pool(PoolCommand::Modify { node: node_name("alpha"), name: pool_name(name), props })
}

fn delete(node: &str, name: &str) -> Command {
    Command::Pool(PoolCommand::Delete { node: node_name(node), name: pool_name(name) })
}

fn definition_create(name: &str, props: PropsModify) -> Command {
    Command::Pool(PoolCommand::DefinitionCreate { name: pool_name(name), props })
}

fn definition_modify(name: &str, props: PropsModify) -> Command {
    Command::Pool(PoolCommand::DefinitionModify { name: pool_name(name), props })
}

fn definition_delete(name: &str) -> Command {
    Command::Pool(PoolCommand::DefinitionDelete { name: pool_name(name) })
}

#[test]
fn a_pool_brings_its_definition() {
    let mut world = World::with(&["alpha"]);
    let notes = world.ask(create(named("slow", ProviderKind::File, "/slow")));
    assert_eq!(codes(&notes), [CREATED, CREATED]);
    let refs = refs(&notes[0]);
    assert_eq!((refs["Node"], refs["StorPool"], refs["StorPoolDfn"]), ("alpha", "slow", "slow"));
    assert!(world.cluster.pool_definitions.contains_key(&pool_name("slow")));
    assert_eq!(world.node("alpha").pools[&pool_name("slow")].backing(), "/slow");
    let old = NewPool { props: set(&[("StorDriver/FileDir", "/old")]), ..named("old", ProviderKind::File, "") };
    world.ask(create(old));
    assert_eq!(world.node("alpha").pools[&pool_name("old")].backing(), "/old");
    world.ask(create(named("none", ProviderKind::Diskless, "")));
}

#[test]
fn a_node_that_never_told_gets_its_pool_with_a_warning() {
    let mut world = World::with(&[]);
    world.ask(satellite("alpha", vec![interface("default", 1, None)]));
    let notes = world.ask(create(named("lvm", ProviderKind::Lvm, "vg")));
    assert!(codes(&notes).contains(&WARN_NOT_CONNECTED), "{notes:?}");
    let shared = SharedSpaceName::parse("san").expect("a legal name");
    let share = |new: NewPool| create(NewPool { shared_space: Some(shared.clone()), ..new });
    world.ask(share(named("san1", ProviderKind::Lvm, "san")));
    world.refuses(&[
        (share(named("san2", ProviderKind::Lvm, "other")), FAIL_INVLD_FREE_SPACE_MGR_NAME),
        (share(named("thin", ProviderKind::LvmThin, "vg/thin")), FAIL_INVLD_FREE_SPACE_MGR_NAME),
        (create(named("lvm2", ProviderKind::Lvm, "vg")), FAIL_STOR_POOL_CONFIGURATION_ERROR),
    ]);
}

#[test]
fn bad_pools_are_refused() {
    let mut world = World::with(&["alpha"]);
    world.ask(Command::Node(NodeCommand::Create {
        name: node_name("aux"),
        kind: NodeKind::Auxiliary,
        interfaces: vec![],
        props: PropsModify::default(),
    }));
    world.refuses(&[
        (create(file_pool("ghost")), FAIL_NOT_FOUND_NODE),
        (create(file_pool("aux")), FAIL_STLT_DOES_NOT_SUPPORT_PROVIDER),
        (create(file_pool("alpha")), FAIL_EXISTS_STOR_POOL),
        (create(named(DISKLESS_POOL, ProviderKind::Diskless, "")), FAIL_EXISTS_STOR_POOL),
        (create(named("file", ProviderKind::File, "")), FAIL_MISSING_PROPS),
        (create(named("file", ProviderKind::File, "relative")), FAIL_STOR_POOL_CONFIGURATION_ERROR),
        (create(named("file", ProviderKind::File, "//pool/")), FAIL_STOR_POOL_CONFIGURATION_ERROR),
        (create(NewPool { props: set(&[("Nonsense", "1")]), ..file_pool("alpha") }), FAIL_EXISTS_STOR_POOL),
        (
            create(NewPool { props: set(&[("Nonsense", "1")]), ..named("file", ProviderKind::File, "") }),
            FAIL_INVLD_PROP,
        ),
    ]);
    let note = world.refuse(&create(named("lvm", ProviderKind::Lvm, "vg")));
    assert_eq!(note.code, FAIL_STLT_DOES_NOT_SUPPORT_PROVIDER);
    assert_eq!(note.cause.as_deref(), Some("the program 'lvs' is missing"));
    let taken = world.refuse(&create(named("file", ProviderKind::File, "/pool")));
    assert!(taken.message.contains("'data'"), "{taken:?}");
}

#[test]
fn a_pool_moves_only_while_it_is_empty() {
    let mut world = World::with(&["alpha"]);
    let command = modify("data", set(&[("Aux/a", "1")]));
    world.ask_twice(&command);
    world.ask(modify("data", set(&[(BACKING_PROP, "/elsewhere")])));
    world.volume("vol", &[LayerKind::Storage], &["alpha"]);
    world.ask_in_vain(&modify("data", set(&[(BACKING_PROP, "/elsewhere")])));
    world.refuses(&[
        (modify("data", set(&[(BACKING_PROP, "/pool")])), FAIL_IN_USE),
        (modify("data", unset(&[BACKING_PROP])), FAIL_IN_USE),
        (modify("ghost", PropsModify::default()), FAIL_NOT_FOUND_STOR_POOL),
    ]);
}

#[test]
fn a_pool_goes_when_nothing_is_in_it() {
    let mut world = World::with(&["alpha", "bravo"]);
    world.volume("vol", &[LayerKind::Storage], &["alpha"]);
    world.snapshot("vol", "snap");
    let note = world.refuse(&delete("alpha", "data"));
    assert_eq!(note.code, FAIL_IN_USE);
    assert_eq!(note.details.as_deref(), Some("Resources: vol\nSnapshots: snap of vol"));
    world.refuses(&[(delete("alpha", DISKLESS_POOL), FAIL_INVLD_STOR_POOL_NAME)]);
    let notes = world.ask(delete("bravo", "data"));
    assert_eq!(codes(&notes), [DELETED]);
    assert!(!world.node("bravo").pools.contains_key(&pool_name("data")));
    for command in [delete("bravo", "data"), delete("ghost", "data")] {
        assert_eq!(codes(&world.ask_in_vain(&command)), [WARN_NOT_FOUND]);
    }
}

#[test]
fn definitions() {
    let mut world = World::with(&["alpha"]);
    world.ask(definition_create("tier", set(&[("Aux/a", "1")])));
    let command = definition_modify("tier", set(&[("Aux/a", "2")]));
    world.ask_twice(&command);
    assert_eq!(world.cluster.pool_definitions[&pool_name("tier")].props.get("Aux/a"), Some("2"));
    world.refuses(&[
        (definition_create("TIER", PropsModify::default()), FAIL_EXISTS_STOR_POOL_DFN),
        (definition_create("more", set(&[("Nonsense", "1")])), FAIL_INVLD_PROP),
        (definition_modify("ghost", PropsModify::default()), FAIL_NOT_FOUND_STOR_POOL_DFN),
        (definition_delete(DEFAULT_POOL), FAIL_INVLD_STOR_POOL_NAME),
        (definition_delete(&DISKLESS_POOL.to_lowercase()), FAIL_INVLD_STOR_POOL_NAME),
        (definition_delete("data"), FAIL_IN_USE),
    ]);
    assert_eq!(codes(&world.ask(definition_delete("tier"))), [DELETED]);
    assert_eq!(codes(&world.ask_in_vain(&definition_delete("tier"))), [WARN_NOT_FOUND]);
}

#[test]
fn no_two_pools_of_a_node_are_in_one_place() {
    use ProviderKind::{File, FileThin, Lvm, Zfs, ZfsThin};
    for (first, second, clash) in [
        ((FileThin, "/a/b"), (File, "/a//b/"), true),
        ((File, "/a/b"), (FileThin, "/a/b/c"), false),
        ((Zfs, "tank"), (ZfsThin, "tank"), true),
        ((Zfs, "tank"), (ZfsThin, "tank/set"), false),
        ((Lvm, "tank"), (Zfs, "tank"), false),
    ] {
        let mut world = World::of("node alpha\nnode bravo");
        world.ask(create(named("one", first.0, first.1)));
        let command = create(named("two", second.0, second.1));
        match clash {
            true => world.refuses(&[(command, FAIL_STOR_POOL_CONFIGURATION_ERROR)]),
            false => drop(world.ask(command)),
        }
        world.ask(create(NewPool { node: node_name("bravo"), ..named("two", second.0, second.1) }));
        world.ask_twice(&modify("one", set(&[("Aux/a", "1")])));
    }
}

#[test]
fn whoever_is_in_the_pool_is_named_and_nobody_else() {
    let text = "node alpha\npool alpha data FILE_THIN 90/90\npool alpha more FILE_THIN 90/90
        rsc web 1 alpha/data:made\nrsc db 1 alpha/more:made\nsnap web s1 alpha/data\nsnap db s2 alpha/more";
    let details = |pool: &str| World::of(text).refuse(&delete("alpha", pool)).details.expect("names");
    assert_eq!(details("data"), "Resources: web\nSnapshots: s1 of web");
    assert_eq!(details("more"), "Resources: db\nSnapshots: s2 of db");
}
