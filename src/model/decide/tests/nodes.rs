//! Nodes are made and changed.

use super::*;
use crate::model::node::DISKLESS_POOL;

fn create(kind: NodeKind, interfaces: Vec<NewInterface>, props: PropsModify) -> Command {
    Command::Node(NodeCommand::Create { name: node_name("alpha"), kind, interfaces, props })
}

fn modify(kind: Option<NodeKind>, props: PropsModify) -> Command {
    Command::Node(NodeCommand::Modify { name: node_name("alpha"), kind, props })
}

#[test]
fn a_satellite_has_a_pool_without_storage_and_one_active_interface() {
    let mut world = World::with(&[]);
    let marked = NewInterface { active: true, ..interface("marked", 9, None) };
    for (interfaces, active, port) in [
        (vec![interface("one", 1, None), interface("two", 2, None)], "one", 3366),
        (vec![interface("one", 1, None), interface("two", 2, Some(4000))], "two", 4000),
        (vec![interface("one", 1, Some(4000)), marked], "marked", 3366),
    ] {
        let mut world = world.clone();
        let notes = world.ask(create(NodeKind::Satellite, interfaces, set(&[("Aux/zone", "a")])));
        let node = world.node("ALPHA");
        assert_eq!(codes(&notes), [CREATED, CREATED]);
        assert_eq!(refs(&notes[0]).keys().copied().collect::<Vec<_>>(), ["Node", "UUID"]);
        assert!(notes[1].message.contains("Aux/zone"), "{:?}", notes[1]);
        assert_eq!(node.active_interface, Some(netif(active)));
        let satellite = node.net_interfaces[&netif(active)].satellite.as_ref().expect("made active");
        assert_eq!((satellite.port, satellite.encryption), (port, EncryptionKind::Plain));
        assert_eq!(node.pools[&pool_name(DISKLESS_POOL)].provider, ProviderKind::Diskless);
    }
    world.ask(create(NodeKind::Auxiliary, Vec::new(), PropsModify::default()));
    assert!(world.node("alpha").pools.is_empty() && world.node("alpha").active_interface.is_none());
}

#[test]
fn bad_nodes_are_refused() {
    let none = PropsModify::default;
    let nowhere = NewInterface { address: IpAddr::from([0, 0, 0, 0]), ..interface("one", 1, None) };
    let many = NewInterface { address: IpAddr::from([224, 0, 0, 1]), ..interface("one", 1, None) };
    World::with(&[]).refuses(&[
        (create(NodeKind::Satellite, vec![], none()), FAIL_MISSING_NETCOM),
        (create(NodeKind::Satellite, vec![nowhere], none()), FAIL_INVLD_NET_ADDR),
        (create(NodeKind::Satellite, vec![many], none()), FAIL_INVLD_NET_ADDR),
        (create(NodeKind::Satellite, vec![interface("one", 1, Some(0))], none()), FAIL_INVLD_NET_PORT),
        (
            create(NodeKind::Satellite, vec![interface("one", 1, None), interface("ONE", 2, None)], none()),
            FAIL_EXISTS_NET_IF,
        ),
        (create(NodeKind::RemoteSpdk, vec![interface("one", 1, None)], none()), FAIL_INVLD_NODE_TYPE),
        (create(NodeKind::Satellite, vec![interface("one", 1, None)], set(&[("Nonsense", "1")])), FAIL_INVLD_PROP),
        (modify(None, none()), FAIL_NOT_FOUND_NODE),
    ]);
    let twice = create(NodeKind::Satellite, vec![interface("one", 1, None)], none());
    World::with(&["Alpha"]).refuses(&[(twice, FAIL_EXISTS_NODE)]);
}

#[test]
fn properties_change_once() {
    let mut world = World::with(&["alpha"]);
    let command = modify(None, set(&[("Aux/zone", "a")]));
    assert_eq!(codes(&world.ask_twice(&command)), [MODIFIED, CREATED]);
    assert_eq!(world.node("alpha").props.get("Aux/zone"), Some("a"));
    world.ask(modify(None, unset(&["Aux/zone"])));
    assert!(world.node("alpha").props.is_empty());
    world.refuses(&[(modify(None, set(&[("Aux/a", "1"), ("Nonsense", "1")])), FAIL_INVLD_PROP)]);
}

#[test]
fn the_kind_changes_with_what_it_needs() {
    let mut world = World::with(&[]);
    world.ask(create(NodeKind::Auxiliary, vec![interface("one", 1, None)], PropsModify::default()));
    world.ask(modify(Some(NodeKind::Combined), PropsModify::default()));
    assert_eq!(world.node("alpha").active_interface, Some(netif("one")));
    assert!(world.node("alpha").pools.contains_key(&pool_name(DISKLESS_POOL)));
    world.ask_in_vain(&modify(Some(NodeKind::Combined), PropsModify::default()));
    world.ask(modify(Some(NodeKind::Controller), PropsModify::default()));
    assert!(world.node("alpha").active_interface.is_none() && world.node("alpha").pools.is_empty());

    let to_controller = modify(Some(NodeKind::Controller), PropsModify::default());
    World::with(&["alpha"]).refuses(&[(to_controller, FAIL_INVLD_NODE_TYPE)]);
    let mut bare = World::with(&[]);
    bare.ask(create(NodeKind::Auxiliary, vec![], PropsModify::default()));
    bare.refuses(&[
        (modify(Some(NodeKind::Satellite), PropsModify::default()), FAIL_MISSING_NETCOM),
        (modify(Some(NodeKind::EbsTarget), PropsModify::default()), FAIL_INVLD_NODE_TYPE),
    ]);
}

fn connection(a: &str, b: &str, props: PropsModify) -> Command {
    Command::Node(NodeCommand::ConnectionModify { a: node_name(a), b: node_name(b), props })
}

#[test]
fn a_connection_is_there_from_its_first_property_to_its_last() {
    let mut world = World::with(&["alpha", "bravo"]);
    let key = (node_name("alpha"), node_name("bravo"));
    world.ask_in_vain(&connection("alpha", "bravo", PropsModify::default()));
    let notes = world.ask_twice(&connection("bravo", "alpha", set(&[("Paths/p1/BRAVO", "default")])));
    assert_eq!(refs(&notes[0]), BTreeMap::from([("FirstNode", "alpha"), ("SecondNode", "bravo")]));
    assert_eq!(world.cluster.node_connections[&key].props.len(), 1);
    world.ask(connection("alpha", "bravo", unset(&["Paths/p1/BRAVO"])));
    assert!(world.cluster.node_connections.is_empty());
    world.refuses(&[
        (connection("alpha", "ghost", PropsModify::default()), FAIL_NOT_FOUND_NODE),
        (connection("alpha", "ALPHA", PropsModify::default()), FAIL_INVLD_REQUEST),
        (connection("alpha", "bravo", set(&[("Paths/p1/alpha", "ghost")])), FAIL_INVLD_PROP),
        (connection("alpha", "bravo", set(&[("Paths/p1/ghost", "default")])), FAIL_INVLD_PROP),
        (connection("alpha", "bravo", set(&[("Paths/p1", "default")])), FAIL_INVLD_PROP),
    ]);
}
