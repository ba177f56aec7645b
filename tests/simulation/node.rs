//! A node: its satellite's process, with the real machines, over a disk that outlives it. Passes take their time, hang,
//! and end in the middle when the process dies. It carries effects out as the actors' shells do, and decides nothing.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use zea::model::conduct::Birth;
use zea::model::conduct::belonging::Belonging;
use zea::model::conduct::outbox::{ANSWER_WITHIN, Delivery, Outbox, OutboxEffect, OutboxEvent};
use zea::model::conduct::passes::{PassEffect, PassEvent, Passes};
use zea::model::conduct::pool_gate::{GateEffect, GateEvent, PoolGate};
use zea::model::conduct::registry::{Extent, Registry, RegistryEffect, RegistryEvent, Told};
use zea::model::desired::DesiredPool;
use zea::model::names::{NodeName, RscName};
use zea::model::report::{Report, ResourceReport};
use zea::protocols::wire::{FromSatellite, SatelliteAnswer, ToSatellite};
use zea::storage::node::ResourceMemory;

use super::machine::Machine;
use super::network::End;
use super::world::{Body, Event, World};

/// How long a pool that hangs may hold resources back: the gate's patience, twice, for one more set of pools may come.
const HELD_AT_MOST: Duration = Duration::from_secs(45);
/// How long a resource that has something to do may wait for its pass to begin while no pass of its own hangs.
const IDLE_AT_MOST: Duration = Duration::from_secs(45);

/// What happens in a satellite's process; each comes with the number of the process.
#[derive(Debug)]
pub enum NodeEvent {
    /// The controller asks; the ask's number goes back with the answer.
    Asked(u64, Box<ToSatellite>),
    Gate(GateEvent),
    Outbox(OutboxEvent),
    /// For the passes of that number.
    Passes(RscName, u64, Box<PassEvent>),
    /// The pass that runs in these passes has had its time.
    PassEnds(RscName, u64),
    /// Pools are prepared, if nothing hangs.
    PoolsDone(u64, Vec<DesiredPool>),
    /// A batch has had no answer in time.
    BatchDeadline(u64),
}

/// A pass on its way.
struct Running {
    told: Told,
    /// It never ends by itself.
    hangs: bool,
    /// What it came to, where it touched the disk at its beginning and only the report takes its time.
    early: Option<ResourceReport>,
}

struct Work {
    number: u64,
    /// Number of what it was told last.
    told: Option<u64>,
    passes: Passes,
    memory: ResourceMemory,
    running: Option<Running>,
}

/// See the module.
pub struct Node {
    pub name: NodeName,
    pub runs: bool,
    /// Rises with each start of the process.
    pub process: u64,
    pub machine: Machine,
    /// Commands that begin now hang.
    pub hangs: bool,
    /// Of its wall clock, in milliseconds.
    pub skew: i64,
    belonging: Belonging,
    gate: PoolGate,
    registry: Registry,
    outbox: Outbox,
    works: BTreeMap<RscName, Work>,
    next_work: u64,
    /// Batches without an answer: the ask's number and the batch's.
    batches: BTreeMap<u64, u64>,
    stuck_pools: Vec<(u64, Vec<DesiredPool>)>,
    /// When resources came that wait for pools.
    held: VecDeque<Duration>,
    /// Resources that were told something, and since when no pass of theirs has begun.
    idle: BTreeMap<RscName, Duration>,
    /// Passes that hang and that nobody waits for any more: they go on all the same, and others of the resource wait.
    ghosts: Vec<(RscName, ResourceMemory, Told)>,
}

impl Node {
    pub fn new(number: u8, machine: Machine) -> Self {
        Self {
            name: NodeName::parse(&format!("n{number}")).expect("a letter and a number"),
            runs: false,
            process: 0,
            machine,
            hangs: false,
            skew: 0,
            belonging: Belonging::default(),
            gate: PoolGate::default(),
            registry: Registry::default(),
            outbox: Outbox::new(None),
            works: BTreeMap::new(),
            next_work: 0,
            batches: BTreeMap::new(),
            stuck_pools: Vec::new(),
            held: VecDeque::new(),
            idle: BTreeMap::new(),
            ghosts: Vec::new(),
        }
    }

