//! One request's changes to one object's properties: all or nothing. Never persists.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::{check, is_allowed, unknown};
use super::container::Props;
use super::error::PropError;
use super::key::{is_secret, key_path, squeeze};
use super::owner::PropertyOwner;
use super::{QUORUM, QUORUM_SET_BY, SET_BY_USER};

/// Keys and namespaces that one request may name: the largest that could succeed on an empty object.
pub const MAX_CHANGES_PER_REQUEST: usize = MAX_PROPS;
/// Properties of one object: far more than the catalogue has, few enough to list and to send to nodes at once.
pub const MAX_PROPS: usize = 4096;
/// Bytes of one object's keys and values together: an object of the Kubernetes store may have 1.5 MiB, and a resource
/// definition's holds those of its volumes and replicas too.
pub const MAX_PROPS_BYTES: usize = 512 * 1024;

/// What a request wants: overrides first, then deletes, so that a key in both ends up deleted.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PropsModify {
    /// Set or replaced.
    pub override_props: BTreeMap<String, String>,
    /// Full keys; an unset one is silently accepted.
    pub delete_props: Vec<String>,
    /// Every key below; `/` is all.
    pub delete_namespaces: Vec<String>,
}

impl PropsModify {
    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.override_props.is_empty() && self.delete_props.is_empty() && self.delete_namespaces.is_empty()
    }

    fn count(&self) -> usize {
        self.override_props.len() + self.delete_props.len() + self.delete_namespaces.len()
    }
}

/// Secrets stay out of logs.
impl fmt::Debug for PropsModify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |key: &str, value| if is_secret(&squeeze(key)) { "(secret)" } else { value };
        let set: BTreeMap<_, _> =
            self.override_props.iter().map(|(key, text)| (key, value(key, text.as_str()))).collect();
        f.debug_struct("PropsModify")
            .field("override_props", &set)
            .field("delete_props", &self.delete_props)
            .field("delete_namespaces", &self.delete_namespaces)
            .finish()
    }
}

/// What became different, by canonical key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct PropsChange {
    /// New, or with another value than before.
    pub set: Vec<Box<str>>,
    /// Asked for, but the value was there already.
    pub unchanged: Vec<Box<str>>,
    /// There before, and now gone.
    pub removed: Vec<Box<str>>,
}

impl PropsChange {
    /// Whether the object is as before, so that there is nothing to persist.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }
}

/// Applies a request to an object's properties. On an error they are as before.
///
/// Choosing [`QUORUM`] also notes [`QUORUM_SET_BY`]; removing it hands the choice back to the controller.
///
/// # Errors
/// Every [`PropError`].
pub fn apply(modify: &PropsModify, owner: PropertyOwner, props: &mut Props) -> Result<PropsChange, PropError> {
    if modify.count() > MAX_CHANGES_PER_REQUEST {
        return Err(PropError::TooManyChanges { count: modify.count() });
    }
    let mut next = props.clone();
    let mut touched = BTreeSet::new();
    set_all(modify, owner, &mut next, &mut touched)?;
    remove_all(modify, owner, &mut next, &mut touched)?;
    note_who_chose_quorum(owner, &touched, &mut next)?;
    check_size(owner, props, &next)?;
    let change = compare(touched, props, &next);
    *props = next;
    Ok(change)
}

type Touched = BTreeSet<Box<str>>;

fn set_all(
    modify: &PropsModify,
    owner: PropertyOwner,
    next: &mut Props,
    touched: &mut Touched,
) -> Result<(), PropError> {
    for (key, value) in &modify.override_props {
        let value = check(owner, key, value)?;
        next.set(key, &value)?;
        touched.insert(squeeze(key).into());
    }
    Ok(())
}

fn remove_all(
    modify: &PropsModify,
    owner: PropertyOwner,
    next: &mut Props,
    touched: &mut Touched,
) -> Result<(), PropError> {
    for key in &modify.delete_props {
        let key = key_path(key)?;
        if !is_allowed(owner, &key) {
            return Err(refuse_removal(owner, &key, next));
        }
        next.remove(&key);
        touched.insert(key.into());
    }
    for namespace in &modify.delete_namespaces {
        // An empty text is more likely a client's slip than the wish to lose everything.
        if namespace != "/" {
            key_path(namespace)?;
        }
        let kept = next.namespace(namespace).map(|(key, _)| key).find(|key| !is_allowed(owner, key));
        if let Some(kept) = kept {
            return Err(PropError::Reserved { owner, key: kept.to_owned() });
        }
        touched.extend(next.remove_namespace(namespace));
    }
    Ok(())
}

