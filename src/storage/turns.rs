//! One at a time for each resource: who comes second waits until the first has gone. Knows nothing of what they do.
//!
//! A pass that an actor started goes on when the actor fails, and its next incarnation starts one of its own.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::model::names::RscName;

/// Who has their turn at the moment.
#[derive(Debug, Default)]
pub(super) struct Turns {
    taken: Mutex<BTreeSet<RscName>>,
    freed: Condvar,
}

/// The turn of one; ends with it.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    rsc: RscName,
}

impl Turns {
    /// Waits until nobody has the turn of `rsc`, and takes it. Blocks.
    pub(super) fn take(&self, rsc: &RscName) -> Turn<'_> {
        let taken = self.taken();
        let mut taken =
            self.freed.wait_while(taken, |taken| taken.contains(rsc)).unwrap_or_else(PoisonError::into_inner);
        taken.insert(rsc.clone());
        Turn { turns: self, rsc: rsc.clone() }
    }

    fn taken(&self) -> MutexGuard<'_, BTreeSet<RscName>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.taken().remove(&self.rsc);
        self.turns.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn of_one_resource_one_at_a_time_and_others_beside_it() {
        let turns = Arc::new(Turns::default());
        let (web, other) = (RscName::parse("web").unwrap(), RscName::parse("other").unwrap());
        let inside = Arc::new(AtomicU32::new(0));
        let first = turns.take(&web);
        drop(turns.take(&other));
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let (turns, web, inside) = (Arc::clone(&turns), web.clone(), Arc::clone(&inside));
                std::thread::spawn(move || {
                    let _turn = turns.take(&web);
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        assert!(waiting.iter().all(|thread| !thread.is_finished()));
        drop(first);
        waiting.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
