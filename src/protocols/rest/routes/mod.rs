//! The one table of routes: every call of the API with what it takes and gives, and which of them are built. The server
//! dispatches by it, the OpenAPI document is made of it. Never carries a call out.

mod controller;
mod definitions;
mod find;
mod groups;
mod nodes;
mod own;
mod pools;
mod remotes;
mod resources;
mod snapshots;

pub use find::{Match, Params, find};

use std::fmt;

/// An HTTP method that some call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// GET; a HEAD is taken for one.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// OPTIONS; a call of its own, not only what browsers ask first.
    Options,
}

impl Method {
    /// Reads a method as it stands in a request; `None` for one that no call takes.
    pub fn parse(text: &str) -> Option<Method> {
        match text {
            "GET" | "HEAD" => Some(Method::Get),
            "POST" => Some(Method::Post),
            "PUT" => Some(Method::Put),
            "PATCH" => Some(Method::Patch),
            "DELETE" => Some(Method::Delete),
            "OPTIONS" => Some(Method::Options),
            _ => None,
        }
    }

    /// The method as it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// In which order the calls are built, by who needs them first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The operator, and CSI as it starts.
    One,
    /// CSI's volumes.
    Two,
    /// CSI's snapshots and copies.
    Three,
    /// People with the command line.
    Four,
    /// Known, but answered by an error that says so.
    NotBuilt,
}

/// What a call takes as body. Names are those of [`super::shapes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing; what comes is passed over.
    Nothing,
    /// One object.
    One(&'static str),
    /// One object, or nothing.
    Optional(&'static str),
    /// A list of objects.
    Many(&'static str),
    /// A bare JSON text.
    Text,
    /// JSON that is not described: only where the call is not built.
    Any,
}

/// What a call gives when it succeeds. When it fails it gives entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A list of entries (`ApiCallRc`).
    Entries,
    /// One object.
    One(&'static str),
    /// A list of objects.
    Many(&'static str),
    /// A map of objects.
    Map(&'static str),
    /// A map of texts.
    Texts,
    /// JSON that is not described.
    Json,
    /// Plain text.
    Text,
    /// Server-sent events.
    Events,
    /// A file.
    Bytes,
}

/// One call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// When it is built.
    pub stage: Stage,
    /// Its method.
    pub method: Method,
    /// Its path, with `{name}` for a segment and `{name*}` for all that is left.
    pub path: &'static str,
    /// Its name, of which there is one only.
    pub operation: &'static str,
    /// Its query parameters, split by spaces; one that can be repeated ends with `*`.
    pub query: &'static str,
    /// What it takes.
    pub body: Body,
    /// HTTP status when it succeeds.
    pub status: u16,
    /// What it gives.
    pub answer: Answer,
    /// What it is for.
    pub purpose: &'static str,
}

impl Route {
    /// Whether the call is carried out.
    pub fn is_built(&self) -> bool {
        self.stage != Stage::NotBuilt
    }
}

/// Rows of the table: `Stage Method "path" operation ?"query" Body => status Answer "purpose";`.
macro_rules! routes {
    ($(
        $stage:ident $method:ident $path:literal $operation:ident $(? $query:literal)?
        $body:ident $(($taken:literal))? => $status:literal $answer:ident $(($given:literal))?
        $purpose:literal;
    )*) => {
        &[$($crate::protocols::rest::routes::Route {
            stage: $crate::protocols::rest::routes::Stage::$stage,
            method: $crate::protocols::rest::routes::Method::$method,
            path: $path,
            operation: stringify!($operation),
            query: concat!($($query)?),
            body: $crate::protocols::rest::routes::Body::$body $(($taken))?,
            status: $status,
            answer: $crate::protocols::rest::routes::Answer::$answer $(($given))?,
            purpose: $purpose,
        }),*]
    };
}
use routes;

/// Every call of the API.
pub fn all() -> impl Iterator<Item = &'static Route> {
    let files: [&'static [Route]; 9] = [
        nodes::ROUTES,
        pools::ROUTES,
        groups::ROUTES,
        definitions::ROUTES,
        resources::ROUTES,
        snapshots::ROUTES,
        controller::ROUTES,
        remotes::ROUTES,
        own::ROUTES,
    ];
    files.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_one_name() {
        let mut seen = BTreeSet::new();
        for route in all() {
            assert!(seen.insert(route.operation), "{} stands twice", route.operation);
            assert!(route.purpose.ends_with('.'), "{}", route.operation);
        }
    }

    #[test]
    fn every_shape_exists() {
        let shapes: BTreeSet<_> = super::super::shapes().map(|shape| shape.name).collect();
        for route in all() {
            if let Body::One(name) | Body::Optional(name) | Body::Many(name) = route.body {
                assert!(shapes.contains(name), "{} takes {name}", route.operation);
            }
            if let Answer::One(name) | Answer::Many(name) | Answer::Map(name) = route.answer {
                assert!(shapes.contains(name), "{} gives {name}", route.operation);
            }
        }
    }

    #[test]
    fn what_is_built_says_what_it_takes() {
        for route in all().filter(|route| route.is_built()) {
            assert_ne!(route.body, Body::Any, "{}", route.operation);
        }
    }

    #[test]
    fn methods_in_words() {
        for route in all() {
            assert_eq!(Method::parse(route.method.as_str()), Some(route.method));
        }
        assert_eq!(Method::parse("HEAD"), Some(Method::Get));
        assert_eq!(Method::parse("get"), None);
        assert_eq!(Method::parse("TRACE"), None);
    }
}
