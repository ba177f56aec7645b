//! What happened in short words, for the story.

use zea::model::change::Change;
use zea::model::conduct::writer::Outcome;
use zea::model::desired::{DesiredResource, Order};
use zea::model::refusal::Note;
use zea::model::report::{Report, ResourceReport};
use zea::protocols::wire::{FromSatellite, ToSatellite};

pub fn changes(decisions: &[Vec<Change>]) -> String {
    let all: Vec<String> =
        decisions.iter().map(|changes| changes.iter().map(change).collect::<Vec<_>>().join(" ")).collect();
    all.join(" | ")
}

fn change(change: &Change) -> String {
    let mark = |there: bool| if there { "+" } else { "-" };
    match change {
        Change::Controller(_) => "+controller".to_owned(),
        Change::Node(name, record) => format!("{}node/{name}", mark(record.is_some())),
        Change::NodeConnection(a, b, record) => format!("{}connection/{a}/{b}", mark(record.is_some())),
        Change::PoolDefinition(name, record) => format!("{}pooldef/{name}", mark(record.is_some())),
        Change::Group(name, record) => format!("{}group/{name}", mark(record.is_some())),
        Change::Definition(name, None) => format!("-definition/{name}"),
        Change::Definition(name, Some(record)) => format!("+definition/{name}@{}", generation(record.generation)),
        Change::Snapshot(key, None) => format!("-snapshot/{}/{}", key.rsc, key.name),
        Change::Snapshot(key, Some(record)) => {
            format!("+snapshot/{}/{}{:?}", key.rsc, key.name, record.flags.names())
        }
        Change::KeyValueStore(name, record) => format!("{}kvs/{name}", mark(record.is_some())),
    }
}

/// Incarnation and counter, short.
fn generation(generation: u64) -> String {
    format!("{:03x}.{}", (generation >> 32) & 0xFFF, generation & 0xFFFF_FFFF)
}

pub fn outcome(outcome: &Outcome) -> String {
    let line = |note: &Note| format!("{:?} {} {}", note.kind, note.code, note.message);
    match outcome {
        Outcome::Done(notes) => format!("done: {}", notes.iter().map(line).collect::<Vec<_>>().join("; ")),
        Outcome::Busy => "busy".to_owned(),
        Outcome::Refused(refusal) => format!("refused: {}", line(&refusal.note)),
    }
}

pub fn errand(message: &ToSatellite) -> String {
    let list = |resources: &[DesiredResource]| resources.iter().map(desired).collect::<Vec<_>>().join(" ");
    match message {
        ToSatellite::Hello { .. } => "hello".to_owned(),
        ToSatellite::FullSync { pools, resources } => format!("all: {} pools, {}", pools.len(), list(resources)),
        ToSatellite::Pools(pools) => format!("{} pools", pools.len()),
        ToSatellite::Apply(resources) => list(resources),
        ToSatellite::Capacity(_) => "how much room?".to_owned(),
    }
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Make => "make",
        Order::Keep => "keep",
        Order::Remove => "remove",
    }
}

fn desired(desired: &DesiredResource) -> String {
    let volumes =
        desired.volumes.iter().map(|volume| format!("{}:{}={}", volume.number, order(volume.order), volume.size.0));
    let snapshots = desired.snapshots.iter().map(|snapshot| format!("{}:{}", snapshot.name, order(snapshot.order)));
    let parts: Vec<String> = volumes.chain(snapshots).collect();
    let rollback = desired.rollback.as_ref().map(|order| format!(" back to {}", order.snapshot)).unwrap_or_default();
    let generation = generation(desired.generation);
    format!("{}@{generation} {} [{}]{rollback}", desired.rsc, order(desired.order), parts.join(" "))
}

pub fn pass(wanted: &DesiredResource, report: &ResourceReport) -> String {
    format!("works on {} -> {}", desired(wanted), resource(report))
}

fn resource(report: &ResourceReport) -> String {
    let volumes = report.volumes.iter().map(|volume| format!("{}:{:?}", volume.number, volume.state));
    let snapshots = report.snapshots.iter().map(|snapshot| {
        let problem = snapshot.problem.as_ref().map(|problem| format!(" ({problem})")).unwrap_or_default();
        format!("{}:{}{problem}", snapshot.name, if snapshot.present { "present" } else { "absent" })
    });
    let parts: Vec<String> = volumes.chain(snapshots).collect();
    let gone = if report.gone { " gone" } else { "" };
    let problem = report.problem.as_ref().map(|problem| format!(", {problem}")).unwrap_or_default();
    format!("{}@{}{gone} [{}]{problem}", report.rsc, generation(report.generation), parts.join(" "))
}

pub fn reports(message: &FromSatellite) -> String {
    let one = |report: &Report| match report {
        Report::Resource(report) => resource(report),
        Report::Pool(report) => match &report.capacity {
            Ok(room) => format!("{} {}/{}", report.pool, room.free.0, room.total.0),
            Err(problem) => format!("{} {problem}", report.pool),
        },
    };
    let resync = if message.resync { "wants all; " } else { "" };
    format!("{resync}{}", message.reports.iter().map(one).collect::<Vec<_>>().join("; "))
}
