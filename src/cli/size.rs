//! Sizes as people write and read them. Never guesses a unit: a bare number is an error that explains.

use crate::model::size::Kib;

/// What a size may look like, for every error.
const HOW: &str = "write a number and a unit: K, M, G, T, P (or KiB, MiB, …) count in 1024, kB, MB, GB, TB, PB in 1000; \
                   for instance 10G or 512MiB";

/// Binary units by their letter, as powers of 1024 bytes.
const BINARY: [&str; 6] = ["b", "k", "m", "g", "t", "p"];

/// Digits behind the point that are read; more would not change a size by a byte.
const MAX_DECIMALS: usize = 15;

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeTextError {
    /// A number alone.
    #[error("'{0}' has no unit, and could be KiB as well as GiB: {HOW}")]
    NoUnit(String),
    /// A unit that nobody knows.
    #[error("'{unit}' is no unit: {HOW}")]
    Unit {
        /// What stands behind the number.
        unit: String,
    },
    /// No number.
    #[error("'{0}' does not begin with a number: {HOW}")]
    Number(String),
    /// Less than nothing.
    #[error("'{0}' is below zero, and a size cannot be negative: {HOW}")]
    Negative(String),
    /// Nothing, or more than can be told.
    #[error("'{0}' is out of range: a size is at least one byte and less than 8 EiB")]
    Range(String),
}

/// Reads a size, rounded up to KiB.
pub fn parse(text: &str) -> Result<Kib, SizeTextError> {
    let text = text.trim();
    if text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit())) {
        return Err(SizeTextError::Negative(text.to_owned()));
    }
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim();
    let (mantissa, scale) = decimal(number).ok_or_else(|| SizeTextError::Number(text.to_owned()))?;
    if unit.is_empty() {
        return Err(SizeTextError::NoUnit(text.to_owned()));
    }
    let factor = factor(unit).ok_or_else(|| SizeTextError::Unit { unit: unit.to_owned() })?;
    let range = || SizeTextError::Range(text.to_owned());
    let bytes = mantissa.checked_mul(factor).ok_or_else(range)?.div_ceil(scale);
    let kib = u64::try_from(bytes.div_ceil(1024)).ok().filter(|kib| (1..1 << 53).contains(kib));
    kib.map(Kib::new).ok_or_else(range)
}

/// A decimal number as a whole number and what to divide it by.
fn decimal(text: &str) -> Option<(u128, u128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || fraction.len() > MAX_DECIMALS || text.ends_with('.') {
        return None;
    }
    let mantissa = format!("{whole}{fraction}").parse().ok()?;
    let digits = u32::try_from(fraction.len()).ok()?;
    Some((mantissa, 10_u128.pow(digits)))
}

/// Bytes of a unit, in any case of letters.
fn factor(unit: &str) -> Option<u128> {
    let unit = unit.to_ascii_lowercase();
    let (letter, rest) = unit.split_at_checked(1)?;
    let power = u32::try_from(BINARY.iter().position(|known| *known == letter)?).ok()?;
    match rest {
        "" => Some(1024_u128.pow(power)),
        "ib" if power > 0 => Some(1024_u128.pow(power)),
        "b" if power > 0 => Some(1000_u128.pow(power)),
        _ => None,
    }
}

/// A size with one decimal in the unit that fits, such as `1.0 GiB`.
pub fn human(kib: i64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let kib = kib.max(0).unsigned_abs();
    // Tenths, so that 1023.96 becomes 1.0 of the next unit and not 1024.0 of this one.
    let mut unit = 0;
    let mut divisor = 1_u128;
    let tenths = |divisor: u128| (u128::from(kib) * 10 + divisor / 2) / divisor;
    while tenths(divisor) >= 10_240 && unit + 1 < UNITS.len() {
        unit += 1;
        divisor *= 1024;
    }
    if unit == 0 {
        return format!("{kib} {}", UNITS[unit]);
    }
    let tenths = tenths(divisor);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_with_units() {
        for (text, kib) in [
            ("1K", 1),
            ("1KiB", 1),
            ("1kb", 1),
            ("2MB", 1954),
            ("64MiB", 65_536),
            ("64m", 65_536),
            ("10G", 10 << 20),
            ("10 GiB", 10 << 20),
            ("1.5G", 1536 << 10),
            ("0.5 TiB", 512 << 20),
            ("1T", 1 << 30),
            ("1PB", 976_562_500_000),
            ("1b", 1),
            ("1025B", 2),
            ("0.1K", 1),
            ("8191P", 8191 << 40),
        ] {
            assert_eq!(parse(text), Ok(Kib::new(kib)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_says_how_to_write_one() {
        for (text, says) in [
            ("10", "no unit"),
            ("1.5", "no unit"),
            ("", "number"),
            ("G", "number"),
            ("-1G", "negative"),
            ("-0", "negative"),
            ("-G", "number"),
            ("1.G", "number"),
            (".5G", "number"),
            ("1.2.3G", "number"),
            ("1e3G", "'e3G' is no unit"),
            ("1GiBs", "'GiBs' is no unit"),
            ("1E", "'E' is no unit"),
            ("1ib", "is no unit"),
            ("1Bb", "is no unit"),
            ("1ä", "is no unit"),
            ("0G", "range"),
            ("0.0000000000000000001G", "number"),
            ("8192P", "range"),
            ("99999999999999999999999999999999999G", "range"),
            ("999999999999999999999999999999999999999999999G", "number"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(says), "{text}: {error}");
            assert!(says == "range" || error.contains("10G"), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_for_people() {
        for (kib, text) in [
            (-1, "0 KiB"),
            (0, "0 KiB"),
            (1023, "1023 KiB"),
            (1024, "1.0 MiB"),
            (1536, "1.5 MiB"),
            (1_048_575, "1.0 GiB"),
            (1_048_576, "1.0 GiB"),
            (1_052_672, "1.0 GiB"),
            (10 << 20, "10.0 GiB"),
            (i64::MAX, "8192.0 EiB"),
        ] {
            assert_eq!(human(kib), text, "{kib}");
        }
    }
}
