//! The devices above the storage of a volume: looked at, and set up one act at a time. What is to be done is decided by
//! `model::plan`; this carries it out, checks before it does, and does no harm when it is done again.

mod bcache;
mod cache;
mod dm;
mod luks;
mod writecache;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::devices;
use super::exec::{Breaker, CommandLine, Exec, ExecError, Output};
use super::problem::{io_problem, problem};
use crate::model::desired::DesiredVolume;
use crate::model::kinds::LayerKind;
use crate::model::plan::{Header, LayerAct, ObservedDevice, ObservedLayer};
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::model::stack::Layer;
use crate::protocols::headers::Head;

/// A layer of a volume, with what it stands on.
pub(super) struct Site<'a> {
    pub(super) layer: Layer,
    /// Name of its device.
    pub(super) name: String,
    /// The device that it stands on, and its size; `None` while there is none.
    pub(super) base: Option<ObservedDevice>,
    /// Devices of its caches, in the order of [`Layer::caches`].
    pub(super) caches: Vec<Option<PathBuf>>,
    pub(super) volume: &'a DesiredVolume,
    pub(super) props: &'a BTreeMap<String, String>,
}

impl Site<'_> {
    fn base(&self) -> Result<&Path, Problem> {
        let device = self.base.as_ref().map(|base| Path::new(&base.path));
        device.ok_or_else(|| self.missing("what it stands on has no device"))
    }

    /// Device of one of its caches.
    fn cache(&self, at: usize) -> Result<&Path, Problem> {
        let device = self.caches.get(at).and_then(|device| device.as_deref());
        device.ok_or_else(|| self.missing("its cache has no device"))
    }

    fn missing(&self, cause: &str) -> Problem {
        problem(self.message("cannot be set up"), cause, "It is tried again.")
    }

    fn message(&self, what: &str) -> String {
        format!("The {} layer {} {what}", self.layer.kind(), self.name)
    }

    fn option(&self, key: &str) -> Option<&str> {
        self.volume.options.get(key).or(self.props.get(key)).map(String::as_str)
    }

    /// The device that the layer's header is on.
    fn header_device(&self) -> Option<&Path> {
        match self.layer {
            Layer::Luks(_) | Layer::Bcache => self.base.as_ref().map(|base| Path::new(&base.path)),
            Layer::Cache | Layer::Writecache => self.caches.first()?.as_deref(),
        }
    }
}

/// The cause of a problem with a key.
pub(super) const WRONG_KEY: &str = "the key that the controller has does not open its header";

/// Whether a problem says that the key is the wrong one.
pub(super) fn is_wrong_key(problem: &Problem) -> bool {
    problem.cause == WRONG_KEY
}

/// What programs are run with.
#[derive(Clone, Copy)]
pub(super) struct Runner<'a> {
    pub(super) exec: &'a Exec,
    pub(super) breaker: &'a Breaker,
}

impl Runner<'_> {
    fn run(self, line: &CommandLine) -> Result<Output, ExecError> {
        self.exec.run_blocking(line, self.breaker)
    }

    fn run_any(self, line: &CommandLine) -> Result<Output, ExecError> {
        self.exec.run_any_blocking(line, self.breaker)
    }
}

/// What is there of a layer. Runs no process.
pub(super) fn observe(site: &Site<'_>) -> Result<ObservedLayer, Problem> {
    if site.layer == Layer::Bcache {
        return Ok(ObservedLayer { device: bcache::device(site), suspended: false, header: header(site, None) });
    }
    let base = site.base.as_ref().map(|base| Path::new(&base.path));
    let mapping = devices::mapping(&site.name, base);
    if let (Some(mapping), Some(base)) = (&mapping, base)
        && !devices::stands_on(mapping, base)
    {
        return Err(problem(
            site.message("cannot be used"),
            format!("there is a mapping of that name which does not stand on {}", base.display()),
            format!("Close it with `dmsetup remove {}` if nobody needs it; then it is done by itself.", site.name),
        ));
    }
    let device = mapping
        .as_ref()
        .map(|mapping| ObservedDevice { path: mapping.path.to_string_lossy().into_owned(), size: mapping.size });
    let header = header(site, device.as_ref());
    Ok(ObservedLayer { device, suspended: mapping.is_some_and(|mapping| mapping.suspended), header })
}

