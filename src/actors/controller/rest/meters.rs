//! How long calls of the API took, by call, and how often the metrics were asked for. Never blocks.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::protocols::rest::metrics_names::{self as names, DURATION_BUCKETS_SECONDS, write_head};
use crate::protocols::rest::routes;

const BUCKETS: usize = DURATION_BUCKETS_SECONDS.len();

/// A histogram: how many took at most so long, and all together.
#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    count: AtomicU64,
    nanos: AtomicU64,
}

/// Counters of the API.
#[derive(Debug)]
pub struct Meters {
    calls: BTreeMap<&'static str, Histogram>,
    scrapes: AtomicU64,
}

impl Default for Meters {
    fn default() -> Self {
        let calls = routes::all().map(|route| (route.operation, Histogram::default())).collect();
        Self { calls, scrapes: AtomicU64::new(0) }
    }
}

impl Meters {
    /// Counts a call.
    pub fn took(&self, operation: &str, duration: Duration) {
        let Some(histogram) = self.calls.get(operation) else { return };
        let seconds = duration.as_secs_f64();
        if let Some(at) = DURATION_BUCKETS_SECONDS.iter().position(|bound| seconds <= *bound) {
            histogram.buckets[at].fetch_add(1, Ordering::Relaxed);
        }
        histogram.count.fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        histogram.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Counts a scrape: how many there were, this one with them.
    pub fn scraped(&self) -> u64 {
        self.scrapes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The calls that there were, as text for Prometheus.
    pub fn write(&self, text: &mut String) {
        let metric = &names::RESTAPI_REQUEST_DURATION_SECONDS;
        write_head(text, metric);
        for (operation, histogram) in &self.calls {
            let count = histogram.count.load(Ordering::Relaxed);
            if count > 0 {
                histogram.write(text, metric.name, operation, count);
            }
        }
    }
}

impl Histogram {
    fn write(&self, text: &mut String, name: &str, operation: &str, count: u64) {
        const TAKES_ALL: &str = "a String takes all";
        let mut sum = 0;
        for (bound, bucket) in DURATION_BUCKETS_SECONDS.iter().zip(&self.buckets) {
            sum += bucket.load(Ordering::Relaxed);
            writeln!(text, "{name}_bucket{{apicall=\"{operation}\",le=\"{bound}\"}} {sum}").expect(TAKES_ALL);
        }
        writeln!(text, "{name}_bucket{{apicall=\"{operation}\",le=\"+Inf\"}} {count}").expect(TAKES_ALL);
        let seconds = self.nanos.load(Ordering::Relaxed) as f64 / 1e9;
        writeln!(text, "{name}_sum{{apicall=\"{operation}\"}} {seconds}").expect(TAKES_ALL);
        writeln!(text, "{name}_count{{apicall=\"{operation}\"}} {count}").expect(TAKES_ALL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let meters = Meters::default();
        for millis in [0, 2, 2, 700, 60_000] {
            meters.took("nodeList", Duration::from_millis(millis));
        }
        meters.took("no such call", Duration::ZERO);
        let mut text = String::new();
        meters.write(&mut text);
        for line in [
            "linstor_restapi_request_duration_seconds_bucket{apicall=\"nodeList\",le=\"0.001\"} 1",
            "linstor_restapi_request_duration_seconds_bucket{apicall=\"nodeList\",le=\"0.0025\"} 3",
            "linstor_restapi_request_duration_seconds_bucket{apicall=\"nodeList\",le=\"50\"} 4",
            "linstor_restapi_request_duration_seconds_bucket{apicall=\"nodeList\",le=\"+Inf\"} 5",
            "linstor_restapi_request_duration_seconds_count{apicall=\"nodeList\"} 5",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        assert!(!text.contains("nodeGet"));
        assert_eq!((meters.scraped(), meters.scraped()), (1, 2));
    }
}
