//! The working copy of a decision: changes are seen by what follows in the same decision, and collected.

use std::fmt::Display;
use std::sync::Arc;

use super::Decision;
use crate::model::change::Change;
use crate::model::cluster::Cluster;
use crate::model::code::*;
use crate::model::definition::ResourceDefinition;
use crate::model::desired::GENERATION_COUNTER_BITS;
use crate::model::encryption::MasterKey;
use crate::model::group::{DEFAULT_GROUP, DEFAULT_PLACE_COUNT, ResourceGroup, SelectFilter};
use crate::model::kinds::SnapshotFlags;
use crate::model::kvs::ControllerRecord;
use crate::model::moment::{Dice, EpochMs, Moment, Uuid};
use crate::model::names::{GroupName, NodeName, PoolName, RscName};
use crate::model::node::{DEFAULT_POOL, DISKLESS_POOL, Node, PoolDefinition};
use crate::model::props::{PropError, PropertyOwner, Props, PropsChange, PropsModify, apply, is_deprecated};
use crate::model::refusal::{Note, Refusal};
use crate::model::secret_seed::SecretDice;
use crate::model::snapshot::{Snapshot, SnapshotKey, SnapshotNode};

/// Identity of the default resource group, the same in every cluster.
const DEFAULT_GROUP_UUID: Uuid = Uuid(0xa52e_934a_9fd9_44cb_9db1_716d_cd13_aae3);
/// Identity of the definition of [`DEFAULT_POOL`].
const DEFAULT_POOL_UUID: Uuid = Uuid(0xf516_11c6_528f_4793_a87a_866d_09e6_733a);
/// Identity of the definition of [`DISKLESS_POOL`].
const DISKLESS_POOL_UUID: Uuid = Uuid(0x6228_07eb_c8c4_44f0_b03d_a081_73c8_fa1b);

/// A decision in the making.
pub(super) struct Draft {
    /// The cluster with all changes so far.
    pub cluster: Cluster,
    /// Random values.
    pub dice: Dice,
    /// Random values that nobody can guess.
    pub secrets: SecretDice,
    /// When.
    pub now: EpochMs,
    decision: Decision,
}

impl Draft {
    pub fn new(cluster: &Cluster, moment: Moment) -> Self {
        Self {
            cluster: cluster.clone(),
            dice: moment.dice(),
            secrets: moment.secrets.dice(),
            now: moment.now,
            decision: Decision::default(),
        }
    }

    pub fn finish(self) -> Decision {
        self.decision
    }

    /// Takes a change in; a second one of the same record replaces the first.
    pub fn put(&mut self, change: Change) {
        self.cluster.apply(&change);
        let same = |old: &Change| same_record(old, &change);
        match self.decision.changes.iter().position(same) {
            Some(at) => self.decision.changes[at] = change,
            None => self.decision.changes.push(change),
        }
    }

    /// The definitions that are put so far.
    pub fn put_definitions(&self) -> impl Iterator<Item = &Arc<ResourceDefinition>> {
        self.decision.changes.iter().filter_map(|change| match change {
            Change::Definition(_, Some(definition)) => Some(definition),
            _ => None,
        })
    }

    /// The master key is known from now on.
    pub fn unlock(&mut self, key: MasterKey) {
        self.cluster.master_key = Some(key.clone());
        self.decision.master_key = Some(key);
    }

    pub fn note(&mut self, note: Note) {
        self.decision.notes.push(note);
    }

    pub fn put_node(&mut self, node: Node) {
        self.put(Change::Node(node.name.clone(), Some(Arc::new(node))));
    }

    pub fn put_group(&mut self, group: ResourceGroup) {
        self.put(Change::Group(group.name.clone(), Some(Arc::new(group))));
    }

    /// Puts a definition with the next generation, and marks the resources whose orders it changes.
    pub fn put_definition(&mut self, mut definition: ResourceDefinition) {
        let old = self.cluster.definitions.get(&definition.name).cloned();
        definition.generation = match &old {
            Some(old) => old.generation + 1,
            None => first_generation(&mut self.dice),
        };
        for (node, resource) in &mut definition.resources {
            let before = old.as_ref().and_then(|old| old.resources.get(node));
            if before.is_none_or(|before| !before.same_orders(resource)) {
                resource.ordered = definition.generation;
            }
        }
        self.put(Change::Definition(definition.name.clone(), Some(Arc::new(definition))));
    }

    pub fn drop_definition(&mut self, name: &RscName) {
        self.put(Change::Definition(name.clone(), None));
    }

