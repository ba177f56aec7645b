//! Of which cluster a standalone's data folder is: of this machine's node or of a simulation. Says no before anything is
//! mounted or made when it is of another one; never changes what the folder holds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StartError;
use super::simulated::POOL_FOLDER as SIMULATED_POOL;
use crate::model::cluster::Cluster;
use crate::model::names::NodeName;

/// Beside the store's file.
const FILE: &str = "standalone.json";

/// Whose a folder is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A node with volumes on this machine.
    Node(NodeName),
    /// Simulated nodes.
    Simulation,
}

/// The folder of a standalone that is about to start.
pub struct DataFolder {
    folder: PathBuf,
    owner: Owner,
}

impl DataFolder {
    /// The folder that the store's file lies in.
    pub fn of_store(store: &Path, owner: Owner) -> Self {
        Self { folder: store.parent().unwrap_or(Path::new(".")).to_owned(), owner }
    }

    /// Whether the cluster that was found in it is this start's: an empty one is everybody's.
    ///
    /// # Errors
    /// It is another one's.
    pub fn check(&self, found: &Cluster) -> Result<(), StartError> {
        let Some(owner) = (!found.nodes.is_empty()).then(|| self.owner_of(found)) else {
            return Ok(());
        };
        match (&owner, &self.owner) {
            (former, new) if former == new => Ok(()),
            (Owner::Simulation, Owner::Node(_)) => {
                let how = "continue the simulation with --simulated-nodes (make run SIMULATED=n)";
                Err(self.refusal("holds a simulated cluster, whose nodes have no volumes", how))
            }
            (Owner::Node(node), Owner::Simulation) => {
                let cause = format!("holds a cluster with real volumes, of node '{node}'");
                Err(self.refusal(&cause, "start it without --simulated-nodes (make run without SIMULATED)"))
            }
            (Owner::Node(node), Owner::Node(new)) => {
                let cause = format!("is that of node '{node}', and this start is of node '{new}'");
                let how = format!("give the node its name: [node] name = \"{node}\", or ZEA_NODE__NAME={node}");
                Err(self.refusal(&cause, &how))
            }
            (Owner::Simulation, Owner::Simulation) => Ok(()),
        }
    }

    /// What a controller that starts alone on the folder of a standalone has to be told.
    pub fn word_to_controller(store: &Path, port: u16) -> Option<String> {
        match Self::of_store(store, Owner::Simulation).remembered()? {
            Owner::Node(node) => Some(format!(
                "This store was a standalone's: its node '{node}' stays offline until a satellite of its own is named with \
                 zea node interface modify {node} default --port {port}"
            )),
            Owner::Simulation => Some(
                "This store is that of a simulated cluster: its nodes are online only with zead standalone \
                 --simulated-nodes N"
                    .to_owned(),
            ),
        }
    }

    /// Remembers whose the folder is from now on.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn remember(&self) -> Result<(), StartError> {
        let path = self.folder.join(FILE);
        if self.remembered().as_ref() == Some(&self.owner) {
            return Ok(());
        }
        let text = serde_json::to_vec(&self.owner).expect("names and words are JSON");
        std::fs::write(&path, text).map_err(StartError::io(format!("writing {}", path.display())))
    }

    fn remembered(&self) -> Option<Owner> {
        let text = std::fs::read(self.folder.join(FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// As was remembered. A folder that was filled by an import, or half a start, tells by what is in it.
    fn owner_of(&self, found: &Cluster) -> Owner {
        let simulated = || found.nodes.values().any(|node| node.pools.values().any(|p| p.backing() == SIMULATED_POOL));
        let own = || match &self.owner {
            Owner::Node(name) if found.nodes.contains_key(name) => Some(self.owner.clone()),
            _ => found.nodes.keys().next().cloned().map(Owner::Node),
        };
        self.remembered()
            .or_else(|| simulated().then_some(Owner::Simulation))
            .or_else(own)
            .unwrap_or_else(|| self.owner.clone())
    }

    fn refusal(&self, cause: &str, how: &str) -> StartError {
        StartError::Machine {
            message: format!("The data folder {} is not this start's", self.folder.display()),
            cause: format!("it {cause}"),
            cure: format!("Choose another data folder (make run DATA=folder, or ZEA_NODE__DATA), or {how}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testkit;

    const REAL: &str = "node vm\nnode far\npool vm local FILE_THIN 5/9 StorDriver/StorPoolName=/data/pool";
    const SIMULATED: &str = "node sim-1\npool sim-1 local FILE_THIN 5/9 StorDriver/StorPoolName=/simulated";

    fn of(folder: &Path, owner: Owner) -> DataFolder {
        DataFolder::of_store(&folder.join("zea.redb"), owner)
    }

    fn node(name: &str) -> Owner {
        Owner::Node(testkit::node(name))
    }

    #[track_caller]
    fn refused(start: &DataFolder, found: &Cluster, words: [&str; 3]) {
        let text = start.check(found).expect_err("another's folder").to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert!(text.contains("cause:") && text.contains("DATA=folder"), "{text}");
    }

    #[test]
    fn what_is_remembered_counts_whatever_the_records_look_like() {
        let place = tempfile::tempdir().unwrap();
        let (real, simulated) = (testkit::cluster(REAL), testkit::cluster(SIMULATED));
        of(place.path(), node("vm")).remember().unwrap();
        assert!(of(place.path(), node("VM")).check(&real).is_ok(), "names have no case");
        refused(&of(place.path(), Owner::Simulation), &real, ["real volumes", "'vm'", "without"]);
        refused(&of(place.path(), node("far")), &real, ["'vm'", "'far'", "ZEA_NODE__NAME=vm"]);
        of(place.path(), Owner::Simulation).remember().unwrap();
        assert!(of(place.path(), Owner::Simulation).check(&simulated).is_ok());
        refused(&of(place.path(), node("sim-1")), &simulated, ["simulated", "SIMULATED=n", "data folder"]);
    }

    #[test]
    fn a_folder_that_remembers_nothing_is_judged_by_its_records() {
        let place = tempfile::tempdir().unwrap();
        let (real, simulated) = (testkit::cluster(REAL), testkit::cluster(SIMULATED));
        assert!(of(place.path(), node("far")).check(&real).is_ok());
        refused(&of(place.path(), node("third")), &real, ["node", "'third'", "ZEA_NODE__NAME"]);
        refused(&of(place.path(), Owner::Simulation), &real, ["real volumes", "node", "without"]);
        refused(&of(place.path(), node("vm")), &simulated, ["simulated", "SIMULATED=n", "data folder"]);
    }

    #[test]
    fn a_controller_is_told_whose_store_it_takes_over() {
        let place = tempfile::tempdir().unwrap();
        let store = place.path().join("zea.redb");
        let word = || DataFolder::word_to_controller(&store, 3367);
        assert_eq!(word(), None, "a controller's own store");
        of(place.path(), node("vm")).remember().unwrap();
        assert!(word().unwrap().contains("zea node interface modify vm default --port 3367"));
        of(place.path(), Owner::Simulation).remember().unwrap();
        assert!(word().unwrap().contains("--simulated-nodes"));
    }

    #[test]
    fn an_empty_cluster_is_everybodys() {
        let place = tempfile::tempdir().unwrap();
        of(place.path(), Owner::Simulation).remember().unwrap();
        assert!(of(place.path(), node("vm")).check(&Cluster::default()).is_ok());
        std::fs::write(place.path().join(FILE), "{").unwrap();
        assert!(of(place.path(), node("vm")).check(&testkit::cluster(REAL)).is_ok(), "what is unreadable says nothing");
    }
}