    /// A resource that does nothing although it could.
    fn idles(&self, now: Duration) -> Option<&RscName> {
        let hangs = |name: &RscName| {
            self.works.get(name).is_some_and(|work| work.running.as_ref().is_some_and(|run| run.hangs))
        };
        self.idle.iter().find(|(name, since)| now > **since + IDLE_AT_MOST && !hangs(name)).map(|(name, _)| name)
    }
}

impl World {
    fn node_event(&mut self, index: usize, delay: Duration, event: NodeEvent) {
        let process = self.nodes[index].process;
        self.queue.after(delay, Event::Node(index, process, event));
    }

    pub fn start_node(&mut self, index: usize) {
        if self.nodes[index].runs {
            return;
        }
        let node = &mut self.nodes[index];
        let mut machine = node.machine.clone();
        machine.start();
        let fresh = Node::new(index as u8 + 1, machine);
        *node = Node { runs: true, process: node.process + 1, hangs: node.hangs, skew: node.skew, ..fresh };
        let name = self.nodes[index].name.clone();
        self.tell(|| format!("{name} starts"));
        self.gate(index, GateEvent::Begun(Birth::First));
        let effects = self.nodes[index].registry.handle(RegistryEvent::Begun(Birth::First));
        self.registry_effects(index, effects);
        self.outbox(index, OutboxEvent::Begun(Birth::First));
    }

    /// Ends the process: passes that run are cut off after any of their steps.
    pub fn kill_node(&mut self, index: usize) {
        if !self.nodes[index].runs {
            return;
        }
        let name = self.nodes[index].name.clone();
        self.tell(|| format!("{name} dies"));
        let works = std::mem::take(&mut self.nodes[index].works);
        for (_, memory, told) in std::mem::take(&mut self.nodes[index].ghosts) {
            let operations = self.random.below(24);
            let _ = self.touch_disk(index, (&memory, &told), Some(operations));
        }
        for (_, work) in works {
            if let Some(run) = work.running.filter(|run| run.early.is_none()) {
                let operations = self.random.below(24);
                let _ = self.touch_disk(index, (&work.memory, &run.told), Some(operations));
            }
        }
        self.nodes[index].runs = false;
        self.nodes[index].process += 1;
        self.satellite_link_died(index);
    }

    /// As [`Self::kill_node`], and what was attached is not any more.
    pub fn power_off(&mut self, index: usize) {
        self.kill_node(index);
        self.nodes[index].machine.reboot();
    }

    /// The machine is given up, and another one with nothing on it takes its place and its name.
    pub fn replace_node(&mut self, index: usize) {
        self.kill_node(index);
        let rules = self.rules;
        self.nodes[index].machine.replace(&rules);
        self.nodes[index].machine.set_io(self.weather.io);
        self.start_node(index);
    }

    /// What hung goes on.
    pub fn free_node(&mut self, index: usize) {
        self.nodes[index].hangs = false;
        let now = self.queue.now();
        self.nodes[index].idle.values_mut().for_each(|since| *since = now);
        for (_, memory, told) in std::mem::take(&mut self.nodes[index].ghosts) {
            let _ = self.touch_disk(index, (&memory, &told), None);
        }
        let hung: Vec<(RscName, u64)> = self.nodes[index]
            .works
            .iter_mut()
            .filter_map(|(name, work)| {
                let run = work.running.as_mut().filter(|run| run.hangs)?;
                run.hangs = false;
                Some((name.clone(), work.number))
            })
            .collect();
        for (name, number) in hung {
            self.node_event(index, Duration::from_millis(10), NodeEvent::PassEnds(name, number));
        }
        for (number, pools) in std::mem::take(&mut self.nodes[index].stuck_pools) {
            self.node_event(index, Duration::from_millis(10), NodeEvent::PoolsDone(number, pools));
        }
    }

