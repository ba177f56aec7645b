//! A Rust file as the rules see it: comments, strings and tests blanked out, lines kept, so that braces and words can be trusted.

/// One file of the crate.
pub struct Source {
    /// Relative to the root, such as `src/model/ids.rs`.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// The code without its tests; comments, and the insides of strings and character literals, are spaces.
    pub code: String,
    /// How many lines of the code are blank because they hold tests.
    pub test_lines: usize,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let (code, test_lines) = without_tests(blank(text));
        if is_test_file(path) {
            let test_lines = code.lines().count();
            return Self { path: path.to_owned(), text: text.to_owned(), code: spaces(&code), test_lines };
        }
        Self { path: path.to_owned(), text: text.to_owned(), code, test_lines }
    }

    /// The line of this byte of the code, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        1 + self.code.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count()
    }

    /// The path of the module that the file holds, from the crate's root: `src/model/mod.rs` is `["model"]`.
    pub fn module(&self) -> Vec<&str> {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let parts: Vec<&str> = inner.split('/').collect();
        match parts.as_slice() {
            ["lib"] => Vec::new(),
            [above @ .., "mod"] => above.to_vec(),
            all => all.to_vec(),
        }
    }

    /// The offsets at which `word` stands in the code as a whole word.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let bytes = self.code.as_bytes();
        self.code.match_indices(word).map(|(at, _)| at).filter(move |at| {
            let before = at.checked_sub(1).map(|index| bytes[index]);
            let after = bytes.get(at + word.len()).copied();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
    }
}

/// Whether this byte can be part of an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a file is a module of tests alone: `tests.rs` or `…_tests.rs`, which its parent declares under `#[cfg(test)]`.
pub fn is_test_file(path: &str) -> bool {
    path.starts_with("src/") && (path.ends_with("/tests.rs") || path.ends_with("_tests.rs"))
}

/// Blanks every item under `#[cfg(test)]`, and counts its lines.
fn without_tests(mut code: String) -> (String, usize) {
    const MARK: &str = "#[cfg(test)]";
    let mut lines = 0;
    while let Some(start) = code.find(MARK) {
        let item = start + MARK.len();
        let end = code[item..].find([';', '{']).map(|at| item + at);
        let end = end.and_then(|at| if code[at..].starts_with('{') { closing(&code, at) } else { Some(at) });
        let end = end.map_or(code.len(), |at| at + 1);
        lines += code[start..end].lines().count();
        let blanked = spaces(&code[start..end]);
        code.replace_range(start..end, &blanked);
    }
    (code, lines)
}

fn spaces(code: &str) -> String {
    code.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// The bracket that closes the one at `open`.
pub fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Blanks comments, and what is inside of strings and character literals. Every line stays where it was, byte for byte.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end > at {
            out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("whole literals and comments became spaces")
}

/// Where the comment or literal that begins at `at` ends; `at` itself when none begins there.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = at > 0 && is_word(bytes[at - 1]);
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'"', ..] => at + quoted(rest, 1),
        [b'b', b'"', ..] | [b'c', b'"', ..] if !in_word => at + quoted(rest, 2),
        [b'r', b'"' | b'#', ..] if !in_word => at + raw_string(rest, 1),
        [b'b', b'r', b'"' | b'#', ..] if !in_word => at + raw_string(rest, 2),
        [b'\'', ..] => at + character(rest),
        _ => at,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn raw_string(rest: &[u8], from: usize) -> usize {
    let hashes = rest[from..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(from + hashes) != Some(&b'"') {
        return 0;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let body = from + hashes + 1;
    let length = rest[body..].windows(close.len()).position(|window| window == close);
    length.map_or(rest.len(), |length| body + length + close.len())
}

/// A character literal, or 0 for a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|byte| *byte == b'\'');
        return end.map_or(0, |end| end + 4);
    }
    // One character is at most four bytes long.
    let end = rest.iter().take(6).skip(2).position(|byte| *byte == b'\'').map_or(0, |end| end + 3);
    let one = std::str::from_utf8(&rest[1.min(rest.len())..end.saturating_sub(1).max(1.min(rest.len()))]);
    if one.is_ok_and(|one| one.chars().count() == 1) { end } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_kept() {
        let text = "a // { x\nb /* { /* */ } */ c \"}\\\"{\" d '{' 'x: &'a T r#\"\"{\"# b'\\'' e\nf";
        let code = Source::new("src/x.rs", text).code;
        assert_eq!(code.len(), text.len());
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c", "d", "'x:", "&'a", "T", "b", "e", "f"]);
        assert_eq!(code.lines().count(), 3);
    }

    #[test]
    fn characters_beyond_ascii_and_lifetimes_are_told_apart() {
        let code = Source::new("src/x.rs", "fn f<'a>(x: &'a str) { 'é'; '\\u{7f}'; 'b'; }").code;
        assert_eq!(
            code.split_whitespace().collect::<Vec<_>>(),
            ["fn", "f<'a>(x:", "&'a", "str)", "{", ";", ";", ";", "}"]
        );
    }

    #[test]
    fn tests_are_no_code() {
        let source =
            Source::new("src/x.rs", "a\n#[cfg(test)]\nmod x_tests;\nb\n#[cfg(test)]\nmod tests {\n fn f() { c }\n}\nd");
        assert_eq!(source.code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "d"]);
        assert_eq!(source.test_lines, 6);
        assert_eq!(source.code.lines().count(), 9);
        let whole = Source::new("src/model/x_tests.rs", "a\nb");
        assert_eq!((whole.code.trim(), whole.test_lines), ("", 2));
    }

    #[test]
    fn files_know_their_modules() {
        for (path, module) in [
            ("src/lib.rs", &[][..]),
            ("src/model/mod.rs", &["model"]),
            ("src/model/ids.rs", &["model", "ids"]),
            ("src/bin/zead.rs", &["bin", "zead"]),
        ] {
            assert_eq!(Source::new(path, "").module(), module);
        }
    }

    #[test]
    fn words_are_whole() {
        let source = Source::new("src/x.rs", "async fn asyncer(x: my_async) { async {} }");
        assert_eq!(source.words("async").collect::<Vec<_>>(), [0, 32]);
    }
}
