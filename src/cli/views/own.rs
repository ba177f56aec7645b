//! What is not a noun of storage: versions, actors, error reports, and why a placement came out as it did.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Page, UNKNOWN, moment};
use crate::cli::folded::folded;
use crate::cli::grid::{Grid, Text, Tone};
use crate::protocols::rest::controller::ControllerVersion;
use crate::protocols::rest::encryption::PassphraseStatus;
use crate::protocols::rest::error_report::ErrorReport;
use crate::protocols::rest::own::EncryptionState;

/// Deepest actor that is indented; deeper ones would be a circle.
const MAX_DEPTH: usize = 32;

/// Longest reason of a failure in the table of actors, in characters.
const MAX_REASON_CHARS: usize = 100;

/// The controller's versions.
pub fn versions(json: &str) -> Result<Page, serde_json::Error> {
    let version: ControllerVersion = serde_json::from_str(json)?;
    // A build that was told no time says the first moment there is.
    let built = Some(&version.build_time).filter(|built| !built.starts_with("1970-01-01"));
    let built = built.map(|built| format!(", built {built}")).unwrap_or_default();
    Ok(Page::lines(vec![
        format!("Controller {} ({}{built})", version.version, version.git_hash),
        format!("REST API   {}", version.rest_api_version),
        format!("zea        {}", env!("CARGO_PKG_VERSION")),
    ]))
}

/// Whether the master passphrase was entered.
pub fn lock_state(json: &str) -> Result<Page, serde_json::Error> {
    let status: PassphraseStatus = serde_json::from_str(json)?;
    Ok(encryption(&status.status, None))
}

/// The same, with what waits for a key, where the controller tells.
pub fn encryption(status: &str, state: Option<EncryptionState>) -> Page {
    let told = match status {
        "unset" => "There is no master passphrase: zea encryption create-passphrase makes one",
        "locked" => "The master passphrase was not entered: zea encryption enter takes it",
        "unlocked" => "The master passphrase is entered",
        other => other,
    };
    let mut lines = vec![told.to_owned()];
    let Some(state) = state else { return Page::lines(lines) };
    lines.push(format!("Resources with LUKS volumes: {}", state.encrypted));
    let mut grid = Grid::new(&["Resource", "Node", "Volume", "Waits because"]);
    for volume in state.waiting {
        let number = volume.volume_number.to_string();
        grid.row([volume.resource.into(), volume.node.into(), number.into(), volume.why.into()]);
    }
    Page { grid: Some(grid), nothing: "No volume waits for a key", lines }
}

/// An actor as it is told of; what is not there yet or no more has its default.
#[derive(Debug, Deserialize)]
struct Actor {
    path: String,
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    state: String,
    #[serde(default)]
    restarts: u64,
    #[serde(default)]
    mailbox_depth: u64,
    #[serde(default)]
    handled: u64,
    #[serde(default)]
    last_failure: Option<String>,
    #[serde(default)]
    last_failure_at_ms: Option<i64>,
}

/// The tree of actors.
pub fn actors(json: &str) -> Result<Page, serde_json::Error> {
    let actors: Vec<Actor> = serde_json::from_str(json)?;
    let parents: BTreeMap<&str, Option<&str>> =
        actors.iter().map(|actor| (actor.path.as_str(), actor.parent.as_deref())).collect();
    let mut rows: Vec<(Vec<&str>, &Actor)> = actors.iter().map(|actor| (line(&actor.path, &parents), actor)).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let mut grid = Grid::new(&["Actor", "State", "Restarts", "Waiting", "Handled", "Last failure"]);
    for (line, actor) in rows {
        let restarts = if actor.restarts > 0 { Tone::Odd } else { Tone::Plain };
        grid.row([
            format!("{}{}", "  ".repeat(line.len() - 1), actor.path).into(),
            state(&actor.state),
            Text::toned(actor.restarts.to_string(), restarts),
            Text::from(actor.mailbox_depth),
            Text::from(actor.handled),
            failure(actor),
        ]);
    }
    Ok(Page::table(grid, "There are no actors."))
}

