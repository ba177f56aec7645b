//! Layers of simulated volumes: numbers like the volumes, opened and closed in the same order as real ones, and with keys
//! that are the right ones or not.

use std::io;

use super::Op;
use super::driver::{SimulatedDriver, device_path};
use super::folder::{File, Work};
use crate::model::desired::LuksKey;
use crate::model::kinds::LayerKind;
use crate::model::plan::{BackingId, Header, LayerAct, ObservedDevice, ObservedLayer};
use crate::model::report::Problem;
use crate::model::size::Kib;
use crate::model::stack::Layer;
use crate::storage::layers::WRONG_KEY;
use crate::storage::problem::problem;

/// Room of a header of LUKS.
const LUKS_HEADER: Kib = Kib::from_mib(16);
/// Room of bcache's superblock.
const BCACHE_HEADER: Kib = Kib::new(8);

impl SimulatedDriver {
    /// What is there of a layer on a backing object.
    pub(in crate::storage) fn observe_layer(&self, id: &BackingId, layer: Layer) -> Result<ObservedLayer, Problem> {
        let id = id.as_str();
        let look = |work: &mut Work<'_>| {
            work.ask(Op::Look, id)?;
            let Ok(file) = work.file(id) else { return Ok(ObservedLayer::default()) };
            let device = file.layers.get(&layer);
            let device =
                device.map(|size| ObservedDevice { path: format!("{}-{layer}", device_path(id)), size: *size });
            Ok(ObservedLayer { device, suspended: false, header: header(file, layer) })
        };
        let found: io::Result<ObservedLayer> = self.work(look);
        found.map_err(|error| self.problem("The storage pool cannot be read", Some(id), &error))
    }

    /// Carries an act on a layer out.
    pub(in crate::storage) fn act_on_layer(
        &self,
        id: &BackingId,
        layer: Layer,
        act: LayerAct,
        key: Option<&LuksKey>,
    ) -> Result<(), Problem> {
        let id = id.as_str();
        let done: io::Result<bool> = self.work(|work| carry_out(work, id, layer, (act, key)));
        match done {
            Ok(true) => Ok(()),
            Ok(false) => Err(problem(
                format!("The {} layer of {id} cannot be opened", layer.kind()),
                WRONG_KEY,
                "Bring the right header back.",
            )),
            Err(error) => Err(self.problem(format!("The {} layer of {id} failed", layer.kind()), Some(id), &error)),
        }
    }
}

fn header(file: &File, layer: Layer) -> Header {
    match (file.device, layer.kind()) {
        (None, _) => Header::Unknown,
        (_, LayerKind::Luks) if file.key.is_none() => Header::Blank,
        (_, LayerKind::Luks) => Header::Own { offset: Some(LUKS_HEADER) },
        _ => Header::Own { offset: None },
    }
}

/// Does it; false where the key is the wrong one.
fn carry_out(work: &mut Work<'_>, id: &str, layer: Layer, order: (LayerAct, Option<&LuksKey>)) -> io::Result<bool> {
    let (act, key) = order;
    let op = match act {
        LayerAct::Format | LayerAct::ChangeKey | LayerAct::WipeHeader => Op::Format,
        LayerAct::Open => Op::Attach,
        LayerAct::Resize => Op::RefreshSize,
        LayerAct::Close | LayerAct::Drop => Op::Detach,
        LayerAct::Resume | LayerAct::Reset => return Ok(true),
    };
    if work.file(id).is_err() && matches!(act, LayerAct::Close | LayerAct::Drop | LayerAct::WipeHeader) {
        return Ok(true);
    }
    work.ask(op, id)?;
    let file = work.file(id)?;
    let encrypted = layer.kind() == LayerKind::Luks;
    let (passphrase, previous) = match key {
        Some(LuksKey::Known { passphrase, previous }) => (Some(passphrase), previous.as_ref()),
        _ => (None, None),
    };
    match act {
        LayerAct::Format if encrypted && file.key.is_none() => file.key = passphrase.cloned(),
        LayerAct::ChangeKey if file.key.as_ref() != passphrase => {
            if file.key.as_ref() != previous {
                return Ok(false);
            }
            file.key = passphrase.cloned();
        }
        LayerAct::Open | LayerAct::Resize => {
            if encrypted && (file.key.is_none() || file.key.as_ref() != passphrase) {
                return Ok(false);
            }
            let size = size(file, layer);
            file.layers.insert(layer, size);
        }
        LayerAct::Close | LayerAct::Drop => {
            file.layers.remove(&layer);
        }
        LayerAct::WipeHeader => file.key = None,
        _ => {}
    }
    Ok(true)
}

/// Size of a layer's device on what is below it.
fn size(file: &File, layer: Layer) -> Kib {
    let storage = file.device.unwrap_or_default();
    let below = file.layers.iter().filter(|(other, _)| **other < layer).map(|(_, size)| *size).min();
    let less = |header: Kib| below.unwrap_or(storage).minus(header).unwrap_or_default();
    match layer {
        Layer::Luks(_) => storage.minus(LUKS_HEADER).unwrap_or_default(),
        Layer::Bcache => less(BCACHE_HEADER),
        Layer::Cache | Layer::Writecache => less(Kib(0)),
    }
}
