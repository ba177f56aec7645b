//! Resource groups, volume groups, and what groups leave room for.

use super::super::answer::{now_text, refusal};
use super::super::dispatch::Call;
use super::super::{Listing, Reply};
use super::{Failure, Read, group as find_group, json, missing, optional_body, page, volume_number};
use crate::model::cluster::Cluster;
use crate::model::code;
use crate::model::group::SelectFilter;
use crate::model::kinds::{LayerKind, ProviderKind};
use crate::model::names::{NameError, NodeName, PoolName};
use crate::model::props::PropertyOwner;
use crate::model::refusal::Refusal;
use crate::protocols::rest::group::AutoSelectFilter;
use crate::protocols::rest::render::group::{group, volume_group};
use crate::protocols::rest::render::props::catalogue;
use crate::protocols::rest::render::size_query::{all_size_info, max_volume_sizes, size_info};
use crate::protocols::rest::size_query::QuerySizeInfoRequest;

pub fn read(cluster: &Cluster, call: &Call) -> Option<Read> {
    Some(match call.route.operation {
        "resourceGroupList" => list(cluster, call),
        "resourceGroupGet" => find_group(cluster, call.param("rg")).map(|record| json(|json| group(json, record))),
        "resourceGroupPropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::ResourceGroup))),
        "volumeGroupList" => volumes(cluster, call),
        "volumeGroupGet" => volume(cluster, call),
        "volumeGroupPropertiesInfo" => Ok(json(|json| catalogue(json, PropertyOwner::VolumeGroup))),
        "queryMaxVolumeSize" => max_size(cluster, call),
        "queryMaxVolumeSizeFromRscGrp" => max_size_of_group(cluster, call),
        "querySizeInfo" => size(cluster, call),
        "queryAllSizeInfo" => all_sizes(cluster, call),
        _ => return None,
    })
}

fn list(cluster: &Cluster, call: &Call) -> Read {
    let (names, props) = (call.query.names("resource_groups"), call.query.props());
    let page = page(call)?;
    Ok(Reply::list(Listing::of(cluster.groups.clone(), page, move |json, name, record, window| {
        if names.admits(name.as_str()) && props.admits(|key| record.props.get(key)) && window.admit() {
            group(json, record);
        }
    })))
}

fn volumes(cluster: &Cluster, call: &Call) -> Read {
    let record = find_group(cluster, call.param("rg"))?;
    let part = page(call)?.cut(record.volumes.values());
    Ok(json(|json| json.list(|json| part.for_each(|one| volume_group(json, one)))))
}

fn volume(cluster: &Cluster, call: &Call) -> Read {
    let record = find_group(cluster, call.param("rg"))?;
    let number = volume_number(call.param("vn"), code::FAIL_NOT_FOUND_VLM_GRP)?;
    let Some(found) = record.volumes.get(&number) else {
        let message = format!("Resource group {} has no volume group {number}", record.name);
        return Err(missing(code::FAIL_NOT_FOUND_VLM_GRP, message));
    };
    Ok(json(|json| volume_group(json, found)))
}

fn max_size(cluster: &Cluster, call: &Call) -> Read {
    let filter = filter_of(call, &optional_body(call)?)?;
    Ok(json(|json| max_volume_sizes(json, cluster, &filter)))
}

fn max_size_of_group(cluster: &Cluster, call: &Call) -> Read {
    let record = find_group(cluster, call.param("rg"))?;
    let filter = filter_of(call, &optional_body(call)?)?.over(&record.filter);
    Ok(json(|json| max_volume_sizes(json, cluster, &filter)))
}

fn size(cluster: &Cluster, call: &Call) -> Read {
    let record = find_group(cluster, call.param("rg"))?;
    let filter = request_filter(call)?.over(&record.filter);
    Ok(json(|json| size_info(json, cluster, &filter, &now_text())))
}

fn all_sizes(cluster: &Cluster, call: &Call) -> Read {
    let filter = request_filter(call)?;
    Ok(json(|json| all_size_info(json, cluster, &filter, &now_text())))
}

fn request_filter(call: &Call) -> Result<SelectFilter, Failure> {
    let request: QuerySizeInfoRequest = optional_body(call)?;
    filter_of(call, &request.select_filter.unwrap_or_default())
}

/// The filter of a question; what it names has to be spelled as names are.
fn filter_of(call: &Call, filter: &AutoSelectFilter) -> Result<SelectFilter, Failure> {
    let refuse = |code, text: String| Box::new(refusal(call.route.operation, Refusal::new(code, text)));
    let bad_name = |code| move |error: NameError| refuse(code, error.to_string());
    let count = |number: Option<i32>, what: &str| match number.map(u32::try_from).transpose() {
        Ok(number) => Ok(number.filter(|number| *number > 0)),
        Err(_) => Err(refuse(code::FAIL_INVLD_PLACE_COUNT, format!("{what} may not be negative"))),
    };
    let single: Option<Vec<String>> = filter.storage_pool.clone().filter(|one| !one.is_empty()).map(|one| vec![one]);
    let pools = filter.storage_pool_list.clone().filter(|list| !list.is_empty()).or(single);
    let pool_names =
        |list: &Option<Vec<String>>| names(list, PoolName::parse).map_err(bad_name(code::FAIL_INVLD_STOR_POOL_NAME));
    let layers = names(&filter.layer_stack, |text| LayerKind::parse(text).ok_or_else(|| text.to_owned()));
    let kinds = names(&filter.provider_list, |text| ProviderKind::parse(text).ok_or_else(|| text.to_owned()));
    let wanted = filter.x_replicas_on_different_map.clone();
    let wanted = wanted.map(|map| map.into_iter().map(|(key, n)| (key, u32::try_from(n).unwrap_or(0))).collect());
    Ok(SelectFilter {
        place_count: count(filter.place_count, "place_count")?,
        additional_place_count: count(filter.additional_place_count, "additional_place_count")?,
        nodes: names(&filter.node_name_list, NodeName::parse).map_err(bad_name(code::FAIL_INVLD_NODE_NAME))?,
        pools: pool_names(&pools)?,
        diskless_pools: pool_names(&filter.storage_pool_diskless_list)?,
        not_with: filter.not_place_with_rsc.clone(),
        not_with_regex: filter.not_place_with_rsc_regex.clone(),
        same: filter.replicas_on_same.clone(),
        different: filter.replicas_on_different.clone(),
        x_different: wanted,
        layers: layers.map_err(|text| refuse(code::FAIL_INVLD_LAYER_KIND, format!("{text:?} is no layer")))?,
        providers: kinds.map_err(|text| refuse(code::FAIL_INVLD_PROVIDER, format!("{text:?} is no kind of pool")))?,
        diskless_on_remaining: filter.diskless_on_remaining,
        port_count: count(filter.port_count, "port_count")?,
    })
}

fn names<T, E>(list: &Option<Vec<String>>, parse: impl Fn(&str) -> Result<T, E>) -> Result<Option<Vec<T>>, E> {
    list.as_ref().map(|list| list.iter().map(|text| parse(text)).collect()).transpose()
}
