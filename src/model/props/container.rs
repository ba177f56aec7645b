//! The properties of one object. Never judges keys by the catalogue, only their form.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::PropError;
use super::key::{is_secret, key_path, squeeze};

/// Key path to value, sorted by key.
///
/// Most objects have none, so an empty one is a null pointer and allocates nothing; copies of the model share the map
/// until one of them changes it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Props(Option<Arc<Map>>);

/// Invariant: never empty inside [`Props`].
type Map = BTreeMap<Box<str>, Box<str>>;

impl Props {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// The value of `key`; the key need not be in canonical form.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.map()?.get(squeeze(key).as_ref()).map(AsRef::as_ref)
    }

    /// Sets what the system itself knows, past the catalogue. Returns whether anything changed.
    ///
    /// # Errors
    /// The key's form only: `EmptyKey`, `KeyTooLong`, `ControlInKey`.
    pub fn set(&mut self, key: &str, value: &str) -> Result<bool, PropError> {
        let key = key_path(key)?;
        if self.get(&key) == Some(value) {
            return Ok(false);
        }
        Arc::make_mut(self.0.get_or_insert_default()).insert(key.into(), value.into());
        Ok(true)
    }

    /// Removes one key and returns its value; an absent one is no error.
    pub fn remove(&mut self, key: &str) -> Option<Box<str>> {
        let key = squeeze(key);
        self.get(&key)?;
        let value = Arc::make_mut(self.0.as_mut()?).remove(key.as_ref());
        self.forget_if_empty();
        value
    }

    /// Removes every key below `namespace` (not the key of that very name) and returns the keys; `/` is all of them.
    pub fn remove_namespace(&mut self, namespace: &str) -> Vec<Box<str>> {
        let keys: Vec<Box<str>> = self.namespace(namespace).map(|(key, _)| key.into()).collect();
        for key in &keys {
            self.remove(key);
        }
        keys
    }

    /// All properties, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.map().into_iter().flatten().map(|(key, value)| (key.as_ref(), value.as_ref()))
    }

    /// Those below `namespace`, by key; `/` is all of them.
    pub fn namespace(&self, namespace: &str) -> impl Iterator<Item = (&str, &str)> {
        let mut prefix = squeeze(namespace).into_owned();
        if !prefix.is_empty() {
            prefix.push('/');
        }
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let tail = self.map().map(|map| map.range::<str, _>(from));
        let pairs = tail.into_iter().flatten().map(|(key, value)| (key.as_ref(), value.as_ref()));
        pairs.take_while(move |(key, _): &(&str, &str)| key.starts_with(&prefix))
    }

    /// Whether every filter holds: `key` must exist, `key=value` must be equal to the letter.
    #[must_use]
    pub fn matches<S: AsRef<str>>(&self, filters: &[S]) -> bool {
        filters.iter().all(|filter| match filter.as_ref().split_once('=') {
            Some((key, value)) => self.get(key) == Some(value),
            None => self.get(filter.as_ref()).is_some(),
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map().map_or(0, BTreeMap::len)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Bytes of all keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    /// A map of its own, for answers.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn map(&self) -> Option<&Map> {
        self.0.as_deref()
    }

    fn forget_if_empty(&mut self) {
        if self.map().is_some_and(BTreeMap::is_empty) {
            self.0 = None;
        }
    }
}

/// Secrets stay out of logs.
impl fmt::Debug for Props {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.iter().map(|(key, value)| (key, if is_secret(key) { "(secret)" } else { value }));
        f.debug_map().entries(shown).finish()
    }
}

