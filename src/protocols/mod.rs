//! Foreign bytes to model values and back. Pure: parses and prints, never panics on foreign bytes.

pub mod blkid;
pub mod dm;
pub mod headers;
pub mod lvm;
pub mod mountinfo;
pub mod rest;
pub mod superblock;
pub mod wire;
pub mod zfs;
