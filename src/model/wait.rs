//! What a request waits for: nodes that carry out what was decided. Pure; the cluster actor keeps the list.

use std::collections::BTreeSet;

use super::cluster::{Cluster, PoolKey};
use super::code::*;
use super::definition::Resource;
use super::kinds::{SnapshotFlags, VolumeFlags};
use super::names::{NodeName, RscName, SnapName};
use super::refusal::Note;
use super::report::Problem;
use super::snapshot::{Snapshot, SnapshotKey};

/// Flags of a snapshot that will never be complete.
const FAILED_SNAPSHOT: u64 = SnapshotFlags::FAILED_DEPLOYMENT.0 | SnapshotFlags::FAILED_DISCONNECT.0;

/// A node is to carry out a generation of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The definition.
    pub rsc: RscName,
    /// The node.
    pub node: NodeName,
    /// At least this generation.
    pub generation: u64,
}

/// Where a goal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was heard yet.
    Pending,
    /// Carried out, or no longer there.
    Reached,
    /// The node cannot.
    Failed(Problem),
    /// The node cannot: somebody has the device open.
    InUse(Problem),
    /// The node is away; it is told when it comes back.
    Away,
}

/// Whether a node that is online has not told of its pool yet.
#[must_use]
pub fn pool_is_awaited(cluster: &Cluster, pool: &PoolKey) -> bool {
    let exists = cluster.nodes.get(&pool.0).is_some_and(|node| node.pools.contains_key(&pool.1));
    exists && cluster.is_online(&pool.0) && !cluster.pool_status.contains_key(pool)
}

/// What the caller is told of a pool that was made and cannot be used, or of a node that is away.
#[must_use]
pub fn pool_note(cluster: &Cluster, pool: &PoolKey) -> Option<Note> {
    let (node, name) = pool;
    let note = match cluster.pool_status.get(pool).map(|status| &status.capacity) {
        Some(Ok(_)) => return None,
        Some(Err(problem)) => {
            let text = format!("Storage pool '{name}' on node '{node}' cannot be used: {}", problem.message);
            Note::warning(WARN_STORAGE_ERROR, text)
                .because(problem.cause.clone())
                .cure(problem.correction.clone())
                .details(problem.details.clone())
        }
        None => Note::warning(WARN_NOT_CONNECTED, format!("Node '{node}' has not told of storage pool '{name}' yet"))
            .because("Its satellite does not answer")
            .details("It is told as soon as it comes back; until then no volume is placed in the pool"),
    };
    Some(note.about("Node", node).about("StorPool", name))
}

impl Goal {
    /// Where the goal stands in the cluster as it is.
    #[must_use]
    pub fn standing(&self, cluster: &Cluster) -> Standing {
        let Some(definition) = cluster.definitions.get(&self.rsc) else {
            return Standing::Reached;
        };
        let has_part = definition.resources.contains_key(&self.node)
            || cluster.snapshots_of(&self.rsc).any(|snapshot| snapshot.nodes.contains_key(&self.node));
        if !has_part {
            return Standing::Reached;
        }
        let status = cluster.resource_status_of(&self.rsc, &self.node);
        match status.filter(|status| status.generation >= self.generation) {
            Some(status) => match &status.problem {
                Some(problem) if status.in_use == Some(true) => Standing::InUse(problem.clone()),
                Some(problem) => Standing::Failed(problem.clone()),
                None => Standing::Reached,
            },
            None if !cluster.is_online(&self.node) => Standing::Away,
            None => Standing::Pending,
        }
    }

    /// Whether the node refused it, and it was taken back on all nodes.
    #[must_use]
    pub fn is_taken_back(&self, cluster: &Cluster) -> bool {
        let status = cluster.resource_status_of(&self.rsc, &self.node);
        status.is_some_and(|status| status.generation >= self.generation && status.taken_back)
    }

    /// Whether a note, made when it was decided, says that what the goal asks for is done.
    #[must_use]
    pub fn is_promised_by(&self, note: &Note) -> bool {
        let about = |(key, name): &(&str, String)| *key == "RscDfn" && name.eq_ignore_ascii_case(self.rsc.as_str());
        note.kind == Kind::Success && note.code == MODIFIED && note.refs.iter().any(about)
    }

