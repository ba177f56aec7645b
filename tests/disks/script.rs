//! Scenarios as text: a step a line, `#` begins a comment line. A step is a verb in the words of the table in `verbs/mod.rs`,
//! behind any number of qualifiers:
//!
//! - `within 5 s: …` fails when it takes longer;
//! - `refused with "words", "more words": …` fails unless it is refused with all of these words;
//! - `in the background: …` goes on with the next step at once; `join` waits for it, and `end` does so for all.
//!
//! `$name` is the path of the disk of that name; `<name>` is a parameter of a template (`stacks.txt`). It starts nothing.

use std::collections::BTreeMap;
use std::time::Duration;

/// One step as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// From 1.
    pub line: usize,
    pub text: String,
}

/// What stands before a verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Qualifier {
    Within(Duration),
    Refused(Vec<String>),
    Background,
}

/// The steps of a text, parameters put in. A parameter's value may be several steps, divided by `;`.
pub fn steps(text: &str, parameters: &BTreeMap<String, String>) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut line = line.trim().to_owned();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let whole = line.starts_with('<') && line.ends_with('>');
        for (name, value) in parameters {
            line = line.replace(&format!("<{name}>"), value);
        }
        let parts: Vec<&str> = if whole { line.split(';').collect() } else { vec![&line] };
        let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
        steps.extend(parts.map(|part| Step { line: number + 1, text: part.to_owned() }));
    }
    if steps.is_empty() { Err("no step in it".to_owned()) } else { Ok(steps) }
}

/// Takes the qualifiers off.
pub fn qualifiers(text: &str) -> Result<(Vec<Qualifier>, &str), String> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        if let Some(tail) = rest.strip_prefix("in the background: ") {
            found.push(Qualifier::Background);
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix("within ") {
            let (time, tail) = tail.split_once(": ").ok_or_else(|| format!("'within' without ': ': {text}"))?;
            found.push(Qualifier::Within(time_of(time)?));
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix("refused with ") {
            let (words, tail) = quoted(tail)?;
            found.push(Qualifier::Refused(words));
            rest = tail;
        } else {
            return Ok((found, rest));
        }
    }
}

/// `"a", "b": rest`.
fn quoted(text: &str) -> Result<(Vec<String>, &str), String> {
    let (mut words, mut rest) = (Vec::new(), text);
    loop {
        let fail = || format!("words in quotation marks and a colon are missing: {text}");
        let (word, tail) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).ok_or_else(fail)?;
        words.push(word.to_owned());
        if let Some(tail) = tail.strip_prefix(": ") {
            return Ok((words, tail));
        }
        rest = tail.strip_prefix(", ").ok_or_else(fail)?;
    }
}

/// `5 s`, `200 ms`.
pub fn time_of(text: &str) -> Result<Duration, String> {
    let fail = || format!("'{text}' is no time: say 5 s or 200 ms");
    let (number, unit) = text.split_once(' ').ok_or_else(fail)?;
    let number: u64 = number.parse().map_err(|_| fail())?;
    match unit {
        "s" => Ok(Duration::from_secs(number)),
        "ms" => Ok(Duration::from_millis(number)),
        _ => Err(fail()),
    }
}

/// `24MiB`, in bytes.
pub fn size_of(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let found = units.iter().find_map(|(unit, shift)| text.strip_suffix(unit)?.parse::<u64>().ok().map(|n| n << shift));
    found.ok_or_else(|| format!("'{text}' is no size: say 24MiB or 1GiB"))
}

/// What stands at the places of a pattern: `{x}` is a word, `{x..}` the rest of the line.
pub fn matches<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut found = Vec::new();
    let mut rest = text;
    for word in pattern.split(' ') {
        if word.starts_with('{') && word.ends_with("..}") {
            return (!rest.is_empty()).then(|| {
                found.push(rest);
                found
            });
        }
        let (first, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        let (open, end) = (word.starts_with('{'), word.find('}').map_or("", |at| &word[at + 1..]));
        let value = if open { first.strip_suffix(end)? } else { first };
        if open && !value.is_empty() {
            found.push(value);
        } else if word != first {
            return None;
        }
        rest = tail;
    }
    rest.is_empty().then_some(found)
}

/// Rows of a table of stacks: the first line that is not a comment names the columns, divided by `|`.
pub fn stacks(text: &str) -> Result<Vec<BTreeMap<String, String>>, String> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let columns = cells(lines.next().ok_or("an empty table")?);
    let row = |line: &str| {
        let values = cells(line);
        if values.len() != columns.len() {
            return Err(format!("{} columns instead of {}: {line}", values.len(), columns.len()));
        }
        Ok(columns.iter().cloned().zip(values).collect())
    };
    lines.map(row).collect()
}

#[test]
fn a_line_is_a_step_and_parameters_may_be_several() {
    let parameters = BTreeMap::from([("a".to_owned(), "one; two".to_owned()), ("b".to_owned(), "3".to_owned())]);
    let found = steps("# x\n\n<a>\n  say <b>; on\n", &parameters).unwrap();
    let found: Vec<_> = found.iter().map(|step| (step.line, &*step.text)).collect();
    assert_eq!(found, [(3, "one"), (3, "two"), (4, "say 3; on")]);
    assert!(steps("# nothing\n", &parameters).is_err());
}

#[test]
fn qualifiers_stand_before_the_verb() {
    let (found, rest) = qualifiers("within 5 s: refused with \"no room\", \"node n1\": spawn web 24MiB").unwrap();
    let words = vec!["no room".to_owned(), "node n1".to_owned()];
    assert_eq!(found, [Qualifier::Within(Duration::from_secs(5)), Qualifier::Refused(words)]);
    assert_eq!(rest, "spawn web 24MiB");
    assert_eq!(qualifiers("in the background: boot n1").unwrap(), (vec![Qualifier::Background], "boot n1"));
    assert!(qualifiers("refused with no marks: boot n1").is_err() && qualifiers("within 5: boot n1").is_err());
}

#[test]
fn patterns_take_words_and_the_rest() {
    assert_eq!(matches("boot {node}", "boot n1"), Some(vec!["n1"]));
    assert_eq!(matches("on {node}: {command..}", "on n1: echo a b"), Some(vec!["n1", "echo a b"]));
    assert_eq!(matches("{a} in {b}, {c}", "1 in x, y"), Some(vec!["1", "x", "y"]));
    for (pattern, text) in [("boot {node}", "boot"), ("boot {node}", "boot n1 n2"), ("on {node}: {c..}", "on n1 echo")]
    {
        assert_eq!(matches(pattern, text), None, "{pattern} {text}");
    }
}

#[test]
fn times_and_sizes_have_units() {
    assert_eq!((size_of("24MiB"), size_of("1GiB")), (Ok(24 << 20), Ok(1 << 30)));
    assert!(size_of("24").is_err() && size_of("MiB").is_err());
    assert_eq!(time_of("200 ms"), Ok(Duration::from_millis(200)));
}

#[test]
fn a_table_has_its_columns() {
    let rows = stacks("# c\nname | kind\n\nA | FILE\n").unwrap();
    assert_eq!(rows[0]["kind"], "FILE");
    assert!(stacks("a | b\n1\n").is_err());
}
