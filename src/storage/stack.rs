//! The stack of one volume on this node: its backing objects' drivers and its layers together. It knows the way from a
//! layer to the device that it stands on, on a real node and on a simulated one.

use std::path::{Path, PathBuf};

use super::devices;
use super::driver::{Driver, Owner};
use super::layers::{self, Runner, Site};
use super::problem::io_problem;
use super::targets::{Spot, Target};
use super::usage;
use crate::model::desired::{DesiredResource, DesiredVolume};
use crate::model::plan::{
    BackingId, CacheAct, Content, Extent, LayerAct, ObservedDevice, ObservedLayer, ObservedLeaf, ObservedVolume,
};
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::model::stack::{Base, Layer, Leaf};
use crate::protocols::superblock;

/// A volume, where it lies, and what it is made with.
pub(super) struct VolumeStack<'a> {
    pub(super) desired: &'a DesiredResource,
    pub(super) volume: &'a DesiredVolume,
    pub(super) target: &'a Target,
}

impl<'a> VolumeStack<'a> {
    fn leaf(&self, leaf: Leaf) -> Option<(&'a dyn Driver, &'a BackingId)> {
        match leaf {
            Leaf::Data => Some((self.target.driver.as_ref(), &self.target.id)),
            other => self.target.caches.get(&other).map(|Spot { driver, id }| (driver.as_ref(), id)),
        }
    }

    /// Everything that is there of the volume.
    pub(super) fn observe(&self) -> Result<ObservedVolume, Problem> {
        let mut found = self.target.driver.observe(&self.target.id)?;
        for (leaf, spot) in &self.target.caches {
            let state = spot.driver.observe(&spot.id)?;
            if let Some(size) = state.backing {
                found.caches.insert(*leaf, ObservedLeaf { size, device: state.device });
            }
        }
        for layer in self.target.stack.layers() {
            let state = self.observe_layer(layer, &found)?;
            found.layers.insert(layer, state);
        }
        Ok(found)
    }

    fn observe_layer(&self, layer: Layer, found: &ObservedVolume) -> Result<ObservedLayer, Problem> {
        let (driver, id) = self.holder(layer);
        match driver.simulated() {
            Some(simulated) => simulated.observe_layer(id, layer),
            None => layers::observe(&self.site(layer, found)),
        }
    }

    /// The backing object whose name a layer's device has.
    fn holder(&self, layer: Layer) -> (&'a dyn Driver, &'a BackingId) {
        let leaf = if let Layer::Luks(leaf) = layer { leaf } else { Leaf::Data };
        self.leaf(leaf).unwrap_or((self.target.driver.as_ref(), &self.target.id))
    }

