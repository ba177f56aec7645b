//! The master key: drawn once, kept under a passphrase in the controller's properties, known in memory alone while it is
//! entered. Its copies share one place, which is overwritten when the last one goes. Never printed.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::cipher::{KEY_BYTES, decrypt, encrypt};
use super::padding::{pad, unpad};
use crate::model::props::Props;
use crate::model::secret::Secret;
use crate::model::secret_seed::SecretDice;

/// Property of the controller: SHA-512 of the padded master key.
pub const MASTER_HASH: &str = "encrypted/masterhash";
/// Property of the controller: the padded master key, encrypted.
pub const MASTER_KEY: &str = "encrypted/masterkey";
/// Property of the controller: salt of the passphrase.
pub const PASSPHRASE_SALT: &str = "encrypted/passphrasesalt";

/// Rounds of the derivation: LINSTOR's, so that its databases can be read.
const ROUNDS: u32 = 5000;
/// Bytes of a fresh salt.
const SALT_BYTES: usize = 16;

/// The master key, with the filler that its hash is over.
#[derive(Clone)]
pub struct MasterKey(Arc<Inner>);

struct Inner {
    padded: Zeroizing<Vec<u8>>,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

/// Why a kept master key was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The passphrase is another one.
    #[error("the passphrase is another one")]
    Passphrase,
    /// What is kept is no such thing: not Base64, or too short.
    #[error("the properties below 'encrypted/' are damaged")]
    Damaged,
}

/// The master key as it is kept: three properties, in Base64.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    hash: String,
    key: String,
    salt: String,
}

impl MasterKey {
    /// A fresh one.
    #[must_use]
    pub fn draw(dice: &mut SecretDice) -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        dice.fill(key.as_mut());
        let padded = pad(key.as_ref(), dice).expect("sixteen bytes are not too long");
        Self(Arc::new(Inner { padded, key }))
    }

    fn of_padded(padded: Zeroizing<Vec<u8>>) -> Option<Self> {
        let key = Zeroizing::new(unpad(&padded)?.try_into().ok()?);
        Some(Self(Arc::new(Inner { padded, key })))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0.key
    }

    /// Puts it under a passphrase. The same key under another one is only these properties anew.
    #[must_use]
    pub fn wrap(&self, passphrase: &Secret, dice: &mut SecretDice) -> WrappedKey {
        let mut salt = [0; SALT_BYTES];
        dice.fill(&mut salt);
        let encrypted = encrypt(&derive(passphrase, &salt), &self.0.padded, dice);
        WrappedKey { hash: self.hash(), key: STANDARD.encode(encrypted), salt: STANDARD.encode(salt) }
    }

    fn hash(&self) -> String {
        STANDARD.encode(Sha512::digest(&*self.0.padded))
    }

    /// Whether it is the one that these properties of the controller keep.
    #[must_use]
    pub fn is_kept_in(&self, props: &Props) -> bool {
        props.get(MASTER_HASH) == Some(self.hash().as_str())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl WrappedKey {
    /// What the controller's properties keep. `None` where no passphrase was ever created.
    #[must_use]
    pub fn kept_in(props: &Props) -> Option<Self> {
        let text = |key| props.get(key).map(str::to_owned);
        Some(Self { hash: text(MASTER_HASH)?, key: text(MASTER_KEY)?, salt: text(PASSPHRASE_SALT)? })
    }

    /// The properties that keep it.
    #[must_use]
    pub fn props(&self) -> [(&'static str, &str); 3] {
        [(MASTER_HASH, &self.hash), (MASTER_KEY, &self.key), (PASSPHRASE_SALT, &self.salt)]
    }

    /// The master key, by its passphrase.
    ///
    /// # Errors
    /// Every [`NotOpened`].
    pub fn unwrap_with(&self, passphrase: &Secret) -> Result<MasterKey, NotOpened> {
        let decode = |text| STANDARD.decode(text).map_err(|_| NotOpened::Damaged);
        let (encrypted, salt) = (decode(&self.key)?, decode(&self.salt)?);
        let padded = decrypt(&derive(passphrase, &salt), &encrypted).ok_or(NotOpened::Damaged)?;
        let key = MasterKey::of_padded(padded).ok_or(NotOpened::Passphrase)?;
        if key.hash() == self.hash { Ok(key) } else { Err(NotOpened::Passphrase) }
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(wrapped)")
    }
}

/// The key of a passphrase.
fn derive(passphrase: &Secret, salt: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    pbkdf2::pbkdf2_hmac::<sha1::Sha1>(&widened(passphrase.expose()), salt, ROUNDS, key.as_mut());
    key
}

/// The bytes that LINSTOR derives from: it takes each byte of the UTF-8 text for a character of its own, and one above
/// 0x7F, being negative to it, for one of U+FF80 to U+FFFF. Plain ASCII stays what it is.
fn widened(passphrase: &str) -> Zeroizing<Vec<u8>> {
    let char_of = |byte: u8| match byte {
        0..=0x7F => char::from(byte),
        _ => char::from_u32(0xFF00 | u32::from(byte)).expect("U+FF80 to U+FFFF are no surrogates"),
    };
    // Three bytes for each at most: it is never moved, so that no copy stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(3 * passphrase.len()));
    for byte in passphrase.bytes() {
        bytes.extend_from_slice(char_of(byte).encode_utf8(&mut [0; 4]).as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests;
