//! The bytes of a connection: a stream in pieces under the hello's limit and under the frames', then one frame and one hello
//! by themselves. No frame is above its limit, nothing above it is waited for or given memory, and what is read and written
//! is read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zea::actors::system::link::fuzzing::{MAX_FRAME_BYTES, MAX_HELLO_BYTES, Stream, frame, hello};

/// Pieces in which a stream arrives, in bytes: the smallest cut every length and every frame in two.
const PIECES: [usize; 3] = [1, 7, 4096];

/// What a stream may hold beyond its own bytes and a frame at the limit.
const SPARE_BYTES: usize = 64 << 10;

fn stream(data: &[u8], limit: usize, piece: usize) -> usize {
    let mut stream = Stream::of(limit);
    let mut frames = 0;
    for bytes in data.chunks(piece) {
        stream.feed(bytes);
        loop {
            match stream.take() {
                Ok(Some(frame)) => {
                    assert!(frame.len() <= limit, "{} bytes under a limit of {limit}", frame.len());
                    frames += 1;
                }
                Ok(None) => break,
                Err(announced) => {
                    assert!(announced, "only a length above the limit ends a stream");
                    return frames;
                }
            }
        }
    }
    frames
}

/// Reads lengths as the protocol says, to compare.
fn frames_in(mut data: &[u8], limit: usize) -> usize {
    let mut frames = 0;
    while let Some((length, rest)) = data.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        if length > limit || rest.len() < length {
            break;
        }
        data = &rest[length..];
        frames += 1;
    }
    frames
}

fuzz_target!(|data: &[u8]| {
    let piece = PIECES[data.len() % PIECES.len()];
    let spare = data.len() * 4 + SPARE_BYTES;
    let bytes = spare + MAX_HELLO_BYTES;
    let frames = zea_fuzz::memory::within(bytes, || stream(data, MAX_HELLO_BYTES, piece));
    assert_eq!(frames, frames_in(data, MAX_HELLO_BYTES));
    let frames = zea_fuzz::memory::within(spare + MAX_FRAME_BYTES, || stream(data, MAX_FRAME_BYTES, 4096));
    assert_eq!(frames, frames_in(data, MAX_FRAME_BYTES));
    if let Some(written) = zea_fuzz::memory::within(bytes, || frame(data)) {
        assert_eq!(frame(&written), Some(written.clone()), "read and written again");
    }
    if let Some(written) = zea_fuzz::memory::within(bytes, || hello(data)) {
        assert_eq!(hello(&written), Some(written.clone()), "read and written again");
    }
});
