//! Clock and chance of the controller's actors: the only place where they are read. Decides nothing.

use std::time::Instant;

use crate::model::conduct::At;
use crate::model::moment::{EpochMs, Moment};
use crate::model::secret_seed::{SEED_BYTES, SecretSeed};

/// Now, with a fresh seed, for a machine whose owner was started at `began`.
pub fn now(began: Instant) -> At {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = EpochMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let moment = Moment { now, seed: fastrand::u64(..), secrets: secret_seed() };
    At { moment, mono: began.elapsed() }
}

/// A seed that nobody can guess, of the system's own randomness.
fn secret_seed() -> SecretSeed {
    let mut bytes = [0; SEED_BYTES];
    // The one call of the system that never fails once it is up, and waits for that before.
    getrandom::fill(&mut bytes).expect("every kernel that this runs on has getrandom");
    SecretSeed::new(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_moments_draw_the_same_secret() {
        let drawn = || {
            let mut secret = [0; 20];
            now(Instant::now()).moment.secrets.dice().fill(&mut secret);
            secret
        };
        assert_ne!(drawn(), drawn());
    }
}
