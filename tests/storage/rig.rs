//! The rig: a folder or a mounted image for a pool, with everything on it taken down again, whatever happens.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use zea::model::desired::{
    DesiredPool, DesiredResource, DesiredSnapshot, DesiredVolume, Order, Origin, Rollback, SnapshotSource,
};
use zea::model::kinds::{LayerKind, ProviderKind};
use zea::model::moment::Uuid;
use zea::model::names::{PoolName, RscName, SnapName, VolumeNumber};
use zea::model::report::ResourceReport;
use zea::model::size::Kib;
use zea::storage::node::{NodeStorage, ResourceMemory, Setup};

/// Size of the rig's volumes.
pub const SIZE: Kib = Kib(16 << 10);

/// What the pool's folder lies on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground {
    /// The machine's own temporary folder, taken to have no reflinks.
    Plain,
    /// An xfs image with reflinks.
    Reflink,
}

/// A pool's folder and the node that uses it.
pub struct Rig {
    pub node: NodeStorage,
    pub pool: PathBuf,
    mounted: Option<PathBuf>,
    others: Vec<PathBuf>,
    _base: TempDir,
}

impl Rig {
    /// `None`, and a line that says why, where this machine cannot.
    pub async fn new(ground: Ground) -> Option<Self> {
        if let Some(reason) = crate::rigs::no_loop_devices() {
            crate::rigs::not_run("real volumes", reason);
            return None;
        }
        let base = tempfile::tempdir().expect("temporary folder");
        let mut rig = Self {
            node: NodeStorage::real(&Setup::default()),
            pool: base.path().join("pool"),
            mounted: None,
            others: Vec::new(),
            _base: base,
        };
        if ground == Ground::Reflink {
            rig.mount_xfs();
        }
        rig.restart().await;
        Some(rig)
    }

    fn mount_xfs(&mut self) {
        let image = self.pool.with_file_name("xfs.img");
        let file = File::create(&image).expect("image");
        file.set_len(512 << 20).expect("sparse");
        assert!(ok("mkfs.xfs", &["-q", "-m", "reflink=1", text(&image)]), "xfsprogs is missing, or an old one");
        std::fs::create_dir(&self.pool).expect("folder");
        assert!(ok("mount", &["-o", "loop", text(&image), text(&self.pool)]));
        self.mounted = Some(self.pool.clone());
    }

    /// A new process, as it were: everything that was only remembered is forgotten.
    pub async fn restart(&mut self) {
        self.node = NodeStorage::real(&Setup::default());
        let reports = self.node.apply_pools(vec![self.desired_pool(ProviderKind::FileThin)]).await;
        assert!(reports[0].capacity.is_ok(), "{reports:?}");
    }

    pub fn desired_pool(&self, provider: ProviderKind) -> DesiredPool {
        DesiredPool {
            name: pool_name(),
            provider,
            backing: text(&self.pool).to_owned(),
            shared: false,
            props: BTreeMap::new(),
        }
    }

    pub async fn reconcile(&self, desired: &DesiredResource) -> ResourceReport {
        self.node.reconcile(&ResourceMemory::default(), Arc::new(desired.clone())).await
    }

    /// A pass that must end without a problem.
    pub async fn settle(&self, desired: &DesiredResource) -> ResourceReport {
        let report = self.reconcile(desired).await;
        assert_eq!(report.problem, None, "{report:?}");
        report
    }

    /// A mount point that is unmounted with the rig.
    pub fn mount(&mut self, device: &str) -> PathBuf {
        let point = self.pool.with_file_name(format!("mnt{}", self.others.len()));
        std::fs::create_dir(&point).expect("folder");
        assert!(ok("mount", &[device, text(&point)]));
        self.others.push(point.clone());
        point
    }

    /// Names in the pool's folder, in order.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.pool).expect("pool");
        let names = entries.map(|entry| entry.expect("entry").file_name().into_string().expect("text"));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// Loop devices whose backing file lies in the pool, as the kernel says.
    pub fn loops(&self) -> Vec<String> {
        let pool = self.pool.canonicalize().expect("pool");
        let mut devices = Vec::new();
        for entry in std::fs::read_dir("/sys/block").expect("sysfs").flatten() {
            let file = entry.path().join("loop/backing_file");
            if let Ok(file) = std::fs::read_to_string(file)
                && Path::new(file.trim_end()).parent() == Some(&pool)
            {
                devices.push(format!("/dev/{}", entry.file_name().to_string_lossy()));
            }
        }
        devices
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for point in self.others.iter().rev() {
            ok("umount", &[text(point)]);
        }
        if self.pool.exists() {
            for device in self.loops() {
                ok("losetup", &["-d", &device]);
            }
        }
        if let Some(point) = &self.mounted {
            ok("umount", &[text(point)]);
        }
    }
}