/// The paths from the root down to an actor.
fn line<'a>(path: &'a str, parents: &BTreeMap<&'a str, Option<&'a str>>) -> Vec<&'a str> {
    let mut line = vec![path];
    let mut at = path;
    while let Some(Some(parent)) = parents.get(at).filter(|_| line.len() < MAX_DEPTH) {
        line.push(parent);
        at = parent;
    }
    line.reverse();
    line
}

fn state(word: &str) -> Text {
    let tone = match word {
        "running" => Tone::Good,
        "starting" | "parked" => Tone::Odd,
        "" => return UNKNOWN.into(),
        _ => Tone::Bad,
    };
    Text::toned(word.replace('_', " "), tone)
}

fn failure(actor: &Actor) -> Text {
    let Some(reason) = &actor.last_failure else { return UNKNOWN.into() };
    let mut short: String = reason.chars().take(MAX_REASON_CHARS).collect();
    if reason.chars().count() > MAX_REASON_CHARS {
        short.push_str("...");
    }
    match actor.last_failure_at_ms {
        Some(at) => format!("{} {short}", moment(at)).into(),
        None => short.into(),
    }
}

/// Why a placement came out as it did.
#[derive(Debug, Deserialize)]
struct Explanation {
    resource: String,
    #[serde(default)]
    wanted: Option<u64>,
    #[serde(default)]
    standing: Option<u64>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    lines: Vec<String>,
}

/// Why a resource's replicas are where they are.
pub fn explanation(json: &str) -> Result<Page, serde_json::Error> {
    let explanation: Explanation = serde_json::from_str(json)?;
    let name = &explanation.resource;
    let wanted = explanation.wanted.map(|wanted| match wanted {
        1 => "1 replica is wanted".to_owned(),
        more => format!("{more} replicas are wanted"),
    });
    let mut lines = match (wanted, explanation.standing) {
        (Some(wanted), Some(standing)) if Some(standing) >= explanation.wanted => vec![
            format!("{name}: {wanted}, {standing} there: nothing is missing"),
            "What a placement of one more would say:".to_owned(),
        ],
        (Some(wanted), Some(standing)) => vec![format!("{name}: {wanted}, {standing} there")],
        (Some(wanted), None) => vec![format!("{name}: {wanted}")],
        (None, _) => vec![format!("{name}:")],
    };
    lines.extend(explanation.reason.iter().map(|reason| format!("  {reason}")));
    if explanation.lines.is_empty() {
        lines.push("  nothing is known of its placement".to_owned());
    }
    let folded = folded(explanation.lines.iter().map(String::as_str));
    lines.extend(folded.iter().map(|line| format!("  {line}")));
    Ok(Page::lines(lines))
}

/// The list of error reports.
pub fn errors(json: &str) -> Result<Page, serde_json::Error> {
    let mut reports: Vec<ErrorReport> = serde_json::from_str(json)?;
    reports.sort_by_key(|report| report.error_time);
    let mut grid = Grid::new(&["Id", "When", "Node", "What"]);
    for report in &reports {
        let what = [&report.exception, &report.exception_message];
        let what: Vec<&str> = what.into_iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        grid.row([
            id(report).into(),
            moment(report.error_time).into(),
            Text::from(&report.node_name),
            what.join(": ").into(),
        ]);
    }
    Ok(Page::table(grid, "There are no error reports."))
}

fn id(report: &ErrorReport) -> &str {
    let name = report.filename.as_str();
    let name = name.strip_prefix("ErrorReport-").unwrap_or(name);
    name.strip_suffix(".log").unwrap_or(name)
}

/// The texts of error reports.
pub fn error_texts(json: &str) -> Result<Page, serde_json::Error> {
    let reports: Vec<ErrorReport> = serde_json::from_str(json)?;
    let mut lines = Vec::new();
    for report in &reports {
        lines.push(format!("Report {} of {}, {}", id(report), report.node_name, moment(report.error_time)));
        let text = if report.text.is_empty() { &report.exception_message } else { &report.text };
        lines.extend(text.lines().map(str::to_owned));
    }
    Ok(Page::lines(lines))
}

