//! The controller's properties, and key-value stores.

use super::*;

fn controller(props: PropsModify) -> Command {
    Command::Controller(ControllerCommand::Modify { props })
}

fn store(name: &str, props: PropsModify) -> Command {
    Command::Controller(ControllerCommand::KvsModify { name: KvsName::parse(name).expect("a legal name"), props })
}

fn drop_store(name: &str) -> Command {
    Command::Controller(ControllerCommand::KvsDelete { name: KvsName::parse(name).expect("a legal name") })
}

#[test]
fn controller_properties_change_once() {
    let mut world = World::with(&[]);
    let command = controller(set(&[("Aux/a", "1"), ("AutoplaceTarget", "True")]));
    let (changes, notes) = world.decided(&command);
    assert!(matches!(changes[..], [Change::Controller(_)]));
    assert_eq!(codes(&notes), [MODIFIED, CREATED]);
    assert!(notes[1].message.contains("AutoplaceTarget, Aux/a"), "{:?}", notes[1]);
    assert_eq!(world.cluster.controller.props.get("AutoplaceTarget"), Some("true"));
    world.ask(controller(unset(&["Aux/a", "AutoplaceTarget"])));
    world.ask_twice(&command);
    world.ask(controller(unset(&["Aux/a"])));
    assert_eq!(world.cluster.controller.props.get("Aux/a"), None);
    world.refuses(&[
        (controller(set(&[("Nonsense", "1")])), FAIL_INVLD_PROP),
        (controller(set(&[("AutoplaceTarget", "perhaps")])), FAIL_INVLD_PROP),
    ]);
}

#[test]
fn what_goes_out_of_use_is_warned_of() {
    let mut world = World::with(&[]);
    let notes = world.ask(controller(set(&[("DrbdOptions/auto-quorum", "io-error")])));
    assert_eq!(codes(&notes), [MODIFIED, CREATED, WARN_DEPRECATED]);
    assert_eq!(notes[2].kind, Kind::Warn);
}

#[test]
fn a_store_is_there_from_its_first_property_to_its_last() {
    let mut world = World::with(&[]);
    let stores = |world: &World| world.cluster.key_value_stores.len();
    world.ask_in_vain(&store("settings", unset(&["any"])));
    let command = store("settings", set(&[("any/thing", "{}"), ("Nonsense", "1")]));
    world.ask(command.clone());
    world.ask_in_vain(&command);
    let uuid = world.cluster.key_value_stores.values().next().expect("made").uuid;
    world.ask(store("SETTINGS", unset(&["Nonsense"])));
    assert_eq!(world.cluster.key_value_stores.values().next().map(|store| store.uuid), Some(uuid));
    world.ask(store("settings", unset(&["any/thing"])));
    assert_eq!(stores(&world), 0);
    world.ask(command);
    assert_eq!(codes(&world.ask(drop_store("settings"))), [DELETED]);
    assert_eq!(stores(&world), 0);
    assert_eq!(codes(&world.ask_in_vain(&drop_store("settings"))), [WARN_NOT_FOUND]);
    world.refuses(&[(store("settings", set(&[("", "1")])), FAIL_INVLD_PROP)]);
}
