//! The one test binary: each module is a suite that runs real things.
mod link;
mod runtime;
mod store;
