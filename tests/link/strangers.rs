//! Strangers at the actor port: each is refused by name and counted, and the port goes on serving.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use zea::actors::system::link::{Counter, DownReason, LinkEvent, LinkOptions, MAX_FRAME_BYTES, Server};
use zea::tls::{Authority, Issued};

use super::{GENEROUS, Process, Say, eventually, process, quick, shout};

type Tls = StreamOwned<ClientConnection, TcpStream>;

struct Port {
    authority: Authority,
    satellite: Process,
    server: Server,
}

fn port() -> Port {
    port_with(quick())
}

fn port_with(options: LinkOptions) -> Port {
    let authority = Authority::in_memory().unwrap();
    let satellite = process(&authority, "node-1", options);
    let server = satellite.listen();
    Port { authority, satellite, server }
}

impl Port {
    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.local_addr()).unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        stream
    }

    /// A TLS client that trusts this port, and shows `certificate` if there is one.
    fn tls(&self, certificate: Option<&Issued>) -> Tls {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.certificate().as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots);
        let config = match certificate {
            None => config.with_no_client_auth(),
            Some(issued) => {
                let chain = vec![CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()];
                config
                    .with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap())
                    .unwrap()
            }
        };
        let name = ServerName::try_from("node-1").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), self.tcp())
    }

    fn known(&self, name: &str) -> Tls {
        self.tls(Some(&self.authority.issue(name).unwrap()))
    }

    fn counted(&self, counter: Counter) {
        eventually(&format!("{counter:?} is counted"), || self.server.metrics().get(counter) == 1);
    }

    /// The port still serves who is welcome.
    fn serves(&self) {
        let controller = process(&self.authority, "controller", quick());
        let link = controller.endpoint.dial(&self.server.local_addr().to_string(), "node-1").unwrap();
        eventually("up", || link.is_up());
        assert_eq!(controller.ask(&link.actor_ref::<Say>("echo"), shout("hi")).unwrap().text, "HI");
        assert_eq!(self.satellite.system.registry().info("echo").unwrap().restarts, 0);
        link.close();
    }
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [&u32::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat()
}

fn hello(version: u16, node: &str) -> Vec<u8> {
    let body = format!(r#"{{"hello":{{"oldest":{version},"node":"{node}"}}}}"#);
    frame(&[b"ZEAL", &version.to_be_bytes()[..], body.as_bytes()].concat())
}

/// What the port says before it closes; an error of the stream counts as closing.
fn last_words(mut stream: impl Read) -> String {
    let mut words = Vec::new();
    let _ = stream.read_to_end(&mut words);
    String::from_utf8_lossy(&words).into_owned()
}

#[test]
fn garbage_is_not_tls() {
    let port = port();
    let huge_frame = [&(1_u32 << 30).to_be_bytes()[..], b"ZEAL"].concat();
    for garbage in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), huge_frame, vec![0; 64], (0..=255).collect()] {
        let before = port.server.metrics().get(Counter::NotTls);
        let mut stream = port.tcp();
        stream.write_all(&garbage).unwrap();
        last_words(stream);
        eventually("counted", || port.server.metrics().get(Counter::NotTls) == before + 1);
    }
    port.serves();
}

#[test]
fn without_a_certificate() {
    let port = port();
    let mut stream = port.tls(None);
    let _ = stream.write_all(&hello(1, "controller"));
    last_words(stream);
    port.counted(Counter::NoCertificate);
    port.serves();
}

#[test]
fn with_a_certificate_of_another_authority() {
    let port = port();
    let foreign = Authority::in_memory().unwrap().issue("controller").unwrap();
    let mut stream = port.tls(Some(&foreign));
    let _ = stream.write_all(&hello(1, "controller"));
    last_words(stream);
    port.counted(Counter::ForeignCertificate);
    port.serves();
}

