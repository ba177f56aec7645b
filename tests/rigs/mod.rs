//! What tests that use real devices ask of the machine, how they say that it cannot be had, and what long series did. It installs nothing itself:
//! `tests/rigs/install.sh` does, before the tests.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where `make test` collects what could not run. Without it the reason goes to standard error.
const NOT_RUN: &str = "ZEA_NOT_RUN";

/// Says that `what` could not run here and why; the caller returns from its test. Only for what the machine lacks and the
/// install script cannot bring, such as root or loop devices: a missing program is a failure, not a reason.
pub fn not_run(what: &str, reason: impl Display) {
    let line = format!("{what}: {reason}\n");
    let path = std::env::var_os(NOT_RUN).map(PathBuf::from);
    let written = path.is_some_and(|path| append(&path, &line).is_ok());
    if !written {
        eprint!("not run: {line}");
    }
}

/// Where `make test` collects what the long series were.
const SERIES: &str = "ZEA_SERIES";

/// Tells what a long series did, in numbers and seeds: `make test` prints it at its end, and `--nocapture` at once.
pub fn series(what: &str, figures: impl Display) {
    println!("{what}: {figures}");
    if let Some(path) = std::env::var_os(SERIES).map(PathBuf::from) {
        append(&path, &format!("{what}: {figures}\n")).expect("the file of the series can be written");
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(line.as_bytes())
}

/// Why no volume of loop devices can be made here; `None` where it can.
pub fn no_loop_devices() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("needs root, for loop devices and mounts".to_owned());
    }
    let control = std::fs::OpenOptions::new().read(true).write(true).open("/dev/loop-control");
    control.err().map(|error| format!("needs loop devices: /dev/loop-control: {error}"))
}

/// Why this kernel has not the module, such as `dm_crypt`; `None` where it has.
pub fn no_module(module: &str) -> Option<String> {
    let there = Path::new("/sys/module").join(module).exists();
    (!there).then(|| format!("needs a kernel with {module}"))
}

/// A python with python-linstor, as the install script made it.
pub fn python_linstor() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python")
}

#[test]
fn what_could_not_run_is_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not-run");
    append(&path, "a: b\n").unwrap();
    append(&path, "c: d\n").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a: b\nc: d\n");
}

#[test]
fn python_linstor_loads() {
    if std::env::var_os(NOT_RUN).is_none() && !python_linstor().exists() {
        return not_run("python-linstor", "no .venv: tests/rigs/install.sh test makes it");
    }
    let loaded = std::process::Command::new(python_linstor()).args(["-c", "import linstor"]).status().unwrap();
    assert!(loaded.success());
}

#[test]
fn a_loop_device_or_a_reason() {
    match no_loop_devices() {
        Some(reason) => not_run("volumes on loop devices", reason),
        None => assert!(Path::new("/dev/loop-control").exists()),
    }
}
