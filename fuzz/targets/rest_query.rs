//! Paths and query strings: the first line is a method and a target, the lines below are `key=value` pairs to encode. What
//! was encoded comes back as it was; a page is a part of its list; a path put together from what was found in it leads to
//! the same call.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::protocols::rest::query::{Query, decode_file_segment, decode_segment, segments};
use zea::protocols::rest::routes::{self, Match, Params, Route};

/// Every byte as `%XX`, so that no value is taken for a fixed word of the table.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn comes_back(pairs: &str) {
    let pairs: Vec<(&str, &str)> = pairs.lines().filter_map(|line| line.split_once('=')).collect();
    let parts: Vec<String> = pairs.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
    let query = Query::parse(&parts.join("&"));
    for (key, _) in &pairs {
        let given = pairs.iter().filter(|(name, value)| name == key && !value.is_empty()).map(|(_, value)| *value);
        assert!(query.all(key).eq(given.clone()), "{key}: {pairs:?}");
        assert_eq!(query.first(key), given.clone().next());
        let names = query.names(key);
        assert_eq!(names.is_open(), given.clone().next().is_none());
        assert!(given.clone().all(|name| names.admits(name) && names.admits(&name.to_ascii_uppercase())));
    }
}

fn pages(query: &Query) {
    let Ok(page) = query.page() else { return };
    let cut: Vec<usize> = page.cut(0..10).collect();
    if page.limit == 0 {
        assert_eq!(cut.len(), 10);
    } else {
        let start = page.offset.min(10);
        assert!(cut.into_iter().eq(start..start.saturating_add(page.limit).min(10)));
    }
}

fn reads(raw: &str) {
    let query = Query::parse(raw);
    pages(&query);
    let _ = (query.flag("cached", true), query.number("since"), query.names("nodes"));
    let filter = query.props();
    filter.admits(|_| Some("a value"));
    for part in raw.split('/') {
        assert_eq!(decode_file_segment(part), decode_segment(&decode_segment(part)));
    }
}

/// The path of a route with these values in it.
fn path_of(route: &Route, params: &Params) -> String {
    let part = |segment: &str| {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return segment.to_owned();
        };
        let name = name.trim_end_matches('*');
        let value = encoded(params.get(name).expect("every name has a value"));
        if name == "file" { encoded(&value) } else { value }
    };
    segments(route.path).map(|segment| format!("/{}", part(segment))).collect()
}

fn leads_to_the_same(method: &str, path: &str) {
    let found = routes::find(method, path);
    let Match::Found { route, params } = &found else { return };
    // An empty text stands in no path.
    if params.iter().all(|(_, value)| !value.is_empty()) {
        let path = path_of(route, params);
        assert_eq!(routes::find(method, &path), found, "{path}");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(text) = zea_fuzz::text(data) else { return };
    let (line, pairs) = zea_fuzz::first_line(text);
    let (method, target) = line.split_once(' ').unwrap_or(("GET", line));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    leads_to_the_same(method, path);
    reads(query);
    comes_back(pairs);
});
