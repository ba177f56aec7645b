//! What a request waits for: nodes that carry out what was decided. Pure; the cluster actor keeps the list.

use super::cluster::Cluster;
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
