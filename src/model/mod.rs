//! The cluster as plain values, and the decisions about it. Pure: no async, clock, randomness, log or I/O.

pub mod desired;
pub mod kinds;
pub mod moment;
pub mod names;
pub mod plan;
pub mod report;
pub mod size;
