//! What the process tells of itself: the log's set-up, the start of the process, and the registry of metrics.
//!
//! [`Telemetry`] is a value that is handed to whoever counts something; there is no global registry. The log's subscriber
//! is the one global that the `tracing` crate asks for, set once by `main`. Nothing here decides what is worth telling.

mod process;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
use prometheus::{Encoder, Registry, TextEncoder};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{LogConfig, LogFormat};
use process::ProcessCollector;

/// The media type of [`Telemetry::render`]'s text.
pub const METRICS_CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Where the log lines of the HTTP server's sockets and workers come from.
const SERVER_TARGET: &str = "actix_server";

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

/// Starts this process's log on standard error. `RUST_LOG`'s value, when given, is stronger than the configuration.
///
/// # Errors
/// When the filter cannot be read, or there is a log already.
pub fn start_log(config: &LogConfig, rust_log: Option<&str>) -> Result<(), TelemetryError> {
    let filter = rust_log.unwrap_or(config.level.as_str());
    let log = subscriber(filter, config.format, std::io::stderr)?;
    tracing::subscriber::set_global_default(log).map_err(TelemetryError::LogTwice)
}

/// A log that writes to `writer`; text is without colours, since a log goes to files.
///
/// # Errors
/// When the filter cannot be read.
pub fn subscriber<W>(
    filter: &str,
    format: LogFormat,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let levels = levels(filter)?;
    let log = tracing_subscriber::fmt().with_env_filter(levels).with_writer(writer).with_ansi(false);
    Ok(match format {
        LogFormat::Text => Box::new(log.finish()),
        LogFormat::Json => Box::new(log.json().flatten_event(true).finish()),
    })
}

/// The filter's levels. What the HTTP server's parts tell of themselves at info says nothing that the process does not say
/// itself: they are heard from warn on, unless the filter names them.
fn levels(filter: &str) -> Result<EnvFilter, TelemetryError> {
    let read = |text: &str| {
        EnvFilter::try_new(text).map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })
    };
    let levels = read(filter)?;
    let talkative = levels.max_level_hint().is_none_or(|level| level > LevelFilter::WARN);
    if talkative && !filter.contains(SERVER_TARGET) {
        read(&format!("{filter},{SERVER_TARGET}=warn"))
    } else {
        Ok(levels)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    use super::*;

    /// A writer whose lines the test reads afterwards.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: LogFormat, tell: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = subscriber(filter, format, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(log, tell);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_lines_hold_message_and_fields_without_colours() {
        let text = logged("info", LogFormat::Text, || tracing::info!(volume = "pvc-1", "made"));
        assert!(text.contains("INFO") && text.contains("made volume=\"pvc-1\""), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn json_lines_are_one_object_each_with_flat_fields() {
        let text = logged("info", LogFormat::Json, || {
            tracing::info!(volume = "pvc-1", "made");
            tracing::warn!("slow");
        });
        let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((&rows[0]["volume"], &rows[0]["message"]), (&"pvc-1".into(), &"made".into()));
        assert_eq!(rows[1]["level"], "WARN");
    }

    #[test]
    fn the_filter_holds_per_target() {
        let tell = || {
            tracing::debug!(target: "zea::store", "kept");
            tracing::debug!(target: "zea::rest", "dropped");
        };
        let text = logged("info,zea::store=debug", LogFormat::Text, tell);
        assert!(text.contains("kept") && !text.contains("dropped"), "{text}");
    }

    #[test]
    fn the_http_server_is_heard_from_warn_on_unless_it_is_named() {
        let tell = || {
            tracing::info!(target: "actix_server::builder", "starting");
            tracing::warn!(target: "actix_server::builder", "failing");
        };
        for (filter, info, warn) in [
            ("info", false, true),
            ("debug", false, true),
            ("info,actix_server=info", true, true),
            ("error", false, false),
            ("off", false, false),
        ] {
            let text = logged(filter, LogFormat::Text, tell);
            assert_eq!((text.contains("starting"), text.contains("failing")), (info, warn), "{filter}: {text}");
        }
    }

    #[test]
    fn a_filter_that_is_none_is_refused_by_name() {
        let error = subscriber("zea=loud", LogFormat::Text, std::io::sink).err().expect("loud is no level");
        assert!(error.to_string().contains("zea=loud"), "{error}");
    }

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
