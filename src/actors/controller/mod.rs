//! The controller: the cluster's model and its only writer.
//!
//! ```text
//! controller                  rest-for-one
//! ├── committer               owns the store
//! ├── cluster                 single writer of the model; decides, has it committed, answers
//! ├── reports                 takes what satellites report
//! ├── satellites              contact with every node's satellite: local, simulated or remote
//! │   └── <node>              one a node: hello, full sync, changes out
//! └── rest                    the REST API's server
//! ```

pub mod api;
pub mod cluster;
pub mod committer;
mod moment;
mod problems;
pub mod records;
pub mod reports;
pub mod rest;
pub mod root;
pub mod satellite_link;
pub mod satellites;
pub mod store_health;
