//! Nodes are deleted or given up as lost.

use super::*;

fn delete(name: &str) -> Command {
    Command::Node(NodeCommand::Delete { name: node_name(name) })
}

fn lost(name: &str) -> Command {
    Command::Node(NodeCommand::Lost { name: node_name(name) })
}

fn link_of(a: &str, b: &str) -> Command {
    Command::Node(NodeCommand::ConnectionModify { a: node_name(a), b: node_name(b), props: set(&[("Aux/a", "1")]) })
}

#[test]
fn a_node_goes_when_nothing_is_left_on_it() {
    let mut world = World::with(&["alpha", "bravo"]);
    world.ask(link_of("alpha", "bravo"));
    world.volume("vol", &[LayerKind::Storage], &["alpha"]);
    let note = world.refuse(&delete("alpha"));
    assert_eq!((note.code, note.details.as_deref()), (FAIL_IN_USE, Some("vol")));
    let notes = world.ask(delete("bravo"));
    assert_eq!(codes(&notes), [DELETED, DELETED]);
    assert_eq!((refs(&notes[0])["StorPool"], notes[0].object), ("data", Some(ObjectKind::StoragePool)));
    assert!(!world.cluster.nodes.contains_key(&node_name("bravo")) && world.cluster.node_connections.is_empty());
    assert!(world.cluster.pool_status.keys().all(|(node, _)| node.as_str() == "alpha"));
    for command in [delete("bravo"), lost("bravo")] {
        assert_eq!(codes(&world.ask_in_vain(&command)), [WARN_NOT_FOUND]);
    }
}

#[test]
fn a_node_whose_pool_holds_a_snapshot_stays() {
    let mut world = World::with(&["alpha", "bravo"]);
    world.volume("vol", &[LayerKind::Drbd, LayerKind::Storage], &["alpha", "bravo"]);
    world.snapshot("vol", "s1");
    let (rsc, node) = (rsc_name("vol"), node_name("bravo"));
    world.ask(Command::Resource(ResourceCommand::Delete { rsc, node: node.clone(), keep_tiebreaker: false }));
    let mut definition = world.definition("vol").clone();
    definition.resources.remove(&node);
    world.cluster.apply(&Change::Definition(rsc_name("vol"), Some(Arc::new(definition))));
    let note = world.refuse(&delete("bravo"));
    assert_eq!((note.code, note.details.as_deref()), (FAIL_IN_USE, Some("s1 of vol")));
}

#[test]
fn a_lost_node_goes_with_all_that_it_had() {
    let mut world = World::with(&["alpha", "bravo"]);
    world.ask(link_of("alpha", "bravo"));
    world.volume("both", &[LayerKind::Drbd, LayerKind::Storage], &["alpha", "bravo"]);
    world.volume("only", &[LayerKind::Storage], &["alpha"]);
    world.snapshot("both", "s1");
    world.snapshot("only", "s2");
    world.ask(Command::Resource(ResourceCommand::ConnectionModify {
        rsc: rsc_name("both"),
        a: node_name("alpha"),
        b: node_name("bravo"),
        props: set(&[("Aux/a", "1")]),
    }));
    for status in [ConnectionStatus::Online, ConnectionStatus::Connected] {
        world.link("alpha", status);
        world.refuses(&[(lost("alpha"), FAIL_EXISTS_NODE_CONN)]);
    }
    world.link("alpha", ConnectionStatus::Offline);
    let generation = world.definition("both").generation;
    let notes = world.ask(lost("alpha"));
    assert_eq!(codes(&notes), [WARN_STORAGE_ERROR, WARN_ALL_DISKLESS, DELETED]);
    assert!(!world.cluster.nodes.contains_key(&node_name("alpha")) && world.cluster.node_connections.is_empty());
    let both = world.definition("both");
    assert_eq!(both.resources.keys().map(NodeName::as_str).collect::<Vec<_>>(), ["bravo"]);
    assert!(both.connections.is_empty() && both.generation > generation);
    assert!(world.definition("only").resources.is_empty());
    let left: Vec<_> = world.cluster.snapshots.keys().map(|key| key.name.as_str()).collect();
    assert_eq!(left, ["s1"]);
    assert!(!world.cluster.on_node.contains_key(&node_name("alpha")));
    assert!(!world.cluster.snapshots_on_node.contains_key(&node_name("alpha")));
}

#[test]
fn a_definition_on_its_way_out_goes_with_its_last_replica() {
    let mut world = World::with(&["alpha"]);
    world.volume("vol", &[LayerKind::Storage], &["alpha"]);
    world.ask(Command::Definition(DefinitionCommand::Delete { name: rsc_name("vol") }));
    assert!(world.definition("vol").flags.has(DefinitionFlags::DELETE));
    world.link("alpha", ConnectionStatus::Offline);
    assert_eq!(codes(&world.ask(lost("alpha"))), [DELETED]);
    assert!(world.cluster.definitions.is_empty());
}

#[test]
fn what_a_lost_node_leaves_is_mended_and_nothing_else_is_touched() {
    let text = "node alpha offline\npool alpha data FILE_THIN 90/90\nnode bravo\npool bravo data FILE_THIN 90/90
        node charlie\npool charlie data FILE_THIN 90/90\nrsc web 1 alpha/data:made bravo/data:made charlie/-
        rsc last 1 alpha/data:made bravo/-\nrsc disk 1 alpha/- bravo/data:made\nrsc going 1 alpha/data:made:deleting
        snap going s1 alpha/data bravo/data";
    let mut world = World::of(text);
    let link = |a: &str, b: &str| {
        let (rsc, props) = (rsc_name("web"), set(&[("Aux/a", "1")]));
        Command::Resource(ResourceCommand::ConnectionModify { rsc, a: node_name(a), b: node_name(b), props })
    };
    for (a, b) in [("alpha", "bravo"), ("alpha", "charlie"), ("bravo", "charlie")] {
        world.ask(link(a, b));
        world.ask(link_of(a, b));
    }
    world.alter("web", |web| {
        let charlie = web.resources.get_mut(&node_name("charlie")).expect("there");
        charlie.props.set("MigrateFrom", "ALPHA").expect("short");
        let bravo = web.resources.get_mut(&node_name("bravo")).expect("there");
        bravo.props.set("MigrateFrom", "charlie").expect("short");
    });
    world.alter("going", |going| going.flags = DefinitionFlags::DELETE);
    let notes = world.ask(lost("alpha"));
    let warned: Vec<&str> =
        notes.iter().filter(|note| note.code == WARN_ALL_DISKLESS).map(|n| refs(n)["RscDfn"]).collect();
    assert_eq!(warned, ["last"], "the others had no disk there, have one left, or were to go");
    let web = world.definition("web");
    let pairs: Vec<_> = web.connections.iter().map(|link| (link.a.as_str(), link.b.as_str())).collect();
    assert_eq!(pairs, [("bravo", "charlie")]);
    assert_eq!(world.cluster.node_connections.keys().map(|(a, _)| a.as_str()).collect::<Vec<_>>(), ["bravo"]);
    assert_eq!(world.resource("web", "charlie").props.get("MigrateFrom"), None);
    assert_eq!(world.resource("web", "bravo").props.get("MigrateFrom"), Some("charlie"));
    assert!(world.definition("going").resources.is_empty(), "its snapshot stays on bravo");
}
