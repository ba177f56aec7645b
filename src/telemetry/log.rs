//! The log of this process: its set-up, once, and its filter, which may be changed while it runs. Decides no level.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::reload;

use super::TelemetryError;
use crate::config::{LogConfig, LogFormat};

/// Where the log lines of the HTTP server's sockets and workers come from.
const SERVER_TARGET: &str = "actix_server";

type Reload = Arc<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>;

/// The filter of a running log. Cheap to clone: all clones change the same log.
#[derive(Clone)]
pub struct LogControl {
    reload: Reload,
    filter: Arc<Mutex<String>>,
}

impl fmt::Debug for LogControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogControl").field(&self.filter()).finish()
    }
}

impl LogControl {
    /// The filter in force.
    #[must_use]
    pub fn filter(&self) -> String {
        self.filter.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another filter, made of the one in force; it holds from now on, until the process ends.
    ///
    /// # Errors
    /// The filter cannot be read, or the log has ended. Then the old one stays.
    pub fn change(&self, to: impl FnOnce(&str) -> String) -> Result<(), TelemetryError> {
        let mut filter = self.filter.lock().unwrap_or_else(PoisonError::into_inner);
        let new = to(&filter);
        (self.reload)(parse(&new)?).map_err(TelemetryError::Reload)?;
        *filter = new;
        Ok(())
    }
}

/// Starts this process's log on standard error. `RUST_LOG`'s value, when given, is stronger than the configuration.
///
/// # Errors
/// When the filter cannot be read, or there is a log already.
pub fn start_log(config: &LogConfig, rust_log: Option<&str>) -> Result<LogControl, TelemetryError> {
    let filter = rust_log.unwrap_or(config.level.as_str());
    let (log, control) = subscriber(filter, config.format, std::io::stderr)?;
    tracing::subscriber::set_global_default(log).map_err(TelemetryError::LogTwice)?;
    Ok(control)
}

/// A log that writes to `writer`, and what changes its filter. Text is without colours, since a log goes to files.
///
/// # Errors
/// When the filter cannot be read.
pub fn subscriber<W>(
    filter: &str,
    format: LogFormat,
    writer: W,
) -> Result<(Box<dyn Subscriber + Send + Sync>, LogControl), TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let log = tracing_subscriber::fmt().with_env_filter(parse(filter)?).with_writer(writer).with_ansi(false);
    let (log, reload): (Box<dyn Subscriber + Send + Sync>, Reload) = match format {
        LogFormat::Text => {
            let log = log.with_filter_reloading();
            let handle = log.reload_handle();
            (Box::new(log.finish()), Arc::new(move |filter| handle.reload(filter)))
        }
        LogFormat::Json => {
            let log = log.json().flatten_event(true).with_filter_reloading();
            let handle = log.reload_handle();
            (Box::new(log.finish()), Arc::new(move |filter| handle.reload(filter)))
        }
    };
    Ok((log, LogControl { reload, filter: Arc::new(Mutex::new(filter.to_owned())) }))
}

/// The filter's levels. What the HTTP server's parts tell of themselves at info says nothing that the process does not say
/// itself: they are heard from warn on, unless the filter names them.
fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
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
        let (log, _) = subscriber(filter, format, move || writer.clone()).unwrap();
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
    fn the_filter_changes_while_the_log_runs() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let lines = Lines::default();
            let writer = lines.clone();
            let (log, control) = subscriber("warn", format, move || writer.clone()).unwrap();
            tracing::subscriber::with_default(log, || {
                tracing::info!("before");
                control.change(|old| format!("{old},zea=debug")).unwrap();
                tracing::debug!(target: "zea::store", "between");
                assert!(control.change(|_| "zea=loud".to_owned()).is_err());
                tracing::debug!(target: "zea::store", "after");
            });
            assert_eq!(control.filter(), "warn,zea=debug", "what cannot be read changes nothing");
            let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
            assert!(!text.contains("before") && text.contains("between") && text.contains("after"), "{text}");
        }
    }
}
