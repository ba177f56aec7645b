//! Starts `zead` with a data folder of its own, talks to it, and leaves nothing behind, whatever happens to the test.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rigs;

/// Longer than anything may take on a busy machine; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);
const ZEAD: &str = env!("CARGO_BIN_EXE_zead");

/// Whether real volumes can be made here; else says what could not run.
pub fn can_run(what: &str) -> bool {
    match rigs::no_loop_devices() {
        None => true,
        Some(reason) => {
            rigs::not_run(what, reason);
            false
        }
    }
}

pub fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until `check` gives something.
pub fn wait_for<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A data folder; with it go its loop devices and its mount.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("zea-process-").tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn pool(&self) -> PathBuf {
        self.path().join("pool")
    }

    /// Loop devices with their backing files in the pool's folder.
    pub fn loops(&self) -> Vec<(PathBuf, PathBuf)> {
        let backing = |entry: std::fs::DirEntry| {
            let text = std::fs::read_to_string(entry.path().join("loop/backing_file")).ok()?;
            let file = PathBuf::from(text.trim_end().trim_end_matches(" (deleted)"));
            let device = Path::new("/dev").join(entry.file_name());
            file.starts_with(self.pool()).then_some((device, file))
        };
        std::fs::read_dir("/sys/block").unwrap().flatten().filter_map(backing).collect()
    }

    /// Files in the pool's folder.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.pool()).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub fn release(&self) -> Output {
        Command::new(ZEAD).args(["release", "--data"]).arg(self.path()).output().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for (device, _) in self.loops() {
            let _ = Command::new("umount").arg("-q").arg(&device).stderr(Stdio::null()).status();
            let _ = Command::new("losetup").arg("-d").arg(&device).status();
        }
        let _ = Command::new("umount").arg("-q").arg(self.pool()).stderr(Stdio::null()).status();
    }
}

/// A running `zead`; killed when dropped.
pub struct Zead {
    child: Child,
    log: PathBuf,
    pub rest: SocketAddr,
}

impl Zead {
    /// Starts a role that serves REST and waits until it answers.
    pub fn start(place: &Place, rest: SocketAddr, role: &[&str], more: &[(&str, &str)]) -> Self {
        let zead = Self::spawn(place, rest, role, more);
        wait_for("an answer of zead", || {
            let answer = zead.try_call("GET", "/v1/controller/version", None);
            assert!(answer.is_some() || zead.runs(), "zead ended at its start: {}", zead.log());
            answer
        });
        zead
    }

    pub fn standalone(place: &Place, rest: SocketAddr) -> Self {
        Self::start(place, rest, &["standalone"], &[])
    }

    /// Starts without waiting.
    pub fn spawn(place: &Place, rest: SocketAddr, role: &[&str], more: &[(&str, &str)]) -> Self {
        let log = place.path().join(format!("{}.log", role[0]));
        let out = File::options().create(true).append(true).open(&log).unwrap();
        let child = Command::new(ZEAD)
            .args(role)
            .env("ZEA_NODE__DATA", place.path())
            .env("ZEA_NODE__NAME", "alpha")
            .env("ZEA_REST__LISTEN", rest.to_string())
            .env("ZEA_STANDALONE__POOL_SIZE", "8GiB")
            .env("ZEA_LINK__HEARTBEAT", "1s")
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        Self { child, log, rest }
    }

    fn runs(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn terminate(&self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        wait_for("the end of zead", || self.child.try_wait().unwrap())
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn client(&self) -> Client {
        Client::new(self.rest)
    }

    fn try_call(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        self.client().try_call(method, path, body)
    }
}

impl Drop for Zead {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("--- the end of {}", self.log.display());
            lines.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// An answer: status and JSON.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
}

/// The two highest bits of a code say that it is an error.
const ERROR_BITS: u64 = 0xC000_0000_0000_0000;
const SEVERITY_MASK: u64 = 0xC000_0000_0000_0000;

impl Answer {
    /// Whether it says success, without an error among its entries.
    pub fn is_ok(&self) -> bool {
        let code = |entry: &Value| entry["ret_code"].as_i64().unwrap_or(0).cast_unsigned();
        let entries = self.json.as_array().map(Vec::as_slice).unwrap_or_default();
        self.status < 300 && !entries.iter().any(|entry| code(entry) & SEVERITY_MASK == ERROR_BITS)
    }

    #[track_caller]
    pub fn ok(self, what: &str) -> Self {
        assert!(self.is_ok(), "{what}: {} {}", self.status, self.json);
        self
    }
}

/// One HTTP client; each clone keeps connections of its own.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    rest: SocketAddr,
}

impl Client {
    pub fn new(rest: SocketAddr) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Self { agent: config.new_agent(), rest }
    }

    /// `None` if there was no whole answer.
    pub fn try_call(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let url = format!("http://{}{path}", self.rest);
        let request = ureq::http::Request::builder().method(method).uri(url);
        let bytes = body.map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(bytes).unwrap();
        let mut response = self.agent.run(request).ok()?;
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().ok()?;
        let json = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Some(Answer { status: response.status().as_u16(), json })
    }

    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let answer = self.try_call(method, path, body);
        answer.unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, None).json
    }

    pub fn spawn(&self, name: &str, kib: u64) -> Answer {
        let body = json!({"resource_definition_name": name, "volume_sizes": [kib]});
        self.call("POST", "/v1/resource-groups/local/spawn", Some(&body))
    }

    pub fn delete(&self, name: &str) -> Answer {
        self.call("DELETE", &format!("/v1/resource-definitions/{name}"), None)
    }

    /// Names of all definitions.
    pub fn definitions(&self) -> Vec<String> {
        names(&self.get("/v1/resource-definitions"))
    }

    /// The device of a volume, once there is one.
    pub fn device(&self, name: &str) -> Option<PathBuf> {
        let all = self.get(&format!("/v1/view/resources?resources={name}"));
        let path = all[0]["volumes"][0]["device_path"].as_str()?;
        Some(PathBuf::from(path)).filter(|path| path.exists())
    }

    pub fn is_online(&self, node: &str) -> bool {
        let nodes = self.try_call("GET", "/v1/nodes", None).map(|answer| answer.json).unwrap_or_default();
        let online = |found: &Value| found["name"] == node && found["connection_status"] == "ONLINE";
        nodes.as_array().is_some_and(|nodes| nodes.iter().any(online))
    }
}

pub fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|entry| entry["name"].as_str().map(str::to_owned)).collect()
}

/// Fills the beginning of a device; gives what has to be there later.
pub fn fill(device: &Path, seed: u64) -> Vec<u8> {
    use std::io::Write;
    let mut random = fastrand::Rng::with_seed(seed);
    let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(1 << 20).collect();
    let mut open = File::options().write(true).open(device).unwrap();
    open.write_all(&bytes).unwrap();
    open.sync_all().unwrap();
    bytes
}

pub fn content(device: &Path, length: usize) -> Vec<u8> {
    use std::io::Read;
    let mut bytes = vec![0; length];
    File::open(device).unwrap().read_exact(&mut bytes).unwrap();
    bytes
}
