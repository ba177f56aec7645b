//! Resource definitions, volumes and replicas as tables.

use super::{Page, UNKNOWN, moment, size_or_unknown, state_of, text_or_unknown};
use crate::cli::grid::{Grid, Text, Tone};
use crate::cli::size;
use crate::protocols::rest::definition::{ResourceDefinition, VolumeDefinition};
use crate::protocols::rest::layer::ResourceLayer;
use crate::protocols::rest::resource::{Resource, Volume};

const NO_DEFINITIONS: &str = "There are no resource definitions. zea make NAME SIZE makes a volume.";
const NO_REPLICAS: &str = "There are no replicas with volumes. zea make NAME SIZE makes a volume.";

/// The list of resource definitions.
pub fn definitions(json: &str) -> Result<Page, serde_json::Error> {
    let definitions: Vec<ResourceDefinition> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Resource", "Group", "Layers", "Volumes", "State"]);
    for definition in &definitions {
        let layers: Vec<&str> = definition.layer_data.iter().map(|layer| layer.kind.as_str()).collect();
        let sizes: Vec<String> =
            definition.volume_definitions.iter().map(|volume| size::human(volume.size_kib)).collect();
        let name = match definition.external_name.as_str() {
            "" => definition.name.clone(),
            external => format!("{}\n({external})", definition.name),
        };
        grid.row([
            name.into(),
            Text::from(&definition.resource_group_name),
            text_or_unknown(&layers.join(",")),
            text_or_unknown(&sizes.join(", ")),
            state_of(&definition.flags, "ok"),
        ]);
    }
    Ok(Page::table(grid, NO_DEFINITIONS))
}

/// The volumes of resource definitions.
pub fn volumes(json: &str) -> Result<Page, serde_json::Error> {
    let definitions: Vec<ResourceDefinition> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Resource", "Volume", "Size", "Minor", "State"]);
    for definition in &definitions {
        for volume in &definition.volume_definitions {
            grid.row([
                Text::from(&definition.name),
                Text::from(volume.volume_number),
                size::human(volume.size_kib).into(),
                minor(volume).map_or(UNKNOWN.into(), Text::from),
                state_of(&volume.flags, "ok"),
            ]);
        }
    }
    Ok(Page::table(grid, "There are no volumes. zea volume create RESOURCE SIZE makes one."))
}

fn minor(volume: &VolumeDefinition) -> Option<i32> {
    volume.layer_data.iter().find_map(|layer| layer.data.as_ref()).map(|data| data.minor_number)
}

/// The list of replicas.
pub fn replicas(json: &str) -> Result<Page, serde_json::Error> {
    let resources: Vec<Resource> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Resource", "Node", "Layers", "Usage", "Connections", "State", "Created"]);
    for resource in &resources {
        grid.row([
            Text::from(&resource.name),
            Text::from(&resource.node_name),
            layers(&resource.layer_object).into(),
            usage(resource),
            connections(&resource.layer_object),
            state(resource),
            if resource.create_timestamp > 0 { moment(resource.create_timestamp).into() } else { UNKNOWN.into() },
        ]);
    }
    Ok(Page::table(grid, NO_REPLICAS))
}

fn layers(top: &ResourceLayer) -> String {
    let mut words = vec![top.kind.as_str()];
    let mut layer = top;
    // Metadata kept apart is a second child of the same kind: the first one is the data.
    while let Some(below) = layer.children.first() {
        words.push(&below.kind);
        layer = below;
    }
    words.join(",")
}

fn usage(resource: &Resource) -> Text {
    match resource.state.as_ref().and_then(|state| state.in_use) {
        Some(true) => Text::toned("in use", Tone::Good),
        Some(false) => "unused".into(),
        None => UNKNOWN.into(),
    }
}

/// Peers that cannot be reached, or that all can.
fn connections(layer: &ResourceLayer) -> Text {
    let Some(drbd) = &layer.drbd else { return UNKNOWN.into() };
    let cut: Vec<String> = drbd
        .connections
        .iter()
        .filter(|(_, link)| !link.connected)
        .map(|(peer, link)| if link.message.is_empty() { peer.clone() } else { format!("{peer}: {}", link.message) })
        .collect();
    match (drbd.connections.is_empty(), cut.is_empty()) {
        (true, _) => UNKNOWN.into(),
        (false, true) => Text::toned("ok", Tone::Good),
        (false, false) => Text::toned(cut.join("\n"), Tone::Bad),
    }
}