#[test]
fn a_foreign_process_hears_why_at_both_ends() {
    let port = port();
    let stranger = process(&Authority::in_memory().unwrap(), "controller", quick());
    let link = stranger.endpoint.dial(&port.server.local_addr().to_string(), "node-1").unwrap();
    let event = stranger.events.recv_timeout(GENEROUS).unwrap();
    let LinkEvent::Down { reason: DownReason::Refused(refusal), .. } = event else { panic!("{event:?}") };
    assert_eq!(refusal.counter(), Counter::ForeignCertificate);
    link.close();
    eventually("counted", || port.server.metrics().get(Counter::ForeignCertificate) >= 1);
}

#[test]
fn another_protocol_version() {
    let port = port();
    let mut stream = port.known("controller");
    stream.write_all(&hello(77, "controller")).unwrap();
    let words = last_words(stream);
    assert!(words.contains("speaks versions 77 to 77"), "{words}");
    port.counted(Counter::WrongVersion);
    port.serves();
}

#[test]
fn another_protocol() {
    let port = port();
    let mut stream = port.known("controller");
    stream.write_all(&frame(b"HELO mail.example.com")).unwrap();
    let words = last_words(stream);
    assert!(words.contains("magic"), "{words}");
    port.counted(Counter::WrongMagic);
    port.serves();
}

#[test]
fn a_name_that_the_certificate_does_not_carry() {
    let port = port();
    let mut stream = port.known("node-2");
    stream.write_all(&hello(1, "controller")).unwrap();
    let words = last_words(stream);
    assert!(words.contains("does not carry the name"), "{words}");
    port.counted(Counter::WrongName);
    port.serves();
}

#[test]
fn a_frame_of_a_gibibyte_before_and_after_the_hello() {
    let port = port();
    let mut stream = port.known("controller");
    stream.write_all(&(1_u32 << 30).to_be_bytes()).unwrap();
    let words = last_words(stream);
    assert!(words.contains("larger than 16384 bytes"), "{words}");
    port.counted(Counter::FrameTooLarge);

    let mut stream = port.known("controller");
    stream.write_all(&hello(1, "controller")).unwrap();
    eventually("up", || port.server.link("controller").is_up());
    stream.write_all(&u32::try_from(MAX_FRAME_BYTES + 1).unwrap().to_be_bytes()).unwrap();
    last_words(stream);
    eventually("counted", || port.server.metrics().get(Counter::FrameTooLarge) == 2);
    port.serves();
}

#[test]
fn garbage_after_the_hello() {
    let port = port();
    let mut stream = port.known("controller");
    stream.write_all(&hello(1, "controller")).unwrap();
    stream.write_all(&frame(br#"{"kind":"from_the_future","x":[1]}"#)).unwrap();
    stream.write_all(&frame(br#"{"kind":"tell","to":"echo","body":{"nonsense":true}}"#)).unwrap();
    stream.write_all(&frame(br#"{"kind":"answer","id":12345,"body":1}"#)).unwrap();
    port.counted(Counter::UnknownFrame);
    port.counted(Counter::UnreadableBody);
    assert!(port.server.link("controller").is_up(), "these harm only themselves");
    stream.write_all(&frame(b"\xff\xfe no json")).unwrap();
    last_words(stream);
    port.counted(Counter::Malformed);
    port.serves();
}

#[test]
fn a_stranger_who_says_nothing() {
    let port = port_with(LinkOptions { hello_timeout: Duration::from_millis(200), ..quick() });
    let mut greeted = port.known("controller");
    let _ = greeted.conn.complete_io(&mut greeted.sock); // the TLS handshake, but no hello
    last_words(greeted);
    last_words(port.tcp());
    eventually("both counted", || port.server.metrics().get(Counter::HelloTimeout) == 2);
}

#[test]
fn too_many_connections() {
    let port = port_with(LinkOptions { max_connections: 2, ..quick() });
    let held = [port.tcp(), port.tcp()];
    let address: SocketAddr = port.server.local_addr();
    let third = TcpStream::connect(address).unwrap();
    last_words(third);
    port.counted(Counter::TooManyConnections);
    drop(held);
    port.serves();
}