    /// Puts a snapshot, and its definition with the next generation.
    pub fn put_snapshot(&mut self, mut snapshot: Snapshot) {
        let rsc = snapshot.key.rsc.clone();
        self.touch(&rsc);
        let old = self.cluster.snapshots.get(&snapshot.key);
        if old.is_none_or(|old| snapshot_orders_differ(old, &snapshot)) {
            snapshot.ordered = self.cluster.definitions.get(&rsc).map_or(0, |definition| definition.generation);
        }
        self.put(Change::Snapshot(snapshot.key.clone(), Some(Arc::new(snapshot))));
    }

    /// As [`Self::put_snapshot`]; nodes are told of it also where they were told the same before, and try again.
    pub fn order_snapshot(&mut self, mut snapshot: Snapshot) {
        self.touch(&snapshot.key.rsc);
        snapshot.ordered =
            self.cluster.definitions.get(&snapshot.key.rsc).map_or(0, |definition| definition.generation);
        self.put(Change::Snapshot(snapshot.key.clone(), Some(Arc::new(snapshot))));
    }

    pub fn drop_snapshot(&mut self, key: &SnapshotKey) {
        self.put(Change::Snapshot(key.clone(), None));
        self.touch(&key.rsc);
    }

    /// The next generation for a definition whose snapshots changed.
    fn touch(&mut self, rsc: &RscName) {
        if let Some(definition) = self.cluster.definitions.get(rsc) {
            let definition = ResourceDefinition::clone(definition);
            self.put_definition(definition);
        }
    }

    /// The definition, to be changed and put back.
    ///
    /// # Errors
    /// It is not there.
    pub fn definition(&self, name: &RscName) -> Result<ResourceDefinition, Refusal> {
        let found = self.cluster.definitions.get(name);
        found.map(|definition| ResourceDefinition::clone(definition)).ok_or_else(|| {
            Refusal::new(FAIL_NOT_FOUND_RSC_DFN, format!("Resource definition '{name}' not found"))
                .cure("List the definitions that are there, or create it first")
                .about("RscDfn", name)
        })
    }

    /// The node, to be changed and put back.
    ///
    /// # Errors
    /// It is not there.
    pub fn node(&self, name: &NodeName) -> Result<Node, Refusal> {
        let found = self.cluster.nodes.get(name);
        found.map(|node| Node::clone(node)).ok_or_else(|| {
            Refusal::new(FAIL_NOT_FOUND_NODE, format!("Node '{name}' not found"))
                .cure("List the nodes that are there, or create it first")
                .about("Node", name)
        })
    }

    /// The group, to be changed and put back. The default group is made when it is asked for and missing.
    ///
    /// # Errors
    /// It is not there.
    pub fn group(&mut self, name: &GroupName) -> Result<ResourceGroup, Refusal> {
        if let Some(group) = self.cluster.groups.get(name) {
            return Ok(ResourceGroup::clone(group));
        }
        if *name == default_group_name() {
            let group = default_group();
            self.put_group(group.clone());
            return Ok(group);
        }
        Err(Refusal::new(FAIL_NOT_FOUND_RSC_GRP, format!("Resource group '{name}' not found"))
            .cure("List the groups that are there, or create it first")
            .about("RscGrp", name))
    }

    /// Changes properties by white-list. On an error they are as before.
    ///
    /// # Errors
    /// An unknown key, a bad value, too many.
    pub fn modify_props(
        &mut self,
        props: &mut Props,
        modify: &PropsModify,
        owner: PropertyOwner,
    ) -> Result<PropsChange, Refusal> {
        apply(modify, owner, props).map_err(refuse_property)
    }

    /// Says which properties were set, beside the success of the whole, and which are going out of use.
    pub fn note_props(&mut self, change: &PropsChange, noun: &str, name: impl Display) {
        if !change.set.is_empty() {
            let keys: Vec<&str> = change.set.iter().map(|key| &**key).collect();
            let text = format!("Properties of {noun} '{name}' set: {}", keys.join(", "));
            let mut note = Note::success(CREATED, text);
            note.operation = Some(Operation::Create);
            self.note(note);
        }
        for key in change.set.iter().chain(&change.unchanged).filter(|key| is_deprecated(key)) {
            let note = Note::warning(WARN_DEPRECATED, format!("The property '{key}' is deprecated"));
            self.note(note.cure("Leave it out; it works for as long as it is known"));
        }
    }

