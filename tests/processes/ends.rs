//! How processes end and start: SIGTERM, adoption, a second process, a taken port, `zead release`, a refused placement.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::harness::{Place, Zead, can_run, content, fill, free_port};

#[test]
fn sigterm_ends_quickly_volumes_stay_and_the_next_start_adopts_them() {
    if !can_run("SIGTERM and adoption") {
        return;
    }
    let (place, rest) = (Place::new(), free_port());
    let mut zead = Zead::standalone(&place, rest);
    zead.client().spawn("web", 8192).ok("a volume");
    let device = zead.client().device("web").unwrap();
    let written = fill(&device, 7);
    let began = Instant::now();
    zead.terminate();
    assert_eq!(zead.ended().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(place.loops().len(), 1);
    let zead = Zead::standalone(&place, rest);
    super::harness::wait_for("the volume", || zead.client().device("web").filter(|found| *found == device));
    assert_eq!(content(&device, written.len()), written);
    assert_eq!(place.loops().len(), 1, "it was adopted, not attached again");
    zead.client().delete("web").ok("its end");
    assert_eq!(place.loops(), []);
}

#[test]
fn a_second_process_on_the_same_folder_and_a_taken_port_are_refused() {
    let place = Place::new();
    let role = ["standalone", "--simulated-nodes", "1"];
    let zead = Zead::start(&place, free_port(), &role, &[]);
    let mut second = Zead::spawn(&place, free_port(), &role, &[]);
    assert_eq!(second.ended().code(), Some(2));
    assert!(second.log().contains("is open in another process: stop zead"), "{}", second.log());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let other = Place::new();
    let mut third = Zead::spawn(&other, address, &role, &[]);
    assert_eq!(third.ended().code(), Some(2));
    let log = third.log();
    assert!(log.contains(&address.to_string()) && log.contains("cause:") && log.contains("cure:"), "{log}");
    assert!(!other.path().join("zea.redb").exists(), "a start that is refused leaves nothing behind");
    drop(zead);
}

#[test]
fn release_gives_loops_and_mount_back_and_refuses_what_is_in_use() {
    if !can_run("zead release") {
        return;
    }
    let (place, rest) = (Place::new(), free_port());
    let mut zead = Zead::standalone(&place, rest);
    zead.client().spawn("web", 32 * 1024).ok("a volume");
    zead.client().spawn("idle", 8192).ok("a second one");
    let device = zead.client().device("web").unwrap();
    let refused = place.release();
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains("the daemon runs"), "{text}");
    zead.terminate();
    assert_eq!(zead.ended().code(), Some(0));

    let mount = tempfile::tempdir().unwrap();
    assert!(Command::new("mkfs.ext4").arg("-q").arg(&device).status().unwrap().success());
    assert!(Command::new("mount").arg(&device).arg(mount.path()).status().unwrap().success());
    let refused = place.release();
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    let loops = place.loops().len();
    assert!(Command::new("umount").arg(mount.path()).status().unwrap().success());
    assert!(!refused.status.success() && text.contains(&mount.path().display().to_string()), "{text}");
    assert_eq!(loops, 2, "nothing is given back while something is in use");

    let done = place.release();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
    assert!(text.contains("web_00000.img") && text.contains("idle_00000.img"), "{text}");
    assert_eq!(place.loops(), []);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&place.pool().display().to_string()));
    assert!(place.release().status.success(), "a second time there is nothing to do");

    let zead = Zead::standalone(&place, rest);
    let found = super::harness::wait_for("the volume", || zead.client().device("web"));
    let kind = Command::new("blkid").args(["-o", "value", "-s", "TYPE"]).arg(found).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&kind.stdout).trim(), "ext4", "no data was lost");
}

#[test]
fn a_placement_that_fails_names_every_node_and_its_reason() {
    let place = Place::new();
    let zead = Zead::start(&place, free_port(), &["standalone", "--simulated-nodes", "3"], &[]);
    let client = zead.client();
    let body = json!({"resource_definition": {"name": "web"}});
    client.call("POST", "/v1/resource-definitions", Some(&body)).ok("a definition");
    let body = json!({"volume_definition": {"size_kib": 4096}});
    client.call("POST", "/v1/resource-definitions/web/volume-definitions", Some(&body)).ok("its volume");
    let body = json!({"select_filter": {"place_count": 4}});
    let answer = client.call("POST", "/v1/resource-definitions/web/autoplace", Some(&body));
    assert!(!answer.is_ok(), "{}", answer.json);
    let body = json!({"select_filter": {"place_count": 1, "storage_pool": "nowhere"}});
    let nowhere = client.call("POST", "/v1/resource-definitions/web/autoplace", Some(&body));
    assert!(!nowhere.is_ok(), "{}", nowhere.json);
    let text = nowhere.json.to_string();
    for node in ["sim-1", "sim-2", "sim-3"] {
        assert!(text.contains(node), "{node} is not named: {text}");
    }
    println!("{text}");
}

#[test]
fn a_store_of_another_name_is_refused_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_zead"))
        .args(["standalone", "--simulated-nodes", "1"])
        .env("ZEA_NODE__DATA", folder.path())
        .env("ZEA_CONTROLLER__STORE", folder.path().join("other.redb"))
        .env("ZEA_REST__LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("other.redb") && told.contains("zea.redb"), "{told}");
    assert!(!folder.path().join("zea.redb").exists());
}
