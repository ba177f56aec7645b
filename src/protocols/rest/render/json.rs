//! Writes JSON into a buffer, member by member. Commas are its business, the order of calls is the caller's; what is
//! empty can be left out. Never fails.

use std::fmt::Display;

use serde::Serialize;

use crate::model::moment::Uuid;
use crate::model::props::{Props, is_key_material};

/// Characters of a uuid with its hyphens.
const UUID_CHARS: usize = 36;

/// JSON that is being written.
#[derive(Debug, Default)]
pub struct Json {
    out: Vec<u8>,
    /// The next value or key is not the first one of its list or object.
    comma: bool,
}

impl Json {
    /// An empty buffer with room.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), comma: false }
    }

    /// The bytes so far.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// How many bytes there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Takes the bytes so far away; writing goes on where it was.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Makes room for so many bytes at once, instead of growing to them step by step.
    pub fn reserve(&mut self, bytes: usize) {
        self.out.reserve_exact(bytes);
    }

    /// A value of bytes that are JSON already.
    pub fn raw(&mut self, json: &[u8]) {
        self.separate();
        self.out.extend_from_slice(json);
        self.comma = true;
    }

    /// Opens a list that [`Json::close_list`] ends.
    pub fn open_list(&mut self) {
        self.separate();
        self.out.push(b'[');
        self.comma = false;
    }

    /// Ends a list.
    pub fn close_list(&mut self) {
        self.out.push(b']');
        self.comma = true;
    }

    /// An object as a value.
    pub fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.separate();
        self.out.push(b'{');
        self.comma = false;
        fill(self);
        self.out.push(b'}');
        self.comma = true;
    }

    /// A list as a value.
    pub fn list(&mut self, fill: impl FnOnce(&mut Self)) {
        self.open_list();
        fill(self);
        self.close_list();
    }

    /// A text as a value.
    pub fn string(&mut self, text: &str) {
        self.separate();
        self.quote(text);
        self.comma = true;
    }

    /// Whatever serde can print, as a value.
    pub fn value(&mut self, value: &impl Serialize) {
        self.separate();
        serde_json::to_writer(&mut self.out, value).expect("a buffer takes all, and keys are texts");
        self.comma = true;
    }

    /// The key of the next value: a plain word of the program's, which needs no escaping. Inlined, so that its length is
    /// known where it is copied.
    #[inline(always)]
    pub fn key(&mut self, key: &'static str) {
        debug_assert!(is_plain(key), "{key}");
        // Comma, two quotes and a colon.
        self.out.reserve(key.len() + 4);
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.comma = false;
    }

    /// The key of the next value, as somebody chose it.
    pub fn chosen_key(&mut self, key: &str) {
        self.separate();
        self.quote(key);
        self.out.push(b':');
        self.comma = false;
    }

    /// A key that somebody chose, with its text.
    pub fn member(&mut self, key: &str, text: &str) {
        self.chosen_key(key);
        self.string(text);
    }

    /// A text that always stands.
    #[inline]
    pub fn must(&mut self, key: &'static str, text: &str) {
        self.key(key);
        self.string(text);
    }

    /// A text, left out when it is empty.
    #[inline]
    pub fn text(&mut self, key: &'static str, text: &str) {
        if !text.is_empty() {
            self.must(key, text);
        }
    }

    /// What prints itself, always.
    pub fn shown(&mut self, key: &'static str, value: impl Display) {
        self.must(key, &value.to_string());
    }

    /// A whole number, always.
    #[inline]
    pub fn int(&mut self, key: &'static str, number: i64) {
        self.key(key);
        self.number(number);
    }

    /// A size or count, always; what the API cannot express becomes its largest number.
    #[inline]
    pub fn size(&mut self, key: &'static str, number: u64) {
        self.int(key, i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// A size or count, left out when it is not known.
    pub fn known_size(&mut self, key: &'static str, number: Option<u64>) {
        if let Some(number) = number {
            self.size(key, number);
        }
    }

    /// A fraction, always.
    pub fn float(&mut self, key: &'static str, number: f64) {
        self.key(key);
        self.value(&number);
    }

    /// Yes or no, always.
    #[inline]
    pub fn flag(&mut self, key: &'static str, yes: bool) {
        self.key(key);
        self.raw(if yes { b"true" } else { b"false" });
    }

    /// A uuid, always.
    pub fn uuid(&mut self, uuid: Uuid) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.key("uuid");
        // With its quotes, of which the first moves everything by one.
        let mut text = [b'-'; UUID_CHARS + 2];
        text[0] = b'"';
        text[UUID_CHARS + 1] = b'"';
        let mut at = 1;
        for byte in uuid.0.to_be_bytes() {
            at += usize::from(matches!(at, 9 | 14 | 19 | 24));
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 0xF)];
            at += 2;
        }
        self.out.extend_from_slice(&text);
        self.comma = true;
    }

    /// Properties, left out when there are none.
    #[inline]
    pub fn props(&mut self, key: &'static str, props: &Props) {
        if !props.is_empty() {
            self.key(key);
            self.prop_map(props);
        }
    }

    /// Every property of an object whose keys mean nothing to us, left out when there are none.
    pub fn foreign_props(&mut self, key: &'static str, props: &Props) {
        if !props.is_empty() {
            self.key(key);
            self.object(|json| props.iter().for_each(|(key, value)| json.member(key, value)));
        }
    }

    /// Properties as a value, without those that keys are kept in: nobody needs them, and who has them can try passphrases.
    pub fn prop_map(&mut self, props: &Props) {
        let shown = props.iter().filter(|(key, _)| !is_key_material(key));
        self.object(|json| shown.for_each(|(key, value)| json.member(key, value)));
    }

    /// Texts, left out when there are none.
    #[inline]
    pub fn texts<'a>(&mut self, key: &'static str, texts: impl IntoIterator<Item = &'a str>) {
        let mut texts = texts.into_iter().peekable();
        if texts.peek().is_some() {
            self.key(key);
            self.list(|json| texts.for_each(|text| json.string(text)));
        }
    }

    /// A list, left out when nothing was written into it.
    pub fn filled_list(&mut self, key: &'static str, fill: impl FnOnce(&mut Self)) {
        self.filled(key, |json| json.list(fill));
    }

    /// An object, left out when nothing was written into it.
    pub fn filled_object(&mut self, key: &'static str, fill: impl FnOnce(&mut Self)) {
        self.filled(key, |json| json.object(fill));
    }

    fn filled(&mut self, key: &'static str, write: impl FnOnce(&mut Self)) {
        let (start, comma) = (self.out.len(), self.comma);
        self.key(key);
        let before = self.out.len();
        write(self);
        // Two bytes are the brackets.
        if self.out.len() == before + 2 {
            self.out.truncate(start);
            self.comma = comma;
        }
    }

    #[inline]
    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
    }

    #[inline]
    fn quote(&mut self, text: &str) {
        if is_plain(text) {
            self.out.reserve(text.len() + 2);
            self.out.push(b'"');
            self.out.extend_from_slice(text.as_bytes());
            self.out.push(b'"');
        } else {
            serde_json::to_writer(&mut self.out, text).expect("a buffer takes all");
        }
    }

    /// A whole number as a value.
    pub fn number(&mut self, number: i64) {
        self.value(&number);
    }
}

