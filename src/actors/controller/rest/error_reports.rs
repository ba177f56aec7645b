//! Error reports: what went wrong inside, one text file each, and a bounded index of them in memory. A report that
//! cannot be written is kept in memory all the same. Never holds a secret: whoever writes one leaves them out.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::protocols::rest::error_report::{ErrorReport, ErrorReportDelete};

/// Reports that are kept; the oldest gives way. A thousand are more than anybody reads, and a few MiB.
const REPORTS_AT_MOST: usize = 1000;
/// Bytes of a report's text, so that a huge message fills neither memory nor disk.
const TEXT_BYTES_AT_MOST: usize = 64 * 1024;
const PREFIX: &str = "ErrorReport-";
const SUFFIX: &str = ".log";
/// Module of what the controller recorded of itself.
pub const CONTROLLER: &str = "CONTROLLER";
/// Module of what a node told.
pub const SATELLITE: &str = "SATELLITE";

/// Something that went wrong inside.
#[derive(Debug, Clone)]
pub struct Incident {
    /// The node that it happened on; `None` for this process's own.
    pub node: Option<String>,
    /// [`CONTROLLER`] or [`SATELLITE`].
    pub module: &'static str,
    /// Kind of failure, such as `panic`.
    pub kind: String,
    /// What was said.
    pub message: String,
    /// What was being done, such as a request's method and path.
    pub doing: String,
    /// Who asked.
    pub peer: String,
    /// Why.
    pub cause: String,
    /// What helps.
    pub correction: String,
    /// More, such as a command's output.
    pub details: String,
}

impl Default for Incident {
    fn default() -> Self {
        let [kind, message, doing, peer, cause, correction, details]: [String; 7] = Default::default();
        Self { node: None, module: CONTROLLER, kind, message, doing, peer, cause, correction, details }
    }
}

/// The reports of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ErrorReports(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    folder: Option<PathBuf>,
    node: String,
    start_seconds: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u32,
    /// Oldest first; `text` is filled where there is no file.
    reports: VecDeque<ErrorReport>,
}

/// Which reports are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of these nodes; none means all.
    pub nodes: Vec<String>,
    /// Not older, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Not younger.
    pub to: Option<i64>,
    /// Of this kind.
    pub exception: Option<String>,
    /// By this version.
    pub version: Option<String>,
    /// With these ids; none means all.
    pub ids: Vec<String>,
}

impl From<ErrorReportDelete> for Wanted {
    fn from(request: ErrorReportDelete) -> Self {
        let ErrorReportDelete { since, to, nodes, exception, version, ids } = request;
        Self { nodes, since, to, exception, version, ids }
    }
}

impl Wanted {
    fn admits(&self, report: &ErrorReport) -> bool {
        let any = |list: &[String], value: &str| list.is_empty() || list.iter().any(|x| x.eq_ignore_ascii_case(value));
        any(&self.nodes, &report.node_name)
            && any(&self.ids, id_of(&report.filename))
            && self.since.is_none_or(|since| report.error_time >= since)
            && self.to.is_none_or(|to| report.error_time <= to)
            && self.exception.as_ref().is_none_or(|kind| *kind == report.exception)
            && self.version.as_ref().is_none_or(|version| *version == report.version)
    }
}

fn id_of(filename: &str) -> &str {
    filename.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX)).unwrap_or(filename)
}

impl ErrorReports {
    /// Reports in `folder`, which is made if it is missing; those that are there already are found again.
    ///
    /// `node` is this process's node, `start_seconds` when it began, in seconds since 1970.
    #[must_use]
    pub fn open(folder: &Path, node: &str, start_seconds: u32) -> Self {
        if let Err(error) = fs::create_dir_all(folder) {
            tracing::warn!(folder = %folder.display(), %error, "error reports are kept in memory only");
        }
        let mut reports: Vec<ErrorReport> = list(folder).into_iter().filter_map(|path| read_head(&path)).collect();
        reports.sort_by_key(|report| report.error_time);
        let state = Mutex::new(State { next: 0, reports: reports.into() });
        Self(Arc::new(Inner { folder: Some(folder.to_owned()), node: node.to_owned(), start_seconds, state }))
    }

