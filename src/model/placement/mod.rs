//! Where replicas go: filter, rate, select, and an account that names every node and its reason.
//!
//! The work depends on the number of nodes and pools, never on that of volumes: what volumes take of pools is summed
//! in the cluster's indexes. Never draws chances nor reads a clock: the same cluster gives the same placement.
//!
//! ```text
//! Request -> filter (node, then pool: Candidate or Reason) -> rate (score) -> select (best valid set) -> Placed
//!                                                                                               or NotPlaced
//! ```

mod clock;
mod estimate;
mod reason;
mod request;
mod story;
mod warning;

pub use estimate::{Bound, Estimate, Ratios, check_room, estimate};
pub use reason::{Reason, Standing, Switch};
pub use request::{Choice, Mode, NotPlaced, Placed, Request};
pub use story::{Entry, Fate, Story};
pub use warning::Warning;
