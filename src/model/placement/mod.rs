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
mod constraint;
mod estimate;
mod facts;
mod filter;
mod minimum;
mod mixing;
mod place;
mod rate;
mod reason;
mod request;
mod select;
mod size;
mod standing;
mod story;
mod warning;

pub use estimate::{Bound, Estimate, Ratios, check_room, estimate};
pub use filter::compile_regex;
pub use place::place;
pub use reason::{Reason, Standing, Switch};
pub use request::{Choice, Mode, NotPlaced, Placed, Request};
pub use size::{NextSpawn, SizeCandidate, SizeInfo, query_max_volume_size, query_size_info};
pub use story::{Entry, Fate, Story};
pub use warning::{Warning, check_filter};

#[cfg(test)]
mod tests;
