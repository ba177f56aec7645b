//! What several decisions tell in the same words: objects that changed, objects that were not there, lists of names.

use std::fmt::Display;

use crate::model::code::*;
use crate::model::refusal::Note;

/// Names that a text lists before it only counts: enough to begin with, few enough to read.
const NAMED_AT_MOST: usize = 20;

/// An object was not there to be deleted, which is as good as deleted.
pub(super) fn already_gone(what: impl Display) -> Note {
    Note::warning(WARN_NOT_FOUND, format!("{what} not found")).because("It was deleted before, or never created")
}

/// The entry of a change: `what` was changed, or was as wanted before.
pub(super) fn modified(what: impl Display, changed: bool) -> Note {
    let text = if changed { format!("{what} modified") } else { format!("{what} is as wanted already") };
    Note::success(MODIFIED, text)
}

/// Names in one line, cut when there are many.
pub(super) fn join<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let first: Vec<String> = names.by_ref().take(NAMED_AT_MOST).map(|name| name.to_string()).collect();
    match names.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_and_counted() {
        assert_eq!(join(["a", "b"]), "a, b");
        assert_eq!(join(0..NAMED_AT_MOST).matches(", ").count(), NAMED_AT_MOST - 1);
        assert!(join(0..NAMED_AT_MOST + 3).ends_with("19 and 3 more"));
    }
}
