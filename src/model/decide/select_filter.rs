//! The filter of a group as a request gives it: judged, and laid over the one that is there. Never places anything.

use regex::RegexBuilder;

use super::node::diskless_pool_name;
use crate::model::cluster::Cluster;
use crate::model::code::*;
use crate::model::group::SelectFilter;
use crate::model::kinds::check_stack;
use crate::model::names::PoolName;
use crate::model::refusal::{Note, Refusal};

/// Room that a compiled pattern may take; a pattern for names needs a thousandth of it.
const PATTERN_BYTES: usize = 1024 * 1024;

/// Judges what a request says.
///
/// # Errors
/// A count below one, layers that are no stack, a pattern that cannot be read, a rule without a property.
pub(super) fn check(filter: &SelectFilter) -> Result<(), Refusal> {
    if filter.place_count == Some(0) {
        return Err(Refusal::new(FAIL_INVLD_PLACE_COUNT, "A place count of 0 is not possible")
            .because("A group wants at least one replica of each definition")
            .cure("Give a place count of 1 or more, or none to leave it as it is"));
    }
    if let Some(layers) = filter.layers.as_ref().filter(|layers| !layers.is_empty()) {
        check_stack(layers).map_err(|why| {
            Refusal::new(FAIL_INVLD_LAYER_STACK, "The layers are no stack")
                .because(why)
                .cure("Name each layer once from top to bottom, for example DRBD, STORAGE")
        })?;
    }
    check_pattern(filter.not_with_regex.as_deref().unwrap_or_default())?;
    check_rules(filter)
}

fn check_pattern(pattern: &str) -> Result<(), Refusal> {
    let built = RegexBuilder::new(pattern).case_insensitive(true).size_limit(PATTERN_BYTES).build();
    built.map(|_| ()).map_err(|error| {
        Refusal::new(FAIL_INVLD_REQUEST, format!("'{pattern}' is no regular expression"))
            .because(error.to_string())
            .cure("Correct the pattern of resources not to be placed with")
    })
}

fn check_rules(filter: &SelectFilter) -> Result<(), Refusal> {
    let rules = filter.same.iter().chain(&filter.different).flatten();
    let keys = filter.x_different.iter().flat_map(|limits| limits.keys());
    let nameless = |rule: &&String| rule.split('=').next().is_none_or(|key| key.trim_matches('/').is_empty());
    if let Some(rule) = rules.chain(keys).find(nameless) {
        return Err(Refusal::new(FAIL_INVLD_PROP, format!("'{rule}' names no property of nodes"))
            .because("Replicas are held together or apart by a property of their nodes")
            .cure("Write Aux/<key> or Aux/<key>=<value>"));
    }
    let limits = filter.x_different.iter().flatten();
    if let Some((key, _)) = limits.into_iter().find(|(_, limit)| **limit == 0) {
        return Err(Refusal::new(FAIL_INVLD_PLACE_COUNT, format!("At most 0 replicas for each value of '{key}'"))
            .because("Then no replica could be placed at all")
            .cure("Give a limit of 1 or more, or leave the key out"));
    }
    Ok(())
}

/// What is legal and yet will not do what was meant.
pub(super) fn warnings(cluster: &Cluster, filter: &SelectFilter) -> Vec<Note> {
    let diskful = filter.pools.iter().flatten();
    let diskless = filter.diskless_pools.iter().flatten();
    let unknown = |pool: &&PoolName| !cluster.pool_definitions.contains_key(*pool);
    let without_disk = diskful.clone().filter(|pool| **pool == diskless_pool_name());
    let mut notes: Vec<Note> = diskful.chain(diskless).filter(unknown).map(unknown_pool).collect();
    notes.extend(without_disk.map(|pool| {
        Note::warning(WARN_NO_EFFECT, format!("Storage pool '{pool}' holds no replica with a disk"))
            .cure("Name it among the pools for replicas without a disk")
            .about("StorPoolDfn", pool)
    }));
    notes
}

fn unknown_pool(pool: &PoolName) -> Note {
    Note::warning(WARN_NOT_FOUND, format!("No node has a storage pool '{pool}' yet"))
        .because("The filter names it")
        .cure("Create the pool, or correct its name in the filter")
        .about("StorPoolDfn", pool)
}

macro_rules! laid_over {
    ($old:expr, $new:expr, lists: $($list:ident),+; values: $($value:ident),+ $(,)?) => {
        SelectFilter {
            $($list: match &$new.$list {
                None => $old.$list.clone(),
                Some(list) if list.is_empty() => None,
                Some(list) => Some(list.clone()),
            },)+
            $($value: $new.$value.or($old.$value),)+
        }
    };
}

/// The filter with the request's changes: what it does not name stays, what it names empty is cleared.
pub(super) fn changed(old: &SelectFilter, request: &SelectFilter) -> SelectFilter {
    laid_over!(old, request,
        lists: nodes, pools, diskless_pools, not_with, not_with_regex, same, different, x_different, layers, providers;
        values: place_count, additional_place_count, diskless_on_remaining, port_count)
}
