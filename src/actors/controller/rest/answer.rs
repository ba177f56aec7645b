//! Answers out of what the cluster decided: entries with their bits, moment and status. Shared by reads and mutations.

use super::{Reply, ReplyBody};
use crate::model::refusal::{Note, Refusal};
use crate::protocols::rest::body::BodyError;
use crate::protocols::rest::rc::{self, ApiCallRc};
use crate::protocols::rest::render::entries::{Context, entries_of};
use crate::protocols::rest::routes;

/// The answer to `operation` (its name in the table of routes) out of what was done.
///
/// Operation and object bits are those of the route, unless a note names its own; the first error decides the status,
/// without one it is the route's. Without any note a success is made up: an answer is never an empty list.
#[must_use]
pub fn answer_of(operation: &str, notes: Vec<Note>) -> Reply {
    let route = routes::all().find(|route| route.operation == operation);
    answer_with(route.and_then(Context::of), route.map_or(200, |route| route.status), &notes)
}

/// As [`answer_of`], with bits and status of success given.
#[must_use]
pub fn answer_with(context: Option<Context>, success: u16, notes: &[Note]) -> Reply {
    rc_reply(entries_of(context, notes, &now_text()), success)
}

/// The answer to `operation` when it was refused.
#[must_use]
pub fn refusal(operation: &str, refusal: Refusal) -> Reply {
    answer_of(operation, vec![*refusal.note])
}

/// The answer to a body that cannot be read: status 400.
#[must_use]
pub fn parse_failure(error: &BodyError) -> Reply {
    Reply { status: 400, body: ReplyBody::Rc(vec![rc::unreadable_body(error, &now_text())]) }
}

/// Entries, with the status of the first error or `success`.
#[must_use]
pub fn rc_reply(entries: Vec<ApiCallRc>, success: u16) -> Reply {
    Reply { status: rc::http_status(&entries, success), body: ReplyBody::Rc(entries) }
}

/// This moment, as `created_at` wants it: ISO 8601 with milliseconds and offset.
#[must_use]
pub fn now_text() -> String {
    let now = jiff::Zoned::new(jiff::Timestamp::now(), jiff::tz::TimeZone::UTC);
    now.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code;

    #[test]
    fn the_moment_has_milliseconds_and_offset() {
        let text = now_text();
        assert_eq!((text.len(), &text[10..11], &text[19..20]), (29, "T", "."), "{text}");
        assert!(text.ends_with("+00:00"), "{text}");
    }

    #[test]
    fn a_refusal_has_the_bits_of_its_route() {
        let reply = refusal("resourceDefinitionCreate", Refusal::new(code::FAIL_EXISTS_RSC_DFN, "res1 is taken"));
        assert_eq!(reply.status, 500);
        let ReplyBody::Rc(entries) = reply.body else { panic!("entries") };
        assert_eq!(entries[0].ret_code, -4611686018406940171);
    }

    #[test]
    fn success_has_the_status_of_its_route() {
        let created = answer_of("nodeAdd", vec![Note::success(code::CREATED, "node alpha added")]);
        assert_eq!(created.status, 201);
        let nothing = answer_of("nodeDelete", Vec::new());
        let ReplyBody::Rc(entries) = nothing.body else { panic!("entries") };
        assert_eq!((nothing.status, entries.len()), (200, 1));
    }
}
