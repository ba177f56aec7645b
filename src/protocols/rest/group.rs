//! Resource groups, volume groups and the filter that says where replicas may go, on the wire. Never places anything.

use std::collections::BTreeMap;

use super::shape::{Props, Secret};

shapes! {
    /// Where replicas may go. A list that is not there says nothing; an empty one says "none" and clears what was.
    AutoSelectFilter {
        counts {
            /// Replicas that are wanted in all.
            place_count: Option<i32>,
            /// Replicas that are wanted beside those that exist.
            additional_place_count: Option<i32>,
            /// TCP ports for each replica.
            port_count: Option<i32>,
        }
        may {
            /// Nodes to choose from.
            node_name_list: Option<Vec<String>>,
            /// The only pool; a short form of `storage_pool_list`.
            storage_pool: Option<String>,
            /// Pools to choose from.
            storage_pool_list: Option<Vec<String>>,
            /// Pools to choose from for replicas without a disk.
            storage_pool_diskless_list: Option<Vec<String>>,
            /// Resources whose nodes are left out.
            not_place_with_rsc: Option<Vec<String>>,
            /// The same, as a regular expression over names.
            not_place_with_rsc_regex: Option<String>,
            /// `key` or `key=value`: all replicas on nodes that agree in it.
            replicas_on_same: Option<Vec<String>>,
            /// `key` or `key=value`: all replicas on nodes that differ in it.
            replicas_on_different: Option<Vec<String>>,
            /// By property key: most replicas that may share one value.
            x_replicas_on_different_map: Option<BTreeMap<String, i32>>,
            /// Layers from the top, such as `DRBD`, `LUKS`, `STORAGE`.
            layer_stack: Option<Vec<String>>,
            /// Kinds of pool to choose from.
            provider_list: Option<Vec<String>>,
            /// Whether every other node gets a replica without a disk.
            diskless_on_remaining: Option<bool>,
            /// Flag of the replicas without a disk, such as `DRBD_DISKLESS`.
            diskless_type: Option<String>,
            /// How far thin pools may be overbooked, in queries for sizes.
            overprovision: Option<f64>,
        }
    }

    /// A resource group.
    ResourceGroup {
        must {
            /// Name.
            name: String,
        }
        may {
            /// What it is for.
            description: String,
            /// Properties.
            props: Props,
            /// Unique id.
            uuid: String,
            /// Where replicas may go.
            select_filter: Option<AutoSelectFilter>,
        }
    }

    /// Creates a resource group.
    ResourceGroupCreate {
        must {
            /// Name.
            name: String,
        }
        may {
            /// What it is for.
            description: Option<String>,
            /// Properties.
            props: Props,
            /// Where replicas may go.
            select_filter: Option<AutoSelectFilter>,
            /// Most replicas beside a node's own.
            peer_slots: Option<i32>,
        }
    }

    /// Changes a resource group.
    ResourceGroupModify modifies Props {
        may {
            /// What it is for.
            description: Option<String>,
            /// Where replicas may go; what it does not say stays.
            select_filter: Option<AutoSelectFilter>,
            /// Most replicas beside a node's own.
            peer_slots: Option<i32>,
            /// Snapshots that new replicas get too.
            snap_names: Option<Vec<String>>,
            /// Whether new replicas get every snapshot.
            copy_all_snaps: Option<bool>,
        }
    }

    /// Makes a resource out of a group.
    ResourceGroupSpawn {
        may {
            /// Name; can be empty when there is an external one.
            resource_definition_name: Option<String>,
            /// Name that the outside uses.
            resource_definition_external_name: Option<String>,
            /// KiB of each volume.
            volume_sizes: Vec<i64>,
            /// What to do differently from the group's filter.
            select_filter: Option<AutoSelectFilter>,
            /// Whether fewer or more sizes than the group has volumes are fine.
            partial: bool,
            /// Make definitions only, place nothing.
            definitions_only: bool,
            /// Most replicas beside a node's own.
            peer_slots: Option<i32>,
            /// Passphrase of each encrypted volume.
            volume_passphrases: Option<Vec<Secret>>,
            /// Properties of the resource definition.
            resource_definition_props: Props,
        }
    }

    /// Places again what a group has made.
    ResourceGroupAdjust {
        may {
            /// What to do differently from the group's filter.
            select_filter: Option<AutoSelectFilter>,
            /// Snapshots that new replicas get too.
            snap_names: Option<Vec<String>>,
            /// Whether new replicas get every snapshot.
            copy_all_snaps: Option<bool>,
        }
    }

    /// A volume that a group gives to its resources.
    VolumeGroup {
        must {
            /// Its number.
            volume_number: i32,
        }
        may {
            /// Properties.
            props: Props,
            /// Unique id.
            uuid: String,
            /// `GROSS_SIZE`.
            flags: Vec<String>,
        }
    }

    /// Creates a volume group.
    VolumeGroupCreate {
        may {
            /// Its number; by default the next free one.
            volume_number: Option<i32>,
            /// Properties.
            props: Props,
            /// `GROSS_SIZE`.
            flags: Vec<String>,
        }
    }

    /// Changes a volume group.
    VolumeGroupModify modifies Props {
        may {
            /// `GROSS_SIZE` sets, `-GROSS_SIZE` clears.
            flags: Vec<String>,
        }
    }
}

