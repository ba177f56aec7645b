//! The place for one replica more, when that of a node shall go or is away. The one spot where evacuation and eviction
//! meet placement.

use super::draft::Draft;
use crate::model::names::{NodeName, RscName};

/// A replica that needs a successor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evacuee<'a> {
    /// The definition.
    pub rsc: &'a RscName,
    /// The node whose replica is to be replaced.
    pub from: &'a NodeName,
    /// Only these nodes, where any is named.
    pub targets: &'a [NodeName],
    /// None of these.
    pub not_targets: &'a [NodeName],
}

/// Places one replica more and puts it into the draft; gives its node.
///
/// # Errors
/// Why there is no place, for people. Nothing was put then.
pub(super) fn replacement_for(_draft: &mut Draft, _evacuee: &Evacuee<'_>) -> Result<NodeName, String> {
    Err("no candidate: replicas are not placed anew by this controller yet".to_owned())
}
