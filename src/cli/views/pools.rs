//! Storage pools as a table.

use super::{Page, UNKNOWN, size_or_unknown, text_or_unknown};
use crate::cli::grid::{Grid, Text, Tone};
use crate::model::code::Kind;
use crate::protocols::rest::pool::{DISKLESS_CAPACITY_KIB, StoragePool};

/// Where a pool says what backs it: the current key and the ones before it.
const BACKING: [&str; 5] =
    ["StorDriver/StorPoolName", "StorDriver/FileDir", "StorDriver/LvmVg", "StorDriver/ZPool", "StorDriver/ThinPool"];

/// The list of storage pools.
pub fn pools(json: &str) -> Result<Page, serde_json::Error> {
    let pools: Vec<StoragePool> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Pool", "Node", "Kind", "Backed by", "Free", "Total", "Snapshots", "Shared", "State"]);
    for pool in &pools {
        let backing = BACKING.iter().find_map(|key| pool.props.get(*key)).map_or("", String::as_str);
        // Without a disk every capacity is the largest number there is.
        let capacity = |kib: Option<i64>| size_or_unknown(kib.filter(|kib| *kib != DISKLESS_CAPACITY_KIB));
        grid.row([
            Text::from(&pool.storage_pool_name),
            Text::from(&pool.node_name),
            Text::from(&pool.provider_kind),
            text_or_unknown(backing),
            capacity(pool.free_capacity),
            capacity(pool.total_capacity),
            if pool.supports_snapshots { "yes" } else { "no" }.into(),
            shared(pool),
            state(pool),
        ]);
    }
    Ok(Page::table(grid, "There are no storage pools. zea pool create KIND NODE NAME BACKING makes one."))
}

/// The space that it shares; a pool of its own is called after node and pool.
fn shared(pool: &StoragePool) -> Text {
    if pool.free_space_mgr_name.contains([';', ':']) {
        UNKNOWN.into()
    } else {
        text_or_unknown(&pool.free_space_mgr_name)
    }
}

fn state(pool: &StoragePool) -> Text {
    let worst = pool.reports.iter().max_by_key(|report| report.kind());
    match worst {
        Some(report) if report.kind() == Kind::Error => Text::toned(&report.message, Tone::Bad),
        Some(report) if report.kind() == Kind::Warn => Text::toned(&report.message, Tone::Odd),
        _ if pool.free_capacity.is_none() => Text::toned("unknown", Tone::Odd),
        _ => Text::toned("ok", Tone::Good),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{assert_row, drawn};
    use super::*;

    #[test]
    fn a_list_of_pools() {
        // Origin: made by hand after the fields of a storage pool in the REST facts.
        let json = r#"[
            {"storage_pool_name":"ssd","node_name":"alpha","provider_kind":"FILE_THIN","supports_snapshots":true,
             "external_locking":false,"props":{"StorDriver/StorPoolName":"/var/lib/zea/pool"},
             "free_capacity":1048576,"total_capacity":2097152,"free_space_mgr_name":"alpha;ssd"},
            {"storage_pool_name":"none","node_name":"alpha","provider_kind":"DISKLESS","supports_snapshots":false,
             "external_locking":false,"free_capacity":9223372036854775807,"total_capacity":9223372036854775807},
            {"storage_pool_name":"san","node_name":"beta","provider_kind":"LVM","supports_snapshots":false,
             "external_locking":true,"free_space_mgr_name":"san-space","reports":[
             {"ret_code":-4611686018427386914,"message":"volume group san is gone","created_at":""}]}]"#;
        let text = drawn(pools, json);
        let ssd = ["ssd", "alpha", "FILE_THIN", "/var/lib/zea/pool", "1.0 GiB", "2.0 GiB", "yes", "-", "ok"];
        assert_row(&text, &ssd);
        assert_row(&text, &["none", "alpha", "DISKLESS", "-", "-", "-", "no", "-", "ok"]);
        assert_row(&text, &["san", "beta", "LVM", "-", "-", "-", "no", "san-space", "volume group san is gone"]);
    }
}
