//! The promises of the actor runtime, each by a real system with real threads. No test depends on how fast it runs.

mod address;
mod cost;
mod supervision;
mod time;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use zea::actors::system::{
    ActorRef, AskError, Backoff, Behaviour, Budget, Context, Message, Options, Reply, RootFailure, Spec, System,
};

/// Long enough for the slowest machine; reached only when something is broken.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// Waits until `condition` holds.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + GENEROUS;
    while !condition() {
        assert!(Instant::now() < until, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A system that reports the failure of a root instead of ending the test process.
pub fn system() -> (System, Receiver<RootFailure>) {
    let (failed, failures) = channel();
    let on_root_failure = Box::new(move |failure: &RootFailure| {
        let _ = failed.send(failure.clone());
    });
    let options = Options { name: "test".into(), workers: 2, on_root_failure };
    (System::start(options).unwrap(), failures)
}

pub fn ask<M: Message>(system: &System, actor: &ActorRef<M>, message: M) -> Result<M::Answer, AskError> {
    system.workers().block_on(actor.ask(message, GENEROUS))
}

/// No waiting between restarts.
pub const AT_ONCE: Backoff = Backoff { first: Duration::ZERO, cap: Duration::ZERO };

pub fn budget(restarts: u32) -> Budget {
    Budget { restarts, window: Duration::from_secs(3600) }
}

/// What happened, in order, over all actors of a test.
#[derive(Clone, Default)]
pub struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    pub fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    pub fn has(&self, line: &str) -> bool {
        self.0.lock().unwrap().iter().any(|known| known == line)
    }
}

pub enum Do {
    Add(u64),
    Get,
    Incarnation,
    Panic,
    Fail,
    Stop,
    StopChild(&'static str),
    /// Blocks the whole system until the test lets go.
    Block(Receiver<()>),
    /// Keeps the reply without answering.
    Keep,
    /// Answers all kept ones.
    Release,
    /// Drops the reply.
    Drop,
    After(Duration, Box<Do>),
    RunPanicking,
    Run(Duration, u64),
}

impl Message for Do {
    type Answer = u64;
}

type AtStart = Arc<dyn Fn(&mut Context<Do>) + Send + Sync>;

/// Adds, and does on command whatever an actor can do.
pub struct Adder {
    pub name: &'static str,
    pub diary: Diary,
    pub sum: u64,
    pub kept: Vec<Reply<u64>>,
    /// Run in `started`: spawns children.
    pub at_start: AtStart,
}

impl Behaviour for Adder {
    type Message = Do;

    fn started(&mut self, ctx: &mut Context<Do>) {
        self.diary.note(format!("{} started", self.name));
        let at_start = Arc::clone(&self.at_start);
        at_start(ctx);
    }

    fn handle(&mut self, message: Do, reply: Reply<u64>, ctx: &mut Context<Do>) {
        match message {
            Do::Add(n) => self.sum += n,
            Do::Panic => panic!("told to"),
            Do::Fail => ctx.fail("told to fail"),
            Do::Stop => ctx.stop(),
            Do::Block(until) => drop(until.recv()),
            Do::Keep => return self.kept.push(reply),
            Do::Release => self.kept.drain(..).for_each(|kept| kept.send(1)),
            Do::Drop => return drop(reply),
            Do::After(delay, message) => drop(ctx.notify_after(delay, *message)),
            Do::RunPanicking => drop(ctx.run(async { panic!("in a future") }, |()| Do::Get)),
            Do::Run(delay, n) => drop(ctx.run(tokio::time::sleep(delay), move |()| Do::Add(n))),
            Do::StopChild(name) => return reply.send(u64::from(ctx.stop_child(name))),
            Do::Incarnation => return reply.send(ctx.incarnation()),
            Do::Get => {}
        }
        reply.send(self.sum);
    }

    fn stopping(&mut self, _ctx: &mut Context<Do>) {
        self.diary.note(format!("{} stopping", self.name));
    }
}

pub fn adder(name: &'static str, diary: &Diary) -> Spec<Adder> {
    parent(name, diary, |_| {})
}

pub fn parent(
    name: &'static str,
    diary: &Diary,
    at_start: impl Fn(&mut Context<Do>) + Send + Sync + 'static,
) -> Spec<Adder> {
    let (diary, at_start): (Diary, AtStart) = (diary.clone(), Arc::new(at_start));
    Spec::new(name, move || Adder {
        name,
        diary: diary.clone(),
        sum: 0,
        kept: Vec::new(),
        at_start: Arc::clone(&at_start),
    })
    .backoff(AT_ONCE)
}

/// Holds the system's thread so that messages pile up; dropping the sender lets it go on.
pub fn hold(system: &System) -> Sender<()> {
    let blocker = system.spawn(adder("blocker", &Diary::default())).unwrap();
    let (go, until) = channel();
    blocker.tell(Do::Block(until)).unwrap();
    eventually("held", || system.registry().info("blocker").is_some_and(|info| info.handled == 1));
    go
}
