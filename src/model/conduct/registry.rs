//! Knows the newest desired state of every resource of a node. An older generation never replaces a newer one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::Birth;
use crate::model::desired::DesiredResource;
use crate::model::names::RscName;
use crate::model::plan::BackingId;

/// Resources that are gone and still remembered: more than can be told of in messages that are on their way at once.
pub const ENDED_KEPT: usize = 1024;

/// Whether resources are all of a node or those that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All that the node takes part in. Others are left alone: what is there of them stays, and is not worked on.
    Whole,
    /// Those that changed.
    Changed,
}

/// A desired state as it is told to the resource's passes.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What is wanted.
    pub desired: Arc<DesiredResource>,
    /// Rises with each telling: names this one among all of a registry.
    pub number: u64,
}

/// What happens to the registry.
#[derive(Debug, Clone, PartialEq)]
pub enum RegistryEvent {
    /// First event of all.
    Begun(Birth),
    /// Resources, in the order in which they were told.
    Apply(Extent, Vec<DesiredResource>),
    /// The resource's passes were started anew and know nothing.
    Resend(RscName),
    /// Backing objects of these names have changed without us: their resources shall have a pass.
    Changed(Vec<String>),
    /// Nothing of the resource is left, as the desired state of this number wants.
    Finished(RscName, u64),
}

/// What the registry wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum RegistryEffect {
    /// Tell the resource's passes, which are begun if they are not there. The same number again asks for another pass.
    Tell(Told),
    /// End the resource's passes.
    End(RscName),
    /// Ask the controller for everything.
    Resync,
}

/// The resources of the node.
#[derive(Debug, Default)]
pub struct Registry {
    known: BTreeMap<RscName, Told>,
    told: u64,
    /// Generations of those that are gone: what was told of them before and comes later would make them anew.
    ended: BTreeMap<RscName, u64>,
    /// Their names, oldest first.
    ended_order: VecDeque<RscName>,
}

impl Registry {
    /// Takes one event.
    #[must_use]
    pub fn handle(&mut self, event: RegistryEvent) -> Vec<RegistryEffect> {
        match event {
            RegistryEvent::Begun(Birth::First) => Vec::new(),
            // What is wanted is forgotten.
            RegistryEvent::Begun(Birth::Again) => vec![RegistryEffect::Resync],
            RegistryEvent::Apply(extent, resources) => {
                let mut effects = match extent {
                    Extent::Whole => self.leave_alone(&resources),
                    Extent::Changed => Vec::new(),
                };
                effects.extend(resources.into_iter().filter_map(|desired| self.apply(desired)));
                effects
            }
            RegistryEvent::Resend(rsc) => self.known.get(&rsc).cloned().map(RegistryEffect::Tell).into_iter().collect(),
            RegistryEvent::Changed(ids) => {
                let ids: BTreeSet<String> = ids.into_iter().collect();
                let concerned = self.known.values().filter(|told| has_one_of(&told.desired, &ids));
                concerned.cloned().map(RegistryEffect::Tell).collect()
            }
            RegistryEvent::Finished(rsc, number) => {
                let Some(told) = self.known.get(&rsc).filter(|told| told.number == number) else {
                    return Vec::new();
                };
                let generation = told.desired.generation;
                self.known.remove(&rsc);
                self.remember_end(rsc.clone(), generation);
                vec![RegistryEffect::End(rsc)]
            }
        }
    }

    /// The desired states that are worked on, by name.
    pub fn known(&self) -> impl Iterator<Item = &Arc<DesiredResource>> {
        self.known.values().map(|told| &told.desired)
    }

    fn apply(&mut self, desired: DesiredResource) -> Option<RegistryEffect> {
        let known = self.known.get(&desired.rsc).map(|told| told.desired.generation);
        let newest = known.or_else(|| self.ended.get(&desired.rsc).copied());
        if newest.is_some_and(|newest| desired.is_older_than(newest)) {
            return None;
        }
        self.told += 1;
        let told = Told { desired: Arc::new(desired), number: self.told };
        self.known.insert(told.desired.rsc.clone(), told.clone());
        Some(RegistryEffect::Tell(told))
    }

    fn remember_end(&mut self, rsc: RscName, generation: u64) {
        if self.ended.insert(rsc.clone(), generation).is_some() {
            return;
        }
        self.ended_order.push_back(rsc);
        if self.ended_order.len() > ENDED_KEPT {
            let oldest = self.ended_order.pop_front();
            oldest.and_then(|oldest| self.ended.remove(&oldest));
        }
    }

    /// Forgets those that are not named.
    fn leave_alone(&mut self, named: &[DesiredResource]) -> Vec<RegistryEffect> {
        let named: BTreeSet<&RscName> = named.iter().map(|desired| &desired.rsc).collect();
        let others: Vec<RscName> = self.known.keys().filter(|rsc| !named.contains(rsc)).cloned().collect();
        for rsc in &others {
            self.known.remove(rsc);
        }
        others.into_iter().map(RegistryEffect::End).collect()
    }
}

