//! The raw query string and the raw path of a request, taken apart. Unknown parameters are passed over, as clients send
//! some with calls that have no use for them. Never answers: what is wrong comes back as [`QueryError`].

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;

/// A query parameter that cannot be read. Goes to the caller as the message of a 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the query parameter {key} is {value:?}; give a whole number that is not negative")]
pub struct QueryError {
    /// The parameter.
    pub key: String,
    /// What was given for it.
    pub value: String,
}

/// A decoded query string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Takes a raw query string apart: what stands after the `?`, without it. Reads everything, however odd.
    pub fn parse(raw: &str) -> Query {
        let pair = |part: &str| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode_form(key), decode_form(value))
        };
        Query { pairs: raw.split('&').filter(|part| !part.is_empty()).map(pair).collect() }
    }

    /// Every value that is not empty of a parameter that can be repeated.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(name, value)| name == key && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The first value that is not empty.
    pub fn first(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, value)| name == key && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// A yes or no: `true` in any case of letters is yes, all else is no, and `default` holds when it is not given.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        self.first(key).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }

    /// A whole number that is not negative.
    pub fn number(&self, key: &str) -> Result<Option<u64>, QueryError> {
        let Some(value) = self.first(key) else { return Ok(None) };
        let number = value.parse().map_err(|_| QueryError { key: key.to_owned(), value: value.to_owned() })?;
        Ok(Some(number))
    }

    /// A filter over names.
    pub fn names(&self, key: &str) -> NameFilter {
        NameFilter { names: self.all(key).map(fold).collect() }
    }

    /// The filter over properties, from the parameter `props`.
    pub fn props(&self) -> PropFilter {
        let condition = |text: &str| match text.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (text.to_owned(), None),
        };
        PropFilter { conditions: self.all("props").map(condition).collect() }
    }

    /// Which part of a list is wanted, from `limit` and `offset`.
    pub fn page(&self) -> Result<Page, QueryError> {
        let number = |key| Ok(usize::try_from(self.number(key)?.unwrap_or(0)).unwrap_or(usize::MAX));
        Ok(Page { offset: number("offset")?, limit: number("limit")? })
    }
}

/// Names that are wanted, in any case of letters. None given means all; a name that nobody has matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameFilter {
    names: BTreeSet<String>,
}

impl NameFilter {
    /// True when every name passes.
    pub fn is_open(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether a name passes.
    pub fn admits(&self, name: &str) -> bool {
        self.is_open() || self.names.contains(&fold(name))
    }

    /// Whether one of several names passes.
    pub fn admits_any<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        self.is_open() || names.into_iter().any(|name| self.admits(name))
    }

    /// The wanted names in lower case, so that a few can be looked up instead of all searched.
    pub fn folded(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// Properties that are wanted: a key has to be set, or to be set to exactly a value. All conditions have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PropFilter {
    conditions: Vec<(String, Option<String>)>,
}

impl PropFilter {
    /// Whether the properties that `get` looks up pass.
    pub fn admits<'a>(&self, get: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.conditions.iter().all(|(key, wanted)| match (get(key), wanted) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(value), Some(wanted)) => value == wanted,
        })
    }

    /// Whether a map of properties passes.
    pub fn admits_map(&self, props: &BTreeMap<String, String>) -> bool {
        self.admits(|key| props.get(key).map(String::as_str))
    }
}

/// The part of a list that is wanted. Without a limit there is no offset either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Entries to pass over, if there is a limit.
    pub offset: usize,
    /// Most entries; 0 is no limit.
    pub limit: usize,
}

impl Page {
    /// Cuts the page out of a list.
    pub fn cut<I: Iterator>(self, list: I) -> impl Iterator<Item = I::Item> {
        let (offset, limit) = if self.limit == 0 { (0, usize::MAX) } else { (self.offset, self.limit) };
        list.skip(offset).take(limit)
    }
}

/// Splits a raw path into its segments, still encoded. A slash at the end means nothing; one that is encoded splits
/// nothing.
pub fn segments(raw_path: &str) -> impl Iterator<Item = &str> {
    let path = raw_path.strip_prefix('/').unwrap_or(raw_path);
    let path = path.trim_end_matches('/');
    path.split('/').filter(move |_| !path.is_empty())
}

/// Decodes a segment once. A plus stays a plus. What is no UTF-8 becomes U+FFFD, which no name may contain.
pub fn decode_segment(raw: &str) -> String {
    percent_decode_str(raw).decode_utf8_lossy().into_owned()
}

/// Decodes a segment that holds a file's path: known clients encode some of them twice.
pub fn decode_file_segment(raw: &str) -> String {
    decode_segment(&decode_segment(raw))
}

fn decode_form(raw: &str) -> String {
    decode_segment(&raw.replace('+', " "))
}

