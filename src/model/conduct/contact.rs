//! Contact with one node's satellite: hello, full sync, and then every change, each resource whole. When anything is
//! lost on the way the full state goes out again. One message is on its way at a time. It never waits or dials itself.
//!
//! ```text
//! away --(link up)--> hello --(facts)--> syncing --(accepted)--> online --(ask fails, link down)--> away
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::At;
use crate::model::cluster::Cluster;
use crate::model::derive::{desired_node, desired_pools};
use crate::model::desired::{DesiredPool, DesiredResource};
use crate::model::kinds::ConnectionStatus;
use crate::model::moment::Uuid;
use crate::model::names::{NodeName, RscName};
use crate::model::observed::NodeStatus;
use crate::model::report::SatelliteFacts;

/// Pause before the next attempt with a satellite that is reachable and does not answer as it should.
pub const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// How a node's satellite is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// In this process: there is no link, it can be sent to at once.
    Local,
    /// Over a link that has to be dialled.
    Remote(SocketAddr),
    /// Not at all, and why.
    Nowhere(&'static str),
}

/// What is sent to the satellite.
#[derive(Debug, Clone, PartialEq)]
pub enum Errand {
    /// First of every contact: who calls, and which node the satellite is to be.
    Hello {
        /// The cluster's identity.
        cluster: Uuid,
        /// The node.
        node: NodeName,
    },
    /// Everything that the node shall have.
    FullSync {
        /// All of its pools.
        pools: Vec<DesiredPool>,
        /// All of its resources.
        resources: Vec<DesiredResource>,
    },
    /// All of its pools, after a change.
    Pools(Vec<DesiredPool>),
    /// Changed resources, each whole.
    Apply(Vec<DesiredResource>),
}

/// What the satellite answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reception {
    /// To a hello.
    Facts(SatelliteFacts),
    /// It has taken the errand over.
    Accepted,
    /// It cannot, and why.
    Refused(String),
    /// Something that is no answer to an errand, as text.
    Other(String),
}

/// An errand without an answer; it may have been taken over all the same. With the reason, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// The part of the satellite that had it failed, and is there again at once.
    Dropped(String),
    /// Nobody answered.
    Unanswered(String),
}

/// What happens to a contact.
#[derive(Debug, Clone, PartialEq)]
pub enum ContactEvent {
    /// First of all.
    Begin,
    /// Resources that changed.
    Apply(Vec<DesiredResource>),
    /// The node's record changed: its pools may have.
    Pools,
    /// Somebody asks for the room of its pools: gives [`ContactEffect::AskCapacity`] if the satellite can be asked.
    CapacityWanted,
    /// Drop the contact and make it anew.
    Reconnect,
    /// The satellite has forgotten what it was told; the contact itself stands.
    Resync,
    /// The link that was dialled came up.
    LinkUp,
    /// It went down, or the first attempt of a row failed; it is dialled again by itself.
    LinkDown(String),
    /// It cannot be dialled.
    DialFailed(String),
    /// The pause is over.
    Retry,
    /// What came of the errand of this round. Those of an earlier round are not listened to.
    Answered(u64, Result<Reception, Lost>),
}

/// What the contact's owner has to do. To be carried out in the order in which they were given.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum ContactEffect {
    /// Dial the satellite, and keep the link until [`ContactEffect::Close`] or the contact's end.
    Dial,
    /// Close the link; nothing that becomes of it later is to be told.
    Close,
    /// Send, and tell what came of it, with the number.
    Send(u64, Errand),
    /// Ask for the room of all pools; the answer goes to the writer as a report of each.
    AskCapacity,
    /// Tell the writer.
    Status(NodeStatus),
    /// Give [`ContactEvent::Retry`] after this time.
    RetryAfter(Duration),
    /// Contact failed, with the reason: for the log alone.
    Failed(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Away,
    Hello,
    Syncing,
    Online,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    None,
    Dialled,
    Up,
}

/// Whether a first failure is followed by an attempt at once: a part of a satellite that was restarted is there again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Soon {
    Yes,
    No,
}

/// See the module.
pub struct Contact {
    node: NodeName,
    reach: Reach,
    line: Line,
    phase: Phase,
    /// Rises with each contact: answers of an earlier one are not listened to.
    round: u64,
    /// A message is on its way.
    busy: bool,
    waiting: BTreeMap<RscName, DesiredResource>,
    pools_changed: bool,
    attempts: u64,
    facts: Option<Arc<SatelliteFacts>>,
}

