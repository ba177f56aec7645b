//! The OpenAPI document, made of the table of routes and the shapes. Never written by hand: the committed
//! `docs/reference/openapi.json` is a copy, and a test fails when it differs.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::controller::REST_API_VERSION;
use super::routes::{self, Answer, Body, Route};
use super::shapes;

/// Where schemas stand in the document.
const SCHEMAS: &str = "/components/schemas";

/// The whole document, OpenAPI 3.1.
pub fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Zea",
            "version": REST_API_VERSION,
            "description": "The LINSTOR REST API as Zea serves it, and what is Zea's own under /v1/zea. A call that is \
                marked x-not-built answers status 501 and an entry that says so.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths(),
        "components": { "schemas": schemas() },
    })
}

/// The document as the committed copy has it.
pub fn text() -> String {
    format!("{:#}\n", document())
}

fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = SCHEMAS.into();
        settings.meta_schema = None;
    });
    let mut generator = SchemaGenerator::new(settings);
    for shape in shapes() {
        (shape.schema)(&mut generator);
    }
    generator.take_definitions(true)
}

fn paths() -> Value {
    let mut paths = Map::new();
    for route in routes::all() {
        let path = route.path.replace("*}", "}");
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    Value::Object(paths)
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": route.operation,
        "summary": route.purpose,
        "responses": {
            route.status.to_string(): answer(route.answer),
            "default": entries("What went wrong."),
        },
    });
    let parameters: Vec<Value> = path_parameters(route.path).chain(query_parameters(route.query)).collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = body(route.body) {
        operation["requestBody"] = body;
    }
    if !route.is_built() {
        operation["x-not-built"] = true.into();
    }
    operation
}

fn path_parameters(path: &'static str) -> impl Iterator<Item = Value> {
    let name = |segment: &'static str| segment.strip_prefix('{')?.strip_suffix('}');
    path.split('/').filter_map(name).map(|name| {
        let name = name.trim_end_matches('*');
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    })
}

fn query_parameters(query: &'static str) -> impl Iterator<Item = Value> {
    query.split_whitespace().map(|name| match name.strip_suffix('*') {
        Some(name) => {
            json!({ "name": name, "in": "query", "schema": { "type": "array", "items": { "type": "string" } } })
        }
        None => json!({ "name": name, "in": "query", "schema": { "type": query_type(name) } }),
    })
}

fn query_type(name: &str) -> &'static str {
    match name {
        "limit" | "offset" | "since" | "to" | "timestamp" => "integer",
        "cached"
        | "with_volume_definitions"
        | "keep_tiebreaker"
        | "withContent"
        | "content"
        | "resource"
        | "storage_pools"
        | "error_reports"
        | "include-ctrl"
        | "active-only"
        | "cascading"
        | "all"
        | "all_local_cluster"
        | "dryrun"
        | "keep_snaps"
        | "delete_empty_resource_definition" => "boolean",
        _ => "string",
    }
}

fn body(body: Body) -> Option<Value> {
    let (required, schema) = match body {
        Body::Nothing => return None,
        Body::One(name) => (true, reference(name)),
        Body::Optional(name) => (false, reference(name)),
        Body::Many(name) => (true, list_of(name)),
        Body::Text => (true, json!({ "type": "string" })),
        Body::Any => (false, json!({})),
    };
    Some(json!({ "required": required, "content": content("application/json", schema) }))
}

fn answer(answer: Answer) -> Value {
    let (description, content) = match answer {
        Answer::Entries => return entries("What was done."),
        Answer::One(name) => ("It.", content("application/json", reference(name))),
        Answer::Many(name) => ("A list, which can be empty.", content("application/json", list_of(name))),
        Answer::Map(name) => ("A map.", content("application/json", map_of(reference(name)))),
        Answer::Texts => ("A map of texts.", content("application/json", map_of(json!({ "type": "string" })))),
        Answer::Json => ("JSON.", content("application/json", json!({}))),
        Answer::Text => ("Text.", content("text/plain", json!({ "type": "string" }))),
        Answer::Events => ("A stream of events.", content("text/event-stream", json!({ "type": "string" }))),
        Answer::Bytes => ("A file.", content("application/octet-stream", json!({}))),
    };
    json!({ "description": description, "content": content })
}

fn entries(description: &str) -> Value {
    json!({ "description": description, "content": content("application/json", list_of("ApiCallRc")) })
}

fn content(media_type: &str, schema: Value) -> Value {
    json!({ media_type: { "schema": schema } })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#{SCHEMAS}/{name}") })
}

fn list_of(name: &str) -> Value {
    json!({ "type": "array", "items": reference(name) })
}

fn map_of(schema: Value) -> Value {
    json!({ "type": "object", "additionalProperties": schema })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 200, "{}", found.len());
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("references stay in the document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn one_operation_in_full() {
        let document = document();
        let expected = json!({
            "operationId": "resourceDelete",
            "summary": "Removes a replica.",
            "parameters": [
                { "name": "rd", "in": "path", "required": true, "schema": { "type": "string" } },
                { "name": "node", "in": "path", "required": true, "schema": { "type": "string" } },
                { "name": "keep_tiebreaker", "in": "query", "schema": { "type": "boolean" } },
            ],
            "responses": {
                "200": entries("What was done."),
                "default": entries("What went wrong."),
            },
        });
        assert_eq!(document["paths"]["/v1/resource-definitions/{rd}/resources/{node}"]["delete"], expected);
        assert_eq!(document["paths"]["/v1/nodes/ebs"]["post"]["x-not-built"], true);
    }

    #[test]
    fn a_shape_tells_what_it_needs() {
        let document = document();
        let node = &document["components"]["schemas"]["NodeCreate"];
        assert_eq!(node["required"], json!(["name", "type"]));
        assert!(node["description"].as_str().is_some_and(|text| text.contains("Registers")));
    }
}
