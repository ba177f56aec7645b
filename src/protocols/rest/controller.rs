//! The controller's version, configuration and counts on the wire. Never holds a password of the configuration.

use super::node::{ConfigDebug, ConfigFiles};

/// The version of the API that we speak. Clients turn on what they ask by it, up to this version and no further.
pub const REST_API_VERSION: &str = "1.28.0";

shapes! {
    /// Versions. Clients need all four.
    ControllerVersion {
        must {
            /// Version of the controller: three numbers with dots.
            version: String,
            /// The commit that it was built from.
            git_hash: String,
            /// When it was built, ISO 8601.
            build_time: String,
            /// Version of the API: three numbers with dots, no suffix.
            rest_api_version: String,
        }
    }

    /// A number of objects.
    Stats {
        must {
            /// How many there are.
            count: i64,
        }
    }

    /// The controller's configuration.
    ControllerConfig {
        may {
            /// Where its files are.
            config: Option<ConfigFiles>,
            /// Debugging.
            debug: Option<ConfigDebug>,
            /// Logging.
            log: Option<ControllerLog>,
            /// Where it keeps its state.
            db: Option<ControllerDb>,
            /// The listener without TLS.
            http: Option<Listener>,
            /// The listener with TLS.
            https: Option<Listener>,
        }
    }

    /// The controller's logging. Levels are `ERROR`, `WARN`, `INFO`, `DEBUG` and `TRACE`.
    ControllerLog {
        may {
            /// Whether failures are logged with their stack.
            print_stack_trace: Option<bool>,
            /// The folder of log files.
            directory: String,
            /// Level of everything, here.
            level: String,
            /// Level of everything, here and on all nodes.
            level_global: String,
            /// Level of our own messages, here.
            level_linstor: String,
            /// Level of our own messages, here and on all nodes.
            level_linstor_global: String,
            /// The file of requests.
            rest_access_log_path: String,
            /// How that file is written.
            rest_access_mode: String,
        }
    }

    /// Where the controller keeps its state.
    ControllerDb {
        may {
            /// Its address.
            connection_url: String,
            /// Whether it is forgotten when the controller ends.
            in_memory: String,
        }
    }

    /// A listener of the API.
    Listener {
        may {
            /// Whether there is one.
            enabled: Option<bool>,
            /// Address.
            listen_address: String,
            /// TCP port.
            port: Option<i32>,
        }
    }

    /// How much space everything takes, as text.
    SpaceReport {
        must {
            /// The text.
            #[serde(rename = "reportText")]
            report_text: String,
        }
    }
}
