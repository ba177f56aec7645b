//! How one value is read and printed, by type. Says what it expects when it refuses; knows no key, file or line.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::settings::LogFormat;

/// A value as it was found, before anybody knows which type it should have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    /// A TOML string.
    Text(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML array.
    List(Vec<Raw>),
    /// Untyped text of an environment variable, which each type reads in its own way.
    Word(String),
    /// Something that no setting takes, by the name of its TOML type.
    Other(&'static str),
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Raw::Text(text) | Raw::Word(text) => write!(f, "{text:?}"),
            Raw::Integer(number) => write!(f, "{number}"),
            Raw::Boolean(truth) => write!(f, "{truth}"),
            Raw::List(items) => write!(f, "a list of {}", items.len()),
            Raw::Other(kind) => write!(f, "a {kind}"),
        }
    }
}

impl Raw {
    fn as_text(&self) -> Option<&str> {
        match self {
            Raw::Text(text) | Raw::Word(text) => Some(text),
            _ => None,
        }
    }

    fn as_integer(&self) -> Option<i64> {
        match self {
            Raw::Integer(number) => Some(*number),
            Raw::Word(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// What a value should have been, in words that end the sentence "expected …".
pub(super) type Expected = &'static str;

/// A type of setting: read from what was found, printed as a TOML literal. `set` changes nothing when it refuses.
pub(super) trait Setting {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected>;
    fn print(&self) -> String;
}

/// A number of bytes, written with a unit: `"8MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// Which events are logged: a level, or a list such as `info,zea::store=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter in the syntax of `RUST_LOG`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

fn is_filter(text: &str) -> bool {
    let target_is_path =
        |target: &str| !target.is_empty() && target.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
    text.split(',').all(|part| match part.split_once('=') {
        Some((target, level)) => target_is_path(target) && LEVELS.contains(&level),
        None => LEVELS.contains(&part),
    })
}

impl Setting for LogFilter {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        let text = raw.as_text().filter(|text| is_filter(text));
        let text = text.ok_or("error, warn, info, debug, trace or off, or a list such as \"info,zea::store=debug\"")?;
        self.0 = text.to_owned();
        Ok(())
    }

    fn print(&self) -> String {
        quoted(&self.0)
    }
}

impl Setting for LogFormat {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        *self = match raw.as_text() {
            Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            _ => return Err("\"text\" or \"json\""),
        };
        Ok(())
    }

    fn print(&self) -> String {
        match self {
            LogFormat::Text => quoted("text"),
            LogFormat::Json => quoted("json"),
        }
    }
}

impl Setting for bool {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        *self = match raw {
            Raw::Boolean(truth) => *truth,
            Raw::Word(text) if text == "true" => true,
            Raw::Word(text) if text == "false" => false,
            _ => return Err("true or false"),
        };
        Ok(())
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        let number = raw.as_integer().and_then(|number| u32::try_from(number).ok());
        *self = number.ok_or("a whole number from 0 to 4294967295")?;
        Ok(())
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Setting for NonZeroU32 {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        let number = raw.as_integer().and_then(|number| u32::try_from(number).ok());
        *self = number.and_then(NonZeroU32::new).ok_or("a whole number from 1 to 4294967295")?;
        Ok(())
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        let text = raw.as_text().filter(|text| !text.is_empty());
        *self = text.ok_or("a text that is not empty")?.to_owned();
        Ok(())
    }

    fn print(&self) -> String {
        quoted(self)
    }
}

impl Setting for PathBuf {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        let text = raw.as_text().filter(|text| !text.is_empty());
        *self = PathBuf::from(text.ok_or("a path")?);
        Ok(())
    }

    fn print(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Setting for SocketAddr {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        let address = raw.as_text().and_then(|text| text.parse().ok());
        *self = address.ok_or("an address and port such as \"127.0.0.1:3370\" or \"[::]:3370\"")?;
        Ok(())
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

/// An empty text stands for "not given".
impl<T: Setting + Blank> Setting for Option<T> {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        if raw.as_text() == Some("") {
            *self = None;
            return Ok(());
        }
        let mut value = T::blank();
        value.set(raw)?;
        *self = Some(value);
        Ok(())
    }

    fn print(&self) -> String {
        self.as_ref().map_or_else(|| quoted(""), Setting::print)
    }
}

/// A value to be overwritten: what an optional setting holds while it is read.
pub(super) trait Blank {
    fn blank() -> Self;
}

impl Blank for String {
    fn blank() -> Self {
        String::new()
    }
}

impl Blank for PathBuf {
    fn blank() -> Self {
        PathBuf::new()
    }
}

impl Blank for ByteSize {
    fn blank() -> Self {
        ByteSize(0)
    }
}

impl Blank for SocketAddr {
    fn blank() -> Self {
        SocketAddr::from(([0, 0, 0, 0], 0))
    }
}

/// Milliseconds in each unit of time, the largest first.
const TIMES: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Setting for Duration {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        let milliseconds = raw.as_text().and_then(|text| scaled(text, &TIMES)).filter(|count| *count > 0);
        *self = milliseconds
            .map(Duration::from_millis)
            .ok_or("a time above 0 with its unit, such as \"45s\", \"500ms\", \"5m\" or \"1h\"")?;
        Ok(())
    }

    fn print(&self) -> String {
        let milliseconds = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        quoted(&in_largest_unit(milliseconds, &TIMES))
    }
}

/// Bytes in each unit of size, the largest first.
const SIZES: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Setting for ByteSize {
    fn set(&mut self, raw: &Raw) -> Result<(), Expected> {
        let bytes = raw.as_text().and_then(|text| scaled(text, &SIZES)).filter(|count| *count > 0);
        *self = bytes.map(ByteSize).ok_or("a size above 0 with its unit, such as \"512KiB\", \"8MiB\" or \"20GiB\"")?;
        Ok(())
    }

    fn print(&self) -> String {
        quoted(&in_largest_unit(self.0, &SIZES))
    }
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn in_largest_unit(count: u64, units: &[(&str, u64)]) -> String {
    let (name, factor) = units.iter().find(|(_, factor)| count.is_multiple_of(*factor)).expect("the last unit is 1");
    format!("{}{name}", count / factor)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Setting>(mut value: T, raw: Raw) -> Result<T, Expected> {
        value.set(&raw).map(|()| value)
    }

    fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    fn word(text: &str) -> Raw {
        Raw::Word(text.to_owned())
    }

    #[test]
    fn times_have_units_and_come_back_as_printed() {
        for (written, milliseconds) in
            [("45s", 45_000), ("500ms", 500), ("5m", 300_000), ("1h", 3_600_000), ("90 s", 90_000)]
        {
            let time = read(Duration::ZERO, text(written)).unwrap();
            assert_eq!(time, Duration::from_millis(milliseconds), "{written}");
            assert_eq!(read(Duration::ZERO, text(time.print().trim_matches('"'))), Ok(time), "{written}");
        }
    }

    #[test]
    fn times_without_unit_or_without_length_are_refused() {
        for written in ["45", "", "s", "0s", "-1s", "1.5s", "1d", "99999999999999999999s", "18446744073709551615h"] {
            assert!(read(Duration::ZERO, text(written)).is_err(), "{written}");
        }
        assert!(read(Duration::ZERO, Raw::Integer(45)).is_err());
    }

    #[test]
    fn sizes_have_units_and_come_back_as_printed() {
        for (written, bytes) in
            [("512KiB", 512 << 10), ("8MiB", 8 << 20), ("20GiB", 20 << 30), ("1TiB", 1 << 40), ("1000B", 1000)]
        {
            let size = read(ByteSize(0), text(written)).unwrap();
            assert_eq!(size, ByteSize(bytes), "{written}");
            assert_eq!(size.print(), format!("\"{written}\""));
        }
        for written in ["8MB", "8", "0MiB", "99999999999TiB"] {
            assert!(read(ByteSize(0), text(written)).is_err(), "{written}");
        }
    }

    #[test]
    fn an_empty_text_takes_an_optional_setting_back() {
        assert_eq!(read(Some(PathBuf::from("/a")), text("")), Ok(None));
        assert_eq!(read(None, text("/b")), Ok(Some(PathBuf::from("/b"))));
        assert!(read(None::<PathBuf>, Raw::Boolean(true)).is_err());
        assert_eq!(None::<PathBuf>.print(), "\"\"");
    }

    #[test]
    fn untyped_words_are_read_by_the_type_but_toml_strings_are_not_numbers() {
        assert_eq!(read(0_u32, word("7")), Ok(7));
        assert_eq!(read(false, word("true")), Ok(true));
        assert_eq!(read(PathBuf::new(), word("/a:/b")), Ok(PathBuf::from("/a:/b")));
        assert!(read(0_u32, text("7")).is_err());
        assert!(read(false, text("true")).is_err());
    }

    #[test]
    fn numbers_keep_to_their_range() {
        assert!(read(0_u32, Raw::Integer(-1)).is_err());
        assert!(read(0_u32, Raw::Integer(1 << 32)).is_err());
        assert!(read(NonZeroU32::MIN, Raw::Integer(0)).is_err());
        assert_eq!(read(NonZeroU32::MIN, Raw::Integer(9)), Ok(NonZeroU32::new(9).unwrap()));
    }

    #[test]
    fn log_filters_are_levels_or_lists() {
        for written in ["info", "off", "info,zea::store=debug", "zea::actors::system=trace"] {
            assert_eq!(read(LogFilter::default(), text(written)).unwrap().as_str(), written);
        }
        for written in ["", "verbose", "info,", "=debug", "zea=loud", "zea[span]=debug"] {
            assert!(read(LogFilter::default(), text(written)).is_err(), "{written}");
        }
    }

    #[test]
    fn a_refused_value_changes_nothing() {
        let mut path = PathBuf::from("/kept");
        assert!(path.set(&Raw::List(vec![text("/new"), Raw::Integer(1)])).is_err());
        assert_eq!(path, PathBuf::from("/kept"));
    }
}
