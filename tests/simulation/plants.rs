//! Defects, put in the place of one decision each: the proof that the oracles find them. Nothing else uses them.

use zea::model::change::Change;
use zea::model::cluster::Cluster;
use zea::model::code::{FAIL_NOT_FOUND_RSC_DFN, FAIL_NOT_FOUND_SNAPSHOT};
use zea::model::command::*;
use zea::model::conduct::Rules;
use zea::model::decide::{Decision, Observation, decide, observe};
use zea::model::desired::{DesiredResource, Order};
use zea::model::kinds::NodeFlags;
use zea::model::moment::Moment;
use zea::model::names::{NodeName, RscName, SnapName};
use zea::model::node::Node;
use zea::model::plan::{ObservedResource, Plan, Step, plan};
use zea::model::refusal::Refusal;
use zea::model::report::Report;
use zea::model::size::Kib;
use zea::model::snapshot::SnapshotKey;

/// Which defect a script has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// None.
    Sound,
    /// An effect is sent before its commit.
    EarlyAnswer,
    /// A volume that is there already is wiped when it is adopted.
    WipeAdopted,
    /// What was detached, or lost with the machine's power, is not attached again.
    ForgottenResume,
    /// A waiter is never woken by the report that it waits for.
    LostWakeUp,
    /// A size is one too small.
    OffByOne,
    /// A report of an earlier generation counts for the newest one.
    StaleReport,
    /// A deletion of what is gone fails.
    SecondDeletion,
    /// An evacuation that is asked for again moves once more.
    EvacuationTwice,
    /// Nodes that take no replicas, or are ruled out, get some.
    ForbiddenNode,
    /// A crash leaves half of a decision's records.
    HalfRecord,
}

/// All of them with the names that scripts use.
pub const PLANTS: [(&str, Plant); 10] = [
    ("early-answer", Plant::EarlyAnswer),
    ("wipe-adopted", Plant::WipeAdopted),
    ("forgotten-resume", Plant::ForgottenResume),
    ("lost-wake-up", Plant::LostWakeUp),
    ("off-by-one", Plant::OffByOne),
    ("stale-report", Plant::StaleReport),
    ("second-deletion", Plant::SecondDeletion),
    ("evacuation-twice", Plant::EvacuationTwice),
    ("forbidden-node", Plant::ForbiddenNode),
    ("half-record", Plant::HalfRecord),
];

impl Plant {
    pub fn of(name: Option<&str>) -> Self {
        let found = PLANTS.iter().find(|(known, _)| Some(*known) == name);
        found.map_or(Self::Sound, |(_, plant)| *plant)
    }

    /// The decisions with the defect among them.
    pub fn rules(self) -> Rules {
        let rules = Rules::default();
        match self {
            Self::Sound | Self::EarlyAnswer | Self::HalfRecord => rules,
            Self::WipeAdopted => Rules { plan: wipe_adopted, ..rules },
            Self::ForgottenResume => Rules { plan: forgotten_resume, ..rules },
            Self::LostWakeUp => Rules { observe: lost_wake_up, ..rules },
            Self::OffByOne => Rules { plan: off_by_one, ..rules },
            Self::StaleReport => Rules { observe: stale_report, ..rules },
            Self::SecondDeletion => Rules { decide: second_deletion, ..rules },
            Self::EvacuationTwice => Rules { decide: evacuation_twice, ..rules },
            Self::ForbiddenNode => Rules { decide: forbidden_node, ..rules },
        }
    }
}

fn wipe_adopted(desired: &DesiredResource, observed: &ObservedResource) -> Plan {
    let mut sound = plan(desired, observed);
    let there =
        |number| observed.volumes.get(number).is_some_and(|found| found.as_ref().is_ok_and(|f| f.backing.is_some()));
    let adopted = desired.volumes.iter().filter(|volume| volume.order == Order::Make && there(&volume.number));
    for volume in adopted {
        let number = volume.number;
        let wipe = [
            Step::Detach { volume: number },
            Step::RemoveBacking { volume: number },
            Step::CreateBlank { volume: number, size: volume.size },
        ];
        sound.steps.splice(0..0, wipe);
    }
    sound
}

