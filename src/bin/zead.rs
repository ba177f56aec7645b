//! `zead`, the daemon: reads arguments and configuration, sets up log and cryptography, starts the roles.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Parser, Subcommand};
use zea::actors::system::{Options, System};
use zea::config::{self, Config, Paths};
use zea::process::{self, Role, Start};
use zea::telemetry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code for arguments, configuration and machines that do not fit.
const EXIT_START: u8 = 2;

/// The daemon of Zea: replicated block storage, as roles in one process.
#[derive(Debug, Parser)]
#[command(name = "zead", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    tool: Option<Tool>,

    /// What this process is: standalone, controller or satellite
    #[arg(value_name = "ROLE")]
    roles: Vec<String>,

    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Configuration of this node alone, read over the other
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,

    /// Instead of this machine's disks: that many satellites without devices (standalone)
    #[arg(long, value_name = "N")]
    simulated_nodes: Option<u32>,

    /// Print the configuration in force and end
    #[arg(long)]
    print_config: bool,
}

#[derive(Debug, Subcommand)]
enum Tool {
    /// Make the cluster's authority, where there is none, and a certificate for each process named
    Identity {
        /// Names: `controller`, and the name of each node
        names: Vec<String>,
        /// Where they go; by default the configured identity folder
        #[arg(long)]
        folder: Option<PathBuf>,
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Give the loop devices and the mount of a stopped standalone back; keeps all data, refuses what is in use
    Release {
        /// The data folder; by default the configured one
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let started = SystemTime::now();
    zea::tls::install();
    match run(Arguments::parse(), started) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // A closed stderr leaves nobody to tell.
            let _ = writeln!(std::io::stderr(), "zead: {}", told(&error));
            ExitCode::from(EXIT_START)
        }
    }
}

/// The error with its causes, without those that it names itself.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn run(arguments: Arguments, started: SystemTime) -> anyhow::Result<u8> {
    let host_name = nix::unistd::gethostname()?.to_string_lossy().into_owned();
    if let Some(tool) = arguments.tool {
        return use_tool(tool, &host_name);
    }
    let mut config = read_config(arguments.config, arguments.overlay, &host_name)?;
    if let Some(nodes) = arguments.simulated_nodes {
        config.standalone.simulated_nodes = nodes;
    }
    if arguments.print_config {
        write!(std::io::stdout(), "{}", config::print(&config))?;
        return Ok(0);
    }
    let roles = parse_roles(&arguments.roles)?;
    let log = telemetry::start_log(&config.log, std::env::var("RUST_LOG").ok().as_deref())?;
    if !config.node.core_dumps {
        process::forbid_core_dumps()?;
    }
    if roles == [Role::Satellite] {
        // An agent that is mostly idle would hold whole huge pages for a few touched ones: 13 MiB instead of 21. A
        // kernel that refuses keeps them.
        let _ = nix::sys::prctl::set_thp_disable(true);
    }
    let system = System::start(Options::default())?;
    let serving = process::start(&system, &roles, &Start { config, host_name, started, log })?;
    let mut out = std::io::stdout();
    for line in &serving.lines {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    let code = system.run_until_signal()?;
    Ok(u8::try_from(code).unwrap_or(u8::MAX))
}

fn use_tool(tool: Tool, host_name: &str) -> anyhow::Result<u8> {
    let mut out = std::io::stdout();
    match tool {
        Tool::Identity { names, folder, config } => {
            let config = read_config(config, None, host_name)?;
            if names.is_empty() {
                anyhow::bail!(unnamed(config.node.name.as_deref().unwrap_or(host_name), &config));
            }
            let folder = folder.unwrap_or_else(|| config.identity_dir());
            process::write_identities(&folder, &names)?;
            writeln!(out, "certificates of {} are in {}", names.join(", "), folder.display())?;
            writeln!(out, "a zead that runs without them takes them at its next start")?;
        }
        Tool::Release { data, config } => {
            let mut config = read_config(config, None, host_name)?;
            if let Some(data) = data {
                config.node.data = data;
            }
            for line in process::release(&config)? {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(0)
}

/// What `zead identity` says when nobody is named.
fn unnamed(node: &str, config: &Config) -> String {
    let line = |folder: &Path| process::identity_command(&[process::CONTROLLER, node], folder);
    format!(
        "identity: name the processes that get a certificate, the controller and each node\n  \
         for `make run`, whose folder is data:  {}\n  \
         for the configured folder:             {}",
        line(Path::new("data/identity")),
        line(&config.identity_dir())
    )
}

fn read_config(config: Option<PathBuf>, overlay: Option<PathBuf>, host_name: &str) -> anyhow::Result<Config> {
    let variables: BTreeMap<String, String> = std::env::vars().collect();
    Ok(config::read(&Paths { config, overlay }, &variables, host_name)?)
}

fn parse_roles(names: &[String]) -> anyhow::Result<Vec<Role>> {
    let known: Vec<&str> = Role::ALL.iter().map(|(name, _)| *name).collect();
    let parse = |name: &String| {
        Role::parse(name).ok_or_else(|| anyhow::anyhow!("there is no role '{name}'; known: {}", known.join(", ")))
    };
    names.iter().map(parse).collect()
}
