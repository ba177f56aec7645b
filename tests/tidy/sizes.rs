//! How big things may be: files, functions, parameter lists, nesting. Counted on the code without its tests.

use super::Finding;
use super::source::{Source, closing, is_word};

/// The tail that spoils a codebase is cut here; the aim is 150.
const FILE_LINES: usize = 500;
/// As above; the aim is 10.
const FUNCTION_LINES: usize = 70;
/// More of them want a struct, `self` aside.
const PARAMETERS: usize = 4;
/// Blocks of `if`, `match`, `for`, `while`, `loop` or `else` inside one another; deeper ones want a function with a name.
const NESTING: usize = 3;

/// Functions that may take more parameters, `path::name`, each with its reason.
const MANY_PARAMETERS: [(&str, &str); 0] = [];

/// One function as it was found.
struct Function {
    name: String,
    /// Offset of `fn`.
    at: usize,
    parameters: usize,
    /// Offsets of the body's braces; none for a declaration.
    body: Option<(usize, usize)>,
}

/// A file that is too long.
pub fn file(source: &Source) -> Vec<Finding> {
    let lines = source.code.lines().count() - source.test_lines;
    if lines <= FILE_LINES {
        return Vec::new();
    }
    vec![Finding::new(source, lines, format!("{lines} lines without tests, at most {FILE_LINES}: divide it"))]
}

/// Functions that are too long or take too much.
pub fn functions(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in all_functions(source) {
        let line = source.line(function.at);
        let (name, parameters) = (&function.name, function.parameters);
        let lines = function.body.map_or(0, |(_, end)| source.line(end) + 1 - line);
        if lines > FUNCTION_LINES {
            let cure = format!("fn {name} has {lines} lines, at most {FUNCTION_LINES}: divide it");
            findings.push(Finding::new(source, line, cure));
        }
        if parameters > PARAMETERS && !may_take_many(source, name) {
            let cure = format!("fn {name} takes {parameters} parameters, at most {PARAMETERS}: give it a struct");
            findings.push(Finding::new(source, line, cure));
        }
    }
    findings
}

/// Blocks that lie too deep.
pub fn nesting(source: &Source) -> Vec<Finding> {
    let bodies = all_functions(source).into_iter().filter_map(|function| Some((function.name, function.body?)));
    let deep = bodies.filter_map(|(name, body)| {
        let (depth, at) = deepest(&source.code, body);
        let cure = format!("fn {name} nests {depth} blocks, at most {NESTING}: name the inner ones");
        (depth > NESTING).then(|| Finding::new(source, source.line(at), cure))
    });
    deep.collect()
}

fn may_take_many(source: &Source, name: &str) -> bool {
    let full = format!("{}::{name}", source.path);
    MANY_PARAMETERS.iter().any(|(listed, _)| *listed == full)
}

fn all_functions(source: &Source) -> Vec<Function> {
    source.words("fn").filter_map(|at| function(&source.code, at)).collect()
}

fn function(code: &str, at: usize) -> Option<Function> {
    let after = code[at + 2..].trim_start();
    let name: String = after.bytes().take_while(|byte| is_word(*byte)).map(char::from).collect();
    if name.is_empty() {
        // A function pointer's type.
        return None;
    }
    let open = parameter_list(code, code.len() - after.len() + name.len())?;
    let close = closing(code, open)?;
    let body = body_start(code, close).and_then(|start| Some((start, closing(code, start)?)));
    Some(Function { name, at, parameters: count_parameters(&code[open + 1..close]), body })
}

/// The opening parenthesis after the name and its generics.
fn parameter_list(code: &str, from: usize) -> Option<usize> {
    let bytes = code.as_bytes();
    let mut angles = 0_usize;
    for at in from..bytes.len() {
        match bytes[at] {
            b'<' => angles += 1,
            b'>' if bytes[at - 1] != b'-' => angles = angles.saturating_sub(1),
            b'(' if angles == 0 => return Some(at),
            b'{' | b';' => return None,
            _ => {}
        }
    }
    None
}

/// Where a body begins after the parameters; a `;` first is a declaration.
fn body_start(code: &str, from: usize) -> Option<usize> {
    let mut squares = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'[' => squares += 1,
            b']' => squares = squares.saturating_sub(1),
            b'{' => return Some(at),
            b';' if squares == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Parameters without `self`.
fn count_parameters(list: &str) -> usize {
    let mut parts = vec![String::new()];
    let (mut depth, mut before) = (0_i32, ' ');
    for letter in list.chars() {
        match letter {
            '(' | '[' | '{' | '<' => depth += 1,
            '>' if before == '-' || before == '=' => {}
            ')' | ']' | '}' | '>' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            _ => {}
        }
        if depth > 0 || letter != ',' {
            parts.last_mut().expect("it begins with one").push(letter);
        }
        before = letter;
    }
    parts.iter().filter(|part| !part.trim().is_empty() && !is_self(part)).count()
}

fn is_self(parameter: &str) -> bool {
    let name = parameter.split(':').next().unwrap_or_default();
    name.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next_back() == Some("self")
}

/// The deepest block of control flow in a body: how deep, and where.
fn deepest(code: &str, (start, end): (usize, usize)) -> (usize, usize) {
    let mut open: Vec<Brace> = Vec::new();
    let mut header = start + 1;
    let mut worst = (0, start);
    for at in start + 1..end {
        match code.as_bytes()[at] {
            b'{' => {
                open.push(brace(&code[header..at]));
                let depth = open.iter().filter(|brace| **brace == Brace::Control).count();
                worst = if depth > worst.0 { (depth, at) } else { worst };
            }
            b'}' if open.pop() == Some(Brace::Pattern) => continue,
            b'}' | b';' => {}
            _ => continue,
        }
        header = if open.last() == Some(&Brace::Pattern) { header } else { at + 1 };
    }
    worst
}

/// What a brace opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brace {
    /// A block that runs only sometimes, or many times.
    Control,
    /// The fields of a pattern in `if let` or `while let`: what follows still belongs to the header.
    Pattern,
    /// A value, a closure, an arm, a plain block.
    Other,
}

