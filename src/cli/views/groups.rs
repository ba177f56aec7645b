//! Resource groups, their volumes and what still fits, as tables.

use super::{Page, UNKNOWN};
use crate::cli::grid::{Grid, Text};
use crate::cli::size;
use crate::protocols::rest::group::{AutoSelectFilter, ResourceGroup, VolumeGroup};
use crate::protocols::rest::size_query::QuerySizeInfoResponse;

/// The list of resource groups.
pub fn groups(json: &str) -> Result<Page, serde_json::Error> {
    let groups: Vec<ResourceGroup> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Group", "Placement", "Description"]);
    for group in &groups {
        let filter = group.select_filter.as_ref().map(words).unwrap_or_default();
        grid.row([
            Text::from(&group.name),
            if filter.is_empty() { UNKNOWN.into() } else { filter.join("\n").into() },
            Text::from(&group.description),
        ]);
    }
    Ok(Page::table(grid, "There are no resource groups. zea group create NAME makes one."))
}

/// What a filter asks for, a line each.
fn words(filter: &AutoSelectFilter) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(count) = filter.place_count {
        lines.push(format!("replicas: {count}"));
    }
    let counts = filter.x_replicas_on_different_map.as_ref();
    let counts = counts.map(|map| map.iter().map(|(key, count)| format!("{key}={count}")).collect::<Vec<_>>());
    for (name, list) in [
        ("nodes", &filter.node_name_list),
        ("pools", &filter.storage_pool_list),
        ("diskless pools", &filter.storage_pool_diskless_list),
        ("not with", &filter.not_place_with_rsc),
        ("same", &filter.replicas_on_same),
        ("different", &filter.replicas_on_different),
        ("at most", &counts),
        ("layers", &filter.layer_stack),
        ("kinds of pool", &filter.provider_list),
    ] {
        if let Some(list) = list.as_ref().filter(|list| !list.is_empty()) {
            lines.push(format!("{name}: {}", list.join(", ")));
        }
    }
    if let Some(regex) = filter.not_place_with_rsc_regex.as_ref().filter(|regex| !regex.is_empty()) {
        lines.push(format!("not with: /{regex}/"));
    }
    if filter.diskless_on_remaining == Some(true) {
        lines.push("diskless on all other nodes".to_owned());
    }
    lines
}

/// A group's volumes.
pub fn group_volumes(json: &str) -> Result<Page, serde_json::Error> {
    let volumes: Vec<VolumeGroup> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Volume", "Flags", "Properties"]);
    for volume in &volumes {
        let props: Vec<String> = volume.props.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        grid.row([Text::from(volume.volume_number), volume.flags.join(", ").into(), props.join("\n").into()]);
    }
    Ok(Page::table(grid, "The group has no volumes. zea group volumes create GROUP adds one."))
}

/// What still fits into a group.
pub fn size_info(json: &str) -> Result<Page, serde_json::Error> {
    let response: QuerySizeInfoResponse = serde_json::from_str(json)?;
    let mut lines = Vec::new();
    if let Some(info) = &response.space_info {
        lines.push(format!("Largest volume:  {}", size::human(info.max_vlm_size_in_kib)));
        lines.push(format!("Available:       {}", size::human(info.available_size_in_kib)));
        lines.push(format!("Capacity:        {}", size::human(info.capacity_in_kib)));
        let next: Vec<String> = info
            .next_spawn_result
            .iter()
            .map(|spawn| format!("{}/{}", spawn.node_name, spawn.stor_pool_name))
            .collect();
        let next = if next.is_empty() { "nowhere".to_owned() } else { next.join(", ") };
        lines.push(format!("The next goes to {next}"));
    }
    for report in &response.reports {
        lines.push(report.message.clone());
        let rest = [&report.cause, &report.details, &report.correction];
        lines.extend(rest.into_iter().filter(|text| !text.is_empty()).map(|text| format!("  {text}")));
    }
    Ok(Page::lines(lines))
}

#[cfg(test)]
mod tests {
    use super::super::{assert_row, drawn};
    use super::*;

    #[test]
    fn a_list_of_groups() {
        // Origin: made by hand after the fields of a resource group in the REST facts.
        let json = r#"[{"name":"local","description":"on this machine","select_filter":{"place_count":2,
            "storage_pool_list":["a","b"],"x_replicas_on_different_map":{"Aux/room":1},"layer_stack":["STORAGE"]}},
            {"name":"DfltRscGrp"}]"#;
        let text = drawn(groups, json);
        assert_row(&text, &["local", "replicas: 2", "on this machine"]);
        for line in ["pools: a, b", "at most: Aux/room=1", "layers: STORAGE"] {
            assert_row(&text, &["", line, ""]);
        }
        assert_row(&text, &["DfltRscGrp", "-", ""]);
    }

    #[test]
    fn volumes_of_a_group() {
        let text = drawn(group_volumes, r#"[{"volume_number":0,"flags":["GROSS_SIZE"],"props":{"a":"b"}}]"#);
        assert_row(&text, &["0", "GROSS_SIZE", "a = b"]);
    }

    #[test]
    fn what_fits() {
        let json = r#"{"space_info":{"max_vlm_size_in_kib":1048576,"available_size_in_kib":2097152,
            "capacity_in_kib":4194304,"default_max_oversubscription_ratio":20.0,"next_spawn_result":[
            {"node_name":"alpha","stor_pool_name":"ssd","stor_pool_oversubscription_ratio":20.0}]}}"#;
        let text = drawn(size_info, json);
        assert!(text.contains("Largest volume:  1.0 GiB") && text.contains("goes to alpha/ssd"), "{text}");
        let json = r#"{"reports":[{"ret_code":-4611686018427386908,"message":"not enough nodes","details":"alpha: full",
            "created_at":""}]}"#;
        assert_eq!(drawn(size_info, json), "not enough nodes\n  alpha: full");
    }
}
