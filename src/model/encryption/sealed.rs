//! A secret at rest: encrypted with the master key, in Base64, as a LINSTOR database keeps it. Never holds the secret itself.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::cipher::{decrypt, encrypt};
use super::master_key::MasterKey;
use super::padding::{pad, unpad};
use crate::model::secret::Secret;
use crate::model::secret_seed::SecretDice;

/// See the module. `Debug` shows nothing of it: a record is no secret without the master key, and no text for logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// Seals a secret. `None` when it is longer than a length of two bytes can tell.
    #[must_use]
    pub fn seal(secret: &Secret, key: &MasterKey, dice: &mut SecretDice) -> Option<Self> {
        let padded = pad(secret.expose().as_bytes(), dice)?;
        Some(Self(STANDARD.encode(encrypt(key.bytes(), &padded, dice))))
    }

    /// One that was kept as text, whatever it holds.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is kept.
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// The secret. `None` when it was sealed with another key, or damaged.
    #[must_use]
    pub fn open(&self, key: &MasterKey) -> Option<Secret> {
        let plain = decrypt(key.bytes(), &STANDARD.decode(&self.0).ok()?)?;
        let text = std::str::from_utf8(unpad(&plain)?).ok()?;
        Some(Secret::new(text))
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sealed)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret_seed::SecretSeed;

    #[test]
    fn a_secret_is_opened_with_its_own_master_key_alone() {
        let mut dice = SecretSeed::repeatable(3).dice();
        let (own, other) = (MasterKey::draw(&mut dice), MasterKey::draw(&mut dice));
        for text in ["", "hunter2", "pässwörd", &"x".repeat(512)] {
            let sealed = Sealed::seal(&Secret::new(text), &own, &mut dice).unwrap();
            assert_eq!(sealed.open(&own), Some(Secret::new(text)));
            assert_eq!(sealed.open(&other), None, "{text}");
            assert!(!format!("{sealed:?} {}", sealed.as_text()).contains("hunter2"));
        }
        for damaged in ["", "not Base64!", "AAAA"] {
            assert_eq!(Sealed::from_text(damaged).open(&own), None);
        }
    }
}
