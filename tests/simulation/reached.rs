//! What was reached: every kind of change, every code of refusals, every arm of the enumerations of states. Counted over
//! many runs; the test over them names what was not.

use std::collections::{BTreeMap, BTreeSet};

use zea::model::change::Change;
use zea::model::code::{Kind, name};
use zea::model::conduct::writer::Outcome;
use zea::model::desired::{DesiredResource, Order, Origin};
use zea::model::kinds::{DefinitionFlags, NodeFlags, ResourceFlags, SnapshotFlags, VolumeDefinitionFlags, VolumeFlags};
use zea::model::report::{Report, VolumeState};

/// How often each arm was reached.
#[derive(Debug, Default, Clone)]
pub struct Reached(BTreeMap<(&'static str, String), u64>);

impl Reached {
    /// Counts an arm of a table.
    pub fn arm(&mut self, table: &'static str, arm: impl Into<String>) {
        *self.0.entry((table, arm.into())).or_default() += 1;
    }

    pub fn add(&mut self, other: &Reached) {
        for (key, count) in &other.0 {
            *self.0.entry(key.clone()).or_default() += count;
        }
    }

    pub fn changes(&mut self, decisions: &[Vec<Change>]) {
        for change in decisions.iter().flatten() {
            let (kind, put) = match change {
                Change::Controller(_) => ("Controller", true),
                Change::Node(_, record) => ("Node", record.is_some()),
                Change::NodeConnection(_, _, record) => ("NodeConnection", record.is_some()),
                Change::PoolDefinition(_, record) => ("PoolDefinition", record.is_some()),
                Change::Group(_, record) => ("Group", record.is_some()),
                Change::Definition(_, record) => ("Definition", record.is_some()),
                Change::Snapshot(_, record) => ("Snapshot", record.is_some()),
                Change::KeyValueStore(_, record) => ("KeyValueStore", record.is_some()),
            };
            self.arm("Change", format!("{kind} {}", if put { "put" } else { "drop" }));
            self.flags(change);
        }
    }

    fn flags(&mut self, change: &Change) {
        let mut all = |table, names: Vec<&'static str>| names.into_iter().for_each(|name| self.arm(table, name));
        match change {
            Change::Node(_, Some(node)) => all("NodeFlags", node.flags.names()),
            Change::Snapshot(_, Some(snapshot)) => all("SnapshotFlags", snapshot.flags.names()),
            Change::Definition(_, Some(definition)) => {
                all("DefinitionFlags", definition.flags.names());
                definition.volumes.values().for_each(|volume| all("VolumeDefinitionFlags", volume.flags.names()));
                for resource in definition.resources.values() {
                    all("ResourceFlags", resource.flags.names());
                    resource.volumes.values().for_each(|volume| all("VolumeFlags", volume.flags.names()));
                }
            }
            _ => {}
        }
    }

    pub fn outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Busy => self.arm("refusal", "busy"),
            Outcome::Refused(refusal) => {
                self.arm("refusal", name(Kind::Error, refusal.note.code).unwrap_or("no code"));
            }
            Outcome::Done(notes) => {
                for note in notes.iter().filter(|note| matches!(note.kind, Kind::Warn | Kind::Error)) {
                    self.arm("note", name(note.kind, note.code).unwrap_or("no code"));
                }
            }
        }
    }

    pub fn report(&mut self, report: &Report) {
        match report {
            Report::Pool(report) => self.arm("PoolReport", if report.capacity.is_ok() { "room" } else { "problem" }),
            Report::Resource(report) => {
                report.volumes.iter().for_each(|volume| self.arm("VolumeState", format!("{:?}", volume.state)));
                self.arm("ResourceReport", if report.gone { "gone" } else { "there" });
                if report.rolled_back.is_some() {
                    self.arm("ResourceReport", "rolled back");
                }
                if report.problem.is_some() {
                    self.arm("ResourceReport", "problem");
                }
            }
        }
    }

    pub fn desired(&mut self, desired: &DesiredResource) {
        let order = |order: Order| format!("{order:?}");
        self.arm("Order of a resource", order(desired.order));
        for volume in &desired.volumes {
            self.arm("Order of a volume", order(volume.order));
            self.arm("Origin", if volume.origin == Origin::Blank { "Blank" } else { "Snapshot" });
        }
        desired.snapshots.iter().for_each(|snapshot| self.arm("Order of a snapshot", order(snapshot.order)));
    }

    /// What should have been reached and was not, but for what `excused` gives a reason for.
    pub fn missing(&self, excused: &[(&str, &str, &str)]) -> Vec<String> {
        let is_excused = |table: &str, arm: &str| excused.iter().any(|(t, a, _)| *t == table && *a == arm);
        let wanted = wanted();
        let missing = wanted.iter().filter(|(table, arm)| !self.0.contains_key(&(*table, arm.clone())));
        missing.filter(|(table, arm)| !is_excused(table, arm)).map(|(table, arm)| format!("{table}: {arm}")).collect()
    }

    /// Excuses for what was reached all the same: they have no use any more.
    pub fn idle_excuses(&self, excused: &[(&'static str, &str, &str)]) -> Vec<String> {
        let reached = |(table, arm, _): &&(&'static str, &str, &str)| self.0.contains_key(&(*table, (*arm).to_owned()));
        excused.iter().filter(reached).map(|(table, arm, _)| format!("{table}: {arm}")).collect()
    }

    pub fn table(&self) -> String {
        self.0.iter().map(|((table, arm), count)| format!("{table}: {arm} {count}\n")).collect()
    }
}

/// Every arm that there is.
fn wanted() -> BTreeSet<(&'static str, String)> {
    let mut all: BTreeSet<(&'static str, String)> = BTreeSet::new();
    let mut add = |table: &'static str, arms: Vec<String>| all.extend(arms.into_iter().map(|arm| (table, arm)));
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let kinds = ["Node", "NodeConnection", "PoolDefinition", "Group", "Definition", "Snapshot", "KeyValueStore"];
    add("Change", kinds.iter().flat_map(|kind| [format!("{kind} put"), format!("{kind} drop")]).collect());
    add("Change", texts(&["Controller put"]));
    add("refusal", codes_of_decisions());
    let every = u64::MAX;
    add("NodeFlags", texts(&NodeFlags(every).names()));
    add("DefinitionFlags", texts(&DefinitionFlags(every).names()));
    add("VolumeDefinitionFlags", texts(&VolumeDefinitionFlags(every).names()));
    add("ResourceFlags", texts(&ResourceFlags(every).names()));
    add("VolumeFlags", texts(&VolumeFlags(every).names()));
    add("SnapshotFlags", texts(&SnapshotFlags(every).names()));
    let states = [
        VolumeState::Created,
        VolumeState::UpToDate,
        VolumeState::Diskless,
        VolumeState::Attachable,
        VolumeState::Cloning,
        VolumeState::Failed,
    ];
    add("VolumeState", states.iter().map(|state| format!("{state:?}")).collect());
    add("ResourceReport", texts(&["gone", "there", "rolled back", "problem"]));
    add("PoolReport", texts(&["room", "problem"]));
    for table in ["Order of a resource", "Order of a volume", "Order of a snapshot"] {
        add(table, texts(&["Make", "Keep", "Remove"]));
    }
    add("Origin", texts(&["Blank", "Snapshot"]));
    let statuses = zea::model::kinds::ConnectionStatus::ALL;
    add("ConnectionStatus", statuses.iter().map(|status| status.as_str().to_owned()).collect());
    all
}

/// The codes with which decisions refuse, as their sources name them.
fn codes_of_decisions() -> Vec<String> {
    let mut found = BTreeSet::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model");
    for folder in ["decide", "placement"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the sources are there") {
            let path = entry.expect("it can be listed").path();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            found.extend(words.filter(|word| word.starts_with("FAIL_")).map(str::to_owned));
        }
    }
    found.into_iter().collect()
}
