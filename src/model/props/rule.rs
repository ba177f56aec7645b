//! What a value must look like, and its normal form. Never knows keys or objects.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;

/// Compiled size that one pattern of the table may take, in bytes: a guard against a careless line.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// A rule of the catalogue.
#[derive(Debug)]
pub(super) enum Rule {
    /// The whole value matches; compiled on first use, since most patterns are never needed.
    Regex {
        pattern: &'static str,
        compiled: OnceLock<Option<Regex>>,
    },
    Symbol(Vec<&'static str>),
    Range(Bounds),
    RangeFloat {
        min: f64,
        max: f64,
    },
    NumericOrSymbol {
        bounds: Bounds,
        symbols: Vec<&'static str>,
    },
    Long,
    Text,
    YesNo,
    TrueFalse,
}

/// Inclusive bounds, and the bytes of one unit where the value may carry a suffix such as `10M`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    min: i64,
    max: i64,
    unit_bytes: Option<i64>,
}

impl Rule {
    /// From the table's columns; `None` when they make no sense.
    pub(super) fn parse(kind: &str, rule: &'static str, unit: &str) -> Option<Self> {
        Some(match kind {
            "regex" => Self::Regex { pattern: rule, compiled: OnceLock::new() },
            "symbol" => Self::Symbol(rule.split('|').collect()),
            "range" => Self::Range(Bounds::parse(rule, unit)?),
            "range-float" => {
                let (min, max) = rule.split_once("..")?;
                Self::RangeFloat { min: min.parse().ok()?, max: max.parse().ok()? }
            }
            "numeric-or-symbol" => {
                let (bounds, symbols) = rule.split_once('|')?;
                Self::NumericOrSymbol { bounds: Bounds::parse(bounds, unit)?, symbols: symbols.split('|').collect() }
            }
            "long" => Self::Long,
            "string" => Self::Text,
            "boolean" => Self::YesNo,
            "boolean_true_false" => Self::TrueFalse,
            _ => return None,
        })
    }

    /// Name of the kind as clients know it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Regex { .. } => "regex",
            Self::Symbol(_) => "symbol",
            Self::Range(_) => "range",
            Self::RangeFloat { .. } => "range_float",
            Self::NumericOrSymbol { .. } => "numeric_or_symbol",
            Self::Long => "long",
            Self::Text => "string",
            Self::YesNo => "boolean",
            Self::TrueFalse => "boolean_true_false",
        }
    }

    /// Pattern or alternatives, for the catalogue that clients read.
    pub(super) fn alternatives(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Regex { pattern, .. } => Some(Cow::Borrowed(pattern)),
            Self::Symbol(symbols) => Some(symbols.join("|").into()),
            Self::Range(bounds) => Some(format!("({} - {})", bounds.min, bounds.max).into()),
            Self::RangeFloat { min, max } => Some(format!("({min} - {max})").into()),
            Self::NumericOrSymbol { bounds, symbols } => {
                Some(format!("({} - {})|{}", bounds.min, bounds.max, symbols.join("|")).into())
            }
            Self::YesNo => Some("yes|no".into()),
            Self::TrueFalse => Some("true|false".into()),
            Self::Long | Self::Text => None,
        }
    }

    /// The rule in words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Regex { pattern, .. } => format!("the whole value must match the pattern {pattern}"),
            Self::Symbol(symbols) => format!("must be one of {}", symbols.join(", ")),
            Self::Range(bounds) => bounds.describe(),
            Self::RangeFloat { min, max } => format!("must be a number from {min} to {max}"),
            Self::NumericOrSymbol { bounds, symbols } => {
                format!("{} or one of {}", bounds.describe(), symbols.join(", "))
            }
            Self::Long => "must be a whole number of at most 64 bits".into(),
            Self::Text => "must be text without control characters".into(),
            Self::YesNo => "must be yes or no".into(),
            Self::TrueFalse => "must be true or false".into(),
        }
    }

    /// The value's normal form, or `None` when it breaks the rule.
    pub(super) fn normalise<'a>(&self, value: &'a str) -> Option<Cow<'a, str>> {
        let same = Cow::Borrowed(value);
        match self {
            Self::Regex { pattern, compiled } => {
                let regex = compiled.get_or_init(|| whole_value(pattern)).as_ref()?;
                regex.is_match(value).then_some(same)
            }
            Self::Symbol(symbols) => spelled(symbols, value).map(Cow::Borrowed),
            Self::Range(bounds) => bounds.contain(value).then_some(same),
            Self::RangeFloat { min, max } => {
                let number: f64 = value.parse().ok()?;
                (*min..=*max).contains(&number).then_some(same)
            }
            Self::NumericOrSymbol { bounds, symbols } => {
                if bounds.contain(value) {
                    Some(same)
                } else {
                    spelled(symbols, value).map(Cow::Borrowed)
                }
            }
            Self::Long => integer(value).map(|_| same),
            Self::Text => (!value.chars().any(char::is_control)).then_some(same),
            Self::YesNo => truth(value).map(|yes| Cow::Borrowed(if yes { "yes" } else { "no" })),
            Self::TrueFalse => truth(value).map(|yes| Cow::Borrowed(if yes { "true" } else { "false" })),
        }
    }
}

