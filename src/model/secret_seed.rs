//! Chance for secrets: 32 bytes that the operating system gave, and what is drawn from them. Unlike `model::moment`'s dice,
//! which only make things different, nobody can guess it. Never reads the system's randomness itself.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a seed: more than a brute force tries.
pub const SEED_BYTES: usize = 32;

/// What all secrets of one decision are drawn from.
#[derive(Clone, Copy)]
pub struct SecretSeed {
    bytes: [u8; SEED_BYTES],
    /// Which of several decisions of one moment.
    lane: u64,
}

impl SecretSeed {
    /// From bytes that nobody knows.
    #[must_use]
    pub const fn new(bytes: [u8; SEED_BYTES]) -> Self {
        Self { bytes, lane: 0 }
    }

    /// A seed that gives the same secrets each time: for tests and simulations, never for data that is to be kept secret.
    #[must_use]
    pub fn repeatable(seed: u64) -> Self {
        let mut bytes = [0; SEED_BYTES];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self::new(bytes)
    }

    /// For the decision of that number within the same moment.
    #[must_use]
    pub fn lane(self, lane: u64) -> Self {
        Self { lane, ..self }
    }

    /// Draws.
    #[must_use]
    pub fn dice(self) -> SecretDice {
        SecretDice { seed: self, block: 0 }
    }
}

impl fmt::Debug for SecretSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Secrets in a row: HMAC-SHA-512 of a counter under the seed.
pub struct SecretDice {
    seed: SecretSeed,
    block: u64,
}

impl SecretDice {
    /// Fills with random bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(64) {
            let mut mac = Hmac::<Sha512>::new_from_slice(&self.seed.bytes).expect("HMAC takes a key of every length");
            mac.update(&self.seed.lane.to_be_bytes());
            mac.update(&self.block.to_be_bytes());
            self.block += 1;
            let mut block = Zeroizing::new([0; 64]);
            block.copy_from_slice(&mac.finalize().into_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

impl Drop for SecretDice {
    fn drop(&mut self) {
        self.seed.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: SecretSeed, bytes: usize) -> Vec<u8> {
        let mut out = vec![0; bytes];
        seed.dice().fill(&mut out);
        out
    }

    #[test]
    fn the_same_seed_draws_the_same_and_no_other_does() {
        let seed = SecretSeed::repeatable(5);
        assert_eq!(drawn(seed, 200), drawn(seed, 200));
        let others = [SecretSeed::repeatable(6), seed.lane(1), seed.lane(2)];
        let mut all: Vec<Vec<u8>> = others.iter().map(|other| drawn(*other, 16)).collect();
        all.push(drawn(seed, 16));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn draws_go_on_where_the_last_one_ended() {
        let mut dice = SecretSeed::repeatable(5).dice();
        let (mut first, mut second) = ([0; 16], [0; 16]);
        dice.fill(&mut first);
        dice.fill(&mut second);
        assert_ne!(first, second);
        assert_eq!(format!("{:?}", SecretSeed::repeatable(5)), "***");
    }
}
