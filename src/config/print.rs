//! Prints a configuration as TOML with every key and its comment: `zead --print-config`, and with the defaults `conf/zead.toml`.

use std::fmt::Write;

use super::keys::{Key, SECTIONS};
use super::load::rows;
use super::settings::Config;

const HEAD: &str = "\
# The configuration of zead. Every key is here with its default; a file needs only those that differ.
# Over it come, in this order: --overlay FILE or conf.d/<node>.toml beside this file, then environment variables
# such as ZEA_REST__LISTEN. Times and sizes have units. An unknown key or a bad value is refused with its line.
";

/// The configuration as a TOML text with comments, which [`super::load()`] reads back to the same value.
#[must_use]
pub fn print(config: &Config) -> String {
    let rows = rows(config);
    let mut text = HEAD.to_owned();
    for (section, about) in SECTIONS {
        let _ = write!(text, "\n# {about}\n[{section}]\n");
        for (key, value) in rows.iter().filter(|(key, _)| key.section() == section) {
            print_key(&mut text, key, value);
        }
    }
    text
}

fn print_key(text: &mut String, key: &Key, value: &str) {
    for line in key.about.lines() {
        let _ = writeln!(text, "# {line}");
    }
    let _ = writeln!(text, "{} = {value}", key.name());
}
