//! The end that listens: bounds what strangers may cost, and counts every refusal by its name.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::CertificateError;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::endpoint::{Endpoint, Shared};
use super::metrics::{LinkMetrics, Refusal};
use super::peer::{Link, lock};
use super::session::{self, Handshake, broken};
use super::{DownReason, LinkEvent};
use crate::actors::system::message::{Message, WireMessage};
use crate::actors::system::reference::ActorRef;

/// After an accept that failed (no file descriptors left, most often) the listener rests, else it would spin.
const REST_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// A listener of an [`Endpoint`]. Clones are the same listener.
#[derive(Clone)]
pub struct Server {
    endpoint: Endpoint,
    address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    // By peer name. Names are bounded: each is carried by a certificate of our authority.
    links: Mutex<HashMap<String, Link>>,
    stopped: CancellationToken,
}

impl Server {
    pub(super) fn start(endpoint: Endpoint, address: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner { links: Mutex::default(), stopped: CancellationToken::new() });
        let listener = {
            let _runtime = endpoint.shared.workers.enter();
            TcpListener::from_std(listener)?
        };
        let accepting = accept(Arc::clone(&endpoint.shared), Arc::clone(&inner), listener);
        endpoint.shared.workers.spawn(accepting);
        Ok(Self { endpoint, address, inner })
    }

    /// Where it listens: the port that the kernel chose, if it was asked to.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// As [`Endpoint::export`].
    pub fn export<M: WireMessage>(&self, name: &str, actor: ActorRef<M>) {
        self.endpoint.export(name, actor);
    }

    /// As [`Endpoint::subscribe`].
    pub fn subscribe<M: Message + From<LinkEvent>>(&self, actor: ActorRef<M>) {
        self.endpoint.subscribe(actor);
    }

    /// The link to the peer of that name, whether or not it has ever connected.
    #[must_use]
    pub fn link(&self, peer: &str) -> Link {
        self.inner.link(peer)
    }

    /// The counters of the endpoint.
    #[must_use]
    pub fn metrics(&self) -> &Arc<LinkMetrics> {
        self.endpoint.metrics()
    }

    /// Stops listening and ends every connection that came in.
    pub fn close(&self) {
        self.inner.stopped.cancel();
    }
}

impl Inner {
    fn link(&self, peer: &str) -> Link {
        let mut links = lock(&self.links);
        let made = links.entry(peer.to_owned()).or_insert_with(|| Link::new(peer, self.stopped.child_token()));
        made.clone()
    }
}

async fn accept(shared: Arc<Shared>, inner: Arc<Inner>, listener: TcpListener) {
    let slots = Arc::new(Semaphore::new(shared.options.max_connections));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = inner.stopped.cancelled() => return,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(REST_AFTER_FAILED_ACCEPT).await;
                continue;
            }
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            refuse(&shared, address, &Refusal::TooManyConnections { limit: shared.options.max_connections });
            continue;
        };
        shared.workers.spawn(serve(Arc::clone(&shared), Arc::clone(&inner), (stream, address), slot));
    }
}

fn refuse(shared: &Shared, address: SocketAddr, refusal: &Refusal) {
    shared.metrics.count(refusal.counter());
    tracing::warn!(%address, %refusal, "connection refused");
}

type Accepted = (TcpStream, SocketAddr);

async fn serve(shared: Arc<Shared>, inner: Arc<Inner>, accepted: Accepted, _slot: OwnedSemaphorePermit) {
    let address = accepted.1;
    let greeted = tokio::select! {
        greeted = greet(&shared, accepted) => greeted,
        () = inner.stopped.cancelled() => return,
    };
    let reason = match greeted {
        Ok((wire, peer)) => {
            let link = inner.link(&peer.node);
            session::run(&shared, &link, wire, peer).await
        }
        Err(reason) => reason,
    };
    match reason {
        DownReason::Refused(refusal) => refuse(&shared, address, &refusal),
        reason => tracing::debug!(%address, %reason, "connection ended"),
    }
}

type Greeted = (session::Wire<tokio_rustls::server::TlsStream<TcpStream>>, super::PeerIdentity);

async fn greet(shared: &Arc<Shared>, (stream, address): Accepted) -> Result<Greeted, DownReason> {
    let until = Instant::now() + shared.options.hello_timeout;
    stream.set_nodelay(true).map_err(|error| DownReason::Broken(error.to_string()))?;
    let acceptor = TlsAcceptor::from(shared.identity.server());
    let stream = timeout_at(until, acceptor.accept(stream))
        .await
        .map_err(|_| DownReason::Refused(Refusal::HelloTimeout))?
        .map_err(|error| tls_refusal(&error, "the peer"))?;
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).cloned();
    let certificate = certificate.ok_or(DownReason::Refused(Refusal::NoCertificate))?.into_owned();
    Handshake { shared, address, certificate, until }.welcome(stream).await
}

/// The name of a failed TLS handshake.
pub(super) fn tls_refusal(error: &io::Error, peer: &str) -> DownReason {
    use rustls::{AlertDescription, Error};
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return broken(error, 0);
    };
    let refusal = match tls {
        Error::NoCertificatesPresented => Refusal::NoCertificate,
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            Refusal::ForeignCertificate
        }
        // The peer says so of our certificate: the two authorities differ, or only their keys do.
        Error::AlertReceived(AlertDescription::UnknownCA | AlertDescription::DecryptError) => {
            Refusal::ForeignCertificate
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => Refusal::WrongName(peer.to_owned()),
        Error::InvalidCertificate(reason) => Refusal::UnusableCertificate(reason.to_string()),
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerSentOversizedRecord => Refusal::NotTls(tls.to_string()),
        other => Refusal::TlsFailed(other.to_string()),
    };
    DownReason::Refused(refusal)
}
