//! Nodes and their network interfaces as tables.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Page, UNKNOWN, moment};
use crate::cli::grid::{Grid, Text, Tone};
use crate::protocols::rest::node::{NetInterface, Node};

const NO_NODES: &str = "There are no nodes. zea node create NAME ADDRESS registers one.";

/// What a Zea's controller calls the satellite of its own process, and what its simulated ones begin with.
const OWN_SATELLITE: &str = "satellite";
const SIMULATED: &str = "simulated/";

/// An actor of the controller's process.
#[derive(Debug, Deserialize)]
pub struct ActorPath {
    path: String,
}

/// How a controller reaches a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// As the API says: the controller is not Zea's.
    AsTold,
    /// Zea's own processes always authenticate each other.
    MutualTls,
    /// The node's satellite is an actor beside the controller.
    SameProcess,
}

/// The list of nodes, of which nothing more is known.
pub fn nodes_alone(json: &str) -> Result<Page, serde_json::Error> {
    Ok(nodes(&serde_json::from_str::<Vec<Node>>(json)?, None))
}

/// The list of nodes. `actors` are those of the controller's process, if it is Zea's.
pub fn nodes(nodes: &[Node], actors: Option<&[ActorPath]>) -> Page {
    let mut grid = Grid::new(&["Node", "Type", "Addresses", "State"]);
    for node in nodes {
        let link = link(node, actors);
        let addresses: Vec<String> = node.net_interfaces.iter().map(|interface| address(interface, link)).collect();
        grid.row([
            Text::from(&node.name),
            Text::from(&node.kind),
            if addresses.is_empty() { UNKNOWN.into() } else { addresses.join("\n").into() },
            state(node),
        ]);
    }
    Page::table(grid, NO_NODES)
}

fn link(node: &Node, actors: Option<&[ActorPath]>) -> Link {
    let Some(actors) = actors else { return Link::AsTold };
    let has = |path: &str| actors.iter().any(|actor| actor.path == path);
    let simulated = has(&format!("{SIMULATED}{}", node.name));
    // A standalone has no link: whoever is online there is beside it.
    let beside = has(OWN_SATELLITE) && node.connection_status == "ONLINE";
    if simulated || beside { Link::SameProcess } else { Link::MutualTls }
}

fn address(interface: &NetInterface, link: Link) -> String {
    let host =
        if interface.address.contains(':') { format!("[{}]", interface.address) } else { interface.address.clone() };
    let Some(port) = interface.satellite_port else { return interface.address.clone() };
    match (link, interface.satellite_encryption_type.as_str()) {
        (Link::AsTold, "") => format!("{host}:{port}"),
        (Link::AsTold, told) => format!("{host}:{port} ({told})"),
        (Link::MutualTls, _) => format!("{host}:{port} (mutual TLS)"),
        (Link::SameProcess, _) => format!("{} (same process)", interface.address),
    }
}

fn state(node: &Node) -> Text {
    let mut words = vec![node.connection_status.clone()];
    // An evicted node is marked for deletion as well; the first word says it all.
    let evicted = node.flags.iter().any(|flag| flag == "EVICTED");
    words.extend(node.flags.iter().filter(|flag| !(evicted && *flag == "DELETE")).cloned());
    let tone = match node.connection_status.as_str() {
        _ if evicted => Tone::Bad,
        "ONLINE" if node.flags.is_empty() => Tone::Good,
        "ONLINE" | "CONNECTED" | "UNKNOWN" => Tone::Odd,
        _ => Tone::Bad,
    };
    if let Some(at) = node.eviction_timestamp {
        words.push(format!("to be evicted at {}", moment(at)));
    }
    Text::toned(words.join("\n"), tone)
}

/// What nodes can hold and build, and why not more.
pub fn node_info(json: &str) -> Result<Page, serde_json::Error> {
    let nodes: Vec<Node> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Node", "Storage pools", "Layers"]);
    let mut lines = Vec::new();
    for node in &nodes {
        let list = |words: &[String]| if words.is_empty() { UNKNOWN.to_owned() } else { words.join("\n") };
        grid.row([Text::from(&node.name), list(&node.storage_providers).into(), list(&node.resource_layers).into()]);
        lines.extend(reasons(&node.name, "storage pools", &node.unsupported_providers));
        lines.extend(reasons(&node.name, "layers", &node.unsupported_layers));
    }
    Ok(Page { lines, ..Page::table(grid, NO_NODES) })
}

fn reasons(node: &str, what: &str, unsupported: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    if unsupported.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), format!("{node} cannot have these {what}:")];
    let width = unsupported.keys().map(String::len).max().unwrap_or(0);
    for (kind, reasons) in unsupported {
        lines.push(format!("  {kind:<width$}  {}", reasons.join("; ")));
    }
    lines
}

