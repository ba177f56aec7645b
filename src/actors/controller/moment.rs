//! Clock and chance of the controller's actors: the only place where they are read. Decides nothing.

use std::time::Instant;

use crate::model::conduct::At;
use crate::model::moment::{EpochMs, Moment};

/// Now, with a fresh seed, for a machine whose owner was started at `began`.
pub fn now(began: Instant) -> At {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = EpochMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    At { moment: Moment { now, seed: fastrand::u64(..) }, mono: began.elapsed() }
}
