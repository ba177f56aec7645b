//! Snapshots as a table.

use super::{Page, UNKNOWN, moment};
use crate::cli::grid::{Grid, Text, Tone};
use crate::cli::size;
use crate::protocols::rest::snapshot::Snapshot;

/// The one flag that says that a snapshot can be used.
const SUCCESSFUL: &str = "SUCCESSFUL";

/// The list of snapshots.
pub fn snapshots(json: &str) -> Result<Page, serde_json::Error> {
    let snapshots: Vec<Snapshot> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Resource", "Snapshot", "Nodes", "Volumes", "Created", "State"]);
    for snapshot in &snapshots {
        let sizes: Vec<String> =
            snapshot.volume_definitions.iter().map(|volume| size::human(volume.size_kib)).collect();
        let created = snapshot.snapshots.iter().map(|node| node.create_timestamp).filter(|at| *at > 0).min();
        grid.row([
            Text::from(&snapshot.resource_name),
            Text::from(&snapshot.name),
            snapshot.nodes.join(", ").into(),
            sizes.join(", ").into(),
            created.map_or(UNKNOWN.into(), |at| moment(at).into()),
            state(&snapshot.flags),
        ]);
    }
    Ok(Page::table(grid, "There are no snapshots. zea snapshot create RESOURCE NAME takes one."))
}

fn state(flags: &[String]) -> Text {
    let others: Vec<&str> = flags.iter().map(String::as_str).filter(|flag| *flag != SUCCESSFUL).collect();
    match (flags.len() > others.len(), others.is_empty()) {
        (true, true) => Text::toned("ok", Tone::Good),
        (false, true) => Text::toned("not finished", Tone::Odd),
        _ if others.iter().any(|flag| flag.contains("FAILED")) => Text::toned(others.join("\n"), Tone::Bad),
        _ => Text::toned(others.join("\n"), Tone::Odd),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{assert_row, drawn};
    use super::*;

    #[test]
    fn a_list_of_snapshots() {
        // Origin: made by hand after the fields of a snapshot in the REST facts.
        let json = r#"[{"name":"s1","resource_name":"res1","nodes":["alpha","beta"],"flags":["SUCCESSFUL"],
            "volume_definitions":[{"volume_number":0,"size_kib":1048576}],"snapshots":[{"create_timestamp":0}]},
            {"name":"s2","resource_name":"res1","flags":["FAILED_DEPLOYMENT"]},{"name":"s3","resource_name":"res1"},
            {"name":"s4","resource_name":"res1","flags":["SUCCESSFUL","DELETE"]}]"#;
        let text = drawn(snapshots, json);
        assert_row(&text, &["res1", "s1", "alpha, beta", "1.0 GiB", "-", "ok"]);
        assert_row(&text, &["res1", "s2", "", "", "-", "FAILED_DEPLOYMENT"]);
        assert_row(&text, &["res1", "s3", "", "", "-", "not finished"]);
        assert_row(&text, &["res1", "s4", "", "", "-", "DELETE"]);
    }
}
