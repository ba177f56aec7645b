//! Resource groups and volume groups.

use super::json::Json;
use crate::model::group::{ResourceGroup, SelectFilter, VolumeGroup};
use crate::model::names::PoolName;

/// A group. Clients compare its filter with what they wrote, so it reads back exactly.
pub fn group(json: &mut Json, group: &ResourceGroup) {
    json.object(|json| {
        json.must("name", group.name.as_str());
        json.text("description", group.description.as_deref().unwrap_or_default());
        json.props("props", &group.props);
        json.uuid(group.uuid);
        json.key("select_filter");
        json.object(|json| filter(json, &group.filter));
    });
}

fn filter(json: &mut Json, filter: &SelectFilter) {
    let texts = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    json.known_size("place_count", filter.place_count.map(u64::from));
    let pools = filter.pools.as_deref().unwrap_or_default();
    if let [only] = pools {
        json.must("storage_pool", only.as_str());
    }
    json.texts("storage_pool_list", pools.iter().map(PoolName::as_str));
    json.texts("not_place_with_rsc", texts(&filter.not_with).iter().map(String::as_str));
    json.text("not_place_with_rsc_regex", filter.not_with_regex.as_deref().unwrap_or_default());
    json.texts("replicas_on_same", texts(&filter.same).iter().map(String::as_str));
    json.texts("replicas_on_different", texts(&filter.different).iter().map(String::as_str));
    json.filled_object("x_replicas_on_different_map", |json| {
        filter.x_different.iter().flatten().for_each(|(key, most)| {
            json.chosen_key(key);
            json.number((*most).into());
        });
    });
    json.texts("layer_stack", filter.layers.iter().flatten().map(|layer| layer.as_str()));
    json.texts("provider_list", filter.providers.iter().flatten().map(|kind| kind.as_str()));
    if let Some(yes) = filter.diskless_on_remaining {
        json.flag("diskless_on_remaining", yes);
    }
}

/// A volume group.
pub fn volume_group(json: &mut Json, volume: &VolumeGroup) {
    json.object(|json| {
        json.int("volume_number", volume.number.get().into());
        json.props("props", &volume.props);
        json.uuid(volume.uuid);
        json.texts("flags", volume.flags.names());
    });
}
