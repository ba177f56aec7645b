//! How often what goes wrong, as numbers that a script can hold.

use std::fmt;

use super::words::number;

/// Chances are in thousandths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weather {
    /// Longest usual way of a message, in milliseconds.
    pub delay: u64,
    /// Chance that a message takes up to forty seconds: both ends are up, one of them stalls.
    pub stall: u64,
    /// Longest usual commit, in milliseconds.
    pub commit: u64,
    /// Chance that a commit takes up to ten seconds.
    pub commit_stall: u64,
    /// Chance that a commit fails, and nobody knows how far it came.
    pub commit_fails: u64,
    /// Longest usual pass, in milliseconds.
    pub pass: u64,
    /// Chance that a pass hangs until its node is freed or dies.
    pub hang: u64,
    /// Chance that an operation on a disk fails.
    pub io: u64,
    /// Chance that an answer to a client is lost.
    pub answer_lost: u64,
    /// Chance that the controller crashes at the end of a commit, before anybody hears of it.
    pub commit_crash: u64,
}

macro_rules! fields {
    ($($field:ident),+) => {
        const NAMES: &[&str] = &[$(stringify!($field)),+];
        impl Weather {
            fn get(&self, name: &str) -> u64 {
                match name { $(stringify!($field) => self.$field,)+ _ => 0 }
            }
            fn set(&mut self, name: &str, value: u64) -> Result<(), String> {
                match name { $(stringify!($field) => self.$field = value,)+ _ => return Err(format!("no weather: {name}")) }
                Ok(())
            }
        }
    };
}
fields!(delay, stall, commit, commit_stall, commit_fails, pass, hang, io, answer_lost, commit_crash);

impl Weather {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut weather = Self::default();
        for word in text.split_whitespace().filter(|word| *word != "calm") {
            let (name, value) = word.split_once('=').ok_or("name=number is wanted")?;
            weather.set(name, number(value)?)?;
        }
        Ok(weather)
    }
}

impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = NAMES.iter().filter(|name| self.get(name) > 0);
        let words: Vec<String> = named.map(|name| format!("{name}={}", self.get(name))).collect();
        f.write_str(if words.is_empty() { "calm".to_owned() } else { words.join(" ") }.as_str())
    }
}
