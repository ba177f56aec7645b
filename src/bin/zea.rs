//! `zea`, the command line.

fn main() {}
