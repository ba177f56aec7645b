//! The entries of an answer as people read them: what happened, why, what to do. Never decides what an entry means.

use super::folded::folded;
use super::grid::{Style, Tone};
use crate::model::code::{self, Kind};
use crate::protocols::rest::rc::ApiCallRc;

/// Width of the word before the message, and of the space before what follows it.
const INDENT: usize = 9;

/// Draws an entry, with a line break at the end of each line.
pub fn draw(entry: &ApiCallRc, style: Style) -> String {
    let (word, tone) = match entry.kind() {
        Kind::Success => ("DONE", Tone::Good),
        Kind::Info => ("INFO", Tone::Plain),
        Kind::Warn => ("WARNING", Tone::Odd),
        Kind::Error => ("ERROR", Tone::Bad),
    };
    let message = if entry.message.is_empty() { code_alone(entry) } else { entry.message.clone() };
    let mut out =
        format!("{}{}{}\n", style.word(word, tone), " ".repeat(INDENT - word.len()), shifted(&message, INDENT));
    let details = folded(entry.details.lines()).join("\n");
    for (name, text) in [("cause", &entry.cause), ("details", &details), ("correction", &entry.correction)] {
        push(&mut out, name, text);
    }
    if let Some(command) = list_of(entry) {
        push(&mut out, "list", command);
    }
    if !entry.error_report_ids.is_empty() {
        let ids = entry.error_report_ids.join(" ");
        push(&mut out, "reports", &format!("{ids} (zea errors show {ids})"));
    }
    out
}

/// The command that lists what there is, where something was not found.
fn list_of(entry: &ApiCallRc) -> Option<&'static str> {
    if entry.kind() != Kind::Error {
        return None;
    }
    Some(match entry.code() {
        code::FAIL_NOT_FOUND_NODE => "zea node list",
        code::FAIL_NOT_FOUND_RSC_DFN => "zea definition list",
        code::FAIL_NOT_FOUND_RSC => "zea resource list",
        code::FAIL_NOT_FOUND_VLM_DFN => "zea volume list",
        code::FAIL_NOT_FOUND_VLM => "zea resource volumes",
        code::FAIL_NOT_FOUND_NET_IF => "zea node interface list NODE",
        code::FAIL_NOT_FOUND_STOR_POOL_DFN | code::FAIL_NOT_FOUND_STOR_POOL => "zea pool list",
        code::FAIL_NOT_FOUND_SNAPSHOT_DFN | code::FAIL_NOT_FOUND_SNAPSHOT => "zea snapshot list",
        code::FAIL_NOT_FOUND_KVS => "zea kvs list",
        code::FAIL_NOT_FOUND_RSC_GRP => "zea group list",
        code::FAIL_NOT_FOUND_VLM_GRP => "zea group volumes list GROUP",
        _ => return None,
    })
}

fn code_alone(entry: &ApiCallRc) -> String {
    format!("(no message; return code {})", entry.ret_code)
}

fn push(out: &mut String, name: &str, text: &str) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let indent = " ".repeat(INDENT);
    if text.contains('\n') {
        out.push_str(&format!("{indent}{name}:\n{indent}  {}\n", shifted(text, INDENT + 2)));
    } else {
        out.push_str(&format!("{indent}{:<11} {text}\n", format!("{name}:")));
    }
}

/// A text whose later lines stand below its first.
fn shifted(text: &str, indent: usize) -> String {
    text.trim_end().lines().collect::<Vec<_>>().join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style { ascii: true, colours: false, fit: false };

    fn drawn(json: &str) -> String {
        let entries: Vec<ApiCallRc> = serde_json::from_str(json).unwrap();
        entries.iter().map(|entry| draw(entry, STYLE)).collect()
    }

    #[test]
    fn worked_examples() {
        // Origin: the REST facts' worked examples of a mutation's answer and of a failure.
        let text = drawn(
            r#"[{"ret_code":20709377,"message":"node alpha added","details":"uuid 5e4d",
            "obj_refs":{"UUID":"5e4d","Node":"alpha"},"created_at":"2026-01-01T00:00:00.123+00:00"}]"#,
        );
        assert_eq!(text, "DONE     node alpha added\n         details:    uuid 5e4d\n");
        let text = drawn(
            r#"[{"ret_code":-4611686018406940171,"message":"res1 is taken",
            "error_report_ids":["69559B80-00000-000003"],"created_at":"2026-01-01T00:00:01.456+00:00"}]"#,
        );
        let reports = "reports:    69559B80-00000-000003 (zea errors show 69559B80-00000-000003)";
        assert_eq!(text, format!("ERROR    res1 is taken\n         {reports}\n"));
    }

    #[test]
    fn what_is_not_there_names_the_command_that_lists_what_is() {
        use clap::Parser;
        for number in 300..=323 {
            let code = code::ret_code(Kind::Error, None, None, number);
            let entry = ApiCallRc::new(code, "not there", "");
            let Some(command) = list_of(&entry) else { continue };
            assert_eq!(draw(&entry, STYLE), format!("ERROR    not there\n         list:       {command}\n"));
            let read = crate::cli::args::Cli::try_parse_from(command.split(' '));
            assert!(read.is_ok(), "{command}");
        }
        let warning = code::ret_code(Kind::Warn, None, None, code::FAIL_NOT_FOUND_NODE);
        assert_eq!(list_of(&ApiCallRc::new(warning, "", "")), None);
    }

    #[test]
    fn equal_reasons_of_many_nodes_are_one_line() {
        let text = drawn(
            r#"[{"ret_code":-4611686018407201820,"message":"m","details":"node a1: away\nnode a2: away\nnode a3: away",
            "created_at":""}]"#,
        );
        assert_eq!(text, "ERROR    m\n         details:    3 nodes (a1 to a3): away\n");
    }

    #[test]
    fn every_part_is_printed_in_order() {
        let text = drawn(
            r#"[{"ret_code":-4611686018407201820,"message":"m\nn","cause":"c","details":"alpha: full\nbeta: away\n",
            "correction":"k","created_at":""},{"ret_code":-9223372036854774806,"created_at":""},
            {"ret_code":4611686018427397906,"message":"i","created_at":""}]"#,
        );
        let expected = "\
ERROR    m
         n
         cause:      c
         details:
           alpha: full
           beta: away
         correction: k
WARNING  (no message; return code -9223372036854774806)
INFO     i
";
        assert_eq!(text, expected);
    }
}
