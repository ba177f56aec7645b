//! The controller's process: the real writer and the real contacts over a simulated disk, clock and network. It carries
//! effects out in order, as the actors' shells do, and decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use zea::model::change::Change;
use zea::model::cluster::Cluster;
use zea::model::command::Command;
use zea::model::conduct::At;
use zea::model::conduct::contact::{Contact, ContactEffect, ContactEvent, Errand, Lost, Reach, Reception};
use zea::model::conduct::contacts::{Contacts, ContactsEffect, Means};
use zea::model::conduct::writer::{Answer, Effect, Outcome, SWEEP_PERIOD, Writer};
use zea::model::moment::{EpochMs, Moment};
use zea::model::names::NodeName;
use zea::model::news::News;
use zea::model::observed::NodeStatus;
use zea::model::report::Report;
use zea::protocols::wire::{FromSatellite, SatelliteAnswer, ToSatellite};

use super::disk::Disk;
use super::judge::Decided;
use super::world::{Body, Event, World};

/// As `controller.request_deadline`.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(60);
/// As the shell's limit of an ask to a satellite.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// The start of all clocks: 2026-01-01.
pub const EPOCH_MS: i64 = 1_767_225_600_000;

/// What happens in the process. Each has the number of the process, so that nothing of a dead one happens.
#[derive(Debug)]
pub enum ControlEvent {
    /// The store is read.
    Load,
    /// The commit of the writer of this number has ended.
    Committed(u64),
    Sweep(u64),
    Input(Input),
    /// A contact's pause is over; with the contact's number.
    Retry(NodeName, u64),
    /// An ask has had no answer in time.
    AskDeadline(u64),
}

/// What comes to the writer, in order.
#[derive(Debug)]
pub enum Input {
    Execute(u64, Box<Command>, Answer),
    Reports(NodeName, Vec<Report>),
    Status(NodeName, Box<NodeStatus>),
}

/// An ask that has no answer yet.
#[derive(Debug)]
enum Ask {
    Errand(NodeName, u64, u64),
    Capacity(NodeName),
}

impl Ask {
    fn node(&self) -> &NodeName {
        match self {
            Self::Errand(node, ..) | Self::Capacity(node) => node,
        }
    }
}

/// See the module.
pub struct Controller {
    /// Rises with each start of the process.
    pub process: u64,
    pub runs: bool,
    started: Duration,
    /// Rises with each writer, so that nothing of a failed one happens.
    writer_number: u64,
    pub writer: Writer<u64>,
    pub loaded: bool,
    pub view: Arc<Cluster>,
    contacts: Contacts,
    nodes: BTreeMap<NodeName, (u64, Contact)>,
    next_contact: u64,
    asks: BTreeMap<u64, Ask>,
    next_ask: u64,
    pub in_flight: Option<Vec<Vec<Change>>>,
    stash: Vec<Input>,
    sweeping: bool,
    /// Of the wall clock, in milliseconds.
    pub skew: i64,
    pub disk: Disk,
}

impl Controller {
    pub fn new(disk: Disk, writer: Writer<u64>) -> Self {
        Self {
            process: 0,
            runs: false,
            started: Duration::ZERO,
            writer_number: 0,
            writer,
            loaded: false,
            view: Arc::default(),
            contacts: Contacts::default(),
            nodes: BTreeMap::new(),
            next_contact: 0,
            asks: BTreeMap::new(),
            next_ask: 0,
            in_flight: None,
            stash: Vec::new(),
            sweeping: false,
            skew: 0,
            disk,
        }
    }

    /// How the node is reached, if there is to be contact with it.
    pub fn reach(&self, node: &NodeName) -> Option<Reach> {
        self.contacts.nodes().get(node).copied()
    }
}

impl World {
    fn at(&mut self) -> At {
        let now = self.queue.now();
        let wall = EPOCH_MS + now.as_millis() as i64 + self.controller.skew;
        let moment = Moment::repeatable(EpochMs(wall), self.random.next());
        At { moment, mono: now - self.controller.started }
    }

    fn new_writer(&mut self) {
        let controller = &mut self.controller;
        controller.writer_number += 1;
        controller.writer = Writer::new(self.rules, REQUEST_DEADLINE);
        controller.loaded = false;
        controller.sweeping = false;
        controller.in_flight = None;
        let process = controller.process;
        let delay = Duration::from_millis(self.random.between(1, 300));
        self.queue.after(delay, Event::Control(process, ControlEvent::Load));
    }

