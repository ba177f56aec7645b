//! How good a pool is: a weighted sum of strategies, each normalised by its highest value among the candidates.

use super::filter::Candidate;
use crate::model::props::Props;

/// Weight of free space where no property says otherwise.
const MAX_FREE_SPACE: f64 = 1.0;
/// Weight of few resources: a tie-breaker, which spreads what needs no space.
const MIN_RSC_COUNT: f64 = 0.00001;
/// Weight of a property that cannot be read.
const UNREADABLE_WEIGHT: f64 = 1.0;

/// Weights of the strategies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weights {
    max_free_space: f64,
    min_reserved_space: f64,
    min_rsc_count: f64,
}

impl Weights {
    /// From the controller's properties.
    pub(super) fn of(controller: &Props) -> Self {
        let weight = |key: &str, default: f64| match controller.get(key) {
            None => default,
            Some(text) => {
                let number = text.trim().parse::<f64>().ok();
                number.filter(|number| number.is_finite()).unwrap_or(UNREADABLE_WEIGHT)
            }
        };
        Self {
            max_free_space: weight("Autoplacer/Weights/MaxFreeSpace", MAX_FREE_SPACE),
            min_reserved_space: weight("Autoplacer/Weights/MinReservedSpace", 0.0),
            min_rsc_count: weight("Autoplacer/Weights/MinRscCount", MIN_RSC_COUNT),
        }
    }
}

/// Gives every candidate its score.
pub(super) fn rate(candidates: &mut [Candidate], weights: Weights) {
    add(candidates, weights.max_free_space, |pool| {
        // What is ordered and not made yet will take its part, so that a burst of creations spreads.
        pool.estimate.free.map_or(0, |free| free.0.saturating_sub(pool.usage.pending_kib))
    });
    add(candidates, -weights.min_reserved_space, |pool| {
        pool.usage.volumes_kib.saturating_add(pool.usage.snapshots_kib)
    });
    add(candidates, -weights.min_rsc_count, |pool| pool.usage.resources);
}

#[allow(clippy::cast_precision_loss)]
fn add(candidates: &mut [Candidate], weight: f64, raw: impl Fn(&Candidate) -> u64) {
    let highest = candidates.iter().map(&raw).max().unwrap_or(0);
    if highest == 0 || weight == 0.0 {
        return;
    }
    for candidate in candidates {
        candidate.score += weight * (raw(candidate) as f64 / highest as f64);
    }
}
