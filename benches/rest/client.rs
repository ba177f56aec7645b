//! A client as light as it can be: it shares the machine's cores with what it measures. One keep-alive connection, one
//! request at a time. It reads just enough of HTTP/1.1 for the answers of one server.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes; a hang fails the bench instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// A connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    at: usize,
}

/// An answer. Its body is kept only when it was an error, or small.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Bytes of the body.
    pub bytes: usize,
    /// The body's beginning.
    pub text: String,
}

/// How much of a body is kept.
const KEPT: usize = 2000;

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; CHUNK], filled: 0, at: 0 })
    }

    /// One call.
    pub fn call(&mut self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: zea\r\nContent-Length: {length}\r\n");
        let kind = if body.is_empty() { "\r\n" } else { "Content-Type: application/json\r\n\r\n" };
        self.stream.write_all([head.as_str(), kind, body].concat().as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| broken(&status))?;
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(|_| broken(&line))?;
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        let mut answer = Answer { status, bytes: 0, text: String::new() };
        if !chunked {
            self.body(length, &mut answer)?;
            return Ok(answer);
        }
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(|_| broken(&line))?;
            self.body(size, &mut answer)?;
            self.line()?;
            if size == 0 {
                return Ok(answer);
            }
        }
    }

    fn body(&mut self, length: usize, answer: &mut Answer) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            if self.at == self.filled {
                self.fill()?;
            }
            let part = &self.buffer[self.at..self.filled.min(self.at + left)];
            if answer.text.len() < KEPT {
                answer.text.push_str(&String::from_utf8_lossy(&part[..part.len().min(KEPT)]));
            }
            left -= part.len();
            self.at += part.len();
        }
        answer.bytes += length;
        Ok(())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            if self.at == self.filled {
                self.fill()?;
            }
            let byte = self.buffer[self.at];
            self.at += 1;
            match byte {
                b'\n' => break,
                b'\r' => {}
                _ => line.push(byte),
            }
        }
        String::from_utf8(line).map_err(|_| broken("no text"))
    }

    fn fill(&mut self) -> io::Result<()> {
        self.filled = self.stream.read(&mut self.buffer)?;
        self.at = 0;
        if self.filled == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not an answer that is understood: {what}"))
}
