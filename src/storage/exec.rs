//! Runs external commands: an argument array, never a shell; capped output; time-outs in three steps.
//!
//! It never retries and never interprets output. A child that does not even die of SIGKILL is reported and left alone,
//! and opens the [`Breaker`] of its resource, so that no further child joins it in the kernel.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::model::report::Problem;

/// Most bytes of one output stream that are kept; no command that is run here says more in good health.
const OUTPUT_BYTES_MAX: u64 = 4 << 20;
/// Most characters of an output that an error repeats.
const ERROR_OUTPUT_CHARS: usize = 2000;
/// How long a dead child's pipes may stay open, held by a grandchild.
const PIPE_GRACE: Duration = Duration::from_secs(1);

/// How long a command may take; the defaults are LINSTOR's (facts: `satellite.md` §0).
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until SIGTERM.
    pub wait: Duration,
    /// From there until SIGKILL.
    pub term: Duration,
    /// From there until the child is given up.
    pub kill: Duration,
    /// Without any I/O until SIGTERM, for commands that are watched by progress.
    pub io_stall: Duration,
    /// Between two looks at a child's I/O.
    pub io_poll: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(45),
            term: Duration::from_secs(15),
            kill: Duration::from_secs(5),
            io_stall: Duration::from_secs(45),
            io_poll: Duration::from_secs(2),
        }
    }
}

/// What ends a command that does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The clock.
    Clock,
    /// The clock, later than usual: for what writes for long, and not under its own name.
    AtMost(Duration),
    /// No bytes read or written for a while; for commands whose time depends on the size of a disk.
    IoProgress,
}

/// A command to be run.
#[derive(Debug, Clone)]
pub struct CommandLine {
    /// The program, looked up in `PATH`.
    pub program: String,
    /// Its arguments. Never a secret.
    pub args: Vec<String>,
    /// What it reads; `/dev/null` without. Secrets go here.
    pub stdin: Option<Input>,
    /// Variables of its environment beside those of this process.
    pub env: &'static [(&'static str, &'static str)],
    /// What ends it.
    pub patience: Patience,
}

/// What a command reads: never printed, and zeroed after use.
#[derive(Clone)]
pub struct Input(Zeroizing<Vec<u8>>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl CommandLine {
    /// A command with these arguments, without input, ended by the clock.
    pub fn new<S: Into<String>>(program: &str, args: impl IntoIterator<Item = S>) -> Self {
        Self {
            program: program.to_owned(),
            args: args.into_iter().map(Into::into).collect(),
            stdin: None,
            env: &[],
            patience: Patience::Clock,
        }
    }

    /// The same, ended by a lack of I/O.
    #[must_use]
    pub fn by_progress(mut self) -> Self {
        self.patience = Patience::IoProgress;
        self
    }

    /// The same, with input.
    #[must_use]
    pub fn with_stdin(mut self, bytes: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        self.stdin = Some(Input(bytes.into()));
        self
    }

    /// The same, with variables in its environment.
    #[must_use]
    pub fn with_env(mut self, env: &'static [(&'static str, &'static str)]) -> Self {
        self.env = env;
        self
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)?;
        for arg in &self.args {
            let plain = !arg.is_empty() && !arg.contains(|c: char| c.is_whitespace() || "'\"\\$".contains(c));
            if plain {
                write!(f, " {arg}")?;
            } else {
                write!(f, " '{}'", arg.escape_default())?;
            }
        }
        Ok(())
    }
}

/// What a command said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit code; 128 and the signal's number when a signal ended it.
    pub code: i32,
    /// Standard output; bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

