//! Decisions by table: a small cluster, a command, and what it comes to or why it is refused.

mod availability;
mod controller;
mod copies;
mod definitions;
mod doubts;
mod evacuation;
mod facts;
mod groups;
mod interfaces;
mod nodes;
mod pools;
mod removal;
mod replicas;
mod resources;
mod snapshots;
mod successors;
mod volumes;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{decide, first_records, observe};
use crate::model::change::Change;
use crate::model::cluster::Cluster;
use crate::model::code::*;
use crate::model::command::*;
use crate::model::definition::{Resource, ResourceDefinition};
use crate::model::group::SelectFilter;
use crate::model::kinds::*;
use crate::model::moment::{EpochMs, Moment};
use crate::model::names::*;
use crate::model::node::{BACKING_PROP, Node, SatellitePort};
use crate::model::observed::{NodeStatus, PoolStatus, ResourceStatus, Sighting};
use crate::model::props::PropsModify;
use crate::model::refusal::Note;
use crate::model::report::{Capacity, Report, ResourceReport, SatelliteFacts, VolumeReport, VolumeState};
use crate::model::size::Kib;
use crate::model::testkit;

/// Codes of refusals whose message tells the cause already.
const CAUSE_IN_MESSAGE: &[u16] = &[
    FAIL_INVLD_PROP,
    FAIL_INVLD_VLM_SIZES,
    FAIL_NOT_FOUND_NODE,
    FAIL_NOT_FOUND_RSC_GRP,
    FAIL_NOT_FOUND_RSC_DFN,
    FAIL_EXISTS_RSC_DFN,
    FAIL_MISSING_EXT_NAME,
];

fn node_name(name: &str) -> NodeName {
    NodeName::parse(name).expect("a legal name")
}

fn pool_name(name: &str) -> PoolName {
    PoolName::parse(name).expect("a legal name")
}

fn rsc_name(name: &str) -> RscName {
    RscName::parse(name).expect("a legal name")
}

fn group_name(name: &str) -> GroupName {
    GroupName::parse(name).expect("a legal name")
}

fn netif(name: &str) -> NetIfName {
    NetIfName::parse(name).expect("a legal name")
}

/// Keys set to values.
fn set(pairs: &[(&str, &str)]) -> PropsModify {
    let override_props = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    PropsModify { override_props, ..PropsModify::default() }
}

/// Keys removed.
fn unset(keys: &[&str]) -> PropsModify {
    PropsModify { delete_props: keys.iter().map(|key| (*key).to_owned()).collect(), ..PropsModify::default() }
}

/// An interface: name, last part of its address, port.
fn interface(name: &str, last: u8, port: Option<u16>) -> NewInterface {
    NewInterface {
        name: netif(name),
        address: IpAddr::from([10, 0, 0, last]),
        satellite: port.map(|port| SatellitePort { port, encryption: EncryptionKind::Plain }),
        active: false,
    }
}

fn satellite(name: &str, interfaces: Vec<NewInterface>) -> Command {
    Command::Node(NodeCommand::Create {
        name: node_name(name),
        kind: NodeKind::Satellite,
        interfaces,
        props: PropsModify::default(),
    })
}

/// A FILE_THIN pool `data` of the node, in `/pool`.
fn file_pool(node: &str) -> NewPool {
    NewPool {
        node: node_name(node),
        name: pool_name("data"),
        provider: ProviderKind::FileThin,
        props: set(&[(BACKING_PROP, "/pool")]),
        shared_space: None,
        external_locking: false,
    }
}

fn group_create(name: &str, filter: SelectFilter) -> Command {
    Command::Group(GroupCommand::Create {
        name: group_name(name),
        description: None,
        props: PropsModify::default(),
        filter,
        peer_slots: None,
    })
}

fn place_count(count: u32) -> SelectFilter {
    SelectFilter { place_count: Some(count), ..SelectFilter::default() }
}