/// A node's network interfaces.
pub fn interfaces(json: &str) -> Result<Page, serde_json::Error> {
    let interfaces: Vec<NetInterface> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Interface", "Address", "Satellite's port", "Encryption", "Active"]);
    for interface in &interfaces {
        grid.row([
            Text::from(&interface.name),
            Text::from(&interface.address),
            interface.satellite_port.map_or(UNKNOWN.into(), Text::from),
            super::text_or_unknown(&interface.satellite_encryption_type),
            if interface.is_active { "yes" } else { "no" }.into(),
        ]);
    }
    Ok(Page::table(grid, "The node has no network interfaces."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{assert_row, drawn};
    use super::*;

    // Origin: made by hand after the fields of a node in the REST facts.
    const NODES: &str = r#"[
        {"name":"alpha","type":"SATELLITE","connection_status":"ONLINE","net_interfaces":[{"name":"default",
         "address":"10.0.0.1","satellite_port":3366,"satellite_encryption_type":"SSL","is_active":true},
         {"name":"v6","address":"fd00::1","is_active":false}],
         "storage_providers":["DISKLESS","FILE_THIN"],"resource_layers":["STORAGE"],
         "unsupported_providers":{"LVM":["lvs is not installed"],"LVM_THIN":["lvs is not installed","no dm-thin"]},
         "unsupported_layers":{"DRBD":["the kernel has no DRBD"]}},
        {"name":"beta","type":"COMBINED","connection_status":"OFFLINE","flags":["EVICTED","DELETE"]}]"#;

    #[test]
    fn a_list_of_nodes() {
        let text = drawn(nodes_alone, NODES);
        assert_row(&text, &["alpha", "SATELLITE", "10.0.0.1:3366 (SSL)", "ONLINE"]);
        assert_row(&text, &["", "", "fd00::1", ""]);
        assert_row(&text, &["beta", "COMBINED", "-", "OFFLINE"]);
        assert_row(&text, &["", "", "", "EVICTED"]);
        assert!(!text.contains("DELETE"), "{text}");
        assert_eq!(drawn(nodes_alone, "[]"), NO_NODES);
        assert!(nodes_alone("{}").is_err());
    }

    #[test]
    fn zeas_own_nodes_are_reached_by_mutual_tls_or_not_at_all() {
        let node = |name: &str, status: &str| {
            let told = json!({"name":name,"type":"SATELLITE","connection_status":status,"net_interfaces":[
                {"name":"default","address":"fd00::1","satellite_port":3367,"satellite_encryption_type":"PLAIN"},
                {"name":"other","address":"10.0.0.1"}]});
            serde_json::from_value::<Node>(told).unwrap()
        };
        let online = node("sim-1", "ONLINE");
        let shown = |node: &Node, actors: Option<&[&str]>| {
            let path = |path: &&str| ActorPath { path: (*path).to_owned() };
            let actors: Option<Vec<ActorPath>> = actors.map(|actors| actors.iter().map(path).collect());
            let link = link(node, actors.as_deref());
            node.net_interfaces.iter().map(|one| address(one, link)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&online, None), ["[fd00::1]:3367 (PLAIN)", "10.0.0.1"]);
        assert_eq!(shown(&online, Some(&["controller"])), ["[fd00::1]:3367 (mutual TLS)", "10.0.0.1"]);
        assert_eq!(shown(&online, Some(&["satellite"])), ["fd00::1 (same process)", "10.0.0.1"]);
        assert_eq!(shown(&node("x", "OFFLINE"), Some(&["satellite"]))[0], "[fd00::1]:3367 (mutual TLS)");
        assert_eq!(shown(&node("sim-1", "OFFLINE"), Some(&["simulated/sim-1"]))[0], "fd00::1 (same process)");
        assert_eq!(shown(&online, Some(&["simulated/sim-10"]))[0], "[fd00::1]:3367 (mutual TLS)");
    }

    #[test]
    fn what_a_node_cannot_do_has_reasons() {
        let text = drawn(node_info, NODES);
        assert_row(&text, &["alpha", "DISKLESS", "STORAGE"]);
        assert!(text.contains("alpha cannot have these storage pools:\n  LVM       lvs is not installed\n"), "{text}");
        assert!(text.contains("  LVM_THIN  lvs is not installed; no dm-thin\n"), "{text}");
        assert!(text.contains("alpha cannot have these layers:\n  DRBD  the kernel has no DRBD"), "{text}");
    }

    #[test]
    fn addresses_of_a_node() {
        let json = r#"[{"name":"default","address":"10.0.0.1","satellite_port":3366,"satellite_encryption_type":"PLAIN",
            "is_active":true},{"name":"fast","address":"fd00::1"}]"#;
        let text = drawn(interfaces, json);
        assert_row(&text, &["default", "10.0.0.1", "3366", "PLAIN", "yes"]);
        assert_row(&text, &["fast", "fd00::1", "-", "-", "no"]);
    }
}
