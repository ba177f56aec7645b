//! What people write on `zea`'s command line and into its file: sizes, addresses, objects, settings, and the entries of a
//! refusal. A size is what its number and unit say; addresses printed are read as the same; an object leads to a call.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::cli::args::ObjectPath;
use zea::cli::fuzzing::{addresses, entries, settings, size, size_for_people};
use zea::protocols::rest::routes::{self, Match};

/// Units and their bytes.
const UNITS: [(&str, f64); 12] = [
    ("b", 1.0),
    ("k", 1024.0),
    ("kib", 1024.0),
    ("kb", 1e3),
    ("m", 1048576.0),
    ("mib", 1048576.0),
    ("mb", 1e6),
    ("g", 1073741824.0),
    ("gib", 1073741824.0),
    ("gb", 1e9),
    ("tb", 1e12),
    ("pb", 1e15),
];

fn sizes(text: &str) {
    let Some(kib) = size(text) else { return };
    assert!(kib > 0 && size(&format!("{kib}K")) == Some(kib), "{text}: {kib}");
    let people = size_for_people(i64::try_from(kib).expect("a size is less than 8 EiB"));
    assert!(people.ends_with('B') && people.starts_with(|c: char| c.is_ascii_digit()), "{people}");
    let text = text.trim().to_ascii_lowercase();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = text[..text.len() - unit.len()].parse().expect("a size begins with a number");
    if let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit.trim()) {
        let expected = number * factor / 1024.0;
        // Rounded up to KiB; the expected one is as exact as 53 bits are.
        assert!((kib as f64 - expected).abs() <= 1.0 + expected * 1e-9, "{text}: {kib} KiB, {expected} expected");
    }
}

fn objects(text: &str) {
    let Ok(object) = text.parse::<ObjectPath>() else { return };
    for call in [object.read(), object.change()] {
        let (path, _) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let found = routes::find(call.method.as_str(), path);
        assert!(matches!(found, Match::Found { .. }), "{text}: {} {}", call.method, call.target);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(text) = zea_fuzz::text(data) else { return };
    sizes(text);
    objects(text);
    if let Some(printed) = addresses(text) {
        assert_eq!(addresses(&printed), Some(printed.clone()), "{text}");
    }
    let _ = settings(text);
    if let Some(drawn) = entries(text) {
        assert!(!drawn.contains(|c: char| c.is_control() && c != '\n'), "{drawn:?}");
    }
});
