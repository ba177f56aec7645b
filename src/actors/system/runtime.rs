//! `System`: one thread on which all decisions are made, worker threads for I/O, and the roots of the tree.
//! Several systems live in one process without knowing of each other. It installs no logger and no crypto.

use std::future::poll_fn;
use std::io;
use std::io::Write;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::task::Poll;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::{mpsc, watch};

use super::behaviour::{Behaviour, Spec};
use super::cell::{self, NameTaken};
use super::node::{Node, Surroundings};
use super::reference::ActorRef;
use super::registry::Registry;

/// The exit code when a root is over its restart budget (`EX_SOFTWARE` of sysexits.h).
pub const EXIT_ROOT_FAILED: i32 = 70;

/// Worker threads at most, unless asked for: I/O needs few, and each costs memory.
const WORKERS_AT_MOST: usize = 4;

/// How long blocking tasks may go on after the tree has ended: a command that hangs in the kernel never returns.
const BLOCKING_GRACE: Duration = Duration::from_secs(2);

/// Turns of the system thread's queue after the tree has ended, so that each cell sees its end and drops its mailbox.
const LAST_TURNS: usize = 8;

/// A root is over its restart budget. The tree has been stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootFailure {
    /// What failed, how often, why.
    pub reason: String,
    /// [`EXIT_ROOT_FAILED`].
    pub exit_code: i32,
}

/// Why a root was not spawned, or a system not started.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// Its thread or its runtime could not be made.
    #[error("cannot start the actor system: {0}. Is there a limit on threads or open files?")]
    Start(#[source] io::Error),
    /// It has been stopped.
    #[error("the actor system has been stopped")]
    Stopped,
    /// Called from a behaviour: that would wait for itself.
    #[error("roots are spawned from outside the system's thread; behaviours spawn children")]
    OnSystemThread,
    /// The name is in use.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
}

type OnRootFailure = Box<dyn FnOnce(&RootFailure) + Send>;

/// How a system is made.
pub struct Options {
    /// The name of its thread.
    pub name: String,
    /// Worker threads for I/O; at least 1.
    pub workers: usize,
    /// Called last when a root has failed, after the tree was stopped. By default the process exits.
    pub on_root_failure: OnRootFailure,
}

impl Default for Options {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        Self {
            name: "zea".to_owned(),
            workers: cores.clamp(1, WORKERS_AT_MOST),
            on_root_failure: Box::new(|failure| {
                // Nothing is left to do for a stream that cannot be flushed.
                let _ = io::stdout().flush();
                let _ = io::stderr().flush();
                std::process::exit(failure.exit_code);
            }),
        }
    }
}

type Order = Box<dyn FnOnce(&Rc<Node>) + Send>;

enum Command {
    Order(Order),
    Stop,
}

/// A running actor system. Clones are handles to the same one; it ends with the last of them.
#[derive(Clone)]
pub struct System {
    commands: mpsc::UnboundedSender<Command>,
    registry: Registry,
    workers: Handle,
    thread: ThreadId,
    ended: watch::Receiver<Option<i32>>,
    join: Arc<Mutex<Option<JoinHandle<()>>>>,
}

struct Started {
    workers: Handle,
    registry: Registry,
}

impl System {
    /// Starts a system on a thread of its own.
    ///
    /// # Errors
    /// The thread or the runtime cannot be made.
    pub fn start(options: Options) -> Result<Self, SystemError> {
        let (commands, orders) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(None);
        let (ready, started) = std_mpsc::sync_channel(1);
        let join = thread::Builder::new()
            .name(options.name.clone())
            .spawn(move || live(options, orders, &ready, &end))
            .map_err(SystemError::Start)?;
        let thread = join.thread().id();
        let Started { workers, registry } =
            started.recv().map_err(|_| SystemError::Stopped)?.map_err(SystemError::Start)?;
        Ok(Self { commands, registry, workers, thread, ended, join: Arc::new(Mutex::new(Some(join))) })
    }

    /// Makes a root. Blocks for a moment; behaviours use [`super::Context::spawn_child`] instead.
    ///
    /// # Errors
    /// The name is taken, the system has stopped, or this is its own thread.
    pub fn spawn<B: Behaviour>(&self, spec: Spec<B>) -> Result<ActorRef<B::Message>, SystemError> {
        if thread::current().id() == self.thread {
            return Err(SystemError::OnSystemThread);
        }
        let (answer, made) = std_mpsc::sync_channel(1);
        let order: Order = Box::new(move |root| {
            // The receiver waits below, unless its thread was ended by force.
            let _ = answer.send(cell::spawn(root, spec));
        });
        self.commands.send(Command::Order(order)).map_err(|_| SystemError::Stopped)?;
        Ok(made.recv().map_err(|_| SystemError::Stopped)??)
    }

    /// Every actor of this system.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The worker threads.
    #[must_use]
    pub fn workers(&self) -> &Handle {
        &self.workers
    }

