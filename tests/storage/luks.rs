//! Encrypted volumes for real: dm-crypt over loop devices. On a kernel without device mapper it says so and passes; the
//! rig of user-mode Linux nodes has one.

use std::process::{Command, Stdio};
use std::sync::Arc;

use zea::model::desired::{DesiredResource, FileSystem, LuksKey, Order};
use zea::model::kinds::LayerKind;
use zea::model::report::{LuksState, VolumeState};
use zea::model::secret::Secret;
use zea::model::size::Kib;
use zea::storage::node::ResourceMemory;

use super::rig::{Ground, Rig, SIZE, device, fill, keep, ok, resource, restored, rollback, sum, text, with_snapshot};

/// More steps than any plan here has.
const STEPS: usize = 16;
/// Deriving keys takes seconds as it should be, and nothing here.
const FAST: &str = "--pbkdf pbkdf2 --pbkdf-force-iterations 1000";
/// A passphrase as the controller makes them: 20 bytes in Base64.
const KEY: &str = "bm9ib2R5IGtub3dzIHRoaXMga2V5";

/// Names of mappings are the same in all tests: one of them at a time.
pub static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn rig(ground: Ground) -> Option<(Rig, tokio::sync::MutexGuard<'static, ()>)> {
    if let Some(reason) = crate::rigs::no_module("dm_crypt") {
        crate::rigs::not_run("encrypted volumes", reason);
        return None;
    }
    let turn = TURN.lock().await;
    Some((Rig::new(ground).await?, turn))
}

fn key(passphrase: &str, previous: Option<&str>) -> Option<LuksKey> {
    Some(LuksKey::Known { passphrase: Secret::new(passphrase), previous: previous.map(Secret::new) })
}

pub fn encrypt(desired: &mut DesiredResource) {
    desired.layers = vec![LayerKind::Luks, LayerKind::Storage];
    desired.props.insert("StorDriver/LuksFormatOptions".to_owned(), FAST.to_owned());
    desired.volumes.iter_mut().for_each(|volume| volume.luks = key(KEY, None));
}

fn encrypted(name: &str, volumes: u32) -> DesiredResource {
    let mut made = resource(name, volumes);
    encrypt(&mut made);
    made
}

/// What the device mapper has under LINSTOR's names.
pub fn mappings() -> Vec<String> {
    let output = Command::new("dmsetup").args(["ls", "--noheadings"]).output().expect("dmsetup");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter(|line| line.to_lowercase().starts_with("linstor")).map(str::to_owned).collect()
}

fn opens(device: &str, passphrase: &str) -> bool {
    use std::io::Write;
    let mut child = Command::new("cryptsetup")
        .args(["open", "--test-passphrase", "--tries", "1", device])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("cryptsetup");
    child.stdin.take().expect("piped").write_all(format!("{passphrase}\n").as_bytes()).expect("read");
    child.wait().expect("ended").success()
}

