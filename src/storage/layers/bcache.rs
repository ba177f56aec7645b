//! bcache (facts: `satellite.md` §2.11): driven by files of sysfs; only its superblocks are made by a program.
//!
//! Its device is `/dev/bcache<n>`, with a number that the kernel gives: it is found by what it stands on. It cannot be held
//! still, so there are no snapshots of it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::exec::CommandLine;
use super::super::{devices, usage};
use super::{Runner, Site, io_error, problem};
use crate::model::desired::Order;
use crate::model::plan::{LayerAct, ObservedDevice};
use crate::model::report::Problem;
use crate::protocols::headers::Head;

const REGISTER: &str = "/sys/fs/bcache/register";
const SETS: &str = "/sys/fs/bcache";
/// Pauses and their number while the kernel makes or removes a device (LINSTOR's values).
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);
/// The same while it writes everything back: an hour.
const FLUSH_TRIES: u32 = 36_000;
/// What the state of a device without a cache is called.
const NO_CACHE: &str = "no cache";

pub(super) fn act(site: &Site<'_>, act: LayerAct, runner: Runner<'_>) -> Result<(), Problem> {
    match act {
        LayerAct::Format => format(site, runner),
        LayerAct::Open => open(site, runner),
        LayerAct::Resize => resize(site, runner),
        LayerAct::Close => {
            let Some(name) = name(site) else { return Ok(()) };
            assert_unused(site)?;
            detach(site, &name)?;
            stop(site, &name)
        }
        LayerAct::Drop => {
            let Some(name) = name(site) else { return forget_set(site) };
            assert_unused(site)?;
            stop(site, &name)
        }
        LayerAct::Resume | LayerAct::Reset | LayerAct::ChangeKey | LayerAct::WipeHeader => Ok(()),
    }
}

/// The device, if it is there.
pub(super) fn device(site: &Site<'_>) -> Option<ObservedDevice> {
    let name = name(site)?;
    Some(ObservedDevice { path: format!("/dev/{name}"), size: devices::size(&name)? })
}

/// Its name in sysfs: what holds the device that it stands on.
fn name(site: &Site<'_>) -> Option<String> {
    let base = Path::new(&site.base.as_ref()?.path);
    devices::holders(base).into_iter().find(|holder| holder.starts_with("bcache"))
}

fn assert_unused(site: &Site<'_>) -> Result<(), Problem> {
    let Some(device) = device(site) else { return Ok(()) };
    let path = PathBuf::from(&device.path);
    match usage::open_exclusive(&path) {
        Err(error) if usage::is_busy(&error) => Err(usage::in_use(&path)),
        _ => Ok(()),
    }
}

fn format(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    let base = site.base()?;
    let head = devices::head(base).map_err(|error| io_error(site, "cannot be made", base, &error))?;
    match head {
        Head::Bcache(_) => {}
        Head::Blank => make(site, 'B', base, runner)?,
        other => {
            return Err(problem(
                site.message("cannot be made"),
                format!("{} holds {} already", base.display(), super::name_of(&other)),
                "Nothing is written over it. Move it away; then the layer is made by itself.",
            ));
        }
    }
    Ok(())
}

fn make(site: &Site<'_>, role: char, device: &Path, runner: Runner<'_>) -> Result<(), Problem> {
    let line = make_line(site, role, device);
    let done = runner.run(&line);
    done.map(drop).map_err(|error| error.into_problem(site.message("cannot be made")))
}

fn make_line(site: &Site<'_>, role: char, device: &Path) -> CommandLine {
    let mut args = vec![format!("-{role}"), device.to_string_lossy().into_owned()];
    let mut with = |option: &str, key: &str| {
        if let Some(value) = site.option(key) {
            args.extend([option.to_owned(), value.to_owned()]);
        }
    };
    if role == 'B' {
        with("--data-offset", "BCache/DataOffset");
    } else {
        with("--block", "BCache/Blocksize");
        with("--bucket", "BCache/Bucketsize");
        with("--cache_replacement_policy", "BCache/CacheReplacementPolicy");
        if is_on(site, "BCache/Discard") {
            args.push("--discard".to_owned());
        }
    }
    CommandLine::new("make-bcache", args)
}

