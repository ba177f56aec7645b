//! `conf/zead.toml` is what the binary prints, and reading it gives exactly the defaults. ZEA_BLESS=1 rewrites it.

use std::collections::BTreeMap;
use std::path::Path;

use zea::config::{Config, Source, load, print};

const COMMITTED: &str = "conf/zead.toml";

fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED)
}

#[test]
fn the_committed_copy_is_what_is_printed() {
    let printed = print(&Config::default());
    if std::env::var_os("ZEA_BLESS").is_some() {
        std::fs::write(committed(), &printed).unwrap();
    }
    let text = std::fs::read_to_string(committed()).unwrap();
    assert!(text == printed, "{COMMITTED} is not what `zead --print-config` prints; ZEA_BLESS=1 rewrites it");
}

#[test]
fn the_committed_copy_holds_every_default() {
    let text = std::fs::read_to_string(committed()).unwrap();
    let config = load(&[Source { name: COMMITTED, text: &text }], &BTreeMap::new()).unwrap();
    assert_eq!(config, Config::default());
    let changed = text.replace("\"45s\"", "\"46s\"");
    let other = load(&[Source { name: COMMITTED, text: &changed }], &BTreeMap::new()).unwrap();
    assert_ne!(other, config, "the copy's values are read, not ignored");
}
