//! From a controller's JSON to what people read: one view for each list. Never asks for anything.

mod groups;
mod nodes;
mod own;
mod pools;
mod props;
mod resources;
mod snapshots;

pub use groups::{group_volumes, groups, size_info};
pub use nodes::{ActorPath, interfaces, node_info, nodes, nodes_alone};
pub use own::{actors, encryption, error_texts, errors, explanation, lock_state, versions};
pub use pools::pools;
pub use props::{Keys, key_page, property_page, stores, texts};
pub use resources::{definitions, devices, replica_volumes, replicas, volumes};
pub use snapshots::snapshots;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::grid::{Grid, Style, Text, Tone, harmless};
use super::size;

/// What stands where nothing is known.
const UNKNOWN: &str = "-";

/// What is printed of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// A table.
    pub grid: Option<Grid>,
    /// What to say when the table has no rows.
    pub nothing: &'static str,
    /// Lines below it.
    pub lines: Vec<String>,
}

/// Reads JSON and says what is to be printed.
pub type View = fn(&str) -> Result<Page, serde_json::Error>;

impl Page {
    fn table(grid: Grid, nothing: &'static str) -> Page {
        Page { grid: Some(grid), nothing, lines: Vec::new() }
    }

    fn lines(lines: Vec<String>) -> Page {
        Page { lines, ..Page::default() }
    }

    /// What is printed: the table, or what to say without rows, and the lines; each ends with a line break.
    pub fn draw(&self, style: Style) -> String {
        let table = |grid: &Grid| if grid.is_empty() { self.nothing.to_owned() } else { style.draw(grid) };
        let mut text = self.grid.as_ref().map(table).map_or_else(String::new, |table| table + "\n");
        for line in &self.lines {
            text.push_str(&harmless(line));
            text.push('\n');
        }
        text
    }
}

fn size_or_unknown(kib: Option<i64>) -> Text {
    kib.map_or_else(|| UNKNOWN.into(), |kib| size::human(kib).into())
}

fn text_or_unknown(text: &str) -> Text {
    if text.is_empty() { UNKNOWN.into() } else { text.into() }
}

/// A moment in the machine's own time zone.
fn moment(ms: i64) -> String {
    moment_in(ms, TimeZone::system())
}

fn moment_in(ms: i64, zone: TimeZone) -> String {
    let text = |at: Timestamp| at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string();
    Timestamp::from_millisecond(ms).map_or_else(|_| UNKNOWN.to_owned(), text)
}

/// Flags as a state: none is well, and one that ends an object is bad.
fn state_of(flags: &[String], well: &str) -> Text {
    if flags.is_empty() {
        return Text::toned(well, Tone::Good);
    }
    let bad = flags.iter().any(|flag| flag.contains("FAILED") || flag == "EVICTED");
    Text::toned(flags.join("\n"), if bad { Tone::Bad } else { Tone::Odd })
}

/// Draws what a view makes of JSON, for the tests of views.
#[cfg(test)]
fn drawn(view: View, json: &str) -> String {
    let page = view(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    page.draw(Style { ascii: true, colours: false, fit: false }).trim_end_matches('\n').to_owned()
}

/// Asserts that a drawn table has a row with exactly these cells.
#[cfg(test)]
fn assert_row(drawn: &str, cells: &[&str]) {
    let rows = drawn.lines().filter(|line| line.starts_with('|'));
    let found = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    assert!(found.clone().any(|row| row == cells), "no row {cells:?} in\n{drawn}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(moment_in(1_767_225_600_123, TimeZone::UTC), "2026-01-01 00:00:00");
        assert_eq!(moment_in(i64::MAX, TimeZone::UTC), UNKNOWN);
    }

    #[test]
    fn lines_do_not_move_the_cursor() {
        let page = Page::lines(vec!["a\u{1b}[2Jb".to_owned(), "c".to_owned()]);
        let style = Style { ascii: true, colours: false, fit: false };
        assert_eq!(page.draw(style), "a\\u{1b}[2Jb\nc\n");
    }

    #[test]
    fn states() {
        let tone = |flags: &[&str]| state_of(&flags.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>(), "ok").tone;
        assert_eq!(tone(&[]), Tone::Good);
        assert_eq!(tone(&["DELETE"]), Tone::Odd);
        assert_eq!(tone(&["EVICTED", "DELETE"]), Tone::Bad);
        assert_eq!(tone(&["FAILED_DEPLOYMENT"]), Tone::Bad);
    }
}
