//! A satellite in a process of its own, connected to a controller over mutual TLS, with nothing to do.

use std::process::Command;

use crate::Scale;
use crate::report::{Report, Target};
use crate::restart::{idle, settle};
use crate::zead::{Folder, Zead};

pub fn run(scale: &Scale, report: &mut Report) {
    report.part("An idle satellite in a process of its own");
    let data = Folder::new("satellite");
    let made = Command::new(env!("CARGO_BIN_EXE_zead"))
        .args(["identity", "controller", "alpha"])
        .env("ZEA_NODE__DATA", &data.0)
        .output()
        .expect("zead was built");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let satellite = Zead::start(&data.0, &["satellite"], &[("ZEA_NODE__NAME", "alpha")]);
    let controller = Zead::start(&data.0, &["controller"], &[]);
    let port = satellite.address.port();
    let interface = format!(
        r#"{{"name":"default","address":"127.0.0.1","satellite_port":{port},"satellite_encryption_type":"SSL"}}"#
    );
    let node = format!(r#"{{"name":"alpha","type":"SATELLITE","net_interfaces":[{interface}]}}"#);
    controller.must("POST", "/v1/nodes", &node);
    let online = || controller.must("GET", "/v1/nodes", "").text.contains("\"ONLINE\"");
    let found = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        online()
    });
    assert!(found, "the satellite is not online");
    settle(&satellite);
    report.figure("satellite, resident", (satellite.resident(), "MiB"), Target::AtMost(24.0), "200 MiB");
    let share = idle(&satellite, scale.idle);
    report.figure("satellite, idle CPU", (share, "% of a core"), Target::AtMost(0.2), "0.2 %");
    report.figure("controller of an empty cluster, resident", (controller.resident(), "MiB"), Target::None, "326 MiB");
    let share = idle(&controller, scale.idle);
    report.figure("controller of an empty cluster, idle CPU", (share, "% of a core"), Target::AtMost(0.2), "");
}
