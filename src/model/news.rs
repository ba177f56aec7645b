//! What nodes have to be told after changes: the resources whose desired state differs, also by the master key having become
//! known, and the nodes whose own record does.

use std::collections::BTreeSet;

use super::change::Change;
use super::cluster::Cluster;
use super::derive::{desired_resource, is_news, snapshot_order};
use super::desired::{DesiredResource, Order};
use super::names::{NodeName, RscName};

/// What has to be told to nodes.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub struct News {
    /// Resources, by node.
    pub resources: Vec<(NodeName, DesiredResource)>,
    /// Nodes whose record changed, or that are gone.
    pub nodes: Vec<NodeName>,
    /// The properties that all nodes get changed.
    pub everybody: bool,
}

impl News {
    /// Whether nobody has to be told anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.nodes.is_empty() && !self.everybody
    }

    /// Adds what came later.
    pub fn extend(&mut self, later: News) {
        self.resources.extend(later.resources);
        self.nodes.extend(later.nodes);
        self.everybody |= later.everybody;
    }
}

/// Compares two states that differ by `changes`. The work depends on the records that changed.
pub fn news(before: &Cluster, after: &Cluster, changes: &[Change]) -> News {
    let mut news = News::default();
    let mut touched: BTreeSet<&RscName> = BTreeSet::new();
    for change in changes {
        match change {
            Change::Definition(name, _) => drop(touched.insert(name)),
            Change::Snapshot(key, _) => drop(touched.insert(&key.rsc)),
            Change::Node(name, _) => news.nodes.push(name.clone()),
            Change::Controller(_) => news.everybody = true,
            _ => {}
        }
    }
    if before.master_key.is_none() && after.master_key.is_some() {
        touched.extend(&after.encrypted);
    }
    for rsc in touched {
        for node in nodes_of(after, rsc) {
            let Some(desired) = desired_resource(after, rsc, node) else {
                continue;
            };
            let at = (rsc, node);
            let again = is_asked_again(before, after, at) || snapshot_is_asked_again(before, after, at);
            if again || is_news(desired_resource(before, rsc, node).as_ref(), &desired) {
                news.resources.push((node.clone(), desired));
            }
        }
    }
    news
}

/// Whether the node is to do once more what it was told before: what it says of an earlier order is not believed any more.
fn is_asked_again(before: &Cluster, after: &Cluster, (rsc, node): (&RscName, &NodeName)) -> bool {
    let Some((old, new)) = before.definitions.get(rsc).zip(after.definitions.get(rsc)) else {
        return false;
    };
    let pair = old.resources.get(node).zip(new.resources.get(node));
    pair.is_some_and(|(old, new)| new.ordered > old.ordered)
}

/// Whether the node is to remove a snapshot once more: a new order, whatever it was told before.
fn snapshot_is_asked_again(before: &Cluster, after: &Cluster, (rsc, node): (&RscName, &NodeName)) -> bool {
    after.snapshots_of(rsc).any(|new| {
        let removed = new.nodes.get(node).is_some_and(|part| snapshot_order(new, part) == Order::Remove);
        removed && before.snapshots.get(&new.key).is_some_and(|old| new.ordered > old.ordered)
    })
}

fn nodes_of<'a>(cluster: &'a Cluster, rsc: &'a RscName) -> BTreeSet<&'a NodeName> {
    let definition = cluster.definitions.get(rsc).into_iter();
    let with_resource = definition.flat_map(|definition| definition.resources.keys());
    let with_snapshot = cluster.snapshots_of(rsc).flat_map(|snapshot| snapshot.nodes.keys());
    with_resource.chain(with_snapshot).collect()
}