/// Judges a brace by what stands between the last statement or brace and itself.
fn brace(header: &str) -> Brace {
    let header = header.rsplit("=>").next().unwrap_or(header);
    let words: Vec<&str> = header.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').collect();
    let conditional = words.iter().any(|word| matches!(*word, "if" | "match" | "for" | "while" | "loop" | "else"));
    let last_let = words.iter().rposition(|word| *word == "let");
    let pattern_open = last_let.is_some() && !header.rsplit("let ").next().unwrap_or_default().contains('=');
    match (conditional, pattern_open) {
        (_, true) => Brace::Pattern,
        (true, false) => Brace::Control,
        (false, false) => Brace::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(body: &str) -> usize {
        let source = Source::new("src/x.rs", &format!("fn f() {{{body}}}"));
        let functions = all_functions(&source);
        deepest(&source.code, functions[0].body.unwrap()).0
    }

    fn first(code: &str) -> (String, usize) {
        let source = Source::new("src/x.rs", code);
        let function = all_functions(&source).remove(0);
        (function.name, function.parameters)
    }

    #[test]
    fn long_files_are_found_and_tests_do_not_count() {
        let long = "x\n".repeat(FILE_LINES + 1);
        assert_eq!(file(&Source::new("src/x.rs", &long)).len(), 1);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}\n", "x\n".repeat(FILE_LINES));
        assert_eq!(file(&Source::new("src/x.rs", &tested)).len(), 0);
    }

    #[test]
    fn long_functions_are_found() {
        let of = |lines: usize| format!("fn f() {{\n{}}}\n", "x;\n".repeat(lines));
        assert_eq!(functions(&Source::new("src/x.rs", &of(FUNCTION_LINES - 2))).len(), 0);
        assert_eq!(functions(&Source::new("src/x.rs", &of(FUNCTION_LINES - 1))).len(), 1);
    }

    #[test]
    fn parameters_are_counted_without_self_and_inside_no_type() {
        for (code, parameters) in [
            ("fn f() {}", 0),
            ("fn f(&mut self, a: u8) {}", 1),
            ("fn f(self: Box<Self>, a: u8,) {}", 1),
            ("fn f<'a, T: Fn(u8, u8) -> u8>(a: Map<K, V>, b: (u8, u8), c: [u8; 2]) -> X {}", 3),
            ("fn f(a: impl Fn(A, B) -> Result<C, D>, b: fn(&mut X) -> Y);", 2),
            ("fn f(a: u8, b: u8, c: u8, d: u8, e: u8) where X: Y {}", 5),
        ] {
            assert_eq!(first(code), ("f".to_owned(), parameters), "{code}");
        }
        assert_eq!(functions(&Source::new("src/x.rs", "fn f(a: A, b: B, c: C, d: D, e: E) {}")).len(), 1);
        assert_eq!(functions(&Source::new("src/x.rs", "fn f(&self, a: A, b: B, c: C, d: D) {}")).len(), 0);
    }

    #[test]
    fn blocks_are_counted_and_values_are_not() {
        for (body, deep) in [
            ("", 0),
            ("if a { b } else { c }", 1),
            ("let x = Foo { a: 1, b: Bar { c } };", 0),
            ("list.map(|x| { y(x) });", 0),
            ("match a { A => { b } C if d => Foo { e } }", 1),
            ("match a { A => match b { B => c } }", 2),
            ("if let Foo { a, b } = c { while let Some(X { d }) = e { f } }", 2),
            ("let Foo { a } = b else { return };", 1),
            ("let Foo { a } = b; if c { d }", 1),
            ("for a in b { if c { d } if e { f } }", 2),
            ("loop { for a in b { if c { match d { E => f } } } }", 4),
            ("let x = match a { B => { if c { D { e } } else { f } } };", 2),
        ] {
            assert_eq!(depth(body), deep, "{body}");
        }
    }

    #[test]
    fn deep_functions_are_found() {
        let code = "fn f() { loop { for a in b { if c { match d { E => f } } } } }";
        assert_eq!(nesting(&Source::new("src/x.rs", code)).len(), 1);
        assert_eq!(nesting(&Source::new("src/x.rs", "fn f() { loop { for a in b { if c { d } } } }")).len(), 0);
    }

    #[test]
    fn exceptions_name_a_function_that_is_there_and_a_reason() {
        for (listed, reason) in MANY_PARAMETERS {
            let (path, name) = listed.rsplit_once("::").unwrap();
            let text = std::fs::read_to_string(super::super::root().join(path)).unwrap();
            assert!(text.contains(&format!("fn {name}")) && !reason.is_empty(), "{listed}");
        }
    }
}
