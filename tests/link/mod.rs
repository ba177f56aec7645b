//! The promises of the link: two systems in one process over loopback TLS, with strangers in between.

mod cut;
mod strangers;
mod talk;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zea::actors::system::link::{Endpoint, Link, LinkEvent, LinkOptions, PeerIdentity, Server};
use zea::actors::system::{ActorRef, AskError, Backoff, Behaviour, Context, Message, Reply, Spec, System};
use zea::tls::Authority;

use super::runtime::system;
pub use super::runtime::{GENEROUS, eventually};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Say {
    /// Answered with the text, upper case, and how many were heard before.
    Shout(String),
    /// Noted.
    Note {
        text: String,
    },
    /// Never answered.
    Keep,
    Panic,
    /// Answered with so many bytes.
    Big(usize),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    pub text: String,
    pub before: usize,
}

impl Message for Say {
    type Answer = Heard;
}

/// Repeats, and shows what it heard to the test.
pub struct Echo {
    pub heard: Sender<String>,
    pub count: usize,
    pub kept: Vec<Reply<Heard>>,
}

impl Behaviour for Echo {
    type Message = Say;

    fn handle(&mut self, message: Say, reply: Reply<Heard>, _ctx: &mut Context<Say>) {
        let before = self.count;
        self.count += 1;
        let text = match message {
            Say::Shout(text) => text.to_uppercase(),
            Say::Note { text } => {
                let _ = self.heard.send(text.clone());
                text
            }
            Say::Keep => return self.kept.push(reply),
            Say::Panic => panic!("told to"),
            Say::Big(bytes) => "x".repeat(bytes),
        };
        reply.send(Heard { text, before });
    }
}

/// What happens to links, as a subscriber sees it.
pub struct Watcher(pub Sender<LinkEvent>);

pub struct Event(LinkEvent);

impl Message for Event {
    type Answer = ();
}

impl From<LinkEvent> for Event {
    fn from(event: LinkEvent) -> Self {
        Self(event)
    }
}

impl Behaviour for Watcher {
    type Message = Event;

    fn handle(&mut self, message: Event, _reply: Reply<()>, _ctx: &mut Context<Event>) {
        let _ = self.0.send(message.0);
    }
}

/// One process: a system with an exported echo.
pub struct Process {
    pub system: System,
    pub endpoint: Endpoint,
    pub heard: Receiver<String>,
    pub events: Receiver<LinkEvent>,
}

pub fn quick() -> LinkOptions {
    LinkOptions {
        heartbeat: Duration::from_millis(50),
        silence: Duration::from_secs(20),
        backoff: Backoff { first: Duration::from_millis(10), cap: Duration::from_millis(50) },
        ..LinkOptions::default()
    }
}

pub fn process(authority: &Authority, name: &str, options: LinkOptions) -> Process {
    let (system, _failures) = system();
    let ((note, heard), (event, events)) = (channel(), channel());
    let spec = Spec::new("echo", move || Echo { heard: note.clone(), count: 0, kept: Vec::new() });
    let echo = system.spawn(spec).unwrap();
    let identity = authority.identity(name).unwrap();
    let endpoint = Endpoint::new(name, identity, options, system.workers().clone()).unwrap();
    endpoint.export("echo", echo);
    endpoint.subscribe(system.spawn(Spec::new("watcher", move || Watcher(event.clone()))).unwrap());
    Process { system, endpoint, heard, events }
}

impl Process {
    pub fn ask(&self, to: &ActorRef<Say>, message: Say) -> Result<Heard, AskError> {
        self.system.workers().block_on(to.ask(message, GENEROUS))
    }

    pub fn listen(&self) -> Server {
        self.endpoint.listen("127.0.0.1:0".parse().unwrap()).unwrap()
    }

    pub fn up(&self) -> (Link, PeerIdentity) {
        match self.events.recv_timeout(GENEROUS).unwrap() {
            LinkEvent::Up { link, peer } => (link, peer),
            other => panic!("{other:?}"),
        }
    }
}

/// A controller that has dialled a satellite.
pub struct Pair {
    pub satellite: Process,
    pub controller: Process,
    pub server: Server,
    pub link: Link,
}

pub fn pair() -> Pair {
    let authority = Authority::in_memory().unwrap();
    let satellite = process(&authority, "node-1", quick());
    let controller = process(&authority, "controller", quick());
    let server = satellite.listen();
    let link = controller.endpoint.dial(&server.local_addr().to_string(), "node-1").unwrap();
    eventually("up", || link.is_up() && server.link("controller").is_up());
    Pair { satellite, controller, server, link }
}

pub fn shout(text: &str) -> Say {
    Say::Shout(text.into())
}

pub fn note(text: impl Into<String>) -> Say {
    Say::Note { text: text.into() }
}
