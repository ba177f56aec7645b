//! One request to a controller as a value: method, path and body. Never sends it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::protocols::rest::props::PropsModify;
use crate::protocols::rest::routes::Method;

/// What stays as it is in a segment of a path and in a query: RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Where the objects are that lists are narrowed to, by parameter of the query.
const NAMED: [(&str, &str); 5] = [
    ("nodes", "/v1/nodes"),
    ("resources", "/v1/resource-definitions"),
    ("resource_definitions", "/v1/resource-definitions"),
    ("resource_groups", "/v1/resource-groups"),
    ("storage_pools", "/v1/storage-pool-definitions"),
];

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Its path and query, encoded.
    pub target: String,
    /// Its body, JSON.
    pub body: Option<String>,
}

impl Call {
    /// A request without body. Each `{}` of the path stands for the next of the segments.
    pub fn new(method: Method, path: &str, segments: &[&str]) -> Call {
        let mut parts = path.split("{}");
        let mut target = parts.next().unwrap_or_default().to_owned();
        for (part, segment) in parts.zip(segments) {
            target.extend(utf8_percent_encode(segment, ENCODED));
            target.push_str(part);
        }
        Call { method, target, body: None }
    }

    /// Reads something.
    pub fn get(path: &str, segments: &[&str]) -> Call {
        Call::new(Method::Get, path, segments)
    }

    /// Makes something.
    pub fn post(path: &str, segments: &[&str]) -> Call {
        Call::new(Method::Post, path, segments)
    }

    /// Changes something.
    pub fn put(path: &str, segments: &[&str]) -> Call {
        Call::new(Method::Put, path, segments)
    }

    /// Removes something.
    pub fn delete(path: &str, segments: &[&str]) -> Call {
        Call::new(Method::Delete, path, segments)
    }

    /// With a body.
    #[must_use]
    pub fn with(mut self, body: &impl Serialize) -> Call {
        self.body = Some(serde_json::to_string(body).expect("shapes have text keys and finite numbers"));
        self
    }

    /// With a query parameter for each value.
    #[must_use]
    pub fn query<T: AsRef<str>>(mut self, key: &str, values: impl IntoIterator<Item = T>) -> Call {
        for value in values {
            self.target.push(if self.target.contains('?') { '&' } else { '?' });
            self.target.push_str(key);
            self.target.push('=');
            self.target.extend(utf8_percent_encode(value.as_ref(), ENCODED));
        }
        self
    }

    /// Reads each object that the query names, to tell an empty list from a name that nobody has.
    #[must_use]
    pub fn named(&self) -> Vec<Call> {
        let (_, query) = self.target.split_once('?').unwrap_or_default();
        let named = query.split('&').filter_map(|pair| pair.split_once('=')).filter_map(|(key, name)| {
            let path = NAMED.iter().find(|(known, _)| *known == key)?.1;
            Some(Call { method: Method::Get, target: format!("{path}/{name}"), body: None })
        });
        named.collect()
    }

    /// With a change of one property as body; no value removes it.
    #[must_use]
    pub fn with_property(self, key: &str, value: Option<&str>) -> Call {
        let mut change = PropsModify::default();
        match value {
            Some(value) => drop(change.override_props.insert(key.to_owned(), value.to_owned())),
            None => change.delete_props.push(key.to_owned()),
        }
        self.with(&change)
    }

    /// Whether it changes nothing, so that it can be sent again.
    pub fn is_reading(&self) -> bool {
        self.method == Method::Get
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded() {
        let call = Call::put("/v1/nodes/{}/storage-pools/{}", &["a/b", "s p?"]);
        assert_eq!(call.target, "/v1/nodes/a%2Fb/storage-pools/s%20p%3F");
        let call = Call::get("/v1/nodes", &[]).query("nodes", ["a.b-c_d", "ä&x=y"]).query("props", ["k"]);
        assert_eq!(call.target, "/v1/nodes?nodes=a.b-c_d&nodes=%C3%A4%26x%3Dy&props=k");
        assert!(call.is_reading());
    }

    #[test]
    fn what_a_query_names_can_be_looked_for() {
        let call = Call::get("/v1/view/resources", &[]).query("resources", ["a b"]).query("nodes", ["n1", "n2"]);
        let named: Vec<String> = call.query("limit", ["7"]).named().into_iter().map(|call| call.target).collect();
        assert_eq!(named, ["/v1/resource-definitions/a%20b", "/v1/nodes/n1", "/v1/nodes/n2"]);
        assert!(Call::get("/v1/nodes", &[]).named().is_empty());
    }

    #[test]
    fn properties() {
        let call = |value| Call::put("/v1/nodes/{}", &["a"]).with_property("Aux/x", value).body;
        assert_eq!(call(Some("1")).as_deref(), Some(r#"{"override_props":{"Aux/x":"1"}}"#));
        assert_eq!(call(Some("")).as_deref(), Some(r#"{"override_props":{"Aux/x":""}}"#));
        assert_eq!(call(None).as_deref(), Some(r#"{"delete_props":["Aux/x"]}"#));
    }
}