impl AutoSelectFilter {
    /// Makes "none" into "not said", as answers have it: what is empty is left out there.
    #[must_use]
    pub fn without_empty(mut self) -> AutoSelectFilter {
        let lists = [
            &mut self.node_name_list,
            &mut self.storage_pool_list,
            &mut self.storage_pool_diskless_list,
            &mut self.not_place_with_rsc,
            &mut self.replicas_on_same,
            &mut self.replicas_on_different,
            &mut self.layer_stack,
            &mut self.provider_list,
        ];
        for list in lists {
            list.take_if(|list| list.is_empty());
        }
        for text in [&mut self.storage_pool, &mut self.not_place_with_rsc_regex, &mut self.diskless_type] {
            text.take_if(|text| text.is_empty());
        }
        self.x_replicas_on_different_map.take_if(|map| map.is_empty());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::body::read;
    use super::*;

    #[test]
    fn null_and_empty_lists_differ() {
        let filter: AutoSelectFilter =
            read(br#"{"storage_pool_list":[],"replicas_on_same":null,"layer_stack":["drbd"]}"#).unwrap();
        assert_eq!(filter.storage_pool_list, Some(vec![]));
        assert_eq!(filter.replicas_on_same, None);
        assert_eq!(filter.replicas_on_different, None);
        assert_eq!(serde_json::to_value(&filter).unwrap(), json!({"storage_pool_list":[],"layer_stack":["drbd"]}));
        assert_eq!(serde_json::to_value(filter.without_empty()).unwrap(), json!({"layer_stack":["drbd"]}));
    }

    #[test]
    fn counts_are_read_as_text_too_and_printed_as_numbers() {
        let read_as = |value: &str| read::<AutoSelectFilter>(format!(r#"{{"place_count":{value}}}"#).as_bytes());
        for (value, count) in [("1", Some(1)), ("\"1\"", Some(1)), ("\"-1\"", Some(-1)), ("null", None)] {
            assert_eq!(read_as(value).unwrap().place_count, count, "{value}");
        }
        let filter: AutoSelectFilter = read(br#"{"additional_place_count":"2","port_count":"3"}"#).unwrap();
        assert_eq!(serde_json::to_value(&filter).unwrap(), json!({"additional_place_count":2,"port_count":3}));
        for value in
            ["1.0", "\"1.0\"", "\"+1\"", "\"max\"", "\"\"", "\" 1\"", "2147483648", "\"2147483648\"", "[]", "true"]
        {
            let text = read_as(value).expect_err(value).to_string();
            assert!(text.contains("at place_count") && text.contains("whole number"), "{value}: {text}");
        }
    }

    #[test]
    fn a_change_gives_up_its_properties_once() {
        let mut change: ResourceGroupModify =
            read(br#"{"override_props":{"a":"1"},"delete_props":["b"],"delete_namespaces":["c"]}"#).unwrap();
        let props = change.take_props();
        assert_eq!(props.override_props["a"], "1");
        assert_eq!((props.delete_props, props.delete_namespaces), (vec!["b".to_owned()], vec!["c".to_owned()]));
        assert!(change.take_props().is_empty());
    }
}