/// What a satellite of these tests says of itself.
fn facts() -> SatelliteFacts {
    SatelliteFacts {
        uname: "node".into(),
        version: "1".into(),
        providers: vec![ProviderKind::Diskless, ProviderKind::FileThin, ProviderKind::File],
        layers: vec![LayerKind::Drbd, LayerKind::Storage],
        unsupported_providers: vec![(ProviderKind::Lvm, vec!["the program 'lvs' is missing".into()])],
        unsupported_layers: Vec::new(),
        tools: Vec::new(),
    }
}

/// A cluster that commands change.
#[derive(Clone)]
struct World {
    cluster: Cluster,
    seed: u64,
}

impl World {
    /// That of a text (`model::testkit`).
    fn of(text: &str) -> Self {
        Self { cluster: testkit::cluster(text), seed: 1 }
    }

    /// As it begins, with these nodes online, each with pool `data`.
    fn with(nodes: &[&str]) -> Self {
        let mut world = Self { cluster: Cluster::default(), seed: 1 };
        for change in first_records(Moment::repeatable(EpochMs(1), 1)) {
            world.cluster.apply(&change);
        }
        for (last, name) in (1..).zip(nodes) {
            world.ask(satellite(name, vec![interface("default", last, Some(3366))]));
            world.link(name, ConnectionStatus::Online);
            world.ask(Command::Pool(PoolCommand::Create(file_pool(name))));
            world.measure(name);
        }
        world
    }

    /// The node's satellite comes or goes.
    fn link(&mut self, node: &str, status: ConnectionStatus) {
        let facts = Some(Arc::new(facts()));
        let status = NodeStatus { status, since: EpochMs(1), attempts: 0, facts, reason: None };
        self.cluster.sight(Sighting::Node(node_name(node), status));
    }

    fn measure(&mut self, node: &str) {
        let capacity = Ok(Capacity { free: Kib(1 << 30), total: Kib(1 << 30) });
        let status = PoolStatus { capacity, supports_snapshots: true, granularity: Kib(4), warning: None };
        self.cluster.sight(Sighting::Pool(node_name(node), pool_name("data"), status));
    }

    /// Decides and applies; the changes and notes.
    fn decided(&mut self, command: &Command) -> (Vec<Change>, Vec<Note>) {
        self.seed += 1;
        let moment = Moment::repeatable(EpochMs(1000), self.seed);
        let decision =
            decide(&self.cluster, command, moment).unwrap_or_else(|refusal| panic!("{command:?}: {refusal:?}"));
        for change in &decision.changes {
            self.cluster.apply(change);
        }
        (decision.changes, decision.notes)
    }

    /// The notes of a command that succeeds.
    fn ask(&mut self, command: Command) -> Vec<Note> {
        self.decided(&command).1
    }

    /// A command that changes nothing: its notes.
    fn ask_in_vain(&mut self, command: &Command) -> Vec<Note> {
        let (changes, notes) = self.decided(command);
        assert_eq!(changes, [], "{command:?}");
        assert!(!notes.is_empty(), "{command:?}");
        notes
    }

    /// A command that changes something once, and says which of the two it was.
    fn ask_twice(&mut self, command: &Command) -> Vec<Note> {
        let notes = self.ask(command.clone());
        assert!(notes[0].message.ends_with(" modified"), "{notes:?}");
        let again = self.ask_in_vain(command);
        assert!(again[0].message.ends_with(" is as wanted already"), "{again:?}");
        notes
    }

    /// The error of a command that is refused, for people.
    fn refuse(&self, command: &Command) -> Note {
        let moment = Moment::repeatable(EpochMs(1000), 99);
        let refusal = decide(&self.cluster, command, moment).expect_err(&format!("{command:?}"));
        let note = *refusal.note;
        assert!(note.correction.is_some(), "{note:?}");
        assert!(note.cause.is_some() || CAUSE_IN_MESSAGE.contains(&note.code), "{note:?}");
        note
    }

    /// The code of a command that is refused.
    fn code(&self, command: &Command) -> u16 {
        let moment = Moment::repeatable(EpochMs(1000), 99);
        decide(&self.cluster, command, moment).expect_err(&format!("{command:?}")).note.code
    }

