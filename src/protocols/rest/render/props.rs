//! The catalogue of properties, and key-value stores.

use std::collections::BTreeMap;

use super::json::Json;
use crate::model::kvs::KeyValueStore;
use crate::model::props::{PropInfo, PropertyOwner, info, info_all};

/// What may be set on a kind of object.
pub fn catalogue(json: &mut Json, owner: PropertyOwner) {
    infos(json, &info(owner));
}

/// What may be set on every kind of object.
pub fn catalogues(json: &mut Json) {
    json.object(|json| {
        for (name, all) in info_all() {
            json.key(name);
            infos(json, &all);
        }
    });
}

fn infos(json: &mut Json, all: &BTreeMap<&'static str, PropInfo>) {
    json.object(|json| {
        for (key, info) in all {
            json.key(key);
            json.object(|json| {
                json.text("info", info.info.unwrap_or_default());
                json.text("prop_type", info.prop_type);
                json.text("value", info.value.as_deref().unwrap_or_default());
                json.text("dflt", info.dflt.unwrap_or_default());
                json.text("unit", info.unit.unwrap_or_default());
            });
        }
    });
}

/// A key-value store.
pub fn key_value_store(json: &mut Json, store: &KeyValueStore) {
    json.object(|json| {
        json.must("name", store.name.as_str());
        json.foreign_props("props", &store.props);
    });
}
