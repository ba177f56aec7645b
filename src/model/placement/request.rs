//! What a placement is asked, and what it answers.

use super::reason::Reason;
use super::story::Story;
use crate::model::cluster::Cluster;
use crate::model::definition::ResourceDefinition;
use crate::model::group::{ResourceGroup, SelectFilter};
use crate::model::kinds::{LayerKind, ProviderKind};
use crate::model::names::{NodeName, PoolName};
use crate::model::refusal::Refusal;
use crate::model::size::Kib;

/// Replicas with or without a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They hold data.
    Diskful,
    /// They hold none: clients and tie-breakers.
    Diskless,
}

/// Where shall `count` more replicas go?
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The cluster as it is.
    pub cluster: &'a Cluster,
    /// The filter, merged with that of the group.
    pub filter: &'a SelectFilter,
    /// The definition that gets replicas; it need not be in the cluster yet. `None` for queries.
    pub definition: Option<&'a ResourceDefinition>,
    /// Layers from top to bottom.
    pub layers: &'a [LayerKind],
    /// Sum of the volumes' sizes; zero for queries.
    pub size: Kib,
    /// Replicas wanted beyond those that stand.
    pub count: usize,
    /// With or without a disk.
    pub mode: Mode,
    /// Nodes whose replica counts as absent: those without disk that may be toggled.
    pub skip_nodes: &'a [NodeName],
    /// Nodes that get none.
    pub exclude_nodes: &'a [NodeName],
    /// The only node that may get one; the story tells of no other.
    pub only_node: Option<&'a NodeName>,
}

impl<'a> Request<'a> {
    /// One replica with a disk, of no size and on any node: to be changed by `..`.
    #[must_use]
    pub fn new(cluster: &'a Cluster, filter: &'a SelectFilter) -> Self {
        Self {
            cluster,
            filter,
            definition: None,
            layers: &[],
            size: Kib(0),
            count: 1,
            mode: Mode::Diskful,
            skip_nodes: &[],
            exclude_nodes: &[],
            only_node: None,
        }
    }

    /// The definition's group.
    pub(super) fn group(&self) -> Option<&'a ResourceGroup> {
        let groups = &self.cluster.groups;
        self.definition.and_then(|definition| groups.get(&definition.group)).map(AsRef::as_ref)
    }

    /// A property of the definition, its group, or the controller.
    pub(super) fn inherited(&self, key: &str) -> Option<&'a str> {
        let definition = self.definition.and_then(|definition| definition.props.get(key));
        definition
            .or_else(|| self.group().and_then(|group| group.props.get(key)))
            .or_else(|| self.cluster.controller.props.get(key))
    }
}

/// A place for a replica.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The node.
    pub node: NodeName,
    /// Its pool.
    pub pool: PoolName,
    /// The pool's kind.
    pub provider: ProviderKind,
    /// The pool's score; higher is better.
    pub score: f64,
}

/// Places for all replicas wanted, best first.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Placed {
    /// The places, as many as were wanted.
    pub choices: Vec<Choice>,
    /// How it came to that.
    pub story: Story,
}

/// There is no place for all replicas wanted: none is placed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("not enough nodes: {wanted} more replica{} wanted, room for {possible}", if *.wanted == 1 { "" } else { "s" })]
pub struct NotPlaced {
    /// `FAIL_NOT_ENOUGH_NODES` or `FAIL_UNDECIDABLE_AUTOPLACMENT`.
    pub code: u16,
    /// Replicas wanted.
    pub wanted: usize,
    /// The most that were found to fit together.
    pub possible: usize,
    /// Every node and its reason.
    pub story: Box<Story>,
}

impl From<NotPlaced> for Refusal {
    fn from(not: NotPlaced) -> Refusal {
        let undecidable = not.story.entries.iter().find_map(|entry| match &entry.fate {
            super::Fate::TurnedDown(reason @ Reason::Undecidable { .. }) => Some(reason.to_string()),
            _ => None,
        });
        let refusal = Refusal::new(not.code, "Not enough available nodes");
        let refusal = match undecidable {
            Some(cause) => refusal.because(cause),
            None => refusal.because(not.to_string()),
        };
        let lines: Vec<String> = not.story.lines().collect();
        refusal
            .cure("mend what the details name, add nodes or pools, or loosen the filter")
            .details(lines.join("\n"))
    }
}
