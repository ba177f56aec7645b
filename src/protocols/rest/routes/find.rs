//! Finds the route of a request: a tree of path segments, walked once. A fixed segment goes before a named one, and a
//! named one before a tail; where the fixed one leads nowhere the others are tried, so that a node may be called `ebs`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Method, Route, all};
use crate::protocols::rest::query::{decode_file_segment, decode_segment, segments};

/// Most segments of a path that is looked at; the longest route has ten, a property's key can have a few more.
const MAX_SEGMENTS: usize = 64;

static TREE: LazyLock<Branch> = LazyLock::new(Branch::of_all);

/// The values of the named segments of a path, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The value of a segment, by its name in the route's path without braces and star.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// All of them, in the order of the path.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(key, value)| (*key, value.as_str()))
    }
}

/// What a method and a path lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// A call.
    Found {
        /// Which.
        route: &'static Route,
        /// The values in its path.
        params: Params,
    },
    /// Calls, but none with this method. The methods that there are, sorted.
    WrongMethod(Vec<Method>),
    /// No call.
    Unknown,
}

/// Finds the call for a method and a raw path, as they stand in the request. A slash at the end means nothing.
pub fn find(method: &str, raw_path: &str) -> Match {
    let path: Vec<&str> = segments(raw_path).take(MAX_SEGMENTS + 1).collect();
    if path.len() > MAX_SEGMENTS {
        return Match::Unknown;
    }
    let mut search = Search { method: Method::parse(method), path: &path, taken: Vec::new(), others: Vec::new() };
    match search.walk(&TREE, 0) {
        Some(route) => Match::Found { route, params: search.params() },
        None if search.others.is_empty() => Match::Unknown,
        None => {
            search.others.sort_unstable();
            search.others.dedup();
            Match::WrongMethod(search.others)
        }
    }
}

/// What can follow the segments so far.
#[derive(Default)]
struct Branch {
    fixed: BTreeMap<&'static str, Branch>,
    named: BTreeMap<&'static str, Branch>,
    tail: BTreeMap<&'static str, Branch>,
    routes: BTreeMap<Method, &'static Route>,
}

impl Branch {
    fn of_all() -> Branch {
        let mut root = Branch::default();
        for route in all() {
            let end = segments(route.path).fold(&mut root, Branch::follow);
            let before = end.routes.insert(route.method, route);
            assert!(before.is_none(), "{} {} stands twice in the table", route.method, route.path);
        }
        root
    }

    fn follow(&mut self, segment: &'static str) -> &mut Branch {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return self.fixed.entry(segment).or_default();
        };
        match name.strip_suffix('*') {
            Some(name) => self.tail.entry(name).or_default(),
            None => self.named.entry(name).or_default(),
        }
    }
}

