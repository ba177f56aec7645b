//! Why a property was refused. Never carries the value of a secret.

use super::apply::{MAX_CHANGES_PER_REQUEST, MAX_PROPS, MAX_PROPS_BYTES};
use super::check::MAX_VALUE_BYTES;
use super::key::MAX_KEY_CHARS;
use super::owner::PropertyOwner;

/// A refused change of properties; all of them are the caller's to mend (REST: FAIL_INVLD_PROP). The text names the key
/// and the rule, [`PropError::correction`] the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropError {
    /// Nothing is left of the key once empty segments are squeezed out.
    #[error("A property key is empty")]
    EmptyKey,
    /// More than [`MAX_KEY_CHARS`] characters.
    #[error("Property key '{start}…' has {chars} characters, more than {MAX_KEY_CHARS}")]
    KeyTooLong { start: String, chars: usize },
    /// Control characters would break every listing and configuration file that the key ends up in.
    #[error("Property key {key:?} holds a control character")]
    ControlInKey { key: String },
    /// The catalogue has no such key for this class of object.
    #[error("Invalid property key '{key}' for a {owner}{}{}", also_on(.elsewhere), suggestion(.nearest))]
    UnknownKey {
        owner: PropertyOwner,
        key: String,
        /// The allowed key that looks most alike.
        nearest: Option<&'static str>,
        /// Classes of objects that may carry the key.
        elsewhere: Vec<PropertyOwner>,
    },
    /// The object has the key, but the system keeps it.
    #[error("Property '{key}' of a {owner} is kept by the system and cannot be changed")]
    Reserved { owner: PropertyOwner, key: String },
    /// The value breaks the catalogue's rule.
    #[error("Value {value} is invalid for property '{key}': {rule}")]
    InvalidValue { key: String, value: String, rule: String },
    /// More than [`MAX_VALUE_BYTES`].
    #[error("The value of property '{key}' has {bytes} bytes, more than {MAX_VALUE_BYTES}")]
    ValueTooLong { key: String, bytes: usize },
    /// More than [`MAX_CHANGES_PER_REQUEST`].
    #[error("The request changes {count} properties, more than {MAX_CHANGES_PER_REQUEST}")]
    TooManyChanges { count: usize },
    /// More than [`MAX_PROPS`].
    #[error("The {owner} would have {count} properties, more than {MAX_PROPS}")]
    TooManyProps { owner: PropertyOwner, count: usize },
    /// More than [`MAX_PROPS_BYTES`].
    #[error("The properties of the {owner} would take {bytes} bytes, more than {MAX_PROPS_BYTES}")]
    TooLarge { owner: PropertyOwner, bytes: usize },
}

impl PropError {
    /// What the caller can do about it.
    #[must_use]
    pub fn correction(&self) -> String {
        match self {
            Self::EmptyKey => "Name the property, for example Aux/my-key.".into(),
            Self::KeyTooLong { .. } => format!("Use a key of at most {MAX_KEY_CHARS} characters."),
            Self::ControlInKey { .. } => "Use printable characters in keys.".into(),
            Self::UnknownKey { nearest: Some(nearest), .. } => {
                format!("Use '{nearest}', or a key below 'Aux/' for information of your own.")
            }
            Self::UnknownKey { .. } => {
                "Use a key of the catalogue (GET …/properties/info), or one below 'Aux/'.".into()
            }
            Self::Reserved { .. } => "Leave the key out, or name the single keys instead of a whole namespace.".into(),
            Self::InvalidValue { rule, .. } => format!("Give a value that obeys the rule: {rule}."),
            Self::ValueTooLong { .. } => format!("Give at most {MAX_VALUE_BYTES} bytes."),
            Self::TooManyChanges { .. } => {
                format!("Split the request into parts of at most {MAX_CHANGES_PER_REQUEST} keys.")
            }
            Self::TooManyProps { .. } | Self::TooLarge { .. } => "Remove properties that are no longer needed.".into(),
        }
    }
}

fn also_on(elsewhere: &[PropertyOwner]) -> String {
    if elsewhere.is_empty() {
        return String::new();
    }
    let names: Vec<_> = elsewhere.iter().map(|owner| owner.name()).collect();
    format!(" (it belongs to: {})", names.join(", "))
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map(|key| format!("; the nearest allowed key is '{key}'")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_key_names_owner_nearest_and_others() {
        let error = PropError::UnknownKey {
            owner: PropertyOwner::Volume,
            key: "PrefNix".into(),
            nearest: Some("PrefNic"),
            elsewhere: vec![PropertyOwner::Node, PropertyOwner::Resource],
        };
        assert_eq!(
            error.to_string(),
            "Invalid property key 'PrefNix' for a volume (it belongs to: node, resource); the nearest allowed key is 'PrefNic'"
        );
        assert!(error.correction().starts_with("Use 'PrefNic'"));
    }

    #[test]
    fn limits_stand_in_text_and_correction() {
        let error = PropError::TooManyChanges { count: 10_000 };
        assert_eq!(error.to_string(), "The request changes 10000 properties, more than 4096");
        assert!(error.correction().contains("at most 4096 keys"));
    }
}
