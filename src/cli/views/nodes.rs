//! Nodes and their network interfaces as tables.

use std::collections::BTreeMap;

use super::{Page, UNKNOWN, moment};
use crate::cli::grid::{Grid, Text, Tone};
use crate::protocols::rest::node::{NetInterface, Node};

const NO_NODES: &str = "There are no nodes. zea node create NAME ADDRESS registers one.";

/// The list of nodes.
pub fn nodes(json: &str) -> Result<Page, serde_json::Error> {
    let nodes: Vec<Node> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Node", "Type", "Addresses", "State"]);
    for node in &nodes {
        let addresses: Vec<String> = node.net_interfaces.iter().map(address).collect();
        grid.row([
            Text::from(&node.name),
            Text::from(&node.kind),
            if addresses.is_empty() { UNKNOWN.into() } else { addresses.join("\n").into() },
            state(node),
        ]);
    }
    Ok(Page::table(grid, NO_NODES))
}

fn address(interface: &NetInterface) -> String {
    let host =
        if interface.address.contains(':') { format!("[{}]", interface.address) } else { interface.address.clone() };
    match interface.satellite_port {
        Some(port) if interface.satellite_encryption_type.is_empty() => format!("{host}:{port}"),
        Some(port) => format!("{host}:{port} ({})", interface.satellite_encryption_type),
        None => interface.address.clone(),
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
        let text = drawn(nodes, NODES);
        assert_row(&text, &["alpha", "SATELLITE", "10.0.0.1:3366 (SSL)", "ONLINE"]);
        assert_row(&text, &["", "", "fd00::1", ""]);
        assert_row(&text, &["beta", "COMBINED", "-", "OFFLINE"]);
        assert_row(&text, &["", "", "", "EVICTED"]);
        assert!(!text.contains("DELETE"), "{text}");
        assert_eq!(drawn(nodes, "[]"), NO_NODES);
        assert!(nodes("{}").is_err());
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
