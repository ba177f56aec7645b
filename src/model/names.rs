//! Names of the model's nouns: syntax checked once, case kept, compared without case.
//!
//! Every name is what the user typed; equality and order ignore ASCII case, as LINSTOR's do
//! (facts: `controller.md` §1.1). A value of one of these types is always a legal name.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a text is no legal name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no valid {noun}: {rule}")]
pub struct NameError {
    /// What kind of name was wanted, for people.
    pub noun: &'static str,
    /// What was given, cut to a printable length.
    pub text: String,
    /// The rule that it breaks.
    pub rule: String,
}

/// Longest part of a bad name that an error repeats.
const ERROR_TEXT_CHARS: usize = 64;

/// Syntax of a name: length in characters and the characters beyond letters and digits.
struct NameRule {
    min: usize,
    max: usize,
    first: &'static str,
    inner: &'static str,
    reserved: &'static [&'static str],
}

impl NameRule {
    fn check(&self, text: &str) -> Result<(), String> {
        check_length(text, self.min, self.max)?;
        let mut chars = text.chars();
        let first = chars.next().ok_or_else(|| "it is empty".to_owned())?;
        if !(first.is_ascii_alphabetic() || self.first.contains(first)) {
            return Err(format!("it may not begin with '{}'", first.escape_debug()));
        }
        let fits = |c: &char| c.is_ascii_alphanumeric() || self.inner.contains(*c);
        if let Some(bad) = chars.find(|c| !fits(c)) {
            return Err(format!("it may not contain '{}'", bad.escape_debug()));
        }
        if !text.chars().any(|c| c.is_ascii_alphabetic()) {
            return Err("it needs at least one letter".to_owned());
        }
        if self.reserved.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Err("that word is reserved".to_owned());
        }
        Ok(())
    }
}

/// Characters are bytes here: none beyond ASCII is legal in any name.
fn check_length(text: &str, min: usize, max: usize) -> Result<(), String> {
    match text.chars().count() {
        1 if min > 1 => Err(format!("it has 1 character, {min} to {max} are allowed")),
        count if count < min || count > max => Err(format!("it has {count} characters, {min} to {max} are allowed")),
        _ => Ok(()),
    }
}

/// Host name rules of RFC 952, 1035 and 1123, as for nodes.
fn check_host_name(text: &str) -> Result<(), String> {
    check_length(text, 2, 255)?;
    for label in text.split('.') {
        if label.is_empty() || label.len() > 63 {
            return Err("each part between dots has 1 to 63 characters".to_owned());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("no part may begin or end with '-'".to_owned());
        }
        if let Some(bad) = label.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
            return Err(format!("it may not contain '{}'", bad.escape_debug()));
        }
    }
    Ok(())
}

fn compare(a: &str, b: &str) -> Ordering {
    let fold = |c: &u8| c.to_ascii_uppercase();
    a.as_bytes().iter().map(fold).cmp(b.as_bytes().iter().map(fold))
}

fn error(noun: &'static str, text: &str, rule: String) -> NameError {
    let text = text.chars().take(ERROR_TEXT_CHARS).collect();
    NameError { noun, text, rule }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $ty:ident, $noun:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $ty(Arc<str>);

        impl $ty {
            /// Checks the syntax. The case is kept for display.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> Result<(), String> = $check;
                check(text).map_err(|rule| error($noun, text, rule))?;
                Ok(Self(Arc::from(text)))
            }

            /// The name as it was typed first.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name in upper case: the key under which records are kept.
            #[must_use]
            pub fn key(&self) -> String {
                self.0.to_ascii_uppercase()
            }
        }

        impl PartialEq for $ty {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0.eq_ignore_ascii_case(&other.0)
            }
        }
        impl Eq for $ty {}
        impl PartialOrd for $ty {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $ty {
            fn cmp(&self, other: &Self) -> Ordering {
                compare(&self.0, &other.0)
            }
        }
        impl fmt::Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl TryFrom<String> for $ty {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }
        impl From<$ty> for String {
            fn from(name: $ty) -> String {
                name.0.as_ref().to_owned()
            }
        }
    };
}

