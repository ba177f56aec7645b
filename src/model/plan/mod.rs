//! What a node has to do for one resource: [`plan()`] compares what is desired with what was observed.
//!
//! Pure, and the only place where it is decided that data is made, cut, replaced or removed. A plan is empty when
//! nothing is to be done. Steps stand in the order in which they are carried out; when one fails, the later ones
//! of the same subject are left out and the next pass plans anew from what is there then, so a crash between any
//! two steps converges.

mod backing;
mod cut;
mod layers;
mod observed;
mod snapshots;
mod step;
mod volumes;

pub use backing::{BackingError, BackingId};
pub use cut::Cut;
pub use observed::{
    Content, Extent, Header, ObservedDevice, ObservedLayer, ObservedLeaf, ObservedPart, ObservedResource,
    ObservedVolume, Stranger,
};
pub use step::{CacheAct, LayerAct, Plan, Step, Subject};

use super::desired::{DesiredResource, Order};

/// Largest surplus of a device over the desired size, in extents, that counts as equal (facts: `satellite.md` §1.2).
pub const TOLERANCE_EXTENTS: u64 = 3;

/// The steps from `observed` to `desired`, and what stands in the way of it.
///
/// Snapshots are removed first. A snapshot that is still to be taken comes before a rollback and before a removal, which
/// would change what it is of, but after its volumes are made and grown where nothing of the kind is due.
pub fn plan(desired: &DesiredResource, observed: &ObservedResource) -> Plan {
    let mut plan = Plan::default();
    layers::resume(desired, observed, &mut plan);
    snapshots::remove(desired, observed, &mut plan);
    let rollback = desired
        .rollback
        .as_ref()
        .filter(|order| desired.order != Order::Remove && observed.rolled_back != Some(order.token));
    if let (Some(_), Some(problem)) = (rollback, volumes::rollback_unknown(desired, observed)) {
        // Nothing is attached that may be half rolled back, and nothing rolled back that may have been already.
        plan.problems.push((Subject::Rollback, problem.clone()));
        return plan;
    }
    if let Some(order) = rollback {
        snapshots::take(desired, observed, &mut plan);
        volumes::roll_back(desired, order, observed, &mut plan);
    }
    volumes::settle(desired, observed, &mut plan);
    if rollback.is_none() {
        snapshots::take(desired, observed, &mut plan);
    }
    volumes::remove(desired, observed, &mut plan);
    plan
}

#[cfg(test)]
mod tests;
