//! Tables as values, and how they are drawn. Never decides what stands in one.

use std::borrow::Cow;

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};

/// What a text tells at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// All is well.
    Good,
    /// Somebody should look.
    Odd,
    /// Something is broken.
    Bad,
}

/// A text in a table.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Text {
    /// The text; several lines are fine.
    pub text: String,
    /// What it tells at a glance.
    pub tone: Tone,
}

impl<T: ToString> From<T> for Text {
    fn from(text: T) -> Text {
        Text { text: text.to_string(), tone: Tone::Plain }
    }
}

impl Text {
    /// A text with a tone.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Text {
        Text { text: text.into(), tone }
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    headers: Vec<&'static str>,
    rows: Vec<Vec<Text>>,
}

impl Grid {
    /// A table without rows.
    pub fn new(headers: &[&'static str]) -> Grid {
        Grid { headers: headers.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Text>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A text without what a terminal would carry out: control characters but line breaks are shown as `\u{1b}` and the like.
/// Whoever may set a property or write a message must not move another's cursor.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let acts = |letter: char| letter.is_control() && letter != '\n';
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let shown = |letter: char| if acts(letter) { letter.escape_debug().to_string() } else { letter.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// How things are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// ASCII only.
    pub ascii: bool,
    /// With colours.
    pub colours: bool,
    /// Whether long cells are broken so that the table fits the terminal.
    pub fit: bool,
}

impl Style {
    /// Draws a table, without a line break at the end.
    pub fn draw(self, grid: &Grid) -> String {
        let mut table = Table::new();
        table.load_preset(if self.ascii { presets::ASCII_FULL_CONDENSED } else { presets::UTF8_FULL_CONDENSED });
        let fit = if self.fit { ContentArrangement::Dynamic } else { ContentArrangement::Disabled };
        table.set_content_arrangement(fit);
        if self.colours {
            table.enforce_styling();
        } else if !self.fit {
            table.force_no_tty();
        }
        let header =
            |text: &&str| if self.colours { Cell::new(text).add_attribute(Attribute::Bold) } else { Cell::new(text) };
        table.set_header(grid.headers.iter().map(header));
        for row in &grid.rows {
            table.add_row(row.iter().map(|text| self.cell(text)));
        }
        table.trim_fmt()
    }

    fn cell(self, text: &Text) -> Cell {
        let cell = Cell::new(harmless(&text.text));
        match colour(text.tone) {
            Some(colour) if self.colours => cell.fg(colour),
            _ => cell,
        }
    }

    /// A word with its tone, for lines outside of tables.
    pub fn word(self, text: &str, tone: Tone) -> String {
        let code = match tone {
            _ if !self.colours => return text.to_owned(),
            Tone::Plain => "1",
            Tone::Good => "32",
            Tone::Odd => "33",
            Tone::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

fn colour(tone: Tone) -> Option<Color> {
    match tone {
        Tone::Plain => None,
        Tone::Good => Some(Color::Green),
        Tone::Odd => Some(Color::Yellow),
        Tone::Bad => Some(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { ascii: true, colours: false, fit: false };

    fn grid() -> Grid {
        let mut grid = Grid::new(&["Node", "State"]);
        grid.row(["alpha".into(), Text::toned("ONLINE", Tone::Good)]);
        grid
    }

    #[test]
    fn ascii_and_utf8() {
        let ascii =
            "+-------+--------+\n| Node  | State  |\n+================+\n| alpha | ONLINE |\n+-------+--------+";
        assert_eq!(PLAIN.draw(&grid()), ascii);
        let utf8 = Style { ascii: false, ..PLAIN }.draw(&grid());
        assert!(utf8.starts_with("┌───────┬────────┐") && !utf8.contains('+'), "{utf8}");
    }

    #[test]
    fn nothing_in_a_table_moves_the_cursor() {
        assert_eq!(harmless("a\u{1b}[2J\tb\r\u{9b}c\nd"), "a\\u{1b}[2J\\tb\\r\\u{9b}c\nd");
        assert!(matches!(harmless("two\nlines, ä"), Cow::Borrowed(_)));
        let mut grid = Grid::new(&["Text"]);
        grid.row([Text::from("a\u{1b}[31mb")]);
        assert!(PLAIN.draw(&grid).contains("| a\\u{1b}[31mb |"));
    }

    #[test]
    fn colours_only_when_asked_for() {
        assert!(!PLAIN.draw(&grid()).contains('\u{1b}'));
        assert_eq!(PLAIN.word("ERROR", Tone::Bad), "ERROR");
        let coloured = Style { colours: true, ..PLAIN };
        assert!(coloured.draw(&grid()).contains('\u{1b}'));
        assert_eq!(coloured.word("ERROR", Tone::Bad), "\u{1b}[31mERROR\u{1b}[0m");
    }

    #[test]
    fn nothing_is_cut_off_for_a_pipe() {
        let mut grid = Grid::new(&["Text"]);
        grid.row([Text::from("x".repeat(500))]);
        assert!(PLAIN.draw(&grid).contains(&"x".repeat(500)));
    }
}
