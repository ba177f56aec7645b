//! Real processes that are hurt: the built `zead`, on loop devices and loopback, killed, cut off and made to panic.

mod ends;
mod full;
pub mod harness;
mod idle;
mod keys;
mod killed;
mod linked;
mod panics;
mod proxy;
mod reported;
mod rounds;
mod settings;
mod starts;

/// Whether the long run was asked for (`make soak`), else the short one of `make test`.
fn soak() -> bool {
    std::env::var_os("ZEA_SOAK").is_some_and(|value| value == "1")
}

/// How often something is done: the first in `make soak`, the second in `make test`. Says which.
fn times(what: &str, long: u64, short: u64) -> u64 {
    let (number, run) = if soak() { (long, "soak") } else { (short, "short") };
    crate::rigs::series(what, format!("{number} ({run} run; `make soak`: {long})"));
    number
}
