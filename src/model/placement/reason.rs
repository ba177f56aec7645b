//! Why a node or a pool was turned down, as values; their sentences are made only when somebody reads them.

use std::fmt;
use std::sync::Arc;

use super::clock::Utc;
use super::estimate::{Bound, Estimate, THINGS_TO_DO_ABOUT_ROOM};
use crate::model::kinds::{ConnectionStatus, LayerKind, NodeKind, ProviderKind};
use crate::model::moment::EpochMs;
use crate::model::names::{NodeName, PoolName, RscName, SharedSpaceName};
use crate::model::observed::{NodeStatus, PoolStatus};
use crate::model::size::Kib;

/// Who switched automatic placement off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// The node's property.
    Node,
    /// The controller's property, for all nodes that say nothing themselves.
    Controller,
    /// The pool's property.
    Pool,
}

/// What a replica that stands already looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has a disk.
    Diskful,
    /// It has none.
    Diskless,
    /// It is on its way out.
    Deleting,
}

/// Why a node, or a pool of it, gets no replica.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// There is no such node.
    NoSuchNode,
    /// There is no such pool on the node.
    NoSuchPool,
    /// The satellite cannot be reached.
    Offline {
        /// State of the link, since when, and why.
        status: Arc<NodeStatus>,
    },
    /// No satellite runs there.
    NotASatellite(NodeKind),
    /// The node is being deleted.
    Deleting,
    /// The node is being emptied.
    Evacuating,
    /// The node was evicted.
    Evicted,
    /// The request excludes the node.
    Excluded,
    /// The filter lists other nodes.
    NotInNodeList,
    /// A layer of the stack does not work there.
    LacksLayer {
        /// The layer.
        layer: LayerKind,
        /// What the satellite said of itself.
        status: Arc<NodeStatus>,
    },
    /// The pool's kind does not work there.
    LacksProvider {
        /// The kind.
        provider: ProviderKind,
        /// What the satellite said of itself.
        status: Arc<NodeStatus>,
    },
    /// Replicas must agree in a property that the node has not.
    PropertyMissing {
        /// Its key.
        key: Arc<str>,
    },
    /// Replicas must agree in a property, and the node has another value.
    PropertyDiffers {
        /// Its key.
        key: Arc<str>,
        /// The node's value.
        has: String,
        /// The value wanted.
        wants: String,
    },
    /// The filter prohibits the node's value of a property.
    ValueProhibited {
        /// Its key.
        key: Arc<str>,
        /// The node's value.
        value: String,
    },
    /// Enough replicas stand on nodes with that value of a property.
    ValueUsedUp {
        /// Its key.
        key: Arc<str>,
        /// The node's value.
        value: String,
        /// Replicas allowed for each value.
        limit: u32,
    },
    /// Replicas that stand already disagree in a property in which all must agree.
    Undecidable {
        /// Its key.
        key: Arc<str>,
        /// The values that they have.
        values: Vec<String>,
    },
    /// Automatic placement is switched off.
    AutoplaceOff(Switch),
    /// A resource stands there that shall not be a neighbour.
    StandsWith(RscName),
    /// A resource stands there whose name matches the filter's expression.
    RegexMatches {
        /// The resource.
        resource: RscName,
        /// The expression.
        regex: String,
    },
    /// The filter's expression cannot be read, so that nobody knows what it forbids.
    RegexUnreadable {
        /// The expression.
        regex: String,
        /// What is wrong with it.
        error: String,
    },
    /// The definition has a replica there.
    AlreadyHasReplica(Standing),
    /// The filter lists other pools.
    WrongPoolName,
    /// The filter lists other kinds of pool.
    WrongProvider(ProviderKind),
    /// The node did not tell how much room there is.
    NoCapacityKnown,
    /// There is too little room.
    TooLittleRoom {
        /// What is there, and what limits it.
        estimate: Box<Estimate>,
        /// What was asked for.
        wanted: Kib,
    },
    /// A thin pool keeps a reserve.
    ThinFreeBelowMinimum {
        /// What is there.
        estimate: Box<Estimate>,
        /// The reserve, as the property says.
        setting: String,
        /// The reserve.
        minimum: Kib,
    },
    /// The pool cannot be used.
    PoolSick(Arc<PoolStatus>),
    /// Another replica stands in the space that this pool shares.
    SharedSpaceUsed(SharedSpaceName),
    /// Replicas on pools of these two kinds may not be mixed.
    MixesProviders {
        /// This pool's kind.
        has: ProviderKind,
        /// The other replica's node.
        node: NodeName,
        /// The other replica's kind.
        other: ProviderKind,
    },
    /// Another pool of the node was chosen.
    NodeTaken(PoolName),
    /// Too many groups of an x-replicas property would stay half full.
    LeavesGroupsHalfFull {
        /// Its key.
        key: Arc<str>,
        /// Replicas of a full group.
        limit: u32,
    },
    /// The node has no pool that holds data.
    NoPoolAtAll,
    /// The node has no pool without storage.
    NoDisklessPool,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchNode
            | Self::NoSuchPool
            | Self::Offline { .. }
            | Self::NotASatellite(_)
            | Self::Deleting
            | Self::Evacuating
            | Self::Evicted
            | Self::Excluded
            | Self::NotInNodeList
            | Self::LacksLayer { .. }
            | Self::LacksProvider { .. }
            | Self::AutoplaceOff(_)
            | Self::NoPoolAtAll
            | Self::NoDisklessPool => self.about_node(f),
            Self::NoCapacityKnown
            | Self::TooLittleRoom { .. }
            | Self::ThinFreeBelowMinimum { .. }
            | Self::PoolSick(_)
            | Self::WrongPoolName
            | Self::WrongProvider(_) => self.about_pool(f),
            _ => self.about_neighbours(f),
        }
    }
}