    fn site(&self, layer: Layer, found: &ObservedVolume) -> Site<'a> {
        let stack = &self.target.stack;
        let path = |device: &ObservedDevice| PathBuf::from(&device.path);
        Site {
            layer,
            name: self.holder(layer).1.device_name(layer),
            base: found.device_of(stack.base_of(layer)).cloned(),
            caches: layer.caches().iter().map(|leaf| found.device_of(stack.leaf_base(*leaf)).map(path)).collect(),
            volume: self.volume,
            props: &self.desired.props,
        }
    }

    /// Carries an act on a layer out. Without a runner the node is a simulated one.
    pub(super) fn act(&self, layer: Layer, act: LayerAct, runner: Option<Runner<'_>>) -> Result<(), Problem> {
        let (driver, id) = self.holder(layer);
        match (driver.simulated(), runner) {
            (Some(simulated), _) => simulated.act_on_layer(id, layer, act, self.volume.luks.as_ref()),
            (None, Some(runner)) => layers::act(&self.site(layer, &self.observe()?), act, runner),
            (None, None) => Ok(()),
        }
    }

    /// Carries an act on a backing object beside the data's out.
    pub(super) fn act_on_cache(&self, leaf: Leaf, act: CacheAct) -> Result<(), Problem> {
        let Some((driver, id)) = self.leaf(leaf) else { return Ok(()) };
        match act {
            CacheAct::Create(size) => driver.create(id, size, Owner::of(self.desired)),
            CacheAct::Attach => driver.attach(id),
            CacheAct::Detach => driver.detach(id),
            CacheAct::Remove => driver.remove(id),
        }
    }

    /// Closes what is open, from the top down, and forgets what caches hold: the data becomes another.
    pub(super) fn take_down(&self, runner: Option<Runner<'_>>) -> Result<(), Problem> {
        let layers: Vec<Layer> = self.target.stack.layers().collect();
        for layer in layers.iter().rev().filter(|layer| !layer.caches().is_empty()) {
            self.act(*layer, LayerAct::Drop, runner)?;
            self.forget(*layer, runner)?;
        }
        for layer in layers.iter().rev().filter(|layer| layer.caches().is_empty()) {
            self.act(*layer, LayerAct::Drop, runner)?;
        }
        self.target.driver.detach(&self.target.id)
    }

    /// Empties a caching layer's caches, which are opened for that where they are not open.
    fn forget(&self, layer: Layer, runner: Option<Runner<'_>>) -> Result<(), Problem> {
        let before = self.observe()?;
        let is_there = |base: Base| before.device_of(base).is_some();
        let closed = |leaf: &Leaf| !is_there(Base::Storage(*leaf)) && before.caches.contains_key(leaf);
        let encryption = |leaf: &Leaf| match self.target.stack.leaf_base(*leaf) {
            Base::Layer(layer) if !is_there(Base::Layer(layer)) => Some(layer),
            _ => None,
        };
        for leaf in layer.caches() {
            if closed(leaf) {
                self.act_on_cache(*leaf, CacheAct::Attach)?;
            }
            encryption(leaf).map_or(Ok(()), |layer| self.act(layer, LayerAct::Open, runner))?;
        }
        let emptied = self.act(layer, LayerAct::Reset, runner);
        for leaf in layer.caches() {
            encryption(leaf).map_or(Ok(()), |layer| self.act(layer, LayerAct::Drop, runner))?;
            if closed(leaf) {
                self.act_on_cache(*leaf, CacheAct::Detach)?;
            }
        }
        emptied
    }

    /// Fails, naming the user, when the volume is in use: its highest device that is there.
    pub(super) fn assert_unused(&self) -> Result<(), Problem> {
        if self.target.stack.is_plain() || self.target.driver.simulated().is_some() {
            return self.target.driver.assert_unused(&self.target.id);
        }
        let found = self.observe()?;
        let highest = self.target.stack.layers().rev().find_map(|layer| found.device_of(Base::Layer(layer)));
        let Some(device) = highest else {
            return self.target.driver.assert_unused(&self.target.id);
        };
        let path = Path::new(&device.path);
        match usage::open_exclusive(path) {
            Ok(_) => Ok(()),
            Err(error) if usage::is_busy(&error) => Err(usage::in_use(path)),
            // One that does not answer has no user that could be told of.
            Err(error) => {
                tracing::warn!(device = %path.display(), %error, "whether a device is in use cannot be told");
                Ok(())
            }
        }
    }

    /// The device that the user gets.
    pub(super) fn top(&self) -> Result<Option<ObservedDevice>, Problem> {
        Ok(self.observe()?.top(&self.target.stack).cloned())
    }

    /// What a cheap look finds on the volume.
    pub(super) fn content(&self, found: &ObservedVolume) -> Content {
        if self.is_real_stack() {
            let recognised = found.top(&self.target.stack).and_then(|device| recognise(device).ok().flatten());
            return recognised.map_or(Content::Unknown, |found| Content::Known(found.kind.to_owned()));
        }
        self.target.driver.content(&self.target.id)
    }

    /// How far the content of the volume reaches. What is behind encryption or a cache without a file system is noise.
    pub(super) fn extent(&self, found: &ObservedVolume) -> Result<Extent, Problem> {
        if !self.is_real_stack() {
            return self.target.driver.extent(&self.target.id);
        }
        let Some(device) = found.top(&self.target.stack) else { return Ok(Extent::Unknown) };
        let recognised = recognise(device)?;
        Ok(recognised.map_or(Extent::Unknown, |found| Extent::Content {
            kind: found.kind.to_owned(),
            needs: found.bytes.map(Kib::from_bytes_ceil),
        }))
    }

    fn is_real_stack(&self) -> bool {
        !self.target.stack.is_plain() && self.target.driver.simulated().is_none()
    }
}

fn recognise(device: &ObservedDevice) -> Result<Option<superblock::Recognised>, Problem> {
    let path = Path::new(&device.path);
    let head = devices::beginning(path, superblock::HEAD_BYTES);
    let head = head.map_err(|error| io_problem("The volume's content cannot be read", path, &error))?;
    Ok(superblock::recognise(&head))
}

/// Layers of several volumes that are held still for as long as this lives, and let go on every way out.
pub(super) struct Held<'a> {
    sites: Vec<Site<'a>>,
    runner: Runner<'a>,
}

impl<'a> Held<'a> {
    /// Holds all volumes still, each from its top down.
    pub(super) fn hold(stacks: &[VolumeStack<'a>], runner: Runner<'a>) -> Result<Self, Problem> {
        let mut held = Self { sites: Vec::new(), runner };
        for stack in stacks.iter().filter(|stack| !stack.target.stack.is_plain()) {
            let found = stack.observe()?;
            let open = stack.target.stack.layers().rev().filter(|layer| found.device_of(Base::Layer(*layer)).is_some());
            // A cache's encryption is written to by the caching layer alone, which is held by then.
            for layer in open.filter(|layer| !matches!(layer, Layer::Luks(leaf) if *leaf != Leaf::Data)) {
                // Before it is done: whatever comes of it, it is undone.
                held.sites.push(stack.site(layer, &found));
                if let Some(site) = held.sites.last() {
                    layers::suspend(site, runner)?;
                }
            }
        }
        Ok(held)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        for site in self.sites.iter().rev() {
            if let Err(problem) = layers::resume(site, self.runner) {
                tracing::error!(layer = %site.name, %problem, "a suspended layer cannot be resumed");
            }
        }
    }
}