    /// Writes a report: its id, `start-node-number`.
    pub fn report(&self, incident: &Incident) -> String {
        let now = jiff::Timestamp::now().as_millisecond();
        let mut state = self.state();
        let id = format!("{:08X}-{:05X}-{:06}", self.0.start_seconds, hash(&self.0.node), state.next);
        state.next += 1;
        let mut report = ErrorReport {
            node_name: incident.node.clone().unwrap_or_else(|| self.0.node.clone()),
            error_time: now,
            filename: format!("{PREFIX}{id}{SUFFIX}"),
            module: incident.module.to_owned(),
            version: super::API_RELEASE.to_owned(),
            peer: incident.peer.clone(),
            exception: incident.kind.clone(),
            exception_message: cut(&incident.message).to_owned(),
            ..ErrorReport::default()
        };
        let text = text_of(&report, &id, incident);
        let path = self.path(&report.filename);
        if path.as_ref().is_none_or(|path| fs::write(path, &text).is_err()) {
            // On a full disk half of it may be there.
            path.iter().for_each(|path| drop(fs::remove_file(path)));
            report.text = text;
        }
        tracing::error!(%id, kind = %incident.kind, message = %incident.message, doing = %incident.doing, "error report");
        state.reports.push_back(report);
        while state.reports.len() > REPORTS_AT_MOST {
            let oldest = state.reports.pop_front();
            oldest.iter().for_each(|report| self.unlink(report));
        }
        id
    }

    /// The reports that fit, newest first; with their texts if `with_text`.
    #[must_use]
    pub fn list(&self, wanted: &Wanted, with_text: bool) -> Vec<ErrorReport> {
        let mut found: Vec<ErrorReport> =
            self.state().reports.iter().rev().filter(|report| wanted.admits(report)).cloned().collect();
        for report in &mut found {
            match with_text {
                true if report.text.is_empty() => report.text = self.read(report),
                true => {}
                false => report.text.clear(),
            }
        }
        found
    }

    /// Removes the reports that fit: how many there were.
    pub fn delete(&self, wanted: &Wanted) -> usize {
        let mut state = self.state();
        let (gone, kept): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut state.reports).into_iter().partition(|report| wanted.admits(report));
        state.reports = kept;
        gone.iter().for_each(|report| self.unlink(report));
        gone.len()
    }

    /// How many there are of each node and module; of this process's own also when there are none.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<(String, String), usize> {
        let mut counts = BTreeMap::from([((self.0.node.clone(), CONTROLLER.to_owned()), 0)]);
        for report in &self.state().reports {
            *counts.entry((report.node_name.clone(), report.module.clone())).or_default() += 1;
        }
        counts
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state().reports.len()
    }

    /// The node whose reports these are.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.0.node
    }

    fn read(&self, report: &ErrorReport) -> String {
        let path = self.path(&report.filename);
        path.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_else(|| "The file is gone.".to_owned())
    }

    fn unlink(&self, report: &ErrorReport) {
        if let Some(path) = self.path(&report.filename) {
            // One that is gone already needs no removal.
            let _ = fs::remove_file(path);
        }
    }

    fn path(&self, filename: &str) -> Option<PathBuf> {
        self.0.folder.as_ref().map(|folder| folder.join(filename))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The index is consistent after every step, so a panic elsewhere does not spoil it.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 20 bits that tell nodes apart (FNV-1a, folded).
fn hash(node: &str) -> u32 {
    let fnv = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = node.bytes().fold(0x811C_9DC5, fnv);
    (hash ^ (hash >> 20)) & 0xF_FFFF
}

fn cut(text: &str) -> &str {
    let end = (0..=text.len().min(TEXT_BYTES_AT_MOST)).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// Lines that begin a report's file, by their word; [`read_head`] reads them again.
const HEAD: [&str; 8] = ["Report", "Node", "Module", "Time", "Version", "Peer", "Kind", "Message"];

fn text_of(report: &ErrorReport, id: &str, incident: &Incident) -> String {
    let moment = jiff::Timestamp::from_millisecond(report.error_time).unwrap_or_default();
    let time = format!("{moment:.3}");
    let one_line = report.exception_message.replace(['\n', '\r'], " ");
    let (node, module) = (&report.node_name, &report.module);
    let values = [id, node, module, &time, &report.version, &report.peer, &report.exception, one_line.as_str()];
    let head: String = HEAD.iter().zip(values).map(|(word, value)| format!("{word}: {value}\n")).collect();
    let told = [("Cause", &incident.cause), ("Correction", &incident.correction), ("Details", &incident.details)];
    let told = told.iter().filter(|(_, text)| !text.is_empty());
    let told: String = told.map(|(word, text)| format!("{word}: {}\n", cut(text))).collect();
    format!("{head}\nDoing: {}\n\n{}\n{told}", cut(&incident.doing), report.exception_message)
}

/// The newest files of the folder, as many as are kept: names begin with the start of their process.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_report = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| is_report(name));
    names.sort_unstable();
    let surplus = names.len().saturating_sub(REPORTS_AT_MOST);
    names.drain(..surplus);
    names.into_iter().map(|name| folder.join(name)).collect()
}

/// Milliseconds since 1970 of a time; earlier releases wrote them as they are.
fn moment(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond))
}