/// Whether a text stands in quotes as it is. Looks at every byte, without an early end, so that it does many at once.
fn is_plain(text: &str) -> bool {
    let special = |byte: u8| (byte < b' ') | (byte == b'"') | (byte == b'\\');
    !text.bytes().fold(false, |found, byte| found | special(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_omissions() {
        let mut json = Json::default();
        json.object(|json| {
            json.text("empty", "");
            json.filled_list("none", |_| {});
            json.text("name", "a\"b\n\u{1}ö");
            json.filled_object("nothing", |_| {});
            json.int("n", -1);
            json.texts("list", ["x", "y"]);
            json.filled_object("inner", |json| json.flag("yes", true));
            json.float("ratio", 20.0);
            json.size("large", u64::MAX);
            json.known_size("unknown", None);
        });
        let expected = r#"{"name":"a\"b\n\u0001ö","n":-1,"list":["x","y"],"inner":{"yes":true},"ratio":20.0,"large":9223372036854775807}"#;
        assert_eq!(String::from_utf8(json.into_bytes()).unwrap(), expected);
    }

    #[test]
    fn lists_of_objects_and_pieces() {
        let mut json = Json::default();
        json.open_list();
        json.object(|json| json.int("a", 1));
        let first = json.take();
        json.object(|_| {});
        json.raw(b"null");
        json.close_list();
        let text = [first, json.into_bytes()].concat();
        assert_eq!(String::from_utf8(text).unwrap(), r#"[{"a":1},{},null]"#);
    }

    #[test]
    fn a_uuid_as_it_prints_itself() {
        let uuid: Uuid = "5e4d1a9c-2c0c-4c5c-9f57-0a6d3c1b7e11".parse().unwrap();
        let mut json = Json::default();
        json.object(|json| json.uuid(uuid));
        assert_eq!(String::from_utf8(json.into_bytes()).unwrap(), format!("{{\"uuid\":\"{uuid}\"}}"));
    }
}