impl Reason {
    fn about_node(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchNode => f.write_str("there is no such node; create it, or correct the name"),
            Self::NoSuchPool => f.write_str("the node has no pool of that name; create it, or correct the name"),
            Self::Offline { status } => offline(status, f),
            Self::NotASatellite(kind) => write!(
                f,
                "it is a node of kind {kind}: no satellite runs there; only SATELLITE and COMBINED nodes hold replicas"
            ),
            Self::Deleting => f.write_str("the node is being deleted"),
            Self::Evacuating => f.write_str("the node is being evacuated; restore it to place replicas there again"),
            Self::Evicted => f.write_str(
                "the node was evicted because it was away for too long; restore it to place replicas there again",
            ),
            Self::Excluded => f.write_str("the request excludes this node"),
            Self::NotInNodeList => f.write_str("it is not in the filter's node list; add it there to allow it"),
            Self::LacksLayer { layer, status } => {
                let facts = status.facts.as_deref();
                let why = facts.and_then(|facts| find(&facts.unsupported_layers, *layer));
                write!(f, "layer {layer} does not work there{}", because(why))
            }
            Self::LacksProvider { provider, status } => {
                let facts = status.facts.as_deref();
                let why = facts.and_then(|facts| find(&facts.unsupported_providers, *provider));
                write!(f, "pools of kind {provider} do not work there{}", because(why))
            }
            Self::AutoplaceOff(switch) => {
                let who = match switch {
                    Switch::Node => "the node's",
                    Switch::Controller => "the controller's",
                    Switch::Pool => "the pool's",
                };
                write!(
                    f,
                    "{who} property AutoplaceTarget is false; remove it, or set it to true on what shall take replicas"
                )
            }
            Self::NoDisklessPool => f.write_str("the node has no pool without storage that fits the filter"),
            _ => f.write_str("the node has no storage pool that holds data; create one there"),
        }
    }

    fn about_pool(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCapacityKnown => f.write_str(
                "its room is not known, since the node has not reported it yet; try again, or look at the node's satellite",
            ),
            Self::TooLittleRoom { estimate, wanted } => {
                let free = estimate.free_estimate.unwrap_or_default();
                // What differs by less than rounding leaves is told to the KiB.
                if free.rounded().to_string() == wanted.rounded().to_string() {
                    write!(f, "too little room: {wanted} wanted, only {free} there: ")?;
                } else {
                    write!(f, "too little room: {} wanted, ", wanted.rounded())?;
                }
                room(estimate, f)
            }
            Self::ThinFreeBelowMinimum { estimate, setting, minimum } => {
                write!(f, "the thin pool keeps a reserve of {minimum} (Autoplacer/MinThinFreeSpace = {setting}): ")?;
                room(estimate, f)?;
                f.write_str("; or lower that property")
            }
            Self::PoolSick(status) => match &status.capacity {
                Err(problem) if problem.correction.is_empty() => {
                    write!(f, "the pool cannot be used: {problem}")
                }
                Err(problem) => {
                    write!(f, "the pool cannot be used: {problem}; {}", problem.correction)
                }
                Ok(_) => f.write_str("the pool cannot be used"),
            },
            Self::WrongProvider(kind) => write!(
                f,
                "its kind {kind} is not in the filter's provider list; add it there to allow it"
            ),
            _ => f.write_str("it is not in the filter's pool list; add it there to allow it"),
        }
    }

    fn about_neighbours(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PropertyMissing { key } => {
                write!(f, "replicas must agree in property {key}, and the node has none; set it on the node")
            }
            Self::PropertyDiffers { key, has, wants } => {
                write!(f, "replicas must agree in property {key}: '{wants}' is wanted, the node has '{has}'")
            }
            Self::ValueProhibited { key, value } => {
                write!(f, "the filter prohibits nodes whose property {key} is '{value}'")
            }
            Self::ValueUsedUp { key, value, limit } => write!(
                f,
                "property {key} is '{value}', where {limit} replica{} stand{} already: no more are allowed for one value",
                plural(*limit),
                if *limit == 1 { "s" } else { "" }
            ),
            Self::Undecidable { key, values } => write!(
                f,
                "replicas must agree in property {key}, and those that stand already have '{}'; write {key}=value, or move one of them",
                values.join("' and '")
            ),
            Self::StandsWith(rsc) => write!(f, "resource {rsc} stands there, beside which none shall be placed"),
            Self::RegexMatches { resource, regex } => {
                write!(f, "resource {resource} stands there, which matches '{regex}' of do-not-place-with-regex")
            }
            Self::RegexUnreadable { regex, error } => {
                write!(f, "do-not-place-with-regex '{regex}' cannot be read ({error}); correct it")
            }
            Self::AlreadyHasReplica(Standing::Diskful) => f.write_str("it has a replica already"),
            Self::AlreadyHasReplica(Standing::Diskless) => {
                f.write_str("it has a replica without disk; toggle that one's disk instead")
            }
            Self::AlreadyHasReplica(Standing::Deleting) => {
                f.write_str("its replica is still being deleted; try again when it is gone")
            }
            Self::SharedSpaceUsed(space) => {
                write!(f, "another replica stands in the shared space {space}, which holds one at most")
            }
            Self::MixesProviders { has, node, other } => write!(
                f,
                "a replica on {has} may not stand beside that on {other} of node {node}; choose pools of one kind, or set AllowMixingStoragePoolDriver where DRBD is 9.1.18 or 9.2.7 at least"
            ),
            Self::NodeTaken(pool) => write!(f, "the node's pool {pool} holds the replica"),
            Self::LeavesGroupsHalfFull { key, limit } => write!(
                f,
                "values of property {key} get {limit} replica{} each, and all but one value must get them all",
                plural(*limit)
            ),
            _ => Ok(()),
        }
    }
}

