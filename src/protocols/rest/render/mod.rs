//! Values of the model as the API shows them, written straight into a buffer: no tree of shapes is built on the way,
//! and a list of ten thousand costs no memory but its bytes. Never asks a clock or a node: what is not in the values is
//! left out, as are empty texts, lists and maps.

pub mod definition;
pub mod entries;
pub mod group;
pub mod json;
pub mod layers;
pub mod metrics;
pub mod node;
pub mod pool;
pub mod props;
pub mod resource;
pub mod size_query;
pub mod snapshot;
