//! The settings as the rest of the daemon reads them: one struct a section, with the defaults. No parsing here.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::value::{ByteSize, LogFilter};

/// LINSTOR's REST port, which its clients try when they are told none.
const REST_PORT: u16 = 3370;
/// LINSTOR's port for a satellite over TLS (3366 is the one without, which is not offered).
const LINK_PORT: u16 = 3367;
const MIB: u64 = 1 << 20;

/// The whole configuration of one `zead` process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    pub node: NodeConfig,
    pub rest: RestConfig,
    pub link: LinkConfig,
    pub controller: ControllerConfig,
    pub satellite: SatelliteConfig,
    pub standalone: StandaloneConfig,
    pub log: LogConfig,
    pub metrics: MetricsConfig,
}

/// `[node]`: who this machine is, and where it keeps what it must not lose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// The node's name in the cluster; `None` is the machine's host name.
    pub name: Option<String>,
    /// The folder that holds the store, the certificates, the error reports and the standalone's pool.
    pub data: PathBuf,
    /// Whether core files may be written, and other processes of the same user may look into this one's memory.
    pub core_dumps: bool,
}

/// `[rest]`: the outside API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestConfig {
    /// Port 0 lets the kernel choose.
    pub listen: SocketAddr,
    /// The longest request body that is read, in bytes.
    pub max_body: ByteSize,
    /// Whether a request may let an actor panic.
    pub inject_panic: bool,
}

/// `[link]`: the inside protocol, mutual TLS between processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// Where a satellite awaits its controller.
    pub listen: SocketAddr,
    /// PEM file with this process's certificate chain; all three or none are given.
    pub certificate: Option<PathBuf>,
    /// PEM file with the certificate's private key.
    pub key: Option<PathBuf>,
    /// PEM file with the authority that signs the other side's certificate.
    pub ca: Option<PathBuf>,
    /// How often each side of a silent connection shows that it lives.
    pub heartbeat: Duration,
}

/// `[controller]`: the model's only writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerConfig {
    /// The store's file; `None` is `zea.redb` in the data folder.
    pub store: Option<PathBuf>,
    /// The most commands that one durable write carries.
    pub commit_batch: NonZeroU32,
    /// The most commands that wait for a write before further ones are turned away.
    pub commit_queue: NonZeroU32,
    /// How long a request waits for the fact it asked for.
    pub request_deadline: Duration,
    /// A file with the master passphrase.
    pub passphrase_file: Option<PathBuf>,
}

/// `[satellite]`: the node's agent and the commands it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SatelliteConfig {
    /// How often the free space of the pools is measured when nothing changes.
    pub pool_scan: Duration,
    /// How long an external command may take before it gets SIGTERM.
    pub wait_timeout: Duration,
    /// How long after SIGTERM it gets SIGKILL.
    pub term_timeout: Duration,
    /// How long after SIGKILL it is given up as hung in the kernel.
    pub kill_timeout: Duration,
    /// For commands judged by progress (mkfs, create-md): how long they may read and write nothing.
    pub io_stall_timeout: Duration,
    /// How often that progress is looked at.
    pub io_poll_interval: Duration,
}

/// `[standalone]`: what the first start on one machine makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandaloneConfig {
    /// The storage pool's name.
    pub pool: String,
    /// The pool's folder; `None` is `pool` in the data folder.
    pub pool_dir: Option<PathBuf>,
    /// The size of the image made for the pool where its folder has no reflink; `None` is what is free there.
    pub pool_size: Option<ByteSize>,
    /// Instead of this machine's disks: that many satellites without devices.
    pub simulated_nodes: u32,
    /// The last so many of them never answer.
    pub silent_nodes: u32,
}

/// `[log]`: what is told, how, and where error reports lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    pub level: LogFilter,
    pub format: LogFormat,
    /// The error reports' folder; `None` is `error-reports` in the data folder.
    pub error_reports: Option<PathBuf>,
}

/// The shape of a line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// `[metrics]`: Prometheus metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsConfig {
    pub enabled: bool,
    /// An address for `/metrics` alone; `None` serves it on the REST address.
    pub listen: Option<SocketAddr>,
}

