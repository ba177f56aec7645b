//! Resource definitions: names, layer stacks, and what changes with them.

use super::*;

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
