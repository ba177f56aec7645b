//! The devices of zvols: `/dev/zvol/<dataset>/<id>`, a link that udev makes some tenths of a second after the volume, or the
//! kernel's `/dev/zd<n>` itself where no udev runs. A link is believed only after the kernel has said whose device it leads to:
//! for a moment after a rename it leads to another volume's.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::zpool::{link_of, lock};
use crate::model::plan::ObservedDevice;
use crate::model::size::Kib;
use crate::storage::ioctl;

/// Between two looks for a device that is to come or to go.
const STEP: Duration = Duration::from_millis(20);
/// How long udev's link is waited for once the kernel has the device: where no udev runs it never comes.
const LINK: Duration = Duration::from_secs(2);
/// Unit of `/sys/block/<name>/size`.
const SECTOR_BYTES: u64 = 512;

/// Which device is whose.
#[derive(Debug, Default)]
pub(super) struct Zvols {
    /// `zd<n>` by dataset.
    known: Mutex<BTreeMap<String, String>>,
}

impl Zvols {
    /// The device of a volume, if it has one.
    pub(super) fn find(&self, name: &str) -> Option<ObservedDevice> {
        let link = link_of(name);
        let linked = link.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let known = lock(&self.known).get(name).cloned();
        let (device, path) = match (linked, known) {
            (Some(device), known) if known.as_ref() == Some(&device) || self.is_of(&device, name) => (device, link),
            (_, Some(device)) if self.is_of(&device, name) => (device.clone(), Path::new("/dev").join(device)),
            _ => return None,
        };
        let Some(size) = size(&device) else {
            self.forget(name);
            return None;
        };
        Some(ObservedDevice { path: path.to_string_lossy().into_owned(), size })
    }

    /// Whether udev has made something under a volume's name.
    pub(super) fn has_link(name: &str) -> bool {
        link_of(name).symlink_metadata().is_ok()
    }

    /// Waits for a volume's device, and a moment longer for its link; whether it came.
    pub(super) fn wait(&self, name: &str, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut since = None;
        loop {
            if self.find(name).is_some() {
                let since = *since.get_or_insert_with(Instant::now);
                if Zvols::has_link(name) || since.elapsed() >= LINK {
                    return true;
                }
            } else {
                self.scan();
            }
            if Instant::now() >= until {
                return self.find(name).is_some();
            }
            sleep(STEP);
        }
    }

    /// Waits until a volume has no device any more; whether that came.
    pub(super) fn wait_gone(&self, name: &str, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while self.find(name).is_some() {
            if Instant::now() >= until {
                return false;
            }
            sleep(STEP);
        }
        true
    }

    /// Waits until a volume's device has this size; whether that came.
    pub(super) fn wait_size(&self, name: &str, wanted: Kib, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            match self.find(name) {
                Some(device) if device.size != wanted && Instant::now() < until => sleep(STEP),
                found => return found.is_none_or(|device| device.size == wanted),
            }
        }
    }

    /// A volume has, or will have, another device.
    pub(super) fn forget(&self, name: &str) {
        lock(&self.known).remove(name);
    }

    /// Asks the kernel anew about every device.
    pub(super) fn forget_all(&self) {
        lock(&self.known).clear();
    }

    /// Asks the kernel whose device each is that is not known.
    fn scan(&self) {
        let Ok(entries) = std::fs::read_dir("/sys/block") else { return };
        let known: Vec<String> = lock(&self.known).values().cloned().collect();
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        for device in names.filter(|name| name.starts_with("zd") && !known.contains(name)) {
            if let Some(name) = name_of(&device) {
                lock(&self.known).insert(name, device);
            }
        }
    }

    /// Whether the kernel says that a device is this volume's; remembered then.
    fn is_of(&self, device: &str, name: &str) -> bool {
        let is = device.starts_with("zd") && name_of(device).as_deref() == Some(name);
        if is {
            lock(&self.known).insert(name.to_owned(), device.to_owned());
        }
        is
    }
}

/// The kernel's device behind a path.
pub(super) fn kernel_path(path: &str) -> PathBuf {
    Path::new(path).canonicalize().unwrap_or_else(|_| PathBuf::from(path))
}

fn name_of(device: &str) -> Option<String> {
    let open = File::open(Path::new("/dev").join(device)).ok()?;
    ioctl::zvol_name(&open).ok()
}

fn size(device: &str) -> Option<Kib> {
    let sectors = std::fs::read_to_string(Path::new("/sys/block").join(device).join("size")).ok()?;
    let sectors: u64 = sectors.trim().parse().ok()?;
    Some(Kib::from_bytes_floor(sectors.saturating_mul(SECTOR_BYTES)))
}
