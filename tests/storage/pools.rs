//! Pools and facts of a real node.

use zea::model::kinds::{LayerKind, ProviderKind, Provisioning};
use zea::model::size::Kib;
use zea::storage::driver::Driver;
use zea::storage::drivers::{FileDriver, Preparation};

use super::rig::{Ground, Rig, pool_name};

/// Takes down what a test mounted, deepest first.
struct Mounts(Vec<std::path::PathBuf>);

impl Drop for Mounts {
    fn drop(&mut self) {
        for point in &self.0 {
            let _ = std::process::Command::new("umount").arg(point).status();
        }
    }
}

#[tokio::test]
async fn an_image_has_no_more_room_than_the_disk_below_it() {
    if let Some(reason) = crate::rigs::no_loop_devices() {
        return crate::rigs::not_run("an image on a small disk", reason);
    }
    let base = tempfile::tempdir().expect("folder");
    let (disk, pool) = (base.path().to_owned(), base.path().join("pool"));
    let small =
        std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=100m", "none"]).arg(&disk).status();
    assert!(small.expect("mount").success());
    let _mounts = Mounts(vec![pool.clone(), disk.clone()]);
    // tmpfs of some kernels has loop devices, but no reflinks: so it gets an image, larger than itself.
    let made = zea::storage::pool_folder::prepare(&pool, Some(2 << 30)).await.expect("an image");
    assert!(matches!(made, zea::storage::pool_folder::PoolFolder::Image(_)), "{made:?}");
    let driver =
        FileDriver::prepare(&pool.to_string_lossy(), Provisioning::Thin, std::sync::Arc::default(), Preparation::First);
    let room = driver.expect("a pool").capacity().expect("its room");
    assert!(room.total > Kib(1 << 20), "{room:?}");
    assert!(room.free <= Kib(100 << 10) && room.free > Kib(10 << 10), "{room:?}");
}

#[tokio::test]
async fn a_full_pool_is_opened_so_that_something_can_be_removed() {
    let Some(rig) = Rig::new(Ground::Reflink).await else { return };
    let filler = std::fs::File::create(rig.pool.join("filler")).expect("a file");
    let rest =
        std::iter::repeat_with(|| std::io::Write::write(&mut &filler, &[1; 4096])).find(|written| written.is_err());
    assert!(rest.is_some(), "it is full");
    let folder = rig.pool.to_string_lossy();
    let driver = FileDriver::prepare(&folder, Provisioning::Thin, std::sync::Arc::default(), Preparation::First);
    assert!(driver.expect("opened").has_reflink());
}

#[tokio::test]
async fn capacity_is_the_file_systems() {
    let Some(rig) = Rig::new(Ground::Reflink).await else { return };
    let report = rig.node.capacities(vec![pool_name()]).await.remove(0);
    let room = report.capacity.expect("healthy");
    assert!(room.total > Kib(400 << 10) && room.total < Kib(512 << 10), "{room:?}");
    assert!(room.free < room.total && report.supports_snapshots);
}

#[tokio::test]
async fn facts_name_what_works_and_why_not() {
    let Some(rig) = Rig::new(Ground::Plain).await else { return };
    let facts = rig.node.facts("1.0").await;
    assert!(facts.providers.contains(&ProviderKind::FileThin), "{facts:?}");
    assert!(facts.layers.contains(&LayerKind::Storage) && !facts.layers.contains(&LayerKind::Nvme), "{facts:?}");
    assert!(facts.unsupported_providers.iter().all(|(_, reasons)| !reasons.is_empty()));
    assert!(facts.tools.iter().any(|tool| tool.name == "LOSETUP" && tool.reasons.is_empty()));
    let counts = rig.node.command_counts();
    assert!(counts.keys().all(|program| program == "modprobe"), "modules are all that is asked for: {counts:?}");
}
