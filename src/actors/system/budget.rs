//! How often an actor may be restarted, and how long it waits before. Pure: time and chance are arguments.

use std::time::Duration;

/// At most `restarts` restarts in any `window`; one more escalates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Restarts that are allowed in a window.
    pub restarts: u32,
    /// The length of the window that slides with time.
    pub window: Duration,
}

impl Default for Budget {
    /// Five in a minute: enough for a passing fault, few enough that a lasting one is seen within seconds.
    fn default() -> Self {
        Self { restarts: 5, window: Duration::from_secs(60) }
    }
}

/// The wait before the n-th restart in a window: none before the first, then `first` doubled each time up to `cap`,
/// of which a random part up to a half is taken off, so that many failing actors do not start in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait before the second restart in a window.
    pub first: Duration,
    /// The longest wait.
    pub cap: Duration,
}

impl Default for Backoff {
    /// 100 ms is longer than most hiccups of a kernel; 10 s keeps a repaired node from idling.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), cap: Duration::from_secs(10) }
    }
}

impl Backoff {
    /// The wait after `failures` failures in a row (1 is the first). `chance` is in 0.0..1.0.
    #[must_use]
    pub fn wait(&self, failures: u32, chance: f64) -> Duration {
        if failures <= 1 {
            return Duration::ZERO;
        }
        let doublings = (failures - 2).min(16);
        let full = self.first.saturating_mul(1 << doublings).min(self.cap);
        full.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
    }
}

/// The restarts that lie within the window, oldest first, as times since any fixed moment.
#[derive(Debug, Default)]
pub(super) struct Spent {
    at: Vec<Duration>,
}

impl Spent {
    /// Spends one restart at `now`. The number of restarts in the window with this one, or `None` if over budget.
    pub(super) fn spend(&mut self, budget: Budget, now: Duration) -> Option<u32> {
        self.at.retain(|at| now.saturating_sub(*at) < budget.window);
        let used = u32::try_from(self.at.len()).unwrap_or(u32::MAX);
        if used >= budget.restarts {
            return None;
        }
        self.at.push(now);
        Some(used + 1)
    }

    /// Forgets everything: a parent that was restarted gives its children a fresh budget.
    pub(super) fn clear(&mut self) {
        self.at = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn the_budget_slides_with_its_window() {
        let budget = Budget { restarts: 2, window: S(10) };
        let mut spent = Spent::default();
        assert_eq!(spent.spend(budget, S(0)), Some(1));
        assert_eq!(spent.spend(budget, S(6)), Some(2));
        assert_eq!(spent.spend(budget, S(9)), None);
        assert_eq!(spent.spend(budget, S(10)), Some(2), "the restart at 0 has left the window");
        assert_eq!(spent.spend(budget, S(11)), None);
        spent.clear();
        assert_eq!(spent.spend(budget, S(11)), Some(1));
    }

    #[test]
    fn a_budget_of_zero_never_restarts() {
        let mut spent = Spent::default();
        assert_eq!(spent.spend(Budget { restarts: 0, window: S(1) }, S(5)), None);
    }

    #[test]
    fn the_wait_doubles_up_to_its_cap_and_jitter_only_shortens_it() {
        let backoff = Backoff { first: S(1), cap: S(5) };
        let waits: Vec<Duration> = (1..=6).map(|n| backoff.wait(n, 0.0)).collect();
        assert_eq!(waits, [S(0), S(1), S(2), S(4), S(5), S(5)]);
        assert_eq!(backoff.wait(3, 1.0), S(1));
        assert_eq!(backoff.wait(u32::MAX, 0.0), S(5));
    }
}
