//! Keys at rest: the master key under a passphrase, and everything that is sealed with the master key, in the formats of
//! a LINSTOR database, which can so be taken over. Never draws randomness by itself and never prints what it holds.
//!
//! ```text
//! passphrase --PBKDF2-HMAC-SHA1--> key --AES-128-CFB--> master key --AES-128-CFB--> passphrases of volumes
//!             5000 rounds, salt
//! ```

mod cipher;
mod master_key;
mod padding;
mod sealed;
mod waiting;

pub use master_key::{MASTER_HASH, MASTER_KEY, MasterKey, NotOpened, PASSPHRASE_SALT, WrappedKey};
pub use sealed::Sealed;
pub use waiting::{Waiting, Want, waiting, waiting_of};

/// Whether there is a master passphrase, and whether it was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// None was ever created.
    Unset,
    /// It was not entered since the controller's start.
    Locked,
    /// The master key is known.
    Unlocked,
}

impl Lock {
    /// LINSTOR's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
        }
    }
}
