//! The part of a plan that concerns the layers above the storage: made, opened, resized, closed, given other keys.
//!
//! Devices are opened from the bottom up and closed from the top down. A header is made only for a volume that was never
//! reported as made and whose content comes from nowhere; what was adopted, restored or kept is opened as it is.

use std::collections::BTreeMap;

use super::observed::{Header, ObservedLayer, ObservedResource, ObservedVolume};
use super::step::{CacheAct, LayerAct, Plan, Step, Subject};
use crate::model::desired::{DesiredResource, DesiredVolume, LuksKey, Order, Origin};
use crate::model::kinds::LayerKind;
use crate::model::names::VolumeNumber;
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::model::stack::{Layer, Leaf, Stack};

/// What a device's size is compared in: encryption with large sectors, and caches, use whole pages.
const PAGE: Kib = Kib::new(4);

/// A volume and the stack that it shall have.
pub(super) struct Layered<'a> {
    pub(super) desired: &'a DesiredResource,
    pub(super) volume: &'a DesiredVolume,
    pub(super) stack: Stack,
}

/// Lets everything work on that somebody suspended who is not there any more, from the bottom up. Comes before anything
/// else, for what is suspended answers nobody.
pub(super) fn resume(desired: &DesiredResource, observed: &ObservedResource, plan: &mut Plan) {
    let stack = Stack::of(&desired.layers);
    for (volume, found) in &observed.volumes {
        let Ok(found) = found else { continue };
        let suspended = |layer: &Layer| found.layers.get(layer).is_some_and(|state| state.suspended);
        let steps = stack.layers().filter(suspended);
        plan.steps.extend(steps.map(|layer| Step::Layer { volume: *volume, layer, act: LayerAct::Resume }));
    }
}

impl<'a> Layered<'a> {
    pub(super) fn of(desired: &'a DesiredResource, volume: &'a DesiredVolume) -> Self {
        Self { desired, volume, stack: Stack::of(&desired.layers) }
    }

    fn number(&self) -> VolumeNumber {
        self.volume.number
    }

    fn step(&self, layer: Layer, act: LayerAct) -> Step {
        Step::Layer { volume: self.number(), layer, act }
    }

    fn cache(&self, leaf: Leaf, act: CacheAct) -> Step {
        Step::Cache { volume: self.number(), leaf, act }
    }

    fn refuse(&self, what: &str, cause: impl Into<String>, correction: impl Into<String>, plan: &mut Plan) {
        let message = format!("Volume {} of resource {} {what}", self.number(), self.desired.rsc);
        plan.refuse(Subject::Volume(self.number()), [message, cause.into(), correction.into()]);
    }

    /// Sizes of the backing objects. A cache that is there keeps its size.
    ///
    /// # Errors
    /// A property without sense.
    pub(super) fn sizes(&self, found: Option<&ObservedVolume>) -> Result<BTreeMap<Leaf, Kib>, Problem> {
        // The volume's own know of its pool's, too.
        let option = |key: &str| self.volume.options.get(key).or(self.desired.props.get(key)).map(String::as_str);
        let header = |leaf: Leaf| found.and_then(|found| found.header(leaf));
        self.stack.gross(self.volume.size, &option, &header).map_err(|error| Problem {
            message: format!("Volume {} of resource {} cannot have its size", self.number(), self.desired.rsc),
            cause: error.to_string(),
            correction: "Correct the property, or the size of the volume.".to_owned(),
            details: String::new(),
        })
    }

    /// Whether the encryption can be opened, where there is one; says what it waits for if not.
    pub(super) fn has_key(&self, plan: &mut Plan) -> bool {
        if !self.stack.has(LayerKind::Luks) {
            return true;
        }
        let (cause, correction) = match &self.volume.luks {
            Some(LuksKey::Known { .. }) => return true,
            Some(LuksKey::Locked) => (
                "its key is locked until the master passphrase is entered",
                "Enter it with `linstor encryption enter-passphrase` or PATCH /v1/encryption/passphrase; then it is done \
                 by itself.",
            ),
            None => (
                "the controller has no key for it",
                "Set a master passphrase with `linstor encryption create-passphrase` or POST \
                 /v1/encryption/passphrase; then it is done by itself.",
            ),
        };
        self.refuse("waits for its key", cause, correction, plan);
        false
    }