fn refuse_removal(owner: PropertyOwner, key: &str, props: &Props) -> PropError {
    if props.get(key).is_some() { PropError::Reserved { owner, key: key.to_owned() } } else { unknown(owner, key) }
}

/// A quorum that a person chose is not managed any more. In a key-value store the key is but text.
fn note_who_chose_quorum(owner: PropertyOwner, touched: &Touched, next: &mut Props) -> Result<(), PropError> {
    if owner == PropertyOwner::KeyValueStore || !touched.contains(QUORUM) {
        return Ok(());
    }
    if next.get(QUORUM).is_some() {
        next.set(QUORUM_SET_BY, SET_BY_USER)?;
    } else {
        next.remove(QUORUM_SET_BY);
    }
    Ok(())
}

/// Only growth is refused: an object that came in over the limit may still be changed and made smaller.
fn check_size(owner: PropertyOwner, before: &Props, next: &Props) -> Result<(), PropError> {
    let count = next.len();
    if count > MAX_PROPS.max(before.len()) {
        return Err(PropError::TooManyProps { owner, count });
    }
    let bytes = next.bytes();
    if bytes > MAX_PROPS_BYTES.max(before.bytes()) {
        return Err(PropError::TooLarge { owner, bytes });
    }
    Ok(())
}

fn compare(touched: Touched, before: &Props, after: &Props) -> PropsChange {
    let mut change = PropsChange::default();
    for key in touched {
        match (before.get(&key), after.get(&key)) {
            (Some(_), None) => change.removed.push(key),
            (None, None) => {}
            (old, new) if old == new => change.unchanged.push(key),
            _ => change.set.push(key),
        }
    }
    change
}

#[cfg(test)]
mod tests {
    use super::*;
    use PropertyOwner as Owner;

    fn modify(set: &[(&str, &str)], delete: &[&str], namespaces: &[&str]) -> PropsModify {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        PropsModify {
            override_props: set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            delete_props: own(delete),
            delete_namespaces: own(namespaces),
        }
    }

    fn applied(request: &PropsModify, owner: Owner, props: &mut Props) -> PropsChange {
        apply(request, owner, props).expect("a good request")
    }

