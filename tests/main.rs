//! tests
mod rest;
