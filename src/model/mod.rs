//! The cluster as plain values, and the decisions about it. Pure: no async, clock, randomness, log or I/O.

pub mod change;
pub mod cluster;
pub mod code;
pub mod command;
pub mod conduct;
pub mod decide;
pub mod definition;
pub mod derive;
pub mod desired;
pub mod encryption;
pub mod group;
pub mod kinds;
pub mod kvs;
pub mod moment;
pub mod names;
pub mod news;
pub mod node;
pub mod numbers;
pub mod observed;
pub mod placement;
pub mod plan;
pub mod props;
pub mod refusal;
pub mod report;
pub mod secret;
pub mod secret_seed;
pub mod size;
pub mod small_map;
pub mod snapshot;
pub mod stack;
#[cfg(test)]
pub(crate) mod testkit;
pub mod usage;
pub mod wait;
