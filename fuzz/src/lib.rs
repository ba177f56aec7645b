//! What the targets share: input as text, a bound on memory, a small cluster to decide about, and everything that can be
//! printed of one. Never knows a parser.

pub mod cluster;
pub mod memory;

/// The input as text; most parsers are behind something that has refused other bytes.
pub fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The first line and what follows it.
pub fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// One of a table by its name; another text stands for one as well, so that few inputs are lost.
pub fn pick<'a, T>(table: &'a [T], name: impl Fn(&T) -> &str, word: &str) -> &'a T {
    let sum = word.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    let named = table.iter().find(|row| name(row) == word);
    named.unwrap_or_else(|| &table[sum % table.len()])
}

/// Prints JSON, reads it as the same type, prints again: both texts have to be the same.
pub fn prints_the_same<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) {
    let text = serde_json::to_string(value).expect("what was read can be printed");
    let back: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let again = serde_json::to_string(&back).expect("what was read can be printed");
    assert_eq!(text, again, "printed, read and printed again");
}
