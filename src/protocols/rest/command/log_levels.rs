//! Levels of the log: what a request asks for, and the filter that comes of it. Never touches a log.

use super::{Request, Untranslated};
use crate::model::code::FAIL_INVLD_CONF;
use crate::model::refusal::Refusal;
use crate::protocols::rest::controller::ControllerConfig;

/// Target of our own messages; those of libraries have others.
const OWN: &str = "zea";
/// What a filter without a level of its own lets through.
const LEVEL_WITHOUT: &str = "error";
/// Words that are levels, as clients write them.
const LEVELS: [&str; 6] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE", "OFF"];

/// What a request asks of the log; what it does not name stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogLevels {
    /// Level of everything.
    pub all: Option<&'static str>,
    /// Level of our own messages.
    pub own: Option<&'static str>,
    /// The nodes shall have them, too.
    pub on_nodes: bool,
}

impl LogLevels {
    /// The filter `old` with these levels in it. Directives of other targets stay.
    #[must_use]
    pub fn over(&self, old: &str) -> String {
        let mut directives: Vec<String> = self.all.iter().map(|level| level.to_ascii_lowercase()).collect();
        let stays = |directive: &&str| {
            let replaced = match is_own(directive) {
                true => self.own.is_some(),
                false => self.all.is_some() && is_level(directive),
            };
            !replaced
        };
        directives.extend(split(old).filter(stays).map(str::to_owned));
        directives.extend(self.own.map(|level| format!("{OWN}={}", level.to_ascii_lowercase())));
        directives.join(",")
    }

    /// Whether anything is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_none() && self.own.is_none()
    }
}

/// The levels of a filter as clients know them: of everything, and of our own messages.
#[must_use]
pub fn levels_of(filter: &str) -> (String, String) {
    let all = split(filter).find(|directive| is_level(directive)).unwrap_or(LEVEL_WITHOUT);
    let own = split(filter).filter_map(|directive| directive.strip_prefix(OWN)?.strip_prefix('=')).next_back();
    (all.to_ascii_uppercase(), own.unwrap_or(all).to_ascii_uppercase())
}

/// Reads what is asked of the log; whatever else a configuration has is not for a request to change.
pub(super) fn log_levels(request: &Request) -> Result<LogLevels, Untranslated> {
    let log = request.read_optional::<ControllerConfig>()?.log.unwrap_or_default();
    let on_nodes = !log.level_global.is_empty() || !log.level_linstor_global.is_empty();
    let given = |global: &str, here: &str| level(if global.is_empty() { here } else { global });
    let all = given(&log.level_global, &log.level)?;
    let own = given(&log.level_linstor_global, &log.level_linstor)?;
    Ok(LogLevels { all, own, on_nodes })
}

fn level(word: &str) -> Result<Option<&'static str>, Refusal> {
    if word.is_empty() {
        return Ok(None);
    }
    let known = LEVELS.iter().find(|level| level.eq_ignore_ascii_case(word));
    known.copied().map(Some).ok_or_else(|| {
        let shown: String = word.chars().take(16).collect();
        Refusal::new(FAIL_INVLD_CONF, format!("'{shown}' is no level of the log"))
            .cure(format!("Use one of {}", LEVELS.join(", ")))
    })
}

fn split(filter: &str) -> impl DoubleEndedIterator<Item = &str> {
    filter.split(',').map(str::trim).filter(|directive| !directive.is_empty())
}

fn is_level(directive: &str) -> bool {
    LEVELS.iter().any(|level| level.eq_ignore_ascii_case(directive))
}

fn is_own(directive: &str) -> bool {
    let target = directive.split('=').next().unwrap_or_default();
    target == OWN || target.strip_prefix(OWN).is_some_and(|rest| rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cluster::Cluster;
    use crate::protocols::rest::query::Query;

    fn asked(body: &str) -> Result<LogLevels, Untranslated> {
        let query = Query::default();
        log_levels(&Request { params: &[], query: &query, body: body.as_bytes(), cluster: &Cluster::default() })
    }

    #[test]
    fn levels_go_into_the_filter_and_out_again() {
        let table = [
            ("info", (Some("DEBUG"), None), "debug", ("DEBUG", "DEBUG")),
            ("info", (None, Some("TRACE")), "info,zea=trace", ("INFO", "TRACE")),
            ("info,zea=trace", (Some("WARN"), None), "warn,zea=trace", ("WARN", "TRACE")),
            ("info, zea::store=debug,h2=off", (None, Some("WARN")), "info,h2=off,zea=warn", ("INFO", "WARN")),
            ("zea::store=debug", (Some("OFF"), None), "off,zea::store=debug", ("OFF", "OFF")),
            ("", (Some("INFO"), Some("ERROR")), "info,zea=error", ("INFO", "ERROR")),
            ("zealous=info", (None, Some("INFO")), "zealous=info,zea=info", ("ERROR", "INFO")),
        ];
        for (old, (all, own), new, (level, of_own)) in table {
            let filter = LogLevels { all, own, on_nodes: false }.over(old);
            assert_eq!(filter, new, "{old}");
            assert_eq!(levels_of(&filter), (level.to_owned(), of_own.to_owned()), "{old}");
        }
        assert_eq!(levels_of(""), ("ERROR".to_owned(), "ERROR".to_owned()));
    }

    #[test]
    fn requests_name_levels_in_any_case_of_letters() {
        let levels = |all, own, on_nodes| Ok(LogLevels { all, own, on_nodes });
        assert_eq!(asked(r#"{"log":{"level":"debug"}}"#), levels(Some("DEBUG"), None, false));
        assert_eq!(asked(r#"{"log":{"level_linstor_global":"TRACE"}}"#), levels(None, Some("TRACE"), true));
        assert_eq!(asked(r#"{"log":{"level":"INFO","level_global":"WARN"}}"#), levels(Some("WARN"), None, true));
        for nothing in ["", "{}", r#"{"log":null}"#, r#"{"http":{"port":1}}"#] {
            assert_eq!(asked(nothing), levels(None, None, false), "{nothing}");
        }
        let refused = asked(r#"{"log":{"level":"LOUD"}}"#).expect_err("no level");
        assert!(matches!(&refused, Untranslated::Refused(why) if why.note.code == FAIL_INVLD_CONF), "{refused}");
        assert!(matches!(asked("{"), Err(Untranslated::Body(_))));
    }
}
