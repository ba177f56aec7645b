//! How a JSON shape of the REST API is declared, read and printed. Never knows a particular shape.
//!
//! A field under `must` has to be there in what we read and always stands in what we print. A field under `may` can be
//! absent or `null`, both of which mean its default; printed, it is left out when it is an absent option or an empty
//! string, list or map, while 0 and `false` are printed. A field under `counts` is one under `may` that is also read as
//! text (`"1"`), for known clients send it so, and never printed as text. A list where "not said" and "empty" differ is an
//! `Option<Vec<_>>`. Fields that we do not know are passed over: clients send some.

use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroize;

/// Properties: full key to value, both always text.
pub type Props = BTreeMap<String, String>;

/// One declared shape, so that tables and documents can speak of it by name.
pub struct Shape {
    /// The name that routes and the OpenAPI document use.
    pub name: &'static str,
    /// Gives the JSON schema (a reference into the generator's definitions).
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads JSON as this shape and prints it again.
    #[cfg(any(test, fuzzing))]
    pub echo: fn(&[u8]) -> Result<serde_json::Value, super::body::BodyError>,
}

/// Whether a value is left out of what we print.
pub trait Omit {
    /// True for nothing, and for an empty string, list or map.
    fn omit(&self) -> bool;
}

impl Omit for String {
    fn omit(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Omit for Vec<T> {
    fn omit(&self) -> bool {
        self.is_empty()
    }
}

impl<K, V> Omit for BTreeMap<K, V> {
    fn omit(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Omit for Option<T> {
    fn omit(&self) -> bool {
        self.is_none()
    }
}

macro_rules! never_omitted {
    ($($number:ty),*) => { $(impl Omit for $number { fn omit(&self) -> bool { false } })* };
}
never_omitted!(bool, i32, i64, f64);

/// Reads a field that may be `null`, which means the same as a field that is not there.
pub(super) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a whole number that known clients also send as text, such as `"1"`; `null` is none. A sign other than that of a
/// negative number is no part of it: clients mean something else by `+1`.
pub(super) fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    Ok(Option::<Count>::deserialize(deserializer)?.map(|count| count.0))
}

struct Count(i32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of 32 bits, also as text")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Count, E> {
        i32::try_from(value).map(Count).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Count, E> {
        i32::try_from(value).map(Count).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Count, E> {
        let number = text.parse().ok().filter(|_| !text.starts_with('+'));
        number.map(Count).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// A text that must not reach a log: its `Debug` shows nothing of it. Overwritten when nobody needs it any more.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for handing on. Never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Omit for Secret {
    fn omit(&self) -> bool {
        self.0.is_empty()
    }
}

/// Declares shapes and lists them in the module's `SHAPES`. `NAME modifies Props` adds the three fields with which
/// every change of properties is asked for.
macro_rules! shapes {
    ($(
        $(#[$meta:meta])*
        $name:ident $(modifies $props:ident)? {
            $(must { $($(#[$must_meta:meta])* $must:ident: $must_type:ty,)* })?
            $(counts { $($(#[$count_meta:meta])* $count:ident: $count_type:ty,)* })?
            $(may { $($(#[$may_meta:meta])* $may:ident: $may_type:ty,)* })?
        }
    )*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
            #[derive(schemars::JsonSchema)]
            // "Self" makes the derived code functions of the struct, which the two impls below call.
            #[serde(remote = "Self")]
            pub struct $name {
                $($($(#[$must_meta])* pub $must: $must_type,)*)?
                $($(
                    $(#[$count_meta])*
                    #[schemars(extend("x-also-text" = true))]
                    #[serde(
                        default,
                        deserialize_with = "crate::protocols::rest::shape::number_or_text",
                        skip_serializing_if = "crate::protocols::rest::shape::Omit::omit"
                    )]
                    pub $count: $count_type,
                )*)?
                $($(
                    $(#[$may_meta])*
                    #[serde(
                        default,
                        deserialize_with = "crate::protocols::rest::shape::null_is_default",
                        skip_serializing_if = "crate::protocols::rest::shape::Omit::omit"
                    )]
                    pub $may: $may_type,
                )*)?
                $(
                    /// Properties to set, or to replace where they are set already.
                    #[serde(
                        default,
                        deserialize_with = "crate::protocols::rest::shape::null_is_default",
                        skip_serializing_if = "crate::protocols::rest::shape::Omit::omit"
                    )]
                    pub override_props: $props,
                    /// Full keys of the properties to remove; done after the overrides.
                    #[serde(
                        default,
                        deserialize_with = "crate::protocols::rest::shape::null_is_default",
                        skip_serializing_if = "crate::protocols::rest::shape::Omit::omit"
                    )]
                    pub delete_props: Vec<String>,
                    /// Prefixes below which every property is removed.
                    #[serde(
                        default,
                        deserialize_with = "crate::protocols::rest::shape::null_is_default",
                        skip_serializing_if = "crate::protocols::rest::shape::Omit::omit"
                    )]
                    pub delete_namespaces: Vec<String>,
                )?
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    $name::serialize(self, serializer)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $name::deserialize($crate::protocols::rest::object_only::ObjectOnly(deserializer))
                }
            }

            $(
                impl $name {
                    /// Takes the change of properties out of this request.
                    pub fn take_props(&mut self) -> $crate::protocols::rest::props::PropsModify {
                        let override_props: $props = std::mem::take(&mut self.override_props);
                        $crate::protocols::rest::props::PropsModify {
                            override_props,
                            delete_props: std::mem::take(&mut self.delete_props),
                            delete_namespaces: std::mem::take(&mut self.delete_namespaces),
                        }
                    }
                }
            )?
        )*

        /// Every shape of this file.
        pub(super) const SHAPES: &[$crate::protocols::rest::shape::Shape] = &[$(
            $crate::protocols::rest::shape::Shape {
                name: stringify!($name),
                schema: |generator| generator.subschema_for::<$name>(),
                #[cfg(any(test, fuzzing))]
                echo: |bytes| {
                    let shape: $name = $crate::protocols::rest::body::read(bytes)?;
                    Ok(serde_json::to_value(shape).expect("a shape has text keys only"))
                },
            }
        ),*];
    };
}
