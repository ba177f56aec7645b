//! Reads the configuration's files. Thin: which files, and their text; everything else is in [`mod@super::load`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::load::{Source, load, node_name};
use super::settings::Config;

/// The files that were named on the command line.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// `--config`; without it the defaults hold.
    pub config: Option<PathBuf>,
    /// `--overlay`; without it `conf.d/<node>.toml` beside the configuration is taken where it is there.
    pub overlay: Option<PathBuf>,
}

/// Reads the files and lays the variables over them. `host_name` stands for the node's name where none is configured.
///
/// # Errors
/// A file that was named and cannot be read, or whatever [`load()`] refuses.
pub fn read(paths: &Paths, variables: &BTreeMap<String, String>, host_name: &str) -> Result<Config, ConfigError> {
    let mut texts = Vec::new();
    if let Some(path) = &paths.config {
        texts.push(named(path)?);
    }
    match (&paths.overlay, &paths.config) {
        (Some(path), _) => texts.push(named(path)?),
        (None, Some(config)) => {
            let configured = node_name(&sources(&texts), variables)?;
            texts.extend(beside(config, configured.as_deref().unwrap_or(host_name))?);
        }
        (None, None) => {}
    }
    load(&sources(&texts), variables)
}

fn sources(texts: &[(String, String)]) -> Vec<Source<'_>> {
    texts.iter().map(|(name, text)| Source { name, text }).collect()
}

fn named(path: &Path) -> Result<(String, String), ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    Ok((path.display().to_string(), text))
}

/// The node's overlay beside the configuration; a missing one is nothing, an unreadable one an error.
fn beside(config: &Path, node: &str) -> Result<Option<(String, String)>, ConfigError> {
    let folder = config.parent().unwrap_or_else(|| Path::new("."));
    let path = folder.join("conf.d").join(format!("{node}.toml"));
    match named(&path) {
        Err(ConfigError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("conf.d")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn read_in(folder: &tempfile::TempDir, overlay: Option<&str>, host: &str) -> Result<Config, ConfigError> {
        let within = |name: &str| folder.path().join(name);
        let paths = Paths { config: Some(within("zead.toml")), overlay: overlay.map(within) };
        read(&paths, &BTreeMap::new(), host)
    }

    #[test]
    fn the_overlay_of_this_node_is_found_beside_the_file() {
        let base = "[log]\nlevel = 'warn'\n";
        let folder = folder(&[("zead.toml", base), ("conf.d/n1.toml", "[log]\nlevel = 'debug'\n")]);
        assert_eq!(read_in(&folder, None, "n1").unwrap().log.level.as_str(), "debug");
        assert_eq!(read_in(&folder, None, "n2").unwrap().log.level.as_str(), "warn");
    }

    #[test]
    fn the_configured_name_is_stronger_than_the_host_name() {
        let base = "[node]\nname = 'n1'\n";
        let folder = folder(&[("zead.toml", base), ("conf.d/n1.toml", "[log]\nlevel = 'debug'\n")]);
        assert_eq!(read_in(&folder, None, "elsewhere").unwrap().log.level.as_str(), "debug");
    }

    #[test]
    fn an_overlay_completes_what_the_file_leaves_open() {
        let base = "[link]\ncertificate = '/c'\nca = '/a'\n";
        let folder = folder(&[("zead.toml", base), ("conf.d/n1.toml", "[link]\nkey = '/k'\n")]);
        assert_eq!(read_in(&folder, None, "n1").unwrap().link.key, Some(PathBuf::from("/k")));
        assert!(matches!(read_in(&folder, None, "n2"), Err(ConfigError::Conflict { .. })));
    }

    #[test]
    fn a_named_overlay_is_taken_instead() {
        let folder = folder(&[("zead.toml", ""), ("conf.d/n1.toml", "oops"), ("o.toml", "[log]\nformat = 'json'\n")]);
        let config = read_in(&folder, Some("o.toml"), "n1").unwrap();
        assert_eq!(config.log.format, super::super::LogFormat::Json);
    }

    #[test]
    fn a_named_file_that_is_not_there_is_an_error_with_its_path() {
        let folder = folder(&[]);
        let error = read_in(&folder, None, "n1").unwrap_err();
        assert!(error.to_string().contains("zead.toml: the configuration file cannot be read"), "{error}");
    }
}
