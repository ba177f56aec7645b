//! The text of a panic's payload.

use std::any::Any;

/// What was given to `panic!`, or a fixed text for payloads that are not text.
pub(super) fn text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        return (*text).to_owned();
    }
    payload.downcast_ref::<String>().cloned().unwrap_or_else(|| "panic without a text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn payloads_are_told() {
        let caught = |f: fn()| std::panic::catch_unwind(f).unwrap_err();
        assert_eq!(text(caught(|| std::panic::panic_any("plain")).as_ref()), "plain");
        assert_eq!(text(caught(|| std::panic::panic_any(String::from("owned"))).as_ref()), "owned");
        assert_eq!(text(caught(|| std::panic::panic_any(7_u8)).as_ref()), "panic without a text");
    }
}
