//! The master passphrase of a process: given at its start, entered while it runs, and nowhere to be found: not in its
//! arguments, its log, its records or its reports; and no core file would hold it.

use std::path::Path;

use serde_json::{Value, json};

use super::harness::{Place, Zead, free_port};

const ROLE: [&str; 3] = ["standalone", "--simulated-nodes", "1"];
const PATH: &str = "/v1/encryption/passphrase";
/// A part of every passphrase of these tests.
const HUSH: &str = "hush-4711";

fn status(zead: &Zead) -> Value {
    zead.client().get(PATH)["status"].clone()
}

fn given(text: &str) -> [(&str, &str); 1] {
    [("MASTER_PASSPHRASE", text)]
}

/// Files below the folder that hold the text.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(holding(&entry.path(), text));
        } else if std::fs::read(entry.path()).unwrap().windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

#[test]
fn a_controller_is_started_with_its_passphrase_or_waits_for_it() {
    let (place, rest) = (Place::new(), free_port());
    let first = format!("{HUSH}-first");
    let zead = Zead::start(&place, rest, &ROLE, &given(&first));
    assert_eq!(status(&zead), "unlocked", "what is given at the first start is created");
    zead.kill();
    let zead = Zead::start(&place, rest, &ROLE, &given(&first));
    assert_eq!(status(&zead), "unlocked");
    zead.kill();
    let zead = Zead::start(&place, rest, &ROLE, &given(&format!("{HUSH}-wrong")));
    assert_eq!(status(&zead), "locked", "a wrong one leaves it locked, and it serves");
    let reports = zead.client().get("/v1/error-reports?withContent=true").to_string();
    assert!(reports.contains("MASTER_PASSPHRASE") && !reports.contains(HUSH), "{reports}");
    zead.kill();
    let zead = Zead::start(&place, rest, &ROLE, &[]);
    assert_eq!(status(&zead), "locked");
    let wrong = zead.client().call("PATCH", PATH, Some(&json!(format!("{HUSH}-wrong"))));
    assert!(!wrong.is_ok() && !wrong.json.to_string().contains(HUSH), "{wrong:?}");
    zead.client().call("PATCH", PATH, Some(&json!(first))).ok("the right one");
    assert_eq!(status(&zead), "unlocked");
    drop(zead);
    assert_eq!(holding(place.path(), HUSH), Vec::<String>::new());
}

#[test]
fn a_file_may_hold_it_and_has_to_be_there() {
    let (place, rest) = (Place::new(), free_port());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passphrase");
    let more = [("ZEA_CONTROLLER__PASSPHRASE_FILE", file.to_str().unwrap())];
    let mut zead = Zead::spawn(&place, rest, &ROLE, &more);
    assert_eq!(zead.ended().code(), Some(2));
    assert!(zead.log().contains("passphrase_file"), "{}", zead.log());
    std::fs::write(&file, format!("{HUSH}-file\n")).unwrap();
    let zead = Zead::start(&place, rest, &ROLE, &more);
    assert_eq!(status(&zead), "unlocked");
    assert!(zead.log().contains("others than its owner may read"), "{}", zead.log());
}

#[test]
fn nothing_of_a_passphrase_is_kept_or_shown() {
    let (place, rest) = (Place::new(), free_port());
    let zead = Zead::start(&place, rest, &ROLE, &[("ZEA_LOG__LEVEL", "trace")]);
    let client = zead.client();
    let master = format!("{HUSH}-master");
    client.call("POST", PATH, Some(&json!({"new_passphrase": master}))).ok("created");
    let spawn = json!({"resource_definition_name": "web", "volume_sizes": [16384], "volume_passphrases":
        [format!("{HUSH}-volume")], "select_filter": {"place_count": 1, "layer_stack": ["LUKS", "STORAGE"]}});
    client.call("POST", "/v1/resource-groups/DfltRscGrp/spawn", Some(&spawn)).ok("an encrypted volume");
    let volume = "/v1/resource-definitions/web/volume-definitions/0/encryption-passphrase";
    client.call("PUT", volume, Some(&json!({"new_passphrase": format!("{HUSH}-other")}))).ok("another passphrase");
    let body = json!({"new_passphrase": format!("{HUSH}-new"), "old_passphrase": master});
    client.call("PUT", PATH, Some(&body)).ok("another master passphrase");
    let paths = [
        "controller/properties",
        "resource-definitions?with_volume_definitions=true",
        "view/resources",
        "resource-definitions/web/volume-definitions",
        "error-reports?withContent=true",
        "zea/encryption",
        "zea/actors",
    ];
    for path in paths {
        let answer = client.get(&format!("/v1/{path}")).to_string();
        assert!(!answer.contains(HUSH) && !answer.contains("encrypted/"), "{path}: {answer}");
    }
    let proc = |name: &str| std::fs::read(format!("/proc/{}/{name}", zead.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&proc("cmdline")).contains(HUSH));
    let limits = String::from_utf8(proc("limits")).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(cores.split_whitespace().filter(|word| *word == "0").count(), 2, "{cores}");
    drop(zead);
    assert_eq!(holding(place.path(), HUSH), Vec::<String>::new(), "records, log and reports");
}