    /// Starts the process, if it does not run.
    pub fn start_controller(&mut self) {
        if self.controller.runs {
            return;
        }
        self.tell(|| "controller starts".to_owned());
        let now = self.queue.now();
        let controller = &mut self.controller;
        controller.runs = true;
        controller.process += 1;
        controller.started = now;
        controller.view = Arc::default();
        controller.contacts = Contacts::default();
        controller.nodes.clear();
        controller.asks.clear();
        controller.stash.clear();
        self.new_writer();
    }

    /// Ends the process; a commit that was on its way ends anywhere.
    pub fn kill_controller(&mut self) {
        if !self.controller.runs {
            return;
        }
        let cut = self.abandon_commit();
        self.tell(|| format!("controller dies, its commit: {cut}"));
        self.controller.runs = false;
        self.controller.process += 1;
        self.judge.writer_ended();
        self.controller_links_died();
        self.clients_lose_controller();
    }

    /// The cluster actor fails and reads its state again; the process goes on.
    pub fn fail_writer(&mut self) {
        if !self.controller.runs || !self.controller.loaded {
            return;
        }
        let cut = self.abandon_commit();
        self.tell(|| format!("writer fails, its commit: {cut}"));
        self.judge.writer_ended();
        self.clients_lose_controller();
        self.new_writer();
        self.restart_contacts();
    }

    /// Who was started after the cluster actor is started anew with it: contacts begin by what readers saw last.
    fn restart_contacts(&mut self) {
        let names: Vec<NodeName> = self.controller.nodes.keys().cloned().collect();
        for name in names {
            self.hang_up(&name);
        }
        self.controller.nodes.clear();
        self.controller.asks.clear();
        self.controller.contacts = Contacts::default();
        let view = Arc::clone(&self.controller.view);
        let news = News { everybody: true, ..News::default() };
        let effects = self.controller.contacts.news(news, &view, |_| Means::Links);
        effects.into_iter().for_each(|effect| self.contacts_effect(effect));
    }

    fn abandon_commit(&mut self) -> String {
        match self.controller.in_flight.take() {
            Some(decisions) => format!("{:?}", self.controller.disk.cut_off(&decisions, &mut self.random)),
            None => "none".to_owned(),
        }
    }

    pub fn control(&mut self, process: u64, event: ControlEvent) {
        if process != self.controller.process || !self.controller.runs {
            return;
        }
        match event {
            ControlEvent::Load => self.load(),
            ControlEvent::Committed(writer) if writer == self.controller.writer_number => self.commit_ends(),
            ControlEvent::Sweep(writer) if writer == self.controller.writer_number => {
                self.controller.sweeping = false;
                let at = self.at();
                let effects = self.controller.writer.sweep(at);
                self.carry_out(effects);
            }
            ControlEvent::Committed(_) | ControlEvent::Sweep(_) => {}
            ControlEvent::Input(input) => self.input(input),
            ControlEvent::Retry(node, number) => {
                if self.controller.nodes.get(&node).is_some_and(|(own, _)| *own == number) {
                    self.contact(&node, ContactEvent::Retry);
                }
            }
            ControlEvent::AskDeadline(ask) => self.ask_ends(ask, Err("no answer within its deadline")),
        }
    }

    fn load(&mut self) {
        let (changes, aside) = self.controller.disk.load();
        self.tell(|| format!("controller loaded {} records, put aside: {aside:?}", changes.len()));
        self.judge.loaded(&changes, &aside);
        self.replace_lost_nodes();
        self.controller.loaded = true;
        let (at, view) = (self.at(), Arc::clone(&self.controller.view));
        let effects = self.controller.writer.loaded(changes, &view, at);
        self.judge.decided(&self.controller.writer);
        self.carry_out(effects);
        for input in std::mem::take(&mut self.controller.stash) {
            self.input(input);
        }
    }

    /// Gives something to the writer, or keeps it until the writer is loaded.
    pub fn input(&mut self, input: Input) {
        if !self.controller.loaded {
            self.controller.stash.push(input);
            return;
        }
        let at = self.at();
        let before = self.controller.writer.head().clone();
        let writer = &mut self.controller.writer;
        let effects = match &input {
            Input::Execute(ticket, command, answer) => writer.execute(command, *answer, *ticket, at),
            Input::Reports(node, reports) => writer.reports(node, reports, at),
            Input::Status(node, status) => writer.node_status(node.clone(), (**status).clone(), at),
        };
        self.judge_input(&input, &before);
        self.carry_out(effects);
    }

