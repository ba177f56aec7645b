//! A volume group on the node's disks, a pool of each kind in it, and what is left of them.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use zea::model::desired::{DesiredPool, DesiredResource};
use zea::model::kinds::ProviderKind;
use zea::model::report::{PoolReport, ResourceReport};
use zea::storage::exec::Limits;
use zea::storage::node::{NodeStorage, ResourceMemory, Setup};

use crate::storage::rig::{ok, pool_name};

pub const KINDS: [ProviderKind; 2] = [ProviderKind::LvmThin, ProviderKind::Lvm];
/// What commands of the tests run with, as on a machine without udev.
pub const CONFIG: &str = "activation{udev_sync=0 udev_rules=0 monitoring=0} backup{backup=0 archive=0}";

pub struct Rig {
    pub node: NodeStorage,
    pub kind: ProviderKind,
    pub limits: Limits,
}

/// An LVM command that must succeed; what it prints.
pub fn lvm(line: &str) -> String {
    let mut words = line.split_whitespace();
    let program = words.next().expect("a command");
    let output = Command::new(program).args(["--config", CONFIG]).args(words).output().expect("lvm2 is there");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Rig {
    /// A new group `vg` on two disks, with a thin pool in it.
    pub async fn new(kind: ProviderKind) -> Self {
        let disks = super::disks().expect("in a node");
        if ok("vgs", &["vg"]) {
            lvm("vgremove -ff -y vg");
        }
        lvm(&format!("vgcreate -ff -y vg {} {}", disks[0], disks[1]));
        lvm("lvcreate -y -L 600M -T vg/thin");
        let mut rig = Self { node: NodeStorage::real(&Setup::default()), kind, limits: Limits::default() };
        rig.restart().await;
        rig
    }

    /// A new process, as it were.
    pub async fn restart(&mut self) {
        self.node = NodeStorage::real(&Setup { limits: self.limits, ..Setup::default() });
        let report = self.apply().await;
        assert!(report.capacity.is_ok(), "{report:?}");
    }

    pub async fn apply(&self) -> PoolReport {
        self.node.apply_pools(vec![self.desired_pool()]).await.remove(0)
    }

    pub fn desired_pool(&self) -> DesiredPool {
        let backing = if self.kind == ProviderKind::LvmThin { "vg/thin" } else { "vg" };
        DesiredPool {
            name: pool_name(),
            provider: self.kind,
            backing: backing.to_owned(),
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
        assert_eq!(report.problem, None, "{:?} {report:?}", self.kind);
        report
    }

    /// A pass that must fail; why.
    pub async fn fail(&self, desired: &DesiredResource) -> zea::model::report::Problem {
        let report = self.reconcile(desired).await;
        report.problem.clone().unwrap_or_else(|| panic!("{:?} {report:?}", self.kind))
    }

    pub async fn cut_off(&mut self, desired: &DesiredResource, steps: usize) {
        self.node.reconcile_steps(&ResourceMemory::default(), Arc::new(desired.clone()), steps).await;
        self.restart().await;
    }

    /// How many commands ran, in all.
    pub fn commands(&self) -> u64 {
        self.node.command_counts().values().sum()
    }
}

/// Logical volumes but the thin pool, in order.
pub fn volumes() -> Vec<String> {
    let listed = lvm("lvs --noheadings -o lv_name vg");
    let mut names: Vec<String> = listed.lines().map(|line| line.trim().to_owned()).collect();
    names.retain(|name| !name.is_empty() && name != "thin");
    names.sort();
    names
}

/// Devices of volumes and of layers of them, but the thin pool's.
pub fn devices() -> Vec<String> {
    let entries = std::fs::read_dir("/dev/mapper").expect("device mapper").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with("vg-") && !name.starts_with("vg-thin"));
    names.sort();
    names
}