    /// Makes what is missing of the devices, as far as it can be done; false where the volume has none after that.
    pub(super) fn open(&self, found: &ObservedVolume, plan: &mut Plan) -> bool {
        if !self.has_caches(found, plan) {
            return false;
        }
        self.stack.layers().all(|layer| {
            let state = found.layers.get(&layer);
            match state.filter(|state| state.device.is_some()) {
                Some(_) => self.keep_open(layer, plan),
                None => self.open_one(layer, state, plan),
            }
        })
    }

    /// Opens layers again that an earlier step of the plan closes; what was put back may have the key of then.
    pub(super) fn reopen(&self, found: &ObservedVolume, plan: &mut Plan) {
        let open = |layer: &Layer| found.layers.get(layer).is_some_and(|state| state.device.is_some());
        for layer in self.stack.layers().filter(open) {
            plan.steps.extend(self.change_key(layer));
            plan.steps.push(self.step(layer, LayerAct::Open));
        }
    }

    fn keep_open(&self, layer: Layer, plan: &mut Plan) -> bool {
        plan.steps.extend(self.change_key(layer));
        true
    }

    fn change_key(&self, layer: Layer) -> Option<Step> {
        let due = matches!(&self.volume.luks, Some(LuksKey::Known { previous: Some(_), .. }));
        (due && layer.kind() == LayerKind::Luks).then(|| self.step(layer, LayerAct::ChangeKey))
    }

    fn open_one(&self, layer: Layer, state: Option<&ObservedLayer>, plan: &mut Plan) -> bool {
        let header = state.map_or(&Header::Unknown, |state| &state.header);
        let Layer::Luks(leaf) = layer else {
            if self.volume.order == Order::Make && !matches!(header, Header::Own { .. }) {
                plan.steps.push(self.step(layer, LayerAct::Format));
            }
            plan.steps.push(self.step(layer, LayerAct::Open));
            return true;
        };
        if !self.has_key(plan) {
            return false;
        }
        let blank = leaf != Leaf::Data || self.volume.origin == Origin::Blank;
        match header {
            Header::Own { .. } => {}
            Header::Blank | Header::Unknown if blank && self.volume.order == Order::Make => {
                plan.steps.push(self.step(layer, LayerAct::Format));
            }
            Header::Unknown => {}
            Header::Blank => {
                self.refuse_header("its LUKS header is not there any more: there are zeros instead".to_owned(), plan);
                return false;
            }
            Header::Foreign(kind) => {
                self.refuse_header(format!("it holds {kind} where its LUKS header should be"), plan);
                return false;
            }
        }
        plan.steps.extend(self.change_key(layer));
        plan.steps.push(self.step(layer, LayerAct::Open));
        true
    }

    fn refuse_header(&self, cause: String, plan: &mut Plan) {
        let cure = "Nothing is written to it. Bring the header back (cryptsetup luksHeaderRestore, a snapshot), or delete \
                    the resource on this node.";
        self.refuse("cannot be opened", cause, cure, plan);
    }

    /// Makes and attaches the caches. One of a volume that was in use is never made anew: what had not been written back
    /// would be lost in silence.
    fn has_caches(&self, found: &ObservedVolume, plan: &mut Plan) -> bool {
        let missing = self.stack.caches().find(|leaf| !found.caches.contains_key(leaf));
        if let Some(leaf) = missing.filter(|_| self.volume.order != Order::Make) {
            let cause = format!("its cache {} is not there any more, and with it what was written last", leaf.suffix());
            let cure = "Bring the cache's storage pool back, or delete the resource on this node; an empty cache is never \
                        made in its place.";
            self.refuse("cannot be opened", cause, cure, plan);
            return false;
        }
        let sizes = match self.sizes(Some(found)) {
            Ok(sizes) => sizes,
            Err(problem) => {
                plan.problems.push((Subject::Volume(self.number()), problem));
                return false;
            }
        };
        for leaf in self.stack.caches() {
            let state = found.caches.get(&leaf);
            if state.is_none() {
                let size = sizes.get(&leaf).copied().unwrap_or_default();
                plan.steps.push(self.cache(leaf, CacheAct::Create(size)));
            }
            if state.is_none_or(|state| state.device.is_none()) {
                plan.steps.push(self.cache(leaf, CacheAct::Attach));
            }
        }
        true
    }

