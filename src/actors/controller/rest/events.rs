//! Streams of server-sent events: what became of nodes, told by comparing one view with the next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use imbl::ordmap::DiffItem;
use tokio::sync::watch;

use super::EventStream;
use crate::actors::controller::api::View;
use crate::model::cluster::Cluster;
use crate::model::kinds::NodeFlags;
use crate::model::node::Node;
use crate::protocols::rest::body;
use crate::protocols::rest::events::{ApiEvent, KEEP_ALIVE};
use crate::protocols::rest::node::Node as NodeShape;
use crate::protocols::rest::render::json::Json;
use crate::protocols::rest::render::node::node;

/// How often a silent stream shows that it lives: below the minute after which proxies cut one.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);

struct Watcher {
    view: watch::Receiver<Arc<Cluster>>,
    seen: Arc<Cluster>,
    queue: VecDeque<String>,
    ended: bool,
}

/// What becomes of nodes from now on.
pub fn node_events(view: &View) -> EventStream {
    let mut view = view.subscribe();
    let seen = view.borrow_and_update().clone();
    let queue = VecDeque::from([KEEP_ALIVE.to_owned()]);
    let watcher = Watcher { view, seen, queue, ended: false };
    Box::pin(stream::unfold(watcher, |mut watcher| async move {
        let frame = watcher.next().await?;
        Some((frame, watcher))
    }))
}

/// Promotions of DRBD: no node tells of any yet, so the stream only shows that it lives.
pub fn promotion_events() -> EventStream {
    Box::pin(stream::unfold(true, |first| async move {
        if !first {
            tokio::time::sleep(KEEP_ALIVE_EVERY).await;
        }
        Some((KEEP_ALIVE.to_owned(), false))
    }))
}

impl Watcher {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(frame) = self.queue.pop_front() {
                return Some(frame);
            }
            if self.ended {
                return None;
            }
            match tokio::time::timeout(KEEP_ALIVE_EVERY, self.view.changed()).await {
                Err(_) => return Some(KEEP_ALIVE.to_owned()),
                Ok(Err(_)) => {
                    self.ended = true;
                    self.queue.push_back(ApiEvent::Error("the controller ends".to_owned()).to_wire());
                }
                Ok(Ok(())) => self.compare(),
            }
        }
    }

    fn compare(&mut self) {
        let now = self.view.borrow_and_update().clone();
        let before = std::mem::replace(&mut self.seen, Arc::clone(&now));
        let events = changes(&before, &now);
        self.queue.extend(events.iter().map(ApiEvent::to_wire));
    }
}

/// What became of nodes between two views, in the order of their names.
fn changes(before: &Cluster, after: &Cluster) -> Vec<ApiEvent> {
    let mut events = Vec::new();
    for item in before.nodes.diff(&after.nodes) {
        match item {
            DiffItem::Add(_, new) => events.push(ApiEvent::NodeCreate(shape(after, new))),
            DiffItem::Remove(_, old) => events.push(ApiEvent::NodeDelete(shape(before, old))),
            DiffItem::Update { old: (_, old), new: (_, new) } => {
                events.extend(turn(old, new, shape(after, new)));
                let (old_node, new_node) = (shape(before, old), shape(after, new));
                events.push(ApiEvent::NodeModified { old_node, new_node });
            }
        }
    }
    for item in before.node_status.diff(&after.node_status) {
        let (DiffItem::Add(name, _) | DiffItem::Update { new: (name, _), .. }) = item else { continue };
        let (Some(old), Some(new)) = (before.nodes.get(name), after.nodes.get(name)) else { continue };
        if Arc::ptr_eq(old, new) {
            let (old_node, new_node) = (shape(before, old), shape(after, new));
            events.push(ApiEvent::NodeModified { old_node, new_node });
        }
    }
    events
}

/// The turn in a node's life, where the change is one.
fn turn(old: &Node, new: &Node, shape: Box<NodeShape>) -> Option<ApiEvent> {
    let came = |flag| !old.flags.has(flag) && new.flags.has(flag);
    let went = |flag| old.flags.has(flag) && !new.flags.has(flag);
    match () {
        () if came(NodeFlags::EVICTED) => Some(ApiEvent::NodeEvicted(shape)),
        () if came(NodeFlags::EVACUATE) => Some(ApiEvent::NodeEvacuate(shape)),
        () if went(NodeFlags::EVICTED) || went(NodeFlags::EVACUATE) => Some(ApiEvent::NodeRestored(shape)),
        () => None,
    }
}

fn shape(cluster: &Cluster, record: &Node) -> Box<NodeShape> {
    let mut json = Json::default();
    node(&mut json, cluster, record);
    Box::new(body::read(&json.into_bytes()).expect("a node is written as its shape says, which a test compares"))
}
