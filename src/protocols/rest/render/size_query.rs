//! Answers to questions for room.

use super::entries::entry;
use super::json::Json;
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::group::{ResourceGroup, SelectFilter};
use crate::model::placement::{NotPlaced, SizeInfo, query_max_volume_size, query_size_info};
use crate::model::refusal::Note;
use crate::protocols::rest::size_query::DEFAULT_OVERSUBSCRIPTION_RATIO;

/// The largest volume for each name of pools.
pub fn max_volume_sizes(json: &mut Json, cluster: &Cluster, filter: &SelectFilter) {
    json.object(|json| {
        json.filled_list("candidates", |json| {
            for candidate in query_max_volume_size(cluster, filter) {
                json.object(|json| {
                    json.must("storage_pool", candidate.pool.as_str());
                    json.size("max_volume_size_kib", candidate.max_volume_size.0);
                    json.texts("node_names", candidate.nodes.iter().map(|node| node.as_str()));
                    json.flag("all_thin", candidate.all_thin);
                });
            }
        });
        json.float("default_max_oversubscription_ratio", DEFAULT_OVERSUBSCRIPTION_RATIO);
    });
}

/// What a filter leaves room for; when it leaves none, why.
pub fn size_info(json: &mut Json, cluster: &Cluster, filter: &SelectFilter, now: &str) {
    let layers = filter.layers.as_deref().unwrap_or_default();
    json.object(|json| match query_size_info(cluster, filter, layers) {
        Ok(info) => {
            json.key("space_info");
            space_info(json, &info);
        }
        Err(not_placed) => json.filled_list("reports", |json| json.value(&entry(None, &why(&not_placed), now))),
    });
}

fn why(not_placed: &NotPlaced) -> Note {
    let lines: Vec<String> = not_placed.story.lines().collect();
    Note::new(code::Kind::Error, not_placed.code, not_placed.to_string()).details(lines.join("\n"))
}

fn space_info(json: &mut Json, info: &SizeInfo) {
    json.object(|json| {
        json.size("max_vlm_size_in_kib", info.max_volume_size.0);
        json.size("available_size_in_kib", info.available.0);
        json.size("capacity_in_kib", info.capacity.0);
        json.float("default_max_oversubscription_ratio", info.default_ratio);
        if let Some(ratios) = info.ratios {
            json.float("max_oversubscription_ratio", ratios.general);
            json.float("max_free_capacity_oversubscription_ratio", ratios.free);
            json.float("max_total_capacity_oversubscription_ratio", ratios.total);
        }
        json.key("next_spawn_result");
        json.list(|json| {
            for next in &info.next_spawn {
                json.object(|json| {
                    json.must("node_name", next.node.as_str());
                    json.must("stor_pool_name", next.pool.as_str());
                    json.float("stor_pool_oversubscription_ratio", next.ratios.general);
                    json.float("stor_pool_free_capacity_oversubscription_ratio", next.ratios.free);
                    json.float("stor_pool_total_capacity_oversubscription_ratio", next.ratios.total);
                });
            }
        });
    });
}

/// The same for every group, each with its own filter, on which `request` goes first.
pub fn all_size_info(json: &mut Json, cluster: &Cluster, request: &SelectFilter, now: &str) {
    json.object(|json| {
        json.filled_object("result", |json| {
            let groups = cluster.groups.values();
            groups.for_each(|group| group_size_info(json, cluster, group, (request, now)));
        });
    });
}

fn group_size_info(json: &mut Json, cluster: &Cluster, group: &ResourceGroup, (request, now): (&SelectFilter, &str)) {
    json.chosen_key(group.name.as_str());
    size_info(json, cluster, &request.over(&group.filter), now);
}
