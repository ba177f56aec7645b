//! Which nodes there shall be contact with, and how: brought in line with the committed cluster at each news. It makes no
//! contact itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::contact::{ContactEvent, Reach};
use crate::model::cluster::Cluster;
use crate::model::derive::is_connected_to;
use crate::model::desired::DesiredResource;
use crate::model::names::NodeName;
use crate::model::news::News;
use crate::model::node::Node;

/// What a process has to reach one node's satellite with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// The satellite is in the same process.
    Here,
    /// Links to other processes can be made.
    Links,
    /// Nothing: the process has no certificate for links.
    Nothing,
}

/// What the owner has to do. To be carried out in the order in which they were given.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum ContactsEffect {
    /// Begin contact with a node that there is none with.
    Begin(NodeName, Reach),
    /// End contact with the node, and close its link.
    End(NodeName),
    /// Give the event to the node's contact.
    Tell(NodeName, ContactEvent),
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Contacts {
    nodes: BTreeMap<NodeName, Reach>,
}

impl Contacts {
    /// Nodes with a contact, and how each is reached.
    #[must_use]
    pub fn nodes(&self) -> &BTreeMap<NodeName, Reach> {
        &self.nodes
    }

    /// Takes news in that `cluster`, the committed state, has. A first call for `everybody` begins all contacts.
    pub fn news(&mut self, news: News, cluster: &Cluster, means: impl Fn(&NodeName) -> Means) -> Vec<ContactsEffect> {
        let mut effects = Vec::new();
        let names: BTreeSet<NodeName> = match news.everybody {
            true => cluster.nodes.keys().chain(self.nodes.keys()).cloned().collect(),
            false => news.nodes.into_iter().collect(),
        };
        for name in names {
            let node = cluster.nodes.get(&name).filter(|node| is_connected_to(node));
            let wanted = node.map(|node| reach(node, means(&name)));
            self.align(name, wanted, &mut effects);
        }
        let mut by_node: BTreeMap<NodeName, Vec<DesiredResource>> = BTreeMap::new();
        for (node, desired) in news.resources {
            by_node.entry(node).or_default().push(desired);
        }
        let known = by_node.into_iter().filter(|(node, _)| self.nodes.contains_key(node));
        effects.extend(known.map(|(node, all)| ContactsEffect::Tell(node, ContactEvent::Apply(all))));
        effects
    }

    /// Brings the contact with one node in line with what is wanted.
    fn align(&mut self, name: NodeName, wanted: Option<Reach>, effects: &mut Vec<ContactsEffect>) {
        let known = self.nodes.get(&name).copied();
        if known.is_some() && known == wanted {
            effects.push(ContactsEffect::Tell(name, ContactEvent::Pools));
            return;
        }
        if self.nodes.remove(&name).is_some() {
            effects.push(ContactsEffect::End(name.clone()));
        }
        if let Some(reach) = wanted {
            self.nodes.insert(name.clone(), reach);
            effects.push(ContactsEffect::Begin(name, reach));
        }
    }
}