/// The state of a replica: what is being done to it, else how its volumes are.
fn state(resource: &Resource) -> Text {
    let has = |flag: &str| resource.flags.iter().any(|set| set == flag);
    for (flag, word, tone) in [
        ("EVICTED", "evicted", Tone::Bad),
        ("DRBD_DELETE", "being deleted", Tone::Odd),
        ("DELETE", "being deleted", Tone::Odd),
        ("INACTIVE", "inactive", Tone::Odd),
        ("TIE_BREAKER", "TieBreaker", Tone::Good),
    ] {
        if has(flag) {
            return Text::toned(word, tone);
        }
    }
    let mut states: Vec<Text> = resource.volumes.iter().map(volume_state).collect();
    states.dedup();
    let worst = states.iter().map(|state| state.tone).max_by_key(|tone| *tone as u8).unwrap_or_default();
    match states.len() {
        0 => UNKNOWN.into(),
        _ => Text::toned(states.iter().map(|state| state.text.as_str()).collect::<Vec<_>>().join("\n"), worst),
    }
}

fn volume_state(volume: &Volume) -> Text {
    let Some(state) = &volume.state else { return Text::toned("unknown", Tone::Odd) };
    let syncs = state.replication_states.values().filter_map(|peer| peer.done_percentage.map(|done| (peer, done)));
    if let Some((peer, done)) = syncs.min_by(|a, b| a.1.total_cmp(&b.1)) {
        return Text::toned(format!("{}: {} {done:.1} %", state.disk_state, peer.replication_state), Tone::Odd);
    }
    let tone = match state.disk_state.as_str() {
        "UpToDate" | "Created" | "Attached" | "Diskless" | "TieBreaker" => Tone::Good,
        "Failed" | "DUnknown" | "Error" => Tone::Bad,
        _ => Tone::Odd,
    };
    Text::toned(if state.disk_state.is_empty() { "unknown" } else { &state.disk_state }, tone)
}

/// The volumes of replicas with their devices.
pub fn replica_volumes(json: &str) -> Result<Page, serde_json::Error> {
    let resources: Vec<Resource> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Resource", "Node", "Volume", "Pool", "Device", "Allocated", "State"]);
    let volumes = resources.iter().flat_map(|resource| resource.volumes.iter().map(move |volume| (resource, volume)));
    for (resource, volume) in volumes {
        grid.row([
            Text::from(&resource.name),
            Text::from(&resource.node_name),
            Text::from(volume.volume_number),
            text_or_unknown(&volume.storage_pool_name),
            text_or_unknown(&volume.device_path),
            size_or_unknown(volume.allocated_size_kib),
            volume_state(volume),
        ]);
    }
    Ok(Page::table(grid, NO_REPLICAS))
}

