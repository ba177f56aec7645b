//! Schema versions: the ordered steps that bring a body from each version to the next. It never writes: the store
//! makes a backup first, then keeps what the steps gave.

use super::record::RecordKind;

/// One step: it brings a body of the given kind from version `from` to `from + 1`; the error says why it cannot.
/// A step that does not concern a kind gives its body back as it is.
pub type Step = fn(kind: RecordKind, from: u32, body: Vec<u8>) -> Result<Vec<u8>, String>;

/// The steps to [`SCHEMA`]: the first brings schema 1 to 2. They are only ever added to.
const STEPS: &[Step] = &[];

/// The schema version that this build writes.
pub const SCHEMA: u32 = 1 + STEPS.len() as u32;

/// The schema version that a store writes, and the way there from each older one.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    steps: &'static [Step],
}

impl Default for Schema {
    fn default() -> Self {
        Schema { steps: STEPS }
    }
}

impl Schema {
    /// A schema of other steps than ours, for tests of the mechanism.
    pub fn of(steps: &'static [Step]) -> Self {
        Schema { steps }
    }

    /// The version after the last step.
    pub fn current(&self) -> u32 {
        1 + self.steps.len() as u32
    }

    /// Runs every step from version `from` on. `from` is at most [`Schema::current`].
    pub(crate) fn migrate(&self, kind: RecordKind, from: u32, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let Some(first) = from.checked_sub(1) else {
            return Err("its schema is 0, which never was".to_owned());
        };
        let mut body = body;
        for (version, step) in (1u32..).zip(self.steps).skip(first as usize) {
            body = step(kind, version, body)
                .map_err(|why| format!("it cannot be brought from schema {version} to {}: {why}", version + 1))?;
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(_: RecordKind, from: u32, mut body: Vec<u8>) -> Result<Vec<u8>, String> {
        body.push(b'0' + from as u8);
        Ok(body)
    }

    fn no_nodes(kind: RecordKind, _: u32, body: Vec<u8>) -> Result<Vec<u8>, String> {
        if kind == RecordKind::Node { Err("no nodes here".to_owned()) } else { Ok(body) }
    }

    #[test]
    fn steps_run_in_order_from_the_version_of_the_record() {
        let schema = Schema::of(&[mark, mark, mark]);
        assert_eq!(schema.current(), 4);
        for (from, result) in [(1, "x123"), (2, "x23"), (3, "x3"), (4, "x")] {
            assert_eq!(schema.migrate(RecordKind::Node, from, b"x".to_vec()), Ok(result.into()), "from {from}");
        }
    }

    #[test]
    fn a_step_that_cannot_says_which_and_why() {
        let schema = Schema::of(&[mark, no_nodes]);
        let why = schema.migrate(RecordKind::Node, 1, vec![]).unwrap_err();
        assert_eq!(why, "it cannot be brought from schema 2 to 3: no nodes here");
        assert!(schema.migrate(RecordKind::Remote, 1, vec![]).is_ok());
        assert!(schema.migrate(RecordKind::Remote, 0, vec![]).is_err());
    }

    #[test]
    fn ours_is_what_records_are_written_in() {
        assert_eq!(Schema::default().current(), SCHEMA);
    }
}