macro_rules! rule {
    ($min:literal, $max:literal, $first:literal, $inner:literal, $reserved:expr) => {
        |text| NameRule { min: $min, max: $max, first: $first, inner: $inner, reserved: $reserved }.check(text)
    };
}

name_type!(
    /// A node: a host name.
    NodeName, "node name", check_host_name
);
name_type!(
    /// A node's network interface.
    NetIfName, "network interface name",
    rule!(3, 32, "_", "_-", &[])
);
name_type!(
    /// A storage pool (and its definition).
    PoolName, "storage pool name", rule!(3, 48, "_", "_-", &[])
);
name_type!(
    /// A space shared by pools of several nodes.
    SharedSpaceName, "shared space name",
    rule!(1, 48, "_0123456789", "_-.", &[])
);
name_type!(
    /// A resource definition; `all` and `proxy` are words of DRBD's.
    RscName, "resource name", rule!(2, 48, "_", "_-", &["all", "proxy"])
);
name_type!(
    /// A resource group.
    GroupName, "resource group name", rule!(2, 48, "_", "_-", &[])
);
name_type!(
    /// A snapshot of a resource definition.
    SnapName, "snapshot name", rule!(2, 48, "_", "_-", &[])
);
name_type!(
    /// A key-value store.
    KvsName, "key-value store name", rule!(2, 48, "_", "_-", &[])
);

/// Number of a volume in its definition: 0 to 65534.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct VolumeNumber(u16);

impl VolumeNumber {
    /// The highest number that LINSTOR allows.
    pub const MAX: u16 = 65534;

    /// Checks the range.
    pub fn new(number: u32) -> Result<Self, NameError> {
        match u16::try_from(number) {
            Ok(n) if n <= Self::MAX => Ok(Self(n)),
            _ => Err(error("volume number", &number.to_string(), format!("0 to {} are allowed", Self::MAX))),
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u32> for VolumeNumber {
    type Error = NameError;
    fn try_from(number: u32) -> Result<Self, NameError> {
        Self::new(number)
    }
}
impl From<VolumeNumber> for u32 {
    fn from(number: VolumeNumber) -> u32 {
        number.0.into()
    }
}
impl fmt::Display for VolumeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_case_and_compare_without() {
        let a = RscName::parse("Web-1").expect("legal");
        let b = RscName::parse("wEB-1").expect("legal");
        assert_eq!(a, b);
        assert_eq!(a.to_string(), "Web-1");
        assert_eq!(a.key(), "WEB-1");
        assert!(RscName::parse("web-0").expect("legal") < b);
    }

    #[test]
    fn illegal_names_name_the_rule() {
        let table = [
            ("a", "it has 1 character, 2 to 48"),
            ("", "it has 0 characters"),
            ("9a", "begin with '9'"),
            ("a b", "contain ' '"),
            ("__", "one letter"),
            ("ALL", "reserved"),
            ("pröxy", "contain 'ö'"),
        ];
        for (text, part) in table {
            let error = RscName::parse(text).expect_err(text);
            assert!(error.to_string().contains(part), "{error}");
        }
        let long = "x".repeat(49);
        assert!(RscName::parse(&long).is_err());
        assert!(RscName::parse(&"x".repeat(48)).is_ok());
    }

    #[test]
    fn node_names_are_host_names() {
        for good in ["alpha", "node-1.example.org", "1a"] {
            assert!(NodeName::parse(good).is_ok(), "{good}");
        }
        for bad in ["a", ".ab", "ab.", "-ab", "ab-", "a_b", "a..b", "a b"] {
            assert!(NodeName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn volume_numbers_end_at_65534() {
        assert!(VolumeNumber::new(65534).is_ok());
        assert!(VolumeNumber::new(65535).is_err());
        assert!(VolumeNumber::new(1 << 20).is_err());
    }

    #[test]
    fn a_bad_name_in_a_record_is_an_error() {
        assert!(serde_json::from_str::<PoolName>("\"x\"").is_err());
        let pool: PoolName = serde_json::from_str("\"pool_1\"").expect("legal");
        assert_eq!(serde_json::to_string(&pool).expect("prints"), "\"pool_1\"");
    }
}
