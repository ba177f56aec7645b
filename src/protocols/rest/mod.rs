//! The REST API as bytes and values: shapes, queries, paths, the table of routes and the OpenAPI document. Speaks the
//! LINSTOR REST API [`controller::REST_API_VERSION`], and a few calls of our own under `/v1/zea`. Never does I/O, and
//! knows of the model only its return codes; `command` alone knows its commands.

#[macro_use]
pub mod shape;

pub mod body;
pub mod command;
pub mod connection;
pub mod controller;
pub mod definition;
pub mod encryption;
pub mod error_report;
pub mod events;
pub mod group;
pub mod kvs;
pub mod layer;
pub mod metrics_names;
pub mod node;
mod object_only;
pub mod openapi;
pub mod own;
pub mod physical;
pub mod pool;
pub mod props;
pub mod query;
pub mod rc;
pub mod remote;
pub mod render;
pub mod resource;
pub mod routes;
pub mod size_query;
pub mod snapshot;

#[cfg(test)]
mod shape_tests;

use shape::Shape;

/// Every shape of the API.
pub fn shapes() -> impl Iterator<Item = &'static Shape> {
    let files: [&'static [Shape]; 18] = [
        connection::SHAPES,
        controller::SHAPES,
        definition::SHAPES,
        encryption::SHAPES,
        error_report::SHAPES,
        group::SHAPES,
        kvs::SHAPES,
        layer::SHAPES,
        node::SHAPES,
        own::SHAPES,
        physical::SHAPES,
        pool::SHAPES,
        props::SHAPES,
        rc::SHAPES,
        remote::SHAPES,
        resource::SHAPES,
        size_query::SHAPES,
        snapshot::SHAPES,
    ];
    files.into_iter().flatten()
}
