//! The last copy of the data, and copies that would lack it: what is refused while nodes move disks about.

use super::lives::{THREE, snap_name, snapshot, spawn};
use super::puppet::Puppet;
use crate::model::code::*;
use crate::model::command::*;
use crate::model::kinds::{LayerKind, ResourceFlags};
use crate::model::node::DISKLESS_POOL;
use crate::model::props::PropsModify;
use crate::model::testkit::{cluster, node, pool, rsc};

pub(super) fn under_drbd() -> Puppet {
    let mut puppet = Puppet::new(cluster(&THREE.replace("grp store layers=STORAGE", "")));
    let mut order = spawn("web", 2);
    if let Command::Group(GroupCommand::Spawn(spawn)) = &mut order {
        spawn.filter.layers = None;
    }
    puppet.done(order);
    puppet
}

fn toggle(at: &str, diskful: bool) -> Command {
    let (pool, migrate_from) = (None, None);
    Command::Resource(ResourceCommand::ToggleDisk { rsc: rsc("web"), node: node(at), diskful, pool, migrate_from })
}

fn delete_on(at: &str) -> Command {
    Command::Resource(ResourceCommand::Delete { rsc: rsc("web"), node: node(at), keep_tiebreaker: false })
}

#[test]
fn a_disk_that_is_being_given_up_is_no_copy() {
    let mut puppet = under_drbd();
    puppet.ask(toggle("alpha", false)).expect("bravo has the data, too");
    let refused = puppet.ask(delete_on("bravo")).expect_err("alpha is about to lose its disk");
    assert_eq!(refused.note.code, FAIL_INSUFFICIENT_REPLICA_COUNT);
    puppet.settle();
    assert_eq!(puppet.cluster.definitions[&rsc("web")].diskful().count(), 1);
}

#[test]
fn the_only_replica_that_is_made_stays_while_others_are_filled() {
    let mut puppet = under_drbd();
    puppet.done(delete_on("bravo"));
    let data = Some(pool("data"));
    puppet
        .ask(Command::Resource(ResourceCommand::ToggleDisk {
            rsc: rsc("web"),
            node: node("bravo"),
            diskful: true,
            pool: data,
            migrate_from: None,
        }))
        .expect("there is room");
    let refused = puppet.ask(delete_on("alpha")).expect_err("bravo is not filled yet");
    assert_eq!(refused.note.code, FAIL_INSUFFICIENT_REPLICA_COUNT);
    puppet.settle();
    puppet.done(delete_on("alpha"));
}

#[test]
fn a_disk_is_never_made_in_the_pool_without_storage() {
    let mut puppet = under_drbd();
    let refused = puppet.ask(toggle("charlie", true)).expect_err("no pool is named");
    assert_eq!(refused.note.code, FAIL_NOT_FOUND_DFLT_STOR_POOL);
    let named = Command::Resource(ResourceCommand::ToggleDisk {
        rsc: rsc("web"),
        node: node("charlie"),
        diskful: true,
        pool: Some(pool(DISKLESS_POOL)),
        migrate_from: None,
    });
    let refused = puppet.ask(named).expect_err("it has no storage");
    assert_eq!(refused.note.code, FAIL_INVLD_STOR_DRIVER);
}

#[test]
fn volumes_are_not_restored_beside_resources_that_lack_them() {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(spawn("web", 1));
    puppet.done(snapshot("web", "one"));
    puppet.done(Command::Definition(DefinitionCommand::Create(NewDefinition {
        name: Naming::Name(rsc("copy")),
        group: None,
        layers: Some(vec![LayerKind::Storage]),
        props: PropsModify::default(),
        peer_slots: None,
        secret: None,
    })));
    let mut props = PropsModify::default();
    props.override_props.insert("StorPoolName".to_owned(), "data".to_owned());
    let flags = ResourceFlags::NONE;
    let wish = NewResource { node: node("alpha"), flags, props, layers: None, node_id: None };
    puppet.done(Command::Resource(ResourceCommand::Create { rsc: rsc("copy"), wishes: vec![wish] }));
    let (from, to) = (rsc("web"), rsc("copy"));
    let restore = SnapshotCommand::RestoreVolumes { rsc: from, name: snap_name("one"), to };
    let refused = puppet.ask(Command::Snapshot(restore)).expect_err("copy has a resource without volumes");
    assert_eq!(refused.note.code, FAIL_EXISTS_RSC);
}