/// How the node's satellite is reached.
#[must_use]
pub fn reach(node: &Node, means: Means) -> Reach {
    let interface = node.active_interface.as_ref().and_then(|name| node.net_interfaces.get(name));
    let listens = interface.and_then(|interface| Some((interface.address, interface.satellite.as_ref()?.port)));
    match (means, listens) {
        (Means::Here, _) => Reach::Local,
        (_, None) => Reach::Nowhere("No interface of the node says where its satellite listens"),
        (Means::Nothing, _) => Reach::Nowhere("This process has no certificate for links to other processes"),
        (Means::Links, Some((address, port))) => Reach::Remote(SocketAddr::new(address, port)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::*;
    use crate::model::change::Change;
    use crate::model::derive::desired_resource;
    use crate::model::kinds::{EncryptionKind, NodeFlags};
    use crate::model::names::NetIfName;
    use crate::model::node::{NetInterface, SatellitePort};
    use crate::model::testkit::{cluster, node, rsc};

    /// Gives the node an interface with the last part of its address.
    fn listens(cluster: &mut Cluster, name: &str, last: u8) {
        let mut record = Node::clone(&cluster.nodes[&node(name)]);
        let interface = NetInterface {
            name: NetIfName::parse("default").expect("a legal name"),
            uuid: crate::model::moment::Uuid::default(),
            address: IpAddr::from([10, 0, 0, last]),
            satellite: Some(SatellitePort { port: 3366, encryption: EncryptionKind::Plain }),
        };
        record.active_interface = Some(interface.name.clone());
        record.net_interfaces.insert(interface.name.clone(), interface);
        cluster.apply(&Change::Node(node(name), Some(Arc::new(record))));
    }

    fn of_nodes(names: &[&str]) -> News {
        News { nodes: names.iter().map(|name| node(name)).collect(), ..News::default() }
    }

    fn everybody() -> News {
        News { everybody: true, ..News::default() }
    }

    fn words(effects: Vec<ContactsEffect>) -> Vec<String> {
        let word = |effect| match effect {
            ContactsEffect::Begin(node, Reach::Remote(address)) => format!("begin {node} {address}"),
            ContactsEffect::Begin(node, Reach::Local) => format!("begin {node} here"),
            ContactsEffect::Begin(node, Reach::Nowhere(_)) => format!("begin {node} nowhere"),
            ContactsEffect::End(node) => format!("end {node}"),
            ContactsEffect::Tell(node, ContactEvent::Pools) => format!("{node} pools"),
            ContactsEffect::Tell(node, ContactEvent::Apply(all)) => {
                format!("{node} apply{}", all.iter().map(|one| format!(" {}", one.rsc)).collect::<String>())
            }
            ContactsEffect::Tell(node, event) => format!("{node} {event:?}"),
        };
        effects.into_iter().map(word).collect()
    }

    /// `alpha` is here, everybody else has to be dialled.
    fn means(name: &NodeName) -> Means {
        if *name == node("alpha") { Means::Here } else { Means::Links }
    }

    #[test]
    fn a_node_is_reached_as_the_process_can() {
        let mut cluster = cluster("node open\nnode shut");
        listens(&mut cluster, "open", 9);
        let remote = Reach::Remote(SocketAddr::from(([10, 0, 0, 9], 3366)));
        let table = [
            ("open", Means::Here, Some(Reach::Local)),
            ("shut", Means::Here, Some(Reach::Local)),
            ("open", Means::Links, Some(remote)),
            ("shut", Means::Links, None),
            ("open", Means::Nothing, None),
            ("shut", Means::Nothing, None),
        ];
        for (name, means, wanted) in table {
            let found = reach(&cluster.nodes[&node(name)], means);
            let found = if matches!(found, Reach::Nowhere(_)) { None } else { Some(found) };
            assert_eq!(found, wanted, "{name} {means:?}");
        }
    }

    #[test]
    fn contacts_follow_the_cluster() {
        let mut state = cluster("node alpha\nnode beta\nnode gamma evicted\nnode delta kind=AUXILIARY");
        listens(&mut state, "beta", 2);
        let mut contacts = Contacts::default();
        assert_eq!(words(contacts.news(everybody(), &state, means)), ["begin alpha here", "begin beta 10.0.0.2:3366"]);
        assert_eq!(words(contacts.news(of_nodes(&["beta", "gamma"]), &state, means)), ["beta pools"]);
        listens(&mut state, "beta", 3);
        let moved = ["end beta", "begin beta 10.0.0.3:3366"];
        assert_eq!(words(contacts.news(of_nodes(&["beta"]), &state, means)), moved);
        state.apply(&Change::Node(node("alpha"), None));
        assert_eq!(words(contacts.news(of_nodes(&["alpha"]), &state, means)), ["end alpha"]);
        assert_eq!(contacts.nodes().keys().collect::<Vec<_>>(), [&node("beta")]);
    }

    #[test]
    fn eviction_ends_contact_and_a_return_begins_it() {
        let mut state = cluster("node alpha");
        let mut contacts = Contacts::default();
        let _ = contacts.news(everybody(), &state, means);
        let mut record = Node::clone(&state.nodes[&node("alpha")]);
        for (flags, wanted) in [(NodeFlags::EVICTED, "end alpha"), (NodeFlags::NONE, "begin alpha here")] {
            record.flags = flags;
            state.apply(&Change::Node(node("alpha"), Some(Arc::new(record.clone()))));
            assert_eq!(words(contacts.news(of_nodes(&["alpha"]), &state, means)), [wanted]);
        }
    }

    #[test]
    fn a_node_is_told_of_its_pools_once_however_often_it_is_named() {
        let state = cluster("node alpha");
        let mut contacts = Contacts::default();
        let _ = contacts.news(everybody(), &state, means);
        assert_eq!(words(contacts.news(everybody(), &state, means)), ["alpha pools"]);
        assert_eq!(words(contacts.news(of_nodes(&["alpha", "alpha"]), &state, means)), ["alpha pools"]);
    }

    #[test]
    fn resources_go_to_contacts_there_are_and_to_each_in_one_message() {
        let state = cluster(
            "node alpha\npool alpha data FILE_THIN 5/9\nnode beta\npool beta data FILE_THIN 5/9\n\
             rsc api 1 alpha/data\nrsc web 1 alpha/data beta/data",
        );
        let told = |name: &str, on: &str| {
            (node(on), desired_resource(&state, &rsc(name), &node(on)).expect("it stands there"))
        };
        let mut contacts = Contacts::default();
        let _ = contacts.news(of_nodes(&["alpha"]), &state, means);
        let resources = vec![told("web", "alpha"), told("web", "beta"), told("api", "alpha")];
        let news = News { resources, ..News::default() };
        assert_eq!(words(contacts.news(news, &state, means)), ["alpha apply web api"]);
    }
}
