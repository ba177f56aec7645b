//! Lives of encrypted volumes: whatever is decided, every node is told a passphrase that fits its disk, and nothing of any
//! of them stands in a record, a note or a text.

use super::lives::{THREE, delete, snap_name, snapshot, spawn};
use super::puppet::Puppet;
use crate::model::code::*;
use crate::model::command::*;
use crate::model::encryption::{Lock, Want, waiting};
use crate::model::kinds::{LayerKind, VolumeDefinitionFlags};
use crate::model::props::PropsModify;
use crate::model::refusal::Refusal;
use crate::model::report::LuksState;
use crate::model::secret::Secret;
use crate::model::size::Kib;
use crate::model::testkit::{cluster, node, rsc, volume};

/// A part of every passphrase of these tests.
const HUSH: &str = "hush";

fn secret(text: &str) -> Secret {
    Secret::new(format!("{HUSH}-{text}"))
}

fn create(text: &str) -> Command {
    Command::Encryption(EncryptionCommand::Create { passphrase: secret(text) })
}

fn enter(text: &str) -> Command {
    Command::Encryption(EncryptionCommand::Enter { passphrase: secret(text) })
}

fn modify(old: &str, new: &str) -> Command {
    Command::Encryption(EncryptionCommand::Modify { old: secret(old), new: secret(new) })
}

/// A spawn with a LUKS layer; with a passphrase of the user's own, where one is given.
fn encrypted(name: &str, count: u32, own: Option<&str>) -> Command {
    let Command::Group(GroupCommand::Spawn(mut order)) = spawn(name, count) else { panic!("a spawn") };
    order.filter.layers = Some(vec![LayerKind::Luks, LayerKind::Storage]);
    order.passphrases = own.map(secret).into_iter().collect();
    Command::Group(GroupCommand::Spawn(order))
}

fn change(name: &str, text: &str) -> Command {
    Command::Definition(DefinitionCommand::VolumePassphrase {
        rsc: rsc(name),
        number: volume(0),
        passphrase: secret(text),
    })
}

fn clone(from: &str, to: &str, own: Option<&str>) -> Command {
    Command::Definition(DefinitionCommand::Clone(CloneOrder {
        source: rsc(from),
        name: Naming::Name(rsc(to)),
        group: None,
        layers: None,
        props: PropsModify::default(),
        passphrases: own.map(secret).into_iter().collect(),
    }))
}

fn rollback(name: &str, snap: &str) -> Command {
    Command::Snapshot(SnapshotCommand::Rollback { rsc: rsc(name), name: snap_name(snap) })
}

/// With a master passphrase.
fn unlocked() -> Puppet {
    let mut puppet = Puppet::new(cluster(THREE));
    puppet.done(create("master"));
    puppet
}

/// What is in force on the disks of a resource, by node.
fn in_force(puppet: &Puppet, name: &str) -> Vec<String> {
    let of = puppet.headers.volumes.iter().filter(|((_, of, _), _)| *of == rsc(name));
    of.map(|(_, header)| header.clone()).collect()
}

/// Nothing is pending, everything is open, and no passphrase stands anywhere but in the headers.
fn at_rest(puppet: &Puppet) {
    assert_eq!(waiting(&puppet.cluster), []);
    let definitions = puppet.cluster.definitions.values();
    let volumes = definitions.flat_map(|definition| definition.resources.values().flat_map(|it| it.volumes.values()));
    assert!(volumes.filter_map(|volume| volume.key.as_ref()).all(|key| key.previous.is_none()));
    hushed(puppet);
}

