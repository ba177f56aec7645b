//! What a fuzzer feeds with the bytes of a connection. Stands only in builds with `--cfg fuzzing`; never opens one.

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, LengthDelimitedCodec, LengthDelimitedCodecError};

use super::frame::{Frame, codec};
use super::hello::Hello;

pub use super::frame::{MAX_FRAME_BYTES, MAX_HELLO_BYTES};

/// The bytes of one connection as they arrive.
pub struct Stream {
    codec: LengthDelimitedCodec,
    bytes: BytesMut,
}

impl Stream {
    /// A connection whose frames have at most so many bytes.
    pub fn of(limit: usize) -> Self {
        let mut codec = codec();
        codec.set_max_frame_length(limit);
        Self { codec, bytes: BytesMut::new() }
    }

    /// Some bytes arrive.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame. An error ends the connection; it is whether a length above the limit was announced.
    pub fn take(&mut self) -> Result<Option<BytesMut>, bool> {
        let too_long = |error: std::io::Error| error.get_ref().is_some_and(|why| why.is::<LengthDelimitedCodecError>());
        self.codec.decode(&mut self.bytes).map_err(too_long)
    }
}

/// Reads a frame and writes it again; `None` when it cannot be read.
pub fn frame(bytes: &[u8]) -> Option<Bytes> {
    let frame = Frame::decode(bytes).ok()?;
    Some(frame.encode().expect("no longer than what was read, but for escapes"))
}

/// Reads a hello and writes it again; `None` when it is refused.
pub fn hello(bytes: &[u8]) -> Option<Bytes> {
    Hello::decode(bytes).ok().map(|hello| hello.encode())
}