/// Why a command gave no good result.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// It could not be started.
    #[error("{command} cannot be started")]
    Spawn {
        /// The command line.
        command: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// It ended with another code than 0.
    #[error("{command} failed with exit code {}", output.code)]
    Exit {
        /// The command line.
        command: String,
        /// What it said.
        output: Output,
    },
    /// It took too long and was ended.
    #[error("{command} was ended after {seconds} s")]
    TimedOut {
        /// The command line.
        command: String,
        /// How long it had run.
        seconds: u64,
    },
    /// It took too long and cannot be killed: it hangs in the kernel.
    #[error("{command} hangs in the kernel as process {pid} and cannot be killed")]
    Unkillable {
        /// The command line.
        command: String,
        /// The child.
        pid: u32,
    },
    /// It said more than is kept.
    #[error("{command} printed more than {OUTPUT_BYTES_MAX} bytes")]
    TooMuchOutput {
        /// The command line.
        command: String,
    },
    /// An earlier command of the same resource hangs in the kernel.
    #[error("{command} is not started while {hanging} earlier commands of this resource hang in the kernel")]
    Broken {
        /// The command line.
        command: String,
        /// How many hang.
        hanging: u32,
    },
}

impl ExecError {
    /// The error for people; `message` says what was to be reached.
    #[must_use]
    pub fn into_problem(self, message: impl Into<String>) -> Problem {
        let correction = match &self {
            Self::Spawn { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "Install the program on the node, or take an image that has it."
            }
            Self::Spawn { .. } => "Look at the limits of the node for processes and memory.",
            Self::Exit { .. } => "See the command's own words; it is tried again.",
            Self::TimedOut { .. } => {
                "Look whether the disk answers; ExtCmd/WaitTimeout and ExtCmd/IoStallTimeout give it more time."
            }
            Self::Unkillable { .. } | Self::Broken { .. } => {
                "The disk or a driver does not answer: see the kernel log. When the hanging processes end, it is tried \
                 again; a node whose kernel is stuck must be restarted."
            }
            Self::TooMuchOutput { .. } => "Run the command by hand and see what it prints.",
        };
        let cause = match &self {
            Self::Spawn { source, .. } => format!("{self}: {source}"),
            Self::Exit { output, .. } => {
                let last = output.stderr.lines().rfind(|line| !line.trim().is_empty());
                format!("{self}: {}", last.unwrap_or("it says no reason"))
            }
            _ => self.to_string(),
        };
        let details = match &self {
            Self::Exit { command, output } => format!(
                "command: {command}\nexit code: {}\nstdout: {}\nstderr: {}",
                output.code,
                cut(&output.stdout),
                cut(&output.stderr)
            ),
            _ => String::new(),
        };
        Problem { message: message.into(), cause, correction: correction.to_owned(), details }
    }
}

fn cut(text: &str) -> &str {
    match text.char_indices().nth(ERROR_OUTPUT_CHARS) {
        Some((at, _)) => &text[..at],
        None => text.trim_end(),
    }
}

/// Counts the children of one resource that hang in the kernel; while there is one, no further command starts.
#[derive(Debug, Clone, Default)]
pub struct Breaker(Arc<AtomicU32>);

