//! What is going to happen, by time and then by the order in which it was decided. Time passes only here.

use std::collections::BTreeMap;
use std::time::Duration;

/// Events in the order in which they happen.
#[derive(Debug)]
pub struct Queue<E> {
    now: Duration,
    sequence: u64,
    waiting: BTreeMap<(Duration, u64), E>,
}

impl<E> Queue<E> {
    pub fn new() -> Self {
        Self { now: Duration::ZERO, sequence: 0, waiting: BTreeMap::new() }
    }

    /// Virtual time since the start of the run.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Happens after `delay`; of two at the same time the one that was added first comes first.
    pub fn after(&mut self, delay: Duration, event: E) {
        self.at(self.now + delay, event);
    }

    /// Happens at that time, or now if it has passed.
    pub fn at(&mut self, time: Duration, event: E) {
        self.sequence += 1;
        self.waiting.insert((time.max(self.now), self.sequence), event);
    }

    /// The next event, unless it comes after `until`: then only the time passes.
    pub fn next(&mut self, until: Duration) -> Option<E> {
        let first = self.waiting.first_key_value().map(|(key, _)| *key).filter(|key| key.0 <= until);
        let Some(key) = first else {
            self.now = self.now.max(until);
            return None;
        };
        self.now = key.0;
        self.waiting.remove(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_time_and_then_by_order() {
        let mut queue = Queue::new();
        for (delay, name) in [(2, 'c'), (1, 'a'), (1, 'b'), (9, 'd')] {
            queue.after(Duration::from_secs(delay), name);
        }
        let first: Vec<char> = std::iter::from_fn(|| queue.next(Duration::from_secs(5))).collect();
        assert_eq!((first, queue.now()), (vec!['a', 'b', 'c'], Duration::from_secs(5)));
        assert_eq!(queue.next(Duration::from_secs(9)), Some('d'));
    }
}