fn fold(name: &str) -> String {
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs() {
        let query = Query::parse("nodes=Alpha&nodes=beta&&x&empty=&name=a%2Fb+c%3D&=lost");
        assert_eq!(query.all("nodes").collect::<Vec<_>>(), ["Alpha", "beta"]);
        assert_eq!(query.first("name"), Some("a/b c="));
        assert_eq!((query.first("empty"), query.first("x"), query.first("missing")), (None, None, None));
        assert_eq!(Query::parse(""), Query::default());
        assert_eq!(Query::parse("a=%ff%zz%").first("a"), Some("\u{FFFD}%zz%"));
    }

    #[test]
    fn flags_in_every_spelling() {
        for (raw, yes) in [("f=true", true), ("f=True", true), ("f=TRUE", true), ("f=1", false), ("f=yes", false)] {
            assert_eq!(Query::parse(raw).flag("f", !yes), yes, "{raw}");
        }
        for raw in ["", "f", "f=", "F=true"] {
            assert!(!Query::parse(raw).flag("f", false), "{raw}");
            assert!(Query::parse(raw).flag("f", true), "{raw}");
        }
    }

    #[test]
    fn numbers_and_pages() {
        let cut = |raw: &str| Query::parse(raw).page().unwrap().cut(0..10).collect::<Vec<_>>();
        assert_eq!(cut(""), (0..10).collect::<Vec<_>>());
        assert_eq!(cut("limit=0&offset=0"), (0..10).collect::<Vec<_>>());
        assert_eq!(cut("offset=4"), (0..10).collect::<Vec<_>>());
        assert_eq!(cut("limit=0&offset=4"), (0..10).collect::<Vec<_>>());
        assert_eq!(cut("limit=3&offset=4"), [4, 5, 6]);
        assert_eq!(cut("limit=3"), [0, 1, 2]);
        assert_eq!(cut("limit=3&offset=9"), [9]);
        assert_eq!(cut("limit=3&offset=10"), Vec::<i32>::new());
        assert_eq!(cut("limit=18446744073709551615&offset=18446744073709551615"), Vec::<i32>::new());
        for raw in ["limit=-1", "limit=x", "offset=1.5", "limit=18446744073709551616"] {
            let text = Query::parse(raw).page().expect_err(raw).to_string();
            assert!(text.contains(raw.split('=').next().unwrap()), "{text}");
        }
    }

    #[test]
    fn names_in_any_case() {
        let filter = Query::parse("nodes=ALPHA&nodes=beta").names("nodes");
        assert!(filter.admits("alpha") && filter.admits("Beta") && !filter.admits("gamma"));
        assert!(filter.admits_any(["gamma", "BETA"]) && !filter.admits_any(["gamma"]) && !filter.admits_any([]));
        assert_eq!(filter.folded().collect::<Vec<_>>(), ["alpha", "beta"]);
        for raw in ["", "nodes=", "resources=x"] {
            let open = Query::parse(raw).names("nodes");
            assert!(open.is_open() && open.admits("anything") && open.admits_any([]), "{raw}");
        }
    }

    #[test]
    fn properties() {
        let props =
            BTreeMap::from([("Aux/site".to_owned(), "A=1".to_owned()), ("Aux/empty".to_owned(), String::new())]);
        for (raw, passes) in [
            ("", true),
            ("props=Aux%2Fsite", true),
            ("props=Aux/site%3DA%3D1", true),
            ("props=Aux/site=A=1", true),
            ("props=Aux/site=a=1", false),
            ("props=aux/site", false),
            ("props=Aux/empty=", true),
            ("props=Aux/empty=x", false),
            ("props=Aux/site&props=Aux/none", false),
            ("props=Aux/site&props=Aux/empty", true),
        ] {
            assert_eq!(Query::parse(raw).props().admits_map(&props), passes, "{raw}");
        }
    }

    #[test]
    fn paths() {
        let split = |path| segments(path).collect::<Vec<_>>();
        assert_eq!(split("/v1/nodes"), ["v1", "nodes"]);
        assert_eq!(split("/v1/nodes//"), ["v1", "nodes"]);
        assert_eq!(split("/v1//nodes"), ["v1", "", "nodes"]);
        assert_eq!(split("/v1/files/%2Fetc%2Fx"), ["v1", "files", "%2Fetc%2Fx"]);
        assert_eq!(split("/"), Vec::<&str>::new());
        assert_eq!(split(""), Vec::<&str>::new());
        assert_eq!(decode_segment("%2Fetc%2Fa%2Bb+c"), "/etc/a+b+c");
        assert_eq!(decode_segment("%252Fetc"), "%2Fetc");
        assert_eq!(decode_file_segment("%252Fetc%252Fx"), "/etc/x");
        assert_eq!(decode_file_segment("%2Fetc%2Fx"), "/etc/x");
        assert_eq!(decode_segment("%ff"), "\u{FFFD}");
    }
}
