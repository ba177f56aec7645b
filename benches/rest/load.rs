//! Load: so many calls, so many at once, each thread on a connection of its own; and what they took.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;

/// What a load came to.
pub struct Outcome {
    /// Calls a second.
    pub rate: f64,
    /// Sorted durations.
    times: Vec<Duration>,
}

/// A call: method, path, body.
pub type Call = (&'static str, String, String);

/// Makes `count` calls, `at_once` in flight; every one must succeed.
pub fn run(address: SocketAddr, at_once: usize, count: usize, call: impl Fn(usize) -> Call + Sync) -> Outcome {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut client = Client::connect(address).expect("zead listens");
        let mut times = Vec::with_capacity(count / at_once + 1);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return times;
            }
            let (method, path, body) = call(number);
            let began = Instant::now();
            let answer = client.call(method, &path, &body).expect("zead answers");
            times.push(began.elapsed());
            assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text);
        }
    };
    let began = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a call failed; see above")).collect()
    });
    #[allow(clippy::cast_precision_loss)]
    let rate = count as f64 / began.elapsed().as_secs_f64();
    times.sort_unstable();
    Outcome { rate, times }
}

impl Outcome {
    /// The duration that `percent` of the calls did not exceed, in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let at = (self.times.len() * percent).div_ceil(100).clamp(1, self.times.len());
        self.times[at - 1].as_secs_f64() * 1e3
    }
}