    /// Asks the system to end its tree bottom-up and then itself. Does not wait; may be called from anywhere.
    pub fn stop(&self) {
        // A system that has already ended needs no stop.
        let _ = self.commands.send(Command::Stop);
    }

    /// Waits until the system has ended: 0, or [`EXIT_ROOT_FAILED`]. For threads outside the system.
    #[must_use]
    pub fn wait(&self) -> i32 {
        let join = self.join.lock().unwrap_or_else(PoisonError::into_inner).take();
        if join.is_some_and(|join| join.join().is_err()) {
            return EXIT_ROOT_FAILED;
        }
        loop {
            if let Some(code) = *self.ended.borrow() {
                return code;
            }
            if self.ended.has_changed().is_err() {
                return self.ended.borrow().unwrap_or(EXIT_ROOT_FAILED);
            }
            thread::sleep(Duration::from_millis(1)); // another thread is joining
        }
    }

    /// Runs until SIGTERM or SIGINT comes, or until the system ends by itself, then ends it: the exit code.
    ///
    /// # Errors
    /// The signals cannot be listened to.
    pub fn run_until_signal(&self) -> io::Result<i32> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut ended = self.ended.clone();
        self.workers.block_on(async move {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            tokio::select! {
                _ = terminate.recv() => tracing::info!(signal = "SIGTERM", "stopping"),
                _ = interrupt.recv() => tracing::info!(signal = "SIGINT", "stopping"),
                _ = ended.wait_for(Option::is_some) => {}
            }
            Ok::<(), io::Error>(())
        })?;
        self.stop();
        Ok(self.wait())
    }
}

type Ready = std_mpsc::SyncSender<io::Result<Started>>;

/// The system's thread from its first to its last moment.
fn live(options: Options, orders: mpsc::UnboundedReceiver<Command>, ready: &Ready, end: &watch::Sender<Option<i32>>) {
    let built = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.workers.max(1))
        .thread_name(format!("{}-io", options.name))
        .enable_all()
        .build();
    let runtime = match built {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => {
            // Whoever waits for the start hears why; if nobody does, nothing is lost.
            let _ = ready.send(Err(error));
            return;
        }
    };
    let failure = run_tree(&runtime, orders, ready);
    if let Ok(runtime) = Arc::try_unwrap(runtime) {
        runtime.shutdown_timeout(BLOCKING_GRACE);
    }
    let code = failure.as_ref().map_or(0, |failure| failure.exit_code);
    if let Some(failure) = failure {
        (options.on_root_failure)(&failure);
    }
    end.send_replace(Some(code));
}

fn run_tree(runtime: &Arc<Runtime>, orders: mpsc::UnboundedReceiver<Command>, ready: &Ready) -> Option<RootFailure> {
    let actix = actix_rt::System::with_tokio_rt(|| Arc::clone(runtime));
    let registry = Registry::default();
    let surroundings = Surroundings { registry: registry.clone(), workers: runtime.handle().clone() };
    let root = Node::root(surroundings);
    // The starter gave up only if its thread died; then there is nobody to serve, and the orders end at once.
    let _ = ready.send(Ok(Started { workers: runtime.handle().clone(), registry }));
    actix.block_on(async move {
        let failure = obey(&root, orders).await;
        root.finish_children();
        for _ in 0..LAST_TURNS {
            tokio::task::yield_now().await;
        }
        failure
    })
}

/// Carries out orders until one says stop, or until a root is over its budget.
async fn obey(root: &Rc<Node>, mut orders: mpsc::UnboundedReceiver<Command>) -> Option<RootFailure> {
    loop {
        let escalated = poll_fn(|cx| {
            root.status.watch(cx.waker());
            root.take_escalated().map_or(Poll::Pending, Poll::Ready)
        });
        tokio::select! {
            biased;
            reason = escalated => {
                tracing::error!(%reason, exit_code = EXIT_ROOT_FAILED, "a root actor cannot be kept alive: stopping");
                return Some(RootFailure { reason, exit_code: EXIT_ROOT_FAILED });
            }
            order = orders.recv() => match order {
                Some(Command::Order(order)) => order(root),
                // Also when no handle is left: nobody could stop it later.
                Some(Command::Stop) | None => return None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_starts_and_stops() {
        let system = System::start(Options::default()).unwrap();
        assert!(system.registry().is_empty());
        system.clone().stop();
        assert_eq!(system.wait(), 0);
        assert_eq!(system.wait(), 0, "waiting twice is harmless");
    }

    #[test]
    fn waiting_for_a_signal_ends_with_the_system() {
        let system = System::start(Options::default()).unwrap();
        let stopper = system.clone();
        let later = thread::spawn(move || stopper.stop());
        assert_eq!(system.run_until_signal().unwrap(), 0);
        later.join().unwrap();
    }
}
