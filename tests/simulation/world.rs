//! The world of a run: one queue of events, one source of chance, and everything that a script needs. It moves messages
//! and time; what the cluster does is decided by the machines that it drives.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use zea::model::command::Command;
use zea::model::conduct::Rules;
use zea::model::conduct::contact::{ContactEvent, Reach};
use zea::model::conduct::writer::Writer;
use zea::model::names::NodeName;
use zea::protocols::wire::{FromSatellite, SatelliteAnswer, ToSatellite};

use super::client::{Client, ClientEvent, Request};
use super::controller::{ControlEvent, Controller, REQUEST_DEADLINE};
use super::disk::Disk;
use super::judge::Judge;
use super::machine::Machine;
use super::network::{End, Ground, Link, NetEvent, NetNews, Outcome};
use super::node::{Node, NodeEvent};
use super::plants::Plant;
use super::queue::Queue;
use super::random::Random;
use super::reached::Reached;
use super::script::{Script, Weather, Who};
use super::story::Story;

/// Chance of what is left open by the script.
const OF_WORLD: u64 = 9;

/// What goes over a link.
#[derive(Debug)]
pub enum Body {
    /// The controller asks.
    Ask(u64, Box<ToSatellite>),
    /// The satellite answers that.
    Answer(u64, Box<SatelliteAnswer>),
    /// The satellite reports.
    Report(u64, Box<FromSatellite>),
    /// The controller answers that.
    Taken(u64),
}

/// Anything that happens.
#[derive(Debug)]
pub enum Event {
    /// The line of a script, by its number.
    Line(usize),
    Client(u8, ClientEvent),
    Control(u64, ControlEvent),
    Node(usize, u64, NodeEvent),
    Net(NodeName, NetEvent<Body>),
    StartController,
}

/// See the module.
pub struct World {
    pub queue: Queue<Event>,
    pub random: Random,
    pub weather: Weather,
    pub rules: Rules,
    /// A defect: effects leave before their commit.
    pub early_answers: bool,
    pub story: Story,
    pub controller: Controller,
    pub nodes: Vec<Node>,
    pub links: BTreeMap<NodeName, Link<Body>>,
    pub clients: BTreeMap<u8, Client>,
    pub requests: BTreeMap<u64, Request>,
    /// Commands by the number of their line.
    pub commands: BTreeMap<usize, Command>,
    pub lines: Vec<(Who, String)>,
    pub next_ticket: u64,
    pub next_ask: u64,
    pub judge: Judge,
    /// Durable nodes.
    pub members: BTreeSet<NodeName>,
    pub reached: Reached,
    pub calm: bool,
    pub events: u64,
}

impl World {
    /// A world in which nothing has happened yet; its story is kept if it is told.
    pub fn new(script: &Script, told: bool) -> Self {
        let plant = Plant::of(script.plant.as_deref());
        let rules = plant.rules();
        let machines = (0..script.nodes).map(|index| Machine::new(script.seed ^ u64::from(index), &rules));
        let nodes = machines.enumerate().map(|(index, machine)| Node::new(index as u8 + 1, machine)).collect();
        let disk = Disk::new(plant == Plant::HalfRecord);
        Self {
            queue: Queue::new(),
            random: Random::new(script.seed, OF_WORLD),
            weather: script.weather,
            rules,
            early_answers: plant == Plant::EarlyAnswer,
            story: Story::new(told),
            controller: Controller::new(disk, Writer::new(rules, REQUEST_DEADLINE)),
            nodes,
            links: BTreeMap::new(),
            clients: BTreeMap::new(),
            requests: BTreeMap::new(),
            commands: BTreeMap::new(),
            lines: Vec::new(),
            next_ticket: 0,
            next_ask: 0,
            judge: Judge::default(),
            members: BTreeSet::new(),
            reached: Reached::default(),
            calm: false,
            events: 0,
        }
    }

