//! Lays the sources over the defaults: files in the order given, then the environment. Pure: reads no file and no variable itself.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::keys::{self, Key};
use super::settings::Config;
use super::value::Raw;

/// What every variable of ours begins with.
const PREFIX: &str = "ZEA_";
/// What stands between section and key in a variable.
const SEPARATOR: &str = "__";

/// One TOML text and the name under which its errors are told.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// The configuration that these sources give; a later source overrides an earlier one key by key, and the environment
/// overrides them all: `ZEA_REST__LISTEN` is `rest.listen`. A variable without `__` is none of ours, unless it is plainly
/// meant to be.
///
/// # Errors
/// The first key, value or combination that is refused, with its line or variable.
pub fn load(sources: &[Source<'_>], variables: &BTreeMap<String, String>) -> Result<Config, ConfigError> {
    let layers = lay(sources, variables)?;
    layers.check()?;
    Ok(layers.config)
}

/// The node's name by these sources, which may be half of a configuration: an overlay may complete it.
pub(super) fn node_name(
    sources: &[Source<'_>],
    variables: &BTreeMap<String, String>,
) -> Result<Option<String>, ConfigError> {
    Ok(lay(sources, variables)?.config.node.name)
}

fn lay(sources: &[Source<'_>], variables: &BTreeMap<String, String>) -> Result<Layers, ConfigError> {
    let mut layers = Layers::default();
    for source in sources {
        layers.add_source(*source)?;
    }
    for (name, value) in variables {
        layers.add_variable(name, value)?;
    }
    Ok(layers)
}

/// The configuration so far, and where each key that is not at its default was last written.
#[derive(Default)]
struct Layers {
    config: Config,
    origins: BTreeMap<&'static str, Place>,
}

impl Layers {
    fn add_source(&mut self, source: Source<'_>) -> Result<(), ConfigError> {
        let document = DeTable::parse(source.text).map_err(|error| ConfigError::Syntax {
            at: source.place(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        for (section, value) in document.get_ref() {
            self.add_section(source, section, value)?;
        }
        Ok(())
    }

    fn add_section(
        &mut self,
        source: Source<'_>,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let section = name.get_ref().as_ref();
        let at = source.place(name.span().start);
        let table = value.get_ref().as_table();
        if !keys::is_section(section) {
            return Err(unknown_top(at, section, table.is_some()));
        }
        let Some(table) = table else {
            let found = raw(value.get_ref()).to_string();
            let expected = format!("a section: [{section}] with its keys below");
            return Err(ConfigError::BadValue { at, key: section.to_owned(), found, expected });
        };
        for (name, value) in table {
            let at = source.place(name.span().start);
            self.set(&format!("{section}.{}", name.get_ref()), &raw(value.get_ref()), at)?;
        }
        Ok(())
    }

    fn add_variable(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let Some(rest) = name.strip_prefix(PREFIX) else { return Ok(()) };
        let at = Place::Variable(name.to_owned());
        let Some((section, key)) = rest.split_once(SEPARATOR) else { return refuse_single_underscore(at, rest) };
        let path = format!("{}.{}", section.to_lowercase(), key.to_lowercase());
        if keys::find(&path).is_none() {
            let nearest = keys::nearest_key(&path).map(variable_of);
            return Err(ConfigError::UnknownKey { at, key: path, nearest });
        }
        self.set(&path, &Raw::Word(value.to_owned()), at)
    }

    fn set(&mut self, path: &str, raw: &Raw, at: Place) -> Result<(), ConfigError> {
        let Some(key) = keys::find(path) else {
            let nearest = keys::nearest_key(path).map(str::to_owned);
            return Err(ConfigError::UnknownKey { at, key: path.to_owned(), nearest });
        };
        if let Err(expected) = (key.slot)(&mut self.config).set(raw) {
            let (key, expected) = (path.to_owned(), expected.to_owned());
            return Err(ConfigError::BadValue { at, key, found: raw.to_string(), expected });
        }
        self.origins.insert(key.path, at);
        Ok(())
    }

    /// What no key can tell alone.
    fn check(&self) -> Result<(), ConfigError> {
        let link = &self.config.link;
        let files = [("link.certificate", &link.certificate), ("link.key", &link.key), ("link.ca", &link.ca)];
        let given = files.iter().find(|(_, file)| file.is_some());
        let missing = files.iter().find(|(_, file)| file.is_none());
        if let (Some((given, _)), Some((missing, _))) = (given, missing) {
            let reason = format!("given without '{missing}'; give certificate, key and ca together, or none of them");
            return Err(self.conflict(given, reason));
        }
        let satellite = &self.config.satellite;
        if satellite.io_poll_interval > satellite.io_stall_timeout {
            let reason = "longer than 'satellite.io_stall_timeout': progress would be judged before it was looked at";
            return Err(self.conflict("satellite.io_poll_interval", reason.to_owned()));
        }
        Ok(())
    }

    fn conflict(&self, key: &str, reason: String) -> ConfigError {
        let at = self.origins.get(key).cloned().unwrap_or(Place::Default);
        ConfigError::Conflict { at, key: key.to_owned(), reason }
    }
}

impl Source<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Place::Line { file: self.name.to_owned(), line }
    }
}

fn unknown_top(at: Place, name: &str, is_table: bool) -> ConfigError {
    let nearest = if is_table { keys::nearest_section(name) } else { keys::nearest_key(name) };
    let key = if is_table { format!("[{name}]") } else { name.to_owned() };
    let nearest = nearest.map(|meant| if is_table { format!("[{meant}]") } else { meant.to_owned() });
    ConfigError::UnknownKey { at, key, nearest }
}

/// `ZEA_REST_LISTEN` is refused for its missing underscore; `ZEA_ANYTHING` belongs to somebody else.
fn refuse_single_underscore(at: Place, rest: &str) -> Result<(), ConfigError> {
    let meant = keys::KEYS.iter().find(|key| key.path.replace('.', "_").to_uppercase() == rest);
    match meant {
        Some(key) => Err(ConfigError::UnknownKey { at, key: rest.to_owned(), nearest: Some(variable_of(key.path)) }),
        None => Ok(()),
    }
}

/// The environment variable of a key.
fn variable_of(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', SEPARATOR).to_uppercase())
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Raw::Other("number too long"), Raw::Integer)
        }
        DeValue::Boolean(truth) => Raw::Boolean(*truth),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        other => Raw::Other(other.type_str()),
    }
}

/// Every key with its value in this configuration, in the order of the table.
pub(super) fn rows(config: &Config) -> Vec<(&'static Key, String)> {
    let mut config = config.clone();
    keys::KEYS.iter().map(|key| (key, (key.slot)(&mut config).print())).collect()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::super::print::print;
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn load_text(text: &str) -> Result<Config, ConfigError> {
        load(&[Source { name: "zead.toml", text }], &BTreeMap::new())
    }

    fn refusal(text: &str) -> String {
        load_text(text).expect_err("it must be refused").to_string()
    }

    fn refused_variable(name: &str, value: &str) -> String {
        load(&[], &variables(&[(name, value)])).expect_err("it must be refused").to_string()
    }

    #[test]
    fn nothing_given_is_the_defaults() {
        assert_eq!(load(&[], &BTreeMap::new()).unwrap(), Config::default());
        assert_eq!(load_text("# only a comment\n[rest]\n").unwrap(), Config::default());
    }

    #[test]
    fn what_is_printed_is_read_back_exactly() {
        let text = "[node]\nname = 'n \"1\"'\n[rest]\nlisten = '[::1]:0'\nmax_body = '1KiB'\n[log]\nformat = 'json'\n\
                    [satellite]\nkill_timeout = '1500ms'\n[metrics]\nenabled = false\n";
        let config = load_text(text).unwrap();
        assert_ne!(config, Config::default());
        assert_eq!(load_text(&print(&config)).unwrap(), config);
        assert_eq!(load_text(&print(&Config::default())).unwrap(), Config::default());
    }

    #[test]
    fn later_sources_override_key_by_key_and_the_environment_overrides_all() {
        let base =
            Source { name: "a", text: "[rest]\nlisten = '127.0.0.1:1'\nmax_body = '1MiB'\n[log]\nlevel = 'warn'\n" };
        let node = Source { name: "b", text: "[rest]\nlisten = '127.0.0.1:2'\n[satellite]\nwait_timeout = '9s'\n" };
        let given = variables(&[
            ("ZEA_LOG__LEVEL", "debug"),
            ("HOME", "/"),
            ("ZEA_BLESS", "1"),
            ("ZEA_METRICS__ENABLED", "false"),
        ]);
        let config = load(&[base, node], &given).unwrap();
        assert_eq!(config.rest.listen, SocketAddr::from(([127, 0, 0, 1], 2)));
        assert_eq!(config.rest.max_body.0, 1 << 20);
        assert_eq!(config.satellite.wait_timeout, Duration::from_secs(9));
        assert_eq!(config.log.level.as_str(), "debug");
        assert!(!config.metrics.enabled);
    }

    #[test]
    fn every_key_can_be_given_by_its_variable() {
        for (key, value) in rows(&Config::default()) {
            let value = value.trim_matches('"').trim_matches(['[', ']']);
            let config = load(&[], &variables(&[(&variable_of(key.path), value)]));
            assert_eq!(config.unwrap(), Config::default(), "{}", key.path);
        }
    }

    #[test]
    fn refusals_name_line_cause_and_cure() {
        for (text, said) in [
            ("[rest]\n\nlisen = '127.0.0.1:1'\n", "zead.toml:3: unknown key 'rest.lisen'; did you mean 'rest.listen'?"),
            ("\n[satelite]\n", "zead.toml:2: unknown key '[satelite]'; did you mean '[satellite]'?"),
            ("listen = 1\n", "zead.toml:1: unknown key 'listen'; did you mean 'rest.listen'?"),
            ("[rest]\ncolour = 1\n", "zead.toml:2: unknown key 'rest.colour'; `zead --print-config` prints every key"),
            ("rest = 5\n", "zead.toml:1: 'rest' cannot be 5: expected a section: [rest] with its keys below"),
            ("[log]\nformat = 'xml'", "zead.toml:2: 'log.format' cannot be \"xml\": expected \"text\" or \"json\""),
            (
                "[rest]\nlisten = { port = 1 }",
                "zead.toml:2: 'rest.listen' cannot be a table: expected an address and port such as \"127.0.0.1:3370\" or \"[::]:3370\"",
            ),
        ] {
            assert_eq!(refusal(text), said);
        }
    }

    #[test]
    fn broken_toml_names_its_line() {
        assert!(refusal("[rest]\nlisten = \n").starts_with("zead.toml:2: not valid TOML: "));
        assert!(refusal("[rest]\nlisten = 'a'\nlisten = 'b'\n").starts_with("zead.toml:3: not valid TOML: "));
    }

    #[test]
    fn an_overlay_is_named_by_its_own_name() {
        let base = Source { name: "zead.toml", text: "[rest]\n" };
        let node = Source { name: "conf.d/n1.toml", text: "[log]\nlevl = 'info'\n" };
        let error = load(&[base, node], &BTreeMap::new()).unwrap_err();
        assert_eq!(error.to_string(), "conf.d/n1.toml:2: unknown key 'log.levl'; did you mean 'log.level'?");
    }

    #[test]
    fn refused_variables_are_named() {
        assert_eq!(
            refused_variable("ZEA_REST__LISEN", "x"),
            "environment variable ZEA_REST__LISEN: unknown key 'rest.lisen'; did you mean 'ZEA_REST__LISTEN'?"
        );
        assert_eq!(
            refused_variable("ZEA_REST_LISTEN", "x"),
            "environment variable ZEA_REST_LISTEN: unknown key 'REST_LISTEN'; did you mean 'ZEA_REST__LISTEN'?"
        );
        let said = refused_variable("ZEA_SATELLITE__WAIT_TIMEOUT", "45");
        assert!(said.starts_with(
            "environment variable ZEA_SATELLITE__WAIT_TIMEOUT: 'satellite.wait_timeout' cannot be \"45\": "
        ));
    }

    #[test]
    fn certificate_key_and_ca_come_together() {
        let said = refusal("[link]\ncertificate = '/c'\nkey = '/k'\n");
        assert!(said.starts_with("zead.toml:2: 'link.certificate': given without 'link.ca'"), "{said}");
        let config = load_text("[link]\ncertificate = '/c'\nkey = '/k'\nca = '/a'\n").unwrap();
        assert_eq!(config.link.ca, Some(PathBuf::from("/a")));
    }

    #[test]
    fn progress_is_looked_at_before_it_is_judged() {
        let said = refusal("[satellite]\nio_poll_interval = '50s'\n");
        assert!(said.starts_with("zead.toml:2: 'satellite.io_poll_interval': longer than"), "{said}");
    }
}
