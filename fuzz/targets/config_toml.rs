//! The daemon's configuration: a file, its overlay and variables, parted by lines of `%`. What is taken and printed is read
//! again as the same; what is refused says where.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use zea::config::{Config, Source, load, print};

/// Most that texts of 2 KiB may make the program hold.
const MAX_BYTES: usize = 4 << 20;

fn sources(text: &str) -> (Vec<Source<'_>>, BTreeMap<String, String>) {
    let parts: Vec<&str> = text.split("\n%\n").collect();
    let source = |(name, text)| Source { name, text };
    let files = ["zead.toml", "overlay.toml"].into_iter().zip(parts.iter().copied()).map(source).collect();
    let lines = parts.get(2).into_iter().flat_map(|text| text.lines());
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    (files, lines.filter_map(pair).collect())
}

fn is_read_again(config: &Config) {
    let printed = print(config);
    let source = Source { name: "printed", text: &printed };
    let again = load(&[source], &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}\n{printed}"));
    assert_eq!(&again, config, "{printed}");
    assert_eq!(print(&again), printed);
}

fuzz_target!(|data: &[u8]| {
    let Some(text) = zea_fuzz::text(data) else { return };
    let (files, variables) = sources(text);
    match zea_fuzz::memory::within(MAX_BYTES, || load(&files, &variables)) {
        Ok(config) => is_read_again(&config),
        Err(error) => {
            let error = error.to_string();
            assert!(["zead.toml", "overlay.toml", "ZEA_"].iter().any(|place| error.contains(place)), "{error}");
        }
    }
});
