//! Reads request bodies. Strict about types (no fractional integers, none as text but for the counts that known clients
//! send so, nothing that overflows), lenient about what is left out or unknown. Never looks at the request's `Content-Type`: known clients send JSON without one.

use serde::de::DeserializeOwned;

/// Why a body could not be read. The text goes to the caller as the entry's message, so it names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There is no body, and this call needs one.
    #[error("the request has no body; send a JSON document")]
    Missing,
    /// The body is not JSON at all.
    #[error("the request's body is not JSON: {0}")]
    Syntax(String),
    /// The body is JSON, but a value in it does not fit.
    #[error("the request's body does not fit at {path}: {reason}")]
    Shape {
        /// Where, such as `net_interfaces[0].satellite_port`, or `the top level`.
        path: String,
        /// What is wrong there.
        reason: String,
    },
}

/// Reads a body that has to be there.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    if is_absent(bytes) {
        return Err(BodyError::Missing);
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(body_error)?;
    json.end().map_err(|error| BodyError::Syntax(error.to_string()))?;
    Ok(value)
}

/// Reads a body that can be left out. No bytes, white space and the literal `null` all mean the default.
pub fn read_optional<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, BodyError> {
    if is_absent(bytes) { Ok(T::default()) } else { read(bytes) }
}

fn is_absent(bytes: &[u8]) -> bool {
    let body = bytes.trim_ascii();
    body.is_empty() || body == b"null"
}

fn body_error(error: serde_path_to_error::Error<serde_json::Error>) -> BodyError {
    let path = error.path().to_string();
    let inner = error.into_inner();
    if !inner.is_data() {
        return BodyError::Syntax(inner.to_string());
    }
    let path = if path == "." { "the top level".to_owned() } else { path };
    BodyError::Shape { path, reason: inner.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::{definition::VolumeDefinitionCreate, node::NodeCreate, props::PropsModify};
    use super::*;

    fn reason<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> String {
        read::<T>(body.as_bytes()).expect_err(body).to_string()
    }

    #[test]
    fn nothing_and_null_are_the_default_where_a_body_is_optional() {
        for body in ["", "  \r\n", "null", " null "] {
            assert_eq!(read_optional::<PropsModify>(body.as_bytes()), Ok(PropsModify::default()));
            assert_eq!(read::<PropsModify>(body.as_bytes()), Err(BodyError::Missing));
        }
        assert!(read_optional::<PropsModify>(b"{").is_err());
    }

    #[test]
    fn null_fields_are_absent_fields_and_unknown_fields_are_passed_over() {
        let body = br#"{"override_props":null,"delete_props":null,"is_from_tomorrow":[1]}"#;
        assert_eq!(read(body), Ok(PropsModify::default()));
    }

    #[test]
    fn errors_name_the_field() {
        let text = reason::<NodeCreate>(
            r#"{"name":"a","type":"SATELLITE",
                "net_interfaces":[{"name":"default","address":"10.0.0.1","satellite_port":"3366"}]}"#,
        );
        assert!(text.contains("net_interfaces[0].satellite_port") && text.contains("\"3366\""), "{text}");
        let text = reason::<NodeCreate>(r#"{"name":"a"}"#);
        assert!(text.contains("the top level") && text.contains("`type`"), "{text}");
        assert!(reason::<NodeCreate>(r#"{"name":7,"type":"x"}"#).contains("at name"));
        assert!(reason::<NodeCreate>(r#"{"name":"#).contains("not JSON"));
        assert!(reason::<PropsModify>(r#"{} {}"#).contains("not JSON"));
        assert!(reason::<PropsModify>(r#"{"override_props":{"a":1}}"#).contains("override_props.a"));
    }

    #[test]
    fn integers_are_strict() {
        let with = |size: &str| format!(r#"{{"volume_definition":{{"size_kib":{size}}}}}"#);
        for size in ["1.0", "1e3", "\"1\"", "9223372036854775808", "1e400", "99999999999999999999999", "true", "[]"] {
            let text = reason::<VolumeDefinitionCreate>(&with(size));
            assert!(text.contains("volume_definition.size_kib") || text.contains("not JSON"), "{size}: {text}");
        }
        let read: VolumeDefinitionCreate = read(with("9223372036854775807").as_bytes()).unwrap();
        assert_eq!(read.volume_definition.size_kib, i64::MAX);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert!(read::<serde_json::Value>(deep.as_bytes()).is_err());
    }
}
