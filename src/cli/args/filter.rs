//! Where replicas may go, on the command line. Never chooses a place.

use clap::Args;

use super::values;
use crate::protocols::rest::group::AutoSelectFilter;

/// The word that clears a list.
const NONE: &str = "none";

/// Where replicas may go. The word `none` clears a list.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Placement (the word none clears a list)")]
pub struct Filter {
    /// Replicas in all.
    #[arg(long, short = 'c', visible_alias = "replicas", value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(0..))]
    pub place_count: Option<i32>,
    /// Nodes to choose from.
    #[arg(long, value_name = "NODES", value_delimiter = ',')]
    pub nodes: Option<Vec<String>>,
    /// Storage pools to choose from.
    #[arg(long, short = 's', visible_alias = "storage-pool", value_name = "POOLS", value_delimiter = ',')]
    pub pools: Option<Vec<String>>,
    /// Storage pools to choose from for replicas without a disk.
    #[arg(long, value_name = "POOLS", value_delimiter = ',')]
    pub diskless_pools: Option<Vec<String>>,
    /// Keep away from the nodes of these resources.
    #[arg(long, value_name = "RESOURCES", value_delimiter = ',')]
    pub do_not_place_with: Option<Vec<String>>,
    /// The same, as a regular expression over names.
    #[arg(long, value_name = "REGEX")]
    pub do_not_place_with_regex: Option<String>,
    /// All replicas on nodes that agree in these properties: KEY or KEY=VALUE.
    #[arg(long, value_name = "PROPERTIES", value_delimiter = ',')]
    pub replicas_on_same: Option<Vec<String>>,
    /// All replicas on nodes that differ in these properties.
    #[arg(long, value_name = "PROPERTIES", value_delimiter = ',')]
    pub replicas_on_different: Option<Vec<String>>,
    /// At most so many replicas on nodes that agree in a property.
    #[arg(long, value_name = "KEY=NUMBER", value_delimiter = ',', value_parser = values::count)]
    pub x_replicas_on_different: Vec<(String, i32)>,
    /// Layers from the top, such as drbd,storage.
    #[arg(long, short = 'l', value_name = "LAYERS", value_delimiter = ',', value_parser = layer_or_none)]
    pub layers: Option<Vec<String>>,
    /// Kinds of storage pool to choose from, such as lvm-thin.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = provider_or_none)]
    pub providers: Option<Vec<String>>,
    /// Whether every other node gets a replica without a disk.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub diskless_on_remaining: Option<bool>,
}

impl Filter {
    /// As it goes over the wire; `None` when it says nothing.
    pub fn select(&self) -> Option<AutoSelectFilter> {
        let counts = &self.x_replicas_on_different;
        let filter = AutoSelectFilter {
            place_count: self.place_count,
            node_name_list: list(&self.nodes),
            storage_pool_list: list(&self.pools),
            storage_pool_diskless_list: list(&self.diskless_pools),
            not_place_with_rsc: list(&self.do_not_place_with),
            not_place_with_rsc_regex: self.do_not_place_with_regex.clone(),
            replicas_on_same: list(&self.replicas_on_same).map(auxiliary),
            replicas_on_different: list(&self.replicas_on_different).map(auxiliary),
            x_replicas_on_different_map: (!counts.is_empty())
                .then(|| counts.iter().map(|(key, number)| (auxiliary_key(key), *number)).collect()),
            layer_stack: list(&self.layers),
            provider_list: list(&self.providers),
            diskless_on_remaining: self.diskless_on_remaining,
            ..AutoSelectFilter::default()
        };
        (filter != AutoSelectFilter::default()).then_some(filter)
    }
}

/// Reads a list of layers, or the word that clears it.
pub fn layer_or_none(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case(NONE) { Ok(NONE.to_owned()) } else { values::layer(text) }
}

fn provider_or_none(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case(NONE) { Ok(NONE.to_owned()) } else { values::provider(text) }
}

fn list(given: &Option<Vec<String>>) -> Option<Vec<String>> {
    let given = given.as_ref()?;
    let names = given.iter().map(|name| name.trim()).filter(|name| !name.is_empty() && *name != NONE);
    Some(names.map(str::to_owned).collect())
}

fn auxiliary(keys: Vec<String>) -> Vec<String> {
    keys.iter().map(|key| auxiliary_key(key)).collect()
}

/// Properties that people give to nodes lie under `Aux/`: a key without a namespace is one of them.
fn auxiliary_key(text: &str) -> String {
    let key = text.split('=').next().unwrap_or_default();
    if key.contains('/') { text.to_owned() } else { format!("Aux/{text}") }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filter: Filter,
    }

    fn select(line: &str) -> Option<Value> {
        let words = std::iter::once("x").chain(line.split_whitespace());
        let filter = Line::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}")).filter;
        filter.select().map(|filter| serde_json::to_value(filter).unwrap())
    }

    #[test]
    fn what_is_not_said_is_not_sent() {
        assert_eq!(select(""), None);
        assert_eq!(select("-c 2"), Some(json!({"place_count": 2})));
        assert_eq!(select("--replicas 0"), Some(json!({"place_count": 0})));
        assert_eq!(select("-s a,b --nodes c"), Some(json!({"storage_pool_list": ["a", "b"], "node_name_list": ["c"]})));
        assert_eq!(select("-l drbd,STORAGE"), Some(json!({"layer_stack": ["DRBD", "STORAGE"]})));
        assert_eq!(select("--providers lvm-thin"), Some(json!({"provider_list": ["LVM_THIN"]})));
        assert_eq!(select("--diskless-on-remaining"), Some(json!({"diskless_on_remaining": true})));
        assert_eq!(select("--diskless-on-remaining false"), Some(json!({"diskless_on_remaining": false})));
    }

    #[test]
    fn none_clears_a_list() {
        let cleared = json!({"storage_pool_list": [], "layer_stack": [], "provider_list": []});
        assert_eq!(select("--pools none --layers none --providers none"), Some(cleared));
    }

    #[test]
    fn keys_without_a_namespace_are_auxiliary() {
        let expected = json!({"replicas_on_same": ["Aux/site=a", "Other/x"], "replicas_on_different": ["Aux/rack"],
            "x_replicas_on_different_map": {"Aux/room": 2}});
        let line = "--replicas-on-same site=a,Other/x --replicas-on-different rack --x-replicas-on-different room=2";
        assert_eq!(select(line), Some(expected));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["-c -1", "-c x", "--layers foo", "--providers foo", "--x-replicas-on-different a"] {
            assert!(Line::try_parse_from(std::iter::once("x").chain(line.split(' '))).is_err(), "{line}");
        }
    }
}
