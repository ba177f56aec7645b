//! Zea: replicated block storage as one actor-system daemon. The modules stand in the order of their layers; the crate's
//! map is ARCHITECTURE.md, and `tests/tidy` holds what each layer may import.
#![deny(unsafe_code)]

pub mod config;
pub mod telemetry;
pub mod tls;

pub mod model;
pub mod protocols;

pub mod storage;
pub mod store;

pub mod actors;
pub mod cli;
pub mod process;
