//! What a person set once for all calls: options, environment, a TOML file, in this order of weight. Never asks a network.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::args::{Format, Options};
use super::controllers::{self, Address};
use super::error::CliError;

/// How long a request may take when nobody says: longer than a controller itself waits for its nodes.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

/// Where the file lies for everybody on a machine.
const SYSTEM_FILE: &str = "/etc/zea/zea.toml";

/// Variables that hold controllers; LINSTOR's own is read too.
const VARIABLES: [&str; 2] = ["ZEA_CONTROLLERS", "LS_CONTROLLERS"];

/// The file's keys, by name.
const KEYS: [&str; 7] = ["controllers", "timeout", "output", "ascii", "ca", "certificate", "key"];

/// The file's content.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    controllers: Option<Vec<String>>,
    timeout: Option<u64>,
    output: Option<Format>,
    ascii: Option<bool>,
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// What holds for this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Controllers in the order in which they are tried; never empty.
    pub controllers: Vec<Address>,
    /// How long one request may take.
    pub timeout: Duration,
    /// How answers are printed.
    pub format: Format,
    /// No other characters than ASCII's in tables.
    pub ascii: bool,
    /// PEM files for TLS.
    pub tls: TlsFiles,
}

/// PEM files for TLS; none of them is needed without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Authorities that a controller's certificate may come from, instead of the public ones.
    pub ca: Option<PathBuf>,
    /// Our own certificate.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

/// Gathers the settings. `variable` reads the environment.
pub fn gather(options: &Options, variable: &dyn Fn(&str) -> Option<String>) -> Result<Settings, CliError> {
    let file = read_file(options.config.as_deref(), variable)?;
    let variable = || VARIABLES.iter().find_map(|name| variable(name).filter(|text| !text.trim().is_empty()));
    let listed = || file.controllers.as_ref().map(|list| list.join(","));
    let controllers = options.controllers.clone().or_else(variable).or_else(listed);
    let timeout = options.timeout.or(file.timeout).map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    if timeout.is_zero() {
        return Err(CliError::Usage(
            "a time-out of 0 seconds leaves no time for an answer: give at least 1".to_owned(),
        ));
    }
    let format = if options.machine { Some(Format::Json) } else { options.output.or(file.output) };
    Ok(Settings {
        controllers: controllers::parse_list(controllers.as_deref().unwrap_or(controllers::DEFAULT))?,
        timeout,
        format: format.unwrap_or(Format::Table),
        ascii: options.ascii || file.ascii.unwrap_or(false),
        tls: TlsFiles { ca: options.ca.clone().or(file.ca), certificate: file.certificate, key: file.key },
    })
}

/// The first file that is there; one that was named has to be.
fn read_file(named: Option<&Path>, variable: &dyn Fn(&str) -> Option<String>) -> Result<File, CliError> {
    if let Some(path) = named {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::Usage(format!("{} cannot be read: {error}", path.display())))?;
        return parse(path, &text);
    }
    let own = variable("XDG_CONFIG_HOME").filter(|folder| folder.starts_with('/')).map(PathBuf::from);
    let own = own.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")));
    let own = own.map(|folder| folder.join("zea/zea.toml"));
    for path in own.into_iter().chain([PathBuf::from(SYSTEM_FILE)]) {
        match std::fs::read_to_string(&path) {
            Ok(text) => return parse(&path, &text),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(CliError::Usage(format!("{} cannot be read: {error}", path.display()))),
        }
    }
    Ok(File::default())
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn parse(path: &Path, text: &str) -> Result<File, CliError> {
    let keys = format!("its keys are {}", KEYS.join(", "));
    if let Some((line, key)) = unknown_key(text) {
        let meant = nearest(&key).map(|meant| format!("; did you mean '{meant}'?")).unwrap_or_default();
        let place = format!("{}:{line}", path.display());
        return Err(CliError::Usage(format!("{place}: unknown key '{key}'{meant}\n{keys}")));
    }
    toml::from_str(text).map_err(|error| CliError::Usage(format!("{}: {error}{keys}", path.display())))
}

/// The first key that is not known, and its line.
fn unknown_key(text: &str) -> Option<(usize, String)> {
    let table: toml::Table = toml::from_str(text).ok()?;
    let lines = table.keys().filter(|key| !KEYS.contains(&key.as_str())).map(|key| {
        let begins = |line: &str| line.trim_start_matches([' ', '\t', '[', '"', '\'']).starts_with(key.as_str());
        (text.lines().position(begins).map_or(1, |line| line + 1), key.clone())
    });
    lines.min()
}

