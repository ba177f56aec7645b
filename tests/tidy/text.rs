//! Module docs, calls that do not belong in a daemon, and words that do not belong in the project.

use super::Finding;
use super::source::Source;

/// Calls that code outside of tests does not make, and what stands for them.
const CALLS: [(&str, &str); 6] = [
    (".unwrap()", "use `?`, or expect(\"why it holds\")"),
    (".unwrap_err()", "use a match"),
    ("todo!", "answer an error that says what is not built"),
    ("unimplemented!", "answer an error that says what is not built"),
    ("dbg!", "use tracing with fields"),
    // The strings are blanked, quotes too: this is an expect with an empty reason.
    (".expect(  )", "say why it holds"),
];

/// The only place that starts other programs.
const EXEC: &str = "src/storage/exec";

/// Words that tell how the project came about, or name a machine or a registry's host: none of them is the project's
/// matter. Written in halves, so that this list is not found by itself. Matched as whole words, whatever their case.
const WORDS: [(&str, &str); 19] = [
    ("cla", "ude"),
    ("anth", "ropic"),
    ("open", "ai"),
    ("chat", "gpt"),
    ("cop", "ilot"),
    ("ll", "m"),
    ("language ", "model"),
    ("ai-", "generated"),
    ("ai ", "assistant"),
    ("as an ", "ai"),
    ("co-authored", "-by"),
    ("/work", "/"),
    ("/ro", "ot/"),
    ("the b", "rief"),
    ("bri", "ef.md"),
    ("py", "pi.org"),
    ("deb.", "debian.org"),
    ("index.", "crates.io"),
    ("proxy.", "golang.org"),
];

/// A file that does not say what it is.
pub fn module_doc(source: &Source) -> Vec<Finding> {
    let said =
        source.text.lines().next().and_then(|line| line.strip_prefix("//!")).is_some_and(|doc| !doc.trim().is_empty());
    if said {
        Vec::new()
    } else {
        vec![Finding::new(source, 1, "begin with //! what it is, and what it never does".to_owned())]
    }
}

/// Calls that panic without a reason, or were left from writing.
pub fn forbidden_calls(source: &Source) -> Vec<Finding> {
    let hits =
        CALLS.iter().flat_map(|(call, cure)| source.code.match_indices(call).map(move |(at, _)| (call, at, cure)));
    hits.map(|(call, at, cure)| Finding::new(source, source.line(at), format!("{call} outside tests: {cure}")))
        .collect()
}

/// Secrets that follow from a small number are for tests: a running controller draws them from the system's randomness.
pub fn repeatable_secrets(source: &Source) -> Vec<Finding> {
    const NAMED: [&str; 2] = ["src/model/moment.rs", "src/model/secret_seed.rs"];
    if NAMED.contains(&source.path.as_str()) || source.path.contains("/tests/") {
        return Vec::new();
    }
    let cure = "outside tests a moment takes its secrets from the operating system";
    source.words("repeatable").map(|at| Finding::new(source, source.line(at), cure.to_owned())).collect()
}

/// Other programs are started in one place, which times them out and cleans up after them.
pub fn commands_outside_exec(source: &Source) -> Vec<Finding> {
    if source.path.starts_with(EXEC) {
        return Vec::new();
    }
    let groups = source.code.match_indices("process::{").filter(|(at, _)| {
        let group = source.code[*at..].split('}').next().unwrap_or_default();
        group.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| word == "Command")
    });
    let hits = source.code.match_indices("process::Command").chain(groups).map(|(at, _)| at);
    hits.map(|at| Finding::new(source, source.line(at), "a program is started here: ask storage::exec to".to_owned()))
        .collect()
}

/// Words in any text of the project that are not its matter.
pub fn words(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.to_lowercase();
        let found = WORDS.iter().map(|(head, tail)| format!("{head}{tail}")).filter(|word| holds_word(&line, word));
        findings.extend(
            found.map(|word| Finding {
                at: format!("{path}:{}", number + 1),
                cure: format!("'{word}' has no place here"),
            }),
        );
    }
    findings
}

fn holds_word(line: &str, word: &str) -> bool {
    let letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let whole = |at: usize| {
        let starts = !word.starts_with(char::is_alphanumeric) || !letter(line[..at].chars().next_back());
        let ends = !word.ends_with(char::is_alphanumeric) || !letter(line[at + word.len()..].chars().next());
        starts && ends
    };
    line.match_indices(word).any(|(at, _)| whole(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_repeatable_in_tests_alone() {
        let code =
            "fn f() { Moment::repeatable(now, 1) }\n#[cfg(test)]\nmod tests { fn g() { SecretSeed::repeatable(1) } }";
        assert_eq!(breaches(repeatable_secrets, code), 1);
    }

    fn breaches(rule: fn(&Source) -> Vec<Finding>, code: &str) -> usize {
        rule(&Source::new("src/x.rs", code)).len()
    }

    #[test]
    fn a_file_says_what_it_is() {
        assert_eq!(breaches(module_doc, "//! Sizes, never times.\n"), 0);
        assert_eq!(breaches(module_doc, "//!\n"), 1);
        assert_eq!(breaches(module_doc, "// Sizes.\n"), 1);
        assert_eq!(breaches(module_doc, ""), 1);
    }

    #[test]
    fn panics_have_reasons() {
        assert_eq!(breaches(forbidden_calls, "fn f() { a.unwrap(); todo!(); b.unwrap_or(c); }"), 2);
        assert_eq!(breaches(forbidden_calls, "fn f() { a.expect(\"it is made above\"); } // .unwrap()"), 0);
        assert_eq!(breaches(forbidden_calls, "fn f() { a.expect(\"\"); }"), 1);
        assert_eq!(breaches(forbidden_calls, "fn f() {}\n#[cfg(test)]\nmod tests { fn f() { a.unwrap() } }"), 0);
    }

    #[test]
    fn programs_are_started_in_one_place() {
        assert_eq!(breaches(commands_outside_exec, "use std::process::Command;"), 1);
        assert_eq!(breaches(commands_outside_exec, "use tokio::process::{Child, Command};"), 1);
        assert_eq!(breaches(commands_outside_exec, "use std::process::{ExitCode, id}; use crate::model::Command;"), 0);
        assert_eq!(commands_outside_exec(&Source::new("src/storage/exec.rs", "use std::process::Command;")).len(), 0);
    }

    #[test]
    fn words_are_found_whole_in_any_case() {
        let of = |line: &str| words("README.md", line).len();
        for (head, tail) in WORDS {
            assert_eq!(of(&format!("x {head}{tail} y").to_uppercase()), 1, "{head}{tail}");
        }
        assert_eq!(of("allmighty"), 0);
        assert_eq!(of("a node's agent, a session, a prompt"), 0);
    }
}
