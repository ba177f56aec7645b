//! What a caller is told: notes about what was done, and refusals with cause, correction and details.

use super::code::{Kind, ObjectKind, Operation};

/// One entry of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Success, info, warning or error.
    pub kind: Kind,
    /// Code of `model::code`, without kind, operation and object.
    pub code: u16,
    /// Operation, where it differs from that of the request.
    pub operation: Option<Operation>,
    /// Object, where it differs from that of the request.
    pub object: Option<ObjectKind>,
    /// What happened.
    pub message: String,
    /// Why.
    pub cause: Option<String>,
    /// What helps.
    pub correction: Option<String>,
    /// More, in lines.
    pub details: Option<String>,
    /// Objects that it is about: LINSTOR's keys (`Node`, `RscDfn`, ...) and names.
    pub refs: Vec<(&'static str, String)>,
}

impl Note {
    /// An entry with a message only.
    pub fn new(kind: Kind, code: u16, message: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            operation: None,
            object: None,
            message: message.into(),
            cause: None,
            correction: None,
            details: None,
            refs: Vec::new(),
        }
    }

    /// It was done.
    pub fn success(code: u16, message: impl Into<String>) -> Self {
        Self::new(Kind::Success, code, message)
    }

    /// A notice.
    pub fn info(code: u16, message: impl Into<String>) -> Self {
        Self::new(Kind::Info, code, message)
    }

    /// A warning.
    pub fn warning(code: u16, message: impl Into<String>) -> Self {
        Self::new(Kind::Warn, code, message)
    }

    /// With its cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// With what helps.
    #[must_use]
    pub fn cure(mut self, correction: impl Into<String>) -> Self {
        self.correction = Some(correction.into());
        self
    }

    /// With details.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// With an object that it is about.
    #[must_use]
    pub fn about(mut self, key: &'static str, name: impl ToString) -> Self {
        self.refs.push((key, name.to_string()));
        self
    }

    /// About another kind of object, or another operation, than the request.
    #[must_use]
    pub fn of(mut self, operation: Operation, object: ObjectKind) -> Self {
        self.operation = Some(operation);
        self.object = Some(object);
        self
    }
}

/// The caller's fault: nothing was changed. The first entry is the error; others may explain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.note.message)]
pub struct Refusal {
    /// The error.
    pub note: Box<Note>,
}

impl Refusal {
    /// An error with code and message.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self { note: Box::new(Note::new(Kind::Error, code, message)) }
    }

    /// With its cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.note.cause = Some(cause.into());
        self
    }

    /// With what helps.
    #[must_use]
    pub fn cure(mut self, correction: impl Into<String>) -> Self {
        self.note.correction = Some(correction.into());
        self
    }

    /// With details.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.note.details = Some(details.into());
        self
    }

    /// With an object that it is about.
    #[must_use]
    pub fn about(mut self, key: &'static str, name: impl ToString) -> Self {
        self.note.refs.push((key, name.to_string()));
        self
    }

    /// About another kind of object, or another operation, than the request.
    #[must_use]
    pub fn of(mut self, operation: Operation, object: ObjectKind) -> Self {
        *self.note = self.note.of(operation, object);
        self
    }
}
