//! Key paths: `/`-separated, without empty segments, without a leading slash. Never looks at the catalogue.

use std::borrow::Cow;

use super::error::PropError;

/// Longest key in characters; the field's own limit, so that data moves in both directions.
pub const MAX_KEY_CHARS: usize = 256;
/// How much of an over-long key an error repeats: enough to recognise it.
const SHOWN_KEY_CHARS: usize = 40;

/// The canonical form of a key: empty segments squeezed, no leading or trailing slash. Borrows when it already is.
///
/// # Errors
/// `EmptyKey`, `KeyTooLong`, `ControlInKey`.
pub fn key_path(raw: &str) -> Result<Cow<'_, str>, PropError> {
    let key = squeeze(raw);
    if key.is_empty() {
        return Err(PropError::EmptyKey);
    }
    let chars = key.chars().count();
    if chars > MAX_KEY_CHARS {
        let start = key.chars().take(SHOWN_KEY_CHARS).collect();
        return Err(PropError::KeyTooLong { start, chars });
    }
    if key.chars().any(char::is_control) {
        return Err(PropError::ControlInKey { key: key.into_owned() });
    }
    Ok(key)
}

/// Canonical form without judging length or characters: for lookups.
pub(super) fn squeeze(raw: &str) -> Cow<'_, str> {
    let trimmed = raw.trim_matches('/');
    if !trimmed.contains("//") {
        return Cow::Borrowed(trimmed);
    }
    let segments: Vec<_> = trimmed.split('/').filter(|segment| !segment.is_empty()).collect();
    Cow::Owned(segments.join("/"))
}

/// Whether the value must not be shown in texts, logs or errors.
#[must_use]
pub fn is_secret(key: &str) -> bool {
    const SECRET_NAMES: [&str; 4] = ["Passphrase", "UserPassword", "shared-secret", "tls-privkey"];
    let last = key.rsplit('/').next().unwrap_or(key);
    SECRET_NAMES.contains(&last) || key.starts_with("SED/") || key.starts_with("encrypted/")
}

/// Whether it holds a key, encrypted: in records and exports alone.
#[must_use]
pub fn is_key_material(key: &str) -> bool {
    key == "Encryption/Passphrase" || key.starts_with("encrypted/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_squeezed() {
        for (raw, path) in
            [("a", "a"), ("/a", "a"), ("a/b", "a/b"), ("//a///b//", "a/b"), ("Aux/x y", "Aux/x y"), ("Aux/é", "Aux/é")]
        {
            assert_eq!(key_path(raw).expect(raw), path);
        }
        assert!(matches!(key_path("a/b"), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn bad_paths_are_refused() {
        for raw in ["", "/", "///"] {
            assert_eq!(key_path(raw), Err(PropError::EmptyKey));
        }
        assert!(matches!(key_path("a\nb"), Err(PropError::ControlInKey { .. })));
        let longest = "é".repeat(MAX_KEY_CHARS);
        assert!(key_path(&longest).is_ok());
        let error = key_path(&format!("{longest}x")).expect_err("one too many");
        assert_eq!(error, PropError::KeyTooLong { start: "é".repeat(40), chars: 257 });
    }

    #[test]
    fn length_counts_after_squeezing() {
        assert!(key_path(&format!("{}a", "/".repeat(1000))).is_ok());
    }

    #[test]
    fn secrets_are_known() {
        for key in [
            "Encryption/Passphrase",
            "StorDriver/RemoteSpdk/UserPassword",
            "SED/dev/sda",
            "DrbdOptions/Net/shared-secret",
        ] {
            assert!(is_secret(key), "{key}");
        }
        assert!(!is_secret("StorDriver/RemoteSpdk/UserPasswordEnv"));
        assert!(!is_secret("Aux/Passphrases"));
        for key in ["Encryption/Passphrase", "encrypted/masterkey"] {
            assert!(is_secret(key) && is_key_material(key), "{key}");
        }
        assert!(!is_key_material("DrbdOptions/Net/shared-secret") && !is_key_material("Aux/encrypted/x"));
    }
}
