//! The end that dials: keeps one connection, for ever, with a jittered back-off between attempts.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::endpoint::Shared;
use super::metrics::Refusal;
use super::peer::Link;
use super::server::tls_refusal;
use super::session::{self, Handshake};
use super::{DownReason, LinkEvent};

/// Dials until the link is closed.
pub(super) async fn keep(shared: Arc<Shared>, link: Link, address: String, expected: ServerName<'static>) {
    let mut failures = 0;
    loop {
        let (reason, was_up) = attempt(&shared, &link, &address, &expected).await;
        if link.lasting.stopped.is_cancelled() {
            return;
        }
        failures = if was_up { 1 } else { failures + 1 };
        if !was_up {
            tracing::debug!(peer = link.peer_name(), %address, %reason, failures, "no connection");
            if failures == 1 {
                shared.publish(&LinkEvent::Down { link: link.clone(), reason });
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause(&shared, failures)) => {}
            () = link.lasting.stopped.cancelled() => return,
        }
    }
}

/// Never zero: a peer that accepts and drops at once must not be dialled in a loop.
fn pause(shared: &Shared, failures: u32) -> Duration {
    shared.options.backoff.wait(failures.saturating_add(1), fastrand::f64())
}

/// One connection from dialling to its end, and whether it was up in between.
async fn attempt(
    shared: &Arc<Shared>,
    link: &Link,
    address: &str,
    expected: &ServerName<'static>,
) -> (DownReason, bool) {
    let connected = tokio::select! {
        connected = connect(shared, link, address, expected) => connected,
        () = link.lasting.stopped.cancelled() => Err(DownReason::Stopped),
    };
    match connected {
        Ok((wire, peer)) => (session::run(shared, link, wire, peer).await, true),
        Err(reason) => {
            if let DownReason::Refused(refusal) = &reason {
                shared.metrics.count(refusal.counter());
            }
            (reason, false)
        }
    }
}

type Connected = (session::Wire<tokio_rustls::client::TlsStream<TcpStream>>, super::PeerIdentity);

async fn connect(
    shared: &Arc<Shared>,
    link: &Link,
    address: &str,
    expected: &ServerName<'static>,
) -> Result<Connected, DownReason> {
    let until = Instant::now() + shared.options.hello_timeout;
    let unreachable = |error: &dyn std::fmt::Display| DownReason::Unreachable(format!("{address}: {error}"));
    let stream = timeout_at(until, TcpStream::connect(address))
        .await
        .map_err(|_| unreachable(&"no answer in time"))?
        .map_err(|error| unreachable(&error))?;
    let peer_address = stream.peer_addr().map_err(|error| unreachable(&error))?;
    stream.set_nodelay(true).map_err(|error| unreachable(&error))?;
    let connector = TlsConnector::from(shared.identity.client());
    let stream = timeout_at(until, connector.connect(expected.clone(), stream))
        .await
        .map_err(|_| DownReason::Refused(Refusal::HelloTimeout))?
        .map_err(|error| tls_refusal(&error, link.peer_name()))?;
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).cloned();
    let certificate = certificate.ok_or(DownReason::Refused(Refusal::NoCertificate))?;
    let handshake = Handshake { shared, address: peer_address, certificate: certificate.into_owned(), until };
    handshake.greet(stream, link.peer_name()).await
}