#[cfg(test)]
mod tests {
    use super::super::{assert_row, drawn};
    use super::*;

    #[test]
    fn versions_of_both_sides() {
        let json = r#"{"version":"1.34.0","git_hash":"abc","build_time":"2026-01-01T00:00:00Z",
            "rest_api_version":"1.28.0"}"#;
        let text = drawn(versions, json);
        assert!(text.starts_with("Controller 1.34.0 (abc, built 2026-01-01T00:00:00Z)\n"), "{text}");
        let unknown = drawn(versions, &json.replace("2026", "1970"));
        assert!(unknown.starts_with("Controller 1.34.0 (abc)\n"), "{unknown}");
        assert!(text.contains("REST API   1.28.0\nzea "), "{text}");
    }

    #[test]
    fn actors_stand_below_their_parents() {
        // Origin: printed by the registry's ActorInfo, with a field that this program does not know.
        let json = r#"[{"path":"satellite/resource/pvc-1","parent":"satellite","state":"backing_off","restarts":2,
            "mailbox_depth":7,"handled":3,"last_failure":"panic: boom","from_tomorrow":1},
            {"path":"satellite","state":"running","restarts":0,"mailbox_depth":0,"handled":9,
             "children":["satellite/resource/pvc-1"]},{"path":"controller","state":"running"}]"#;
        let text = drawn(actors, json);
        assert_row(&text, &["satellite", "running", "0", "0", "9", "-"]);
        assert_row(&text, &["satellite/resource/pvc-1", "backing off", "2", "7", "3", "panic: boom"]);
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what} in\n{text}"));
        assert!(at("| controller ") < at("| satellite ") && at("| satellite ") < at("|   satellite/resource/pvc-1"));
    }

    #[test]
    fn a_circle_of_actors_ends() {
        let json = r#"[{"path":"a","parent":"b"},{"path":"b","parent":"a"}]"#;
        assert!(drawn(actors, json).contains("  a"));
    }

    #[test]
    fn explanations_are_printed_line_by_line() {
        let json = r#"{"resource":"res1","wanted":2,"lines":["alpha/ssd: chosen","beta/ssd: no room"],"more":[]}"#;
        let expected = "res1: 2 replicas are wanted\n  alpha/ssd: chosen\n  beta/ssd: no room";
        assert_eq!(drawn(explanation, json), expected);
        let json = r#"{"resource":"res1","wanted":2,"standing":1,"reason":"no room for 1","lines":["beta: away"]}"#;
        let expected = "res1: 2 replicas are wanted, 1 there\n  no room for 1\n  beta: away";
        assert_eq!(drawn(explanation, json), expected);
        let json = r#"{"resource":"res1","wanted":1,"standing":1,"reason":"no room for 1","lines":["beta: away"]}"#;
        let expected = "res1: 1 replica is wanted, 1 there: nothing is missing\n\
            What a placement of one more would say:\n  no room for 1\n  beta: away";
        assert_eq!(drawn(explanation, json), expected);
        assert!(drawn(explanation, r#"{"resource":"res1"}"#).contains("nothing is known"));
    }

    #[test]
    fn error_reports() {
        let json = r#"[{"node_name":"alpha","error_time":1767225600123,"filename":"ErrorReport-69559B80-00000-000003.log",
            "exception":"Panic","exception_message":"boom","text":"line 1\nline 2"}]"#;
        assert!(drawn(errors, json).contains("| 69559B80-00000-000003 | "));
        assert!(drawn(errors, json).contains("| Panic: boom |"));
        let text = drawn(error_texts, json);
        assert!(
            text.starts_with("Report 69559B80-00000-000003 of alpha") && text.ends_with("line 1\nline 2"),
            "{text}"
        );
    }
}
