//! A node's storage pools: prepared before any resource is worked on, their room reported after changes and at intervals.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Birth;
use super::registry::Extent;
use crate::model::desired::{DesiredPool, DesiredResource};
use crate::model::names::PoolName;
use crate::model::report::PoolReport;

/// How long changes are gathered before the room is asked: one look for a burst of them.
const GATHER: Duration = Duration::from_millis(200);
/// Between two looks without a change, unless it is told otherwise; LINSTOR's `UpdateCacheInterval`.
pub const LOOK_EVERY: Duration = Duration::from_secs(180);
/// How long resources wait for pools; a pool that hangs holds the others' resources back no longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What happens to the gate.
#[derive(Debug, Clone, PartialEq)]
pub enum GateEvent {
    /// First event of all.
    Begun(Birth),
    /// All pools of the node.
    Pools(Vec<DesiredPool>),
    /// Resources, after the pools that were told before.
    Resources(Extent, Vec<DesiredResource>),
    /// The pools of this attempt are prepared.
    Prepared(u64, Vec<PoolReport>),
    /// This attempt takes too long.
    TooLong(u64),
    /// Something in a pool may have changed.
    Touched,
    /// It is time to ask for the room after changes.
    Look,
    /// Another look is due, though nothing changed.
    LookAnyway,
    /// The room of all pools.
    Room(Vec<PoolReport>),
}

/// What the gate wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum GateEffect {
    /// Prepare these pools, and tell when that is done, with the number.
    Prepare(u64, Vec<DesiredPool>),
    /// Let these resources through to the registry.
    Release(Extent, Vec<DesiredResource>),
    /// Ask for the room of all pools.
    AskRoom,
    /// Look which backing objects have changed without us, and let the registry know.
    LookAround,
    /// Report a pool.
    Report(PoolReport),
    /// Ask the controller for everything.
    Resync,
    /// Hand the event back after this time.
    After(Duration, GateEvent),
}

/// A preparation that runs.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    number: u64,
    /// Nobody waits for it any more.
    overdue: bool,
}

/// The pools of the node.
#[derive(Debug)]
pub struct PoolGate {
    look_every: Duration,
    preparing: Option<Attempt>,
    attempts: u64,
    /// Newest pools that were told while others were being prepared.
    next: Option<Vec<DesiredPool>>,
    held: VecDeque<(Extent, Vec<DesiredResource>)>,
    look_due: bool,
    last: BTreeMap<PoolName, PoolReport>,
}

impl Default for PoolGate {
    fn default() -> Self {
        Self::new(LOOK_EVERY)
    }
}

impl PoolGate {
    /// Without any pool yet; it looks that often at their room when nothing changes.
    #[must_use]
    pub fn new(look_every: Duration) -> Self {
        Self {
            look_every,
            preparing: None,
            attempts: 0,
            next: None,
            held: VecDeque::new(),
            look_due: false,
            last: BTreeMap::new(),
        }
    }

    /// Takes one event.
    #[must_use]
    pub fn handle(&mut self, event: GateEvent) -> Vec<GateEffect> {
        match event {
            GateEvent::Begun(birth) => {
                let timer = GateEffect::After(self.look_every, GateEvent::LookAnyway);
                // Resources that were held back are lost with the earlier incarnation.
                if birth == Birth::Again { vec![GateEffect::Resync, timer] } else { vec![timer] }
            }
            GateEvent::Pools(pools) => {
                // Whoever tells all pools wants to hear of all of them.
                self.last.clear();
                self.prepare(pools)
            }
            GateEvent::Resources(extent, resources) => {
                self.held.push_back((extent, resources));
                if self.preparing.is_none_or(|attempt| attempt.overdue) { self.release() } else { Vec::new() }
            }
            GateEvent::Prepared(number, reports) => self.prepared(number, reports),
            GateEvent::TooLong(number) => match &mut self.preparing {
                Some(attempt) if attempt.number == number => {
                    attempt.overdue = true;
                    self.release()
                }
                _ => Vec::new(),
            },
            GateEvent::Touched if self.look_due => Vec::new(),
            GateEvent::Touched => {
                self.look_due = true;
                vec![GateEffect::After(GATHER, GateEvent::Look)]
            }
            GateEvent::Look => {
                self.look_due = false;
                vec![GateEffect::AskRoom]
            }
            GateEvent::LookAnyway => {
                // The controller asks for itself, too, and may have had another answer since: all is told from time to time.
                self.last.clear();
                vec![
                    GateEffect::AskRoom,
                    GateEffect::LookAround,
                    GateEffect::After(self.look_every, GateEvent::LookAnyway),
                ]
            }
            GateEvent::Room(reports) => self.report(reports),
        }
    }