impl Breaker {
    /// How many children hang.
    #[must_use]
    pub fn hanging(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Starts commands and counts them by name.
#[derive(Debug, Default)]
pub struct Exec {
    limits: Limits,
    counts: Mutex<BTreeMap<String, u64>>,
}

impl Exec {
    /// With these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, counts: Mutex::default() }
    }

    /// How often each program was started, by name.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs a command to its end. Only exit code 0 is success.
    pub async fn run(&self, line: &CommandLine, breaker: &Breaker) -> Result<Output, ExecError> {
        let output = self.run_any(line, breaker).await?;
        if output.code == 0 {
            return Ok(output);
        }
        Err(ExecError::Exit { command: line.to_string(), output })
    }

    /// Runs a command to its end; every exit code is a result.
    pub async fn run_any(&self, line: &CommandLine, breaker: &Breaker) -> Result<Output, ExecError> {
        let hanging = breaker.hanging();
        if hanging > 0 {
            let command = line.to_string();
            return Err(ExecError::Broken { command, hanging });
        }
        let mut child = self.start(line).map_err(|source| ExecError::Spawn { command: line.to_string(), source })?;
        feed(&mut child, line.stdin.clone());
        let stdout = child.stdout.take().map(collect);
        let stderr = child.stderr.take().map(collect);
        let code = match self.wait(&mut child, line).await {
            Ok(code) => code,
            Err(error) => {
                if let ExecError::Unkillable { .. } = &error {
                    leave(child, breaker.clone());
                }
                return Err(error);
            }
        };
        Ok(Output { code, stdout: text(stdout, line).await?, stderr: text(stderr, line).await? })
    }

    /// The same from a blocking thread of the runtime; never call it from an asynchronous function.
    pub fn run_blocking(&self, line: &CommandLine, breaker: &Breaker) -> Result<Output, ExecError> {
        tokio::runtime::Handle::current().block_on(self.run(line, breaker))
    }

    /// [`Exec::run_any`] from a blocking thread of the runtime.
    pub fn run_any_blocking(&self, line: &CommandLine, breaker: &Breaker) -> Result<Output, ExecError> {
        tokio::runtime::Handle::current().block_on(self.run_any(line, breaker))
    }

    fn start(&self, line: &CommandLine) -> io::Result<Child> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(line.program.clone()).or_default() += 1;
        drop(counts);
        let stdin = match line.stdin {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        };
        // A group of its own, so that what it starts ends with it.
        Command::new(&line.program)
            .args(&line.args)
            .env("LC_ALL", "C")
            .envs(line.env.iter().copied())
            // What this process may have been started with is none of theirs.
            .env_remove("MASTER_PASSPHRASE")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
    }

    async fn wait(&self, child: &mut Child, line: &CommandLine) -> Result<i32, ExecError> {
        let started = std::time::Instant::now();
        let ended = match line.patience {
            Patience::Clock => within(child, self.limits.wait).await,
            Patience::AtMost(limit) => within(child, limit.max(self.limits.wait)).await,
            Patience::IoProgress => self.while_moving(child).await,
        };
        if let Some(code) = ended {
            return Ok(code);
        }
        let seconds = started.elapsed().as_secs();
        let command = line.to_string();
        for (signal, grace) in [(Signal::SIGTERM, self.limits.term), (Signal::SIGKILL, self.limits.kill)] {
            signal_group(child, signal);
            if within(child, grace).await.is_some() {
                return Err(ExecError::TimedOut { command, seconds });
            }
        }
        let pid = child.id().unwrap_or_default();
        Err(ExecError::Unkillable { command, pid })
    }

    /// Waits as long as the child reads or writes anything.
    async fn while_moving(&self, child: &mut Child) -> Option<i32> {
        let mut last = None;
        let mut still = Duration::ZERO;
        while still < self.limits.io_stall {
            if let Some(code) = within(child, self.limits.io_poll).await {
                return Some(code);
            }
            let moved = child.id().and_then(io_bytes);
            still = if moved == last { still + self.limits.io_poll } else { Duration::ZERO };
            last = moved;
        }
        None
    }
}

async fn within(child: &mut Child, time: Duration) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    let status = tokio::time::timeout(time, child.wait()).await.ok()?.ok()?;
    Some(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
}

fn signal_group(child: &Child, signal: Signal) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        // It may have ended a moment ago.
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}

/// Bytes that a process has read and written so far.
fn io_bytes(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let number = |key: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().parse().ok()
    };
    Some(number("read_bytes:")?.wrapping_add(number("write_bytes:")?))
}

fn feed(child: &mut Child, input: Option<Input>) {
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        tokio::spawn(async move {
            // A child that does not read to the end says so by its exit code.
            let _ = stdin.write_all(&input.0).await;
        });
    }
}

fn collect(stream: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let mut bytes = Vec::new();
        // What was read until an error is what there is.
        let _ = stream.take(OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes).await;
        bytes
    })
}

