//! Replicas that stand in for others: the old one goes when the new one is current, nobody uses the old one, and not a
//! report earlier.

use std::sync::Arc;

use super::copies::under_drbd;
use super::puppet::Puppet;
use crate::model::change::Change;
use crate::model::command::*;
use crate::model::definition::{Resource, ResourceDefinition};
use crate::model::kinds::ResourceFlags;
use crate::model::report::VolumeState;
use crate::model::testkit::{node, pool, rsc};

/// `web` has its disks on alpha and bravo; alpha's goes to charlie.
fn moving(from: &str, to: &str) -> Puppet {
    let mut puppet = under_drbd();
    let (rsc, node, from) = (rsc("web"), node(to), Some(node(from)));
    puppet
        .ask(Command::Resource(ResourceCommand::ToggleDisk {
            rsc,
            node,
            diskful: true,
            pool: Some(pool("data")),
            migrate_from: from,
        }))
        .expect("there is room");
    puppet
}

/// The node tells the state of its volume, and whether somebody uses it.
fn tell(puppet: &mut Puppet, at: &str, state: VolumeState, in_use: bool) {
    let desired = crate::model::derive::desired_resource(&puppet.cluster, &rsc("web"), &node(at)).expect("there");
    let mut report = puppet.carry_out(&desired);
    report.in_use = Some(in_use);
    report.volumes.iter_mut().for_each(|volume| volume.state = state);
    puppet.report(&node(at), report);
}

fn replica<'a>(puppet: &'a Puppet, at: &str) -> &'a Resource {
    &puppet.cluster.definitions[&rsc("web")].resources[&node(at)]
}

#[test]
fn the_old_one_waits_for_the_new_one_and_for_its_user() {
    use VolumeState::{Attachable, Cloning, Created, Failed, UpToDate};
    for (state, in_use, goes) in [
        (Cloning, false, false),
        (Failed, false, false),
        (Created, false, false),
        (Attachable, false, false),
        (UpToDate, true, false),
        (UpToDate, false, true),
    ] {
        let mut puppet = moving("alpha", "charlie");
        tell(&mut puppet, "alpha", UpToDate, in_use);
        assert!(!replica(&puppet, "alpha").is_deleting(), "nothing is known of the new one");
        tell(&mut puppet, "charlie", state, false);
        assert_eq!(replica(&puppet, "alpha").is_deleting(), goes, "{state:?} {in_use}");
        assert_eq!(replica(&puppet, "charlie").props.get("MigrateFrom"), Some("alpha"));
        if in_use {
            tell(&mut puppet, "alpha", UpToDate, false);
            assert!(replica(&puppet, "alpha").is_deleting(), "its user is gone");
        }
    }
}

#[test]
fn the_mark_goes_with_the_old_one() {
    let mut puppet = moving("alpha", "charlie");
    puppet.settle();
    let web = &puppet.cluster.definitions[&rsc("web")];
    assert!(!web.resources.contains_key(&node("alpha")));
    tell(&mut puppet, "charlie", VolumeState::UpToDate, false);
    assert_eq!(replica(&puppet, "charlie").props.get("MigrateFrom"), None);
    assert_eq!(replica(&puppet, "charlie").flags, ResourceFlags::NONE);
}

#[test]
fn a_replica_never_makes_way_for_itself() {
    let mut puppet = under_drbd();
    let mut web = ResourceDefinition::clone(&puppet.cluster.definitions[&rsc("web")]);
    let own = web.resources.get_mut(&node("alpha")).expect("has a disk there");
    own.props.set("MigrateFrom", "alpha").expect("short");
    puppet.cluster.apply(&Change::Definition(rsc("web"), Some(Arc::new(web))));
    tell(&mut puppet, "alpha", VolumeState::UpToDate, false);
    assert!(!replica(&puppet, "alpha").is_deleting());
}