    /// A new identity.
    pub fn uuid(&mut self) -> Uuid {
        self.dice.uuid()
    }
}

/// The refusal of a property.
pub(super) fn refuse_property(error: PropError) -> Refusal {
    Refusal::new(FAIL_INVLD_PROP, error.to_string()).cure(error.correction())
}

fn same_record(a: &Change, b: &Change) -> bool {
    match (a, b) {
        (Change::Controller(_), Change::Controller(_)) => true,
        (Change::Node(a, _), Change::Node(b, _)) => a == b,
        (Change::NodeConnection(a, b, _), Change::NodeConnection(c, d, _)) => a == c && b == d,
        (Change::PoolDefinition(a, _), Change::PoolDefinition(b, _)) => a == b,
        (Change::Group(a, _), Change::Group(b, _)) => a == b,
        (Change::Definition(a, _), Change::Definition(b, _)) => a == b,
        (Change::Snapshot(a, _), Change::Snapshot(b, _)) => a == b,
        (Change::KeyValueStore(a, _), Change::KeyValueStore(b, _)) => a == b,
        _ => false,
    }
}

/// Whether a node that keeps its part has something else to do for the snapshot than before.
fn snapshot_orders_differ(old: &Snapshot, new: &Snapshot) -> bool {
    let same_part =
        |(node, part): (&NodeName, &SnapshotNode)| old.nodes.get(node).is_some_and(|before| before.flags == part.flags);
    let taken_or_not = SnapshotFlags::SUCCESSFUL;
    old.flags.without(taken_or_not) != new.flags.without(taken_or_not) || !new.nodes.iter().all(same_part)
}

/// First generation of a definition: a random incarnation above, a counter below. Reports of an earlier definition
/// of the same name carry another incarnation and are not believed.
fn first_generation(dice: &mut Dice) -> u64 {
    (dice.next_u64() >> (GENERATION_COUNTER_BITS + 1) << GENERATION_COUNTER_BITS) + 1
}

/// Name of the default group.
pub(super) fn default_group_name() -> GroupName {
    GroupName::parse(DEFAULT_GROUP).expect("the constant is a legal name")
}

fn default_group() -> ResourceGroup {
    ResourceGroup {
        name: default_group_name(),
        uuid: DEFAULT_GROUP_UUID,
        description: None,
        props: Props::default(),
        filter: SelectFilter { place_count: Some(DEFAULT_PLACE_COUNT), ..SelectFilter::default() },
        peer_slots: None,
        volumes: Default::default(),
    }
}

/// Properties of a fresh controller (facts: `controller.md` §5.4).
const FIRST_PROPS: &[(&str, &str)] = &[
    ("DrbdOptions/auto-add-quorum-tiebreaker", "true"),
    ("DrbdOptions/auto-diskful-allow-cleanup", "true"),
    ("DrbdOptions/AutoEvictAllowEviction", "true"),
];