fn hushed(puppet: &Puppet) {
    let cluster = &puppet.cluster;
    let mut text = format!("{:?}{:?}{:?}", puppet.told, cluster.definitions, cluster.snapshots);
    text.extend(cluster.controller.props.iter().map(|(_, value)| value));
    for definition in cluster.definitions.values() {
        let props = definition.volumes.values().flat_map(|volume| volume.props.iter());
        text.extend(props.map(|(_, value)| value));
        let volumes = definition.resources.values().flat_map(|resource| resource.volumes.values());
        text.extend(volumes.filter_map(|volume| Some(volume.key.as_ref()?.current.as_text())));
    }
    let parts = cluster.snapshots.values().flat_map(|snapshot| snapshot.nodes.values());
    let volumes = parts.flat_map(|part| part.volumes.values());
    text.extend(volumes.filter_map(|volume| Some(volume.key.as_ref()?.as_text())));
    let secrets = puppet.headers.volumes.values().map(String::as_str).chain([HUSH]);
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

fn refused(puppet: &mut Puppet, command: Command) -> Refusal {
    let refusal = puppet.ask(command).expect_err("to be refused");
    assert!(!format!("{refusal:?}").contains(HUSH));
    assert!(refusal.note.cause.is_some() && refusal.note.correction.is_some(), "{refusal:?}");
    refusal
}

#[test]
fn without_a_master_passphrase_nothing_is_encrypted() {
    let mut puppet = Puppet::new(cluster(THREE));
    assert_eq!(puppet.cluster.lock(), Lock::Unset);
    for command in [encrypted("web", 1, None), encrypted("web", 1, Some("own")), enter("master"), modify("a", "b")] {
        let refusal = refused(&mut puppet, command);
        assert_eq!(refusal.note.code, FAIL_NOT_FOUND_CRYPT_KEY);
        assert!(refusal.note.correction.as_deref().unwrap_or_default().contains("create-passphrase"), "{refusal:?}");
    }
    assert!(puppet.cluster.definitions.is_empty());
    assert_eq!(refused(&mut puppet, create(&"x".repeat(4097))).note.code, FAIL_INVLD_CRYPT_PASSPHRASE);
    puppet.done(create("master"));
    assert_eq!(puppet.cluster.lock(), Lock::Unlocked);
    assert_eq!(refused(&mut puppet, create("other")).note.code, FAIL_EXISTS_CRYPT_PASSPHRASE);
    puppet.done(encrypted("web", 3, None));
    let mut keys = in_force(&puppet, "web");
    assert!(keys.iter().all(|key| key.len() == 28), "the Base64 text of twenty bytes");
    keys.dedup();
    assert_eq!(keys.len(), 3, "each replica has its own");
    at_rest(&puppet);
}

#[test]
fn a_passphrase_of_the_users_own_is_that_of_every_replica() {
    let mut puppet = unlocked();
    puppet.done(encrypted("web", 2, Some("own")));
    puppet.done(Command::Resource(ResourceCommand::Autoplace {
        rsc: rsc("web"),
        filter: crate::model::group::SelectFilter { place_count: Some(3), ..Default::default() },
    }));
    assert_eq!(in_force(&puppet, "web"), vec!["hush-own"; 3]);
    let mut props = PropsModify::default();
    props.override_props.insert("/Encryption//Passphrase".to_owned(), format!("{HUSH}-prop"));
    let new = |number| NewVolume {
        rsc: rsc("web"),
        number: Some(volume(number)),
        size: Kib(1024),
        flags: VolumeDefinitionFlags::NONE,
        props: props.clone(),
        minor: None,
        passphrase: None,
    };
    puppet.done(Command::Definition(DefinitionCommand::VolumeCreate(new(1))));
    assert_eq!(in_force(&puppet, "web").iter().filter(|key| *key == "hush-prop").count(), 3);
    puppet.done(Command::Definition(DefinitionCommand::VolumeModify {
        rsc: rsc("web"),
        number: volume(0),
        size: None,
        props: props.clone(),
        set: VolumeDefinitionFlags::NONE,
        clear: VolumeDefinitionFlags::NONE,
    }));
    assert_eq!(in_force(&puppet, "web"), vec!["hush-prop"; 6]);
    for bad in [String::new(), "two\nlines".to_owned(), "x".repeat(513)] {
        let refusal = puppet.ask(Command::Definition(DefinitionCommand::VolumePassphrase {
            rsc: rsc("web"),
            number: volume(0),
            passphrase: Secret::new(bad),
        }));
        assert_eq!(refusal.expect_err("no passphrase").note.code, FAIL_INVLD_CRYPT_PASSPHRASE);
    }
    at_rest(&puppet);
}

#[test]
fn the_master_key_stays_when_its_passphrase_changes() {
    let mut puppet = unlocked();
    puppet.done(encrypted("web", 1, None));
    let (key, before) =
        (puppet.cluster.master_key.clone().expect("it was created"), puppet.cluster.definitions.clone());
    assert_eq!(refused(&mut puppet, modify("wrong", "new")).note.code, FAIL_INVLD_CRYPT_PASSPHRASE);
    puppet.done(modify("master", "new"));
    assert!(key.is_kept_in(&puppet.cluster.controller.props));
    assert_eq!(puppet.cluster.definitions, before, "nothing else is encrypted anew");
    puppet.cluster.master_key = None;
    assert_eq!(refused(&mut puppet, enter("master")).note.code, FAIL_INVLD_CRYPT_PASSPHRASE);
    let notes = puppet.done(enter("new"));
    assert_eq!(notes[0].code, PASSPHRASE_ACCEPTED);
    let again = puppet.done(Command::Encryption(EncryptionCommand::Provide { passphrase: secret("new") }));
    assert_eq!(again[0].code, PASSPHRASE_ACCEPTED);
    at_rest(&puppet);
}

#[test]
fn a_locked_controller_keeps_what_is_open_and_deletes_and_says_what_waits() {
    let mut puppet = unlocked();
    puppet.done(encrypted("web", 2, None));
    puppet.done(encrypted("old", 1, None));
    // The controller is started anew, and so is one of the nodes.
    puppet.cluster.master_key = None;
    assert_eq!(puppet.cluster.lock(), Lock::Locked);
    puppet.headers.open.retain(|(on, ..)| *on != node("alpha"));
    puppet.resync();
    let waits = waiting(&puppet.cluster);
    assert!(!waits.is_empty() && waits.iter().all(|it| it.node == node("alpha") && it.want == Want::Locked));
    assert_eq!(puppet.headers.open.len(), 3 - waits.len(), "what was open stays open");
    let refusal = refused(&mut puppet, encrypted("new", 1, None));
    assert_eq!(refusal.note.code, FAIL_NOT_FOUND_CRYPT_KEY);
    assert!(refusal.note.correction.as_deref().unwrap_or_default().contains("zea encryption enter"), "{refusal:?}");
    let modified = puppet.ask(Command::Definition(DefinitionCommand::Modify {
        name: rsc("web"),
        props: crate::model::decide::tests::set(&[("Aux/a", "1")]),
        group: None,
        layers: None,
        peer_slots: None,
    }));
    assert!(modified.expect("properties need no key").iter().any(|note| note.code == WARN_NOT_FOUND_CRYPT_KEY));
    puppet.done(delete("old"));
    assert!(!puppet.cluster.definitions.contains_key(&rsc("old")));
    puppet.done(enter("master"));
    assert_eq!(puppet.headers.open.len(), 2);
    at_rest(&puppet);
}

#[test]
fn copies_have_the_header_of_what_they_were_made_from() {
    let mut puppet = unlocked();
    puppet.done(encrypted("web", 2, None));
    puppet.done(snapshot("web", "one"));
    let first = in_force(&puppet, "web");
    puppet.done(change("web", "later"));
    assert_eq!(in_force(&puppet, "web"), vec!["hush-later"; 2]);
    puppet.done(clone("web", "copy", None));
    assert_eq!(in_force(&puppet, "copy"), vec!["hush-later"; 2]);
    puppet.done(clone("web", "own", Some("clone")));
    assert_eq!(in_force(&puppet, "own"), vec!["hush-clone"; 2], "the header comes first, then it is changed");
    let order = |to: &str| {
        let Command::Group(GroupCommand::Spawn(mut order)) = encrypted(to, 1, None) else { panic!("a spawn") };
        (order.definitions_only, order.sizes, order.partial) = (true, Vec::new(), true);
        Command::Group(GroupCommand::Spawn(order))
    };
    puppet.done(order("back"));
    let restore =
        |command: fn(_, _, _) -> SnapshotCommand| Command::Snapshot(command(rsc("web"), snap_name("one"), rsc("back")));
    puppet.done(restore(|rsc, name, to| SnapshotCommand::RestoreVolumes { rsc, name, to }));
    puppet.done(restore(|rsc, name, to| SnapshotCommand::RestoreResources {
        rsc,
        name,
        to,
        nodes: Vec::new(),
        pools: Default::default(),
    }));
    assert_eq!(in_force(&puppet, "back"), first, "of the time of the snapshot");
    at_rest(&puppet);
}

#[test]
fn what_was_rolled_back_gets_the_passphrase_of_today() {
    let mut puppet = unlocked();
    puppet.done(encrypted("web", 2, None));
    puppet.done(snapshot("web", "one"));
    puppet.done(change("web", "later"));
    puppet.done(rollback("web", "one"));
    assert_eq!(in_force(&puppet, "web"), vec!["hush-later"; 2]);
    at_rest(&puppet);
    puppet.done(rollback("web", "one"));
    puppet.done(change("web", "last"));
    assert_eq!(in_force(&puppet, "web"), vec!["hush-last"; 2]);
    at_rest(&puppet);
}

#[test]
fn a_change_that_is_not_over_holds_others_back() {
    let mut puppet = unlocked();
    puppet.done(encrypted("web", 2, None));
    puppet.done(snapshot("web", "one"));
    puppet.ask(change("web", "later")).expect("the first change");
    let told = std::mem::take(&mut puppet.told);
    assert_eq!(told.len(), 2);
    for command in [change("web", "third"), snapshot("web", "two"), rollback("web", "one")] {
        assert_eq!(refused(&mut puppet, command).note.code, FAIL_RSC_BUSY);
    }
    // One node has heard of it; a report of what it was told before tells nothing.
    let (late, _) = told[1].clone();
    let mut before = told[1].1.clone();
    before.generation -= 1;
    let mut stale = puppet.carry_out(&before);
    stale.volumes.iter_mut().for_each(|volume| volume.luks = Some(LuksState::InForce));
    puppet.told.push(told[0].clone());
    puppet.settle();
    puppet.report(&late, stale);
    assert_eq!(refused(&mut puppet, change("web", "third")).note.code, FAIL_RSC_BUSY);
    puppet.told.push(told[1].clone());
    puppet.settle();
    at_rest(&puppet);
    puppet.ask(snapshot("web", "two")).expect("no change is under way");
    let taking = std::mem::take(&mut puppet.told);
    assert_eq!(refused(&mut puppet, change("web", "third")).note.code, FAIL_RSC_BUSY, "a snapshot is being taken");
    puppet.told = taking;
    puppet.settle();
    puppet.done(change("web", "third"));
    at_rest(&puppet);
}

#[test]
fn layers_with_and_without_luks_are_no_copies_of_one_another() {
    let mut puppet = unlocked();
    puppet.done(spawn("plain", 1));
    puppet.done(snapshot("plain", "one"));
    assert_eq!(refused(&mut puppet, change("plain", "x")).note.code, FAIL_INVLD_LAYER_STACK);
    let Command::Definition(DefinitionCommand::Clone(mut order)) = clone("plain", "copy", None) else { panic!() };
    order.layers = Some(vec![LayerKind::Luks, LayerKind::Storage]);
    let other = Command::Definition(DefinitionCommand::Clone(order));
    assert_eq!(refused(&mut puppet, other).note.code, FAIL_INVLD_LAYER_STACK);
    let Command::Group(GroupCommand::Spawn(mut order)) = encrypted("web", 1, Some("a")) else { panic!() };
    order.passphrases.push(secret("b"));
    let surplus = Command::Group(GroupCommand::Spawn(order));
    assert_eq!(refused(&mut puppet, surplus).note.code, FAIL_INVLD_REQUEST);
}