async fn text(reader: Option<JoinHandle<Vec<u8>>>, line: &CommandLine) -> Result<String, ExecError> {
    let Some(reader) = reader else {
        return Ok(String::new());
    };
    let bytes = match tokio::time::timeout(PIPE_GRACE, reader).await {
        Ok(Ok(bytes)) => bytes,
        _ => Vec::new(),
    };
    if bytes.len() as u64 > OUTPUT_BYTES_MAX {
        let command = line.to_string();
        return Err(ExecError::TooMuchOutput { command });
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Leaves a child that cannot be killed; the breaker closes when it ends after all.
fn leave(mut child: Child, breaker: Breaker) {
    breaker.0.fetch_add(1, Ordering::Relaxed);
    tokio::spawn(async move {
        let _ = child.wait().await;
        breaker.0.fetch_sub(1, Ordering::Relaxed);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_reads_is_not_printed() {
        let line = CommandLine::new("cryptsetup", ["open"]).with_stdin(b"hunter2\n".to_vec());
        let text = format!("{line} {line:?}");
        assert!(text.contains("cryptsetup") && text.contains("***") && !text.contains("hunter2"), "{text}");
        let bytes = format!("{:?}", b"hunter2");
        assert!(!text.contains(bytes.trim_matches(['[', ']'])), "{text}");
    }

    fn quick() -> Exec {
        let tick = Duration::from_millis(50);
        Exec::new(Limits { wait: tick, term: tick, kill: Duration::from_secs(5), io_stall: tick * 2, io_poll: tick })
    }

    fn sh(script: &str) -> CommandLine {
        CommandLine::new("sh", ["-c", script])
    }

    #[tokio::test]
    async fn output_code_and_counts() {
        let exec = Exec::default();
        let breaker = Breaker::default();
        let line = sh("cat; echo bad >&2; exit 3").with_stdin(b"in".to_vec());
        let output = exec.run_any(&line, &breaker).await.expect("runs");
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (3, "in", "bad\n"));
        let error = exec.run(&line, &breaker).await.expect_err("code 3");
        let problem = error.into_problem("Doing it failed");
        assert!(problem.cause.contains("exit code 3: bad"), "{problem:?}");
        assert!(problem.details.contains("command: sh -c 'cat; echo bad >&2; exit 3'"), "{problem:?}");
        assert_eq!(exec.counts(), BTreeMap::from([("sh".to_owned(), 2)]));
    }

    #[tokio::test]
    async fn a_missing_program_names_the_cure() {
        let line = CommandLine::new("zea-no-such-program", ["x"]);
        let error = Exec::default().run(&line, &Breaker::default()).await.expect_err("missing");
        let problem = error.into_problem("Doing it failed");
        assert!(problem.correction.contains("Install"), "{problem:?}");
    }

    #[tokio::test]
    async fn what_ignores_sigterm_is_killed_with_its_children() {
        for line in [sh("trap '' TERM; sleep 600"), sh("trap '' TERM; sleep 600 & wait").by_progress()] {
            let error = quick().run(&line, &Breaker::default()).await.expect_err("killed");
            assert!(matches!(error, ExecError::TimedOut { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn nothing_starts_while_the_breaker_is_open() {
        let breaker = Breaker::default();
        breaker.0.fetch_add(1, Ordering::Relaxed);
        let exec = Exec::default();
        let error = exec.run(&sh("true"), &breaker).await.expect_err("open");
        assert!(matches!(error, ExecError::Broken { hanging: 1, .. }), "{error}");
        assert!(exec.counts().is_empty());
    }

    #[tokio::test]
    async fn endless_output_is_an_error() {
        let line = sh("head -c 5000000 /dev/zero");
        let error = Exec::default().run(&line, &Breaker::default()).await.expect_err("too much");
        assert!(matches!(error, ExecError::TooMuchOutput { .. } | ExecError::Exit { .. }), "{error}");
    }
}