    pub fn node(&mut self, index: usize, process: u64, event: NodeEvent) {
        if !self.nodes[index].runs || self.nodes[index].process != process {
            return;
        }
        let late = self.nodes[index].held.front().is_some_and(|since| self.queue.now() > *since + HELD_AT_MOST);
        if late {
            let name = &self.nodes[index].name;
            self.judge.fail("each resource fails alone", format!("resources of {name} wait for pools"));
        }
        if let Some(idle) = self.nodes[index].idles(self.queue.now()) {
            let what = format!("{idle} on {} has something to do, and does not begin", self.nodes[index].name);
            self.judge.fail("each resource fails alone", what);
        }
        match event {
            NodeEvent::Asked(ask, message) => self.asked(index, ask, *message),
            NodeEvent::Gate(event) => self.gate(index, event),
            NodeEvent::Outbox(event) => self.outbox(index, event),
            NodeEvent::Passes(name, number, event) => self.passes(index, (&name, number), *event),
            NodeEvent::PassEnds(name, number) => self.pass_ends(index, &name, number),
            NodeEvent::PoolsDone(number, pools) => self.pools_done(index, number, pools),
            NodeEvent::BatchDeadline(ask) => self.batch_ends(index, ask, Delivery::Lost),
        }
    }

    fn asked(&mut self, index: usize, ask: u64, message: ToSatellite) {
        let claimed = self.nodes[index].belonging.check().map_err(|why| why.to_string());
        let answer = match message {
            ToSatellite::Hello { cluster, node } => match self.nodes[index].belonging.claim(cluster, node.clone()) {
                Ok(()) => {
                    self.outbox(index, OutboxEvent::Node(node));
                    SatelliteAnswer::Facts(self.nodes[index].machine.facts())
                }
                Err(why) => SatelliteAnswer::Refused(why.to_string()),
            },
            ToSatellite::Capacity(_) => SatelliteAnswer::Capacities(self.nodes[index].machine.capacities()),
            other => match claimed {
                Ok(()) => {
                    self.take_over(index, other);
                    SatelliteAnswer::Accepted
                }
                Err(why) => SatelliteAnswer::Refused(why),
            },
        };
        self.send_from_satellite(index, Body::Answer(ask, Box::new(answer)));
    }

    fn take_over(&mut self, index: usize, message: ToSatellite) {
        if matches!(message, ToSatellite::FullSync { .. } | ToSatellite::Apply(_)) {
            let now = self.queue.now();
            self.nodes[index].held.push_back(now);
        }
        match message {
            ToSatellite::FullSync { pools, resources } => {
                self.gate(index, GateEvent::Pools(pools));
                self.gate(index, GateEvent::Resources(Extent::Whole, resources));
            }
            ToSatellite::Pools(pools) => self.gate(index, GateEvent::Pools(pools)),
            ToSatellite::Apply(resources) => self.gate(index, GateEvent::Resources(Extent::Changed, resources)),
            ToSatellite::Hello { .. } | ToSatellite::Capacity(_) => {}
        }
    }

    fn gate(&mut self, index: usize, event: GateEvent) {
        let effects = self.nodes[index].gate.handle(event);
        for effect in effects {
            match effect {
                GateEffect::Prepare(number, pools) => {
                    let delay = self.work_time();
                    self.node_event(index, delay, NodeEvent::PoolsDone(number, pools));
                }
                GateEffect::Release(extent, resources) => {
                    self.nodes[index].held.pop_front();
                    let effects = self.nodes[index].registry.handle(RegistryEvent::Apply(extent, resources));
                    self.registry_effects(index, effects);
                }
                GateEffect::AskRoom => {
                    let reports = self.nodes[index].machine.capacities();
                    self.node_event(index, Duration::from_millis(1), NodeEvent::Gate(GateEvent::Room(reports)));
                }
                GateEffect::LookAround => {}
                GateEffect::Report(report) => self.outbox(index, OutboxEvent::Report(Report::Pool(report))),
                GateEffect::Resync => self.outbox(index, OutboxEvent::Resync),
                GateEffect::After(delay, event) => self.node_event(index, delay, NodeEvent::Gate(event)),
            }
        }
    }