fn has_one_of(desired: &DesiredResource, ids: &BTreeSet<String>) -> bool {
    desired.volumes.iter().any(|volume| {
        let id = BackingId::of(&desired.rsc, volume.number, volume.override_id.as_deref());
        id.is_ok_and(|id| ids.contains(id.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::conduct::tests::desired;
    use crate::model::desired::GENERATION_COUNTER_BITS;

    fn words(effects: &[RegistryEffect]) -> String {
        let word = |effect: &RegistryEffect| match effect {
            RegistryEffect::Tell(told) => format!("{}.{} #{}", told.desired.rsc, told.desired.generation, told.number),
            RegistryEffect::End(rsc) => format!("end {rsc}"),
            RegistryEffect::Resync => "resync".to_owned(),
        };
        effects.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    /// `name.generation` each.
    fn apply(extent: Extent, resources: &[(&str, u64)]) -> RegistryEvent {
        RegistryEvent::Apply(extent, resources.iter().map(|(name, generation)| desired(name, *generation)).collect())
    }

    fn finished(name: &str, number: u64) -> RegistryEvent {
        RegistryEvent::Finished(desired(name, 0).rsc, number)
    }

    fn play(script: Vec<(RegistryEvent, &str)>) {
        let mut registry = Registry::default();
        for (at, (event, expected)) in script.into_iter().enumerate() {
            let shown = format!("{at}: {event:?}");
            assert_eq!(words(&registry.handle(event)), expected, "{shown}");
        }
    }

    #[test]
    fn an_older_generation_changes_nothing() {
        play(vec![
            (RegistryEvent::Begun(Birth::First), ""),
            (apply(Extent::Changed, &[("web", 5), ("db", 1)]), "web.5 #1, db.1 #2"),
            (apply(Extent::Changed, &[("web", 4)]), ""),
            (apply(Extent::Whole, &[("web", 4), ("db", 1)]), "db.1 #3"),
            (apply(Extent::Changed, &[("WEB", 6)]), "WEB.6 #4"),
        ]);
    }

    #[test]
    fn another_definition_of_the_name_is_heard_whatever_its_number() {
        let (first, second) = (7 << GENERATION_COUNTER_BITS, 3 << GENERATION_COUNTER_BITS);
        let expected = [format!("web.{} #1", first + 9), format!("web.{} #2", second + 1)];
        play(vec![
            (apply(Extent::Changed, &[("web", first + 9)]), &expected[0]),
            (apply(Extent::Changed, &[("web", second + 1)]), &expected[1]),
        ]);
    }

    #[test]
    fn finished_ones_leave_unless_they_are_wanted_again() {
        play(vec![
            (apply(Extent::Changed, &[("web", 1)]), "web.1 #1"),
            (apply(Extent::Changed, &[("web", 2)]), "web.2 #2"),
            (finished("web", 1), ""),
            (finished("web", 2), "end web"),
            (finished("web", 2), ""),
            (apply(Extent::Changed, &[("web", 1)]), ""),
            (apply(Extent::Changed, &[("web", 2)]), "web.2 #3"),
            (finished("web", 3), "end web"),
            (apply(Extent::Changed, &[("web", 3)]), "web.3 #4"),
        ]);
    }

    #[test]
    fn so_many_are_remembered_as_gone() {
        let mut registry = Registry::default();
        let name = |at: usize| format!("r{at}");
        for at in 0..=ENDED_KEPT {
            let _ = registry.handle(apply(Extent::Changed, &[(&name(at), 5)]));
            let _ = registry.handle(finished(&name(at), at as u64 + 1));
        }
        let late = |registry: &mut Registry, at| registry.handle(apply(Extent::Changed, &[(&name(at), 4)])).len();
        assert_eq!((late(&mut registry, 1), late(&mut registry, ENDED_KEPT)), (0, 0));
        assert_eq!(late(&mut registry, 0), 1, "the oldest is forgotten");
    }

    #[test]
    fn what_a_whole_set_does_not_name_is_worked_on_no_more() {
        play(vec![
            (apply(Extent::Whole, &[("ra", 1), ("rb", 1), ("rc", 1)]), "ra.1 #1, rb.1 #2, rc.1 #3"),
            (apply(Extent::Changed, &[("rb", 2)]), "rb.2 #4"),
            (apply(Extent::Whole, &[("rb", 2)]), "end ra, end rc, rb.2 #5"),
            (RegistryEvent::Resend(desired("ra", 0).rsc), ""),
            (RegistryEvent::Resend(desired("rb", 0).rsc), "rb.2 #5"),
        ]);
    }

    #[test]
    fn what_has_changed_without_us_gets_another_pass() {
        let with_volume = |name: &str, override_id: Option<&str>| {
            let mut desired = desired(name, 1);
            desired.volumes.push(crate::model::conduct::tests::volume(override_id));
            desired
        };
        let all = vec![with_volume("web", None), with_volume("db", Some("old")), desired("bare", 1)];
        let changed = |ids: &[&str]| RegistryEvent::Changed(ids.iter().map(|id| (*id).to_owned()).collect());
        play(vec![
            (RegistryEvent::Apply(Extent::Changed, all), "web.1 #1, db.1 #2, bare.1 #3"),
            (changed(&["web_00000", "other_00000"]), "web.1 #1"),
            (changed(&["old", "db_00000"]), "db.1 #2"),
            (changed(&["web_00001", "bare_00000"]), ""),
        ]);
    }

    #[test]
    fn who_begins_again_asks_for_everything() {
        play(vec![(RegistryEvent::Begun(Birth::Again), "resync")]);
    }
}