#[tokio::test]
async fn made_found_again_grown_and_removed() {
    let Some((mut rig, _turn)) = rig(Ground::Plain).await else { return };
    let mut web = encrypted("web", 2);
    let report = rig.settle(&web).await;
    assert_eq!(device(&report, 0), "/dev/mapper/Linstor-Crypt-web_00000");
    assert_eq!(report.volumes[0].state, VolumeState::Created);
    assert_eq!(report.volumes[0].usable, Some(SIZE), "net is what was asked for");
    assert!(report.volumes[0].backing_path.as_deref().is_some_and(|path| path.starts_with("/dev/loop")));
    fill(&device(&report, 1), 7);
    let before = sum(&device(&report, 1));
    let backing = report.volumes[1].backing_path.clone().expect("attached");
    assert!(opens(&backing, KEY) && !opens(&backing, "another"));
    keep(&mut web);
    rig.restart().await;
    let again = rig.settle(&web).await;
    assert_eq!(sum(&device(&again, 1)), before);
    assert!(rig.node.command_counts().is_empty(), "nothing to do runs no process");
    web.volumes[1].size = Kib(SIZE.0 * 2);
    let grown = rig.settle(&web).await;
    assert_eq!((grown.volumes[1].usable, sum(&device(&grown, 1))), (Some(Kib(SIZE.0 * 2)), before));
    web.active = false;
    assert_eq!(rig.settle(&web).await.volumes[1].state, VolumeState::Attachable);
    assert_eq!((mappings(), rig.loops()), (Vec::new(), Vec::new()));
    web.active = true;
    assert_eq!(sum(&device(&rig.settle(&web).await, 1)), before, "after it was inactive");
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone);
    assert_eq!((mappings(), rig.files(), rig.loops()), (Vec::new(), Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_file_system_lies_on_the_open_device_and_keeps_it() {
    let Some((mut rig, _turn)) = rig(Ground::Plain).await else { return };
    let mut web = encrypted("web", 1);
    let kind = "ext4".to_owned();
    web.volumes[0].file_system = Some(FileSystem { kind, mkfs_params: Vec::new(), user: None, group: None });
    let report = rig.settle(&web).await;
    keep(&mut web);
    let point = rig.mount(&device(&report, 0));
    std::fs::write(point.join("file"), "content").expect("written");
    let mut gone = web.clone();
    gone.order = Order::Remove;
    let refused = rig.reconcile(&gone).await;
    let problem = refused.problem.expect("mounted");
    assert!(problem.cause.contains("is mounted at"), "{problem}");
    with_snapshot(&mut web, "then", Order::Make);
    rig.settle(&web).await;
    let mut copy = restored("copy", 1, "web", "then");
    encrypt(&mut copy);
    copy.volumes[0].luks = key("its own", Some(KEY));
    let copied = rig.settle(&copy).await;
    let other = rig.mount(&device(&copied, 0));
    assert_eq!(std::fs::read_to_string(other.join("file")).expect("there"), "content", "what was mounted is in it");
    std::fs::write(point.join("file"), "resumed").expect("nothing stays suspended");
    for point in [&other, &point] {
        assert!(ok("umount", &[text(point)]));
    }
    web.volumes[0].size = Kib(SIZE.0 - 1024);
    web.volumes[0].shrink = true;
    let refused = rig.reconcile(&web).await;
    assert!(refused.problem.as_ref().expect("too large").cause.contains("ext4"));
    let path = device(&refused, 0);
    assert!(ok("e2fsck", &["-fy", &path]) && ok("resize2fs", &[&path, "8M"]));
    let cut = rig.settle(&web).await;
    assert_eq!(cut.volumes[0].usable, Some(Kib(SIZE.0 - 1024)));
    assert!(ok("e2fsck", &["-fn", &path]));
    for desired in [&mut web, &mut copy] {
        desired.order = Order::Remove;
        desired.snapshots.iter_mut().for_each(|snapshot| snapshot.order = Order::Remove);
        assert!(rig.settle(desired).await.gone);
    }
    assert_eq!((mappings(), rig.files()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_locked_node_waits_and_removes_all_the_same() {
    let Some((mut rig, _turn)) = rig(Ground::Plain).await else { return };
    let mut web = encrypted("web", 1);
    rig.settle(&web).await;
    keep(&mut web);
    web.active = false;
    rig.settle(&web).await;
    web.active = true;
    web.volumes[0].luks = Some(LuksKey::Locked);
    let waiting = rig.reconcile(&web).await;
    let problem = waiting.problem.expect("locked");
    assert!(problem.correction.contains("enter-passphrase"), "{problem:?}");
    assert_eq!((waiting.volumes[0].state, waiting.volumes[0].device_path.clone()), (VolumeState::Failed, None));
    assert_eq!(waiting.volumes[0].luks, Some(LuksState::Waiting));
    web.volumes[0].luks = key("not the key", None);
    let wrong = rig.reconcile(&web).await.problem.expect("another key");
    assert!(wrong.cause.contains("does not open its header"), "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("not the key"), "{wrong:?}");
    web.volumes[0].luks = key(KEY, None);
    rig.settle(&web).await;
    web.volumes[0].luks = Some(LuksKey::Locked);
    rig.restart().await;
    assert_eq!(rig.settle(&web).await.volumes[0].state, VolumeState::Created, "what is open needs no key");
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone);
    assert_eq!((mappings(), rig.files()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn what_is_not_ours_is_never_given_a_header() {
    let Some((rig, _turn)) = rig(Ground::Plain).await else { return };
    let mut web = resource("web", 1);
    let plain = rig.settle(&web).await;
    fill(&device(&plain, 0), 7);
    let before = sum(&device(&plain, 0));
    keep(&mut web);
    encrypt(&mut web);
    for order in [Order::Keep, Order::Make] {
        web.volumes[0].order = order;
        let refused = rig.reconcile(&web).await;
        let problem = refused.problem.expect("no header");
        assert!(problem.cause.contains("where its LUKS header should be"), "{problem:?}");
        assert_eq!(sum(refused.volumes[0].backing_path.as_deref().expect("attached")), before);
    }
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone);
}

/// The passphrase of a volume that LINSTOR made goes in with the end of a line behind it, and no key file.
#[tokio::test]
async fn what_was_made_by_hand_as_linstor_does_is_taken_over() {
    let Some((mut rig, _turn)) = rig(Ground::Plain).await else { return };
    let file = rig.pool.join("old_00000.img");
    assert!(ok("truncate", &["-s", "20M", text(&file)]));
    let script = format!(
        "echo {KEY} | cryptsetup -q luksFormat --type luks1 {FAST} --pbkdf-memory 262144 {0} && \
         l=$(losetup -f --show {0}) && echo {KEY} | cryptsetup open --tries 1 $l Linstor-Crypt-old_00000",
        text(&file)
    );
    assert!(ok("bash", &["-ec", &script]));
    fill("/dev/mapper/Linstor-Crypt-old_00000", 3);
    let before = sum("/dev/mapper/Linstor-Crypt-old_00000");
    let mut old = encrypted("old", 1);
    keep(&mut old);
    rig.restart().await;
    let taken = rig.settle(&old).await;
    assert_eq!(sum(&device(&taken, 0)), before);
    assert_eq!(std::fs::metadata(&file).expect("there").len(), 20 << 20, "its header is as large as it is");
    old.active = false;
    rig.settle(&old).await;
    old.active = true;
    assert_eq!(sum(&device(&rig.settle(&old).await, 0)), before, "opened by us");
    old.order = Order::Remove;
    assert!(rig.settle(&old).await.gone);
}

#[tokio::test]
async fn a_new_key_is_put_into_force_once() {
    let Some((mut rig, _turn)) = rig(Ground::Plain).await else { return };
    let mut web = encrypted("web", 1);
    let report = rig.settle(&web).await;
    keep(&mut web);
    let backing = report.volumes[0].backing_path.clone().expect("attached");
    web.volumes[0].luks = key("another", Some(KEY));
    for round in 0..2 {
        let told = rig.settle(&web).await.volumes[0].luks;
        assert_eq!(told, Some(LuksState::InForce), "round {round}");
        assert!(opens(&backing, "another") && !opens(&backing, KEY), "round {round}");
        rig.restart().await;
    }
    web.active = false;
    rig.settle(&web).await;
    web.volumes[0].luks = key("third", Some("another"));
    assert_eq!(rig.settle(&web).await.volumes[0].luks, Some(LuksState::InForce));
    assert!(rig.loops().is_empty(), "at rest again");
    web.active = true;
    web.volumes[0].luks = key("third", None);
    rig.settle(&web).await;
    web.volumes[0].luks = key("fourth", Some("wrong"));
    let refused = rig.reconcile(&web).await;
    assert_eq!(refused.volumes[0].luks, Some(LuksState::WrongKey));
    let problem = refused.problem.expect("neither opens it");
    assert!(problem.message.contains("new key"), "{problem:?}");
    web.order = Order::Remove;
    assert!(rig.settle(&web).await.gone);
}

async fn cut_off(rig: &mut Rig, desired: &DesiredResource, steps: usize) {
    let memory = ResourceMemory::default();
    rig.node.reconcile_steps(&memory, Arc::new(desired.clone()), steps).await;
    rig.restart().await;
}

#[tokio::test]
async fn every_cut_converges() {
    let Some((mut rig, _turn)) = rig(Ground::Plain).await else { return };
    for steps in 0..STEPS {
        let mut web = encrypted("web", 2);
        cut_off(&mut rig, &web, steps).await;
        let report = rig.settle(&web).await;
        fill(&device(&report, 0), 1);
        let before = sum(&device(&report, 0));
        with_snapshot(&mut web, "then", Order::Make);
        cut_off(&mut rig, &web, steps).await;
        rig.settle(&web).await;
        keep(&mut web);
        fill(&device(&report, 0), 2);
        let mut copy = restored("copy", 2, "web", "then");
        encrypt(&mut copy);
        cut_off(&mut rig, &copy, steps).await;
        assert_eq!(sum(&device(&rig.settle(&copy).await, 0)), before, "restored, {steps} steps");
        web.volumes[1].size = Kib(SIZE.0 + 4096);
        rollback(&mut web, "then", steps as u128 + 1);
        cut_off(&mut rig, &web, steps).await;
        let back = rig.settle(&web).await;
        assert_eq!(sum(&device(&back, 0)), before, "rolled back, {steps} steps");
        assert_eq!(back.volumes[1].usable, Some(Kib(SIZE.0 + 4096)));
        web.order = Order::Remove;
        with_snapshot(&mut web, "then", Order::Remove);
        copy.order = Order::Remove;
        for desired in [&web, &copy] {
            cut_off(&mut rig, desired, steps).await;
            assert!(rig.settle(desired).await.gone, "removed, {steps} steps");
        }
        assert_eq!((rig.files(), rig.loops(), mappings()), (Vec::new(), Vec::new(), Vec::new()), "{steps} steps");
    }
}
