//! Cut and heal, death and restart of a peer, silence. A proxy of our own stands between the two ends.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use zea::actors::system::link::{Counter, DownReason, LinkEvent, LinkOptions};
use zea::actors::system::{AskError, SendError};
use zea::tls::Authority;

use super::{GENEROUS, Say, eventually, note, process, quick, shout};

#[derive(Default)]
struct Wires {
    cut: AtomicBool,
    frozen: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

/// Passes bytes between a port of its own and `to`, until it is told not to.
struct Proxy {
    address: SocketAddr,
    wires: Arc<Wires>,
}

impl Proxy {
    fn to(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let wires = Arc::new(Wires::default());
        let shared = Arc::clone(&wires);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(to);
                let (false, Ok(far)) = (shared.cut.load(Ordering::SeqCst), far) else { continue };
                shared.open.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                for (from, into) in [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))] {
                    let wires = Arc::clone(&shared);
                    thread::spawn(move || pass(from.unwrap(), into.unwrap(), &wires));
                }
            }
        });
        Self { address, wires }
    }

    fn cut(&self) {
        self.wires.cut.store(true, Ordering::SeqCst);
        for stream in self.wires.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn heal(&self) {
        self.wires.cut.store(false, Ordering::SeqCst);
    }

    /// From now on nothing passes, but no connection ends: a network that swallows.
    fn freeze(&self) {
        self.wires.frozen.store(true, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut into: TcpStream, wires: &Wires) {
    let mut buffer = [0; 16384];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let swallowed = wires.frozen.load(Ordering::SeqCst);
        if !swallowed && into.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = into.shutdown(Shutdown::Both);
}

#[test]
fn a_cut_link_fails_at_once_and_heals_with_the_same_addresses() {
    let authority = Authority::in_memory().unwrap();
    let satellite = process(&authority, "node-1", quick());
    let controller = process(&authority, "controller", quick());
    let server = satellite.listen();
    let proxy = Proxy::to(server.local_addr());
    let link = controller.endpoint.dial(&proxy.address.to_string(), "node-1").unwrap();
    let far = link.actor_ref::<Say>("echo");
    let back = server.link("controller").actor_ref::<Say>("echo");
    controller.up();
    satellite.up();
    assert_eq!(controller.ask(&far, shout("one")).unwrap().before, 0);

    let waiting = controller.system.workers().spawn({
        let far = far.clone();
        async move { far.ask(Say::Keep, GENEROUS).await }
    });
    eventually("the ask has arrived", || satellite.system.registry().info("echo").unwrap().handled == 2);
    proxy.cut();
    assert_eq!(controller.system.workers().block_on(waiting).unwrap(), Err(AskError::LinkDown));
    let down = |event: LinkEvent| matches!(event, LinkEvent::Down { .. });
    assert!(down(controller.events.recv_timeout(GENEROUS).unwrap()));
    assert!(down(satellite.events.recv_timeout(GENEROUS).unwrap()));
    assert_eq!(controller.ask(&far, shout("x")), Err(AskError::LinkDown));
    assert_eq!(far.tell(note("x")), Err(SendError::LinkDown));
    assert_eq!(back.tell(note("x")), Err(SendError::LinkDown));

    proxy.heal();
    eventually("healed", || link.is_up() && server.link("controller").is_up());
    assert_eq!(controller.ask(&far, shout("two")).unwrap().before, 2, "nothing was sent twice");
    assert_eq!(satellite.ask(&back, shout("three")).unwrap().text, "THREE");
    assert_eq!(server.metrics().get(Counter::Up), 2);
}

#[test]
fn a_peer_that_dies_and_comes_back_is_another_incarnation() {
    let authority = Authority::in_memory().unwrap();
    let controller = process(&authority, "controller", quick());
    let first = process(&authority, "node-1", quick());
    let server = first.listen();
    let address = server.local_addr();
    let link = controller.endpoint.dial(&address.to_string(), "node-1").unwrap();
    let far = link.actor_ref::<Say>("echo");
    let (_, before) = controller.up();
    controller.ask(&far, shout("to the first")).unwrap();
    server.close();
    first.system.stop();
    assert_eq!(first.system.wait(), 0);
    eventually("down", || !link.is_up());

    let second = process(&authority, "node-1", quick());
    let mut bound = None;
    eventually("the port is free again", || {
        bound = second.endpoint.listen(address).ok();
        bound.is_some()
    });
    eventually("up again", || link.is_up());
    assert_eq!(controller.ask(&far, shout("to the second")).unwrap().before, 0);
    assert!(link.peer().unwrap().incarnation > before.incarnation);
}

#[test]
fn a_peer_that_falls_silent_is_noticed_by_both_ends() {
    let authority = Authority::in_memory().unwrap();
    let options = LinkOptions { silence: Duration::from_millis(600), ..quick() };
    let satellite = process(&authority, "node-1", options.clone());
    let controller = process(&authority, "controller", options);
    let server = satellite.listen();
    let proxy = Proxy::to(server.local_addr());
    let link = controller.endpoint.dial(&proxy.address.to_string(), "node-1").unwrap();
    controller.up();
    satellite.up();
    proxy.freeze();
    for end in [&controller, &satellite] {
        let event = end.events.recv_timeout(GENEROUS).unwrap();
        assert!(matches!(event, LinkEvent::Down { reason: DownReason::Silent | DownReason::Closed, .. }), "{event:?}");
    }
    link.close();
}

#[test]
fn heartbeats_keep_an_idle_link_up() {
    let authority = Authority::in_memory().unwrap();
    let options = LinkOptions { silence: Duration::from_millis(1500), ..quick() };
    let satellite = process(&authority, "node-1", options.clone());
    let controller = process(&authority, "controller", options);
    let server = satellite.listen();
    let link = controller.endpoint.dial(&server.local_addr().to_string(), "node-1").unwrap();
    controller.up();
    thread::sleep(Duration::from_secs(3)); // twice the silence that would end it
    assert!(link.is_up());
    assert_eq!(server.metrics().get(Counter::Up), 1);
}

#[test]
fn a_newer_connection_of_the_same_peer_takes_the_place_of_a_dead_one() {
    let authority = Authority::in_memory().unwrap();
    let satellite = process(&authority, "node-1", quick());
    let (old, new) = (process(&authority, "controller", quick()), process(&authority, "controller", quick()));
    let server = satellite.listen();
    let proxy = Proxy::to(server.local_addr());
    old.endpoint.dial(&proxy.address.to_string(), "node-1").unwrap();
    old.up();
    satellite.up();
    proxy.freeze(); // the satellite does not know yet that this end is lost
    new.endpoint.dial(&server.local_addr().to_string(), "node-1").unwrap();
    new.up();
    let event = satellite.events.recv_timeout(GENEROUS).unwrap();
    assert!(matches!(event, LinkEvent::Down { reason: DownReason::Replaced, .. }), "{event:?}");
    satellite.up();
    let back = server.link("controller").actor_ref::<Say>("echo");
    assert_eq!(satellite.ask(&back, shout("whom")).unwrap().text, "WHOM");
}

#[test]
fn a_closed_link_stays_down_on_both_ends() {
    let pair = super::pair();
    pair.link.close();
    eventually("down", || !pair.link.is_up() && !pair.server.link("controller").is_up());
    pair.controller.up();
    let event = pair.controller.events.recv_timeout(GENEROUS).unwrap();
    assert!(matches!(event, LinkEvent::Down { reason: DownReason::Stopped, .. }), "{event:?}");
    thread::sleep(Duration::from_millis(300)); // several back-offs
    assert_eq!(pair.server.metrics().get(Counter::Up), 1);
    pair.server.close();
    eventually("the listener is gone", || TcpStream::connect(pair.server.local_addr()).is_err());
}