    /// Lets open layers take the size of what they stand on, from the bottom up.
    pub(super) fn resize(&self, found: &ObservedVolume, mut changed: bool, plan: &mut Plan) {
        for layer in self.stack.layers().filter(|layer| !matches!(layer, Layer::Luks(leaf) if *leaf != Leaf::Data)) {
            let Some(device) = found.layers.get(&layer).and_then(|state| state.device.as_ref()) else { return };
            let below = found.device_of(self.stack.base_of(layer)).map(|base| base.size);
            let least = below.and_then(|below| least_size(layer, below, found));
            changed |= least.is_some_and(|least| device.size < least);
            if changed {
                if layer.kind() == LayerKind::Luks && !self.has_key(plan) {
                    return;
                }
                plan.steps.push(self.step(layer, LayerAct::Resize));
            }
        }
    }

    /// Closes what is open, from the top down.
    pub(super) fn close(&self, found: &ObservedVolume, act: LayerAct, plan: &mut Plan) {
        let open = |layer: &Layer| found.layers.get(layer).is_some_and(|state| state.device.is_some());
        plan.steps.extend(self.stack.layers().rev().filter(open).map(|layer| self.step(layer, act)));
    }

    /// Detaches the caches.
    pub(super) fn detach_caches(&self, found: &ObservedVolume, plan: &mut Plan) {
        let attached = found.caches.iter().filter(|(_, state)| state.device.is_some());
        plan.steps.extend(attached.map(|(leaf, _)| self.cache(*leaf, CacheAct::Detach)));
    }

    /// Removes the caches.
    pub(super) fn remove_caches(&self, found: &ObservedVolume, plan: &mut Plan) {
        plan.steps.extend(found.caches.keys().map(|leaf| self.cache(*leaf, CacheAct::Remove)));
    }

    /// Gives a volume that has no devices the new key, for its node is to tell that it is in force.
    pub(super) fn change_key_at_rest(&self, found: &ObservedVolume, plan: &mut Plan) {
        for layer in self.stack.layers() {
            let (Some(change), Layer::Luks(leaf)) = (self.change_key(layer), layer) else { continue };
            let volume = self.number();
            let [attach, detach] = match leaf {
                Leaf::Data => [Step::Attach { volume }, Step::Detach { volume }],
                _ if !found.caches.contains_key(&leaf) => continue,
                leaf => [self.cache(leaf, CacheAct::Attach), self.cache(leaf, CacheAct::Detach)],
            };
            plan.steps.extend([attach, change, detach]);
        }
    }

    /// Makes headers unreadable, where they can be reached.
    pub(super) fn wipe(&self, found: &ObservedVolume, plan: &mut Plan) {
        let own = |layer: &Layer| {
            let header = found.layers.get(layer).map(|state| &state.header);
            layer.kind() == LayerKind::Luks && matches!(header, Some(Header::Own { .. }))
        };
        plan.steps.extend(self.stack.layers().filter(own).map(|layer| self.step(layer, LayerAct::WipeHeader)));
    }
}

/// The least size of a layer's device that counts as all of what it stands on; `None` where that cannot be told.
fn least_size(layer: Layer, below: Kib, found: &ObservedVolume) -> Option<Kib> {
    /// Where bcache puts the data, when nothing else is asked for.
    const BCACHE_OFFSET: Kib = Kib::new(8);
    let net = match layer {
        Layer::Luks(leaf) => below.minus(found.header(leaf)?)?,
        Layer::Bcache => below.minus(BCACHE_OFFSET)?,
        Layer::Cache | Layer::Writecache => below,
    };
    Some(net.floor_to(PAGE))
}

#[cfg(test)]
mod tests;
