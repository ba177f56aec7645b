//! Tests that every shape has to pass. Samples are made from the shapes' own schemas, so that no shape is forgotten.
//! Never tests what one shape means.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::shape::Shape;
use super::{body, resource, shapes};

#[derive(Clone, Copy, PartialEq)]
enum Fill {
    /// Only what has to be there.
    Minimal,
    /// Every field.
    Full,
}

struct Sampler {
    definitions: Map<String, Value>,
}

impl Sampler {
    fn new() -> Sampler {
        let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
        for shape in shapes() {
            (shape.schema)(&mut generator);
        }
        Sampler { definitions: generator.take_definitions(true) }
    }

    fn fields(&self, shape: &Shape) -> Map<String, Value> {
        self.definitions[shape.name]["properties"].as_object().expect("a shape has fields").clone()
    }

    fn is_required(&self, shape: &Shape, field: &str) -> bool {
        let required = self.definitions[shape.name].get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|name| name == field))
    }

    fn shape(&self, shape: &Shape, fill: Fill) -> Value {
        self.named(shape.name, fill, &[])
    }

    fn named(&self, name: &str, fill: Fill, within: &[&str]) -> Value {
        self.value(&self.definitions[name], fill, &[within, &[name]].concat())
    }

    /// A sample of what `schema` describes; `within` names the shapes that it is inside of.
    fn value(&self, schema: &Value, fill: Fill, within: &[&str]) -> Value {
        if let Some(name) = reference(schema) {
            return self.named(name, fill, within);
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(either) = schema.get("anyOf") {
            return self.value(&either[0], fill, within);
        }
        match type_of(schema) {
            "object" => self.object(schema, fill, within),
            "array" => self.array(schema, fill, within),
            "string" => json!("text"),
            "integer" => json!(7),
            "number" => json!(1.5),
            "boolean" => json!(true),
            other => panic!("no sample for {other}: {schema}"),
        }
    }

    fn object(&self, schema: &Value, fill: Fill, within: &[&str]) -> Value {
        let Some(fields) = schema.get("properties").and_then(Value::as_object) else {
            let value = &schema["additionalProperties"];
            return if fill == Fill::Full { json!({ "key": self.value(value, fill, within) }) } else { json!({}) };
        };
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let wanted = |(name, field): &(&String, &Value)| {
            // A shape that holds itself ends after one round.
            let ends = reference(&field["items"]).is_some_and(|name| within.contains(&name));
            required.iter().any(|other| other == name.as_str()) || fill == Fill::Full && !ends
        };
        let filled = fields.iter().filter(wanted);
        filled.map(|(name, schema)| (name.clone(), self.value(schema, fill, within))).collect::<Map<_, _>>().into()
    }

    fn array(&self, schema: &Value, fill: Fill, within: &[&str]) -> Value {
        if fill == Fill::Minimal {
            return json!([]);
        }
        let items = &schema["items"];
        let kinds = reference(items).and_then(|name| self.definitions[name].get("oneOf")?.as_array());
        match kinds {
            Some(kinds) => kinds.iter().map(|kind| self.value(kind, fill, within)).collect(),
            None => json!([self.value(items, fill, within)]),
        }
    }
}

/// The name of the shape that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

/// The type of a schema; of several the one that is not null.
fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(name) => name,
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null").expect("a type"),
        other => panic!("no type: {other} in {schema}"),
    }
}

fn echo(shape: &Shape, value: &Value) -> Result<Value, body::BodyError> {
    (shape.echo)(value.to_string().as_bytes())
}

fn read(shape: &Shape, value: &Value) -> Value {
    echo(shape, value).unwrap_or_else(|error| panic!("{} {value}: {error}", shape.name))
}

#[test]
fn full_ones_come_back_as_they_went() {
    let sampler = Sampler::new();
    assert!(shapes().count() > 80);
    for shape in shapes() {
        let full = sampler.shape(shape, Fill::Full);
        assert_eq!(read(shape, &full), full, "{}", shape.name);
    }
}