/// Paths of the devices of a resource, by volume: a line each. Where nodes have different ones, each says where.
pub fn devices(resources: &[Resource]) -> Vec<String> {
    let mut found: Vec<(i32, &str, &str)> = Vec::new();
    for resource in resources {
        let volumes = resource.volumes.iter().filter(|volume| !volume.device_path.is_empty());
        found.extend(volumes.map(|volume| (volume.volume_number, volume.device_path.as_str(), &*resource.node_name)));
    }
    found.sort_unstable();
    let line = |&(number, path, node): &(i32, &str, &str)| {
        let alone = found.iter().all(|other| other.0 != number || other.1 == path);
        if alone { path.to_owned() } else { format!("{path} on {node}") }
    };
    let mut lines: Vec<String> = found.iter().map(line).collect();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::super::{assert_row, drawn};
    use super::*;

    // Origin: the worked example of the REST facts, one replica with DRBD.
    const VIEW: &str = include_str!("../../../tests/fixtures/rest/view_resources.json");

    #[test]
    fn a_list_of_replicas() {
        let text = drawn(replicas, VIEW);
        let row = text.lines().find(|line| line.contains("alpha")).expect("a row");
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells[..6], ["res1", "alpha", "DRBD,STORAGE", "unused", "ok", "UpToDate"]);
        assert_row(
            &drawn(replica_volumes, VIEW),
            &["res1", "alpha", "0", "pool_ssd", "/dev/drbd1000", "1.0 GiB", "UpToDate"],
        );
        assert_eq!(drawn(replicas, "[]"), NO_REPLICAS);
    }

    fn changed(change: impl FnOnce(&mut Resource)) -> Resource {
        let mut resources: Vec<Resource> = serde_json::from_str(VIEW).unwrap();
        change(&mut resources[0]);
        resources.remove(0)
    }

    #[test]
    fn states_of_replicas() {
        let flags = |list: &[&str]| {
            let list: Vec<String> = list.iter().map(|flag| (*flag).to_owned()).collect();
            state(&changed(|resource| resource.flags = list)).text
        };
        assert_eq!(flags(&["TIE_BREAKER", "DRBD_DISKLESS", "DISKLESS"]), "TieBreaker");
        assert_eq!(flags(&["EVICTED", "INACTIVE", "DELETE"]), "evicted");
        assert_eq!(flags(&["DISKLESS"]), "UpToDate");
        assert_eq!(state(&changed(|resource| resource.volumes[0].state = None)).text, "unknown");
        let syncing = changed(|resource| {
            let state = resource.volumes[0].state.as_mut().unwrap();
            state.disk_state = "Inconsistent".to_owned();
            let peer = state.replication_states.get_mut("beta").unwrap();
            peer.replication_state = "SyncTarget".to_owned();
            peer.done_percentage = Some(12.34);
        });
        assert_eq!(state(&syncing), Text::toned("Inconsistent: SyncTarget 12.3 %", Tone::Odd));
    }

    #[test]
    fn peers_that_cannot_be_reached_are_named() {
        let cut = changed(|resource| {
            let link = resource.layer_object.drbd.as_mut().unwrap().connections.get_mut("beta").unwrap();
            link.connected = false;
            link.message = "StandAlone".to_owned();
        });
        assert_eq!(connections(&cut.layer_object), Text::toned("beta: StandAlone", Tone::Bad));
    }

    #[test]
    fn devices_of_a_resource() {
        let alpha = changed(|_| {});
        let beta = changed(|resource| resource.node_name = "beta".to_owned());
        assert_eq!(devices(&[alpha.clone(), beta]), ["/dev/drbd1000"]);
        let other = changed(|resource| {
            resource.node_name = "beta".to_owned();
            resource.volumes[0].device_path = "/dev/loop3".to_owned();
        });
        assert_eq!(devices(&[alpha, other]), ["/dev/drbd1000 on alpha", "/dev/loop3 on beta"]);
        assert_eq!(devices(&[changed(|resource| resource.volumes[0].device_path.clear())]), Vec::<String>::new());
    }

    #[test]
    fn definitions_and_their_volumes() {
        // Origin: made by hand after the fields of a resource definition in the REST facts.
        let json = r#"[{"name":"res1","resource_group_name":"local","layer_data":[{"type":"DRBD"},{"type":"STORAGE"}],
            "external_name":"a volume!","volume_definitions":[{"volume_number":0,"size_kib":1048576,"layer_data":[
            {"type":"DRBD","data":{"volume_number":0,"minor_number":1000}},{"type":"STORAGE"}]},
            {"volume_number":1,"size_kib":2048,"flags":["RESIZE"]}]},
            {"name":"res2","resource_group_name":"DfltRscGrp","flags":["DELETE"]}]"#;
        let text = drawn(definitions, json);
        assert_row(&text, &["res1", "local", "DRBD,STORAGE", "1.0 GiB, 2.0 MiB", "ok"]);
        assert_row(&text, &["(a volume!)", "", "", "", ""]);
        assert_row(&text, &["res2", "DfltRscGrp", "-", "-", "DELETE"]);
        let text = drawn(volumes, json);
        assert_row(&text, &["res1", "0", "1.0 GiB", "1000", "ok"]);
        assert_row(&text, &["res1", "1", "2.0 MiB", "-", "RESIZE"]);
    }
}
