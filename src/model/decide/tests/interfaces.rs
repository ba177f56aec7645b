//! Interfaces come, change and go; one stays active.

use super::*;

fn create(new: NewInterface) -> Command {
    Command::Node(NodeCommand::InterfaceCreate { node: node_name("alpha"), interface: new })
}

fn modify(name: &str, modify: InterfaceModify) -> Command {
    Command::Node(NodeCommand::InterfaceModify { node: node_name("alpha"), name: netif(name), modify })
}

fn delete(name: &str) -> Command {
    Command::Node(NodeCommand::InterfaceDelete { node: node_name("alpha"), name: netif(name) })
}

fn active(world: &World) -> String {
    world.node("alpha").active_interface.as_ref().expect("one is active").to_string()
}

#[test]
fn the_active_one_is_chosen_and_moves_on() {
    let mut world = World::with(&["alpha"]);
    let notes = world.ask(create(interface("data", 2, None)));
    assert_eq!(refs(&notes[0]).keys().copied().collect::<Vec<_>>(), ["NetIf", "Node", "UUID"]);
    assert_eq!(active(&world), "default");
    world.ask(create(NewInterface { active: true, ..interface("second", 3, Some(4000)) }));
    assert_eq!(active(&world), "second");
    let wish = InterfaceModify { active: true, ..InterfaceModify::default() };
    world.ask(modify("default", wish.clone()));
    assert_eq!(active(&world), "default");
    world.ask_in_vain(&modify("default", wish));
    world.ask(delete("default"));
    assert_eq!(active(&world), "second");
    assert_eq!(codes(&world.ask_in_vain(&delete("default"))), [WARN_NOT_FOUND]);
    world.refuses(&[(delete("second"), FAIL_IN_USE)]);
    world.ask(delete("data"));
}

#[test]
fn address_and_port_change() {
    let mut world = World::with(&["alpha"]);
    let address: IpAddr = "fd00::7".parse().expect("an address");
    let satellite = SatellitePort { port: 3367, encryption: EncryptionKind::Ssl };
    let wish = InterfaceModify { address: Some(address), satellite: Some(satellite.clone()), active: false };
    world.ask_twice(&modify("default", wish));
    let now = &world.node("alpha").net_interfaces[&netif("default")];
    assert_eq!((now.address, now.satellite.as_ref()), (address, Some(&satellite)));
}

#[test]
fn bad_interfaces_are_refused() {
    let mut world = World::with(&["alpha"]);
    world.ask(create(interface("data", 2, None)));
    let port = |port| Some(SatellitePort { port, encryption: EncryptionKind::Plain });
    let nowhere = Some("::".parse().expect("an address"));
    let ghost =
        Command::Node(NodeCommand::InterfaceCreate { node: node_name("ghost"), interface: interface("data", 2, None) });
    world.refuses(&[
        (create(interface("DATA", 2, None)), FAIL_EXISTS_NET_IF),
        (ghost, FAIL_NOT_FOUND_NODE),
        (modify("ghost", InterfaceModify::default()), FAIL_NOT_FOUND_NET_IF),
        (modify("data", InterfaceModify { active: true, ..Default::default() }), FAIL_MISSING_STLT_CONN),
        (modify("data", InterfaceModify { satellite: port(0), ..Default::default() }), FAIL_INVLD_NET_PORT),
        (modify("data", InterfaceModify { address: nowhere, ..Default::default() }), FAIL_INVLD_NET_ADDR),
    ]);
    let auxiliary = Command::Node(NodeCommand::Create {
        name: node_name("alpha"),
        kind: NodeKind::Auxiliary,
        interfaces: vec![interface("data", 2, Some(1))],
        props: PropsModify::default(),
    });
    let mut world = World::with(&[]);
    world.ask(auxiliary);
    let wish = InterfaceModify { active: true, ..Default::default() };
    world.refuses(&[(modify("data", wish), FAIL_INVLD_NODE_TYPE)]);
    world.ask(delete("data"));
}
