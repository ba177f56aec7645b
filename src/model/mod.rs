//! model
pub mod code;