impl Serialize for Props {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// Takes keys as they are: what was stored once is read back even if today's rules would refuse it.
impl<'de> Deserialize<'de> for Props {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = Map::deserialize(deserializer)?;
        Ok(Self((!map.is_empty()).then(|| Arc::new(map))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn props(pairs: &[(&str, &str)]) -> Props {
        let mut props = Props::new();
        for (key, value) in pairs {
            props.set(key, value).expect("good key");
        }
        props
    }

    #[test]
    fn an_empty_one_is_a_null_pointer() {
        assert_eq!(size_of::<Props>(), size_of::<usize>());
        assert!(Props::new().0.is_none());
        let mut emptied = props(&[("a/b", "1")]);
        assert_eq!(emptied.remove("/a//b").as_deref(), Some("1"));
        assert!(emptied.0.is_none() && emptied == Props::default());
        let read: Props = serde_json::from_str("{}").expect("an empty map");
        assert!(read.0.is_none());
    }

    #[test]
    fn set_get_remove() {
        let mut props = props(&[("//b///c/", "1")]);
        assert_eq!((props.get("b/c"), props.get("/b/c"), props.get("b")), (Some("1"), Some("1"), None));
        assert_eq!(props.set("b/c", "1"), Ok(false));
        assert_eq!(props.set("b/c", "2"), Ok(true));
        assert_eq!(props.set("/", "2"), Err(PropError::EmptyKey));
        assert_eq!((props.remove("x"), props.len()), (None, 1));
    }

    #[test]
    fn copies_share_until_changed() {
        let one = props(&[("a", "1")]);
        let mut two = one.clone();
        assert!(two.remove("absent").is_none() && two.set("a", "1") == Ok(false));
        assert_eq!(one.0.as_ref().map(Arc::as_ptr), two.0.as_ref().map(Arc::as_ptr));
        two.set("a", "2").expect("good key");
        assert_eq!((one.get("a"), two.get("a")), (Some("1"), Some("2")));
    }

    #[test]
    fn namespaces_end_at_the_slash() {
        let pairs = [("a", "0"), ("a/b", "1"), ("a/b/c", "2"), ("a-b", "3"), ("a0", "4"), ("b/a", "5")];
        let mut some = props(&pairs);
        let below = |props: &Props, namespace: &str| {
            props.namespace(namespace).map(|(key, _)| key.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(below(&some, "a"), ["a/b", "a/b/c"]);
        assert_eq!(below(&some, "/a/b/"), ["a/b/c"]);
        assert_eq!(below(&some, "/").len(), 6);
        assert_eq!(below(&some, "zz"), Vec::<String>::new());
        assert_eq!(some.remove_namespace("a"), ["a/b".into(), "a/b/c".into()]);
        assert_eq!(some.len(), 4);
        assert_eq!(some.remove_namespace("/").len(), 4);
        assert!(some.is_empty());
    }

    #[test]
    fn filters_must_all_hold() {
        let some = props(&[("Aux/zone", "a"), ("Aux/rack", "1=2"), ("Aux/empty", "")]);
        for (filters, holds) in [
            (vec![], true),
            (vec!["Aux/zone"], true),
            (vec!["Aux/zone=a"], true),
            (vec!["Aux/zone=A"], false),
            (vec!["aux/zone"], false),
            (vec!["Aux/rack=1=2", "Aux/zone"], true),
            (vec!["Aux/rack=1"], false),
            (vec!["Aux/empty="], true),
            (vec!["Aux/zone", "Aux/none"], false),
        ] {
            assert_eq!(some.matches(&filters), holds, "{filters:?}");
        }
    }

    #[test]
    fn serde_sees_a_plain_map() {
        let some = props(&[("b", "2"), ("a/c", "1")]);
        let text = serde_json::to_string(&some).expect("a map");
        assert_eq!(text, r#"{"a/c":"1","b":"2"}"#);
        assert_eq!(serde_json::from_str::<Props>(&text).expect("a map"), some);
        assert!(serde_json::from_str::<Props>(r#"{"a":1}"#).is_err());
    }

    #[test]
    fn debug_hides_secrets() {
        let some = props(&[("Encryption/Passphrase", "hunter2"), ("Site", "a")]);
        let text = format!("{some:?}");
        assert!(!text.contains("hunter2") && text.contains("\"Site\": \"a\""), "{text}");
    }

    #[test]
    fn bytes_and_map() {
        let some = props(&[("ab", "c"), ("d", "")]);
        assert_eq!((some.bytes(), some.to_map().len()), (4, 2));
    }
}
