//! The device mapper's own program, for what all mappings have in common.

use std::path::Path;
use std::time::{Duration, Instant};

use super::super::exec::{CommandLine, Patience};
use super::super::{devices, usage};
use super::{Runner, Site, problem};
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::protocols::dm::{Cached, cached};

/// Nodes in `/dev/mapper` are made and removed by the program itself: a container has no udev that would.
const ENV: &[(&str, &str)] = &[("DM_DISABLE_UDEV", "1")];
/// Blocks of the caching targets: a device is a multiple of it.
const PAGE: Kib = Kib::new(4);
/// 512-byte sectors in a KiB.
const SECTORS_PER_KIB: u64 = 2;
/// How often it is asked whether everything is written back.
const POLL: Duration = Duration::from_millis(100);

/// A command of dmsetup.
pub(super) fn dmsetup<S: Into<String>>(args: impl IntoIterator<Item = S>) -> CommandLine {
    CommandLine::new("dmsetup", args).with_env(ENV)
}

pub(super) fn run(site: &Site<'_>, what: &str, line: &CommandLine, runner: Runner<'_>) -> Result<String, Problem> {
    let done = runner.run(line);
    done.map(|output| output.stdout).map_err(|error| error.into_problem(site.message(what)))
}

pub(super) fn is_open(site: &Site<'_>) -> bool {
    let base = site.base.as_ref().map(|base| Path::new(&base.path));
    devices::mapping(&site.name, base).is_some()
}

/// Makes the mapping, if it is not there.
pub(super) fn create(site: &Site<'_>, table: &str, runner: Runner<'_>) -> Result<(), Problem> {
    if is_open(site) {
        return Ok(());
    }
    run(site, "cannot be opened", &dmsetup(["create", &site.name, "--table", table]), runner).map(drop)
}

/// Removes the mapping, if it is there; an error naming the user when it is in use.
pub(super) fn remove(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    let line = dmsetup(["remove", "--retry", &site.name]);
    run(site, "cannot be closed", &line, runner).map(drop)
}

/// Fails, naming the user, when the mapping is in use.
pub(super) fn assert_unused(site: &Site<'_>) -> Result<(), Problem> {
    let base = site.base.as_ref().map(|base| Path::new(&base.path));
    let Some(mapping) = devices::mapping(&site.name, base) else { return Ok(()) };
    match usage::open_exclusive(&mapping.path) {
        Err(error) if usage::is_busy(&error) => Err(usage::in_use(&mapping.path)),
        // What else is wrong with it is no reason to keep it.
        _ => Ok(()),
    }
}

pub(super) fn suspend(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    run(site, "cannot be suspended", &dmsetup(["suspend", &site.name]), runner).map(drop)
}

/// Does nothing to a mapping that is not suspended.
pub(super) fn resume(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    run(site, "cannot be resumed", &dmsetup(["resume", &site.name]), runner).map(drop)
}

/// Puts another table into the place of the present one. It works on with the old one if that fails.
pub(super) fn reload(site: &Site<'_>, table: &str, runner: Runner<'_>) -> Result<(), Problem> {
    suspend(site, runner)?;
    let loaded = run(site, "cannot be changed", &dmsetup(["load", &site.name, "--table", table]), runner);
    resume(site, runner)?;
    loaded.map(drop)
}

/// A message to the target, which may take as long as writing a whole cache back.
pub(super) fn message(site: &Site<'_>, text: &str, limit: Duration, runner: Runner<'_>) -> Result<(), Problem> {
    let mut line = dmsetup(["message", &site.name, "0", text]);
    line.patience = Patience::AtMost(limit);
    run(site, "cannot be flushed", &line, runner).map(drop)
}

/// Waits until everything is written back.
pub(super) fn wait_until_clean(site: &Site<'_>, limit: Duration, runner: Runner<'_>) -> Result<(), Problem> {
    let started = Instant::now();
    loop {
        let status = run(site, "cannot be flushed", &dmsetup(["status", &site.name]), runner)?;
        match cached(&status) {
            Some(Cached::Clean) => return Ok(()),
            Some(Cached::Dirty(_)) if started.elapsed() < limit => std::thread::sleep(POLL),
            other => return Err(unclean(site, other)),
        }
    }
}

fn unclean(site: &Site<'_>, state: Option<Cached>) -> Problem {
    let (cause, cure) = match state {
        Some(Cached::Dirty(blocks)) => (
            format!("{blocks} blocks of its cache are not written back yet"),
            "Wait until less is written, or give it more time (Cache/FlushTimeout); it is tried again.",
        ),
        _ => (
            "its cache has failed, and what is in it cannot be written back".to_owned(),
            "Look at the kernel log and at the disk of the cache; bring it back, or delete the resource on this node.",
        ),
    };
    problem(site.message("cannot be flushed"), cause, cure)
}

/// Length of a caching target over all of what it stands on, in sectors.
pub(super) fn sectors(site: &Site<'_>) -> u64 {
    let size = site.base.as_ref().map_or(Kib::ZERO, |base| base.size);
    size.floor_to(PAGE).0.saturating_mul(SECTORS_PER_KIB)
}
