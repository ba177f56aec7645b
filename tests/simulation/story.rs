//! What happened, line by line, for people: the same seed tells the same story, byte for byte. Never read by a run.

use std::fmt::Write;
use std::time::Duration;

/// Lines that are kept of a story that is only told when it fails; the rest is counted.
const KEPT: usize = 200_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Story {
    text: String,
    lines: usize,
    told: bool,
    /// A number of all lines, kept even if they are not.
    digest: u64,
}

impl Story {
    /// A story whose text is kept, or only its digest.
    pub fn new(told: bool) -> Self {
        Self { told, ..Self::default() }
    }

    /// Adds a line.
    pub fn tell(&mut self, now: Duration, line: impl FnOnce() -> String) {
        if !self.told {
            return;
        }
        let line = line();
        let line = format!("{:>5}.{:03} {line}\n", now.as_secs(), now.subsec_millis());
        self.digest =
            line.bytes().fold(self.digest, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
        self.lines += 1;
        if self.lines <= KEPT {
            let _ = self.text.write_str(&line);
        }
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Same story, same number.
    pub fn digest(&self) -> u64 {
        self.digest
    }
}
