//! What a request waits for: nodes that carry out what was decided. Pure; the cluster actor keeps the list.

use super::cluster::{Cluster, PoolKey};
use super::code::*;
use super::names::{NodeName, RscName};
use super::refusal::Note;
use super::report::Problem;

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

fn told(code: u16, node: &NodeName, problem: &Problem) -> Note {
    Note::new(Kind::Error, code, format!("(Node: '{node}') {}", problem.message))
        .because(problem.cause.clone())
        .cure(problem.correction.clone())
        .details(problem.details.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testkit::{cluster, node, pool};

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
