//! Zea.
#![deny(unsafe_code)]
pub mod actors;
pub mod cli;
pub mod model;
pub mod protocols;
pub mod storage;
pub mod store;