    /// Each command is refused with its code.
    fn refuses(&self, rows: &[(Command, u16)]) {
        for (command, code) in rows {
            let note = self.refuse(command);
            assert_eq!(note.code, *code, "{command:?}: {note:?}");
        }
    }

    fn node(&self, name: &str) -> &Node {
        &self.cluster.nodes[&node_name(name)]
    }

    fn definition(&self, rsc: &str) -> &ResourceDefinition {
        &self.cluster.definitions[&rsc_name(rsc)]
    }

    fn resource(&self, rsc: &str, node: &str) -> &Resource {
        &self.definition(rsc).resources[&node_name(node)]
    }

    /// A definition of the group with one volume and replicas in `data`.
    fn volume(&mut self, rsc: &str, layers: &[LayerKind], nodes: &[&str]) {
        self.ask(Command::Definition(DefinitionCommand::Create(NewDefinition {
            name: Naming::Name(rsc_name(rsc)),
            group: None,
            layers: Some(layers.to_vec()),
            props: PropsModify::default(),
            peer_slots: None,
            secret: None,
        })));
        self.ask(Command::Definition(DefinitionCommand::VolumeCreate(NewVolume {
            rsc: rsc_name(rsc),
            number: None,
            size: Kib(4096),
            flags: VolumeDefinitionFlags::NONE,
            props: PropsModify::default(),
            minor: None,
            passphrase: None,
        })));
        let wish = |node: &&str| NewResource {
            node: node_name(node),
            flags: ResourceFlags::NONE,
            props: set(&[("StorPoolName", "data")]),
            layers: None,
            node_id: None,
        };
        let wishes = nodes.iter().map(wish).collect();
        self.ask(Command::Resource(ResourceCommand::Create { rsc: rsc_name(rsc), wishes }));
    }

    /// The node tells the state of the resource's volume.
    fn tell(&mut self, rsc: &str, node: &str, state: VolumeState, in_use: bool) {
        let volume = VolumeReport {
            number: VolumeNumber::new(0).expect("a legal number"),
            state,
            device_path: None,
            backing_path: None,
            allocated: None,
            usable: None,
            luks: None,
        };
        let generation = self.definition(rsc).generation;
        let status = ResourceStatus {
            generation,
            volumes: vec![volume],
            in_use: Some(in_use),
            problem: None,
            taken_back: false,
        };
        self.cluster.sight(Sighting::Resource(rsc_name(rsc), node_name(node), Some(status)));
    }

    /// The definition is another one from now on.
    fn alter(&mut self, rsc: &str, change: impl FnOnce(&mut ResourceDefinition)) {
        let mut definition = self.definition(rsc).clone();
        change(&mut definition);
        self.cluster.apply(&Change::Definition(rsc_name(rsc), Some(Arc::new(definition))));
    }

    /// Every volume was reported as made.
    fn made(&mut self, rsc: &str) {
        self.alter(rsc, |definition| {
            let volumes = definition.resources.values_mut().flat_map(|resource| resource.volumes.values_mut());
            volumes.for_each(|volume| volume.made = true);
        });
    }

    fn snapshot(&mut self, rsc: &str, name: &str) {
        self.made(rsc);
        let new = NewSnapshot {
            rsc: rsc_name(rsc),
            name: SnapName::parse(name).expect("a legal name"),
            nodes: Vec::new(),
            props: PropsModify::default(),
        };
        self.ask(Command::Snapshot(SnapshotCommand::Create { snapshots: vec![new] }));
    }
}

fn codes(notes: &[Note]) -> Vec<u16> {
    notes.iter().map(|note| note.code).collect()
}

fn refs(note: &Note) -> BTreeMap<&'static str, &str> {
    note.refs.iter().map(|(key, value)| (*key, value.as_str())).collect()
}

mod ends;
mod headers;
mod keys;
mod lives;
mod puppet;
mod taken_back;