fn plural(n: u32) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn find<K: Copy + PartialEq>(all: &[(K, Vec<String>)], kind: K) -> Option<&[String]> {
    let entry = all.iter().find(|(known, _)| *known == kind)?;
    Some(&entry.1)
}

fn because(why: Option<&[String]>) -> String {
    match why {
        Some(why) if !why.is_empty() => format!(": {}", why.join("; ")),
        _ => "; install what it needs on the node and restart its satellite".to_owned(),
    }
}

fn offline(status: &NodeStatus, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match status.status {
        ConnectionStatus::Connected => f.write_str("its satellite is connected and not in sync yet")?,
        ConnectionStatus::Offline => f.write_str("its satellite is not connected")?,
        other => write!(f, "its satellite is in state {other}")?,
    }
    if status.since == EpochMs(0) {
        f.write_str(", and was not heard of since this controller started")?;
    } else {
        write!(f, " since {}", Utc(status.since))?;
    }
    if let Some(reason) = &status.reason {
        write!(f, " ({reason})")?;
    }
    f.write_str("; start it, or mend the network to it")
}

fn room(estimate: &Estimate, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let shown = |size: Option<Kib>| size.unwrap_or_default().rounded();
    write!(f, "{} can be placed (", shown(estimate.free_estimate))?;
    match estimate.bound {
        Bound::Free => write!(
            f,
            "{} free x {} less {} ordered",
            shown(estimate.free),
            estimate.ratios.free,
            estimate.pending.rounded()
        )?,
        Bound::Total => write!(
            f,
            "{} in total x {} less {} of volumes and snapshots, though {} are free",
            shown(estimate.total),
            estimate.ratios.total,
            estimate.reserved.rounded(),
            shown(estimate.free)
        )?,
    }
    let property = match estimate.bound {
        Bound::Free => "MaxFreeCapacityOversubscriptionRatio",
        Bound::Total => "MaxTotalCapacityOversubscriptionRatio",
    };
    write!(f, "); {THINGS_TO_DO_ABOUT_ROOM} or raise {property}")
}
