//! What a node does to its disks: pools, backing objects, devices, snapshots, file systems.
//!
//! `node` is the entry: it observes, lets `model::plan` decide, and carries the steps out. It decides nothing itself,
//! knows no actor, and is blocking inside: its `async` functions run on the pool of blocking threads.

mod devices;
pub mod driver;
pub mod drivers;
pub mod exec;
mod execute;
mod freeze;
mod ioctl;
pub mod layer;
mod layers;
mod listing;
pub mod loops;
mod mark;
pub mod mkfs;
pub mod node;
mod observe;
mod outer_room;
pub mod pool;
pub mod pool_folder;
mod problem;
pub mod release;
mod report;
pub mod simulated;
mod sparse;
mod stack;
mod targets;
pub mod tools;
mod turns;
mod usage;