    fn pools_done(&mut self, index: usize, number: u64, pools: Vec<DesiredPool>) {
        if self.nodes[index].hangs {
            self.nodes[index].stuck_pools.push((number, pools));
            return;
        }
        let reports = self.nodes[index].machine.apply_pools(&pools);
        self.gate(index, GateEvent::Prepared(number, reports));
    }

    fn registry_effects(&mut self, index: usize, effects: Vec<RegistryEffect>) {
        for effect in effects {
            match effect {
                RegistryEffect::Tell(told) => {
                    let name = told.desired.rsc.clone();
                    let (now, number) = (self.queue.now(), self.work(index, &name));
                    let node = &mut self.nodes[index];
                    let news = node
                        .works
                        .get_mut(&name)
                        .is_some_and(|work| work.told.replace(told.number) != Some(told.number));
                    if news {
                        node.idle.entry(name.clone()).or_insert(now);
                    }
                    self.passes(index, (&name, number), PassEvent::Desired(told));
                }
                RegistryEffect::End(name) => self.end_work(index, &name),
                RegistryEffect::Resync => self.outbox(index, OutboxEvent::Resync),
            }
        }
    }

    /// The number of the resource's passes, which are begun if they are not there.
    fn work(&mut self, index: usize, name: &RscName) -> u64 {
        let node = &mut self.nodes[index];
        if let Some(work) = node.works.get(name) {
            return work.number;
        }
        node.next_work += 1;
        let number = node.next_work;
        let work =
            Work { number, told: None, passes: Passes::default(), memory: ResourceMemory::default(), running: None };
        node.works.insert(name.clone(), work);
        self.passes(index, (name, number), PassEvent::Begun(Birth::First));
        number
    }

    /// The passes end; one that runs comes to its end all the same, and nobody hears of it.
    fn end_work(&mut self, index: usize, name: &RscName) {
        let Some(work) = self.nodes[index].works.remove(name) else {
            return;
        };
        self.nodes[index].idle.remove(name);
        match work.running.filter(|run| run.early.is_none()) {
            Some(run) if run.hangs => self.nodes[index].ghosts.push((name.clone(), work.memory, run.told)),
            Some(run) => drop(self.touch_disk(index, (&work.memory, &run.told), None)),
            None => {}
        }
    }

    fn passes(&mut self, index: usize, (name, number): (&RscName, u64), event: PassEvent) {
        let Some(work) = self.nodes[index].works.get_mut(name).filter(|work| work.number == number) else {
            return;
        };
        for effect in work.passes.handle(event) {
            self.pass_effect(index, (name, number), effect);
        }
    }

    fn pass_effect(&mut self, index: usize, (name, number): (&RscName, u64), effect: PassEffect) {
        match effect {
            PassEffect::Pass(told) => self.pass_begins(index, (name, number), told),
            PassEffect::Report(report) => self.outbox(index, OutboxEvent::Report(Report::Resource(*report))),
            PassEffect::Touched => self.gate(index, GateEvent::Touched),
            PassEffect::Finished(told) => {
                let effects = self.nodes[index].registry.handle(RegistryEvent::Finished(name.clone(), told));
                self.registry_effects(index, effects);
            }
            PassEffect::Resend => {
                let effects = self.nodes[index].registry.handle(RegistryEvent::Resend(name.clone()));
                self.registry_effects(index, effects);
            }
            PassEffect::After(delay, event) => {
                self.node_event(index, delay, NodeEvent::Passes(name.clone(), number, Box::new(event)));
            }
        }
    }

