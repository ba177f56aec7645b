//! Pools of numbers that are handed out once: lowest free first, found without walking over those taken.

use imbl::OrdSet;

/// Numbers from a range, each taken by one owner.
#[derive(Debug, Clone)]
pub struct NumberPool {
    first: u32,
    last: u32,
    taken: OrdSet<u32>,
    /// No number below this one is free.
    lowest: u32,
}

impl NumberPool {
    /// An empty pool over `first..=last`.
    #[must_use]
    pub fn new(first: u32, last: u32) -> Self {
        Self { first, last, taken: OrdSet::new(), lowest: first }
    }

    /// Marks a number as taken, whether in the range or not.
    pub fn take(&mut self, number: u32) {
        self.taken.insert(number);
        while self.lowest <= self.last && self.taken.contains(&self.lowest) {
            self.lowest += 1;
        }
    }

    /// Gives a number back.
    pub fn release(&mut self, number: u32) {
        if self.taken.remove(&number).is_some() && number >= self.first {
            self.lowest = self.lowest.min(number);
        }
    }

    /// The lowest free number, if the range has one left.
    #[must_use]
    pub fn lowest_free(&self) -> Option<u32> {
        (self.lowest <= self.last).then_some(self.lowest)
    }

    /// Whether the number is taken.
    #[must_use]
    pub fn is_taken(&self, number: u32) -> bool {
        self.taken.contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_comes_first() {
        let mut pool = NumberPool::new(10, 12);
        for wanted in 10..=12 {
            assert_eq!(pool.lowest_free(), Some(wanted));
            pool.take(wanted);
        }
        assert_eq!(pool.lowest_free(), None);
        pool.release(11);
        assert_eq!(pool.lowest_free(), Some(11));
        pool.take(11);
        pool.release(12);
        pool.release(10);
        assert_eq!(pool.lowest_free(), Some(10));
        pool.take(10);
        assert_eq!(pool.lowest_free(), Some(12));
    }

    #[test]
    fn numbers_outside_of_the_range_do_no_harm() {
        let mut pool = NumberPool::new(10, 12);
        pool.take(3);
        assert!(pool.is_taken(3));
        pool.release(3);
        assert_eq!(pool.lowest_free(), Some(10));
    }
}
