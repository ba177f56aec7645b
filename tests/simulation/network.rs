//! The network between the controller and the nodes, with what `link` promises and no more: one connection a pair,
//! in order and at most once on it, silence is noticed, a new connection replaces the former. Knows no message.
//!
//! Faults: a direction that stalls (what is sent waits, and comes if the connection outlives it), a broken connection, a
//! message that takes long and holds up what follows it.

use std::collections::VecDeque;
use std::time::Duration;

/// As `LinkOptions::silence`.
pub const SILENCE: Duration = Duration::from_secs(15);
/// As the dialler's back-off.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Controller,
    Satellite,
}

impl End {
    pub fn other(self) -> Self {
        match self {
            Self::Controller => Self::Satellite,
            Self::Satellite => Self::Controller,
        }
    }
}

/// What happens in the network, for one node.
#[derive(Debug)]
pub enum NetEvent<M> {
    /// The dialler tries again; with the number of the dialling.
    Attempt(u64),
    /// A message comes to an end of a connection.
    Deliver(u64, End, M),
    /// That end has heard nothing for too long, if this stall still lasts.
    Silent(u64, End, u64),
    /// That end learns that the other one has closed.
    Closed(u64, End),
}

/// What the processes are told.
#[derive(Debug)]
pub enum NetNews<M> {
    /// The dialler has a connection.
    Up,
    /// The dialler has none any more, or the first attempt of a row failed.
    Down(&'static str),
    /// The satellite's end of its connection is closed.
    SatelliteDown,
    /// A message came.
    Came(End, M),
}

#[derive(Debug)]
struct Connection {
    id: u64,
    open: [bool; 2],
}

/// The pair of the controller and one node.
#[derive(Debug)]
pub struct Link<M> {
    dialled: Option<u64>,
    failures: u32,
    connection: Option<Connection>,
    next: u64,
    /// By receiving end: whether the direction stalls, what waits, and since which stall.
    stalled: [Option<u64>; 2],
    held: [VecDeque<(u64, M)>; 2],
    stalls: u64,
    /// When the last message in that direction arrives: none overtakes it.
    last: [Duration; 2],
}

/// What an operation brings about: events to come, and news for the processes.
#[derive(Debug)]
pub struct Outcome<M> {
    pub events: Vec<(Duration, NetEvent<M>)>,
    pub news: Vec<NetNews<M>>,
}

impl<M> Default for Outcome<M> {
    fn default() -> Self {
        Self { events: Vec::new(), news: Vec::new() }
    }
}

/// Which processes run, and whether the dialled address is the node's.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    pub now: Duration,
    pub controller_runs: bool,
    pub satellite_runs: bool,
    pub address_fits: bool,
    /// Way of a message.
    pub delay: Duration,
}

impl<M> Link<M> {
    pub fn new() -> Self {
        Self {
            dialled: None,
            failures: 0,
            connection: None,
            next: 0,
            stalled: [None; 2],
            held: [VecDeque::new(), VecDeque::new()],
            stalls: 0,
            last: [Duration::ZERO; 2],
        }
    }

    fn is_open(&self, id: u64, end: End) -> bool {
        self.connection.as_ref().is_some_and(|own| own.id == id && own.open[end as usize])
    }

    /// Whether that end has a connection, as it believes.
    pub fn is_up(&self, end: End) -> bool {
        self.connection.as_ref().is_some_and(|own| own.open[end as usize])
    }

    /// The controller wants a connection from now on.
    pub fn dial(&mut self, ground: &Ground) -> Outcome<M> {
        let mut out = self.hang_up(ground);
        self.next += 1;
        self.dialled = Some(self.next);
        self.failures = 0;
        out.events.push((ground.delay, NetEvent::Attempt(self.next)));
        out
    }

    /// The controller wants none any more; it is not told of the end.
    pub fn hang_up(&mut self, ground: &Ground) -> Outcome<M> {
        self.dialled = None;
        let mut out = Outcome::default();
        self.close(End::Controller, ground, &mut out);
        out
    }

    /// A process has ended: its end is closed.
    pub fn died(&mut self, end: End, ground: &Ground) -> Outcome<M> {
        let mut out = Outcome::default();
        if end == End::Controller {
            self.dialled = None;
        }
        self.close(end, ground, &mut out);
        out
    }

    /// The network breaks the connection, both ends learn it.
    pub fn break_off(&mut self, ground: &Ground) -> Outcome<M> {
        let mut out = Outcome::default();
        if let Some(id) = self.connection.as_ref().map(|own| own.id) {
            for end in [End::Controller, End::Satellite] {
                self.held[end as usize].clear();
                out.events.push((Duration::ZERO, NetEvent::Closed(id, end)));
            }
        }
        let _ = ground;
        out
    }

    /// A direction stalls from now on, by its receiving end.
    pub fn cut(&mut self, towards: End) -> Outcome<M> {
        let mut out = Outcome::default();
        if self.stalled[towards as usize].is_some() {
            return out;
        }
        self.stalls += 1;
        self.stalled[towards as usize] = Some(self.stalls);
        if let Some(own) = &self.connection {
            out.events.push((SILENCE, NetEvent::Silent(own.id, towards, self.stalls)));
        }
        out
    }

