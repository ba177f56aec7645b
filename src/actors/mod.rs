//! Actors, by role, and the runtime that they live in.

pub mod controller;
pub mod satellite;
pub mod system;
mod wire;
