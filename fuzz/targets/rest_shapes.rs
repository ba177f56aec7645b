//! Bodies as shapes: the first line names the shape, the rest is JSON. What is read and printed is read again as the same;
//! what is not says where it does not fit.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zea::protocols::rest::shape::Shape;
use zea::protocols::rest::shapes;

static SHAPES: LazyLock<Vec<&'static Shape>> = LazyLock::new(|| shapes().collect());

/// Most that a body of 2 KiB may make the program hold: an empty object in a list costs three bytes, and its struct up to
/// some hundred.
const MAX_BYTES: usize = 4 << 20;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (name, json) = data.split_at(end);
    let shape = zea_fuzz::pick(&SHAPES, |shape| shape.name, &String::from_utf8_lossy(name));
    match zea_fuzz::memory::within(MAX_BYTES, || (shape.echo)(json)) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(printed) => {
            let text = printed.to_string();
            let again = (shape.echo)(text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}: {text}", shape.name));
            assert_eq!(printed, again, "{}", shape.name);
        }
    }
});