    /// Both directions flow again.
    pub fn heal(&mut self, ground: &Ground) -> Outcome<M> {
        let mut out = Outcome::default();
        for end in [End::Controller, End::Satellite] {
            self.stalled[end as usize] = None;
            // What is still on its way stays behind what was held.
            for (id, message) in std::mem::take(&mut self.held[end as usize]) {
                if self.is_open(id, end) {
                    out.news.push(NetNews::Came(end, message));
                }
            }
        }
        self.reset_half_open(ground, &mut out);
        out
    }

    /// An end that is open while the other is closed learns it as soon as something goes over the wire.
    fn reset_half_open(&mut self, ground: &Ground, out: &mut Outcome<M>) {
        let Some(own) = &self.connection else { return };
        for end in [End::Controller, End::Satellite] {
            if own.open[end as usize] && !own.open[end.other() as usize] {
                out.events.push((ground.delay, NetEvent::Closed(own.id, end)));
            }
        }
    }

    /// Sends over the connection of that end, if it has one; whether it was taken.
    pub fn send(&mut self, from: End, message: M, ground: &Ground) -> (bool, Outcome<M>) {
        let mut out = Outcome::default();
        let to = from.other();
        let Some(id) = self.connection.as_ref().filter(|own| own.open[from as usize]).map(|own| own.id) else {
            return (false, out);
        };
        // Where that direction stalls it is held when it arrives, behind what is on its way already.
        let arrival = (ground.now + ground.delay).max(self.last[to as usize]);
        self.last[to as usize] = arrival;
        out.events.push((arrival - ground.now, NetEvent::Deliver(id, to, message)));
        (true, out)
    }

    /// Something that was to happen happens.
    pub fn happens(&mut self, event: NetEvent<M>, ground: &Ground) -> Outcome<M> {
        let mut out = Outcome::default();
        match event {
            NetEvent::Attempt(dialling) if self.dialled == Some(dialling) => self.attempt(dialling, ground, &mut out),
            NetEvent::Attempt(_) => {}
            NetEvent::Deliver(id, end, message) if self.is_open(id, end) => {
                if self.stalled[end as usize].is_some() {
                    self.held[end as usize].push_back((id, message));
                } else {
                    out.news.push(NetNews::Came(end, message));
                }
            }
            NetEvent::Deliver(..) => {}
            NetEvent::Silent(id, end, stall) => {
                if self.stalled[end as usize] == Some(stall) {
                    self.ended(id, (end, "nothing heard for too long"), ground, &mut out);
                }
            }
            NetEvent::Closed(id, end) => self.ended(id, (end, "closed by the peer"), ground, &mut out),
        }
        out
    }

    fn attempt(&mut self, dialling: u64, ground: &Ground, out: &mut Outcome<M>) {
        if self.is_up(End::Controller) || !ground.controller_runs {
            return;
        }
        let flows = self.stalled.iter().all(Option::is_none);
        if flows && ground.satellite_runs && ground.address_fits {
            // What the satellite still has is replaced.
            if self.is_up(End::Satellite) {
                out.news.push(NetNews::SatelliteDown);
            }
            self.next += 1;
            self.held = [VecDeque::new(), VecDeque::new()];
            self.connection = Some(Connection { id: self.next, open: [true; 2] });
            self.dialled = Some(dialling);
            self.failures = 0;
            out.news.push(NetNews::Up);
            return;
        }
        if self.failures == 0 {
            out.news.push(NetNews::Down("unreachable"));
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(8)).min(LONGEST_PAUSE);
        self.failures += 1;
        out.events.push((pause, NetEvent::Attempt(dialling)));
    }

    /// An end is over by itself: its process is told, and the dialler begins again.
    fn ended(&mut self, id: u64, (end, why): (End, &'static str), ground: &Ground, out: &mut Outcome<M>) {
        if !self.is_open(id, end) {
            return;
        }
        self.close(end, ground, out);
        match end {
            End::Satellite => out.news.push(NetNews::SatelliteDown),
            End::Controller => {
                out.news.push(NetNews::Down(why));
                if let Some(dialling) = self.dialled {
                    self.failures = 1;
                    out.events.push((FIRST_PAUSE, NetEvent::Attempt(dialling)));
                }
            }
        }
    }

    /// Closes an end; the other one hears of it, unless what it would hear stalls.
    fn close(&mut self, end: End, ground: &Ground, out: &mut Outcome<M>) {
        let Some(own) = &mut self.connection else { return };
        if !std::mem::take(&mut own.open[end as usize]) {
            return;
        }
        let other = end.other();
        if own.open[other as usize] && self.stalled[other as usize].is_none() {
            let at = (ground.now + ground.delay).max(self.last[other as usize]);
            out.events.push((at - ground.now, NetEvent::Closed(own.id, other)));
        }
    }
}