    fn pass_begins(&mut self, index: usize, (name, number): (&RscName, u64), told: Told) {
        self.nodes[index].idle.remove(name);
        let waits = self.nodes[index].ghosts.iter().any(|(rsc, ..)| rsc == name);
        let hangs = waits || self.nodes[index].hangs || self.random.permille(self.weather.hang);
        let delay = self.work_time();
        let early = match !hangs && self.random.permille(500) {
            true => {
                let memory = self.nodes[index].works.get(name).map(|work| work.memory.clone()).unwrap_or_default();
                self.touch_disk(index, (&memory, &told), None)
            }
            false => None,
        };
        if let Some(work) = self.nodes[index].works.get_mut(name) {
            work.running = Some(Running { told, hangs, early });
        }
        if !hangs {
            self.node_event(index, delay, NodeEvent::PassEnds(name.clone(), number));
        }
    }

    fn pass_ends(&mut self, index: usize, name: &RscName, number: u64) {
        let work = self.nodes[index].works.get_mut(name).filter(|work| work.number == number);
        let Some((run, memory)) = work.and_then(|work| Some((work.running.take()?, work.memory.clone()))) else {
            return;
        };
        let told = run.told;
        let report = run.early.or_else(|| self.touch_disk(index, (&memory, &told), None));
        if let Some(report) = report {
            self.passes(index, (name, number), PassEvent::Done(told.number, Box::new(report)));
        }
    }

    /// A pass, or one that ends after so many operations, with the disk judged before and after it.
    fn touch_disk(
        &mut self,
        index: usize,
        (memory, told): (&ResourceMemory, &Told),
        cut: Option<u64>,
    ) -> Option<ResourceReport> {
        self.machine_clock(index);
        let (name, machine) = (self.nodes[index].name.clone(), self.nodes[index].machine.clone());
        let before = machine.survey();
        let report = match cut {
            None => Some(machine.pass(memory, &told.desired)),
            Some(operations) => {
                machine.cut_pass(memory, &told.desired, operations);
                None
            }
        };
        self.tell(|| match &report {
            Some(report) => format!("{name} {}", super::text::pass(&told.desired, report)),
            None => format!("{name} was cut off in its work on {}", told.desired.rsc),
        });
        self.reached.desired(&told.desired);
        self.judge.pass(&name, &told.desired, (&before, &machine.survey()));
        report
    }

    fn outbox(&mut self, index: usize, event: OutboxEvent) {
        let effects = self.nodes[index].outbox.handle(event);
        for effect in effects {
            match effect {
                OutboxEffect::After(delay, event) => self.node_event(index, delay, NodeEvent::Outbox(event)),
                OutboxEffect::Send(batch) => {
                    self.next_ask += 1;
                    let ask = self.next_ask;
                    self.nodes[index].batches.insert(ask, batch.round);
                    let message = FromSatellite { node: batch.node, reports: batch.reports, resync: batch.resync };
                    let sent = self.send_from_satellite(index, Body::Report(ask, Box::new(message)));
                    let limit = if sent { ANSWER_WITHIN } else { Duration::ZERO };
                    self.node_event(index, limit, NodeEvent::BatchDeadline(ask));
                }
            }
        }
    }

    /// A batch has an answer, or never gets one.
    pub fn batch_ends(&mut self, index: usize, ask: u64, delivery: Delivery) {
        if let Some(round) = self.nodes[index].batches.remove(&ask) {
            self.outbox(index, OutboxEvent::Sent(round, delivery));
        }
    }

    /// The satellite's end of the link is closed: what was asked on it has no answer.
    pub fn satellite_link_down(&mut self, index: usize) {
        let lost: Vec<u64> = self.nodes[index].batches.keys().copied().collect();
        for ask in lost {
            self.batch_ends(index, ask, Delivery::Lost);
        }
    }

    /// A message from the controller has come; the process gets to it in a moment.
    pub fn satellite_hears(&mut self, index: usize, body: Body) {
        match body {
            Body::Ask(ask, message) => self.node_event(index, Duration::ZERO, NodeEvent::Asked(ask, message)),
            Body::Taken(ask) => self.batch_ends(index, ask, Delivery::Taken),
            Body::Answer(..) | Body::Report(..) => {}
        }
    }

    fn send_from_satellite(&mut self, index: usize, body: Body) -> bool {
        let name = self.nodes[index].name.clone();
        self.send(&name, End::Satellite, body)
    }
}