struct Search<'a> {
    method: Option<Method>,
    path: &'a [&'a str],
    /// Name of each named segment on the way, with the segments that it covers.
    taken: Vec<(&'static str, &'a [&'a str])>,
    /// Methods of calls at this path that are not the wanted one.
    others: Vec<Method>,
}

impl<'a> Search<'a> {
    fn walk(&mut self, branch: &'static Branch, at: usize) -> Option<&'static Route> {
        let path = self.path;
        let Some(&segment) = path.get(at) else { return self.arrive(branch) };
        if let Some(route) = branch.fixed.get(segment).and_then(|next| self.walk(next, at + 1)) {
            return Some(route);
        }
        if segment.is_empty() {
            return None;
        }
        for (name, next) in &branch.named {
            self.taken.push((name, &path[at..=at]));
            if let Some(route) = self.walk(next, at + 1) {
                return Some(route);
            }
            self.taken.pop();
        }
        for (name, next) in &branch.tail {
            self.taken.push((name, &path[at..]));
            if let Some(route) = self.arrive(next) {
                return Some(route);
            }
            self.taken.pop();
        }
        None
    }

    fn arrive(&mut self, branch: &'static Branch) -> Option<&'static Route> {
        let route = self.method.and_then(|method| branch.routes.get(&method).copied());
        if route.is_none() {
            self.others.extend(branch.routes.keys());
        }
        route
    }

    fn params(self) -> Params {
        let value = |(name, covered): (&'static str, &[&str])| {
            let decode = if name == "file" { decode_file_segment } else { decode_segment };
            (name, covered.iter().map(|segment| decode(segment)).collect::<Vec<_>>().join("/"))
        };
        Params(self.taken.into_iter().map(value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> (&'static str, Vec<(&'static str, String)>) {
        match find(method, path) {
            Match::Found { route, params } => (route.operation, params.0),
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    fn filled(route: &Route) -> String {
        let fill = |segment: &str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if name.ends_with('*') => "Aux/some/key".to_owned(),
            Some(name) => format!("some-{name}"),
            None => segment.to_owned(),
        };
        route.path.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn every_route_finds_itself() {
        for route in all() {
            let path = filled(route);
            let (operation, params) = found(route.method.as_str(), &path);
            assert_eq!(operation, route.operation, "{path}");
            assert_eq!(params.len(), route.path.matches('{').count(), "{path}");
            assert_eq!(found(route.method.as_str(), &format!("{path}/")).0, route.operation, "{path}/");
        }
    }

    #[test]
    fn fixed_segments_go_first_but_do_not_block() {
        assert_eq!(found("POST", "/v1/nodes/ebs").0, "nodeAddEbs");
        assert_eq!(found("GET", "/v1/nodes/ebs"), ("nodeGet", vec![("node", "ebs".to_owned())]));
        assert_eq!(found("GET", "/v1/nodes/properties/info").0, "nodePropertiesInfo");
        assert_eq!(found("GET", "/v1/nodes/properties/config").0, "satelliteConfig");
        let volume = found("GET", "/v1/resource-definitions/clone/resources/properties/volumes/0");
        assert_eq!(volume.0, "resourceVolumeGet");
        assert_eq!(volume.1[1], ("node", "properties".to_owned()));
    }

    #[test]
    fn a_key_takes_all_that_is_left() {
        let key = |path| found("DELETE", path).1[0].1.clone();
        assert_eq!(key("/v1/controller/properties/DrbdOptions/Net/rr-conflict"), "DrbdOptions/Net/rr-conflict");
        assert_eq!(key("/v1/controller/properties/DrbdOptions%2FNet%2Frr-conflict"), "DrbdOptions/Net/rr-conflict");
        assert_eq!(key("/v1/controller/properties/info"), "info");
        assert_eq!(key("/v1/controller/properties/info/all"), "info/all");
    }

    #[test]
    fn encoded_slashes_stay_in_their_segment() {
        let (operation, params) = found("GET", "/v1/files/%2Fetc%2Fdrbd-reactor.d%2Fx.toml");
        assert_eq!((operation, params[0].1.as_str()), ("fileGet", "/etc/drbd-reactor.d/x.toml"));
        assert_eq!(found("GET", "/v1/files/%252Fetc%252Fx/check/alpha").1[0].1, "/etc/x");
        assert_eq!(found("GET", "/v1/nodes/a%2Fb").1[0].1, "a/b");
        assert_eq!(found("GET", "/v1/nodes/a%252Fb").1[0].1, "a%2Fb");
    }

    #[test]
    fn wrong_methods_are_told_from_unknown_paths() {
        assert_eq!(find("PATCH", "/v1/nodes"), Match::WrongMethod(vec![Method::Get, Method::Post]));
        assert_eq!(find("TRACE", "/health"), Match::WrongMethod(vec![Method::Get]));
        assert_eq!(
            find("PATCH", "/v1/nodes/ebs"),
            Match::WrongMethod(vec![Method::Get, Method::Post, Method::Put, Method::Delete])
        );
        for path in ["/v2/nodes", "/v1", "/v1/nodes/a/b", "/v1//nodes", "/v1/nodes//lost", "/v1/Nodes", "v1x"] {
            assert_eq!(find("GET", path), Match::Unknown, "{path}");
        }
        assert_eq!(find("GET", &"/x".repeat(100_000)), Match::Unknown);
        assert_eq!(find("DELETE", &format!("/v1/controller/properties{}", "/x".repeat(70))), Match::Unknown);
    }

    #[test]
    fn the_root_is_a_route_and_a_head_is_a_get() {
        assert_eq!(found("GET", "/").0, "root");
        assert_eq!(found("HEAD", "/v1/controller/version").0, "controllerVersion");
        assert_eq!(found("OPTIONS", "/v1/query-max-volume-size").0, "queryMaxVolumeSize");
    }

    #[test]
    fn a_failed_try_leaves_no_parameter_behind() {
        let Match::Found { params, .. } = find("GET", "/v1/nodes/alpha/storage-pools/ssd") else {
            panic!("a pool is a route")
        };
        assert_eq!(params.iter().collect::<Vec<_>>(), [("node", "alpha"), ("sp", "ssd")]);
        assert_eq!((params.get("sp"), params.get("rd")), (Some("ssd"), None));
    }
}