#[test]
fn minimal_ones_gain_only_zero_and_false() {
    let sampler = Sampler::new();
    for shape in shapes() {
        let minimal = sampler.shape(shape, Fill::Minimal);
        let printed = read(shape, &minimal);
        for (name, value) in printed.as_object().expect("a shape is an object") {
            match minimal.get(name) {
                Some(given) if value.is_object() => assert!(is_within(given, value), "{}.{name}: {value}", shape.name),
                Some(given) => assert_eq!(value, given, "{}.{name}", shape.name),
                None => assert!(*value == json!(0) || *value == json!(false), "{}.{name}: {value}", shape.name),
            }
        }
        let lost = minimal.as_object().expect("an object").keys().find(|name| printed.get(name).is_none());
        assert_eq!(lost, None, "{} lost a field that has to be there", shape.name);
    }
}

fn is_within(given: &Value, printed: &Value) -> bool {
    let given = given.as_object().expect("an object");
    given.iter().all(|(name, value)| match (value, &printed[name]) {
        (Value::Object(_), inner) => is_within(value, inner),
        (value, inner) => value == inner,
    })
}

#[test]
fn null_is_absent_and_the_unknown_is_passed_over() {
    let sampler = Sampler::new();
    for shape in shapes() {
        let minimal = sampler.shape(shape, Fill::Minimal);
        let mut nulled = minimal.clone();
        for name in sampler.fields(shape).keys().filter(|name| !sampler.is_required(shape, name)) {
            nulled[name] = Value::Null;
        }
        nulled["field_from_tomorrow"] = json!({ "a": [1] });
        assert_eq!(read(shape, &nulled), read(shape, &minimal), "{}", shape.name);
    }
}

#[test]
fn what_is_missing_or_misfits_is_named() {
    let sampler = Sampler::new();
    for shape in shapes() {
        let minimal = sampler.shape(shape, Fill::Minimal);
        for (name, schema) in sampler.fields(shape) {
            for wrong in [json!(7.5), json!({ "a": [[1]] }), json!("7"), json!([[1]]), json!(true), json!(1e300)] {
                let text_fits = is_text(&schema) || schema["x-also-text"] == true;
                if wrong.is_string() && text_fits || wrong.is_boolean() && is_type(&schema, "boolean") {
                    continue;
                }
                if wrong.is_number() && is_type(&schema, "number") || wrong.is_object() && is_shape(&schema) {
                    continue;
                }
                let mut sample = minimal.clone();
                sample[&name] = wrong.clone();
                let error = echo(shape, &sample).expect_err(&format!("{}.{name} took {wrong}", shape.name));
                assert!(error.to_string().contains(&name), "{}.{name}: {error}", shape.name);
            }
            if sampler.is_required(shape, &name) {
                let mut sample = minimal.clone();
                sample.as_object_mut().expect("an object").remove(&name);
                let error = echo(shape, &sample).expect_err(&format!("{} without {name}", shape.name));
                assert!(error.to_string().contains(&name), "{}.{name}: {error}", shape.name);
            }
        }
    }
}

fn is_type(schema: &Value, name: &str) -> bool {
    schema["type"] == name || schema["type"].as_array().is_some_and(|types| types.iter().any(|other| other == name))
}

fn is_text(schema: &Value) -> bool {
    // A secret is a reference to a shape that is a text.
    is_type(schema, "string") || schema.to_string().contains("/Secret\"")
}

/// A shape without fields that have to be there takes every object.
fn is_shape(schema: &Value) -> bool {
    schema.get("$ref").is_some() || schema.get("anyOf").is_some()
}

#[test]
fn a_view_of_resources_comes_back_as_it_went() {
    // Origin: an element of GET /v1/view/resources as the LINSTOR REST API 1.28.0 gives it, with made-up values.
    let text = include_str!("../../../tests/fixtures/rest/view_resources.json");
    let resources: Vec<resource::Resource> = body::read(text.as_bytes()).unwrap();
    let drbd = resources[0].layer_object.drbd.as_ref().expect("the layer is DRBD");
    assert_eq!((drbd.node_id, drbd.drbd_resource_definition.port), (0, -1));
    assert!(drbd.connections["beta"].connected);
    assert_eq!(resources[0].volumes[0].layer_data_list.len(), 2);
    assert_eq!(resources[0].state.as_ref().and_then(|state| state.in_use), Some(false));
    let given: Value = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_value(&resources).unwrap(), given);
}
