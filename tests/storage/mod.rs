//! A node's storage for real: loop devices, xfs with reflinks, ext4 without. Needs root; says so and passes where not.

mod caches;
mod crash;
mod disk;
mod life;
mod luks;
mod lvm;
mod pools;
mod rig;
mod satellite;
mod simulated;
mod snapshots;