/// What one event is handled with, and what comes of it.
struct Turn<'a> {
    view: &'a Cluster,
    at: At,
    effects: Vec<ContactEffect>,
}

impl Contact {
    /// Without contact; [`ContactEvent::Begin`] makes it.
    #[must_use]
    pub fn new(node: NodeName, reach: Reach) -> Self {
        Self {
            node,
            reach,
            line: Line::None,
            phase: Phase::Away,
            round: 0,
            busy: false,
            waiting: BTreeMap::new(),
            pools_changed: false,
            attempts: 0,
            facts: None,
        }
    }

    /// Takes an event in; `view` is the committed cluster as of now.
    pub fn handle(&mut self, event: ContactEvent, view: &Cluster, at: At) -> Vec<ContactEffect> {
        let mut turn = Turn { view, at, effects: Vec::new() };
        match event {
            ContactEvent::Begin => self.connect(&mut turn),
            ContactEvent::Apply(resources) => self.apply(resources, &mut turn),
            ContactEvent::Pools => {
                self.pools_changed = true;
                self.next(&mut turn);
            }
            ContactEvent::CapacityWanted => self.ask_capacity(&mut turn),
            ContactEvent::Reconnect => self.reconnect(&mut turn),
            ContactEvent::Resync => self.resync(&mut turn),
            ContactEvent::LinkUp => self.link_up(&mut turn),
            ContactEvent::LinkDown(why) => self.link_down(why, &mut turn),
            ContactEvent::DialFailed(why) => {
                self.line = Line::None;
                self.status(ConnectionStatus::Offline, Some(why), &mut turn);
            }
            ContactEvent::Retry => self.retry(&mut turn),
            ContactEvent::Answered(round, answer) if round == self.round => self.answered(answer, &mut turn),
            ContactEvent::Answered(..) => {}
        }
        turn.effects
    }

    fn connect(&mut self, turn: &mut Turn) {
        match self.reach {
            Reach::Local => self.hello(turn),
            Reach::Nowhere(why) => self.status(ConnectionStatus::NoSatelliteConnection, Some(why.to_owned()), turn),
            Reach::Remote(_) => {
                self.line = Line::Dialled;
                turn.effects.push(ContactEffect::Dial);
            }
        }
    }

    fn reconnect(&mut self, turn: &mut Turn) {
        if self.line != Line::None {
            self.line = Line::None;
            turn.effects.push(ContactEffect::Close);
        }
        self.away();
        self.status(ConnectionStatus::Offline, Some("reconnecting".to_owned()), turn);
        self.connect(turn);
    }

    fn away(&mut self) {
        self.round += 1;
        self.phase = Phase::Away;
        self.busy = false;
        self.waiting.clear();
        self.pools_changed = false;
    }

    fn hello(&mut self, turn: &mut Turn) {
        self.away();
        self.phase = Phase::Hello;
        let cluster = turn.view.controller.cluster;
        self.send(Errand::Hello { cluster, node: self.node.clone() }, turn);
    }

    fn send(&mut self, errand: Errand, turn: &mut Turn) {
        self.busy = true;
        turn.effects.push(ContactEffect::Send(self.round, errand));
    }

    fn answered(&mut self, answer: Result<Reception, Lost>, turn: &mut Turn) {
        self.busy = false;
        match (self.phase, answer) {
            (Phase::Hello, Ok(Reception::Facts(facts))) => {
                self.facts = Some(Arc::new(facts));
                // A node that is told everything again because somebody was restarted was online all the time.
                if !turn.view.is_online(&self.node) {
                    self.status(ConnectionStatus::Connected, None, turn);
                }
                self.sync(turn);
            }
            (Phase::Syncing, Ok(Reception::Accepted)) => {
                self.phase = Phase::Online;
                self.attempts = 0;
                self.status(ConnectionStatus::Online, None, turn);
                self.ask_capacity(turn);
                self.next(turn);
            }
            (Phase::Online, Ok(Reception::Accepted)) => self.next(turn),
            (Phase::Away, _) => {}
            (_, Ok(Reception::Refused(why))) => self.failed(ConnectionStatus::FullSyncFailed, (why, Soon::Yes), turn),
            (_, Ok(other)) => {
                let why = unexpected(other);
                self.failed(ConnectionStatus::VersionMismatch, (why, Soon::No), turn);
            }
            (_, Err(Lost::Dropped(why))) => self.failed(ConnectionStatus::Offline, (why, Soon::Yes), turn),
            (_, Err(Lost::Unanswered(why))) => self.failed(ConnectionStatus::Offline, (why, Soon::No), turn),
        }
    }

