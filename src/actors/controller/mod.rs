//! The controller: the cluster's model and its only writer.
//!
//! ```text
//! controller                  rest-for-one
//! ├── committer               owns the store; one batch in flight
//! ├── cluster                 single writer of the model; decides, hands to the committer, answers
//! ├── satellites              keeps contact with every node's satellite, local, simulated or remote
//! │   └── <node>              one a node: link state, full sync, desired state out, reports in
//! └── rest                    the REST API's server
//! ```

pub mod api;
pub mod rest;