    /// What the caller is told of a goal that was not reached.
    #[must_use]
    pub fn note(&self, standing: &Standing) -> Option<Note> {
        let (rsc, node) = (&self.rsc, &self.node);
        let note = match standing {
            Standing::Reached => return None,
            Standing::Pending => Note::new(
                Kind::Error,
                FAIL_RSC_BUSY,
                format!("Node '{node}' has not carried out the change of '{rsc}' in time"),
            )
            .because("It is slow, or a command on it hangs")
            .cure("The change is kept and goes on; look at the resource, and ask again"),
            Standing::Away => Note::warning(WARN_NOT_CONNECTED, format!("Node '{node}' is not connected"))
                .because("Its satellite does not answer")
                .details(format!("It carries out the change of '{rsc}' as soon as it comes back")),
            Standing::Failed(problem) => told(FAIL_UNKNOWN_ERROR, node, problem),
            Standing::InUse(problem) => told(FAIL_IN_USE, node, problem),
        };
        Some(note.about("RscDfn", rsc).about("Node", node))
    }
}

/// What the caller is told in the end: what was decided, then what became of it on the nodes, each thing once.
///
/// What was decided says "deleted" beforehand. Where a node refused or has not answered, its own entry stands alone; where
/// it is away, the answer says that the object is being deleted. The code stays that of a success: the order is kept. Of what
/// a node refused and what was taken back, nothing says that it was done, and nothing that a snapshot was taken which failed.
#[must_use]
pub fn outcome(cluster: &Cluster, decided: Vec<Note>, goals: &[Goal]) -> Vec<Note> {
    let taken_back: Vec<&Goal> = goals.iter().filter(|goal| goal.is_taken_back(cluster)).collect();
    let is_untrue = |note: &Note| taken_back.iter().any(|goal| goal.is_promised_by(note));
    let decided: Vec<Note> = decided.into_iter().filter(|note| !is_untrue(note)).collect();
    // What one node refuses is taken back on all: what others did of it tells nothing.
    let concerned = if taken_back.is_empty() { goals.iter().collect() } else { taken_back };
    let mut standings: Vec<(&Goal, Standing)> =
        concerned.into_iter().map(|goal| (goal, goal.standing(cluster))).collect();
    // A node that was lost before it took its part does not take it when it comes back.
    for snapshot in decided.iter().filter_map(|note| made_snapshot(note, cluster)).filter(|made| is_lost(made)) {
        standings.retain(|(goal, standing)| goal.rsc != snapshot.key.rsc || *standing != Standing::Away);
    }
    let decided = decided.into_iter().map(|note| as_a_snapshot_came(note, cluster));
    let mut notes: Vec<Note> = decided.filter_map(|note| as_it_came(note, &standings)).collect();
    let told =
        |(goal, standing): &(&Goal, Standing)| Some(as_deletion_stands(goal.note(standing)?, cluster, goal, standing));
    notes.extend(standings.iter().filter_map(told));
    once(&mut notes);
    notes
}

/// The note of a device in use that keeps something from being deleted: the deletion is kept, which nobody would expect of
/// an error.
fn as_deletion_stands(mut note: Note, cluster: &Cluster, goal: &Goal, standing: &Standing) -> Note {
    let Standing::InUse(_) = standing else { return note };
    let Some(definition) = cluster.definitions.get(&goal.rsc) else { return note };
    let resource = definition.resources.get(&goal.node);
    let part = |resource: &Resource| resource.volumes.values().any(|volume| volume.flags.has(VolumeFlags::DELETE));
    if resource.is_some_and(|resource| resource.is_deleting() || part(resource)) {
        note.message = format!("{}: the deletion stands, and is carried out once nothing uses it", note.message);
        let more = "The deletion cannot be taken back. To keep the data, copy it before the device is free";
        note.details = Some(note.details.map_or_else(|| more.to_owned(), |details| format!("{details}\n{more}")));
    }
    note
}