    fn sync(&mut self, turn: &mut Turn) {
        let Some(node) = turn.view.nodes.get(&self.node) else {
            return;
        };
        self.phase = Phase::Syncing;
        let (pools, resources) = desired_node(turn.view, node);
        self.send(Errand::FullSync { pools, resources }, turn);
    }

    fn apply(&mut self, resources: Vec<DesiredResource>, turn: &mut Turn) {
        if !matches!(self.phase, Phase::Online | Phase::Syncing) {
            return;
        }
        for desired in resources {
            let known = self.waiting.get(&desired.rsc);
            if known.is_none_or(|known| known.generation <= desired.generation) {
                self.waiting.insert(desired.rsc.clone(), desired);
            }
        }
        self.next(turn);
    }

    /// Sends what has gathered, one message at a time.
    fn next(&mut self, turn: &mut Turn) {
        if self.busy || self.phase != Phase::Online {
            return;
        }
        if std::mem::take(&mut self.pools_changed) {
            if let Some(node) = turn.view.nodes.get(&self.node) {
                self.send(Errand::Pools(desired_pools(turn.view, node)), turn);
                self.ask_capacity(turn);
            }
            return;
        }
        let resources: Vec<DesiredResource> = std::mem::take(&mut self.waiting).into_values().collect();
        if !resources.is_empty() {
            self.send(Errand::Apply(resources), turn);
        }
    }

    fn failed(&mut self, status: ConnectionStatus, (why, soon): (String, Soon), turn: &mut Turn) {
        turn.effects.push(ContactEffect::Failed(why.clone()));
        self.away();
        self.attempts += 1;
        if self.attempts == 1 && soon == Soon::Yes {
            return self.retry(turn);
        }
        self.status(status, Some(why), turn);
        turn.effects.push(ContactEffect::RetryAfter(RETRY_PAUSE));
    }

    fn retry(&mut self, turn: &mut Turn) {
        match (self.phase, self.line) {
            (Phase::Away, Line::None) => self.connect(turn),
            (Phase::Away, Line::Up) => self.hello(turn),
            // The link comes up by itself; contact that stands needs no retry.
            _ => {}
        }
    }

    /// Once contact stands; before that everything is on its way anyway.
    fn resync(&mut self, turn: &mut Turn) {
        if matches!(self.phase, Phase::Syncing | Phase::Online) {
            self.hello(turn);
        }
    }

    fn link_up(&mut self, turn: &mut Turn) {
        if self.line != Line::None {
            self.line = Line::Up;
            self.hello(turn);
        }
    }

    fn link_down(&mut self, why: String, turn: &mut Turn) {
        if self.line != Line::None {
            self.line = Line::Dialled;
            self.away();
            self.attempts += 1;
            self.status(ConnectionStatus::Offline, Some(why), turn);
        }
    }

    fn ask_capacity(&self, turn: &mut Turn) {
        if self.phase == Phase::Online {
            turn.effects.push(ContactEffect::AskCapacity);
        }
    }

    fn status(&self, status: ConnectionStatus, reason: Option<String>, turn: &mut Turn) {
        turn.effects.push(ContactEffect::Status(NodeStatus {
            status,
            since: turn.at.moment.now,
            attempts: self.attempts,
            facts: self.facts.clone(),
            reason,
        }));
    }
}

fn unexpected(answer: Reception) -> String {
    match answer {
        Reception::Other(text) => format!("unexpected answer {text}"),
        Reception::Accepted => "unexpected answer Accepted".to_owned(),
        Reception::Facts(_) => "unexpected answer Facts".to_owned(),
        Reception::Refused(why) => format!("unexpected answer Refused: {why}"),
    }
}

#[cfg(test)]
mod tests;
