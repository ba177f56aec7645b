//! Time and chance as arguments: a decision is told the moment and draws from a seed, so that it can be repeated.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::secret_seed::SecretSeed;

/// Milliseconds since the epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochMs(pub i64);

/// When a decision falls, and the seed of all that it draws.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Wall clock.
    pub now: EpochMs,
    /// Different for every decision.
    pub seed: u64,
    /// What its secrets are drawn from.
    pub secrets: SecretSeed,
}

impl Moment {
    /// A moment of which everything follows from the seed, secrets too: for tests and simulations. Where there is data to be
    /// kept secret, the seed of its secrets comes from the operating system.
    #[must_use]
    pub fn repeatable(now: EpochMs, seed: u64) -> Self {
        Self { now, seed, secrets: SecretSeed::repeatable(seed) }
    }

    /// Generator of this moment's random values.
    #[must_use]
    pub fn dice(self) -> Dice {
        Dice(self.seed)
    }
}

/// A small generator (splitmix64): the same seed gives the same values.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A random (version 4) UUID.
    pub fn uuid(&mut self) -> Uuid {
        let bits = (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64());
        let version = bits & !(0xF << 76) | (0x4 << 76);
        Uuid(version & !(0x3 << 62) | (0x2 << 62))
    }
}

/// A UUID, printed in the usual form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uuid(pub u128);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let h = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (h >> 96) as u32,
            (h >> 80) as u16,
            (h >> 64) as u16,
            (h >> 48) as u16,
            h & 0xFFFF_FFFF_FFFF
        )
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no UUID")]
pub struct UuidError(String);

impl FromStr for Uuid {
    type Err = UuidError;
    fn from_str(text: &str) -> Result<Self, UuidError> {
        let wrong = || UuidError(text.to_owned());
        let dashes = text.char_indices().filter(|(_, c)| *c == '-').map(|(at, _)| at);
        // A number of Rust's may begin with a plus, a UUID may not.
        if text.len() != 36 || !dashes.eq([8, 13, 18, 23]) || text.starts_with('+') {
            return Err(wrong());
        }
        u128::from_str_radix(&text.replace('-', ""), 16).map(Uuid).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Uuid {
    type Error = UuidError;
    fn try_from(text: String) -> Result<Self, UuidError> {
        text.parse()
    }
}

impl From<Uuid> for String {
    fn from(uuid: Uuid) -> String {
        uuid.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_print_and_read() {
        let uuid = Moment::repeatable(EpochMs(0), 7).dice().uuid();
        let text = uuid.to_string();
        assert_eq!(text.parse(), Ok(uuid));
        assert_eq!(&text[14..15], "4");
        assert!("89ab".contains(&text[19..20]), "{text}");
        assert!("f51611c6-528f-4793-a87a-866d09e6733a".parse::<Uuid>().is_ok());
        for wrong in ["f51611c6528f4793a87a866d09e6733a", "+51611c6-528f-4793-a87a-866d09e6733a"] {
            assert!(wrong.parse::<Uuid>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let (mut a, mut b) = (Dice(1), Dice(1));
        assert_eq!(a.uuid(), b.uuid());
        assert_ne!(a.uuid(), Dice(2).uuid());
    }
}