/// The note of a deletion, as far as it is true; others as they are.
fn as_it_came(mut note: Note, standings: &[(&Goal, Standing)]) -> Option<Note> {
    if note.kind != Kind::Success || note.code != DELETED {
        return Some(note);
    }
    let about = |standing: &&(&Goal, Standing)| is_about(&note, standing.0);
    let unmet = |(_, standing): &&(&Goal, Standing)| !matches!(standing, Standing::Reached);
    let unmet: Vec<&Standing> = standings.iter().filter(about).filter(unmet).map(|(_, standing)| standing).collect();
    if unmet.iter().any(|standing| **standing != Standing::Away) {
        return None;
    }
    if !unmet.is_empty() {
        let what = note.message.strip_suffix(" deleted").unwrap_or(&note.message);
        note.message = format!("{what} is being deleted");
    }
    Some(note)
}

/// The note of a snapshot that was made; of one that failed, what is left of it.
fn as_a_snapshot_came(note: Note, cluster: &Cluster) -> Note {
    let has_failed = |flags: SnapshotFlags| flags.0 & FAILED_SNAPSHOT != 0;
    let failed = made_snapshot(&note, cluster).filter(|snapshot| has_failed(snapshot.flags));
    let Some((snapshot, SnapshotKey { rsc, name })) = failed.map(|snapshot| (snapshot, &snapshot.key)) else {
        return note;
    };
    if is_lost(snapshot) {
        let parts = snapshot.nodes.iter().filter(|(_, part)| !part.taken);
        let nodes: Vec<&str> = parts.map(|(node, _)| node.as_str()).collect();
        return Note::new(Kind::Error, FAIL_NOT_CONNECTED, format!("Snapshot '{name}' of '{rsc}' was not taken"))
            .because(format!("The connection to {} was lost before it was taken there", nodes.join(", ")))
            .cure("Delete it, and take another one when all nodes are connected")
            .about("RscDfn", rsc)
            .about("Snapshot", name);
    }
    Note::warning(WARN_STORAGE_ERROR, format!("Snapshot '{name}' of '{rsc}' was not taken"))
        .because("A node could not take it in time, or at all")
        .cure("Delete it, and take another one when the cause is mended")
        .details("It is kept, marked as failed, until it is deleted; it cannot be restored")
        .about("RscDfn", rsc)
        .about("Snapshot", name)
}

/// Whether a node went away before it took its part.
fn is_lost(snapshot: &Snapshot) -> bool {
    snapshot.flags.has(SnapshotFlags::FAILED_DISCONNECT)
}

/// The snapshot that a note says was taken.
fn made_snapshot<'a>(note: &Note, cluster: &'a Cluster) -> Option<&'a Snapshot> {
    let is_creation = note.kind == Kind::Success && note.code == CREATED;
    let named = |key| note.refs.iter().find(|(known, _)| *known == key).map(|(_, name)| name.as_str());
    let (rsc, name) = (named("RscDfn").filter(|_| is_creation)?, named("Snapshot")?);
    let key = SnapshotKey { rsc: RscName::parse(rsc).ok()?, name: SnapName::parse(name).ok()? };
    cluster.snapshots.get(&key).map(|snapshot| &**snapshot)
}

/// Whether the note speaks of what the goal asks of its node.
fn is_about(note: &Note, goal: &Goal) -> bool {
    let named = |key| note.refs.iter().find(|(known, _)| *known == key).map(|(_, name)| name.as_str());
    let rsc = named("RscDfn").is_some_and(|name| name.eq_ignore_ascii_case(goal.rsc.as_str()));
    rsc && named("Node").is_none_or(|name| name.eq_ignore_ascii_case(goal.node.as_str()))
}

/// Takes out what says the same as an entry before it.
fn once(notes: &mut Vec<Note>) {
    let mut seen = BTreeSet::new();
    notes.retain(|note| seen.insert(note.message.clone()));
}