impl Config {
    /// The store's file.
    #[must_use]
    pub fn store_path(&self) -> PathBuf {
        self.below_data(self.controller.store.as_deref(), "zea.redb")
    }

    /// The folder of the error reports.
    #[must_use]
    pub fn error_reports_dir(&self) -> PathBuf {
        self.below_data(self.log.error_reports.as_deref(), "error-reports")
    }

    /// The folder of the standalone's storage pool.
    #[must_use]
    pub fn pool_dir(&self) -> PathBuf {
        self.below_data(self.standalone.pool_dir.as_deref(), "pool")
    }

    /// The folder of the certificates that a process makes for itself when it is given none.
    #[must_use]
    pub fn identity_dir(&self) -> PathBuf {
        self.below_data(None, "identity")
    }

    fn below_data(&self, given: Option<&Path>, default: &str) -> PathBuf {
        given.map_or_else(|| self.node.data.join(default), Path::to_path_buf)
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self { name: None, data: PathBuf::from("/var/lib/zea"), core_dumps: false }
    }
}

impl Default for RestConfig {
    fn default() -> Self {
        // 8 MiB: ten thousand properties of the longest usual values, with room; a request is held in memory whole.
        Self { listen: loopback(REST_PORT), max_body: ByteSize(8 * MIB), inject_panic: false }
    }
}

impl Default for LinkConfig {
    fn default() -> Self {
        let heartbeat = Duration::from_secs(5);
        Self { listen: loopback(LINK_PORT), certificate: None, key: None, ca: None, heartbeat }
    }
}

impl Default for ControllerConfig {
    fn default() -> Self {
        Self {
            store: None,
            commit_batch: positive(512),
            commit_queue: positive(4096),
            request_deadline: Duration::from_secs(60),
            passphrase_file: None,
        }
    }
}

impl Default for SatelliteConfig {
    fn default() -> Self {
        // The time-outs are LINSTOR's, so that an administrator's expectations and documents hold.
        Self {
            pool_scan: Duration::from_secs(180),
            wait_timeout: Duration::from_secs(45),
            term_timeout: Duration::from_secs(15),
            kill_timeout: Duration::from_secs(5),
            io_stall_timeout: Duration::from_secs(45),
            io_poll_interval: Duration::from_secs(2),
        }
    }
}

impl Default for StandaloneConfig {
    fn default() -> Self {
        Self { pool: "local".to_owned(), pool_dir: None, pool_size: None, simulated_nodes: 0, silent_nodes: 0 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: LogFilter::default(), format: LogFormat::Text, error_reports: None }
    }
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { enabled: true, listen: None }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn positive(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("the defaults are written above and none is 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_not_given_lie_in_the_data_folder() {
        let mut config = Config::default();
        config.node.data = PathBuf::from("/srv/zea");
        assert_eq!(config.store_path(), Path::new("/srv/zea/zea.redb"));
        assert_eq!(config.error_reports_dir(), Path::new("/srv/zea/error-reports"));
        assert_eq!(config.pool_dir(), Path::new("/srv/zea/pool"));
        assert_eq!(config.identity_dir(), Path::new("/srv/zea/identity"));
    }

    #[test]
    fn paths_that_are_given_are_taken_as_they_are() {
        let mut config = Config::default();
        config.controller.store = Some(PathBuf::from("/fast/store"));
        config.standalone.pool_dir = Some(PathBuf::from("/big/pool"));
        config.log.error_reports = Some(PathBuf::from("/var/log/zea"));
        assert_eq!(config.store_path(), Path::new("/fast/store"));
        assert_eq!(config.pool_dir(), Path::new("/big/pool"));
        assert_eq!(config.error_reports_dir(), Path::new("/var/log/zea"));
    }

    #[test]
    fn nothing_listens_beyond_this_machine_by_default() {
        let config = Config::default();
        assert!(config.rest.listen.ip().is_loopback());
        assert!(config.link.listen.ip().is_loopback());
    }
}
