//! Starts that are refused: of another kind or node than the data folder's, with a damaged store, a bad name, too small a
//! pool. Each names cause and cure, and leaves nothing attached, mounted or made.

use std::path::Path;
use std::process::{Command, Output};

use super::harness::{Place, Zead, can_run, free_port};

const ZEAD: &str = env!("CARGO_BIN_EXE_zead");
const SIMULATED: [&str; 3] = ["standalone", "--simulated-nodes", "2"];

/// Starts that are refused end at once: status 2 and a text with all these words.
#[track_caller]
fn refused(place: &Place, role: &[&str], more: &[(&str, &str)], words: &[&str]) {
    let mut zead = Zead::spawn(place, free_port(), role, more);
    let before = zead.log().len();
    assert_eq!(zead.ended().code(), Some(2), "{}", zead.log());
    let log = zead.log();
    let told = log.get(before..).unwrap_or(&log);
    assert!(words.iter().all(|word| told.contains(word)), "{words:?} in {told}");
}

fn end(mut zead: Zead) {
    zead.terminate();
    assert_eq!(zead.ended().code(), Some(0));
}

#[track_caller]
fn nothing_is_held(place: &Place) {
    assert_eq!(place.loops(), []);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&place.path().display().to_string()), "{mounts}");
    for image in std::fs::read_dir("/sys/block").unwrap().flatten() {
        let file = std::fs::read_to_string(image.path().join("loop/backing_file")).unwrap_or_default();
        assert!(!Path::new(file.trim_end()).starts_with(place.path()), "{file}");
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_folder_of_the_other_kind_or_of_another_node_is_refused() {
    if !can_run("starts on another's data folder") {
        return;
    }
    let simulated = Place::new();
    end(Zead::start(&simulated, free_port(), &SIMULATED, &[]));
    refused(&simulated, &["standalone"], &[], &["simulated cluster", "cause:", "Choose another data folder"]);
    nothing_is_held(&simulated);
    end(Zead::start(&simulated, free_port(), &SIMULATED, &[]));

    let real = Place::new();
    end(Zead::standalone(&real, free_port()));
    refused(&real, &SIMULATED, &[], &["real volumes, of node 'alpha'", "cure:", "Choose another data folder"]);
    let other = [("ZEA_NODE__NAME", "other2")];
    refused(&real, &["standalone"], &other, &["node 'alpha'", "node 'other2'", "ZEA_NODE__NAME=alpha"]);
    let zead = Zead::standalone(&real, free_port());
    assert_eq!(super::harness::names(&zead.client().get("/v1/nodes")), ["alpha"]);
    end(zead);
    assert!(real.release().status.success());
    nothing_is_held(&real);
}

#[test]
fn a_node_that_was_deleted_is_there_again_after_the_next_start() {
    if !can_run("a deleted node and the next start") {
        return;
    }
    let place = Place::new();
    let zead = Zead::standalone(&place, free_port());
    zead.client().call("DELETE", "/v1/nodes/alpha", None).ok("the node's deletion");
    super::harness::wait_for("the node's end", || {
        (zead.client().get("/v1/nodes") == serde_json::json!([])).then_some(())
    });
    end(zead);
    let zead = Zead::standalone(&place, free_port());
    zead.client().spawn("web", 8192).ok("a volume");
    zead.client().delete("web").ok("its deletion");
    end(zead);
    assert!(place.release().status.success());
    nothing_is_held(&place);
}

#[test]
fn a_damaged_store_is_told_before_anything_is_mounted_and_does_not_hinder_a_release() {
    if !can_run("a damaged store") {
        return;
    }
    let place = Place::new();
    let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(30_000).collect();
    std::fs::write(place.path().join("zea.redb"), &noise).unwrap();
    refused(&place, &["standalone"], &[], &["is damaged"]);
    nothing_is_held(&place);
    assert!(!place.pool().exists());

    // What an earlier run left is given back, whatever became of the store.
    std::fs::remove_file(place.path().join("zea.redb")).unwrap();
    let zead = Zead::standalone(&place, free_port());
    zead.client().spawn("web", 8192).ok("a volume");
    std::fs::write(place.path().join("zea.redb"), &noise).unwrap();
    let running = place.release();
    assert!(!running.status.success() && text(&running).contains("the daemon runs"), "{}", text(&running));
    zead.kill();
    let released = place.release();
    assert!(released.status.success() && text(&released).contains("web_00000.img"), "{}", text(&released));
    assert!(text(&released).contains("is damaged"), "{}", text(&released));
    nothing_is_held(&place);
    assert_eq!(std::fs::read(place.path().join("zea.redb")).unwrap(), noise, "the store is left as it is");
}

#[test]
fn a_store_that_the_engine_stumbles_over_is_told_in_a_line() {
    let place = Place::new();
    end(Zead::start(&place, free_port(), &SIMULATED, &[]));
    let store = place.path().join("zea.redb");
    let mut bytes = std::fs::read(&store).unwrap();
    // The first page behind the head: the engine panics at what is no kind of page.
    bytes[8192..8392].fill(0xCA);
    std::fs::write(&store, bytes).unwrap();
    refused(&place, &SIMULATED, &[], &["is damaged", "engine stumbled", "restore the last export"]);
    let log = std::fs::read_to_string(place.path().join("standalone.log")).unwrap();
    assert!(!log.contains("panicked") && !log.contains("backtrace"), "{log}");
}

#[test]
fn what_a_start_lacks_is_told_once() {
    let place = Place::new();
    let none = place.path().join("none.toml");
    let output = Command::new(ZEAD).args(["controller", "--config"]).arg(&none).output().unwrap();
    let told = text(&output);
    assert_eq!((output.status.code(), told.matches("No such file").count()), (Some(2), 1), "{told}");
}

#[test]
fn a_controller_on_the_store_of_a_standalone_says_so() {
    let place = Place::new();
    end(Zead::start(&place, free_port(), &SIMULATED, &[]));
    let zead = Zead::start(&place, free_port(), &["controller"], &[]);
    super::harness::wait_for("the word", || zead.log().contains("that of a simulated cluster").then_some(()));
    end(zead);
}

#[test]
fn a_bad_name_and_too_small_a_pool_leave_no_trace() {
    if !can_run("starts with bad settings") {
        return;
    }
    let place = Place::new();
    refused(&place, &["standalone"], &[("ZEA_NODE__NAME", "bad name")], &["'bad name'", "cause:", "[node] name"]);
    assert!(!place.path().join("zea.redb").exists() && !place.pool().exists());
    refused(&place, &["standalone"], &[("ZEA_STANDALONE__POOL", "x y")], &["cause:", "[standalone] pool"]);
    assert!(!place.path().join("zea.redb").exists() && !place.pool().exists());
    let mut small = Zead::spawn(&place, free_port(), &["standalone"], &[("ZEA_STANDALONE__POOL_SIZE", "1MiB")]);
    super::harness::wait_for("an answer or an end", || {
        let log = small.log();
        (log.contains("too small") || log.contains("REST API on")).then_some(())
    });
    if small.log().contains("too small") {
        assert_eq!(small.ended().code(), Some(2));
        assert!(!place.pool().exists(), "an empty pool folder stays");
        nothing_is_held(&place);
    }
}

#[test]
fn a_folder_that_is_not_there_cannot_be_released() {
    let place = Place::new();
    let none = place.path().join("none");
    let output = Command::new(ZEAD).args(["release", "--data"]).arg(&none).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("does not exist") && text(&output).contains("cure:"), "{}", text(&output));
    assert!(!none.exists());
    assert!(place.release().status.success(), "one that holds nothing can");
}
