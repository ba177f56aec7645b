//! Commands on nodes: the rig's end of what `tests/rigs/uml/init.sh` says of connections. It never retries.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::network::OUTSIDE;

/// Most bytes of output that are kept.
const OUTPUT_BYTES_MAX: usize = 8 << 20;
/// How long a node may take to say who it is, once connected.
const HELLO: Duration = Duration::from_secs(5);

/// What a command said, and its exit code.
#[derive(Debug, Clone)]
pub struct Output {
    pub code: i32,
    pub text: String,
}

impl Output {
    /// The text of a command that succeeded.
    pub fn ok(self, command: &str) -> Result<String, String> {
        if self.code == 0 { Ok(self.text) } else { Err(format!("'{command}' ended with {}: {}", self.code, self.text)) }
    }
}

/// Connections of one node: of its latest boot, waiting for a command, and with a command under way.
#[derive(Default)]
struct Lines {
    boot: u32,
    idle: Vec<TcpStream>,
    busy: Vec<TcpStream>,
}

/// All nodes' connections.
#[derive(Clone, Default)]
pub struct Agents {
    nodes: Arc<(Mutex<BTreeMap<String, Lines>>, Condvar)>,
}

impl Agents {
    /// Listens in this thread's network; gives the address as bash writes it, `IP/PORT`.
    pub fn listen(&self) -> Result<String, String> {
        let listener = TcpListener::bind((OUTSIDE, 0)).map_err(|error| format!("no port for the nodes: {error}"))?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let agents = self.clone();
        // It ends with its test's process: accepting cannot be called off.
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| agents.welcome(stream)));
        Ok(format!("{OUTSIDE}/{port}"))
    }

    fn welcome(&self, mut stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(HELLO));
        let _ = stream.set_nodelay(true);
        let mut hello = Vec::new();
        let mut byte = [0];
        while stream.read_exact(&mut byte).is_ok() && byte[0] != 0 && hello.len() < 256 {
            hello.push(byte[0]);
        }
        let hello = String::from_utf8_lossy(&hello).into_owned();
        let Some((node, boot)) = hello.split_once(' ') else { return };
        let mut nodes = self.nodes.0.lock().unwrap();
        if let Some(lines) = nodes.get_mut(node).filter(|lines| lines.boot.to_string() == boot) {
            lines.idle.push(stream);
            self.nodes.1.notify_all();
        }
    }

    /// From now on, only connections of this boot of a node count; those of an earlier one end, with their commands.
    pub fn expect(&self, node: &str, boot: u32) {
        let mut nodes = self.nodes.0.lock().unwrap();
        let old = nodes.insert(node.to_owned(), Lines { boot, ..Lines::default() });
        for stream in old.into_iter().flat_map(|lines| lines.idle.into_iter().chain(lines.busy)) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Waits until a node takes commands, or `ended` says why it will not.
    pub fn ready(&self, node: &str, within: Duration, ended: impl Fn() -> Option<String>) -> Result<(), String> {
        let until = Instant::now() + within;
        let mut nodes = self.nodes.0.lock().unwrap();
        while nodes.get(node).is_none_or(|lines| lines.idle.is_empty()) {
            if let Some(why) = ended() {
                return Err(format!("{node} did not boot: {why}"));
            }
            if Instant::now() > until {
                return Err(format!("{node} took no command within {within:?}"));
            }
            nodes = self.nodes.1.wait_timeout(nodes, Duration::from_millis(100)).unwrap().0;
        }
        Ok(())
    }

    fn take(&self, node: &str, until: Instant) -> Result<TcpStream, String> {
        let mut nodes = self.nodes.0.lock().unwrap();
        loop {
            let lines = nodes.get_mut(node).ok_or_else(|| format!("{node} was not booted"))?;
            if let Some(stream) = lines.idle.pop() {
                lines.busy.push(stream.try_clone().map_err(|error| error.to_string())?);
                return Ok(stream);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("{node} takes no command"));
            }
            nodes = self.nodes.1.wait_timeout(nodes, left).unwrap().0;
        }
    }

    fn give_back(&self, node: &str, stream: &TcpStream) {
        let ours = stream.peer_addr().ok();
        if let Some(lines) = self.nodes.0.lock().unwrap().get_mut(node) {
            lines.busy.retain(|busy| busy.peer_addr().ok() != ours);
        }
    }

    /// Runs a command of bash on a node. Without an answer in time the command goes on there, and this does not.
    pub fn run(&self, node: &str, command: &str, within: Duration) -> Result<Output, String> {
        let until = Instant::now() + within;
        let mut stream = self.take(node, until)?;
        let answer = converse(&mut stream, command, until);
        self.give_back(node, &stream);
        answer.map_err(|why| format!("{node}: {why}: {command}"))
    }
}

fn converse(stream: &mut TcpStream, command: &str, until: Instant) -> Result<Output, String> {
    stream.write_all(&[command.as_bytes(), &[0]].concat()).map_err(|error| format!("the node is gone ({error})"))?;
    let mut all = Vec::new();
    let mut block = vec![0; 64 << 10];
    loop {
        if let Some(output) = whole(&all) {
            return Ok(output);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("no end of the command in time".to_owned());
        }
        let _ = stream.set_read_timeout(Some(left));
        match stream.read(&mut block) {
            Ok(0) => return Err("the node ended meanwhile".to_owned()),
            Ok(length) if all.len() < OUTPUT_BYTES_MAX => all.extend_from_slice(&block[..length]),
            Ok(_) => return Err("too much output".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("no end of the command: {error}")),
        }
    }
}

/// Output, `\0`, the code, `\0`.
fn whole(bytes: &[u8]) -> Option<Output> {
    let rest = bytes.strip_suffix(&[0])?;
    let at = rest.iter().rposition(|byte| *byte == 0)?;
    let code = std::str::from_utf8(&rest[at + 1..]).ok()?.parse().ok()?;
    Some(Output { code, text: String::from_utf8_lossy(&rest[..at]).into_owned() })
}

#[test]
fn an_answer_ends_with_its_code() {
    let text = |bytes: &[u8]| whole(bytes).map(|output| (output.code, output.text));
    assert_eq!(text(b"hello\n\x000\x00"), Some((0, "hello\n".to_owned())));
    assert_eq!(text(b"\x00127\x00"), Some((127, String::new())));
    assert_eq!(text(b"a\x00b\x001\x00"), Some((1, "a\0b".to_owned())));
    assert_eq!((text(b"hello\n"), text(b"hello\n\x00"), text(b"")), (None, None, None));
}