fn is_on(site: &Site<'_>, key: &str) -> bool {
    site.option(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn open(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    let (base, cache) = (site.base()?, site.cache(0)?);
    if name(site).is_some() {
        return Ok(());
    }
    let set = set_of(site, cache, runner)?;
    for device in [base, cache] {
        register(site, device)?;
    }
    wait(TRIES, || name(site).is_some());
    let Some(name) = name(site) else {
        return Err(problem(
            site.message("cannot be opened"),
            "the kernel makes no device of it; what was written last may be in a cache that is not there",
            "Look at the kernel log; bring the cache back.",
        ));
    };
    if state(&name).is_none_or(|state| state == NO_CACHE) {
        set_attribute(site, &name, "attach", &set)?;
    }
    let mode = if is_on(site, "BCache/Writeback") { "writeback" } else { "writethrough" };
    set_attribute(site, &name, "cache_mode", mode)
}

/// The UUID of the cache's set. The cache is made where it is new.
fn set_of(site: &Site<'_>, cache: &Path, runner: Runner<'_>) -> Result<String, Problem> {
    let read = || devices::head(cache).map_err(|error| io_error(site, "cannot be opened", cache, &error));
    if read()? == Head::Blank && site.volume.order == Order::Make {
        make(site, 'C', cache, runner)?;
    }
    match read()? {
        Head::Bcache(set) => Ok(set),
        other => Err(problem(
            site.message("cannot be opened"),
            format!("its cache {} holds {} instead of its superblock", cache.display(), super::name_of(&other)),
            "Bring the cache back, or delete the resource on this node.",
        )),
    }
}

/// One that is registered already is refused by the kernel, which is fine: udev may have been faster.
fn register(site: &Site<'_>, device: &Path) -> Result<(), Problem> {
    let known = || devices::kernel_name(device).is_some_and(|name| devices::attribute(&name, "bcache/set/").is_some());
    match std::fs::write(REGISTER, device.as_os_str().as_encoded_bytes()) {
        Err(error) if error.raw_os_error() != Some(nix::libc::EINVAL) && !known() => {
            Err(io_error(site, "cannot be opened", Path::new(REGISTER), &error))
        }
        _ => Ok(()),
    }
}

fn state(name: &str) -> Option<String> {
    devices::attribute(name, "bcache/state")
}

fn set_attribute(site: &Site<'_>, name: &str, attribute: &str, value: &str) -> Result<(), Problem> {
    let path = Path::new("/sys/block").join(name).join("bcache").join(attribute);
    std::fs::write(&path, value).map_err(|error| io_error(site, "cannot be set up", &path, &error))
}

/// Writes everything back and leaves the cache.
fn detach(site: &Site<'_>, name: &str) -> Result<(), Problem> {
    let is_alone = || state(name).is_none_or(|state| state == NO_CACHE);
    if is_alone() {
        return Ok(());
    }
    set_attribute(site, name, "detach", "1")?;
    if wait(FLUSH_TRIES, is_alone) {
        return Ok(());
    }
    Err(problem(
        site.message("cannot be flushed"),
        "its cache is not written back yet",
        "Wait, or look at the kernel log; it is tried again.",
    ))
}

fn stop(site: &Site<'_>, device: &str) -> Result<(), Problem> {
    set_attribute(site, device, "stop", "1")?;
    if !wait(TRIES, || name(site).is_none()) {
        return Err(problem(
            site.message("cannot be closed"),
            format!("the kernel keeps /dev/{device}"),
            "End whatever uses it; it is tried again.",
        ));
    }
    forget_set(site)
}

/// The kernel lets go of the cache.
fn forget_set(site: &Site<'_>) -> Result<(), Problem> {
    let Ok(cache) = site.cache(0) else { return Ok(()) };
    let Ok(Head::Bcache(set)) = devices::head(cache) else { return Ok(()) };
    let folder = Path::new(SETS).join(set);
    if !folder.exists() {
        return Ok(());
    }
    let path = folder.join("unregister");
    match std::fs::write(&path, "1") {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error(site, "cannot be closed", &path, &error));
        }
        _ => {}
    }
    wait(TRIES, || !folder.exists());
    Ok(())
}

/// The kernel reads the size of what it stands on once: it has to let go of it for that.
fn resize(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    let Some(name) = name(site) else { return Ok(()) };
    assert_unused(site).map_err(|mut problem| {
        "bcache takes another size only while nobody uses it. Unmount it, or deactivate the resource; then it is done by \
         itself."
            .clone_into(&mut problem.correction);
        problem
    })?;
    stop(site, &name)?;
    open(site, runner)
}

fn wait(tries: u32, done: impl Fn() -> bool) -> bool {
    for _ in 0..tries {
        if done() {
            return true;
        }
        std::thread::sleep(PAUSE);
    }
    done()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{site, with};
    use super::*;
    use crate::model::stack::Layer;

    #[test]
    fn command_lines() {
        let props = with(&[
            ("BCache/DataOffset", "2048"),
            ("BCache/Bucketsize", "1M"),
            ("BCache/Discard", "True"),
            ("BCache/Writeback", "True"),
        ]);
        let site = site(Layer::Bcache, &props);
        let line = |role| make_line(&site, role, Path::new("/dev/x")).to_string();
        assert_eq!(line('B'), "make-bcache -B /dev/x --data-offset 2048");
        assert_eq!(line('C'), "make-bcache -C /dev/x --bucket 1M --discard");
    }

    #[test]
    fn what_is_not_there_is_closed() {
        let props = with(&[]);
        let site = site(Layer::Bcache, &props);
        assert_eq!(device(&site), None);
        assert_eq!(forget_set(&site), Ok(()));
    }
}