    fn judge_input(&mut self, input: &Input, before: &Cluster) {
        let after = self.controller.writer.head().clone();
        let decided = Decided { before, after: &after };
        match input {
            Input::Execute(ticket, command, _) => {
                let line = self.requests.get(ticket).map_or(usize::MAX, |request| request.line);
                self.judge.executed((*ticket, line), command, decided);
            }
            Input::Reports(..) | Input::Status(..) => self.judge.observed(decided),
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect<u64>>) {
        for effect in effects {
            match effect {
                Effect::Commit(decisions) => self.commit_begins(decisions),
                Effect::Publish(cluster) => {
                    self.judge.published(&cluster);
                    self.controller.view = cluster;
                }
                Effect::Answer(ticket, outcome) => self.answer(ticket, outcome),
                Effect::News(news) => {
                    self.judge.news(&news);
                    let view = Arc::clone(&self.controller.view);
                    let effects = self.controller.contacts.news(news, &view, |_| Means::Links);
                    effects.into_iter().for_each(|effect| self.contacts_effect(effect));
                }
            }
        }
        let process = self.controller.process;
        if self.controller.writer.waiting() && !self.controller.sweeping {
            self.controller.sweeping = true;
            self.queue.after(SWEEP_PERIOD, Event::Control(process, ControlEvent::Sweep(self.controller.writer_number)));
        }
    }

    fn commit_begins(&mut self, decisions: Vec<Vec<Change>>) {
        self.judge.commit_begins(&decisions);
        self.reached.changes(&decisions);
        self.tell(|| format!("controller commits {}", super::text::changes(&decisions)));
        let weather = self.weather;
        let mut delay = self.random.between(0, weather.commit.max(1));
        if self.random.permille(weather.commit_stall) {
            delay = self.random.between(100, 10_000);
        }
        let (process, writer) = (self.controller.process, self.controller.writer_number);
        self.controller.in_flight = Some(decisions);
        let event = Event::Control(process, ControlEvent::Committed(writer));
        self.queue.after(Duration::from_millis(delay), event);
        if self.early_answers {
            // A defect: effects leave before their commit.
            let effects = self.controller.writer.committed();
            self.carry_out(effects);
        }
    }

    fn commit_ends(&mut self) {
        if self.random.permille(self.weather.commit_fails) {
            return self.fail_writer();
        }
        let Some(decisions) = self.controller.in_flight.take() else {
            return;
        };
        self.controller.disk.commit(&decisions);
        if self.random.permille(self.weather.commit_crash) {
            self.judge.commit_ended_unheard(&decisions);
            self.kill_controller();
            let delay = Duration::from_millis(self.random.between(50, 20_000));
            return self.queue.after(delay, Event::StartController);
        }
        self.judge.commit_ends();
        self.replace_lost_nodes();
        if self.early_answers {
            return;
        }
        let effects = self.controller.writer.committed();
        self.carry_out(effects);
    }

    /// Whoever is no node any more was given up, or emptied before: its machine starts blank.
    fn replace_lost_nodes(&mut self) {
        let now: BTreeSet<NodeName> = self.judge.durable().nodes.keys().cloned().collect();
        let before = std::mem::replace(&mut self.members, now);
        for name in before {
            let index = self.index_of(&name).filter(|_| !self.members.contains(&name));
            if let Some(index) = index {
                self.tell(|| format!("{name} is no node any more"));
                self.replace_node(index);
            }
        }
    }

    fn answer(&mut self, ticket: u64, outcome: Outcome) {
        self.judge.answers(ticket, &outcome);
        self.judge_done(ticket, &outcome);
        self.reached.outcome(&outcome);
        self.answer_client(ticket, outcome);
    }

    fn contacts_effect(&mut self, effect: ContactsEffect) {
        match effect {
            ContactsEffect::Begin(node, reach) => {
                self.controller.next_contact += 1;
                let contact = Contact::new(node.clone(), reach);
                self.controller.nodes.insert(node.clone(), (self.controller.next_contact, contact));
                self.contact(&node, ContactEvent::Begin);
            }
            ContactsEffect::End(node) => {
                self.controller.nodes.remove(&node);
                self.controller.asks.retain(|_, ask| *ask.node() != node);
                self.hang_up(&node);
            }
            ContactsEffect::Tell(node, event) => self.contact(&node, event),
        }
    }

    /// Gives an event to a node's contact, if there is one.
    pub fn contact(&mut self, node: &NodeName, event: ContactEvent) {
        let at = self.at();
        let Some((number, contact)) = self.controller.nodes.get_mut(node) else {
            return;
        };
        let number = *number;
        let effects = contact.handle(event, &self.controller.view, at);
        for effect in effects {
            self.contact_effect(node, number, effect);
        }
    }

    fn contact_effect(&mut self, node: &NodeName, number: u64, effect: ContactEffect) {
        let process = self.controller.process;
        match effect {
            ContactEffect::Dial => self.dial(node),
            ContactEffect::Close => self.hang_up(node),
            ContactEffect::Send(round, errand) => {
                self.judge.sent(node, &errand);
                self.ask(Ask::Errand(node.clone(), number, round), wire(errand));
            }
            ContactEffect::AskCapacity => self.ask(Ask::Capacity(node.clone()), ToSatellite::Capacity(Vec::new())),
            ContactEffect::Status(status) => {
                self.reached.arm("ConnectionStatus", status.status.as_str());
                self.tell(|| format!("controller sees {node} {}", status.status));
                let input = Input::Status(node.clone(), Box::new(status));
                self.queue.after(Duration::ZERO, Event::Control(process, ControlEvent::Input(input)));
            }
            ContactEffect::RetryAfter(pause) => {
                self.queue.after(pause, Event::Control(process, ControlEvent::Retry(node.clone(), number)));
            }
            ContactEffect::Failed(why) => self.tell(|| format!("contact with {node} failed: {why}")),
        }
    }

    fn ask(&mut self, ask: Ask, message: ToSatellite) {
        self.controller.next_ask += 1;
        let id = self.controller.next_ask;
        let node = ask.node().clone();
        self.controller.asks.insert(id, ask);
        self.tell(|| format!("controller to {node}: {}", super::text::errand(&message)));
        let event = Event::Control(self.controller.process, ControlEvent::AskDeadline(id));
        if self.send_from_controller(&node, Body::Ask(id, Box::new(message))) {
            self.queue.after(ANSWER_LIMIT, event);
        } else {
            self.queue.after(Duration::ZERO, event);
        }
    }

    /// An ask has an answer, or never gets one.
    pub fn ask_ends(&mut self, id: u64, answer: Result<SatelliteAnswer, &'static str>) {
        let Some(ask) = self.controller.asks.remove(&id) else {
            return;
        };
        match (ask, answer) {
            (Ask::Capacity(node), Ok(SatelliteAnswer::Capacities(reports))) => {
                let reports = reports.into_iter().map(Report::Pool).collect();
                self.input(Input::Reports(node, reports));
            }
            (Ask::Capacity(_), _) => {}
            (Ask::Errand(node, number, round), answer) => {
                let answer = match answer {
                    Ok(answer) => Ok(reception(answer)),
                    Err(why) => Err(Lost::Unanswered(why.to_owned())),
                };
                if self.controller.nodes.get(&node).is_some_and(|(own, _)| *own == number) {
                    self.contact(&node, ContactEvent::Answered(round, answer));
                }
            }
        }
    }

    /// The link to a node is down: asks on it have no answer.
    pub fn link_down(&mut self, node: &NodeName, why: &'static str) {
        let lost: Vec<u64> =
            self.controller.asks.iter().filter(|(_, ask)| ask.node() == node).map(|(id, _)| *id).collect();
        for id in lost {
            self.ask_ends(id, Err("the link is down"));
        }
        self.contact(node, ContactEvent::LinkDown(why.to_owned()));
    }

    /// A satellite reports; whether that is taken over.
    pub fn reported(&mut self, node: &NodeName, message: FromSatellite) -> bool {
        self.judge.heard(&message);
        for report in &message.reports {
            self.reached.report(report);
        }
        if message.resync {
            self.contact(node, ContactEvent::Resync);
        }
        self.input(Input::Reports(node.clone(), message.reports));
        true
    }
}

fn wire(errand: Errand) -> ToSatellite {
    match errand {
        Errand::Hello { cluster, node } => ToSatellite::Hello { cluster, node },
        Errand::FullSync { pools, resources } => ToSatellite::FullSync { pools, resources },
        Errand::Pools(pools) => ToSatellite::Pools(pools),
        Errand::Apply(resources) => ToSatellite::Apply(resources),
    }
}

fn reception(answer: SatelliteAnswer) -> Reception {
    match answer {
        SatelliteAnswer::Facts(facts) => Reception::Facts(facts),
        SatelliteAnswer::Accepted => Reception::Accepted,
        SatelliteAnswer::Refused(why) => Reception::Refused(why),
        SatelliteAnswer::Capacities(_) => Reception::Other("Capacities".to_owned()),
    }
}
