//! Reads never go back in time: neither a definition that readers saw grows younger, nor does one that was gone come back,
//! whatever crashes.

use std::collections::{BTreeMap, BTreeSet};

use zea::model::cluster::Cluster;
use zea::model::moment::Uuid;

/// See the module.
#[derive(Default)]
pub struct Reads {
    last: Cluster,
    gone: BTreeSet<Uuid>,
}

impl Reads {
    pub fn published(&mut self, shown: &Cluster, tainted: &BTreeSet<String>) -> Result<(), String> {
        if self.last.definitions.ptr_eq(&shown.definitions) {
            return Ok(());
        }
        let found = self.compare(shown, tainted);
        self.last = shown.clone();
        found
    }

    fn compare(&mut self, shown: &Cluster, tainted: &BTreeSet<String>) -> Result<(), String> {
        let known: BTreeMap<Uuid, u64> = shown.definitions.values().map(|new| (new.uuid, new.generation)).collect();
        for (name, old) in self.last.definitions.iter().filter(|(name, _)| !tainted.contains(&name.key())) {
            match known.get(&old.uuid) {
                None => drop(self.gone.insert(old.uuid)),
                Some(generation) if *generation < old.generation => {
                    return Err(format!("{name} went back from generation {} to {generation}", old.generation));
                }
                Some(_) => {}
            }
        }
        match shown.definitions.values().find(|new| self.gone.contains(&new.uuid)) {
            Some(back) => Err(format!("{} was gone and is back", back.name)),
            None => Ok(()),
        }
    }
}
