//! What is probably there, by what was asked for so far. Wrong guesses are welcome: they are refused.

use std::collections::VecDeque;

use crate::simulation::random::Random;

/// Names that are used, few, so that they are used again.
const DEFINITIONS: [&str; 7] = ["web", "db", "Mail", "pvc-1", "pvc-2", "log", "tmp"];
const SNAPSHOTS: [&str; 4] = ["s1", "s2", "before", "daily"];
const GROUPS: [&str; 3] = ["fast", "safe", "wide"];
/// Chance in thousandths that something is asked of what is probably not there, or made where it probably is.
const ODD: u64 = 120;

/// See the module.
pub struct Guess {
    pub nodes: Vec<String>,
    pub definitions: Vec<String>,
    pub snapshots: Vec<(String, String)>,
    pub groups: Vec<String>,
    /// Requests that belong to an earlier one, and come some time after it.
    pub later: VecDeque<String>,
}

impl Guess {
    pub fn new(nodes: u8) -> Self {
        let nodes = (1..=nodes).map(|number| format!("n{number}")).collect();
        Self { nodes, definitions: Vec::new(), snapshots: Vec::new(), groups: Vec::new(), later: VecDeque::new() }
    }

    pub fn node(&self, random: &mut Random) -> String {
        if random.permille(10) { "n99".to_owned() } else { random.pick(&self.nodes).clone() }
    }

    /// One that is there.
    pub fn definition(&self, random: &mut Random) -> String {
        if self.definitions.is_empty() || random.permille(ODD) {
            return (*random.pick(&DEFINITIONS)).to_owned();
        }
        random.pick(&self.definitions).clone()
    }

    /// One that is not there; it is from now on.
    pub fn new_definition(&mut self, random: &mut Random) -> String {
        let free: Vec<&str> =
            DEFINITIONS.iter().copied().filter(|name| !self.definitions.iter().any(|known| known == name)).collect();
        let name = match free.is_empty() || random.permille(ODD) {
            true => *random.pick(&DEFINITIONS),
            false => *random.pick(&free),
        };
        if !self.definitions.iter().any(|known| known == name) {
            self.definitions.push(name.to_owned());
        }
        name.to_owned()
    }

    pub fn forget_definition(&mut self, name: &str) {
        self.definitions.retain(|known| known != name);
    }

    pub fn snapshot(&self, random: &mut Random) -> (String, String) {
        if self.snapshots.is_empty() || random.permille(ODD) {
            return (self.definition(random), (*random.pick(&SNAPSHOTS)).to_owned());
        }
        random.pick(&self.snapshots).clone()
    }

    pub fn new_snapshot(&mut self, random: &mut Random) -> (String, String) {
        let pair = (self.definition(random), (*random.pick(&SNAPSHOTS)).to_owned());
        if !self.snapshots.contains(&pair) {
            self.snapshots.push(pair.clone());
        }
        pair
    }

    pub fn forget_snapshot(&mut self, pair: &(String, String)) {
        self.snapshots.retain(|known| known != pair);
    }

    pub fn group(&self, random: &mut Random) -> String {
        if self.groups.is_empty() || random.permille(400) {
            return "DfltRscGrp".to_owned();
        }
        random.pick(&self.groups).clone()
    }

    pub fn any_group(&mut self, random: &mut Random) -> String {
        let name = *random.pick(&GROUPS);
        if !self.groups.iter().any(|known| known == name) {
            self.groups.push(name.to_owned());
        }
        name.to_owned()
    }
}
