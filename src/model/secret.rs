//! A text that nobody may read in a log, and that is overwritten when nobody needs it any more. Never prints what it
//! holds; whoever needs it says so with `expose`.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A secret. Its `Debug` shows nothing of it, not even its length; its memory is zeroed when it is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for handing on. Never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::command::{Command, DefinitionCommand, Naming, NewDefinition};
    use crate::model::definition::DrbdDefinition;
    use crate::model::props::PropsModify;
    use crate::model::testkit::rsc;

    #[test]
    fn it_is_stored_as_it_is_and_printed_as_nothing() {
        let secret = Secret::new("hunter2");
        assert_eq!((format!("{secret:?}").as_str(), secret.expose()), ("***", "hunter2"));
        assert_eq!(serde_json::to_string(&secret).ok().as_deref(), Some("\"hunter2\""));
        assert_eq!(serde_json::from_str::<Secret>("\"hunter2\"").ok(), Some(secret));
    }

    #[test]
    fn neither_a_command_nor_a_record_shows_its_secrets() {
        let mut props = PropsModify::default();
        props.override_props.insert("DrbdOptions/Net/shared-secret".to_owned(), "hunter1".to_owned());
        let command = Command::Definition(DefinitionCommand::Create(NewDefinition {
            name: Naming::Name(rsc("web")),
            group: None,
            layers: None,
            props,
            peer_slots: None,
            secret: Some(Secret::new("hunter2")),
        }));
        let record = DrbdDefinition { peer_slots: 7, secret: Secret::new("hunter3") };
        let text = format!("{command:?} {record:?}");
        assert!(text.contains("web") && text.contains("***") && !text.contains("hunter"), "{text}");
    }
}