fn nearest(key: &str) -> Option<&'static str> {
    // A third of the letters may be wrong: more, and the guess would be as odd as the key.
    let limit = (key.len() / 3).max(1);
    let ranked = KEYS.iter().map(|known| (strsim::damerau_levenshtein(key, known), *known));
    ranked.filter(|(distance, _)| *distance <= limit).min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::Cli;

    fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Settings, String> {
        let line = ["zea"].iter().chain(arguments).chain(&["url"]);
        let cli = Cli::try_parse_from(line).unwrap();
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        gather(&cli.options, &variable).map_err(|error| error.to_string())
    }

    fn hosts(settings: &Settings) -> Vec<&str> {
        settings.controllers.iter().map(|address| address.host.as_str()).collect()
    }

    #[test]
    fn options_outrank_variables_and_those_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        std::fs::create_dir_all(folder.path().join("zea")).unwrap();
        let file = "controllers = ['f1', 'f2:1']\ntimeout = 7\noutput = 'json'\nascii = true\nca = '/ca.pem'\n";
        std::fs::write(folder.path().join("zea/zea.toml"), file).unwrap();
        let here = ("XDG_CONFIG_HOME", home);

        let settings = with(&[], &[here]).unwrap();
        assert_eq!(hosts(&settings), ["f1", "f2"]);
        assert_eq!((settings.timeout, settings.format, settings.ascii), (Duration::from_secs(7), Format::Json, true));
        assert_eq!(settings.tls.ca.as_deref(), Some(Path::new("/ca.pem")));

        let settings = with(&[], &[here, ("LS_CONTROLLERS", "linstor://l")]).unwrap();
        assert_eq!(hosts(&settings), ["l"]);
        let settings = with(&[], &[here, ("LS_CONTROLLERS", "l"), ("ZEA_CONTROLLERS", "z")]).unwrap();
        assert_eq!(hosts(&settings), ["z"]);
        let arguments = ["--controllers", "o", "--timeout", "9", "--output", "table"];
        let settings = with(&arguments, &[here, ("ZEA_CONTROLLERS", "z")]).unwrap();
        assert_eq!((hosts(&settings), settings.format), (vec!["o"], Format::Table));
        assert_eq!(settings.timeout, Duration::from_secs(9));
        assert_eq!(with(&["-m", "--output", "table"], &[here]).unwrap().format, Format::Json);
    }

    #[test]
    fn nothing_set_is_the_own_machine() {
        let folder = tempfile::tempdir().unwrap();
        let settings = with(&[], &[("HOME", folder.path().to_str().unwrap()), ("ZEA_CONTROLLERS", " ")]).unwrap();
        assert_eq!(settings.controllers[0].to_string(), "http://127.0.0.1:3370");
        assert_eq!((settings.timeout, settings.format), (DEFAULT_TIMEOUT, Format::Table));
    }

    #[test]
    fn bad_files_and_values_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        let named = path.to_str().unwrap();
        assert!(with(&["--config", named], &[]).unwrap_err().contains("x.toml cannot be read"));
        for (text, says) in [("controller = 'a'", "controller"), ("timeout = 'x'", "timeout"), ("=", "x.toml")] {
            std::fs::write(&path, text).unwrap();
            let error = with(&["--config", named], &[]).unwrap_err();
            assert!(error.contains(says) && error.contains("its keys are"), "{error}");
        }
        for (text, says) in [
            ("timeout = 1\n\ncontroler = ['a']", "x.toml:3: unknown key 'controler'; did you mean 'controllers'?"),
            ("[outputs]\nx = 1", "x.toml:1: unknown key 'outputs'; did you mean 'output'?"),
            ("colour = true", "x.toml:1: unknown key 'colour'\n"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = with(&["--config", named], &[]).unwrap_err();
            assert!(error.contains(says) && error.contains("its keys are"), "{error}");
        }
        assert!(with(&["--timeout", "0"], &[]).unwrap_err().contains("at least 1"));
        assert!(with(&["--controllers", "ftp://x"], &[]).unwrap_err().contains("ftp://x"));
    }
}
