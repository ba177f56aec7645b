//! What can be wrong with a configuration, said with the place, the cause and the cure. Never prints more than the bad value.

use std::fmt;
use std::path::PathBuf;

/// Where a setting was written: a line of a file, or an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file by the name it was given, and the line counted from 1.
    Line { file: String, line: usize },
    /// An environment variable, by name.
    Variable(String),
    /// Nobody wrote it: the built-in default.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line { file, line } => write!(f, "{file}:{line}"),
            Place::Variable(name) => write!(f, "environment variable {name}"),
            Place::Default => f.write_str("built-in default"),
        }
    }
}

/// A configuration that was refused. Each message names the place, the cause and the cure.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was asked for by name could not be read.
    #[error("{}: the configuration file cannot be read: {source}; give --config or --overlay a file that is there", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{at}: not valid TOML: {message}")]
    Syntax { at: Place, message: String },
    /// No setting has this name. `key` is as written, `nearest` is what was probably meant.
    #[error("{at}: unknown key '{key}'{}", cure(nearest))]
    UnknownKey { at: Place, key: String, nearest: Option<String> },
    /// The key is known, but not with this value. `expected` says which values it takes.
    #[error("{at}: '{key}' cannot be {found}: expected {expected}")]
    BadValue { at: Place, key: String, found: String, expected: String },
    /// Each value is fine alone, but not together with the others.
    #[error("{at}: '{key}': {reason}")]
    Conflict { at: Place, key: String, reason: String },
}

fn cure(nearest: &Option<String>) -> String {
    match nearest {
        Some(key) => format!("; did you mean '{key}'?"),
        None => "; `zead --print-config` prints every key".to_owned(),
    }
}