/// Whether a command succeeds.
pub fn ok(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

pub fn pool_name() -> PoolName {
    PoolName::parse("files").expect("legal")
}

pub fn rsc(name: &str) -> RscName {
    RscName::parse(name).expect("legal")
}

pub fn snap(name: &str) -> SnapName {
    SnapName::parse(name).expect("legal")
}

pub fn nr(number: u32) -> VolumeNumber {
    VolumeNumber::new(number).expect("legal")
}

/// A resource with so many new volumes.
pub fn resource(name: &str, volumes: u32) -> DesiredResource {
    DesiredResource {
        rsc: rsc(name),
        generation: 1,
        order: Order::Make,
        active: true,
        layers: vec![LayerKind::Storage],
        diskless: false,
        volumes: (0..volumes).map(volume).collect(),
        snapshots: Vec::new(),
        rollback: None,
        props: BTreeMap::new(),
    }
}

fn volume(number: u32) -> DesiredVolume {
    DesiredVolume {
        number: nr(number),
        pool: pool_name(),
        provider: ProviderKind::FileThin,
        size: SIZE,
        order: Order::Make,
        made: false,
        origin: Origin::Blank,
        file_system: None,
        options: BTreeMap::new(),
        shrink: false,
        minor: None,
        override_id: None,
        luks: None,
    }
}

/// The same resource, all its volumes from a snapshot of `source`.
pub fn restored(name: &str, volumes: u32, source: &str, snapshot: &str) -> DesiredResource {
    let mut made = resource(name, volumes);
    for volume in &mut made.volumes {
        volume.origin = Origin::Snapshot { rsc: rsc(source), snapshot: snap(snapshot), volume: volume.number };
    }
    made
}

/// Adds a snapshot of all volumes.
pub fn with_snapshot(desired: &mut DesiredResource, name: &str, order: Order) {
    let volumes = desired.volumes.iter().map(|volume| SnapshotSource {
        number: volume.number,
        pool: volume.pool.clone(),
        provider: volume.provider,
        size: volume.size,
        override_id: volume.override_id.clone(),
    });
    let snapshot = DesiredSnapshot { name: snap(name), order, volumes: volumes.collect() };
    desired.snapshots.retain(|other| other.name != snapshot.name);
    desired.snapshots.push(snapshot);
}

pub fn rollback(desired: &mut DesiredResource, snapshot: &str, token: u128) {
    desired.rollback = Some(Rollback { snapshot: snap(snapshot), token: Uuid(token) });
}

/// Everything that was made is reported as made from now on.
pub fn keep(desired: &mut DesiredResource) {
    desired.order = Order::Keep;
    desired.volumes.iter_mut().for_each(|volume| (volume.order, volume.made) = (Order::Keep, true));
    desired.snapshots.iter_mut().for_each(|snapshot| snapshot.order = Order::Keep);
}

pub fn device(report: &ResourceReport, number: usize) -> String {
    report.volumes[number].device_path.clone().expect("attached")
}

/// Fills a device with a pattern, through its cache and down to the file.
pub fn fill(device: &str, byte: u8) {
    let file = OpenOptions::new().write(true).open(device).expect("device");
    for at in 0..8 {
        let block = [byte.wrapping_add(at); 4096];
        file.write_all_at(&block, u64::from(at) << 20).expect("written");
    }
    file.sync_all().expect("on disk");
}

/// A checksum of the first [`SIZE`] of a device.
pub fn sum(device: &str) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let file = File::open(device).expect("device");
    let mut hasher = DefaultHasher::new();
    let mut block = vec![0; 1 << 20];
    for at in 0..SIZE.bytes() >> 20 {
        file.read_exact_at(&mut block, at << 20).expect("readable");
        hasher.write(&block);
    }
    hasher.finish()
}
