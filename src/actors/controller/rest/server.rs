//! The actor that owns the listener: opens it when it starts, closes it when it ends, opens it again on the same port
//! after a restart. Requests run on threads of the server's own, never on that of the actors.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpRequest, HttpServer, web};
use tokio::sync::watch;

use super::{Api, http};
use crate::actors::system::{Behaviour, Context, Message, Reply, Spec};

/// How long a new incarnation waits until the former one has let go of the port.
const PORT_PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two tries.
const PORT_RETRY: Duration = Duration::from_millis(20);
/// Connections of one worker; further ones wait in the kernel. Each costs some KiB.
const CONNECTIONS_PER_WORKER: usize = 4096;
/// How long a connection may be silent between two requests; longer than clients leave between their polls.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take to send the head of a request.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How long open requests may go on after the end was asked for.
const SHUTDOWN_SECONDS: u64 = 1;

/// Where and how the API is served.
#[derive(Debug, Clone)]
pub struct Listen {
    /// What is served: the actor's name, and the section of the configuration that has the address.
    pub name: &'static str,
    /// The only address that is listened to; port 0 lets the kernel choose.
    pub address: SocketAddr,
    /// Longest body in bytes.
    pub max_body: usize,
    /// Threads that carry out requests.
    pub workers: usize,
}

/// What the server is told.
#[derive(Debug)]
pub enum RestMessage {
    /// Where do you listen? Asked from outside.
    Address,
    /// The listener is open, or could not be opened.
    Opened(Result<Opened, String>),
    /// The server ended by itself.
    Ended(String),
}

impl Message for RestMessage {
    type Answer = Option<SocketAddr>;
}

/// A server that is about to run.
pub struct Opened {
    address: SocketAddr,
    server: Server,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({})", self.address)
    }
}

/// The actor.
pub struct RestServer {
    api: Api,
    listen: Listen,
    bound: Arc<watch::Sender<Option<SocketAddr>>>,
    running: Option<Running>,
}

/// A running server; its end, for whatever reason, closes the listener.
struct Running(ServerHandle);

impl Drop for Running {
    fn drop(&mut self) {
        // The order is given here; the future would only wait for it.
        drop(self.0.stop(false));
    }
}

/// How to make the server's actor, and where it is known which address it got.
pub fn server(api: Api, listen: Listen) -> (Spec<RestServer>, watch::Receiver<Option<SocketAddr>>) {
    let (sender, receiver) = watch::channel(None);
    let bound = Arc::new(sender);
    let spec = Spec::new(listen.name, move || RestServer {
        api: api.clone(),
        listen: listen.clone(),
        bound: Arc::clone(&bound),
        running: None,
    });
    (spec, receiver)
}

impl Behaviour for RestServer {
    type Message = RestMessage;

    fn started(&mut self, ctx: &mut Context<RestMessage>) {
        // The port that the kernel chose for the first incarnation is every later one's.
        let address = self.bound.borrow().unwrap_or(self.listen.address);
        let (api, listen) = (self.api.clone(), Listen { address, ..self.listen.clone() });
        ctx.run(open(api, listen), RestMessage::Opened);
    }

    fn handle(&mut self, message: RestMessage, reply: Reply<Option<SocketAddr>>, ctx: &mut Context<RestMessage>) {
        match message {
            RestMessage::Address => reply.send(self.running.as_ref().and(*self.bound.borrow())),
            RestMessage::Opened(Ok(opened)) => self.run(opened, ctx),
            RestMessage::Opened(Err(reason)) => ctx.fail(reason),
            RestMessage::Ended(reason) => ctx.fail(format!("the server ended: {reason}")),
        }
    }
}

impl RestServer {
    fn run(&mut self, Opened { address, server }: Opened, ctx: &mut Context<RestMessage>) {
        self.running = Some(Running(server.handle()));
        self.bound.send_replace(Some(address));
        tracing::info!(%address, what = self.listen.name, "served");
        // Outside this incarnation's care: it has to be polled to carry out the order to stop.
        let ended = ctx.workers().spawn(server);
        ctx.run(ended, |ended| {
            RestMessage::Ended(match ended {
                Ok(Ok(())) => "nobody asked it to".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            })
        });
    }
}

async fn open(api: Api, listen: Listen) -> Result<Opened, String> {
    let listener = bind(listen.address).await.map_err(|error| cannot_listen(&listen, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(&listen, &error))?;
    let server = serve(api, &listen, listener).map_err(|error| cannot_listen(&listen, &error))?;
    Ok(Opened { address, server })
}

fn cannot_listen(Listen { name, address, .. }: &Listen, error: &io::Error) -> String {
    format!("nothing can listen at {address}: {error}; free that address or set {name}.listen to another one")
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let until = tokio::time::Instant::now() + PORT_PATIENCE;
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tokio::time::Instant::now() < until => {
                tokio::time::sleep(PORT_RETRY).await;
            }
            result => return result,
        }
    }
}

fn serve(api: Api, listen: &Listen, listener: TcpListener) -> io::Result<Server> {
    let max_body = listen.max_body;
    let server = HttpServer::new(move || {
        let api = api.clone();
        App::new().default_service(web::to(move |request: HttpRequest, payload: web::Payload| {
            let api = api.clone();
            async move { http::handle(&api, max_body, request, payload).await }
        }))
    });
    let server = server
        .workers(listen.workers.max(1))
        .max_connections(CONNECTIONS_PER_WORKER)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_DEADLINE)
        // The last piece of an answer goes out at once, not when the client has acknowledged the one before (40 ms).
        .tcp_nodelay(true)
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
