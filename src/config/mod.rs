//! The daemon's typed configuration: defaults, a TOML file, a TOML overlay for one node, environment variables, in this order.
//!
//! One table (`keys`) names every key with its meaning; it reads the files, it prints `conf/zead.toml`, and it finds the
//! nearest key for a misspelt one. All of it is text in, [`Config`] or [`ConfigError`] out, except for `file`, which only
//! reads the files. The configuration holds no secret (paths of keys, never keys), so it may be printed whole.
//! It never changes after the start, and nothing here is global: the value is handed around.

mod error;
mod file;
mod keys;
mod load;
mod print;
mod settings;
mod value;

pub use error::{ConfigError, Place};
pub use file::{Paths, read};
pub use load::{Source, load};
pub use print::print;
pub use settings::{
    Config, ControllerConfig, LinkConfig, LogConfig, LogFormat, MetricsConfig, NodeConfig, RestConfig, SatelliteConfig,
    StandaloneConfig,
};
pub use value::{ByteSize, LogFilter};
