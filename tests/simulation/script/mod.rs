//! A script: all that happens to a cluster from outside, by the second. Drawn from a seed, or read from a file; printed
//! it reads back the same. Never holds what follows from it: that is the story.
//!
//! ```text
//! seed 17                     of all that is left to chance: delays, errors of disks, node that stalls
//! nodes 5                     machines with a satellite: n1 to n5
//! weather delay=5 io=3        what is not named is 0
//! plant half-record           a defect, for the proofs that it is found
//! 0.250 c1: spawn DfltRscGrp web sizes=1024 count=2
//! 1.500 world: kill controller
//! ```

mod commands;
mod nodes;
mod weather;
mod words;

use std::fmt;
use std::time::Duration;

pub use commands::command;
pub use weather::Weather;

/// Who does what a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A client: one command after another, each retried until it is answered.
    Client(u8),
    /// What happens to the world.
    World,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, since the start.
    pub at: Duration,
    pub who: Who,
    pub text: String,
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub seed: u64,
    pub nodes: u8,
    pub weather: Weather,
    pub plant: Option<String>,
    pub lines: Vec<Line>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} ", self.at.as_secs(), self.at.subsec_millis())?;
        match self.who {
            Who::Client(number) => write!(f, "c{number}: {}", self.text),
            Who::World => write!(f, "world: {}", self.text),
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}\nnodes {}\nweather {}", self.seed, self.nodes, self.weather)?;
        if let Some(plant) = &self.plant {
            writeln!(f, "plant {plant}")?;
        }
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Script {
    /// Reads what [`Display`](fmt::Display) prints; empty lines and those that begin with `#` are left out.
    ///
    /// # Errors
    /// The line that is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut script = Self { seed: 0, nodes: 3, weather: Weather::default(), plant: None, lines: Vec::new() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            script.take(line).map_err(|why| format!("{line}: {why}"))?;
        }
        Ok(script)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let (first, rest) = line.split_once(' ').ok_or("two words at least")?;
        match first {
            "seed" => self.seed = words::number(rest)?,
            "nodes" => self.nodes = words::number(rest)?,
            "weather" => self.weather = Weather::parse(rest)?,
            "plant" => self.plant = Some(rest.to_owned()),
            _ => self.lines.push(read_line(first, rest)?),
        }
        Ok(())
    }
}

fn read_line(at: &str, rest: &str) -> Result<Line, String> {
    let (seconds, millis) = at.split_once('.').ok_or("a time has three places after the dot")?;
    let at = Duration::from_secs(words::number(seconds)?) + Duration::from_millis(words::number(millis)?);
    let (who, text) = rest.split_once(": ").ok_or("nobody does it")?;
    let who = match who.strip_prefix('c') {
        Some(number) => Who::Client(words::number(number)?),
        None if who == "world" => Who::World,
        None => return Err(format!("nobody is called {who}")),
    };
    if who != Who::World {
        command(text)?;
    }
    Ok(Line { at, who, text: text.to_owned() })
}
