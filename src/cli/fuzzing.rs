//! What a fuzzer feeds with words of the command line and with answers of a controller. Stands only in builds with
//! `--cfg fuzzing`; never sends anything.

use serde_json::Value;

use super::grid::Style;
use super::views::{self, Page, View};
use super::{controllers, entries, session, settings};

/// Every view of an answer, by name.
pub const VIEWS: [(&str, View); 20] = [
    ("actors", views::actors),
    ("definitions", views::definitions),
    ("error_texts", views::error_texts),
    ("errors", views::errors),
    ("explanation", views::explanation),
    ("group_volumes", views::group_volumes),
    ("groups", views::groups),
    ("interfaces", views::interfaces),
    ("keys", keys),
    ("node_info", views::node_info),
    ("nodes", views::nodes_alone),
    ("pools", views::pools),
    ("property", property),
    ("replica_volumes", views::replica_volumes),
    ("replicas", views::replicas),
    ("size_info", views::size_info),
    ("snapshots", views::snapshots),
    ("stores", views::stores),
    ("texts", views::texts),
    ("volumes", views::volumes),
];

const STYLE: Style = Style { ascii: true, colours: false, fit: false };

fn property(json: &str) -> Result<Page, serde_json::Error> {
    Ok(views::property_page(&serde_json::from_str::<Value>(json)?, Some("props")))
}

fn keys(json: &str) -> Result<Page, serde_json::Error> {
    Ok(views::key_page(&serde_json::from_str(json)?, None))
}

/// What is printed of an answer, without colours; `None` when it makes no sense.
pub fn draw(view: View, json: &str) -> Option<String> {
    let page = view(json).ok()?;
    page.draw(Style { ascii: false, colours: true, fit: true });
    Some(page.draw(STYLE))
}

/// What is printed of a refusal; `None` when the body is none.
pub fn entries(body: &str) -> Option<String> {
    let entries = session::refusal(body)?;
    Some(entries.iter().map(|entry| entries::draw(entry, STYLE)).collect())
}

/// A size in KiB.
pub fn size(text: &str) -> Option<u64> {
    super::size::parse(text).ok().map(|kib| kib.get())
}

/// A size in KiB as people read it.
pub fn size_for_people(kib: i64) -> String {
    super::size::human(kib)
}

/// Addresses of controllers, read and printed.
pub fn addresses(text: &str) -> Option<String> {
    let addresses = controllers::parse_list(text).ok()?;
    Some(addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

/// Whether a text is a file of settings.
pub fn settings(text: &str) -> bool {
    settings::is_file(text)
}