impl Bounds {
    fn parse(text: &str, unit: &str) -> Option<Self> {
        let (min, max) = text.split_once("..")?;
        let unit_bytes = match unit {
            "bytes" => Some(1),
            "sectors" => Some(512),
            "KiB/s" => Some(1024),
            _ => None,
        };
        Some(Self { min: min.parse().ok()?, max: max.parse().ok()?, unit_bytes })
    }

    fn contain(self, value: &str) -> bool {
        let number = integer(value).or_else(|| self.suffixed(value));
        number.is_some_and(|number| (self.min..=self.max).contains(&number))
    }

    /// `10M` in this rule's unit, as DRBD's own configuration reads it.
    fn suffixed(self, value: &str) -> Option<i64> {
        let suffix = value.chars().last()?;
        let bytes: i64 = match suffix.to_ascii_lowercase() {
            's' => 512,
            'k' => 1 << 10,
            'm' => 1 << 20,
            'g' => 1 << 30,
            _ => return None,
        };
        let digits = value.strip_suffix(suffix)?;
        Some(integer(digits)?.checked_mul(bytes)? / self.unit_bytes?)
    }

    fn describe(self) -> String {
        let suffixes = if self.unit_bytes.is_some() { " (suffixes s, k, M and G are understood)" } else { "" };
        format!("must be a whole number from {} to {}{suffixes}", self.min, self.max)
    }
}

fn whole_value(pattern: &str) -> Option<Regex> {
    regex::RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).size_limit(MAX_PATTERN_BYTES).build().ok()
}

/// Decimal digits with an optional minus; no plus, since DRBD's files know none.
fn integer(value: &str) -> Option<i64> {
    if value.starts_with('+') { None } else { value.parse().ok() }
}

