//! The master passphrase on the wire. Entering it is a body of one JSON text, which needs no shape. Never prints one.

use super::shape::Secret;

shapes! {
    /// Sets the master passphrase.
    PassPhraseCreate {
        must {
            /// The new one.
            new_passphrase: Secret,
        }
        may {
            /// The one in force, when it is to be changed.
            old_passphrase: Option<Secret>,
        }
    }

    /// Whether there is a master passphrase and whether it was entered.
    PassphraseStatus {
        must {
            /// `unset`, `locked` or `unlocked`.
            status: String,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::read;
    use super::*;

    #[test]
    fn a_passphrase_does_not_show() {
        let create: PassPhraseCreate = read(br#"{"new_passphrase":"hunter2","old_passphrase":"hunter1"}"#).unwrap();
        assert_eq!(create.new_passphrase.expose(), "hunter2");
        let shown = format!("{create:?}");
        assert!(!shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn entering_is_a_bare_text() {
        assert_eq!(read::<Secret>(br#""secret""#), Ok(Secret::new("secret")));
        assert!(read::<Secret>(b"{}").is_err());
    }
}
