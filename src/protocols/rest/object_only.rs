//! Reads a struct from a JSON object and from nothing else. By itself serde also takes a list for one, field by field
//! in order, so that `[{…}]` where `{…}` belongs would be read as what nobody said. Never looks at the fields.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A deserializer that offers nothing but an object.
pub(super) struct ObjectOnly<D>(pub(super) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(MapVisitor(visitor))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct MapVisitor<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for MapVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::{BodyError, read, read_optional};
    use super::super::resource::{AutoPlaceRequest, ResourceCreate};

    #[test]
    fn a_list_is_no_object() {
        let list = br#"[{"resource":{"flags":["DRBD_DISKLESS"]}}]"#;
        let error = read::<ResourceCreate>(list).unwrap_err().to_string();
        assert!(error.contains("the top level") && error.contains("expected an object"), "{error}");
        assert!(matches!(read_optional::<AutoPlaceRequest>(b"[]"), Err(BodyError::Shape { .. })));
        let error = read::<AutoPlaceRequest>(br#"{"select_filter":[3]}"#).unwrap_err().to_string();
        assert!(error.contains("at select_filter"), "{error}");
        assert_eq!(read::<Vec<ResourceCreate>>(list).unwrap()[0].resource.as_ref().unwrap().flags, ["DRBD_DISKLESS"]);
    }
}
