//! The disk of the data folder is full: writes are refused with the reason, reads go on, and room that is made is used.

use std::fs::File;
use std::io::Write;
use std::process::Command;

use serde_json::json;

use super::harness::{Client, Place, Zead, can_run, free_port, wait_for};

/// Unmounted when dropped, after the process on it has ended.
struct Small<'a>(&'a Place);

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l".as_ref(), self.0.path().as_os_str()]).status();
    }
}

fn health(client: &Client) -> (u16, String) {
    let answer = client.call("GET", "/health", None);
    (answer.status, answer.json.as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_full_disk_is_told_in_every_answer_and_left_behind_when_there_is_room() {
    if !can_run("a full disk") {
        return;
    }
    let place = Place::new();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "none"]).arg(place.path()).status();
    assert!(mounted.unwrap().success());
    let _small = Small(&place);
    let zead = Zead::start(&place, free_port(), &["standalone", "--simulated-nodes", "1"], &[]);
    let client = zead.client();
    assert_eq!(health(&client).0, 200);
    let filler = place.path().join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[7; 4096]).is_ok() {}
    drop(file);
    let long = "x".repeat(100_000);
    let refused = (0..100).find_map(|number| {
        let body = json!({"override_props": {"text": long}});
        let answer = client.call("PUT", &format!("/v1/key-value-store/kvs{number}"), Some(&body));
        (!answer.is_ok()).then_some(answer)
    });
    let refused = refused.expect("a disk of 12 MiB is full at last").json[0].clone();
    assert!(refused["cause"].as_str().unwrap().contains("No space left on device"), "{refused}");
    let cure = refused["correction"].as_str().unwrap();
    assert!(
        cure.contains("may or may not be stored") && cure.contains("Free room") && cure.contains("ask again"),
        "{cure}"
    );
    assert_eq!(client.call("GET", "/v1/nodes", None).status, 200, "reads go on");
    wait_for("the report of it", || {
        let told = client.get("/v1/error-reports?withContent=true").to_string();
        (told.contains("No space left on device") && told.contains("Free room")).then_some(())
    });
    std::fs::remove_file(&filler).unwrap();
    wait_for("the store to be used again", || (health(&client).0 == 200).then_some(()));
    let body = json!({"override_props": {"text": long}});
    client.call("PUT", "/v1/key-value-store/late", Some(&body)).ok("room was made");
}
