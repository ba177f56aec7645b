//! The devices of zvols: `/dev/zvol/<dataset>/<id>`, a link that udev makes some tenths of a second after the volume, or the
//! kernel's `/dev/zd<n>` itself where no udev runs. A link is believed only after the kernel has said whose device it leads to:
//! for a moment after a rename it leads to another volume's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::zpool::{link_of, lock, suspended_zpools, zpool_of};
use crate::model::plan::ObservedDevice;
use crate::model::size::Kib;
use crate::storage::ioctl;

/// Between two looks for a device that is to come or to go.
const STEP: Duration = Duration::from_millis(20);
/// How long udev's link is waited for once the kernel has the device: where no udev runs it never comes.
const LINK: Duration = Duration::from_secs(2);
/// Where udev listens while it runs.
const UDEV: &str = "/run/udev/control";
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
        let begun = Instant::now();
        // Where udev runs, its link comes soon, or not at all.
        let links = if Path::new(UDEV).exists() { LINK } else { Duration::ZERO };
        loop {
            let there = self.find(name).is_some();
            if there && (Self::has_link(name) || begun.elapsed() >= links) {
                return true;
            }
            if begun.elapsed() >= limit {
                return there;
            }
            if !there && begun.elapsed() >= links {
                self.scan();
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

    /// Asks the kernel anew about every device of a zpool.
    pub(super) fn forget_zpool(&self, zpool: &str) {
        lock(&self.known).retain(|name, _| zpool_of(name) != zpool);
    }

    /// Asks the kernel whose device each is that is not known. None of a zpool that is suspended is opened: that would hang, and
    /// hold up every other zpool with it.
    fn scan(&self) {
        let Ok(entries) = std::fs::read_dir("/sys/block") else { return };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut devices: Vec<String> = names.filter(|name| name.starts_with("zd")).collect();
        let known = lock(&self.known).clone();
        devices.retain(|device| !known.values().any(|other| other == device));
        for zpool in suspended_zpools() {
            let linked = linked(&link_of(&zpool));
            if linked.is_empty() && !known.keys().any(|name| zpool_of(name) == zpool) {
                // Nobody can tell which are its.
                return;
            }
            devices.retain(|device| !linked.contains(device));
        }
        for device in devices {
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

/// Devices that udev's links in a folder lead to. Opens none.
fn linked(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(entries) = folders.pop().map(std::fs::read_dir) {
        for path in entries.into_iter().flatten().flatten().map(|entry| entry.path()) {
            match std::fs::read_link(&path) {
                Ok(target) => found.extend(target.file_name().and_then(|name| name.to_str()).map(str::to_owned)),
                Err(_) => folders.push(path),
            }
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_tell_of_devices_without_opening_them() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir_all(folder.path().join("zea/deep")).expect("made");
        for (link, device) in [("a_00000", "../../zd0"), ("zea/b_00000", "../../../zd16"), ("zea/deep/c", "/dev/zd32")]
        {
            std::os::unix::fs::symlink(device, folder.path().join(link)).expect("linked");
        }
        assert_eq!(linked(folder.path()), ["zd0", "zd16", "zd32"].map(str::to_owned).into());
        assert_eq!(linked(&folder.path().join("none")), BTreeSet::new());
    }

    #[test]
    fn what_is_no_zvol_is_nobodys() {
        let zvols = Zvols::default();
        lock(&zvols.known).insert("t/v_00000".to_owned(), "zd99999".to_owned());
        assert_eq!((zvols.find("t/v_00000"), name_of("null"), size("none")), (None, None, None));
        assert!(zvols.wait_gone("t/v_00000", Duration::ZERO) && !zvols.wait("t/v_00000", Duration::ZERO));
        assert!(zvols.wait_size("t/v_00000", Kib(1), Duration::ZERO), "there is no device to have another");
        zvols.forget_zpool("other");
        assert_eq!(lock(&zvols.known).len(), 1);
        zvols.forget_zpool("t");
        assert_eq!(lock(&zvols.known).len(), 0);
    }
}
