//! Properties, what is known of their keys, and key-value stores as tables.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Page, text_or_unknown};
use crate::cli::grid::{Grid, Text};
use crate::protocols::rest::kvs::KeyValueStore;
use crate::protocols::rest::props::PropsInfo;
use crate::protocols::rest::shape::Props;

const NO_PROPERTIES: &str = "No properties are set.";

/// What is known of properties, by key.
pub type Keys = BTreeMap<String, PropsInfo>;

/// A flat map of properties.
pub fn texts(json: &str) -> Result<Page, serde_json::Error> {
    Ok(table(&serde_json::from_str(json)?))
}

/// The properties of an object, which stand in a field of it; of a list the first object counts.
pub fn property_page(object: &Value, field: Option<&str>) -> Page {
    let object = object.as_array().map_or(Some(object), |list| list.first());
    let props = object.and_then(|object| field.map_or(Some(object), |field| object.get(field)));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let props = props.and_then(Value::as_object);
    table(&props.into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect())
}

fn table(props: &Props) -> Page {
    let mut grid = Grid::new(&["Key", "Value"]);
    for (key, value) in props {
        grid.row([Text::from(key), Text::from(value)]);
    }
    Page::table(grid, NO_PROPERTIES)
}

/// Keys that an object may have, as far as they contain a text in any case of letters.
pub fn key_page(keys: &Keys, contains: Option<&str>) -> Page {
    let wanted = contains.unwrap_or_default().to_lowercase();
    let mut grid = Grid::new(&["Key", "Takes", "Default", "Meaning"]);
    for (key, info) in keys.iter().filter(|(key, _)| key.to_lowercase().contains(&wanted)) {
        let takes = if info.value.is_empty() { &info.prop_type } else { &info.value };
        let takes = if info.unit.is_empty() { takes.clone() } else { format!("{takes} {}", info.unit) };
        grid.row([Text::from(key), takes.into(), text_or_unknown(&info.dflt), Text::from(&info.info)]);
    }
    Page::table(grid, "There is no such key. Keys below Aux/ are free.")
}

/// The list of key-value stores.
pub fn stores(json: &str) -> Result<Page, serde_json::Error> {
    let stores: Vec<KeyValueStore> = serde_json::from_str(json)?;
    let mut grid = Grid::new(&["Store", "Keys"]);
    for store in &stores {
        grid.row([Text::from(&store.name), Text::from(store.props.len())]);
    }
    Ok(Page::table(grid, "There are no key-value stores."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{assert_row, drawn};
    use super::*;

    fn page(object: &Value, field: Option<&str>) -> String {
        let page = property_page(object, field);
        let style = crate::cli::grid::Style { ascii: true, colours: false, fit: false };
        page.grid.filter(|grid| !grid.is_empty()).map_or(page.nothing.to_owned(), |grid| style.draw(&grid))
    }

    #[test]
    fn properties_wherever_they_stand() {
        assert_row(&drawn(texts, r#"{"a/b":"c"}"#), &["a/b", "c"]);
        assert_row(&page(&json!({"name":"n","props":{"k":"v"}}), Some("props")), &["k", "v"]);
        assert_row(&page(&json!([{"name":"n","props":{"k":"v"}}]), Some("props")), &["k", "v"]);
        assert_row(&page(&json!({"k":"v"}), None), &["k", "v"]);
        for nothing in [json!({"name":"n"}), json!([]), json!({"props":{}})] {
            assert_eq!(page(&nothing, Some("props")), NO_PROPERTIES);
        }
    }

    #[test]
    fn keys_that_contain_a_text() {
        let keys = json!({"DrbdOptions/Net/timeout":{"prop_type":"range","value":"1 - 600","dflt":"60","unit":"1/10 s",
            "info":"how long"},"Aux":{"prop_type":"string"}});
        let page = key_page(&serde_json::from_value(keys).unwrap(), Some("NET/"));
        let style = crate::cli::grid::Style { ascii: true, colours: false, fit: false };
        let text = style.draw(&page.grid.unwrap());
        assert_row(&text, &["DrbdOptions/Net/timeout", "1 - 600 1/10 s", "60", "how long"]);
        assert!(!text.contains("Aux"), "{text}");
    }

    #[test]
    fn a_list_of_stores() {
        assert_row(&drawn(stores, r#"[{"name":"csi","props":{"a":"1","b":"2"}}]"#), &["csi", "2"]);
    }
}
