//! Frames: a length in four bytes, big-endian, then JSON with named fields. Never allocates for a length above the
//! limit of the moment, never panics on foreign bytes, ignores what a newer peer adds.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio_util::codec::LengthDelimitedCodec;

use super::metrics::Refusal;
use crate::actors::system::message::AskError;

/// The largest frame: ten thousand resources' whole desired state are some 30 MiB.
pub const MAX_FRAME_BYTES: usize = 64 << 20;

/// The largest frame before the peer is known: a hello is a few hundred bytes.
pub const MAX_HELLO_BYTES: usize = 16 << 10;

/// What a frame is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Heartbeat,
    Tell,
    Call,
    Answer,
    /// Of a newer peer: ignored.
    #[serde(other)]
    Unknown,
}

/// One frame after the hello.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Frame {
    pub kind: Kind,
    /// Of a call, and of its answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub id: u64,
    /// The exported name of the receiver.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// How long the caller waits, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deadline_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the shape that serde calls
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    pub code: FailureCode,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailureCode {
    Deadline,
    Closed,
    Dropped,
    Overloaded,
    LinkDown,
    #[serde(other)]
    Refused,
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        let (code, text) = match error {
            AskError::Deadline => (FailureCode::Deadline, String::new()),
            AskError::Closed => (FailureCode::Closed, String::new()),
            AskError::Dropped => (FailureCode::Dropped, String::new()),
            AskError::Overloaded => (FailureCode::Overloaded, String::new()),
            AskError::LinkDown => (FailureCode::LinkDown, String::new()),
            AskError::Refused(text) => (FailureCode::Refused, text),
        };
        Self { code, text }
    }
}

impl From<Failure> for AskError {
    fn from(failure: Failure) -> Self {
        match failure.code {
            FailureCode::Deadline => Self::Deadline,
            FailureCode::Closed => Self::Closed,
            FailureCode::Dropped => Self::Dropped,
            FailureCode::Overloaded => Self::Overloaded,
            FailureCode::LinkDown => Self::LinkDown,
            FailureCode::Refused => Self::Refused(failure.text),
        }
    }
}

impl Frame {
    pub fn new(kind: Kind) -> Self {
        Self { kind, id: 0, to: String::new(), deadline_ms: 0, body: None, failure: None }
    }

    pub fn answer(id: u64, result: Result<Box<RawValue>, AskError>) -> Self {
        let (body, failure) = match result {
            Ok(body) => (Some(body), None),
            Err(error) => (None, Some(error.into())),
        };
        Self { id, body, failure, ..Self::new(Kind::Answer) }
    }

    /// The frame without its length.
    ///
    /// # Errors
    /// It would be larger than [`MAX_FRAME_BYTES`].
    pub fn encode(&self) -> Result<Bytes, AskError> {
        let bytes = serde_json::to_vec(self).map_err(|error| AskError::Refused(error.to_string()))?;
        if bytes.len() > MAX_FRAME_BYTES {
            let text = format!("a message of {} bytes is larger than a link carries ({MAX_FRAME_BYTES})", bytes.len());
            return Err(AskError::Refused(text));
        }
        Ok(bytes.into())
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(bytes).map_err(|error| Refusal::Malformed(error.to_string()))
    }
}

/// The codec of a connection whose peer is not known yet.
pub(super) fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().length_field_length(4).max_frame_length(MAX_HELLO_BYTES).new_codec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use tokio_util::codec::Decoder;

    #[test]
    fn a_frame_comes_back_as_it_went() {
        let body = RawValue::from_string(r#"{"x":[1,2]}"#.into()).unwrap();
        let frame =
            Frame { id: 7, to: "satellite".into(), deadline_ms: 50, body: Some(body), ..Frame::new(Kind::Call) };
        let bytes = frame.encode().unwrap();
        assert_eq!(bytes, r#"{"kind":"call","id":7,"to":"satellite","deadline_ms":50,"body":{"x":[1,2]}}"#);
        let back = Frame::decode(&bytes).unwrap();
        assert_eq!((back.kind, back.id, back.body.unwrap().get()), (Kind::Call, 7, r#"{"x":[1,2]}"#));
    }

    #[test]
    fn what_a_newer_peer_adds_is_ignored() {
        let frame = Frame::decode(br#"{"kind":"teleport","shape":{"a":1},"id":3}"#).unwrap();
        assert_eq!((frame.kind, frame.id), (Kind::Unknown, 3));
        let failure: Failure = serde_json::from_str(r#"{"code":"tired","text":"later"}"#).unwrap();
        assert_eq!(AskError::from(failure), AskError::Refused("later".into()));
    }

    #[test]
    fn every_ask_error_crosses() {
        let refused = AskError::Refused("no".into());
        let all = [
            AskError::Deadline,
            AskError::Closed,
            AskError::Dropped,
            AskError::Overloaded,
            AskError::LinkDown,
            refused,
        ];
        for error in all {
            let bytes = Frame::answer(1, Err(error.clone())).encode().unwrap();
            assert_eq!(AskError::from(Frame::decode(&bytes).unwrap().failure.unwrap()), error);
        }
    }

    #[test]
    fn foreign_bytes_are_refused_without_a_panic() {
        let mut deep = vec![b'['; 100_000];
        deep.splice(0..0, br#"{"kind":"tell","body":"#.iter().copied());
        let cases: [&[u8]; 6] = [b"", b"{}", b"[1]", b"\xff\x00", br#"{"kind":"tell","id":-1}"#, &deep];
        for bytes in cases {
            assert!(matches!(Frame::decode(bytes), Err(Refusal::Malformed(_))));
        }
        let mut seed = fastrand::Rng::with_seed(3);
        let good = br#"{"kind":"call","id":7,"to":"a","body":{"x":1}}"#;
        for _ in 0..2000 {
            let mut bytes = good.to_vec();
            bytes[seed.usize(..good.len())] = seed.u8(..);
            let _ = Frame::decode(&bytes); // any result, no panic
        }
    }

    #[test]
    fn a_gibibyte_header_is_refused_and_given_no_memory() {
        for limit in [MAX_HELLO_BYTES, MAX_FRAME_BYTES] {
            let mut codec = codec();
            codec.set_max_frame_length(limit);
            let mut bytes = BytesMut::from(&(1_u32 << 30).to_be_bytes()[..]);
            assert!(codec.decode(&mut bytes).is_err());
            assert!(bytes.capacity() < 4096);
        }
    }
}
