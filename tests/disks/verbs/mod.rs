//! The verbs of scenarios, in one table: how a step reads, and what it does. A verb that is carried out a second time, because
//! something was cut off the first time, comes to the same.

mod data;
mod disks;
mod left;
mod machines;
mod objects;
mod states;

use super::script::matches;
use super::stage::Stage;

/// What a step comes to: an error says what was seen instead.
pub type Done = Result<(), String>;

/// A verb with the words that the pattern took.
type Verb = fn(&Stage, &[&str]) -> Done;

/// Every verb. The first pattern that fits is meant.
const VERBS: &[(&str, Verb)] = &[
    // Nodes and their disks. A node is switched off until it is booted, or the cluster is up.
    ("node {node}", machines::node),
    ("node {node} with ZFS", machines::node_with_zfs),
    ("node {node} has a disk {name} of {size}", machines::disk),
    ("node {node} has a faulty disk {name} of {size}", machines::faulty_disk),
    // Boots all nodes, starts controller and satellites, and waits until all of them are online.
    ("cluster up", machines::cluster_up),
    ("start controller", machines::start_controller),
    ("kill controller", machines::kill_controller),
    ("boot {node}", machines::boot),
    // Power loss.
    ("kill {node}", machines::kill),
    ("freeze {node}", machines::freeze),
    ("thaw {node}", machines::thaw),
    ("unplug {node}", machines::unplug),
    ("plug {node} in", machines::plug_in),
    ("start satellite on {node}", machines::start_satellite),
    ("kill satellite on {node}", machines::kill_satellite),
    ("{node} is online", machines::online),
    ("{node} is offline", machines::offline),
    ("wait {time..}", machines::wait),
    // A command of bash, which has to succeed. $name is a disk, [web] the device of web there.
    ("on {node}: {command..}", disks::command),
    ("on {node} every boot: {command..}", disks::every_boot),
    ("{node} keeps {kind} on {disk} at {folder}", disks::keeps),
    ("{node} keeps zpool {zpool} on {disk}", disks::keeps_zpool),
    // By the command that the resource's error names.
    ("{node} takes {zvol} over for {rsc}", disks::take_over),
    // Of a faulty disk: reads and writes fail; there is nothing any more; every request takes that long; none ends; all is well.
    ("{disk} of {node} fails", disks::eio),
    ("{disk} of {node} is gone", disks::gone),
    ("{disk} of {node} is slow by {time..}", disks::slow),
    ("{disk} of {node} hangs", disks::hang),
    ("{disk} of {node} heals", disks::heal),
    // What the satellite starts instead of that program.
    ("{program} hangs on {node}", disks::program_hangs),
    ("{program} ends with {code} on {node} saying {words..}", disks::program_fails),
    ("{program} is well on {node}", disks::program_well),
    ("fill {folder} on {node}", disks::fill),
    ("make room in {folder} on {node}", disks::room),
    // Objects, by REST. Each waits until its nodes have done it.
    ("pool {pool} on {node}: {kind} at {backing}", objects::pool),
    ("group {group}: {count} in {pool}, layers {layers}", objects::group),
    ("spawn {rsc} {size} of {group}", objects::spawn),
    ("snapshot {rsc} as {snap}", objects::snapshot),
    ("restore {snap} of {rsc} as {new}", objects::restore),
    ("roll {rsc} back to {snap}", objects::roll_back),
    ("clone {rsc} as {new}", objects::clone),
    ("grow {rsc} to {size}", objects::grow),
    ("delete snapshot {snap} of {rsc}", objects::delete_snapshot),
    ("delete {rsc}", objects::delete),
    ("call {method} {path} {body..}", objects::call),
    // What the API says in the end.
    ("{rsc} is there on {node}", states::there),
    ("{rsc} fails on {node} saying {words..}", states::fails),
    ("pool {pool} fails on {node} saying {words..}", states::pool_fails),
    ("pool {pool} is well on {node}", states::pool_well),
    ("pool {pool} on {node} has less than {size}", states::pool_short),
    // Contents: whole volumes, by checksum.
    ("write {rsc} on {node} as {label}", data::write),
    ("grow {rsc} to {size} while {label} is written to it on {node}", data::grow_while_written),
    ("{rsc} on {node} is {label}", data::is),
    // What lies on a node, counted; compared with what was noted, and no object left in the controller.
    ("note what lies on {node}", left::note),
    ("nothing left on {node}", left::nothing),
    // The last step: it ends the controller.
    ("the store is clean", left::store_clean),
];

/// The verb that a step means, and its words.
fn find(text: &str) -> Result<(Verb, Vec<&str>), String> {
    let found = VERBS.iter().find_map(|(pattern, verb)| matches(pattern, text).map(|words| (*verb, words)));
    found.ok_or_else(|| format!("no verb reads '{text}'; tests/disks/verbs/mod.rs has the table"))
}

/// Whether there is such a verb; for the check of a text before anything is started.
pub fn check(text: &str) -> Done {
    find(text).map(drop)
}

/// Carries a verb out.
pub fn carry_out(stage: &Stage, text: &str) -> Done {
    let (verb, words) = find(text)?;
    verb(stage, &words)
}

#[test]
fn the_nearer_pattern_is_taken() {
    let index =
        |text: &str| VERBS.iter().position(|(pattern, _)| matches(pattern, text).is_some()).map(|at| VERBS[at].0);
    assert_eq!(index("n1 is online"), Some("{node} is online"));
    assert_eq!(index("pool of n1 fails"), Some("{disk} of {node} fails"));
    assert_eq!(index("kill controller"), Some("kill controller"));
    assert_eq!(index("delete snapshot then of web"), Some("delete snapshot {snap} of {rsc}"));
    assert_eq!(index("web on n1 is first"), Some("{rsc} on {node} is {label}"));
    assert!(check("dance").unwrap_err().contains("no verb reads 'dance'"));
}
