//! Answers of a controller, Zea's or another, as tables of `zea`: the first line names a view, the rest is JSON. Whatever is
//! in them, it is drawn, and nothing in it reaches the terminal as a command.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::cli::fuzzing::{VIEWS, draw};

/// Most that an answer of 2 KiB may make the program hold: every row of a table is as wide as its widest.
const MAX_BYTES: usize = 32 << 20;

fuzz_target!(|data: &[u8]| {
    let Some(text) = zea_fuzz::text(data) else { return };
    let (name, json) = zea_fuzz::first_line(text);
    let (_, view) = zea_fuzz::pick(&VIEWS, |(name, _)| name, name);
    let drawn = zea_fuzz::memory::within(MAX_BYTES, || draw(*view, json));
    if let Some(drawn) = drawn {
        assert!(!drawn.contains(|c: char| c.is_control() && c != '\n'), "{drawn:?}");
    }
});
