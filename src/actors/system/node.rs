//! The supervision tree: which actor keeps which. Lives on the system thread only; knows no behaviour.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::behaviour::Strategy;
use super::registry::{Registry, Status};

/// What every actor of a system has around it.
pub(super) struct Surroundings {
    pub registry: Registry,
    pub workers: Handle,
}

/// One actor as its supervisor sees it.
pub(super) trait Life {
    /// Ends the incarnation in order, children first; the mailbox stays.
    fn park(&self);
    fn is_parked(&self) -> bool;
    /// Starts the next incarnation at once. True if it runs.
    fn start(&self) -> bool;
    /// Ends the actor for good, children first.
    fn finish(&self);
    fn as_any(self: Rc<Self>) -> Rc<dyn Any>;
}

#[derive(Default)]
struct Children {
    // By the order in which they were first started: what rest-for-one and the stop order go by.
    by_turn: BTreeMap<u64, Rc<dyn Life>>,
    by_path: HashMap<Arc<str>, u64>,
    next_turn: u64,
}

/// A place in the tree.
pub(super) struct Node {
    pub path: Arc<str>,
    pub status: Arc<Status>,
    pub parent: Option<Rc<Node>>,
    pub strategy: Cell<Strategy>,
    pub surroundings: Rc<Surroundings>,
    // Boxed at the first child: nearly every actor is a leaf, and there are thousands.
    children: RefCell<Option<Box<Children>>>,
    escalated: RefCell<Option<String>>,
}

impl Node {
    /// The root of a system: it has no path and no actor.
    pub fn root(surroundings: Surroundings) -> Rc<Self> {
        let path: Arc<str> = Arc::from("");
        let status = Arc::new(Status::new(Arc::clone(&path), None));
        Rc::new(Self::with(path, status, None, Rc::new(surroundings)))
    }

    pub fn under(parent: &Rc<Node>, path: Arc<str>) -> Rc<Self> {
        let above = (!parent.path.is_empty()).then(|| Arc::clone(&parent.path));
        let status = Arc::new(Status::new(Arc::clone(&path), above));
        Rc::new(Self::with(path, status, Some(Rc::clone(parent)), Rc::clone(&parent.surroundings)))
    }

    fn with(path: Arc<str>, status: Arc<Status>, parent: Option<Rc<Node>>, surroundings: Rc<Surroundings>) -> Self {
        Self {
            path,
            status,
            parent,
            strategy: Cell::new(Strategy::default()),
            surroundings,
            children: RefCell::default(),
            escalated: RefCell::new(None),
        }
    }

    pub fn path_of(&self, name: &str) -> Arc<str> {
        if self.path.is_empty() { Arc::from(name) } else { Arc::from(format!("{}/{name}", self.path)) }
    }

    pub fn child(&self, path: &str) -> Option<Rc<dyn Life>> {
        let children = self.children.borrow();
        let children = children.as_ref()?;
        children.by_turn.get(children.by_path.get(path)?).map(Rc::clone)
    }

    /// Takes a child into care; its turn, by which it is removed.
    pub fn adopt(&self, path: Arc<str>, child: Rc<dyn Life>) -> u64 {
        let mut children = self.children.borrow_mut();
        let children = children.get_or_insert_default();
        let turn = children.next_turn;
        children.next_turn += 1;
        children.by_path.insert(path, turn);
        children.by_turn.insert(turn, child);
        turn
    }

    pub fn remove(&self, path: &str, turn: u64) {
        let mut children = self.children.borrow_mut();
        let Some(children) = children.as_mut() else { return };
        if children.by_turn.remove(&turn).is_some() {
            children.by_path.remove(path);
        }
    }

    /// Parks all children, the last started first.
    pub fn park_children(&self) {
        self.each_reversed(0, |child| child.park());
    }

    /// Ends all children for good, the last started first.
    pub fn finish_children(&self) {
        self.each_reversed(0, |child| child.finish());
    }

    /// Ends those children that a new incarnation of this actor did not want back.
    pub fn finish_parked(&self) {
        self.each_reversed(0, |child| {
            if child.is_parked() {
                child.finish();
            }
        });
    }

    /// Rest-for-one: parks the children that were started after `turn`.
    pub fn park_after(&self, turn: u64) {
        if self.strategy.get() == Strategy::RestForOne {
            self.each_reversed(turn + 1, |child| child.park());
        }
    }

    /// Rest-for-one: starts the parked children after `turn` again, in order, until one does not start.
    pub fn resume_after(&self, turn: u64) {
        if self.strategy.get() != Strategy::RestForOne {
            return;
        }
        for child in self.since_turn(turn + 1) {
            if child.is_parked() && !child.start() {
                return;
            }
        }
    }

    /// A child is over its budget: this actor has failed.
    pub fn escalate(&self, reason: String) {
        *self.escalated.borrow_mut() = Some(reason);
        self.status.wake();
    }

    pub fn take_escalated(&self) -> Option<String> {
        self.escalated.borrow_mut().take()
    }

    fn each_reversed(&self, turn: u64, act: impl Fn(&Rc<dyn Life>)) {
        self.since_turn(turn).iter().rev().for_each(act);
    }

    // A copy: ending a child takes it out of the map.
    fn since_turn(&self, turn: u64) -> Vec<Rc<dyn Life>> {
        let children = self.children.borrow();
        children.iter().flat_map(|children| children.by_turn.range(turn..)).map(|(_, child)| Rc::clone(child)).collect()
    }
}
