//! Controller and satellite as two processes over mutual TLS: killed, cut off, and pestered by strangers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use zea::tls::{Authority, Identity};

use super::harness::{Client, PATIENCE, Place, Zead, can_run, content, fill, free_port, wait_for};
use super::proxy::Proxy;

/// `WARN_NOT_CONNECTED`: the node is told later.
const WARN_NOT_CONNECTED: u64 = 0x8000_0000_0000_0000 | 1002;
/// Severity and number of a code, without what it is about.
const CODE_MASK: u64 = 0xC000_0000_0000_FFFF;

pub struct Pair {
    pub controller: Zead,
    pub satellite: Option<Zead>,
    pub proxy: Proxy,
    port: SocketAddr,
    place: Place,
}

impl Pair {
    /// A controller, a satellite and the node `alpha`, online, with a pool and the group `local`.
    pub fn start() -> Self {
        let place = Place::new();
        let made = Command::new(env!("CARGO_BIN_EXE_zead"))
            .args(["identity", "controller", "alpha", "--folder"])
            .arg(place.path().join("identity"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let proxy = Proxy::to(port);
        let satellite = Some(Self::satellite(&place, port));
        let controller = Zead::start(&place, free_port(), &["controller"], &[]);
        let pair = Self { controller, satellite, proxy, port, place };
        pair.make_node();
        pair
    }

    fn satellite(place: &Place, port: SocketAddr) -> Zead {
        let zead = Zead::spawn(place, port, &["satellite"], &[("ZEA_LINK__LISTEN", &port.to_string())]);
        wait_for("the satellite's port", || TcpStream::connect(port).ok());
        zead
    }

    fn client(&self) -> Client {
        self.controller.client()
    }

    fn make_node(&self) {
        let client = self.client();
        let address = self.proxy.address;
        let node = json!({"name": "alpha", "type": "satellite", "net_interfaces": [{"name": "default",
            "address": address.ip().to_string(), "satellite_port": address.port(),
            "satellite_encryption_type": "SSL"}]});
        client.call("POST", "/v1/nodes", Some(&node)).ok("the node");
        wait_for("alpha online", || client.is_online("alpha").then_some(()));
        std::fs::create_dir(self.place.pool()).unwrap();
        let pool = json!({"storage_pool_name": "files", "provider_kind": "FILE_THIN",
            "props": {"StorDriver/StorPoolName": self.place.pool()}});
        client.call("POST", "/v1/nodes/alpha/storage-pools", Some(&pool)).ok("the pool");
        let group = json!({"name": "local", "select_filter": {"place_count": 1, "layer_stack": ["STORAGE"]}});
        client.call("POST", "/v1/resource-groups", Some(&group)).ok("the group");
        client.call("POST", "/v1/resource-groups/local/volume-groups", Some(&json!({}))).ok("its volume");
        wait_for("room in the pool", || {
            let pools = client.get("/v1/view/storage-pools");
            let free = |pool: &serde_json::Value| {
                pool["storage_pool_name"] == "files" && pool["free_capacity"].as_i64() > Some(0)
            };
            pools.as_array().is_some_and(|pools| pools.iter().any(free)).then_some(())
        });
    }

    fn offline(&self) {
        wait_for("alpha offline", || (!self.client().is_online("alpha")).then_some(()));
    }

    fn online(&self) {
        wait_for("alpha online", || self.client().is_online("alpha").then_some(()));
    }

    /// Makes a volume while the node is away: accepted with a warning, and made later.
    fn make_while_away(&self, name: &str) {
        let client = self.client();
        let body = json!({"resource_definition": {"name": name, "resource_group_name": "local"}});
        client.call("POST", "/v1/resource-definitions", Some(&body)).ok("a definition");
        let body = json!({"volume_definition": {"size_kib": 8192}});
        client
            .call("POST", &format!("/v1/resource-definitions/{name}/volume-definitions"), Some(&body))
            .ok("its volume");
        let body = json!({"resource": {"props": {"StorPoolName": "files"}, "layer_object": {"type": "STORAGE"}}});
        let answer = client.call("POST", &format!("/v1/resource-definitions/{name}/resources/alpha"), Some(&body));
        let warned = answer.json.as_array().unwrap().iter().any(|entry| {
            let code = entry["ret_code"].as_i64().unwrap().cast_unsigned();
            code & CODE_MASK == WARN_NOT_CONNECTED
        });
        assert!(answer.is_ok() && warned, "{}", answer.json);
    }
}

#[test]
fn a_satellite_that_is_killed_or_cut_off_comes_back_with_everything() {
    if !can_run("controller and satellite as two processes") {
        return;
    }
    let mut pair = Pair::start();
    let client = pair.client();
    client.spawn("web", 8192).ok("a volume over the link");
    let device = client.device("web").unwrap();
    let written = fill(&device, 3);

    let logged = |pair: &Pair, words: &str| {
        wait_for(words, || pair.controller.log().lines().any(|line| line.contains(words)).then_some(()));
    };
    logged(&pair, "a satellite is online");
    pair.satellite.take().unwrap().kill();
    pair.offline();
    logged(&pair, "a satellite is no longer online");
    pair.make_while_away("later");
    pair.satellite = Some(Pair::satellite(&pair.place, pair.port));
    pair.online();
    wait_for("the volume that was made while it was away", || client.device("later"));
    wait_for("the adopted volume", || client.device("web").filter(|found| *found == device));
    assert_eq!(content(&device, written.len()), written);

    pair.proxy.cut();
    pair.offline();
    pair.make_while_away("cut");
    pair.proxy.heal();
    pair.online();
    wait_for("the volume that was made while the link was cut", || client.device("cut"));
    client.spawn("after", 8192).ok("a volume after the link was healed");
    assert!(client.device("after").is_some());

    for name in ["web", "later", "cut", "after"] {
        client.delete(name).ok(name);
    }
    assert_eq!(pair.place.loops(), []);
}

/// Connects as a TLS client that trusts nothing less than everything, with that identity or none.
fn stranger(port: SocketAddr, identity: Option<&Identity>, says: &[u8]) {
    let mut stream = TcpStream::connect(port).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let Some(identity) = identity else {
        let _ = stream.write_all(says);
        let _ = stream.read_to_end(&mut Vec::new());
        return;
    };
    let name = rustls::pki_types::ServerName::try_from("alpha").unwrap();
    let mut session = rustls::ClientConnection::new(identity.client(), name).unwrap();
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    let _ = tls.write_all(says);
    let _ = tls.read_to_end(&mut Vec::new());
}

/// Our authority is known, but no certificate is shown.
fn nameless(port: SocketAddr, authority: &Path) {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_file_iter(authority).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from("alpha").unwrap();
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(port).unwrap();
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    let _ = tls.write_all(b"hello");
    let _ = tls.read_to_end(&mut Vec::new());
}

#[test]
fn strangers_on_the_actor_port_are_refused_by_name_and_harm_nobody() {
    if !can_run("strangers on a satellite's port") {
        return;
    }
    let pair = Pair::start();
    let folder = pair.place.path().join("identity");
    let file = |name: &str| folder.join(name);
    let ours = Identity::load(&file("controller.crt"), &file("controller.key"), &file("ca.crt")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = Authority::open(elsewhere.path()).unwrap().identity("controller").unwrap();

    stranger(pair.port, None, b"GET / HTTP/1.1\r\n\r\n");
    stranger(pair.port, None, &[0xff; 4096]);
    let gigabyte = [&(1_u32 << 30).to_be_bytes()[..], &[b'x'; 4096]].concat();
    stranger(pair.port, Some(&ours), &gigabyte);
    stranger(pair.port, Some(&foreign), b"hello");
    nameless(pair.port, &file("ca.crt"));

    let satellite = pair.satellite.as_ref().unwrap();
    for refusal in ["not TLS", "larger than", "no certificate was presented"] {
        wait_for(&format!("'{refusal}' in the log: {}", satellite.log()), || {
            satellite.log().contains(refusal).then_some(())
        });
    }
    let log = satellite.log();
    assert!(log.matches("connection refused").count() >= 5, "{log}");
    let client = pair.client();
    client.spawn("web", 8192).ok("a volume all the same");
    assert!(client.device("web").is_some());
    client.delete("web").ok("its end");

    // What the controller refuses itself: a satellite whose authority is another one.
    pair_with_foreign_satellite(&client, &elsewhere);
}

fn pair_with_foreign_satellite(client: &Client, elsewhere: &tempfile::TempDir) {
    Authority::open(elsewhere.path()).unwrap().issue_into(elsewhere.path(), "beta").unwrap();
    let place = Place::new();
    std::fs::rename(elsewhere.path(), place.path().join("identity")).unwrap();
    let port = free_port();
    let more = [("ZEA_LINK__LISTEN", &*port.to_string()), ("ZEA_NODE__NAME", "beta")];
    let _foreign = Zead::spawn(&place, port, &["satellite"], &more);
    wait_for("the foreign satellite's port", || TcpStream::connect(port).ok());
    let node = json!({"name": "beta", "type": "satellite", "net_interfaces": [{"name": "default",
        "address": "127.0.0.1", "satellite_port": port.port()}]});
    client.call("POST", "/v1/nodes", Some(&node)).ok("a node with a foreign satellite");
    wait_for("a counted refusal", || {
        let metrics = client.get("/metrics");
        let line = metrics.as_str()?.lines().find(|line| line.contains("event=\"foreign_certificate\""))?.to_owned();
        line.rsplit(' ').next()?.parse::<u64>().ok().filter(|number| *number > 0)
    });
    assert!(!client.is_online("beta"));
}