fn header(site: &Site<'_>, device: Option<&ObservedDevice>) -> Header {
    if let (Some(device), LayerKind::Luks) = (device, site.layer.kind())
        && let Some(offset) = luks::usual_offset(site, device.size)
    {
        // Its size tells that it is as usual: nothing has to be read.
        return Header::Own { offset: Some(offset) };
    }
    let Some(place) = site.header_device() else { return Header::Unknown };
    let head = devices::head(place).map_err(|error| {
        tracing::warn!(layer = %site.name, %error, "the header of a layer cannot be read");
    });
    match (head, site.layer.kind()) {
        (Err(()), _) => Header::Unknown,
        (Ok(Head::Blank), _) => Header::Blank,
        (Ok(Head::Luks(luks)), LayerKind::Luks) => Header::Own { offset: luks.offset.map(Kib::from_bytes_ceil) },
        (Ok(Head::Writecache), LayerKind::Writecache)
        | (Ok(Head::Cache), LayerKind::Cache)
        | (Ok(Head::Bcache(_)), LayerKind::Bcache) => Header::Own { offset: None },
        (Ok(other), _) => Header::Foreign(name_of(&other).to_owned()),
    }
}

fn name_of(head: &Head) -> &'static str {
    match head {
        Head::Blank => "nothing",
        Head::Luks(_) => "crypto_LUKS",
        Head::Writecache => "a cache of dm-writecache",
        Head::Cache => "metadata of dm-cache",
        Head::Bcache(_) => "bcache",
        Head::Other(name) => name,
    }
}

/// Carries one act out. Blocks.
pub(super) fn act(site: &Site<'_>, act: LayerAct, runner: Runner<'_>) -> Result<(), Problem> {
    match site.layer {
        Layer::Luks(_) => luks::act(site, act, runner),
        Layer::Bcache => bcache::act(site, act, runner),
        Layer::Cache => cache::act(site, act, runner),
        Layer::Writecache => writecache::act(site, act, runner),
    }
}

/// Lets nothing through a layer, and everything that was written down to what it stands on, until [`resume`].
pub(super) fn suspend(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    match site.layer {
        Layer::Luks(_) => dm::suspend(site, runner),
        Layer::Cache => cache::suspend(site, runner),
        Layer::Writecache => writecache::suspend(site, runner),
        Layer::Bcache => Err(problem(
            site.message("cannot be suspended"),
            "bcache cannot be held still",
            "Use the layer WRITECACHE or CACHE.",
        )),
    }
}

/// Ends [`suspend`].
pub(super) fn resume(site: &Site<'_>, runner: Runner<'_>) -> Result<(), Problem> {
    match site.layer {
        Layer::Cache => cache::resume(site, runner),
        Layer::Bcache => Ok(()),
        Layer::Luks(_) | Layer::Writecache => dm::resume(site, runner),
    }
}

/// Lets everything with a name of ours go that an earlier process left suspended, and gives caches their usual policy that
/// it left with the one for flushing. Called once, before this process holds anything itself: a node's volumes are named
/// after its own resources, and no other satellite works on them.
pub(super) fn resume_leftovers(exec: &Exec) {
    let mappings = devices::mappings(|name| name.starts_with("Linstor-Crypt-") || name.starts_with("linstor_"));
    let caches = mappings.iter().any(|(name, _)| name.starts_with("linstor_cache_"));
    let runner = Runner { exec, breaker: &Breaker::default() };
    if caches && tokio::runtime::Handle::try_current().is_ok() {
        cache::leave_cleaning(runner);
    }
    for (name, suspended) in mappings {
        if suspended && tokio::runtime::Handle::try_current().is_ok() {
            let done = runner.run(&dm::dmsetup(["resume", &name]));
            tracing::warn!(layer = name, resumed = done.is_ok(), "an earlier process left a layer suspended");
        }
    }
}

fn io_error(site: &Site<'_>, what: &str, path: &Path, error: &std::io::Error) -> Problem {
    io_problem(site.message(what), path, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::conduct::tests::volume;

    /// Properties.
    pub(super) fn with(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    /// A layer over a device of 1 MiB and a few KiB, with two caches.
    pub(super) fn site(layer: Layer, props: &BTreeMap<String, String>) -> Site<'_> {
        Site {
            layer,
            name: "linstor_x".to_owned(),
            base: Some(ObservedDevice { path: "/dev/data".to_owned(), size: Kib(1027) }),
            caches: vec![Some("/dev/cache0".into()), Some("/dev/cache1".into())],
            volume: Box::leak(Box::new(volume(None))),
            props,
        }
    }

    #[test]
    fn what_is_not_there_is_neither_open_nor_known() {
        let props = BTreeMap::new();
        for layer in [Layer::Luks(crate::model::stack::Leaf::Data), Layer::Bcache, Layer::Cache, Layer::Writecache] {
            let found = observe(&site(layer, &props)).expect("looked");
            assert_eq!(found, ObservedLayer::default(), "{layer}");
        }
    }
}
