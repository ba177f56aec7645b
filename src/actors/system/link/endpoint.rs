//! `Endpoint`: a process towards its peers: who it is, what it exports, whom it tells about links. It dials and
//! listens; both give `Link`s that are the same in both directions.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::exports::{Exports, Tagged};
use super::hello::{Hello, OLDEST_VERSION, PROTOCOL_VERSION};
use super::metrics::LinkMetrics;
use super::peer::{Link, lock};
use super::server::Server;
use super::{LinkError, LinkEvent, LinkOptions, PeerIdentity, client};
use crate::actors::system::message::{Message, WireMessage};
use crate::actors::system::reference::ActorRef;
use crate::tls::{self, Identity};

type Subscriber = Box<dyn Fn(&LinkEvent) + Send + Sync>;

pub(super) struct Shared {
    pub node: String,
    pub build: String,
    pub incarnation: u64,
    pub identity: Identity,
    pub options: LinkOptions,
    pub workers: Handle,
    pub exports: Exports,
    pub metrics: Arc<LinkMetrics>,
    subscribers: Mutex<Vec<Subscriber>>,
}

impl Shared {
    pub fn hello(&self) -> Hello {
        Hello {
            version: PROTOCOL_VERSION,
            oldest: OLDEST_VERSION,
            node: self.node.clone(),
            build: self.build.clone(),
            incarnation: self.incarnation,
        }
    }

    pub fn publish(&self, event: &LinkEvent) {
        lock(&self.subscribers).iter().for_each(|subscriber| subscriber(event));
    }
}

/// This process as its peers see it. Clones are the same endpoint.
#[derive(Clone)]
pub struct Endpoint {
    pub(super) shared: Arc<Shared>,
}

impl Endpoint {
    /// An endpoint called `node`, which `identity`'s certificate must carry. Its tasks run on `workers`.
    ///
    /// # Errors
    /// The certificate does not carry the name.
    pub fn new(node: &str, identity: Identity, options: LinkOptions, workers: Handle) -> Result<Self, LinkError> {
        tls::install();
        if !identity.carries(node) {
            return Err(LinkError::NotOurName(node.to_owned()));
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let shared = Shared {
            node: node.to_owned(),
            build: env!("CARGO_PKG_VERSION").to_owned(),
            incarnation: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            identity,
            options,
            workers,
            exports: Exports::default(),
            metrics: Arc::default(),
            subscribers: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Lets every peer reach `actor` by `name`. Replaces what had that name.
    pub fn export<M: WireMessage>(&self, name: &str, actor: ActorRef<M>) {
        self.export_from(name, actor, |_: &PeerIdentity, message: M| message);
    }

    /// As [`Self::export`], for an actor that wants to know who sends: `tag` makes its message of the peer and of
    /// what the peer sent.
    pub fn export_from<W, M, F>(&self, name: &str, actor: ActorRef<M>, tag: F)
    where
        W: WireMessage,
        M: Message<Answer = W::Answer>,
        F: Fn(&PeerIdentity, W) -> M + Send + Sync + 'static,
    {
        self.shared.exports.set(name, Arc::new(Tagged::new(actor, tag)));
    }

    /// Tells `actor` whenever a link of this endpoint comes up or goes down. `Up` comes before anything that the
    /// peer sends over that connection.
    pub fn subscribe<M: Message + From<LinkEvent>>(&self, actor: ActorRef<M>) {
        let subscriber = move |event: &LinkEvent| {
            if let Err(error) = actor.tell(event.clone().into()) {
                tracing::warn!(actor = actor.path(), %error, "an event of a link was not accepted");
            }
        };
        lock(&self.shared.subscribers).push(Box::new(subscriber));
    }

    /// Keeps a connection to the process called `peer` at `address` (`host:port`, resolved at each attempt) until
    /// the link is closed.
    ///
    /// # Errors
    /// `peer` is no name that a certificate can carry.
    pub fn dial(&self, address: &str, peer: &str) -> Result<Link, LinkError> {
        let expected = tls::server_name(peer)?;
        let link = Link::new(peer, CancellationToken::new());
        let keep = client::keep(Arc::clone(&self.shared), link.clone(), address.to_owned(), expected);
        self.shared.workers.spawn(keep);
        Ok(link)
    }

    /// Listens on `address`.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub fn listen(&self, address: SocketAddr) -> io::Result<Server> {
        Server::start(self.clone(), address)
    }

    /// The counters of this endpoint.
    #[must_use]
    pub fn metrics(&self) -> &Arc<LinkMetrics> {
        &self.shared.metrics
    }
}
