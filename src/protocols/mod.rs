//! protocols
pub mod rest;