fn forgotten_resume(desired: &DesiredResource, observed: &ObservedResource) -> Plan {
    let mut sound = plan(desired, observed);
    let makes =
        sound.steps.iter().any(|step| matches!(step, Step::CreateBlank { .. } | Step::CreateFromSnapshot { .. }));
    sound.steps.retain(|step| makes || !matches!(step, Step::Attach { .. }));
    sound
}

fn off_by_one(desired: &DesiredResource, observed: &ObservedResource) -> Plan {
    let mut sound = plan(desired, observed);
    for step in &mut sound.steps {
        if let Step::Grow { size, .. } = step {
            *size = Kib(size.0 - 1);
        }
    }
    sound
}

/// What was seen is forgotten: only what is to be persisted is left of it.
fn lost_wake_up(cluster: &Cluster, node: &NodeName, report: &Report, moment: Moment) -> Observation {
    let mut sound = observe(cluster, node, report, moment);
    if matches!(report, Report::Resource(_)) {
        sound.sightings.clear();
    }
    sound
}

fn stale_report(cluster: &Cluster, node: &NodeName, report: &Report, moment: Moment) -> Observation {
    let mut report = report.clone();
    if let Report::Resource(told) = &mut report
        && let Some(definition) = cluster.definitions.get(&told.rsc)
    {
        told.generation = definition.generation;
    }
    observe(cluster, node, &report, moment)
}

fn second_deletion(cluster: &Cluster, command: &Command, moment: Moment) -> Result<Decision, Refusal> {
    let gone = |rsc: &RscName| !cluster.definitions.contains_key(rsc);
    let no_snapshot = |rsc: &RscName, name: &SnapName| {
        !cluster.snapshots.contains_key(&SnapshotKey { rsc: rsc.clone(), name: name.clone() })
    };
    match command {
        Command::Definition(DefinitionCommand::Delete { name }) if gone(name) => {
            Err(Refusal::new(FAIL_NOT_FOUND_RSC_DFN, "it is not there"))
        }
        Command::Snapshot(SnapshotCommand::Delete { rsc, name, .. }) if no_snapshot(rsc, name) => {
            Err(Refusal::new(FAIL_NOT_FOUND_SNAPSHOT, "it is not there"))
        }
        _ => decide(cluster, command, moment),
    }
}

/// The cluster as if nothing of an evacuation had begun.
fn evacuation_twice(cluster: &Cluster, command: &Command, moment: Moment) -> Result<Decision, Refusal> {
    let Command::Node(NodeCommand::Evacuate { name, .. }) = command else {
        return decide(cluster, command, moment);
    };
    let mut forgetful = cluster.clone();
    let moving: Vec<_> = cluster.on_node.get(name).into_iter().flatten().cloned().collect();
    for rsc in moving {
        let Some(definition) = cluster.definitions.get(&rsc) else { continue };
        let mut definition = (**definition).clone();
        for resource in definition.resources.values_mut() {
            resource.props.remove("MigrateFrom");
        }
        forgetful.apply(&Change::Definition(rsc, Some(definition.into())));
    }
    decide(&forgetful, command, moment)
}

/// Flags and rules are overlooked when replicas are placed.
fn forbidden_node(cluster: &Cluster, command: &Command, moment: Moment) -> Result<Decision, Refusal> {
    let mut blind = cluster.clone();
    let mut command = command.clone();
    match &mut command {
        Command::Group(GroupCommand::Spawn(Spawn { filter, .. }))
        | Command::Resource(ResourceCommand::Autoplace { filter, .. }) => {
            filter.different = None;
            for (name, node) in cluster.nodes.iter().filter(|(_, node)| node.flags != NodeFlags::NONE) {
                let open = Node { flags: NodeFlags::NONE, ..(**node).clone() };
                blind.apply(&Change::Node(name.clone(), Some(open.into())));
            }
        }
        _ => {}
    }
    decide(&blind, &command, moment)
}
