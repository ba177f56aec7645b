//! The one source of chance of a run: the same seed draws the same. Never asks the machine.

use zea::model::moment::{Dice, EpochMs, Moment};

/// A generator with the draws that the simulator needs.
#[derive(Debug, Clone)]
pub struct Random(Dice);

impl Random {
    /// Different for each pair of seed and purpose.
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mix = seed.wrapping_mul(0xD134_2543_DE82_EF95) ^ purpose.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut random = Self(Moment::repeatable(EpochMs(0), mix).dice());
        random.next();
        random
    }

    /// 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Below `limit`; 0 for 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { self.next() % limit }
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in so many of a thousand draws.
    pub fn permille(&mut self, chance: u64) -> bool {
        self.below(1000) < chance
    }

    /// One of them; there must be one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// The index of a weight, by weight.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut rest = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            if rest < *weight {
                return at;
            }
            rest -= weight;
        }
        0
    }

    /// In another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}