    /// Whether nothing runs and nothing is held back.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.preparing.is_none() && self.held.is_empty() && !self.look_due
    }

    fn prepare(&mut self, pools: Vec<DesiredPool>) -> Vec<GateEffect> {
        if self.preparing.is_some() {
            self.next = Some(pools);
            return Vec::new();
        }
        self.attempts += 1;
        let number = self.attempts;
        self.preparing = Some(Attempt { number, overdue: false });
        vec![GateEffect::Prepare(number, pools), GateEffect::After(PATIENCE, GateEvent::TooLong(number))]
    }

    fn prepared(&mut self, number: u64, reports: Vec<PoolReport>) -> Vec<GateEffect> {
        if self.preparing.is_none_or(|attempt| attempt.number != number) {
            return Vec::new();
        }
        self.preparing = None;
        let mut effects = self.report(reports);
        effects.extend(match self.next.take() {
            Some(pools) => self.prepare(pools),
            None => self.release(),
        });
        effects
    }

    fn release(&mut self) -> Vec<GateEffect> {
        self.held.drain(..).map(|(extent, resources)| GateEffect::Release(extent, resources)).collect()
    }

    /// Reports what differs from the last report.
    fn report(&mut self, reports: Vec<PoolReport>) -> Vec<GateEffect> {
        let mut effects = Vec::new();
        for report in reports {
            if self.last.get(&report.pool) != Some(&report) {
                self.last.insert(report.pool.clone(), report.clone());
                effects.push(GateEffect::Report(report));
            }
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::conduct::tests::{desired, pool_report};
    use crate::model::kinds::ProviderKind;

    fn pools(names: &[&str]) -> Vec<DesiredPool> {
        let pool = |name: &&str| DesiredPool {
            name: PoolName::parse(name).expect("legal"),
            provider: ProviderKind::FileThin,
            backing: format!("/{name}"),
            shared: false,
            props: BTreeMap::new(),
        };
        names.iter().map(pool).collect()
    }

    fn changed(names: &[&str]) -> GateEvent {
        GateEvent::Resources(Extent::Changed, names.iter().map(|name| desired(name, 1)).collect())
    }

    fn prepared(number: u64, free: &[(&str, u64)]) -> GateEvent {
        GateEvent::Prepared(number, free.iter().map(|(name, free)| pool_report(name, *free)).collect())
    }

    fn words(effects: &[GateEffect]) -> String {
        let names = |resources: &[DesiredResource]| {
            resources.iter().map(|desired| desired.rsc.to_string()).collect::<Vec<_>>().join("+")
        };
        let word = |effect: &GateEffect| match effect {
            GateEffect::Prepare(number, pools) => format!("prepare {number} of {}", pools.len()),
            GateEffect::Release(Extent::Whole, resources) => format!("all: {}", names(resources)),
            GateEffect::Release(Extent::Changed, resources) => names(resources),
            GateEffect::AskRoom => "ask".to_owned(),
            GateEffect::LookAround => "look around".to_owned(),
            GateEffect::Report(report) => {
                format!("{} has {}", report.pool, report.capacity.as_ref().expect("known").free.0)
            }
            GateEffect::Resync => "resync".to_owned(),
            GateEffect::After(pause, GateEvent::TooLong(number)) => format!("overdue {number} in {pause:?}"),
            GateEffect::After(pause, event) => format!("{event:?} in {pause:?}"),
        };
        effects.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    fn play(script: Vec<(GateEvent, &str)>) -> PoolGate {
        let mut gate = PoolGate::default();
        for (at, (event, expected)) in script.into_iter().enumerate() {
            let shown = format!("{at}: {event:?}");
            assert_eq!(words(&gate.handle(event)), expected, "{shown}");
        }
        gate
    }

    #[test]
    fn the_room_is_looked_at_as_often_as_is_told() {
        let mut gate = PoolGate::new(Duration::from_secs(7));
        assert_eq!(words(&gate.handle(GateEvent::Begun(Birth::First))), "LookAnyway in 7s");
        let looks = gate.handle(GateEvent::LookAnyway);
        assert!(looks.contains(&GateEffect::AskRoom), "{looks:?}");
        assert!(looks.contains(&GateEffect::After(Duration::from_secs(7), GateEvent::LookAnyway)), "{looks:?}");
    }

    #[test]
    fn resources_wait_for_their_pools_and_stay_in_order() {
        let gate = play(vec![
            (GateEvent::Begun(Birth::First), "LookAnyway in 180s"),
            (changed(&["ra"]), "ra"),
            (GateEvent::Pools(pools(&["ppp"])), "prepare 1 of 1, overdue 1 in 20s"),
            (GateEvent::Resources(Extent::Whole, vec![desired("rb", 1)]), ""),
            (changed(&["rc"]), ""),
            (prepared(1, &[("ppp", 7)]), "ppp has 7, all: rb, rc"),
            (GateEvent::TooLong(1), ""),
            (changed(&["rd"]), "rd"),
        ]);
        assert!(gate.is_idle());
    }

    #[test]
    fn pools_that_change_meanwhile_are_prepared_next_and_the_newest_only() {
        play(vec![
            (GateEvent::Pools(pools(&["ppp"])), "prepare 1 of 1, overdue 1 in 20s"),
            (GateEvent::Pools(pools(&["ppp", "qqq"])), ""),
            (GateEvent::Pools(pools(&["ppp", "qqq", "rrr"])), ""),
            (changed(&["ra"]), ""),
            (prepared(1, &[]), "prepare 2 of 3, overdue 2 in 20s"),
            (GateEvent::TooLong(1), ""),
            (prepared(1, &[]), ""),
            (prepared(2, &[]), "ra"),
        ]);
    }

    #[test]
    fn a_pool_that_hangs_holds_nobody_back_for_long() {
        let gate = play(vec![
            (GateEvent::Pools(pools(&["ppp"])), "prepare 1 of 1, overdue 1 in 20s"),
            (changed(&["ra"]), ""),
            (GateEvent::TooLong(1), "ra"),
            (changed(&["rb"]), "rb"),
            (GateEvent::Pools(pools(&["qqq"])), ""),
            (changed(&["rc"]), "rc"),
        ]);
        assert!(!gate.is_idle());
    }

    #[test]
    fn room_is_asked_once_for_a_burst_and_reported_when_it_differs_or_since_long() {
        let room = |free| GateEvent::Room(vec![pool_report("ppp", free), pool_report("qqq", 1)]);
        play(vec![
            (GateEvent::Touched, "Look in 200ms"),
            (GateEvent::Touched, ""),
            (GateEvent::Look, "ask"),
            (GateEvent::Touched, "Look in 200ms"),
            (room(5), "ppp has 5, qqq has 1"),
            (room(5), ""),
            (GateEvent::Look, "ask"),
            (room(4), "ppp has 4"),
            (GateEvent::LookAnyway, "ask, look around, LookAnyway in 180s"),
            (room(4), "ppp has 4, qqq has 1"),
            (GateEvent::Pools(pools(&["ppp"])), "prepare 1 of 1, overdue 1 in 20s"),
            (prepared(1, &[("ppp", 4)]), "ppp has 4"),
        ]);
    }

    #[test]
    fn who_begins_again_asks_for_everything() {
        play(vec![(GateEvent::Begun(Birth::Again), "resync, LookAnyway in 180s")]);
    }
}
