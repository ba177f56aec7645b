//! The one test binary of the crate: what runs real things, and what holds for the whole tree.

mod cli;
mod conf;
mod disks;
mod link;
mod processes;
mod python;
mod rest;
mod rigs;
mod runtime;
mod simulation;
mod storage;
mod store;
mod tidy;
