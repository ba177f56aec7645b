//! A sign of life on the terminal while a controller works. Never writes to anything but a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often the sign moves.
const TICK: Duration = Duration::from_millis(120);

/// The sign; gone when it is dropped.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Shows a sign on standard error, if that is wanted.
    pub fn start(text: &str, wanted: bool) -> Progress {
        if !wanted {
            return Progress(None);
        }
        let bar = ProgressBar::new_spinner().with_message(text.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Progress(Some(bar))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