    fn keys(keys: &[Box<str>]) -> Vec<&str> {
        keys.iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn sets_normalises_and_tells() {
        let mut props = Props::new();
        let request = modify(&[("Aux//a", "1"), ("AutoplaceTarget", "False")], &[], &[]);
        let change = applied(&request, Owner::Node, &mut props);
        assert_eq!(keys(&change.set), ["AutoplaceTarget", "Aux/a"]);
        assert_eq!(props.get("AutoplaceTarget"), Some("false"));
        let again = applied(&request, Owner::Node, &mut props);
        assert!(again.is_empty());
        assert_eq!(keys(&again.unchanged), ["AutoplaceTarget", "Aux/a"]);
    }

    #[test]
    fn deletes_win_over_overrides() {
        let mut props = Props::new();
        let _ = applied(&modify(&[("Aux/old", "1"), ("Aux/n/x", "1")], &[], &[]), Owner::Node, &mut props);
        let request = modify(
            &[("Aux/old", "2"), ("Aux/new", "1"), ("Aux/n/y", "1")],
            &["Aux/old", "Aux/new", "Aux/none"],
            &["Aux/n"],
        );
        let change = applied(&request, Owner::Node, &mut props);
        assert_eq!(keys(&change.removed), ["Aux/n/x", "Aux/old"]);
        assert!(change.set.is_empty() && props.is_empty());
    }

    #[test]
    fn a_refused_request_changes_nothing() {
        let mut props = Props::new();
        let _ = applied(&modify(&[("Aux/a", "1")], &[], &[]), Owner::Node, &mut props);
        let before = props.clone();
        for request in [
            modify(&[("Aux/b", "1"), ("Nonsense", "1")], &[], &[]),
            modify(&[("Aux/b", "1"), ("AutoplaceTarget", "x")], &[], &[]),
            modify(&[("Aux/b", "1")], &["Nonsense"], &[]),
            modify(&[], &["Aux/a", ""], &[]),
            modify(&[], &["Aux/a"], &[""]),
        ] {
            assert!(apply(&request, Owner::Node, &mut props).is_err(), "{request:?}");
            assert_eq!(props, before);
        }
    }

    #[test]
    fn what_the_system_keeps_stays() {
        let mut props = Props::new();
        props.set("StorDriver/internal/AllocationGranularity", "4096").expect("good key");
        props.set("StorDriver/LvcreateOptions", "-i 2").expect("good key");
        for request in [
            modify(&[], &[], &["StorDriver"]),
            modify(&[], &[], &["/"]),
            modify(&[], &["StorDriver/internal/AllocationGranularity"], &[]),
        ] {
            let error = apply(&request, Owner::StoragePool, &mut props).expect_err("kept");
            assert!(matches!(error, PropError::Reserved { .. }), "{error}");
        }
        assert_eq!(props.len(), 2);
    }

    #[test]
    fn a_key_value_store_takes_and_loses_anything() {
        let mut props = Props::new();
        let _ = applied(&modify(&[("x", "1"), ("y/z", "2")], &[], &[]), Owner::KeyValueStore, &mut props);
        let change = applied(&modify(&[], &[], &["/"]), Owner::KeyValueStore, &mut props);
        assert_eq!(keys(&change.removed), ["x", "y/z"]);
        assert!(props.is_empty());
    }

    #[test]
    fn who_chose_quorum_is_noted_and_forgotten() {
        let mut props = Props::new();
        let change = applied(&modify(&[(QUORUM, "majority")], &[], &[]), Owner::ResourceGroup, &mut props);
        assert_eq!(keys(&change.set), [QUORUM]);
        assert_eq!(props.get(QUORUM_SET_BY), Some(SET_BY_USER));
        let _ = applied(&modify(&[], &[QUORUM], &[]), Owner::ResourceGroup, &mut props);
        assert!(props.is_empty());
        let _ = applied(&modify(&[(QUORUM, "x")], &[], &[]), Owner::KeyValueStore, &mut props);
        assert_eq!(props.len(), 1);
    }

    #[test]
    fn ten_thousand_properties_get_a_clear_answer() {
        let many: BTreeMap<_, _> = (0..10_000).map(|n| (format!("Aux/{n}"), "x".to_owned())).collect();
        let request = PropsModify { override_props: many, ..PropsModify::default() };
        let mut props = Props::new();
        let error = apply(&request, Owner::Node, &mut props).expect_err("too many");
        assert_eq!(error, PropError::TooManyChanges { count: 10_000 });
        assert!(props.is_empty());
    }

    #[test]
    fn objects_have_limits() {
        let numbered = |from: usize, to: usize| PropsModify {
            override_props: (from..to).map(|n| (format!("Aux/{n}"), String::new())).collect(),
            ..PropsModify::default()
        };
        let mut props = Props::new();
        let _ = applied(&numbered(0, MAX_PROPS), Owner::Node, &mut props);
        let error = apply(&numbered(MAX_PROPS, MAX_PROPS + 1), Owner::Node, &mut props).expect_err("one too many");
        assert_eq!(error, PropError::TooManyProps { owner: Owner::Node, count: MAX_PROPS + 1 });
        let _ = applied(&numbered(5, 6), Owner::Node, &mut props);

        let long = "x".repeat(super::super::MAX_VALUE_BYTES);
        let large: Vec<_> = ["a", "b", "c", "d"].map(|key| (key, long.as_str())).to_vec();
        let error = apply(&modify(&large, &[], &[]), Owner::KeyValueStore, &mut Props::new()).expect_err("too large");
        assert_eq!(error, PropError::TooLarge { owner: Owner::KeyValueStore, bytes: 4 * long.len() + 4 });
    }

    #[test]
    fn debug_hides_secrets() {
        let text = format!("{:?}", modify(&[("/Encryption//Passphrase", "hunter2"), ("Aux/a", "shown")], &[], &[]));
        assert!(!text.contains("hunter2") && text.contains("shown"), "{text}");
    }

    #[test]
    fn requests_read_with_parts_missing() {
        let request: PropsModify = serde_json::from_str(r#"{"delete_props":["Aux/a"]}"#).expect("parts are optional");
        assert_eq!(request, modify(&[], &["Aux/a"], &[]));
        assert!(PropsModify::default().is_empty() && !request.is_empty());
    }
}
