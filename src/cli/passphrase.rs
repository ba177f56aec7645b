//! Asks for passphrases: at a terminal without showing what is typed, else one line of standard input each. Never takes one
//! from an argument or a variable, and never prints one.

use std::io::{self, BufRead, IsTerminal, Write};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::protocols::rest::shape::Secret;

/// Longest line that is read, in bytes: a passphrase is a line, not a file.
const MAX_BYTES: usize = 64 * 1024;

/// Where passphrases come from.
pub trait Passphrases {
    /// Asks for one that is there already.
    ///
    /// # Errors
    /// Why none was given, for people.
    fn known(&mut self, prompt: &str) -> Result<Secret, String>;

    /// Asks for a new one; at a terminal twice, for nobody sees what is typed.
    ///
    /// # Errors
    /// Why none was given, for people.
    fn fresh(&mut self, prompt: &str) -> Result<Secret, String>;
}

/// Standard input.
#[derive(Debug, Default)]
pub struct StandardInput;

impl Passphrases for StandardInput {
    fn known(&mut self, prompt: &str) -> Result<Secret, String> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return one_line(&mut stdin.lock());
        }
        let mut err = io::stderr();
        let told = write!(err, "{prompt}: ").and_then(|()| err.flush());
        told.map_err(|error| format!("nobody can be asked for a passphrase: {error}"))?;
        let silenced = Silenced::new()?;
        let line = one_line(&mut stdin.lock());
        drop(silenced);
        line
    }

    fn fresh(&mut self, prompt: &str) -> Result<Secret, String> {
        let first = self.known(prompt)?;
        if io::stdin().is_terminal() && self.known("The same once more")? != first {
            return Err("the two differ: nothing was changed".to_owned());
        }
        Ok(first)
    }
}

/// The next line without its end.
fn one_line(input: &mut impl BufRead) -> Result<Secret, String> {
    let none = |why: &str| format!("no passphrase was given: {why}");
    // Of the size that a line may have: it is never moved, so that no copy stays behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
    let mut limited = io::Read::take(input, MAX_BYTES as u64);
    limited.read_until(b'\n', &mut line).map_err(|error| none(&error.to_string()))?;
    let text = std::str::from_utf8(&line).map_err(|_| none("what was given is no UTF-8 text"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() { Err(none("the line is empty")) } else { Ok(Secret::new(text)) }
}

/// A terminal that does not show what is typed, until this goes.
struct Silenced(Termios);

impl Silenced {
    fn new() -> Result<Self, String> {
        let failed = |error: nix::Error| format!("the terminal would show what is typed: {error}");
        let before = tcgetattr(io::stdin()).map_err(failed)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        silent.local_flags.insert(LocalFlags::ECHONL);
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &silent).map_err(failed)?;
        Ok(Self(before))
    }
}

impl Drop for Silenced {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing more.
        let _ = tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_one_passphrase() {
        let mut input = "first one\r\nsecond\nlast".as_bytes();
        for expected in ["first one", "second", "last"] {
            assert_eq!(one_line(&mut input).unwrap().expose(), expected);
        }
        assert!(one_line(&mut input).unwrap_err().contains("empty"));
        assert!(one_line(&mut &b"\xff\n"[..]).unwrap_err().contains("UTF-8"));
    }
}
