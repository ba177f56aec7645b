//! Actors, by role, and the runtime that they live in.
pub mod system;