fn read_head(path: &Path) -> Option<ErrorReport> {
    let text = fs::read_to_string(path).ok()?;
    let value = |word: &str| {
        let mut lines = text.lines().take(HEAD.len());
        lines.find_map(|line| line.strip_prefix(word)?.strip_prefix(": ")).unwrap_or_default().to_owned()
    };
    Some(ErrorReport {
        node_name: value("Node"),
        error_time: moment(&value("Time"))?,
        filename: path.file_name()?.to_str()?.to_owned(),
        module: if value("Module") == SATELLITE { SATELLITE } else { CONTROLLER }.to_owned(),
        version: value("Version"),
        peer: value("Peer"),
        exception: value("Kind"),
        exception_message: value("Message"),
        ..ErrorReport::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(message: &str) -> Incident {
        let doing = "GET /v1/nodes".into();
        Incident { kind: "panic".into(), message: message.into(), doing, ..Incident::default() }
    }

    #[test]
    fn ids_have_the_form_that_clients_cut_out() {
        let folder = tempfile::tempdir().unwrap();
        let reports = ErrorReports::open(folder.path(), "alpha", 0x6955_9B80);
        let id = reports.report(&incident("boom"));
        assert!(id.starts_with("69559B80-") && id.ends_with("-000000") && id.len() == 21, "{id}");
        let found = &reports.list(&Wanted { ids: vec![id.clone()], ..Wanted::default() }, true)[0];
        assert_eq!(found.filename, format!("ErrorReport-{id}.log"));
        assert!(found.text.contains("boom") && found.text.contains("GET /v1/nodes"), "{}", found.text);
        assert!(folder.path().join(&found.filename).exists());
        let time = found.text.lines().find_map(|line| line.strip_prefix("Time: ")).unwrap();
        assert!(time.contains('T') && time.ends_with('Z'), "for people: {time}");
        assert_eq!(moment(time), Some(found.error_time));
        assert_eq!(
            (moment("1767225600123"), moment("soon")),
            (Some(1_767_225_600_123), None),
            "as it was written before"
        );
    }

    #[test]
    fn they_are_found_again_after_a_restart_and_deleted_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let first = ErrorReports::open(folder.path(), "alpha", 1);
        first.report(&incident("one\ntwo"));
        first.report(&incident("three"));
        let again = ErrorReports::open(folder.path(), "alpha", 2);
        let (before, after) = (first.list(&Wanted::default(), true), again.list(&Wanted::default(), true));
        assert_eq!(after.len(), 2);
        assert!(after.iter().all(|report| before.iter().any(|known| known.text == report.text)));
        assert_eq!(again.delete(&Wanted { exception: Some("other".into()), ..Wanted::default() }), 0);
        assert_eq!(again.delete(&Wanted::default()), 2);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn one_of_a_node_keeps_its_node_and_module_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let first = ErrorReports::open(folder.path(), "alpha", 1);
        let told = Incident {
            node: Some("beta".into()),
            module: SATELLITE,
            cause: "no disk".into(),
            correction: "plug it in".into(),
            details: "exit 1".into(),
            ..incident("the pool is sick")
        };
        first.report(&told);
        first.report(&incident("boom"));
        let again = ErrorReports::open(folder.path(), "alpha", 2);
        for reports in [first, again] {
            let wanted = Wanted { nodes: vec!["BETA".into()], ..Wanted::default() };
            let found = &reports.list(&wanted, true)[0];
            assert_eq!((found.node_name.as_str(), found.module.as_str()), ("beta", SATELLITE));
            assert!(
                found.text.ends_with("Cause: no disk\nCorrection: plug it in\nDetails: exit 1\n"),
                "{}",
                found.text
            );
            let counts = reports.counts();
            assert_eq!(counts.len(), 2);
            assert_eq!(counts[&("alpha".to_owned(), CONTROLLER.to_owned())], 1);
        }
    }

    #[test]
    fn the_oldest_gives_way_and_memory_is_enough() {
        let reports = ErrorReports::default();
        (0..REPORTS_AT_MOST + 5).for_each(|n| drop(reports.report(&incident(&n.to_string()))));
        assert_eq!(reports.count(), REPORTS_AT_MOST);
        let newest = &reports.list(&Wanted::default(), true)[0];
        assert!(newest.text.contains("1004"));
        let future = Wanted { since: Some(i64::MAX), ..Wanted::default() };
        assert!(reports.list(&future, false).is_empty());
        assert!(reports.list(&Wanted::default(), false)[0].text.is_empty());
    }

    #[test]
    fn a_huge_message_is_cut() {
        let reports = ErrorReports::default();
        reports.report(&incident(&"ö".repeat(TEXT_BYTES_AT_MOST)));
        assert!(reports.list(&Wanted::default(), false)[0].exception_message.len() <= TEXT_BYTES_AT_MOST);
    }
}
