//! Whether the store can be written, for everybody who is asked: set by the cluster actor, read by the REST API. Never
//! looks at the store itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::code::FAIL_UNKNOWN_ERROR;
use crate::model::refusal::{Note, Refusal};
use crate::store::StoreError;

/// How long the store is left alone before it is tried again. The actor is restarted after a success, five times a minute
/// at most: a store that takes the trial and refuses what comes after must not use its budget up.
pub const TRIAL_PAUSE: Duration = Duration::from_secs(13);
/// After so long without trouble the first trial comes at once.
const CALM: Duration = Duration::from_secs(60);

/// What the store cannot do, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Trouble {
    /// The store's reason, with its path.
    pub cause: String,
    /// What helps.
    pub cure: String,
}

impl From<&StoreError> for Trouble {
    fn from(error: &StoreError) -> Self {
        Self { cause: error.to_string(), cure: error.cure().to_owned() }
    }
}

impl Trouble {
    /// Without an answer of the store.
    pub fn silent(cause: impl Into<String>) -> Self {
        let cure = "Look at the log and at the disk that the store lies on";
        Self { cause: cause.into(), cure: cure.to_owned() }
    }

    /// For a request that was on its way to the disk, or carried out by nodes, when the store failed.
    #[must_use]
    pub fn open(&self) -> Note {
        self.note("The store failed: the request was not acknowledged", "It may or may not be stored. ")
    }

    /// For a request that was not even tried.
    #[must_use]
    pub fn not_tried(&self) -> Note {
        self.note("The store cannot be written", "Nothing was changed. ")
    }

    fn note(&self, message: &str, state: &str) -> Note {
        let refusal = Refusal::new(FAIL_UNKNOWN_ERROR, message)
            .because(self.cause.clone())
            .cure(format!("{state}{}; then ask again: a change is made once", self.cure))
            .details(
                "GET /health tells when the store can be written again; what was committed can be read all the time",
            );
        *refusal.note
    }
}

/// See the module. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct StoreHealth(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    trouble: Option<Trouble>,
    failed_at: Option<Instant>,
    was_loaded: bool,
}

impl StoreHealth {
    /// Why it cannot be written; `None` when it can.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.state().trouble.clone()
    }

    /// It failed: how long it shall be left alone.
    pub fn failed(&self, trouble: Trouble) -> Duration {
        let mut state = self.state();
        state.trouble = Some(trouble);
        let now = Instant::now();
        let before = state.failed_at.replace(now);
        if before.is_some_and(|at| now.duration_since(at) < CALM) { TRIAL_PAUSE } else { Duration::ZERO }
    }

    /// It can be written.
    pub fn recovered(&self) {
        self.state().trouble = None;
    }

    /// It was read whole.
    pub fn loaded(&self) {
        self.state().was_loaded = true;
    }

    /// Whether it was ever read whole by this process.
    #[must_use]
    pub fn was_loaded(&self) -> bool {
        self.state().was_loaded
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each step leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> StoreError {
        let source = std::io::Error::from_raw_os_error(28);
        StoreError::Io { doing: "write", path: "/data/zea.redb".into(), source }
    }

    #[test]
    fn a_full_disk_is_told_with_cure_and_what_became_of_the_request() {
        let trouble = Trouble::from(&full());
        assert!(trouble.cause.contains("/data/zea.redb: No space left on device"), "{trouble:?}");
        let (open, not_tried) = (trouble.open(), trouble.not_tried());
        assert!(open.message.contains("not acknowledged"));
        let cure = |note: &Note| note.correction.clone().unwrap_or_default();
        assert!(cure(&open).starts_with("It may or may not be stored. Free room"), "{open:?}");
        assert!(cure(&open).contains("ask again") && cure(&not_tried).starts_with("Nothing was changed"));
    }

    #[test]
    fn the_first_failure_is_tried_at_once_and_the_next_later() {
        let health = StoreHealth::default();
        assert_eq!(health.failed(Trouble::from(&full())), Duration::ZERO);
        assert!(health.clone().trouble().is_some(), "clones are the same");
        health.recovered();
        assert_eq!(health.trouble(), None);
        assert_eq!(health.failed(Trouble::silent("no answer")), TRIAL_PAUSE);
    }
}