fn told(code: u16, node: &NodeName, problem: &Problem) -> Note {
    Note::new(Kind::Error, code, format!("(Node: '{node}') {}", problem.message))
        .because(problem.cause.clone())
        .cure(problem.correction.clone())
        .details(problem.details.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::change::Change;
    use crate::model::definition::ResourceDefinition;
    use crate::model::kinds::ResourceFlags;
    use crate::model::observed::{ResourceStatus, Sighting};
    use crate::model::testkit::{cluster, extend, node, pool, rsc};

    /// `web` on alpha, which says what the row wants, and on bravo, which is away.
    fn asked(generation: u64, in_use: bool, problem: Option<Problem>) -> Cluster {
        let mut cluster = cluster(
            "node alpha\npool alpha data FILE_THIN 9/10\nnode bravo offline\npool bravo data FILE_THIN 9/10\n\
             rsc web 4 alpha/data:made bravo/data:made",
        );
        let status =
            ResourceStatus { generation, volumes: Vec::new(), in_use: Some(in_use), problem, taken_back: false };
        cluster.sight(Sighting::Resource(rsc("web"), node("alpha"), Some(status)));
        cluster
    }

    fn goal(at: &str) -> Goal {
        Goal { rsc: rsc("web"), node: node(at), generation: 2 }
    }

    fn mounted() -> Problem {
        let [message, cause, correction, details] = ["it is in use", "mounted", "unmount it", ""].map(str::to_owned);
        Problem { message, cause, correction, details }
    }

    #[test]
    fn a_deletion_is_told_as_done_only_where_it_was() {
        let deleted = |at: Option<&str>| {
            let note = Note::success(DELETED, "Resource 'web' deleted").about("RscDfn", "WEB");
            at.into_iter().fold(note, |note, at| note.about("Node", at))
        };
        let carried_out = asked(2, false, None);
        let told = |cluster: &Cluster, note: Note, goals: &[Goal]| {
            let notes = outcome(cluster, vec![note], goals);
            notes.into_iter().map(|note| note.message).collect::<Vec<_>>()
        };
        let done = "Resource 'web' deleted";
        assert_eq!(told(&carried_out, deleted(None), &[goal("alpha")]), [done]);
        let away = told(&carried_out, deleted(None), &[goal("alpha"), goal("bravo")]);
        assert_eq!(away, ["Resource 'web' is being deleted", "Node 'bravo' is not connected"]);
        let at_alpha = told(&carried_out, deleted(Some("alpha")), &[goal("alpha"), goal("bravo")]);
        assert_eq!(at_alpha, [done, "Node 'bravo' is not connected"], "the note is of alpha alone");
        let refused = asked(2, true, Some(mounted()));
        assert_eq!(told(&refused, deleted(None), &[goal("alpha"), goal("alpha")]), ["(Node: 'alpha') it is in use"]);
        let silent = told(&asked(1, false, None), deleted(Some("ALPHA")), &[goal("alpha")]);
        assert_eq!(silent, ["Node 'alpha' has not carried out the change of 'web' in time"]);
        let other = Note::success(MODIFIED, "Resource 'web' modified").about("RscDfn", "web");
        assert_eq!(told(&refused, other, &[goal("alpha")]).len(), 2, "only deletions are taken back");
        let elsewhere = Note::success(DELETED, "Resource 'db' deleted").about("RscDfn", "db");
        assert_eq!(told(&refused, elsewhere, &[goal("alpha")]).len(), 2);
    }

    #[test]
    fn a_snapshot_that_a_node_did_not_take_before_it_went_away_has_failed() {
        let note = || {
            let done = Note::success(CREATED, "Snapshot 'then' of 'web' created on alpha, bravo");
            done.about("RscDfn", "web").about("Snapshot", "then")
        };
        let mut cluster = cluster(
            "node alpha\npool alpha data FILE_THIN 9/10\nnode bravo offline\npool bravo data FILE_THIN 9/10\n\
             rsc web 4 alpha/data:made bravo/data:made\nsnap web then alpha/data bravo/data",
        );
        let goals = [goal("bravo")];
        let words = |cluster: &Cluster| {
            let notes = outcome(cluster, vec![note()], &goals).into_iter();
            notes
                .map(|note| (note.code, format!("{}: {}", note.message, note.cause.unwrap_or_default())))
                .collect::<Vec<_>>()
        };
        let away = "Node 'bravo' is not connected: Its satellite does not answer".to_owned();
        assert_eq!(words(&cluster)[1], (WARN_NOT_CONNECTED, away), "it was taken, only not told");
        let key = SnapshotKey { rsc: rsc("web"), name: SnapName::parse("then").unwrap() };
        let mut failed = crate::model::snapshot::Snapshot::clone(&cluster.snapshots[&key]);
        failed.flags = SnapshotFlags::FAILED_DISCONNECT;
        failed.nodes.get_mut(&node("bravo")).unwrap().taken = false;
        cluster.apply(&crate::model::change::Change::Snapshot(key, Some(failed.into())));
        let why = "Snapshot 'then' of 'web' was not taken: The connection to bravo was lost before it was taken there";
        assert_eq!(words(&cluster), [(FAIL_NOT_CONNECTED, why.to_owned())]);
    }

    #[test]
    fn a_deletion_that_a_user_holds_up_is_told_to_stand() {
        let mut cluster = asked(2, true, Some(mounted()));
        let told = |cluster: &Cluster| outcome(cluster, Vec::new(), &[goal("alpha")]).remove(0);
        assert_eq!(told(&cluster).message, "(Node: 'alpha') it is in use", "nothing is deleted");
        let web = cluster.definitions[&rsc("web")].clone();
        let (mut whole, mut part) = (ResourceDefinition::clone(&web), ResourceDefinition::clone(&web));
        for resource in whole.resources.values_mut() {
            resource.flags = resource.flags.with(ResourceFlags::DELETE);
        }
        for volume in part.resources.values_mut().flat_map(|resource| resource.volumes.values_mut()) {
            volume.flags = volume.flags.with(VolumeFlags::DELETE);
        }
        for going in [whole, part] {
            cluster.apply(&Change::Definition(rsc("web"), Some(Arc::new(going))));
            let told = told(&cluster);
            assert!(told.message.contains("the deletion stands") && told.code == FAIL_IN_USE, "{told:?}");
            assert!(told.details.is_some_and(|details| details.contains("cannot be taken back")));
        }
    }

    #[test]
    fn a_snapshot_is_told_as_taken_only_where_it_was() {
        let mut cluster = asked(2, false, Some(mounted()));
        extend(&mut cluster, "snap web monday alpha/data");
        let note = || {
            let note = Note::success(CREATED, "Snapshot 'monday' of 'web' created on alpha");
            note.about("RscDfn", "web").about("Snapshot", "monday")
        };
        let told = |cluster: &Cluster| {
            let notes = outcome(cluster, vec![note()], &[goal("alpha")]);
            notes.into_iter().map(|note| (note.kind, note.message)).collect::<Vec<_>>()
        };
        assert_eq!(told(&cluster)[0], (Kind::Success, note().message), "what the node could not is something else");
        for (flag, kind) in
            [(SnapshotFlags::FAILED_DEPLOYMENT, Kind::Warn), (SnapshotFlags::FAILED_DISCONNECT, Kind::Error)]
        {
            let (key, snapshot) = cluster.snapshots.iter().next().expect("one");
            let failed = Snapshot { flags: flag, ..Snapshot::clone(snapshot) };
            cluster.apply(&Change::Snapshot(key.clone(), Some(Arc::new(failed))));
            let told = told(&cluster);
            let kinds: Vec<Kind> = told.iter().map(|(kind, _)| *kind).collect();
            assert_eq!(kinds, [kind, Kind::Error], "{told:?}");
            assert_eq!(told[0].1, "Snapshot 'monday' of 'web' was not taken");
        }
    }

    #[test]
    fn a_new_pool_is_awaited_until_its_node_told_of_it_or_is_away() {
        let cluster = cluster(
            "node alpha\npool alpha seen FILE_THIN 9/10\npool alpha sick FILE_THIN sick\npool alpha new FILE_THIN unseen\n\
             node bravo offline\npool bravo new FILE_THIN unseen",
        );
        let table = [
            ("alpha", "seen", false, None),
            ("alpha", "sick", false, Some(WARN_STORAGE_ERROR)),
            ("alpha", "new", true, Some(WARN_NOT_CONNECTED)),
            ("bravo", "new", false, Some(WARN_NOT_CONNECTED)),
            ("alpha", "gone", false, Some(WARN_NOT_CONNECTED)),
        ];
        for (on, name, awaited, code) in table {
            let key = (node(on), pool(name));
            assert_eq!(pool_is_awaited(&cluster, &key), awaited, "{on} {name}");
            assert_eq!(pool_note(&cluster, &key).map(|note| note.code), code, "{on} {name}");
        }
    }
}