/// The records of a cluster that has none: its identity, the default group, the built-in pool definitions.
pub fn first_records(moment: Moment) -> Vec<Change> {
    let mut dice = moment.dice();
    let cluster = dice.uuid();
    let mut props = Props::default();
    for (key, value) in FIRST_PROPS {
        props.set(key, value).expect("the constants are within the limits");
    }
    props.set("Cluster/LocalID", &cluster.to_string()).expect("short enough");
    let pool = |name: &str, uuid| {
        let name = PoolName::parse(name).expect("the constant is a legal name");
        let definition = PoolDefinition { name: name.clone(), uuid, props: Props::default() };
        Change::PoolDefinition(name, Some(Arc::new(definition)))
    };
    vec![
        Change::Controller(Arc::new(ControllerRecord { cluster, props })),
        Change::Group(default_group_name(), Some(Arc::new(default_group()))),
        pool(DEFAULT_POOL, DEFAULT_POOL_UUID),
        pool(DISKLESS_POOL, DISKLESS_POOL_UUID),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::desired::same_incarnation;
    use crate::model::kinds::SnapshotNodeFlags;
    use crate::model::kvs::KeyValueStore;
    use crate::model::names::{KvsName, SnapName};
    use crate::model::testkit::{cluster, node, pool, rsc};

    fn draft(text: &str) -> Draft {
        Draft::new(&cluster(text), Moment::repeatable(EpochMs(0), 1))
    }

    fn group(name: &str) -> Change {
        Change::Group(GroupName::parse(name).expect("legal"), None)
    }

    fn store(name: &str) -> Change {
        let name = KvsName::parse(name).expect("legal");
        let store = KeyValueStore { name: name.clone(), uuid: Uuid(1), props: Props::default() };
        Change::KeyValueStore(name, Some(Arc::new(store)))
    }

    fn snapshot(of: &str, name: &str) -> Change {
        Change::Snapshot(SnapshotKey { rsc: rsc(of), name: SnapName::parse(name).expect("legal") }, None)
    }

    /// One of them lost would be a fact that is told and never persisted.
    #[test]
    fn each_record_is_persisted_once_as_it_is_last() {
        let link = |a: &str, b: &str| Change::NodeConnection(node(a), node(b), None);
        let all = [
            Change::Controller(Arc::default()),
            Change::Node(node("a10"), None),
            Change::Node(node("b10"), None),
            link("a10", "b10"),
            link("a10", "c10"),
            link("b10", "c10"),
            Change::PoolDefinition(pool("p10"), None),
            Change::PoolDefinition(pool("q10"), None),
            group("g10"),
            group("h10"),
            Change::Definition(rsc("d10"), None),
            Change::Definition(rsc("e10"), None),
            snapshot("d10", "s10"),
            snapshot("d10", "t10"),
            snapshot("e10", "s10"),
            store("k10"),
            store("l10"),
        ];
        let mut draft = draft("");
        all.iter().chain(&all).for_each(|change| draft.put(change.clone()));
        let last = Change::KeyValueStore(KvsName::parse("k10").expect("legal"), None);
        draft.put(last.clone());
        let changes = draft.finish().changes;
        assert_eq!(changes.len(), all.len());
        assert_eq!((&changes[..15], &changes[15], &changes[16]), (&all[..15], &last, &all[16]));
    }

    #[test]
    fn a_definition_keeps_its_incarnation_and_has_one_of_its_own() {
        let mut draft = draft("rsc web 10");
        let template = draft.definition(&rsc("web")).expect("there");
        let mut firsts = Vec::new();
        for _ in 0..3 {
            draft.drop_definition(&rsc("web"));
            draft.put_definition(template.clone());
            let first = draft.definition(&rsc("web")).expect("put").generation;
            draft.put_definition(template.clone());
            let second = draft.definition(&rsc("web")).expect("put").generation;
            assert!(second > first && same_incarnation(first, second), "{first:x} {second:x}");
            // Room for every change that a definition can live through, and no sign bit for readers that have one.
            assert!(same_incarnation(first, first + u64::from(u32::MAX - 1)) && first < 1 << 63, "{first:x}");
            assert!(firsts.iter().all(|other| !same_incarnation(*other, first)), "{first:x}");
            firsts.push(first);
        }
    }

    #[test]
    fn nodes_are_told_of_a_snapshot_when_they_have_something_else_to_do() {
        let text = "node alpha\npool alpha data FILE_THIN 90/100\nnode bravo\npool bravo data FILE_THIN 90/100
            rsc web 10 alpha/data bravo/data\nsnap web one alpha/data bravo/data";
        let flagged = |flags: SnapshotFlags| move |snapshot: &mut Snapshot| snapshot.flags = flags;
        let remove = |snapshot: &mut Snapshot| {
            snapshot.nodes.get_mut(&node("bravo")).expect("has a part").flags = SnapshotNodeFlags::DELETE;
        };
        type Row<'a> = (&'a str, &'a dyn Fn(&mut Snapshot), bool);
        let table: [Row<'_>; 5] = [
            ("taken or not", &flagged(SnapshotFlags::NONE), false),
            ("to be deleted", &flagged(SnapshotFlags::SUCCESSFUL.with(SnapshotFlags::DELETE)), true),
            ("failed", &flagged(SnapshotFlags::FAILED_DEPLOYMENT), true),
            ("to be deleted on one node", &remove, true),
            ("gone from one node", &|snapshot| drop(snapshot.nodes.remove(&node("bravo"))), false),
        ];
        for (what, change, told) in table {
            let mut draft = draft(text);
            let key = draft.cluster.snapshots.keys().next().expect("one").clone();
            let mut snapshot = Snapshot::clone(&draft.cluster.snapshots[&key]);
            change(&mut snapshot);
            draft.put_snapshot(snapshot);
            let generation = draft.cluster.definitions[&rsc("web")].generation;
            assert_eq!(generation, 2, "{what}");
            assert_eq!(draft.cluster.snapshots[&key].ordered == generation, told, "{what}");
        }
    }
}