/// The symbol as the catalogue spells it: exact first, then regardless of case.
fn spelled(symbols: &[&'static str], value: &str) -> Option<&'static str> {
    let exact = symbols.iter().find(|symbol| **symbol == value);
    exact.or_else(|| symbols.iter().find(|symbol| symbol.eq_ignore_ascii_case(value))).copied()
}

fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// kind, rule, unit, value, normal form ("" is refused)
    const TABLE: &[(&str, &str, &str, &str, Option<&str>)] = &[
        ("regex", "a|bc", "-", "a", Some("a")),
        ("regex", "a|bc", "-", "bc", Some("bc")),
        ("regex", "a|bc", "-", "abc", None),
        ("regex", "[0-9]+-[0-9]+", "-", "7000-7999", Some("7000-7999")),
        ("regex", "[0-9]+-[0-9]+", "-", "7000-7999\n", None),
        ("symbol", "A|B|C", "-", "C", Some("C")),
        ("symbol", "A|B|C", "-", "c", Some("C")),
        ("symbol", "A|B|C", "-", "D", None),
        ("symbol", "A|B|C", "-", "", None),
        ("range", "1..31", "-", "1", Some("1")),
        ("range", "1..31", "-", "31", Some("31")),
        ("range", "1..31", "-", "0", None),
        ("range", "1..31", "-", "32", None),
        ("range", "1..31", "-", "7k", None),
        ("range", "1..31", "-", "+7", None),
        ("range", "1..31", "-", "7.0", None),
        ("range", "1..31", "-", "99999999999999999999", None),
        ("range", "0..4194304", "KiB/s", "720M", Some("720M")),
        ("range", "0..4194304", "KiB/s", "4G", Some("4G")),
        ("range", "0..4194304", "KiB/s", "5G", None),
        ("range", "0..4194304", "KiB/s", "9223372036854775807G", None),
        ("range", "0..1048576", "sectors", "1024s", Some("1024s")),
        ("range", "0..1048576", "bytes", "2M", None),
        ("range", "0..1048576", "bytes", "M", None),
        ("range", "0..1048576", "bytes", "1µ", None),
        ("range", "16777216..9223372036854775807", "bytes", "9223372036854775807", Some("9223372036854775807")),
        ("range-float", "0.0..1000.0", "-", "2.5", Some("2.5")),
        ("range-float", "0.0..1000.0", "-", "1000", Some("1000")),
        ("range-float", "0.0..1000.0", "-", "1000.1", None),
        ("range-float", "0.0..1000.0", "-", "-1", None),
        ("range-float", "0.0..1000.0", "-", "NaN", None),
        ("range-float", "0.0..1000.0", "-", "inf", None),
        ("numeric-or-symbol", "1..32|off|majority|all", "-", "majority", Some("majority")),
        ("numeric-or-symbol", "1..32|off|majority|all", "-", "OFF", Some("off")),
        ("numeric-or-symbol", "1..32|off|majority|all", "-", "32", Some("32")),
        ("numeric-or-symbol", "1..32|off|majority|all", "-", "33", None),
        ("numeric-or-symbol", "1..32|off|majority|all", "-", "most", None),
        ("long", "-", "-", "-1", Some("-1")),
        ("long", "-", "-", "9223372036854775807", Some("9223372036854775807")),
        ("long", "-", "-", "9223372036854775808", None),
        ("long", "-", "-", "ten", None),
        ("long", "-", "-", "", None),
        ("string", "-", "-", "-i 2 --type 'raid5'", Some("-i 2 --type 'raid5'")),
        ("string", "-", "-", "", Some("")),
        ("string", "-", "-", "a\nb", None),
        ("string", "-", "-", "a\0b", None),
        ("boolean", "-", "-", "YES", Some("yes")),
        ("boolean", "-", "-", "No", Some("no")),
        ("boolean", "-", "-", "true", Some("yes")),
        ("boolean", "-", "-", "on", None),
        ("boolean_true_false", "-", "-", "True", Some("true")),
        ("boolean_true_false", "-", "-", "FALSE", Some("false")),
        ("boolean_true_false", "-", "-", "Yes", Some("true")),
        ("boolean_true_false", "-", "-", "no", Some("false")),
        ("boolean_true_false", "-", "-", "1", None),
        ("boolean_true_false", "-", "-", " true", None),
    ];

    #[test]
    fn every_kind_good_and_bad() {
        for (kind, rule, unit, value, normal) in TABLE {
            let rule = Rule::parse(kind, rule, unit).expect(kind);
            assert_eq!(rule.normalise(value).as_deref(), *normal, "{kind} {value:?}");
            assert_eq!(rule.kind(), kind.replace('-', "_"));
            assert!(!rule.describe().is_empty());
        }
    }

    #[test]
    fn senseless_columns_are_refused() {
        for (kind, rule) in
            [("range", "1-2"), ("range", "a..2"), ("range-float", "1"), ("numeric-or-symbol", "1..2"), ("set", "-")]
        {
            assert!(Rule::parse(kind, rule, "-").is_none(), "{kind} {rule}");
        }
    }

    #[test]
    fn a_pattern_that_does_not_compile_accepts_nothing() {
        let rule = Rule::parse("regex", "(", "-").expect("kind is known");
        assert_eq!(rule.normalise("("), None);
    }
}
