//! `zead`, the daemon.

fn main() {}
