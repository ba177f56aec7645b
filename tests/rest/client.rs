//! A client of HTTP that can also be impolite: it sends what it is told, byte by byte, and reads what comes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::runtime::GENEROUS;

/// An answer, its body in one piece and unpacked from its chunks.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The first entry's return code and all its text.
    pub fn entry(&self) -> (i64, String) {
        let json = self.json();
        (json[0]["ret_code"].as_i64().expect("a signed return code"), json[0].to_string())
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream
}

/// Sends bytes and reads until the answer is whole by its length, or the server closes.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // A server that has refused already may have closed.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut part = [0; 64 * 1024];
    while !is_whole(&answer) {
        // A reset after the answer is an end like any other.
        match stream.read(&mut part) {
            Ok(read @ 1..) => answer.extend_from_slice(&part[..read]),
            _ => break,
        }
    }
    answer
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let length = parse_head(&bytes[..end]).1.get("content-length").and_then(|length| length.parse().ok());
    length.is_some_and(|length: usize| bytes.len() >= end + 4 + length)
}

/// One request on a connection of its own. `head` is further lines of the head.
pub fn ask(address: SocketAddr, method: &str, target: &str, head: &str, body: &str) -> Answer {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let request = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}{length}\r\n{body}");
    parse(&raw(address, request.as_bytes()))
}

pub fn get(address: SocketAddr, target: &str) -> Answer {
    ask(address, "GET", target, "", "")
}

pub fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
    let (status, headers) = parse_head(&bytes[..end]);
    let body = bytes[end + 4..].to_vec();
    let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked");
    Answer { status, headers, body: if chunked { unchunk(&body) } else { body } }
}

fn parse_head(bytes: &[u8]) -> (u16, BTreeMap<String, String>) {
    let head = String::from_utf8_lossy(bytes).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    (status, lines.filter_map(pair).collect())
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = bytes.windows(2).position(|two| two == b"\r\n").expect("a chunk's size");
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&bytes[line + 2..line + 2 + size]);
        bytes = &bytes[line + 2 + size + 2..];
    }
}
