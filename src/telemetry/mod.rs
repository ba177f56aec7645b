//! What the process tells of itself: the log's set-up, the start of the process, and the registry of metrics.
//!
//! [`Telemetry`] is a value that is handed to whoever counts something; there is no global registry. The log's subscriber
//! is the one global that the `tracing` crate asks for, set once by `main`. Nothing here decides what is worth telling.

mod log;
mod process;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
use prometheus::{Encoder, Registry, TextEncoder};

pub use log::{LogControl, start_log, subscriber};
use process::ProcessCollector;

/// The media type of [`Telemetry::render`]'s text.
pub const METRICS_CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Why telemetry could not be set up or told.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The process has a log already: `main` sets it up once.
    #[error("the log is set up already")]
    LogTwice(#[source] tracing::subscriber::SetGlobalDefaultError),
    /// The filter's syntax. The configuration checks it, so this is a filter from elsewhere.
    #[error("log filter '{filter}' cannot be read: {source}; write a level such as info, or info,zea::store=debug")]
    Filter {
        filter: String,
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The log has ended, or its lock is broken.
    #[error("the log's filter cannot be changed: {0}")]
    Reload(#[source] tracing_subscriber::reload::Error),
    /// Two metrics of one name, or a name that is none.
    #[error("a metric cannot be registered: {0}")]
    Metric(#[source] prometheus::Error),
    /// The registry's content could not be written as text.
    #[error("the metrics cannot be written: {0}")]
    Render(#[source] prometheus::Error),
}

/// The metrics of this process and when it started. Cheap to clone: all clones share one registry.
#[derive(Clone, Debug)]
pub struct Telemetry {
    started: SystemTime,
    registry: Arc<Registry>,
}

impl Telemetry {
    /// A registry of its own with the `process_*` metrics; `started` is when the process began.
    ///
    /// # Errors
    /// [`TelemetryError::Metric`], which only a mistake in this module can cause.
    pub fn new(started: SystemTime) -> Result<Self, TelemetryError> {
        let telemetry = Self { started, registry: Arc::new(Registry::new()) };
        telemetry.register(ProcessCollector::new())?;
        Ok(telemetry)
    }

    /// When the process began.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// When the process began, in milliseconds since 1970: the epoch that tells two runs of a process apart.
    #[must_use]
    pub fn epoch_ms(&self) -> u64 {
        let since = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Adds a metric. Keep a clone of it to count with.
    ///
    /// # Errors
    /// [`TelemetryError::Metric`] when its name is taken or malformed.
    pub fn register(&self, metric: impl Collector + 'static) -> Result<(), TelemetryError> {
        self.registry.register(Box::new(metric)).map_err(TelemetryError::Metric)
    }

    /// All metrics in Prometheus' text format, sorted by name.
    ///
    /// # Errors
    /// [`TelemetryError::Render`] when a collector's output is inconsistent.
    pub fn render(&self) -> Result<String, TelemetryError> {
        let mut bytes = Vec::new();
        let encoder = TextEncoder::new();
        encoder.encode(&self.registry.gather(), &mut bytes).map_err(TelemetryError::Render)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn metrics_are_rendered_and_registries_are_apart() {
        let one = Telemetry::new(UNIX_EPOCH + Duration::from_millis(1500)).unwrap();
        let other = Telemetry::new(UNIX_EPOCH).unwrap();
        let count = prometheus::IntCounter::new("zea_test_total", "Tests.").unwrap();
        one.register(count.clone()).unwrap();
        count.inc();
        assert!(one.clone().render().unwrap().contains("\nzea_test_total 1\n"));
        assert!(!other.render().unwrap().contains("zea_test_total"));
        assert_eq!(one.epoch_ms(), 1500);
    }

    #[test]
    fn a_name_is_taken_once() {
        let telemetry = Telemetry::new(UNIX_EPOCH).unwrap();
        let count = prometheus::IntCounter::new("zea_test_total", "Tests.").unwrap();
        telemetry.register(count.clone()).unwrap();
        assert!(matches!(telemetry.register(count), Err(TelemetryError::Metric(_))));
    }

    #[test]
    fn this_process_is_measured() {
        let text = Telemetry::new(UNIX_EPOCH).unwrap().render().unwrap();
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"] {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"));
            let value: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
            assert!(value > 0.0, "{line}");
        }
    }
}
