//! One resource on this node: passes one after another, always with the newest desired state, again while they fail.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::reports::ReportsMessage;
use super::resources::ResourcesMessage;
use crate::actors::system::{ActorRef, Behaviour, Context, Message, Reply, TaskHandle};
use crate::model::desired::DesiredResource;
use crate::model::names::RscName;
use crate::model::report::{Report, ResourceReport};
use crate::storage::node::{NodeStorage, ResourceMemory};

/// Pauses before further passes while passes fail, in seconds; the last one stays. As LINSTOR's.
const RETRY_AFTER_S: [u64; 8] = [15, 30, 60, 120, 300, 600, 1800, 3600];
/// Pause while a device is in use: looking again costs one open, and who unmounts it does not expect to wait.
const BUSY_RETRY_S: u64 = 15;
/// How long a pass may count as one of those at once: one that hangs holds nobody else back for longer.
const COUNTS_FOR: Duration = Duration::from_secs(60);

pub(super) enum ResourceMessage {
    /// The newest desired state.
    Desired(Arc<DesiredResource>),
    /// A pass has ended.
    Done(Arc<DesiredResource>, Box<ResourceReport>),
    /// A failed pass is due again.
    Retry,
}

impl Message for ResourceMessage {
    type Answer = ();
}

/// The resource.
pub(super) struct Resource {
    rsc: RscName,
    storage: NodeStorage,
    passes: Arc<Semaphore>,
    parent: ActorRef<ResourcesMessage>,
    reports: ActorRef<ReportsMessage>,
    memory: ResourceMemory,
    desired: Option<Arc<DesiredResource>>,
    running: bool,
    failures: usize,
    retry: Option<TaskHandle>,
}

impl Resource {
    pub(super) fn new(
        rsc: RscName,
        storage: NodeStorage,
        passes: Arc<Semaphore>,
        (parent, reports): (ActorRef<ResourcesMessage>, ActorRef<ReportsMessage>),
    ) -> Self {
        Self {
            rsc,
            storage,
            passes,
            parent,
            reports,
            memory: ResourceMemory::default(),
            desired: None,
            running: false,
            failures: 0,
            retry: None,
        }
    }

    fn pass(&mut self, ctx: &mut Context<ResourceMessage>) {
        let Some(desired) = self.desired.clone().filter(|_| !self.running) else {
            return;
        };
        self.running = true;
        let (storage, memory, passes) = (self.storage.clone(), self.memory.clone(), self.passes.clone());
        let wanted = desired.clone();
        let work = async move {
            // The semaphore is never closed; without a permit the pass runs all the same.
            let permit = passes.acquire_owned().await.ok();
            let mut pass = std::pin::pin!(storage.reconcile(&memory, wanted));
            match timeout(COUNTS_FOR, &mut pass).await {
                Ok(report) => report,
                Err(_) => {
                    drop(permit);
                    pass.await
                }
            }
        };
        ctx.run(work, move |report| ResourceMessage::Done(desired, Box::new(report)));
    }

    fn done(&mut self, done: Arc<DesiredResource>, report: ResourceReport, ctx: &mut Context<ResourceMessage>) {
        self.running = false;
        let newest = self.desired.as_ref().is_some_and(|desired| Arc::ptr_eq(desired, &done));
        let failed = report.problem.is_some() || report.snapshots.iter().any(|snapshot| snapshot.problem.is_some());
        let busy = report.in_use == Some(true);
        let over = report.gone && !failed && report.snapshots.iter().all(|snapshot| !snapshot.present);
        // Whoever is not there to hear it is told everything at the next connection.
        let _ = self.reports.tell(ReportsMessage::Report(Report::Resource(report)));
        let _ = self.parent.tell(ResourcesMessage::Touched);
        if !newest {
            return self.pass(ctx);
        }
        if over {
            let _ = self.parent.tell(ResourcesMessage::Finished(done));
        } else if failed {
            let pause = if busy { BUSY_RETRY_S } else { RETRY_AFTER_S[self.failures.min(RETRY_AFTER_S.len() - 1)] };
            self.failures += 1;
            self.retry = Some(ctx.notify_after(Duration::from_secs(pause), ResourceMessage::Retry));
        } else {
            self.failures = 0;
        }
    }
}

impl Behaviour for Resource {
    type Message = ResourceMessage;

    fn started(&mut self, ctx: &mut Context<ResourceMessage>) {
        if ctx.incarnation() > 1 {
            // The parent outlives its children.
            let _ = self.parent.tell(ResourcesMessage::Resend(self.rsc.clone()));
        }
    }

    fn handle(&mut self, message: ResourceMessage, _: Reply<()>, ctx: &mut Context<ResourceMessage>) {
        match message {
            ResourceMessage::Desired(desired) => {
                self.desired = Some(desired);
                self.failures = 0;
                if let Some(retry) = self.retry.take() {
                    ctx.cancel(retry);
                }
                self.pass(ctx);
            }
            ResourceMessage::Done(desired, report) => self.done(desired, *report, ctx),
            ResourceMessage::Retry => self.pass(ctx),
        }
    }
}