    /// Adds a line to the story.
    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        let now = self.queue.now();
        self.story.tell(now, line);
    }

    /// Way of a message.
    pub fn way(&mut self) -> Duration {
        if self.random.permille(self.weather.stall) {
            return Duration::from_millis(self.random.between(1000, 40_000));
        }
        Duration::from_micros(self.random.between(100, self.weather.delay.max(1) * 1000))
    }

    /// Time of work on a disk.
    pub fn work_time(&mut self) -> Duration {
        Duration::from_millis(self.random.between(1, self.weather.pass.max(1)))
    }

    /// Lets events happen until then, or until something is wrong.
    pub fn run_until(&mut self, until: Duration) {
        while !self.judge.has_failed() {
            let Some(event) = self.queue.next(until) else { return };
            self.events += 1;
            self.judge.time_passes(self.queue.now());
            self.happens(event);
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Line(number) => self.line(number),
            Event::Client(number, event) => self.client(number, event),
            Event::Control(process, event) => self.control(process, event),
            Event::Node(index, process, event) => self.node(index, process, event),
            Event::StartController => self.start_controller(),
            Event::Net(node, event) => {
                let ground = self.ground(&node);
                let Some(link) = self.links.get_mut(&node) else { return };
                let outcome = link.happens(event, &ground);
                self.net_outcome(&node, outcome);
            }
        }
    }

    /// The machine of a node's name.
    pub fn index_of(&self, node: &NodeName) -> Option<usize> {
        self.nodes.iter().position(|own| own.name == *node)
    }

    fn ground(&mut self, node: &NodeName) -> Ground {
        let index = self.index_of(node);
        let address = match self.controller.reach(node) {
            Some(Reach::Remote(address)) => Some(address.to_string()),
            _ => None,
        };
        let own = |index: usize| [format!("10.0.0.{}:3366", index + 1), format!("10.0.1.{}:3366", index + 1)];
        Ground {
            now: self.queue.now(),
            controller_runs: self.controller.runs,
            satellite_runs: index.is_some_and(|index| self.nodes[index].runs),
            address_fits: index.zip(address).is_some_and(|(index, address)| own(index).contains(&address)),
            delay: self.way(),
        }
    }

    /// Something is done to the link of a node.
    pub fn link(&mut self, node: &NodeName, act: impl FnOnce(&mut Link<Body>, &Ground) -> Outcome<Body>) {
        let ground = self.ground(node);
        let link = self.links.entry(node.clone()).or_insert_with(Link::new);
        let outcome = act(link, &ground);
        self.net_outcome(node, outcome);
    }

    pub fn dial(&mut self, node: &NodeName) {
        self.link(node, |link, ground| link.dial(ground));
    }

    pub fn hang_up(&mut self, node: &NodeName) {
        self.link(node, |link, ground| link.hang_up(ground));
    }

    pub fn controller_links_died(&mut self) {
        let names: Vec<NodeName> = self.links.keys().cloned().collect();
        for name in names {
            self.link(&name, |link, ground| link.died(End::Controller, ground));
        }
    }

    pub fn satellite_link_died(&mut self, index: usize) {
        let name = self.nodes[index].name.clone();
        self.link(&name, |link, ground| link.died(End::Satellite, ground));
    }

    /// Sends over the link of a node; whether there was a connection to take it.
    pub fn send(&mut self, node: &NodeName, from: End, body: Body) -> bool {
        let ground = self.ground(node);
        let Some(link) = self.links.get_mut(node) else { return false };
        let (taken, outcome) = link.send(from, body, &ground);
        self.net_outcome(node, outcome);
        taken
    }

    pub fn send_from_controller(&mut self, node: &NodeName, body: Body) -> bool {
        self.send(node, End::Controller, body)
    }

    fn net_outcome(&mut self, node: &NodeName, outcome: Outcome<Body>) {
        for (delay, event) in outcome.events {
            self.queue.after(delay, Event::Net(node.clone(), event));
        }
        for news in outcome.news {
            self.net_news(node, news);
        }
    }

    fn net_news(&mut self, node: &NodeName, news: NetNews<Body>) {
        let index = self.index_of(node);
        match news {
            NetNews::Up => self.contact(node, ContactEvent::LinkUp),
            NetNews::Down(why) => {
                self.tell(|| format!("link to {node} is down: {why}"));
                self.link_down(node, why);
            }
            NetNews::SatelliteDown => {
                if let Some(index) = index {
                    self.satellite_link_down(index);
                }
            }
            NetNews::Came(End::Satellite, body) => {
                if let Some(index) = index {
                    self.satellite_hears(index, body);
                }
            }
            NetNews::Came(End::Controller, body) => self.controller_hears(node, body),
        }
    }

    fn controller_hears(&mut self, node: &NodeName, body: Body) {
        match body {
            Body::Answer(ask, answer) => self.ask_ends(ask, Ok(*answer)),
            Body::Report(ask, message) => {
                self.tell(|| format!("{node} reports {}", super::text::reports(&message)));
                // The link proves who is there.
                if self.reported(node, *message) {
                    self.send_from_controller(node, Body::Taken(ask));
                }
            }
            Body::Ask(..) | Body::Taken(_) => {}
        }
    }
}
